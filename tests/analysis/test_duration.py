"""Forecasts agree with the interval that they forecast, and plans have the power they promise."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gimel.analysis.counts import Arm
from gimel.analysis.duration import (
    decision_range,
    detectable_lift,
    lifted,
    planned_visitors,
)
from gimel.analysis.mixture import lift_interval, log_evidence
from tests.support.arms import exact, noisy

LEVEL = math.log(20)


def grown(arm: Arm, factor: float) -> Arm:
    return exact(arm.conversions.value * factor, arm.visitors.value * factor)


@pytest.mark.parametrize("share", [0.5, 0.1])
@pytest.mark.parametrize(("baseline", "lift"), [(0.05, 0.06), (0.3, -0.03), (0.9, 0.004)])
def test_without_an_error_of_the_estimate_the_decision_comes_when_forecast(
    baseline: float, lift: float, share: float
) -> None:
    """With the visitors of an effect that is exactly the observed one, 0 is about to be excluded.

    The observed lift lies between the two ends of the range, so the decision does.
    """
    size = 40_000
    control = exact(baseline * (1 - share) * size, (1 - share) * size)
    variant = exact(baseline * (1 + lift) * share * size, share * size)

    found = decision_range(control, variant, 0.1, 0.05)

    assert found.soonest is not None
    soonest = 1 + found.soonest / size
    assert log_evidence(grown(control, soonest), grown(variant, soonest), 0, 0.1) < LEVEL
    if found.latest is not None:
        latest = 1 + found.latest / size
        assert log_evidence(grown(control, latest), grown(variant, latest), 0, 0.1) > LEVEL


@pytest.mark.parametrize(("baseline", "bound"), [(0.05, 0.1), (0.4, 0.05), (0.95, 0.1 / 19)])
def test_a_lift_is_ruled_out_when_forecast(baseline: float, bound: float) -> None:
    """Then the interval around a lift of 0.4 standard errors just fits into the bounds.

    At 95% they are 10% of the failures.
    """
    control, lift = exact(baseline * 5000, 5000), 0.05 if bound == 0.05 else 0.1
    found = decision_range(control, control, lift, 0.05)

    assert found.rule_out is not None
    arm = grown(control, 1 + found.rule_out / 10_000)
    error = math.sqrt(2 * (1 - baseline) / (baseline * arm.visitors.value))
    higher = exact(arm.conversions.value * math.exp(0.4 * error), arm.visitors.value)
    interval = lift_interval(arm, higher, lift, 0.05)
    assert interval.high == pytest.approx(bound, rel=0.02)
    assert interval.low is not None
    assert -bound < interval.low < -0.7 * bound


def test_without_a_lift_one_standard_error_away_there_is_no_latest_decision() -> None:
    """Equal rates may take forever to tell apart, but could turn out different soon."""
    found = decision_range(exact(250, 5000), exact(252, 5000), 0.1, 0.05)
    assert found.latest is None
    assert found.soonest is not None


def test_a_decided_comparison_needs_no_more() -> None:
    """The soonest decision is now."""
    found = decision_range(exact(2000, 40_000), exact(2400, 40_000), 0.1, 0.05)
    assert (found.soonest, found.latest) == (0, 0)


def test_noise_that_hides_a_lift_never_ends() -> None:
    """At precision 1 the interval of a 50% rate never gets within 2%; with exact counts it does."""
    assert decision_range(noisy(5e4, 1e5), noisy(5e4, 1e5), 0.02, 0.05).rule_out is None
    assert decision_range(exact(5e4, 1e5), exact(5e4, 1e5), 0.02, 0.05).rule_out is not None


def test_without_visitors_nothing_is_forecast() -> None:
    """One arm without visitors is enough."""
    found = decision_range(exact(0, 0), exact(5, 50), 0.1, 0.05)
    assert (found.soonest, found.latest, found.rule_out) == (None, None, None)


@given(
    st.tuples(st.integers(0, 10**12), st.floats(0, 1)),
    st.tuples(st.integers(0, 10**12), st.floats(0, 1)),
    st.sampled_from([1, 16]),
    st.sampled_from([0.01, 0.1, 1.0]),
    st.sampled_from([0.05, 0.001]),
)
def test_no_counts_raise_or_give_nan(
    control: tuple[int, float],
    variant: tuple[int, float],
    precision: int,
    lift: float,
    alpha: float,
) -> None:
    """A forecast is a number of visitors or None, and the soonest one is not the later one."""
    first, second = (noisy(n * rate, n, precision) for n, rate in (control, variant))
    found = decision_range(first, second, lift, alpha)
    for visitors in (found.soonest, found.latest, found.rule_out):
        assert visitors is None or 0 <= visitors < math.inf
    if found.latest is not None:
        assert found.soonest is not None
        assert found.soonest <= found.latest * (1 + 1e-3) + 1e-6


@pytest.mark.parametrize(
    ("baseline", "lift", "rate"),
    [(0.05, 0.1, 0.055), (0.05, -0.1, 0.045), (0.9, 0.1, 0.91), (0.9, -0.1, 0.89), (0.4, 2, 1)],
)
def test_a_lift_above_one_half_is_one_of_the_failures(
    baseline: float, lift: float, rate: float
) -> None:
    """A lift improves the rate by so much of the conversions, or reduces failures by so much."""
    assert lifted(baseline, lift) == pytest.approx(rate)


@pytest.mark.parametrize("share", [0.5, 0.1])
@pytest.mark.parametrize(("baseline", "lift"), [(0.05, 0.5), (0.3, 0.2), (0.9, 0.25)])
def test_a_plan_has_its_power(baseline: float, lift: float, share: float) -> None:
    """With 30 looks, 80% of 400 simulated experiments detect the lift, to 3.3 standard errors."""
    planned = planned_visitors(baseline, lift, precision=0, share=share)
    assert planned is not None
    rng, detected = random.Random(f"{baseline} {lift} {share}"), 0
    for _ in range(400):
        detected += detects(rng, planned, baseline, lift, share)
    assert detected / 400 == pytest.approx(0.8, abs=3.3 * math.sqrt(0.8 * 0.2 / 400))


def detects(
    rng: random.Random, planned: int, baseline: float, lift: float, share: float, looks: int = 30
) -> bool:
    """Simulate one experiment by normal draws of its conversions, and look at it every day."""
    seen, converted = [0.0, 0.0], [0.0, 0.0]
    for _ in range(looks):
        for arm, (size, rate) in enumerate(
            ((1 - share, baseline), (share, lifted(baseline, lift)))
        ):
            daily = planned * size / looks
            drawn = rng.gauss(daily * rate, math.sqrt(daily * rate * (1 - rate)))
            seen[arm] += daily
            converted[arm] = min(max(0.0, converted[arm] + drawn), seen[arm])
        control, variant = exact(converted[0], seen[0]), exact(converted[1], seen[1])
        if log_evidence(control, variant, 0.0, lift) > LEVEL:
            return True
    return False


@pytest.mark.parametrize("precision", [0, 16, 256])
@pytest.mark.parametrize(("baseline", "lift"), [(0.05, 0.2), (0.9, 0.3), (0.5, 0.1)])
def test_the_detectable_lift_inverts_the_plan(baseline: float, lift: float, precision: int) -> None:
    """With the planned visitors, the smallest lift that is detected is the planned one."""
    planned = planned_visitors(baseline, lift, precision=precision)
    assert planned is not None
    found = detectable_lift(baseline, planned, precision=precision)
    assert found == pytest.approx(lift, rel=1e-3)


def test_noise_needs_more_visitors_at_a_lower_precision() -> None:
    """Counting noise enlarges the plan, and at precision 1 hides a lift of 2% of a rate of 50%."""
    found = [planned_visitors(0.05, 0.1, precision=precision) for precision in (0, 16, 1)]
    assert None not in found
    assert found == sorted(found, key=lambda visitors: visitors or 0)
    assert planned_visitors(0.5, 0.02, precision=1) is None
    assert detectable_lift(0.5, 1e9, precision=1) == pytest.approx(0.06, abs=0.03)


@given(st.floats(1e-4, 0.9999), st.floats(0.01, 3), st.sampled_from([0, 1, 16, 256]))
def test_no_plan_raises(baseline: float, lift: float, precision: int) -> None:
    """For any rate and lift there is a plan, or None."""
    planned = planned_visitors(baseline, lift, precision=precision)
    assert planned is None or planned > 0
    found = detectable_lift(baseline, 1000 * lift, precision=precision)
    assert found is None or 0 < found < math.inf


def test_a_plan_counts_on_daily_looks() -> None:
    """1.8 times the fixed sample of 62,461, by which 81% of 5,000 simulated experiments decide."""
    assert planned_visitors(0.05, 0.1, precision=0) == pytest.approx(113_936, rel=1e-3)
