"""Where the parts of a plot are drawn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gimel.analysis.counts import Count, ExperimentCounts
from gimel.analysis.design import Design
from gimel.analysis.experiment import analyse
from gimel.analysis.goal import Goal
from gimel.report import plots
from gimel.report.plots import Plot
from tests.support.answers import analysed, row, two


def goal_of(item: dict[str, object], design: Design | None = None) -> Goal:
    return analysed(item, design).goals[0]


def lifts_of(
    item: dict[str, object], design: Design | None = None
) -> tuple[Plot, tuple[plots.Bar, ...]]:
    """Return the plot of the lifts, and its bars."""
    plot = plots.lifts(goal_of(item, design))
    assert plot is not None
    return plot, plot.bars


def test_a_rate_has_its_interval_and_label() -> None:
    """The higher rate lies further to the right; no interval reaches the edges."""
    blue, red = plots.rates(goal_of(two(red=(10_000, 700)))).bars

    assert (blue.label, red.label) == ("5.00% [4.59, 5.45]", "7.00% [6.52, 7.52]")
    assert blue.x is not None
    assert red.x is not None
    assert 10 < blue.low < blue.x < blue.high < red.low < red.x < red.high < 350


def test_the_mark_of_rates_is_the_controls_rate() -> None:
    """It is where the control's point is."""
    plot = plots.rates(goal_of(two()))

    assert plot.mark == plot.bars[0].x
    assert plot.mark_label == "control"


def test_the_control_is_named_as_such() -> None:
    """In its full name and in the description, which has every label."""
    plot = plots.rates(goal_of(two()))

    assert [bar.is_control for bar in plot.bars] == [True, False]
    assert plot.title == "Rate of buy"
    assert plot.description == "blue (control?): 5.00% [4.59, 5.45]; red: 5.20% [4.78, 5.65]."


@pytest.mark.parametrize(
    ("item", "design", "name"),
    [
        (two(), None, "blue (control?)"),
        (two(), Design(control="blue"), "blue (control)"),
        (row("e", {"a": (99, {"buy": 9}), "b": (99, {"buy": 9})}), None, "a (control)"),
        (row("e", {"control": (99, {"buy": 9}), "b": (99, {"buy": 9})}), None, "control"),
    ],
    ids=["a guess", "a design", "a usual name", "its own name"],
)
def test_a_guessed_control_is_marked(
    item: dict[str, object], design: Design | None, name: str
) -> None:
    """Beside its rate and below the zero of the lifts."""
    plot, _ = lifts_of(item, design)

    assert plots.rates(goal_of(item, design)).bars[0].full_name == name
    assert plot.mark_label == name


def test_a_variant_without_visitors_has_no_point() -> None:
    """Its label says why."""
    bar = plots.rates(goal_of(row("e", {"a": (100, {"buy": 5}), "b": (0, {})}))).bars[1]

    assert (bar.x, bar.label) == (None, "no visitors")


def test_a_lift_has_its_always_valid_interval() -> None:
    """The one of the verdict; the mark is zero, below all of a winner's interval."""
    plot, (bar,) = lifts_of(two(red=(10_000, 700)))

    assert (plot.title, plot.mark_label) == ("Lift of buy over blue", "blue (control?)")
    assert plot.description == "red: +40% (+17 to +68)."
    assert bar.x is not None
    assert plot.mark is not None
    assert 10 < plot.mark < bar.low < bar.x < bar.high < 350
    assert (bar.cut_low, bar.cut_high) == (False, False)


@pytest.mark.parametrize(
    ("blue", "red", "label", "cut"),
    [
        ((1000, 200), (1000, 0), "-100% (-96 or less)", (True, False)),
        ((1000, 2), (1000, 300), ">999% (>999)", (False, True)),
        ((20, 1), (20, 2), "+100% (unknown)", (True, True)),
    ],
    ids=["no lower end", "no upper end", "neither end"],
)
def test_an_open_interval_is_cut_off(
    blue: tuple[int, int], red: tuple[int, int], label: str, cut: tuple[bool, bool]
) -> None:
    """It reaches the edge of the plot on that side."""
    _, (bar,) = lifts_of(two(blue=blue, red=red))

    assert (bar.label, bar.cut_low, bar.cut_high) == (label, *cut)
    assert (bar.low == 10, bar.high == 350) == cut


def test_a_variant_without_visitors_has_no_lift() -> None:
    """Its label says why."""
    variants = {"a": (100, {"buy": 5}), "b": (100, {"buy": 6}), "c": (0, {})}

    _, (_, bar) = lifts_of(row("e", variants), Design(weights={"a": 1, "b": 1}))

    assert (bar.x, bar.label) == (None, "no visitors")


@pytest.mark.parametrize(
    "variants",
    [
        pytest.param({"a": (100, {"buy": 5})}, id="one variant"),
        pytest.param({"a": (100, {}), "b": (100, {"buy": 5})}, id="no conversions of the control"),
    ],
)
def test_without_a_lift_there_is_no_plot(
    variants: dict[str, tuple[int, dict[str, int]]],
) -> None:
    """There is nothing to draw."""
    assert plots.lifts(goal_of(row("e", variants))) is None


def test_an_interval_beyond_the_plot_is_cut_off() -> None:
    """A lift over very few conversions may reach hundreds of percent."""
    plot, (bar,) = lifts_of(two(blue=(5000, 25), red=(5000, 60)))

    assert bar.label == "+140% (+6.4 to +536)"
    assert (bar.cut_low, bar.cut_high) == (False, True)
    assert bar.high == 350
    assert plot.ticks[-1].label == "+400%"


def test_a_long_name_is_shortened_to_make_room_for_its_figures() -> None:
    """The full name is kept for the tooltip."""
    name = "n" * 100
    bar = plots.rates(goal_of(row("e", {name: (100, {"buy": 5})}))).bars[0]

    assert bar.full_name == name
    assert 15 <= len(bar.name) <= (326 - 6.6 * len(bar.label)) / 7.6


@pytest.mark.parametrize(
    ("blue", "red", "labels"),
    [
        ((10_000, 500), (10_000, 520), ["5.0%", "5.5%"]),
        ((10, 0), (10, 10), ["0%", "20%", "40%", "60%", "80%", "100%"]),
    ],
    ids=["close", "far"],
)
def test_ticks_are_round_values(
    blue: tuple[int, int], red: tuple[int, int], labels: list[str]
) -> None:
    """They have as many decimal places as their distance needs."""
    assert [tick.label for tick in plots.rates(goal_of(two(blue=blue, red=red))).ticks] == labels


def test_ticks_of_a_lift_have_a_sign() -> None:
    """Zero has none."""
    plot, _ = lifts_of(two())

    assert [tick.label for tick in plot.ticks] == ["-10%", "0%", "+10%", "+20%"]


counts = st.integers(0, 10**12) | st.floats(1e-3, 1e15)


@given(
    arms=st.lists(
        st.tuples(counts, counts, st.sampled_from(["1", "16", "exact"])), min_size=1, max_size=5
    ),
    name=st.text(max_size=200),
)
def test_any_counts_can_be_drawn(arms: list[tuple[float, float, str]], name: str) -> None:
    """Everything lies inside and in its order, with at least one label on the axis."""
    visitors = {
        f"{number}{name}": Count.from_parts({kind: seen})
        for number, (seen, _, kind) in enumerate(arms)
    }
    converted = {
        f"{number}{name}": Count.from_parts({kind: done})
        for number, (_, done, kind) in enumerate(arms)
    }
    (goal,) = analyse(ExperimentCounts("e", visitors, {"g": converted}), now=0).goals
    for plot in filter(None, [plots.rates(goal), plots.lifts(goal)]):
        assert_inside(plot)


def assert_inside(plot: Plot) -> None:
    assert 2 <= len(plot.ticks) <= 6
    assert plot.mark is None or 0 <= plot.mark <= plots.WIDTH
    for bar in plot.bars:
        if bar.x is not None:
            inside = [0, bar.low, bar.x, bar.high, plots.WIDTH]
            assert inside == sorted(inside)
