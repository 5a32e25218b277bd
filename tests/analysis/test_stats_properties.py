"""Whatever an API could return, no figure raises or is NaN, swapping arms mirrors, and more data narrows."""

import dataclasses
import math
from collections.abc import Iterator

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gimel.analysis import stats
from gimel.analysis.counts import Arm, Count
from gimel.analysis.posterior import chances
from gimel.analysis.sample_size import sample_size
from gimel.analysis.verdict import verdict

numbers = st.one_of(
    st.integers(0, 3), st.integers(0, 5000), st.integers(0, 10**12), st.floats(0, 1e12)
)
parts = st.dictionaries(
    st.sampled_from(["1", "4", "16", "64", "256", "exact"]), numbers, max_size=3
)
counts = parts.map(Count.of)
arms = st.builds(
    Arm,
    st.sampled_from(["red", "blue", "green"]),
    counts,
    counts,
    st.one_of(st.just(1.0), st.floats(0, 10)),
)
many_arms = st.one_of(
    st.lists(arms, min_size=1, max_size=5), st.lists(arms, min_size=40, max_size=40)
)
confidences = st.sampled_from([0.5, 0.8, 0.95, 0.99, 0.999999])
sensible = st.tuples(
    st.integers(1, 10**9), st.floats(0.001, 0.999), st.sampled_from(["1", "16", "exact"])
)


def arm(visitors: float, rate: float, precision: str) -> Arm:
    return Arm("arm", Count.of({precision: visitors}), Count.of({precision: visitors * rate}))


def figures(value: object) -> Iterator[float]:
    """Return every number within a tree of dataclasses and tuples."""
    if isinstance(value, (int, float)):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from figures(item)
    elif dataclasses.is_dataclass(value):
        for item in dataclasses.fields(value):
            yield from figures(getattr(value, item.name))


@settings(deadline=None)  # forty arms on a busy machine
@given(many_arms, st.data(), confidences)
def test_no_counts_raise_or_give_nan(
    arms: list[Arm], data: st.DataObject, confidence: float
) -> None:
    """Every figure on any counts is finite, every probability is one, every interval holds its value."""
    control = data.draw(st.sampled_from(arms))
    compared = stats.compare(arms, control, confidence)
    rates = tuple(stats.rate(arm, confidence) for arm in arms)
    posterior = chances(arms, control)
    checked = stats.split(arms)
    said = verdict(arms, control, confidence)

    assert all(
        math.isfinite(number) for number in figures((compared, rates, posterior, checked, said))
    )
    for estimate in rates:
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    for each in compared:
        assert all(0 <= p <= 1 for p in (each.p, each.p_adjusted, each.anytime_p))
        for compared_by in (each.difference, each.anytime_difference, each.lift, each.anytime_lift):
            assert (
                compared_by is None
                or -1 <= compared_by.low <= compared_by.value <= compared_by.high
            )
    for chance in posterior:
        assert 0 <= chance.beats_control <= 1
        assert 0 <= chance.best <= 1
    assert math.isclose(sum(chance.best for chance in posterior), 1, abs_tol=1e-9)
    assert 0 <= checked.p <= 1
    assert said.sentence
    assert "nan" not in said.sentence


@settings(deadline=None)
@given(sensible, sensible, confidences)
def test_swapping_the_arms_mirrors(
    ours: tuple[int, float, str], theirs: tuple[int, float, str], confidence: float
) -> None:
    """What the arm is to the control, the control is to the arm the other way round."""
    first, second = arm(*ours), arm(*theirs)
    for function in (stats.difference, stats.anytime_difference):
        there, back = function(first, second, confidence), function(second, first, confidence)
        assert math.isclose(there.value, -back.value, rel_tol=1e-9, abs_tol=1e-12)
        assert math.isclose(there.low, -back.high, rel_tol=1e-9, abs_tol=1e-12)
        assert math.isclose(there.high, -back.low, rel_tol=1e-9, abs_tol=1e-12)
    for relative in (stats.lift, stats.anytime_lift):
        up, down = relative(first, second, confidence), relative(second, first, confidence)
        assert up is not None
        assert down is not None
        assert math.isclose(1 + up.low, 1 / (1 + down.high), rel_tol=1e-6, abs_tol=1e-9)
    assert math.isclose(stats.p_value(first, second), stats.p_value(second, first), rel_tol=1e-9)
    beats = (
        chances([first, second], second)[0].beats_control
        + chances([second, first], first)[0].beats_control
    )
    assert math.isclose(beats, 1, abs_tol=2e-5)


@given(sensible, sensible, st.integers(2, 100), confidences)
def test_more_data_narrows(
    ours: tuple[int, float, str], theirs: tuple[int, float, str], times: int, confidence: float
) -> None:
    """The same rates from more exactly counted visitors have narrower intervals."""
    assume(min(ours[0] * min(ours[1], 1 - ours[1]), theirs[0] * min(theirs[1], 1 - theirs[1])) > 1)
    less = (arm(*ours[:2], "exact"), arm(*theirs[:2], "exact"))
    more = (arm(ours[0] * times, ours[1], "exact"), arm(theirs[0] * times, theirs[1], "exact"))

    assert _width(stats.rate(more[0], confidence)) < _width(stats.rate(less[0], confidence))
    assert _width(stats.difference(*more, confidence)) < _width(stats.difference(*less, confidence))
    assert _width(stats.lift(*more, confidence)) < _width(stats.lift(*less, confidence))
    assert _width(stats.anytime_difference(*more, confidence)) <= _width(
        stats.anytime_difference(*less, confidence)
    )


def _width(estimate: stats.Estimate | None) -> float:
    assert estimate is not None
    return estimate.high - estimate.low


@given(sensible, st.sampled_from(["1", "4", "16", "64", "256"]))
def test_counting_noise_only_widens(exactly: tuple[int, float, str], precision: str) -> None:
    """An interval from noisy counts is never narrower than from exact ones, and higher precision comes closer to these."""
    visitors, rate, _ = exactly
    noisy, exact, finer = (
        arm(visitors, rate, kind) for kind in (precision, "exact", str(4 * int(precision)))
    )
    slack = 1e-12
    assert noisy.effective <= finer.effective + slack <= exact.effective * (1 + 1e-9) + slack
    if visitors * rate > 1:
        narrower = (
            _width(stats.lift(exact, exact)),
            _width(stats.lift(finer, finer)),
            _width(stats.lift(noisy, noisy)),
        )
        assert narrower[0] <= narrower[1] * (1 + 1e-9) <= narrower[2] * (1 + 2e-9)


@given(
    st.floats(1e-6, 1),
    st.floats(0.001, 5),
    confidences,
    st.sampled_from([0, 1, 16, 256]),
    st.integers(1, 40),
)
def test_sample_sizes_are_whole_or_out_of_reach(
    baseline: float, lift: float, confidence: float, precision: int, comparisons: int
) -> None:
    """A sample size is a number of visitors or None, and an anytime-valid one is no smaller than one for a single look."""
    found = sample_size(baseline, lift, confidence, 0.8, precision, comparisons)
    if found.fixed and found.fixed_exact:
        assert found.fixed >= found.fixed_exact * 0.999
    if found.anytime:
        assert found.fixed
        assert found.anytime >= found.fixed * 0.999
