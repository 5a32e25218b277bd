"""The tables of an experiment as strings."""

from __future__ import annotations

import pytest

from gimel.analysis.design import Design
from gimel.report import tables
from gimel.report.tables import Table
from tests.support.answers import analysed, row, two

BUTTON = two("button", (20_034, 1001), (20_101, 1260))
UNSEEN = row("e", {"a": (1000, {"buy": 50}), "b": (1000, {"buy": 70}), "c": (0, {})})


def test_participants_have_their_counting_error_and_shares() -> None:
    """The expected share is that of the weights."""
    assert tables.participants(analysed(BUTTON)) == Table(
        "Visitors of each variant",
        ("variant", "visitors", "counting error", "share", "expected split"),
        (
            ("blue (control?)", "20,034", "±28", "49.9%", "50.0%"),
            ("red", "20,101", "±28", "50.1%", "50.0%"),
        ),
    )


@pytest.mark.parametrize(
    ("precision", "design", "cells"),
    [
        ("exact", None, ("1,000", "exact", "99.7%", "50.0%")),
        ("16", Design(weights={"b": 1}), ("1,000", "±1", "-", "-")),
    ],
    ids=["exact counts", "no weight"],
)
def test_participants_without_error_or_weight(
    precision: str, design: Design | None, cells: tuple[str, ...]
) -> None:
    """An exact count has no error, and a variant without weight no share."""
    item = row("e", {"a": (1000, {}), "b": (3, {})}, precision=precision)

    (first, _) = tables.participants(analysed(item, design)).rows

    assert first == ("a (control)", *cells)


def test_a_variant_without_visitors_has_no_counting_error() -> None:
    """Nothing was counted."""
    assert tables.participants(analysed(UNSEEN)).rows[2][:3] == ("c", "0", "-")


def test_one_variant_has_no_split() -> None:
    """A share of 100%, as expected, would look like a check that was passed."""
    table = tables.participants(analysed(row("e", {"a": (900, {"buy": 9})})))

    assert table.columns == ("variant", "visitors", "counting error")
    assert table.rows == (("a", "900", "±1"),)


def test_lifts_have_the_always_valid_interval() -> None:
    """Beside the counts and rates; the control is compared with nothing."""
    assert tables.lifts(analysed(BUTTON).goals[0]) == Table(
        "buy: lift over blue",
        ("variant", "visitors", "conversions", "rate, %", "lift, %", "95% interval"),
        (
            ("blue (control?)", "20,034", "1,001", "5.00", "-", "-"),
            ("red", "20,101", "1,260", "6.27", "+25", "+10 to +43"),
        ),
    )


def test_a_variant_without_visitors_has_no_lift() -> None:
    """It has dashes instead."""
    experiment = analysed(UNSEEN, Design(control="a", weights={"a": 1, "b": 1}))

    assert tables.lifts(experiment.goals[0]).rows[2] == ("c", "0", "0", "-", "-", "-")


@pytest.mark.parametrize(
    ("blue", "red", "cells"),
    [
        ((1000, 0), (1000, 50), ("-", "+472 or more")),
        ((1000, 200), (1000, 0), ("-100", "-96 or less")),
        ((20, 1), (20, 2), ("+100", "unknown")),
        ((1000, 0), (1000, 0), ("-", "unknown")),
    ],
    ids=["no upper end", "no lower end", "neither end", "no conversions"],
)
def test_an_open_interval_is_said_in_words(
    blue: tuple[int, int], red: tuple[int, int], cells: tuple[str, str]
) -> None:
    """As far as it is known."""
    (_, lifted) = tables.lifts(analysed(two(blue=blue, red=red)).goals[0]).rows

    assert lifted[-2:] == cells


@pytest.mark.parametrize(
    ("names", "control", "shown"),
    [
        (("red", "blue"), None, ["blue (control?)", "red"]),
        (("red", "blue"), "red", ["red (control)", "blue"]),
        (("red", "old"), None, ["old (control)", "red"]),
        (("red", "Control"), None, ["Control", "red"]),
        (("red",), None, ["red"]),
    ],
    ids=["a guess", "a choice", "by name", "named control", "alone"],
)
def test_the_control_is_marked_in_every_table(
    names: tuple[str, ...], control: str | None, shown: list[str]
) -> None:
    """With a question mark if it is only assumed. A single variant is the control of nothing."""
    experiment = analysed(row("e", {name: (100, {"buy": 9}) for name in names}), control=control)
    (goal,) = experiment.goals

    for table in (tables.participants(experiment), tables.lifts(goal), tables.rates(goal)):
        assert [cells[0] for cells in table.rows] == shown
    assert [cells[0] for cells in tables.comparisons(goal).rows] == shown[1:]


def test_rates_have_their_interval_and_the_chance_to_be_best() -> None:
    """All have as many decimal places as the narrowest interval needs."""
    assert tables.rates(analysed(BUTTON).goals[0]) == Table(
        "buy: rates, for one look",
        ("variant", "rate, %", "95% interval", "chance to be best"),
        (
            ("blue (control?)", "5.00", "4.70 to 5.31", "<0.1%"),
            ("red", "6.27", "5.94 to 6.61", ">99.9%"),
        ),
    )


def test_a_variant_without_visitors_has_no_rate() -> None:
    """It has dashes instead."""
    assert tables.rates(analysed(UNSEEN).goals[0]).rows[2] == ("c", "-", "-", "-")


def test_comparisons_have_the_figures_for_one_look() -> None:
    """The control is in the caption, not in a row."""
    assert tables.comparisons(analysed(BUTTON).goals[0]) == Table(
        "buy: comparison with blue, for one look",
        (
            "variant",
            "difference, percentage points",
            "lift, %",
            "p (Holm)",
            "chance to beat control",
        ),
        (("red", "+1.27 (+0.82 to +1.72)", "+25 (+16 to +36)", "<0.0001", ">99.9%"),),
    )


@pytest.mark.parametrize(
    ("variants", "cells"),
    [
        pytest.param(
            {"a": (1000, {"buy": 50}), "b": (0, {})}, ("-", "-", "-", "-"), id="no visitors"
        ),
        pytest.param(
            {"a": (0, {}), "b": (1000, {"buy": 50})}, ("-", "-", "-", "-"), id="no control"
        ),
        pytest.param(
            {"a": (1000, {}), "b": (1000, {"buy": 50})},
            ("+5.0 (+3.8 to +6.5)", "-", "<0.0001", ">99.9%"),
            id="a control without conversions",
        ),
    ],
)
def test_a_comparison_without_data_has_dashes(
    variants: dict[str, tuple[int, dict[str, int]]], cells: tuple[str, ...]
) -> None:
    """A lift needs conversions on both sides."""
    (comparison,) = tables.comparisons(analysed(row("e", variants)).goals[0]).rows

    assert comparison == ("b", *cells)


def test_a_goal_that_is_not_unique_is_shown_per_visitor() -> None:
    """Goals per visitor may exceed one."""
    goal = analysed(two(blue=(1040, 5010), red=(0, 0))).goals[0]

    assert tables.goals_per_visitor(goal) == Table(
        "Goals per visitor of buy",
        ("variant", "visitors", "goals", "goals per visitor"),
        (("blue (control?)", "1,040", "5,010", "4.82"), ("red", "0", "0", "-")),
    )


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("a", Table("t", ("b", "c"), (("2", "3"), ("5", "6")))),
        ("b", Table("t", ("a", "c"), (("1", "3"), ("4", "6")))),
        ("c", Table("t", ("a", "b"), (("1", "2"), ("4", "5")))),
    ],
)
def test_a_column_is_dropped_with_its_cells(column: str, expected: Table) -> None:
    """The other columns keep theirs."""
    table = Table("t", ("a", "b", "c"), (("1", "2", "3"), ("4", "5", "6")))
    assert table.drop(column) == expected


def test_names_in_tables_cannot_affect_their_surroundings() -> None:
    """Rows and captions have escapes instead of control characters."""
    experiment = analysed(row("e", {"\x07": (9, {"\x08": 1}), "z": (9, {})}, ("\x08",)))

    table = tables.comparisons(experiment.goals[0])

    assert table.caption == "\\u0008: comparison with \\u0007, for one look"
    assert tables.lifts(experiment.goals[0]).caption == "\\u0008: lift over \\u0007"
    assert tables.participants(experiment).rows[0][0] == "\\u0007 (control?)"


def test_units_move_from_headers_to_cells() -> None:
    """Only percentages have one; a dash has none."""
    table = tables.lifts(analysed(BUTTON).goals[0]).drop("visitors").with_units()

    assert table.columns == ("variant", "conversions", "rate", "lift", "95% interval")
    assert table.rows == (
        ("blue (control?)", "1,001", "5.00%", "-", "-"),
        ("red", "1,260", "6.27%", "+25%", "+10% to +43%"),
    )
