"""Where the parts of a strip are drawn."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gimel.analysis.counts import Count, ExperimentCounts
from gimel.analysis.design import Design
from gimel.analysis.experiment import Experiment, analyse
from gimel.analysis.mixture import Lift
from gimel.analysis.stats import Estimate
from gimel.report.plots import WIDTH, Axis, Strip, label_width, lift_axis, rate_axis
from gimel.report.views import experiment_view
from tests.support.answers import analysed, row, two

EDGE = 8.0
"""The units beside the axis."""


def strip_of(lift: Lift, *others: Lift) -> Strip:
    found = lift_axis([lift, *others]).strip(lift)
    assert found is not None
    return found


def words(axis: Axis) -> list[str]:
    return [label for _, label in axis.labels]


def lift_of(experiment: Experiment) -> Lift:
    return experiment.goals[0].case.comparisons[0].lift


def test_a_lift_is_drawn_beside_the_control() -> None:
    """The whole interval of a winner lies to the right of zero, and inside the axis."""
    strip = strip_of(Lift(0.4, 0.17, 0.68))

    assert EDGE < strip.mark < strip.low < strip.x < strip.high < WIDTH - EDGE
    assert (strip.cut_low, strip.cut_high) == (False, False)


@pytest.mark.parametrize(
    ("lift", "cut"),
    [
        (Lift(-1.0, None, -0.96), (True, False)),
        (Lift(4.0, 1.5, None), (False, True)),
        (Lift(1.0, None, None), (True, True)),
    ],
    ids=["no lower end", "no upper end", "neither end"],
)
def test_an_open_interval_is_cut_off(lift: Lift, cut: tuple[bool, bool]) -> None:
    """It reaches the edge of the axis on that side."""
    strip = strip_of(lift)

    assert (strip.cut_low, strip.cut_high) == cut
    assert (strip.low == EDGE, strip.high == WIDTH - EDGE) == cut


def test_an_interval_far_beyond_the_others_is_cut_off() -> None:
    """A lift over very few conversions would make all others unreadable."""
    strip = strip_of(Lift(0.4, -0.5, 5.36), Lift(0.1, 0.05, 0.15))

    assert (strip.cut_low, strip.cut_high) == (False, True)
    assert strip.high == WIDTH - EDGE
    assert words(lift_axis([Lift(0.4, -0.5, 5.36)]))[-1] == "+100%"


def test_a_large_lift_is_inside() -> None:
    """However far its interval reaches beyond 100%."""
    strip = strip_of(Lift(30.0, 12.0, 95.0))

    assert strip.low < strip.x < strip.high
    assert strip.cut_high


def test_all_strips_share_an_axis() -> None:
    """The control is at one place, and the higher lift further to the right."""
    low, high = Lift(-0.2, -0.4, 0.1), Lift(0.3, 0.1, 0.5)
    first, second = strip_of(low, high), strip_of(high, low)

    assert first.mark == second.mark
    assert first.x < second.x


def test_a_lift_that_is_unknown_is_not_drawn() -> None:
    """It has no place, and the axis is that of the others."""
    unknown, known = Lift(None, None, None), Lift(0.1, 0.05, 0.15)

    assert lift_axis([known, unknown]).strip(unknown) is None
    assert lift_axis([known, unknown]) == lift_axis([known])


@pytest.mark.parametrize(
    ("axis", "labels"),
    [
        (lift_axis([Lift(0.0, -0.1, 0.1)]), ["\u221210%", "0%", "+10%"]),
        (lift_axis([Lift(0.05, -0.02, 0.12)]), ["0%", "+12%"]),
        (lift_axis([]), ["\u22120.5%", "0%", "+0.5%"]),
        (rate_axis([Estimate(0.05, 0.046, 0.054)], 0.05), ["4.6%", "5.4%"]),
        (rate_axis([Estimate(0.5, 0.3, 0.7)], 0.5), ["30%", "70%"]),
        (rate_axis([Estimate(0.0, 0.0, 0.1)], 0.0), ["0%", "10%"]),
        (rate_axis([], 0.0), ["0%", "100%"]),
    ],
    ids=["a lift", "the control near an end", "no lift", "close", "rates", "a rate of 0", "none"],
)
def test_the_axis_names_round_values(axis: Axis, labels: list[str]) -> None:
    """In percent, each where it is; only changes have a sign, and all give way to the control."""
    assert words(axis) == labels
    for x, label in axis.labels:
        value = float(label.replace("\u2212", "-").rstrip("%")) / 100
        assert x == axis.position(value)


def test_the_axis_of_rates_ends_at_what_is_possible() -> None:
    """There is no rate below 0% or above 100%."""
    axis = rate_axis([Estimate(0.0, 0.0, 0.2), Estimate(1.0, 0.8, 1.0)], 0.0)

    assert (axis.low, axis.high) == (0.0, 1.0)


def test_the_control_is_drawn_where_its_rate_is() -> None:
    """Below its own point, and at zero for the lifts."""
    (goal,) = experiment_view(analysed(two(red=(10_000, 700))), 0).goals
    rates, lifts = goal.details[0], goal.table

    blue, red = rates.strips
    assert blue is not None
    assert red is not None
    assert blue.x == blue.mark == red.mark
    assert blue.high < red.low
    assert lifts.strips[0] is None
    assert lifts.axis is not None
    assert lifts.strips[1] == lifts.axis.strip(lift_of(analysed(two(red=(10_000, 700)))))


def test_a_variant_without_visitors_is_not_drawn() -> None:
    """Neither its rate nor its lift."""
    item = row("e", {"a": (100, {"buy": 5}), "b": (100, {"buy": 6}), "c": (0, {})})
    (goal,) = experiment_view(analysed(item, Design(weights={"a": 1, "b": 1})), 0).goals

    assert [strip is None for strip in goal.details[0].strips] == [False, False, True]
    assert [strip is None for strip in goal.table.strips] == [True, False, True]


@pytest.mark.parametrize(
    "variants",
    [
        pytest.param({"a": (100, {"buy": 5})}, id="one variant"),
        pytest.param({"a": (100, {}), "b": (100, {"buy": 5})}, id="no conversions of the control"),
    ],
)
def test_without_a_lift_there_is_no_strip(variants: dict[str, tuple[int, dict[str, int]]]) -> None:
    """Neither in the goal's row nor in the banner or the table."""
    view = experiment_view(analysed(row("e", variants)), 0)

    assert view.banner.lift.strip is None
    assert view.goals[0].lift.strip is None
    assert set(view.goals[0].table.strips) <= {None}


counts = st.integers(0, 10**12) | st.floats(1e-3, 1e15)


@given(
    arms=st.lists(
        st.tuples(counts, counts, st.sampled_from(["1", "16", "exact"])), min_size=1, max_size=5
    ),
)
def test_any_counts_can_be_drawn(arms: list[tuple[float, float, str]]) -> None:
    """Everything lies inside and in its order, and no label of the axis overlaps another."""
    visitors = {
        f"{number}": Count.from_parts({kind: seen}) for number, (seen, _, kind) in enumerate(arms)
    }
    converted = {
        f"{number}": Count.from_parts({kind: done}) for number, (_, done, kind) in enumerate(arms)
    }
    view = experiment_view(analyse(ExperimentCounts("e", visitors, {"g": converted}), now=0), 0)

    assert_readable(view.axis)
    assert_inside(view.banner.lift.strip)
    for goal in view.goals:
        assert_inside(goal.lift.strip)
        for table in (goal.table, *goal.details):
            if table.axis:
                assert len(table.strips) == len(table.table.rows)
                assert_readable(table.axis)
            for strip in table.strips:
                assert_inside(strip)


ends = st.none() | st.floats(-1, 1e18)


@given(lifts=st.lists(st.tuples(st.floats(-1, 1e18), ends, ends), max_size=4))
@example(lifts=[(5e-324, 0.0, 5e-324)])
def test_any_lifts_have_an_axis_that_can_be_read(
    lifts: list[tuple[float, float | None, float | None]],
) -> None:
    """From the smallest to an infinite one."""
    axis = lift_axis(
        Lift(
            value,
            None if low is None else min(low, value),
            None if high is None else max(high, value),
        )
        for value, low, high in lifts
    )

    assert_readable(axis)


def assert_readable(axis: Axis) -> None:
    spans = []
    for x, label in axis.labels:
        assert re.fullmatch(r"[+\u2212]?[\d,.]+(e\+\d+)?%", label)
        width = label_width(label)
        spans.append((x - width / 2, x + width / 2))
    flat = [end for span in spans for end in span]
    assert flat == sorted(flat)
    assert flat[0] >= -EDGE - 0.1
    assert flat[-1] <= WIDTH + EDGE + 0.1
    assert all(EDGE <= x <= WIDTH - EDGE for x, _ in axis.labels)


def assert_inside(strip: Strip | None) -> None:
    if strip:
        inside = [EDGE, strip.low, strip.x, strip.high, WIDTH - EDGE]
        assert inside == sorted(inside)
        assert EDGE <= strip.mark <= WIDTH - EDGE
