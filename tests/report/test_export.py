"""The results as JSON have every figure, and survive any name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gimel.analysis.design import Design
from gimel.report import export
from tests.support.answers import analysed, row, two
from tests.support.exports import describe


def test_the_document_has_a_namespace_and_its_ignored_events() -> None:
    """The experiments follow in the given order."""
    document = json.loads(
        export.to_json([analysed(two("b")), analysed(two("a"))], "shop", {"bot": 2})
    )

    assert (document["namespace"], document["ignored"]) == ("shop", {"bot": 2})
    assert [each["experiment"] for each in document["experiments"]] == ["b", "a"]


def warnings(design: Design, ignored: dict[str, int]) -> list[str]:
    found: list[str] = json.loads(export.to_json([analysed(two(), design)], "shop", ignored))[
        "warnings"
    ]
    return found


def test_json_has_a_warning_of_a_reached_limit() -> None:
    """It is a sentence; the numbers are among the ignored events."""
    (warning,) = warnings(Design(control="blue"), {"limit reached": 2})

    assert warning.startswith("A limit was reached: 2 events were not counted.")
    assert warnings(Design(control="blue"), {"bot": 2}) == []


def test_json_has_a_warning_of_an_assumed_control() -> None:
    """It says which variant that is, and how to choose another."""
    assert warnings(Design(), {}) == [
        "The control of “e” is assumed to be “blue”, the first by name. Name it in config.json, as"
        " the experiment's control."
    ]


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
            "control": None,
            "weights": None,
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
        "split": {"p": 1.0, "mismatch": False, "mismatch_since": None},
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
        "control": "blue",
        "weights": None,
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
        "goal": "buy",
        "open_guardrails": [],
        "failed": [],
        "reached": verdict.reached,
        "disagrees": [],
        "safe_to_stop": True,
    }


def test_json_has_the_verdict_on_the_experiment() -> None:
    """The headline; its forecast is in visitors and days."""
    headline = describe(two())["headline"]
    forecast = analysed(two()).headline.forecast
    assert forecast is not None
    assert forecast.rule_out is not None

    assert (headline["kind"], headline["safe_to_stop"]) == ("too-early", False)
    assert headline["goal"] == "buy"
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


TWO_GOALS = row(
    "e", {"blue": (1000, {"a": 50, "b": 0}), "red": (1010, {"a": 60, "b": 50})}, ("a", "b")
)


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
