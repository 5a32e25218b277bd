"""The results as JSON and CSV have every figure, and survive any name."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gimel.report import export
from tests.support.answers import analysed, row, two


def read_csv(item: dict[str, Any]) -> list[dict[str, str]]:
    text = export.to_csv([analysed(item)])
    return list(csv.DictReader(io.StringIO(text, newline="")))


def describe(item: dict[str, Any]) -> dict[str, Any]:
    """Return an experiment as it is read back from JSON."""
    document = json.loads(export.to_json([analysed(item)], "shop", {}))
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

    assert {name: value for name, value in described.items() if not isinstance(value, list)} == {
        "experiment": "e",
        "since": 1_700_000_000,
        "control": "blue",
        "confidence": 0.95,
        "trustworthy": False,
        "ignored": {"bot": 3},
        "unreadable": 1,
        "precision": 16,
        "counting_noise": analysed(two()).widening,
        "split": {"checked": True, "p": 1.0, "mismatch": False},
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


def test_json_has_a_verdict_per_goal() -> None:
    """With the sentence for people and the figures for programs."""
    experiment = analysed(two(red=(10_000, 800)))
    verdict = experiment.goals[0].verdict
    assert verdict.lift is not None

    assert describe(two(red=(10_000, 800)))["verdicts"] == [
        {
            "goal": "buy",
            "kind": "winner",
            "sentence": verdict.sentence,
            "variant": "red",
            "lift": {
                "value": verdict.lift.value,
                "low": verdict.lift.low,
                "high": verdict.lift.high,
            },
            "winners": ["red"],
            "losers": [],
            "more_visitors": None,
            "safe_to_stop": True,
        }
    ]


def test_json_has_every_figure_of_a_variant() -> None:
    """The same numbers as the statistics, each interval as an object."""
    variant = analysed(two()).goals[0].variants[1]
    comparison = variant.comparison
    assert comparison is not None
    assert comparison.lift is not None

    red = describe(two())["goals"][0]["variants"][1]

    assert red["rate"] == {
        "value": variant.rate.value,
        "low": variant.rate.low,
        "high": variant.rate.high,
    }
    assert red["lift"]["high"] == comparison.lift.high
    assert (red["p"], red["p_holm"]) == (comparison.p, comparison.p_adjusted)
    assert (red["beats_control"], red["best"]) == (variant.beats_control, variant.best)
    assert red["anytime"]["difference"]["low"] == comparison.anytime_difference.low
    assert red["anytime"]["p"] == comparison.anytime_p
    assert not red["is_control"]


def test_the_control_is_not_compared_with_itself() -> None:
    """Those figures are null."""
    control = describe(two())["goals"][0]["variants"][0]

    assert control["is_control"]
    assert (control["lift"], control["p"], control["anytime"]) == (None, None, None)


def test_a_goal_that_is_not_a_conversion_has_no_rate() -> None:
    """Only the number of goals per visitor."""
    (goal,) = describe(two(red=(10_000, 30_000)))["goals"]

    assert not goal["is_conversion"]
    assert [(each["rate"], each["per_visitor"]) for each in goal["variants"]] == [
        (None, 0.05),
        (None, 3.0),
    ]


TWO_GOALS = row("e", {"blue": (1000, {"a": 50, "b": 1}), "red": (1010, {"a": 60})}, ("a", "b"))


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
        "p",
        "p_holm",
        "beats_control",
        "best",
    ],
)
def test_csv_has_the_numbers_of_json(column: str) -> None:
    """Read back, digit by digit; null is an empty cell."""
    described = [each for goal in describe(TWO_GOALS)["goals"] for each in goal["variants"]]
    read = [float(each[column]) if each[column] else None for each in read_csv(TWO_GOALS)]

    assert read == [variant[column] for variant in described]


@pytest.mark.parametrize("name", ["rate", "difference", "lift"])
def test_csv_has_the_intervals_of_json(name: str) -> None:
    """Each in three columns."""
    described = [each for goal in describe(TWO_GOALS)["goals"] for each in goal["variants"]]
    read = [
        [float(each[column]) if each[column] else None for column in columns]
        for columns in [(name, f"{name}_low", f"{name}_high")]
        for each in read_csv(TWO_GOALS)
    ]

    assert read == [
        list(variant[name].values()) if variant[name] else [None] * 3 for variant in described
    ]


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
