"""The results as CSV: the figures of JSON in a table that survives any name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gimel.analysis.design import Design
from gimel.report import export
from tests.support.answers import analysed, row, two
from tests.support.exports import describe, read_csv

LIFT_COLUMNS = ("lift", "lift_low", "lift_high")

TWO_GOALS = row(
    "e", {"blue": (1000, {"a": 50, "b": 0}), "red": (1010, {"a": 60, "b": 50})}, ("a", "b")
)


def test_csv_has_a_row_per_variant_and_goal() -> None:
    """With the verdict on the goal."""
    rows = [(each["goal"], each["variant"], each["is_control"]) for each in read_csv(TWO_GOALS)]

    assert rows == [
        ("a", "blue", "true"),
        ("a", "red", "false"),
        ("b", "blue", "true"),
        ("b", "red", "false"),
    ]


@pytest.mark.parametrize(
    "column",
    ["visitors_error", "conversions_error", "per_visitor", "rate"],
)
def test_csv_has_the_numbers_of_json(column: str) -> None:
    """Read back, digit by digit; null is an empty cell."""
    described = [each for goal in describe(TWO_GOALS)["goals"] for each in goal["variants"]]
    read = [float(each[column]) if each[column] else None for each in read_csv(TWO_GOALS)]

    assert read == [variant[column] for variant in described]


def test_csv_has_the_lifts_of_json() -> None:
    """Each in three columns; an open end is an empty cell."""
    described = [each for goal in describe(TWO_GOALS)["goals"] for each in goal["variants"]]
    read = [
        [float(each[column]) if each[column] else None for column in LIFT_COLUMNS]
        for each in read_csv(TWO_GOALS)
    ]

    assert read == [
        list(variant["lift"].values()) if variant["lift"] else [None] * 3 for variant in described
    ]
    assert any(high is None and low is not None for _, low, high in read)


def test_csv_has_the_verdict_of_each_goal() -> None:
    """Its kind, its sentence and the role of the goal."""
    design = Design(goal="b", guardrails=("a",))
    described = describe(TWO_GOALS, design)["goals"]

    rows = [(each["goal"], each["role"], each["verdict"]) for each in read_csv(TWO_GOALS, design)]
    sentences = [each["sentence"] for each in read_csv(TWO_GOALS, design)]

    assert rows == [
        (goal["goal"], goal["role"], goal["verdict"]["kind"]) for goal in described for _ in "12"
    ]
    assert sentences == [goal["verdict"]["sentence"] for goal in described for _ in "12"]


@pytest.mark.parametrize(
    ("design", "guess"), [(None, "true"), (Design(control="blue"), "false")], ids=["none", "design"]
)
@pytest.mark.parametrize("goals", [("buy",), ()], ids=["a goal", "no goal"])
def test_csv_marks_a_guessed_control(
    goals: tuple[str, ...], design: Design | None, guess: str
) -> None:
    """In every row, with and without goals."""
    item = row("e", {"blue": (10, {"buy": 1}), "red": (12, {"buy": 2})}, goals)

    rows = [(each["is_control"], each["control_is_guess"]) for each in read_csv(item, design)]

    assert rows == [("true", guess), ("false", guess)]


def test_csv_has_no_figure_for_one_look() -> None:
    """The lift has one interval; the others are in JSON."""
    assert export.COLUMNS[16:19] == LIFT_COLUMNS
    assert not [column for column in export.COLUMNS if column.startswith(("p_", "best", "diff"))]


def test_csv_without_goals_has_a_row_per_variant() -> None:
    """With its visitors and the verdict on them."""
    rows = read_csv(row("e", {"a": (10, {}), "b": (12, {})}, ()))

    assert [(each["variant"], each["goal"], each["visitors"]) for each in rows] == [
        ("a", "", "10"),
        ("b", "", "12"),
    ]
    assert {each["verdict"] for each in rows} == {"no-conversions"}


FORMULAS = ("=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", " =1", "\u00a0=1", "\ufeff=1", "\x00=1")
FULL_WIDTH = ("\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20x", "\u3000\uff1d1")


@pytest.mark.parametrize("name", [*FORMULAS, *FULL_WIDTH])
def test_no_name_is_a_formula(name: str) -> None:
    """A spreadsheet would run it, and anyone can choose a name."""
    first, *_ = read_csv(row(name, {name: (10, {name: 1})}, (name,)))

    assert (first["experiment"], first["goal"], first["variant"]) == (f"'{name}",) * 3


@pytest.mark.parametrize(
    ("since", "cell"),
    [(1_700_000_000, "2023-11-14T22:13:20Z"), (None, ""), (10**18, "")],
    ids=["known", "unknown", "beyond all calendars"],
)
@pytest.mark.parametrize("goals", [("buy",), ()], ids=["a goal", "no goal"])
def test_csv_has_the_namespace_and_the_start(
    goals: tuple[str, ...], since: int | None, cell: str
) -> None:
    """In every row; the start is in UTC, in ISO 8601."""
    item = row("e", {"a": (10, {"buy": 1}), "b": (12, {"buy": 2})}, goals, since=since)

    assert [(each["namespace"], each["since"]) for each in read_csv(item)] == [("shop", cell)] * 2


def test_csv_has_whole_visitors() -> None:
    """A count is an estimate with decimal places that say nothing."""
    item = row("e", {"a": (1301, {"buy": 11}), "b": (12, {"buy": 2})})
    item["participants"][0]["trials_by_precision"]["16"] = 1301.4
    item["goals"][0]["results"][0]["trials_by_precision"]["16"] = 1301.4
    item["goals"][0]["results"][0]["successes_by_precision"]["16"] = 10.6

    assert [(each["visitors"], each["conversions"]) for each in read_csv(item)] == [
        ("1301", "11"),
        ("12", "2"),
    ]


def test_excel_gets_a_byte_order_mark_and_its_line_ends() -> None:
    """Everything else is the table of --csv."""
    experiments = [analysed(two("größe 変種"))]

    table = export.to_csv(experiments, "shop")
    excel = export.to_excel(experiments, "shop")

    assert excel.startswith(b"\xef\xbb\xbf")
    assert excel.decode("utf-8-sig").replace("\r\n", "\n") == table
    assert excel.count(b"\r\n") == table.count("\n") == excel.count(b"\n")
    assert not table.startswith("\ufeff")
    assert "\r" not in table


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
counts = st.integers(0, 50) | st.integers(0, 10**12)
variants = st.dictionaries(
    names, st.tuples(counts, st.fixed_dictionaries({"buy": counts})), max_size=4
)


@given(name=names, variants=variants)
def test_any_names_and_counts_are_read_back_from_csv(
    name: str, variants: dict[str, tuple[int, dict[str, int]]]
) -> None:
    """Commas, quotes and line ends included."""
    rows = read_csv(row(name, variants))

    assert sorted(each["variant"].removeprefix("'") for each in rows) == sorted(
        variant.removeprefix("'") for variant in variants
    )
    assert {each["experiment"] for each in rows} <= {name, f"'{name}"}
