"""The results as JSON and CSV have every figure, and survive any name."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gimel.analysis.design import Design
from gimel.report import export
from tests.support.answers import analysed, row, two


def read_csv(item: dict[str, Any], design: Design | None = None) -> list[dict[str, str]]:
    text = export.to_csv([analysed(item, design)])
    return list(csv.DictReader(io.StringIO(text, newline="")))


def describe(item: dict[str, Any], design: Design | None = None) -> dict[str, Any]:
    """Return an experiment as it is read back from JSON."""
    document = json.loads(export.to_json([analysed(item, design)], "shop", {}))
    described: dict[str, Any] = document["experiments"][0]
    return described


def test_the_document_has_a_namespace_and_its_ignored_events() -> None:
    """The experiments follow in the given order."""
    document = json.loads(
        export.to_json([analysed(two("b")), analysed(two("a"))], "shop", {"bot": 2})
    )

    assert (document["namespace"], document["ignored"]) == ("shop", {"bot": 2})
    assert [each["experiment"] for each in document["experiments"]] == ["b", "a"]


def test_json_has_a_warning_of_a_reached_limit() -> None:
    """It is a sentence; the numbers are among the ignored events."""
    document = json.loads(export.to_json([analysed(two())], "shop", {"limit reached": 2}))

    (warning,) = document["warnings"]
    assert warning.startswith("A limit was reached: 2 events were not counted.")
    assert json.loads(export.to_json([analysed(two())], "shop", {"bot": 2}))["warnings"] == []


def test_json_has_the_facts_of_an_experiment() -> None:
    """Its control, start, confidence and problems, and what was ignored."""
    described = describe(two(ignored={"bot": 3}, unreadable=1))

    verdicts = described.pop("headline"), described.pop("goals")
    assert all(verdicts)
    assert {name: value for name, value in described.items() if not isinstance(value, list)} == {
        "experiment": "e",
        "since": 1_700_000_000,
        "control": "blue",
        "control_is_guess": True,
        "design": {
            "goal": None,
            "guardrails": [],
            "decrease": [],
            "lift": 0.1,
            "minimum_days": 7,
            "visitors": None,
        },
        "days": 30.0,
        "confidence": 0.95,
        "trustworthy": False,
        "ignored": {"bot": 3},
        "unreadable": 1,
        "precision": 16,
        "counting_noise": analysed(two()).widening,
        "split": {"p": 1.0, "mismatch": False},
    }
    assert described["doubts"] == ["incomplete: 1 counter cannot be read"]


def test_json_has_the_participants() -> None:
    """Each variant's visitors with their counting error and shares."""
    first = analysed(two()).arms[0].visitors

    assert describe(two())["participants"][0] == {
        "variant": "blue",
        "visitors": first.value,
        "visitors_error": first.error,
        "share": 0.5,
        "expected_share": 0.5,
    }


DESIGN = Design(
    control="blue",
    goal="buy",
    guardrails=("return",),
    decrease=("return",),
    lift=0.05,
    minimum_days=14,
    visitors=90_000,
)


def test_json_has_the_design() -> None:
    """What the verdict rests on beside the counts; a designed control is not a guess."""
    described = describe(two(), DESIGN)

    assert (described["control"], described["control_is_guess"]) == ("blue", False)
    assert described["design"] == {
        "goal": "buy",
        "guardrails": ["return"],
        "decrease": ["return"],
        "lift": 0.05,
        "minimum_days": 14,
        "visitors": 90_000,
    }


def test_json_has_a_verdict_per_goal() -> None:
    """With the sentence for people and the figures for programs."""
    experiment = analysed(two(red=(10_000, 800)))
    verdict = experiment.goals[0].verdict
    assert verdict.lift is not None

    (goal,) = describe(two(red=(10_000, 800)))["goals"]

    assert goal["verdict"] == {
        "kind": "winner",
        "sentence": verdict.sentence,
        "variant": "red",
        "lift": {
            "value": verdict.lift.value,
            "low": verdict.lift.low,
            "high": verdict.lift.high,
        },
        "better": ["red"],
        "worse": [],
        "days_left": 0,
        "forecast": None,
        "safe_to_stop": True,
    }


def test_json_has_the_verdict_on_the_experiment() -> None:
    """The headline; its forecast is in visitors and days."""
    headline = describe(two())["headline"]
    forecast = analysed(two()).headline.forecast
    assert forecast is not None
    assert forecast.rule_out is not None

    assert (headline["kind"], headline["safe_to_stop"]) == ("too-early", False)
    assert headline["sentence"] == analysed(two()).headline.sentence
    assert headline["forecast"]["rule_out"] == {
        "visitors": forecast.rule_out.visitors,
        "days": forecast.rule_out.days,
    }


@pytest.mark.parametrize(
    ("design", "roles"),
    [(None, ["equal", "equal"]), (Design(goal="b", guardrails=("a",)), ["primary", "guardrail"])],
    ids=["no design", "a design"],
)
def test_json_has_the_role_of_each_goal(design: Design | None, roles: list[str]) -> None:
    """In the order of the roles."""
    assert [goal["role"] for goal in describe(TWO_GOALS, design)["goals"]] == roles


def test_json_has_every_figure_of_a_variant() -> None:
    """The same numbers as the statistics; those for one look are among the details."""
    variant = analysed(two()).goals[0].variants[1]
    comparison = variant.comparison
    assert comparison is not None
    assert comparison.details.lift is not None

    red = describe(two())["goals"][0]["variants"][1]

    assert not red["is_control"]
    assert red["rate"] == 0.052
    assert red["lift"] == {
        "value": comparison.lift.value,
        "low": comparison.lift.low,
        "high": comparison.lift.high,
    }
    details = red["details"]
    assert details["rate"] == {
        "value": variant.rate.value,
        "low": variant.rate.low,
        "high": variant.rate.high,
    }
    assert details["difference"]["low"] == comparison.details.difference.low
    assert details["lift"]["high"] == comparison.details.lift.high
    assert (details["p"], details["p_holm"]) == (
        comparison.details.p,
        comparison.details.p_adjusted,
    )
    assert (details["beats_control"], details["best"]) == (variant.beats_control, variant.best)


def test_failures_are_compared_above_a_rate_of_one_half() -> None:
    """Only there: below, nobody speaks of them."""
    rare = describe(two())["goals"][0]["variants"][1]
    common = describe(two(blue=(10_000, 9000), red=(10_000, 9100)))["goals"][0]["variants"][1]

    assert rare["failures"] is None
    assert common["failures"]["value"] == pytest.approx(-0.1)


def test_the_control_is_not_compared_with_itself() -> None:
    """It has its rate; the figures of a comparison are null or missing."""
    control = describe(two())["goals"][0]["variants"][0]

    assert control["is_control"]
    assert (control["lift"], control["failures"]) == (None, None)
    assert set(control["details"]) == {"rate", "best"}


@pytest.mark.parametrize(
    ("blue", "red", "is_open"),
    [
        ((1000, 0), (1000, 50), (True, False, True)),
        ((1000, 200), (1000, 0), (False, True, False)),
        ((20, 1), (20, 2), (False, True, True)),
        ((1000, 0), (1000, 0), (True, True, True)),
    ],
    ids=["no upper end", "no lower end", "neither end", "no conversions"],
)
def test_an_open_end_is_null(
    blue: tuple[int, int], red: tuple[int, int], is_open: tuple[bool, bool, bool]
) -> None:
    """So is the value of a lift over a control without conversions."""
    lift = describe(two(blue=blue, red=red))["goals"][0]["variants"][1]["lift"]

    assert tuple(figure is None for figure in lift.values()) == is_open


def test_a_goal_that_is_not_a_conversion_has_no_rate() -> None:
    """Only the number of goals per visitor."""
    (goal,) = describe(two(red=(10_000, 30_000)))["goals"]

    assert not goal["is_conversion"]
    assert [
        (each["rate"], each["lift"], each["details"], each["per_visitor"])
        for each in goal["variants"]
    ] == [(None, None, None, 0.05), (None, None, None, 3.0)]


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
    [
        "visitors",
        "visitors_error",
        "conversions",
        "conversions_error",
        "per_visitor",
        "rate",
    ],
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
    assert export.COLUMNS[12:15] == LIFT_COLUMNS
    assert not [column for column in export.COLUMNS if column.startswith(("p_", "best", "diff"))]


def test_csv_without_goals_has_a_row_per_variant() -> None:
    """With its visitors and the verdict on them."""
    rows = read_csv(row("e", {"a": (10, {}), "b": (12, {})}, ()))

    assert [(each["variant"], each["goal"], each["visitors"]) for each in rows] == [
        ("a", "", "10.0"),
        ("b", "", "12.0"),
    ]
    assert {each["verdict"] for each in rows} == {"no-conversions"}


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_name_is_a_formula(name: str) -> None:
    """A spreadsheet would run it, and anyone can choose a name."""
    first, *_ = read_csv(row(name, {name: (10, {name: 1})}, (name,)))

    assert (first["experiment"], first["goal"], first["variant"]) == (f"'{name}",) * 3


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
counts = st.integers(0, 50) | st.integers(0, 10**12)
variants = st.dictionaries(
    names, st.tuples(counts, st.fixed_dictionaries({"buy": counts})), max_size=4
)


@given(name=names, variants=variants)
def test_any_names_and_counts_are_read_back_from_json(
    name: str, variants: dict[str, tuple[int, dict[str, int]]]
) -> None:
    """No number is NaN or infinite, which JSON does not have."""
    described = describe(row(name, variants))

    assert described["experiment"] == name
    assert {each["variant"] for each in described["participants"]} == {*variants}


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
