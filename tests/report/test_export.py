"""The results as JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gimel.analysis.experiment import Experiment, analyse_all
from gimel.api import answers
from gimel.report import export
from tests.support.answers import answer, row, two


def analysed(*items: dict[str, Any]) -> tuple[Experiment, ...]:
    return analyse_all(answers.parse(answer(*items)), {})


def table(*items: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(export.to_csv(analysed(*items)))))


def document(*items: dict[str, Any]) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(export.to_json(analysed(*items), "shop", {"bot": 2}))
    return whole


def test_json_has_every_figure() -> None:
    """As the statistics say it, under the names of the field."""
    (experiment,) = analysed(two())
    whole = document(two())
    assert (whole["namespace"], whole["ignored"]) == ("shop", {"bot": 2})
    told = whole["experiments"][0]
    assert (told["experiment"], told["control"], told["since"], told["trustworthy"]) == (
        "e",
        "blue",
        1_700_000_000,
        True,
    )
    assert told["split"]["p"] == experiment.split.p
    assert told["participants"][1]["visitors_error"] == experiment.arms[1].visitors.error
    assert told["verdicts"][0]["sentence"] == experiment.goals[0].verdict.sentence
    control, red = told["goals"][0]["variants"]
    variant = experiment.goals[0].variants[1]
    assert variant.comparison is not None
    assert variant.comparison.lift is not None
    assert red["rate"] == {
        "value": variant.rate.value,
        "low": variant.rate.low,
        "high": variant.rate.high,
    }
    assert red["lift"]["high"] == variant.comparison.lift.high
    assert (red["p"], red["p_holm"]) == (variant.comparison.p, variant.comparison.p_adjusted)
    assert (red["beats_control"], red["best"]) == (variant.beats_control, variant.best)
    assert red["anytime"]["difference"]["low"] == variant.comparison.anytime_difference.low
    assert control["is_control"]
    assert (control["lift"], control["p"], control["anytime"]) == (None, None, None)


def test_csv_has_the_same_figures() -> None:
    """Read back, number by number: a line for each variant of each goal."""
    item = row("e", {"blue": (1000, {"a": 50, "b": 1}), "red": (1010, {"a": 60})}, ("a", "b"))
    read = table(item)
    told = [
        variant
        for goal in document(item)["experiments"][0]["goals"]
        for variant in goal["variants"]
    ]
    assert [(line["goal"], line["variant"]) for line in read] == [
        ("a", "blue"),
        ("a", "red"),
        ("b", "blue"),
        ("b", "red"),
    ]
    for line, variant in zip(read, told, strict=True):
        assert (line["is_control"] == "true") == variant["is_control"]
        for name in (
            "visitors",
            "visitors_error",
            "conversions",
            "conversions_error",
            "per_visitor",
            "p_holm",
            "best",
        ):
            assert (float(line[name]) if line[name] else None) == variant[name]
        for name in ("rate", "difference", "lift"):
            interval = [
                float(line[column]) if line[column] else None
                for column in (name, f"{name}_low", f"{name}_high")
            ]
            assert interval == (list(variant[name].values()) if variant[name] else [None] * 3)


def test_without_goals_there_is_a_line_for_each_variant() -> None:
    """With its visitors and the verdict."""
    read = table(row("e", {"a": (10, {}), "b": (12, {})}, ()))
    assert [
        (line["variant"], line["goal"], line["visitors"], line["verdict"]) for line in read
    ] == [
        ("a", "", "10.0", "no-conversions"),
        ("b", "", "12.0", "no-conversions"),
    ]


def test_a_goal_that_is_no_conversion_has_no_rate() -> None:
    """Only how many there were per visitor."""
    (goal,) = document(two(red=(10_000, 30_000)))["experiments"][0]["goals"]
    assert not goal["is_conversion"]
    assert [(each["rate"], each["per_visitor"]) for each in goal["variants"]] == [
        (None, 0.05),
        (None, 3.0),
    ]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_name_is_a_formula(name: str) -> None:
    """A spreadsheet would run it, and anybody can choose a name."""
    (line, *_) = table(row(name, {name: (10, {name: 1})}, (name,)))
    assert (line["experiment"], line["goal"], line["variant"]) == (f"'{name}",) * 3


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
counts = st.integers(0, 50) | st.integers(0, 10**12)


@given(
    name=names,
    variants=st.dictionaries(
        names, st.tuples(counts, st.fixed_dictionaries({"buy": counts})), max_size=4
    ),
)
def test_any_names_and_counts_come_back(
    name: str, variants: dict[str, tuple[int, dict[str, int]]]
) -> None:
    """Commas, quotes and line ends included; no number is NaN or infinite, which JSON does not have."""
    item = row(name, variants)
    assert document(item)["experiments"][0]["experiment"] == name
    text = export.to_csv(analysed(item))
    read = list(csv.DictReader(io.StringIO(text, newline="")))
    assert sorted(line["variant"].removeprefix("'") for line in read) == sorted(
        name.removeprefix("'") for name in variants
    )
    assert all({line["experiment"]} <= {name, f"'{name}"} for line in read)
