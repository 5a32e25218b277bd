"""Forecasts agree with the interval that they forecast."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gimel.analysis.counts import Arm
from gimel.analysis.duration import decision_range
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
