"""Plans have the power they promise, by both methods, and agree with the textbook.

The tests that use statsmodels import it: that takes seconds in each worker of pytest.
"""

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gimel.analysis.counts import EXACT
from gimel.analysis.mixture import log_evidence
from gimel.analysis.sample_size import (
    Method,
    PlannedComparison,
    always_valid,
    detectable_lift,
    fixed_horizon,
    lifted,
    possible_lifts,
    visitors_needed,
)
from tests.support.arms import exact

TEXTBOOK = [(0.05, 0.1), (0.01, 0.2), (0.3, 0.05), (0.5, -0.1), (0.9, 0.1), (0.9, -0.5)]
both_methods = pytest.mark.parametrize("method", [always_valid, fixed_horizon])


@pytest.mark.parametrize(
    ("rate", "lift", "result"),
    [(0.05, 0.1, 0.055), (0.05, -0.1, 0.045), (0.9, 0.1, 0.91), (0.9, -0.1, 0.89), (0.4, 2, 1)],
)
def test_a_lift_above_one_half_is_one_of_the_failures(
    rate: float, lift: float, result: float
) -> None:
    """A lift improves the rate by so much of the conversions, or reduces failures by so much."""
    assert lifted(rate, lift) == pytest.approx(result)


@pytest.mark.parametrize("rate", [0.05, 0.5, 0.6, 0.99])
def test_the_possible_lifts_lead_to_none_or_all(rate: float) -> None:
    """The least one to a rate of 0, the largest one to a rate of 1."""
    assert [lifted(rate, lift) for lift in possible_lifts(rate)] == pytest.approx([0, 1])


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 3])
@pytest.mark.parametrize(("rate", "lift"), TEXTBOOK)
def test_the_fixed_size_without_noise_is_the_textbooks(
    rate: float, lift: float, alpha: float
) -> None:
    """To the visitor, for two normal rates whose variances are those of the alternative."""
    from statsmodels.stats.power import normal_sample_size_one_tail

    found = visitors_needed(fixed_horizon, PlannedComparison(rate, alpha, precision=EXACT), lift)
    other = lifted(rate, lift)
    deviation = math.sqrt(rate * (1 - rate) + other * (1 - other))
    per_arm = normal_sample_size_one_tail(abs(other - rate), 0.8, alpha / 2, deviation, deviation)
    assert found == math.ceil(2 * per_arm)


@pytest.mark.parametrize(("rate", "lift"), TEXTBOOK)
def test_the_fixed_size_has_its_power_in_the_test_of_two_proportions(
    rate: float, lift: float
) -> None:
    """Its variance under the null hypothesis is pooled, which makes little difference."""
    from statsmodels.stats.proportion import power_proportions_2indep

    found = visitors_needed(fixed_horizon, PlannedComparison(rate, precision=EXACT), lift)
    assert found is not None
    power = power_proportions_2indep(
        lifted(rate, lift) - rate, rate, found / 2, alpha=0.05, return_results=False
    )
    assert power == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("visitors", [3_000, 70_000, 10**7])
@pytest.mark.parametrize("rate", [0.05, 0.3, 0.9])
def test_the_fixed_lift_without_noise_has_its_power(rate: float, visitors: int) -> None:
    """Statsmodels says that the smallest lift is detected with 80%."""
    from statsmodels.stats.power import normal_power_het

    lift = detectable_lift(fixed_horizon, PlannedComparison(rate, precision=EXACT), visitors)
    assert lift is not None
    other = lifted(rate, lift)
    deviation = math.sqrt(rate * (1 - rate) + other * (1 - other))
    power = normal_power_het(other - rate, visitors / 2, 0.025, deviation, alternative="larger")
    assert power == pytest.approx(0.8, abs=1e-5)


@both_methods
@pytest.mark.parametrize("precision", [EXACT, 16, 256])
@pytest.mark.parametrize(("rate", "lift"), [(0.05, 0.2), (0.9, 0.3), (0.5, 0.1)])
def test_the_detectable_lift_inverts_the_plan(
    rate: float, lift: float, precision: int, method: Method
) -> None:
    """Lift to visitors to lift; and these visitors are the fewest for that smallest lift."""
    comparison = PlannedComparison(rate, precision=precision)
    visitors = visitors_needed(method, comparison, lift)
    assert visitors is not None
    found = detectable_lift(method, comparison, visitors)
    assert found == pytest.approx(lift, rel=1e-3)
    assert found is not None
    assert visitors_needed(method, comparison, found) == pytest.approx(visitors, abs=1)


@pytest.mark.parametrize("share", [0.5, 0.1])
@pytest.mark.parametrize(("rate", "lift"), [(0.05, 0.5), (0.3, 0.2), (0.9, 0.25)])
def test_a_plan_has_its_power(rate: float, lift: float, share: float) -> None:
    """With 30 looks, 80% of 400 simulated experiments detect the lift, to 3.3 standard errors."""
    comparison = PlannedComparison(rate, precision=EXACT, share=share)
    planned = visitors_needed(always_valid, comparison, lift)
    assert planned is not None
    rng, detected = random.Random(f"{rate} {lift} {share}"), 0
    for _ in range(400):
        detected += detects(rng, planned, rate, lift, share)
    assert detected / 400 == pytest.approx(0.8, abs=3.3 * math.sqrt(0.8 * 0.2 / 400))


def detects(
    rng: random.Random, planned: int, rate: float, lift: float, share: float, looks: int = 30
) -> bool:
    """Simulate one experiment by normal draws of its conversions, and look at it every day."""
    seen, converted = [0.0, 0.0], [0.0, 0.0]
    for _ in range(looks):
        for arm, (size, p) in enumerate(((1 - share, rate), (share, lifted(rate, lift)))):
            daily = planned * size / looks
            drawn = rng.gauss(daily * p, math.sqrt(daily * p * (1 - p)))
            seen[arm] += daily
            converted[arm] = min(max(0.0, converted[arm] + drawn), seen[arm])
        control, variant = exact(converted[0], seen[0]), exact(converted[1], seen[1])
        if log_evidence(control, variant, 0.0, lift) > math.log(20):
            return True
    return False


def test_a_plan_counts_on_daily_looks() -> None:
    """1.8 times the fixed sample of 62,461, by which 81% of 5,000 simulated experiments decide."""
    comparison = PlannedComparison(0.05, precision=EXACT)
    assert visitors_needed(always_valid, comparison, 0.1) == pytest.approx(113_936, rel=1e-3)
    assert visitors_needed(fixed_horizon, comparison, 0.1) == pytest.approx(62_461, abs=1)


@both_methods
def test_noise_needs_more_visitors_at_a_lower_precision(method: Method) -> None:
    """Counting noise enlarges the plan, at precision 16 less than a tenth as much as at 1."""
    exactly, fine, coarse = (
        visitors_needed(method, PlannedComparison(0.05, precision=precision), 0.1)
        for precision in (EXACT, 16, 1)
    )
    assert exactly is not None
    assert fine is not None
    assert coarse is not None
    assert coarse - exactly > 10 * (fine - exactly) > 0


@both_methods
def test_a_lift_that_counting_hides_has_no_plan(method: Method) -> None:
    """At precision 1 no number of visitors detects a 2% lift of a 50% rate; at 256 one does."""
    assert visitors_needed(method, PlannedComparison(0.5, precision=1), 0.02) is None
    assert visitors_needed(method, PlannedComparison(0.5, precision=256), 0.02) is not None
    found = detectable_lift(method, PlannedComparison(0.5, precision=1), 1e9)
    assert found == pytest.approx(0.06, abs=0.03)


@given(
    st.floats(1e-6, 1 - 1e-6),
    st.floats(0.001, 0.5),
    st.booleans(),
    st.sampled_from([0.5, 0.05, 0.05 / 39]),
    st.sampled_from([0.5, 0.8, 0.95]),
    st.sampled_from([EXACT, 1, 16, 256]),
)
def test_daily_looks_and_noise_never_need_fewer_visitors(
    rate: float, part: float, drop: bool, alpha: float, power: float, precision: int
) -> None:
    """Daily looks need no fewer than one look, nor does counting with noise; nothing raises.

    With fewer than 100 visitors the two normal approximations differ by more than the looks.
    """
    least, most = possible_lifts(rate)
    lift = max(-part, least) if drop else min(part, most)
    comparison = PlannedComparison(rate, alpha, power, precision)
    once, daily = (
        visitors_needed(each, comparison, lift) for each in (fixed_horizon, always_valid)
    )
    exactly = visitors_needed(fixed_horizon, replace(comparison, precision=EXACT), lift)
    if once is not None:
        assert exactly is not None
        assert once >= exactly
    if daily is not None and daily > 100:
        assert once is not None
        assert daily >= once


@both_methods
@given(
    rate=st.floats(1e-6, 1 - 1e-6),
    visitors=st.floats(0, 1e12),
    precision=st.sampled_from([EXACT, 1, 16, 256]),
)
def test_no_number_of_visitors_raises(
    rate: float, visitors: float, precision: int, method: Method
) -> None:
    """They detect a lift that is possible, or none."""
    found = detectable_lift(method, PlannedComparison(rate, precision=precision), visitors)
    assert found is None or 0 < found <= possible_lifts(rate)[1]
