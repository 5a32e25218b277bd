"""The deviance mixture agrees with an independent implementation, and holds for any counts."""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import scipy
from hypothesis import assume, example, given
from hypothesis import strategies as st

from gimel.analysis import mixture
from gimel.analysis.counts import Arm, Count
from gimel.analysis.mixture import (
    Lift,
    Pair,
    lift_interval,
    log_evidence,
    log_mixture,
)
from tests.support.arms import exact, noisy

REFERENCE = json.loads(Path(__file__).with_name("verdict_reference.json").read_text("utf-8"))

numbers = st.one_of(
    st.integers(0, 3), st.integers(0, 5000), st.integers(0, 10**12), st.floats(1e-3, 1e12)
)
counts = st.dictionaries(st.sampled_from(["1", "16", "256", "exact"]), numbers, max_size=2).map(
    Count.from_parts
)
arms = st.builds(Arm, st.just("arm"), counts, counts, st.one_of(st.just(1.0), st.floats(0, 10)))
sensible = st.builds(
    lambda visitors, rate, precision: Arm(
        "arm",
        Count.from_parts({precision: visitors}),
        Count.from_parts({precision: visitors * rate}),
    ),
    st.integers(1, 10**9),
    st.floats(0, 1),
    st.sampled_from(["1", "16", "exact"]),
)
alphas = st.sampled_from([0.5, 0.05, 0.05 / 4, 1e-6])
lifts = st.sampled_from([0.01, 0.05, 0.1, 0.3, 1.0])


def reference_arm(case: dict[str, Any], which: str) -> Arm:
    kind = str(case["precision"])
    side = case[which]
    return Arm(
        which,
        Count.from_parts({kind: side["trials"]}),
        Count.from_parts({kind: side["successes"]}),
    )


def name(case: dict[str, Any]) -> str:
    sides = (case["control"], case["variant"])
    return "-".join(f"{side['successes']}of{side['trials']}" for side in sides)


def ends(interval: Lift) -> tuple[float, float]:
    """The ends as numbers; an open one is beyond any other."""
    return (
        -1.0 if interval.low is None else interval.low,
        math.inf if interval.high is None else interval.high,
    )


@pytest.mark.parametrize("case", REFERENCE["cases"], ids=name)
def test_it_agrees_with_the_independent_implementation(case: dict[str, Any]) -> None:
    """Evidence and interval are those of the reference file to 1e-6, open sides included."""
    control, variant = (reference_arm(case, which) for which in ("control", "variant"))

    at_zero = log_evidence(control, variant, 0.0, case["lift"])
    found = lift_interval(control, variant, case["lift"], case["alpha"])

    assert at_zero == pytest.approx(case["log_e_at_zero"], abs=1e-6)
    for end, expected in zip((found.low, found.high), case["interval"], strict=True):
        assert end == (None if expected is None else pytest.approx(expected, abs=1e-6))


@pytest.mark.parametrize("log_lift", [-0.5, -0.01, 0.0, 0.02, 0.4])
def test_the_deviance_is_that_of_the_likelihoods(log_lift: float) -> None:
    """It is twice the log-likelihood ratio, here with the best rates found by search."""
    found = Pair.of(exact(90, 1000), exact(31, 250), 0.1).deviance(log_lift)

    def likelihood(p: float, q: float) -> float:
        return 90 * math.log(p) + 910 * math.log(1 - p) + 31 * math.log(q) + 219 * math.log(1 - q)

    rates = (step / 20_000 for step in range(200, 6000))
    best = max(likelihood(p, p * math.exp(log_lift)) for p in rates)
    assert found == pytest.approx(2 * (likelihood(0.09, 31 / 250) - best), abs=1e-4)


@pytest.mark.parametrize("scale", [0.05, 0.2])
def test_the_mixture_is_a_mean_of_likelihood_ratios(scale: float) -> None:
    """E averages the likelihood ratio over normal effects of both scales, weighted 0.8 and 0.2."""
    z, variance = 3.0, 0.01

    def e(tau: float) -> float:
        spread = scipy.stats.norm(0, math.sqrt(variance + tau * tau))
        still = scipy.stats.norm(0, math.sqrt(variance))
        return float(spread.pdf(z * math.sqrt(variance)) / still.pdf(z * math.sqrt(variance)))

    expected = 0.8 * e(scale) + 0.2 * e(0.5)
    assert math.exp(log_mixture(z * z, variance, scale)) == pytest.approx(expected, rel=1e-12)


NOTHING = (None, None)


@pytest.mark.parametrize(
    ("control", "variant", "expected"),
    [
        pytest.param(exact(0, 0), exact(0, 0), NOTHING, id="no visitors"),
        pytest.param(exact(0, 0), exact(50, 100), NOTHING, id="no visitors in the control"),
        pytest.param(exact(50, 100), exact(0, 0), NOTHING, id="no visitors in the variant"),
        pytest.param(exact(0, 9000), exact(0, 9000), NOTHING, id="no conversions"),
        pytest.param(exact(1, 1), exact(1, 1), NOTHING, id="one visitor each"),
        pytest.param(exact(2, 2), exact(0, 2), NOTHING, id="two visitors each"),
        pytest.param(exact(1, 10), exact(9, 10), (-0.2267, None), id="a wide lift of few"),
        pytest.param(exact(0, 500), exact(60, 500), (6.112, None), id="none in the control"),
        pytest.param(exact(60, 500), exact(0, 500), (None, -0.8594), id="none in the variant"),
        pytest.param(exact(500, 500), exact(400, 500), (-0.2744, -0.1366), id="all in the control"),
        pytest.param(exact(900, 900), exact(900, 900), (-0.01055, 0.01066), id="all converted"),
        pytest.param(noisy(101, 100), noisy(103, 100), (-0.08044, 0.08748), id="goals > visitors"),
        pytest.param(
            exact(5e10, 1e12), exact(5.001e10, 1e12), (1.6878e-4, 2.3122e-4), id="huge counts"
        ),
    ],
)
def test_counts_at_the_edge(
    control: Arm, variant: Arm, expected: tuple[float | None, float | None]
) -> None:
    """The interval is open where nothing is known, and sensible where a rate is 0 or 1."""
    found = lift_interval(control, variant, 0.1, 0.05)
    for end, about in zip((found.low, found.high), expected, strict=True):
        assert end == (None if about is None else pytest.approx(about, rel=1e-3))


def test_a_split_of_99_to_1_is_no_winner_for_a_few_conversions() -> None:
    """40 of 41 beside 3,653 of 4,059 has a one-look p of 0.108: nothing is decided."""
    found = lift_interval(noisy(3653, 4059, 16), noisy(40, 41, 16), 0.05, 0.05)
    assert found.sign == 0


@given(arms, arms, alphas, lifts)
def test_no_counts_raise_or_give_nan(control: Arm, variant: Arm, alpha: float, lift: float) -> None:
    """Whatever was counted, evidence and interval are finite, and the interval is not empty."""
    for candidate in (-800.0, -1.0, 0.0, 1e-9, 3.0, 800.0):
        assert math.isfinite(log_evidence(control, variant, candidate, lift))
    low, high = ends(lift_interval(control, variant, lift, alpha))
    assert -1 <= low < high
    assert not math.isnan(low + high)


@given(sensible, sensible, alphas, lifts)
def test_the_interval_contains_the_estimates(
    control: Arm, variant: Arm, alpha: float, lift: float
) -> None:
    """Both the observed lift and the smoothed one that the search starts from."""
    low, high = ends(lift_interval(control, variant, lift, alpha))
    smoothed = math.expm1(Pair.of(control, variant, lift).log_lift)
    assert low <= smoothed <= high
    if control.rate and variant.rate:
        observed = variant.rate / control.rate - 1
        assert low - 1e-9 <= observed <= high * (1 + 1e-9) + 1e-9


@example(noisy(343_330, 406_910), exact(0.1, 2), 0.01)  # the evidence falls, then rises again
@given(sensible, sensible, lifts)
def test_less_alpha_widens(control: Arm, variant: Arm, lift: float) -> None:
    """The interval of a smaller alpha contains that of a larger one."""
    found = [
        ends(lift_interval(control, variant, lift, alpha)) for alpha in (0.2, 0.05, 0.01, 1e-4)
    ]
    for narrow, wide in pairwise(found):
        assert wide[0] <= narrow[0] + 1e-8
        assert narrow[1] <= wide[1] * (1 + 1e-8) + 1e-8


@given(sensible, sensible, alphas, lifts)
def test_swapping_the_arms_mirrors_the_interval(
    first: Arm, second: Arm, alpha: float, lift: float
) -> None:
    """1 + lift becomes its reciprocal, at both ends."""
    there = lift_interval(first, second, lift, alpha)
    back = lift_interval(second, first, lift, alpha)
    for ours, theirs in ((there.low, back.high), (there.high, back.low)):
        assert (ours is None) == (theirs is None)
        if ours is not None and theirs is not None:
            assert math.log1p(ours) == pytest.approx(-math.log1p(theirs), abs=1e-6, rel=1e-6)


@given(st.integers(100, 10**6), st.floats(0.02, 0.98), st.floats(0.8, 1.2), alphas, lifts)
def test_more_data_narrows(
    visitors: int, rate: float, ratio: float, alpha: float, lift: float
) -> None:
    """Ten times the visitors at the same rates have a narrower interval, once it has both ends."""
    assume(rate * ratio < 0.99)
    pairs = [
        (exact(rate * size, size), exact(rate * ratio * size, size))
        for size in (visitors, 10 * visitors)
    ]
    less, more = (ends(lift_interval(*pair, lift, alpha)) for pair in pairs)
    assume(more[0] > -1 and more[1] < math.inf)
    assert less[0] < more[0]
    assert more[1] < less[1]


@example(noisy(343_330, 406_910), exact(0.1, 2), 0.01)
@given(sensible, sensible, lifts)
def test_nothing_between_the_estimate_and_an_end_is_excluded(
    control: Arm, variant: Arm, lift: float
) -> None:
    """The end is the nearest excluded lift: a fine grid finds none closer."""
    pair = Pair.of(control, variant, lift)
    found = lift_interval(control, variant, lift, 0.05)
    for end, side in ((found.low, -1), (found.high, 1)):
        reach = 30.0 if end is None else abs(math.log1p(end) - pair.log_lift)
        grid = (pair.log_lift + side * reach * step / 100 for step in range(100))
        assert max(map(pair.log_evidence, grid)) <= math.log(20) + 1e-6
        if end is not None:
            beyond = pair.log_evidence(math.log1p(end) + side * 1e-8)
            assert beyond > math.log(20) - 1e-4


@given(sensible, sensible, st.sampled_from([0.0, -0.3, 0.7]), lifts)
def test_counting_noise_only_weakens_the_evidence_it_measures(
    control: Arm, variant: Arm, candidate: float, lift: float
) -> None:
    """For the same variance, more noise leaves less of the deviance."""
    pair = Pair.of(control, variant, lift)
    sampling = pair.sampling_variance(candidate)
    variance = sampling + pair.noise
    exactly = log_mixture(pair.deviance(candidate), variance, pair.near_scale)
    assert pair.log_evidence(candidate) <= exactly + 1e-9


def test_above_one_half_the_lift_worth_detecting_is_that_of_the_failures() -> None:
    """At 90%, 10% fewer failures are 1.1% more conversions; the scale is continuous at one half."""
    assert mixture.near_scale(0.9, 0.1) == pytest.approx(math.log(1 + 0.1 / 9))
    assert mixture.near_scale(0.3, 0.1) == pytest.approx(math.log(1.1))
    assert mixture.near_scale(0.5 + 1e-9, 0.1) == pytest.approx(math.log(1.1))


@pytest.mark.parametrize("distance", [1e-12, 1e-9, 1e-4, 3e-4, -3e-4])
def test_the_divergence_keeps_its_digits_for_close_rates(distance: float) -> None:
    """It is d^2 / (2 p (1 - p)) - d^3 (1 - 2 p) / (6 p^2 (1 - p)^2), to a millionth."""
    p = 0.25
    observed = p + distance
    exactly = observed - p
    square = exactly**2 / (2 * p * (1 - p))
    cube = exactly**3 * (1 - 2 * p) / (6 * p**2 * (1 - p) ** 2)
    assert mixture.divergence(observed, p) == pytest.approx(square - cube, rel=2e-6, abs=0)
