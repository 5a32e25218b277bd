"""The NumPy copy that the benchmarks use calculates what the package does."""

import math

import numpy as np
import pytest

from benchmarks import vector_mixture
from benchmarks.simulated_counts import make_arm
from benchmarks.vector_mixture import Counts, Histories
from gimel.analysis.mixture import lift_interval, log_mixture
from gimel.analysis.shares import check_shares
from tests.support.arms import exact, noisy

LIFT = 0.1


def random_counts(precision: int, size: int = 200) -> Counts:
    """Experiments of 1 to a million visitors, rates of 0 and 1 included."""
    rng = np.random.default_rng(5)
    n_a, n_b = (np.floor(10 ** rng.uniform(0, 6, size)) for _ in range(2))
    rates = [rng.choice([0, 0.004, 0.3, 0.97, 1], size) for _ in range(2)]
    s_a, s_b = (np.round(n * rate) for n, rate in zip((n_a, n_b), rates, strict=True))
    return Counts(n_a, s_a, n_b, s_b, precision)


def similar_counts(precision: int, size: int = 60) -> Counts:
    """Experiments with rates close to each other, so that many intervals end near zero."""
    rng = np.random.default_rng(6)
    n_a, n_b = (np.floor(10 ** rng.uniform(2, 5, size)) for _ in range(2))
    rate = rng.choice([0.02, 0.3, 0.8, 0.95], size)
    s_a, s_b = (
        rng.binomial(n.astype(np.int64), rate * change).astype(np.float64)
        for n, change in ((n_a, 1), (n_b, rng.choice([0.9, 1, 1.04], size)))
    )
    return Counts(n_a, s_a, n_b, s_b, precision)


def one_experiment(n_a: float, s_a: float, n_b: float, s_b: float) -> Counts:
    return Counts(np.array([n_a]), np.array([s_a]), np.array([n_b]), np.array([s_b]))


@pytest.mark.parametrize("precision", [0, 1, 16])
@pytest.mark.parametrize("log_lift", [0.0, -0.3, 1.1])
def test_it_agrees_with_the_package(log_lift: float, precision: int) -> None:
    """The evidence of random experiments agrees to 1e-6."""
    vector_mixture.check(random_counts(precision), log_lift, LIFT)


@pytest.mark.parametrize("precision", [0, 16])
@pytest.mark.parametrize("lift", [0.0, -0.1])
def test_a_lift_is_outside_where_the_interval_excludes_it(lift: float, precision: int) -> None:
    """The quick rule gives the same answer as the package's interval, in both directions."""
    counts = similar_counts(precision)
    found = vector_mixture.is_outside(counts, math.log1p(lift), LIFT, math.log(20))

    expected = []
    for n_a, s_a, n_b, s_b in zip(counts.n_a, counts.s_a, counts.n_b, counts.s_b, strict=True):
        arms = make_arm(n_a, s_a, precision), make_arm(n_b, s_b, precision)
        interval = lift_interval(*arms, LIFT, 0.05)
        low = -1.0 if interval.low is None else interval.low
        high = math.inf if interval.high is None else interval.high
        expected.append(not low <= lift <= high)
    assert 5 < sum(expected) < len(expected) - 5
    assert found.tolist() == expected


@pytest.mark.parametrize("precision", [0, 16])
def test_no_change_of_the_failures_is_no_lift(precision: int) -> None:
    """Against a change of 0, the evidence in failures is that in conversions."""
    counts = similar_counts(precision)

    in_failures = vector_mixture.log_failure_evidence(counts.failures, 0.0, LIFT)

    np.testing.assert_allclose(in_failures, vector_mixture.log_evidence(counts, 0.0, LIFT))


def test_the_evidence_in_failures_is_that_of_the_best_rates() -> None:
    """Found by trying all rates with 40% fewer failures, and with the variance of ln(1 - p)."""
    visitors, failures, ratio = (40_000, 9_000), (12_000, 1_500), 0.6
    g_a = np.linspace(0.2, 0.4, 200_001)
    deviance = np.zeros(g_a.shape)
    for n, f, g in zip(visitors, failures, (g_a, ratio * g_a), strict=True):
        deviance += 2 * (f * np.log(f / n / g) + (n - f) * np.log((n - f) / n / (1 - g)))
    fitted = [g_a[deviance.argmin()], ratio * g_a[deviance.argmin()]]
    pooled = sum(n * g for n, g in zip(visitors, fitted, strict=True)) / sum(visitors)
    variance = sum((1 - g) / (n * g) for n, g in zip(visitors, fitted, strict=True))
    variance *= (pooled / (1 - pooled)) ** 2
    scale = math.log1p(LIFT * sum(failures) / (sum(visitors) - sum(failures)))
    expected = log_mixture(float(deviance.min()), variance, scale)

    counts = one_experiment(40_000, 28_000, 9_000, 7_500)
    found = vector_mixture.log_failure_evidence(counts.failures, math.log(ratio), LIFT)

    assert float(found[0]) == pytest.approx(expected, rel=1e-3)


def test_a_log_lift_has_the_wanted_change_of_the_failures() -> None:
    """At its fitted rates, half of the failures remain."""
    counts = one_experiment(4000, 2800, 1000, 820)

    ratio = np.exp(vector_mixture.log_lift_of_failures(counts, -0.5))

    p = vector_mixture.fitted_rate(counts, ratio)
    np.testing.assert_allclose((1 - ratio * p) / (1 - p), 0.5)


def test_counters_of_more_shards_err_less() -> None:
    """Exact counts are returned as they are; the error of 16 shards is a quarter of that of one."""
    rng = np.random.default_rng(7)
    pool = Histories(rng, 60, 20_000)
    true = np.full((2000, 1), 16_000.0)

    one, sixteen = (np.std(pool.counted(rng, true, precision) / true) for precision in (1, 16))

    assert pool.counted(rng, true, 0) is true
    assert 0.0045 < one < 0.0075
    assert 3 < one / sixteen < 5


@pytest.mark.parametrize("precision", [0, 16])
def test_the_evidence_against_a_share_agrees(precision: int) -> None:
    """For three arms, one of them with a wrong share."""
    visitors = (8000, 1000, 1300)
    arms = [
        noisy(0, n, precision, w) if precision else exact(0, n, w)
        for n, w in zip(visitors, (8, 1, 1), strict=True)
    ]
    counts = [np.array([float(n)]) for n in visitors]
    for arm, (evidence, share) in enumerate(
        zip(check_shares(arms).evidence, (0.8, 0.1, 0.1), strict=True)
    ):
        found = vector_mixture.log_share_evidence(counts, arm, share, precision)
        assert math.isclose(float(found[0]), evidence, rel_tol=1e-9)
