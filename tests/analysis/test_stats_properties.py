"""Whatever an API could return, no figure raises or is NaN; swapping arms mirrors; data narrows."""

import dataclasses
import math
from collections.abc import Iterator

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gimel.analysis import stats
from gimel.analysis.comparison import Question, compare
from gimel.analysis.counts import Arm, Count
from gimel.analysis.posterior import chances
from gimel.analysis.shares import check_shares

numbers = st.one_of(
    st.integers(0, 3),
    st.integers(0, 5000),
    st.integers(0, 10**12),
    st.just(0.0) | st.floats(1e-3, 1e12),
)
parts = st.dictionaries(
    st.sampled_from(["1", "4", "16", "64", "256", "exact"]), numbers, max_size=3
)
counts = parts.map(Count.from_parts)
arms = st.builds(
    Arm,
    st.sampled_from(["red", "blue", "green"]),
    counts,
    counts,
    st.one_of(st.just(1.0), st.floats(0, 10)),
)
confidences = st.sampled_from([0.5, 0.8, 0.95, 0.99, 0.999999])
sensible = st.tuples(
    st.integers(1, 10**9), st.floats(0.001, 0.999), st.sampled_from(["1", "16", "exact"])
)


def arm(visitors: float, rate: float, precision: str) -> Arm:
    return Arm(
        "arm",
        Count.from_parts({precision: visitors}),
        Count.from_parts({precision: visitors * rate}),
    )


def numbers_in(value: object) -> Iterator[float]:
    """Yield every number within a tree of dataclasses and tuples."""
    if isinstance(value, (int, float)):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from numbers_in(item)
    elif dataclasses.is_dataclass(value):
        for item in dataclasses.fields(value):
            yield from numbers_in(getattr(value, item.name))


def assert_sensible(arms: list[Arm], control: Arm, confidence: float) -> None:
    """Check that figures are finite, probabilities are shares and intervals hold their value."""
    comparisons = compare(control, arms, Question(confidence))
    rates = tuple(stats.rate(arm, confidence) for arm in arms)
    posterior = chances(arms, control)
    split = check_shares(arms)

    assert all(
        math.isfinite(number) for number in numbers_in((comparisons, rates, posterior, split))
    )
    for rate in rates:
        assert 0 <= rate.low <= rate.value <= rate.high <= 1
    for details in (each.details for each in comparisons):
        assert 0 <= details.p <= details.p_adjusted <= 1
        for estimate in (details.difference, details.lift):
            assert estimate is None or -1 <= estimate.low <= estimate.value <= estimate.high
    assert all(0 <= p <= 1 for chance in posterior for p in (chance.beats_control, chance.best))
    assert math.isclose(sum(chance.best for chance in posterior), 1, abs_tol=1e-9)
    assert 0 <= split.p <= 1


@given(st.lists(arms, min_size=1, max_size=5), st.data(), confidences)
def test_no_counts_raise_or_give_nan(
    arms: list[Arm], data: st.DataObject, confidence: float
) -> None:
    """Every figure on any counts is finite and sensible."""
    assert_sensible(arms, data.draw(st.sampled_from(arms)), confidence)


@settings(max_examples=25)  # each takes the time of forty arms
@given(st.lists(arms, min_size=4, max_size=10), st.integers(0, 39), confidences)
def test_no_counts_of_forty_arms_raise_or_give_nan(
    arms: list[Arm], control: int, confidence: float
) -> None:
    """The same holds for as many variants as an experiment could have."""
    forty = [dataclasses.replace(arms[index % len(arms)]) for index in range(40)]
    assert_sensible(forty, forty[control], confidence)


@given(sensible, sensible, confidences)
def test_swapping_the_arms_mirrors_a_difference(
    ours: tuple[int, float, str], theirs: tuple[int, float, str], level: float
) -> None:
    """The difference and its interval change their sign."""
    first, second = arm(*ours), arm(*theirs)
    there, back = (
        stats.difference(first, second, level),
        stats.difference(second, first, level),
    )
    assert math.isclose(there.value, -back.value, rel_tol=1e-9, abs_tol=1e-12)
    assert math.isclose(there.low, -back.high, rel_tol=1e-9, abs_tol=1e-12)
    assert math.isclose(there.high, -back.low, rel_tol=1e-9, abs_tol=1e-12)


@given(sensible, sensible, confidences)
def test_swapping_the_arms_inverts_a_lift(
    ours: tuple[int, float, str], theirs: tuple[int, float, str], level: float
) -> None:
    """The ratio of the rates and the limits of its interval become their reciprocals."""
    first, second = arm(*ours), arm(*theirs)
    up, down = stats.lift(first, second, level), stats.lift(second, first, level)
    assert up is not None
    assert down is not None
    assert math.isclose(1 + up.value, 1 / (1 + down.value), rel_tol=1e-6, abs_tol=1e-9)
    assert math.isclose(1 + up.low, 1 / (1 + down.high), rel_tol=1e-6, abs_tol=1e-9)


@given(sensible, sensible)
def test_swapping_the_arms_keeps_the_p_value(
    ours: tuple[int, float, str], theirs: tuple[int, float, str]
) -> None:
    """The p-value is two-sided."""
    first, second = arm(*ours), arm(*theirs)
    assert math.isclose(stats.p_value(first, second), stats.p_value(second, first), rel_tol=1e-9)


@given(sensible, sensible)
def test_swapping_the_arms_swaps_the_chances(
    ours: tuple[int, float, str], theirs: tuple[int, float, str]
) -> None:
    """Either arm beats the other: the two probabilities add up to 1."""
    first, second = arm(*ours), arm(*theirs)
    there = chances([first, second], second)[0].beats_control
    back = chances([second, first], first)[0].beats_control
    assert math.isclose(there + back, 1, abs_tol=2e-5)


@given(sensible, sensible, st.integers(2, 100), confidences)
def test_more_data_narrows(
    ours: tuple[int, float, str], theirs: tuple[int, float, str], times: int, confidence: float
) -> None:
    """The same rates from more exactly counted visitors have narrower intervals."""
    assume(min(ours[0] * min(ours[1], 1 - ours[1]), theirs[0] * min(theirs[1], 1 - theirs[1])) > 1)
    less = (arm(*ours[:2], "exact"), arm(*theirs[:2], "exact"))
    more = (arm(ours[0] * times, ours[1], "exact"), arm(theirs[0] * times, theirs[1], "exact"))

    assert width(stats.rate(more[0], confidence)) < width(stats.rate(less[0], confidence))
    assert width(stats.difference(*more, confidence)) < width(stats.difference(*less, confidence))
    assert width(stats.lift(*more, confidence)) < width(stats.lift(*less, confidence))


def width(estimate: stats.Estimate | None) -> float:
    assert estimate is not None
    return estimate.high - estimate.low


@given(sensible, st.sampled_from(["1", "4", "16", "64", "256"]))
def test_counting_noise_only_widens(exactly: tuple[int, float, str], precision: str) -> None:
    """Noisy counts never have narrower intervals than exact ones; precision reduces the excess."""
    visitors, rate, _ = exactly
    noisy, exact, finer = (
        arm(visitors, rate, kind) for kind in (precision, "exact", str(4 * int(precision)))
    )
    slack = 1e-12
    assert noisy.effective_size <= finer.effective_size + slack
    assert finer.effective_size <= exact.effective_size * (1 + 1e-9) + slack
    if visitors * rate > 1:
        narrowest, narrower, widest = (
            width(stats.lift(each, each)) for each in (exact, finer, noisy)
        )
        assert narrowest <= narrower * (1 + 1e-9) <= widest * (1 + 2e-9)
