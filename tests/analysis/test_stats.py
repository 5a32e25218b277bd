"""On exact counts estimates, intervals and tests are the textbook's; noise widens intervals.

The tests that use statsmodels import it: that takes seconds in each worker of pytest.
"""

import itertools
import math

import pytest

from gimel.analysis import stats
from tests.support.arms import close, exact, noisy

ARMS = [
    (0, 1),
    (1, 1),
    (0, 50),
    (1, 40),
    (3, 7),
    (5, 100),
    (50, 50),
    (480, 10_000),
    (530, 10_000),
    (1200, 2000),
    (31_000, 10**6),
    (10**9 + 7, 10**12),
]
PAIRS = list(itertools.permutations(ARMS, 2))
CONFIDENCES = [0.5, 0.9, 0.95, 0.999]


def is_strictly_between(conversions: int, visitors: int) -> bool:
    return 0 < conversions < visitors


@pytest.mark.parametrize("confidence", CONFIDENCES)
@pytest.mark.parametrize(("conversions", "visitors"), ARMS)
def test_a_rate_has_the_wilson_interval(conversions: int, visitors: int, confidence: float) -> None:
    """An exact rate has statsmodels' Wilson interval."""
    from statsmodels.stats.proportion import proportion_confint

    found = stats.rate(exact(conversions, visitors), confidence)

    expected = proportion_confint(conversions, visitors, alpha=1 - confidence, method="wilson")
    assert (found.low, found.high) == (close(expected[0]), close(expected[1]))


@pytest.mark.parametrize("confidence", CONFIDENCES)
def test_a_difference_has_newcombes_interval(confidence: float) -> None:
    """An exact difference has statsmodels' Newcombe interval, for every pair of arms."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    for (s, n), (t, m) in PAIRS:
        found = stats.difference(exact(s, n), exact(t, m), confidence)

        low, high = confint_proportions_2indep(
            s, n, t, m, method="newcomb", compare="diff", alpha=1 - confidence
        )
        assert found.value == close(s / n - t / m)
        assert (found.low, found.high) == (close(low), close(high)), ((s, n), (t, m))


@pytest.mark.parametrize("confidence", CONFIDENCES)
def test_a_lift_has_katzs_interval(confidence: float) -> None:
    """An exact lift has statsmodels' log-ratio interval minus one, for every pair of arms."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    for (s, n), (t, m) in PAIRS:
        if not is_strictly_between(s, n) or not is_strictly_between(t, m):
            continue
        found = stats.lift(exact(s, n), exact(t, m), confidence)

        low, high = confint_proportions_2indep(
            s, n, t, m, method="log", compare="ratio", alpha=1 - confidence
        )
        assert found is not None
        assert found.value + 1 == close(s / n / (t / m))
        assert (found.low + 1, found.high + 1) == (close(low), close(high)), ((s, n), (t, m))


@pytest.mark.parametrize(
    ("ours", "theirs"), [((0, 10), (3, 10)), ((3, 10), (0, 10)), ((0, 0), (3, 10))]
)
def test_there_is_no_lift_without_conversions(
    ours: tuple[int, int], theirs: tuple[int, int]
) -> None:
    """A relative lift needs conversions in both arms."""
    assert stats.lift(exact(*ours), exact(*theirs)) is None


def test_the_p_value_is_the_pooled_z_tests() -> None:
    """The p-value of exact counts is statsmodels' two-proportion z-test, for every pair of arms."""
    from statsmodels.stats.proportion import proportions_ztest

    for (s, n), (t, m) in PAIRS:
        if is_strictly_between(s + t, n + m):
            found = stats.p_value(exact(s, n), exact(t, m))

            assert found == close(proportions_ztest([s, t], [n, m])[1]), ((s, n), (t, m))


@pytest.mark.parametrize(
    "p_values",
    [
        [],
        [0.03],
        [0.01, 0.04, 0.03],
        [0.5, 0.5, 0.001, 0.9],
        [0.02] * 5,
        [i / 400 for i in range(1, 40)],
    ],
    ids=len,
)
def test_p_values_are_adjusted_by_holms_method(p_values: list[float]) -> None:
    """The p-values of several variants are adjusted as statsmodels does."""
    from statsmodels.stats.multitest import multipletests

    expected = multipletests(p_values, method="holm")[1] if p_values else []
    assert stats.holm(p_values) == close(tuple(expected))


@pytest.mark.parametrize("precision", [1, 16])
@pytest.mark.parametrize("p", [0.01, 0.05, 0.5, 0.9])
def test_noise_widens_an_interval_like_fewer_visitors(p: float, precision: int) -> None:
    """The interval of a rate is about that of `effective_size` exactly counted visitors."""
    arm = noisy(p * 500_000, 500_000, precision)

    found = stats.rate(arm)
    expected = stats.rate(exact(p * arm.effective_size, arm.effective_size))

    assert found.high - found.low == pytest.approx(expected.high - expected.low, rel=0.02)


def test_noise_at_a_rate_of_one_costs_its_own_size() -> None:
    """Near 100% the interval is as wide as counting noise is, about 2% here, and no wider."""
    found = stats.rate(noisy(10**7, 10**7))

    assert found.low == pytest.approx(1 - 1.96 * math.sqrt(2 * 1.08 / 16384), abs=1e-3)
    assert found.high == 1
