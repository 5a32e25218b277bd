"""Every view names the variants that failed, before any verdict."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gimel.analysis.design import Design
from gimel.analysis.failed import FAILED_EVENT
from gimel.analysis.verdict import Kind
from gimel.report import export, html
from gimel.report.html import Choices, Frame
from gimel.report.overview import overview
from gimel.report.summary import State, brief, state_of
from gimel.report.wording import Mark, goal_mark
from tests.support.answers import analysed, row
from tests.support.exports import describe, read_csv
from tests.support.pages import closed_text_of, text_of
from tests.support.printed import NOW, lines, printed

BLUE = Design(control="blue")


def failing(red: int, blue: int = 0, conversions: int = 1250) -> dict[str, Any]:
    return row(
        "a test",
        {
            "blue": (20_000, {"buy": 1000, FAILED_EVENT: blue}),
            "red": (20_000, {"buy": conversions, FAILED_EVENT: red}),
        },
        ("buy", FAILED_EVENT),
    )


MANY, FEW = failing(12_030), failing(40)


def page(item: dict[str, Any]) -> str:
    found = analysed(item, BLUE)
    return html.experiment(found, Choices("alephbet", "alephbet"), Frame("here"), NOW)


def test_the_terminal_names_them_before_the_verdict() -> None:
    """And says how to see the error."""
    assert lines(printed(MANY, design=BLUE))[2:9] == [
        "! “red” failed for 12,030 of 20,000 visitors (60%): they saw the control, so any",
        "difference looks smaller than it is.",
        "“buy”: Fix “red” before you choose it: it converts 25% better than “blue” (10%",
        "to 42% better). The difference may be larger once “red” is fixed.",
        "With gimel.js, a page opened with “?gimel=a test:red” at the end of its address",
        "shows the error in the browser's console.",
        "",
    ]


def test_the_terminal_names_few_failures_too() -> None:
    """Without an exclamation mark."""
    assert lines(printed(FEW, design=BLUE))[2:5] == [
        "“red” failed for 40 of 20,000 visitors (0.2%): they saw the control.",
        "“buy”: Choose “red”: it converts 25% better than “blue” (10% to 42% better).",
        "Safe to stop.",
    ]


def test_an_address_has_no_character_that_ends_it() -> None:
    """An experiment's name may contain any."""
    item = {**MANY, "experiment": "a & b #1"}

    assert "“?gimel=a %26 b %231:red”" in " ".join(printed(item, design=BLUE).split())


@pytest.mark.parametrize("item", [MANY, FEW], ids=["many", "few"])
def test_the_page_names_them_in_the_banner(item: dict[str, Any]) -> None:
    """Before the verdict's sentence."""
    (failed,) = analysed(item, BLUE).failed
    shown = text_of(page(item))

    assert 0 < shown.find(failed.sentence) < shown.find("“buy”: ")


def test_the_page_counts_them_among_the_problems() -> None:
    """In fewer words than the banner."""
    assert "Data quality: 1 problem" in text_of(page(MANY))
    assert "“red” failed for 12,030 of 20,000 visitors (60%) Traffic" in text_of(page(MANY))
    assert "Data quality: no problems found" in closed_text_of(page(FEW))


def test_the_page_does_not_offer_them_as_a_goal() -> None:
    """Neither among the goals nor in the form."""
    assert FAILED_EVENT not in page(MANY)


STATES = {
    "many": (MANY, State.ATTENTION, "“red” failed for 60%"),
    "all": (failing(20_000), State.ATTENTION, "“red” failed for all"),
    "two": (failing(12_000, 300), State.ATTENTION, "“blue” and “red” failed"),
    "few, of a winner": (FEW, State.DECIDED, "choose “red”, few failed"),
    "few, of a loser": (failing(40, conversions=750), State.DECIDED, "keep “blue”"),
    "few, of the control": (
        failing(0, 40, conversions=750),
        State.DECIDED,
        "keep “blue”, few failed",
    ),
    "few, undecided": (
        failing(40, conversions=1001),
        State.RUNNING,
        "perhaps 7 weeks",
    ),
    "a wrong split": (
        row(
            "e",
            {"blue": (20_000, {}), "red": (18_000, {FAILED_EVENT: 9000})},
            (FAILED_EVENT,),
        ),
        State.ATTENTION,
        "wrong split",
    ),
    "lost events": (MANY | {"unreadable": 1}, State.ATTENTION, "incomplete data"),
    "not counted": (
        row("e", {"blue": (0, {}), "red": (0, {FAILED_EVENT: 3})}, (FAILED_EVENT,)),
        State.ATTENTION,
        "“red” failed for all",
    ),
}


@pytest.mark.parametrize(("item", "state", "words"), STATES.values(), ids=STATES)
def test_a_list_recommends_no_variant_that_failed_without_saying_so(
    item: dict[str, Any], state: State, words: str
) -> None:
    """One that failed for many needs attention."""
    found = analysed(item, BLUE)

    assert (state_of(found), brief(found)) == (state, words)


def test_the_overview_marks_them() -> None:
    """And its title has the sentences in the order of the page."""
    found = analysed(MANY, BLUE)
    (shown,) = overview([found], NOW, lambda _: "").rows

    assert (shown.mark, shown.brief) == ("doubt", "“red” failed for 60%")
    assert shown.sentence == f"{found.failed[0].sentence} {found.headline.sentence}"


def test_a_guardrail_is_not_called_unharmed_where_a_variant_failed() -> None:
    """Its mark is that of an open question."""
    item = row(
        "e",
        {
            "blue": (200_000, {"buy": 10_000}),
            "red": (200_000, {"buy": 10_010, FAILED_EVENT: 90_000}),
        },
        ("buy", FAILED_EVENT),
    )

    (goal,) = analysed(item, Design(control="blue", goal="x", guardrails=("buy",))).goals

    assert goal.verdict.kind is Kind.NOT_HARMED
    assert goal_mark(goal.verdict) is Mark.UNDECIDED


def test_json_has_their_figures_before_the_verdicts() -> None:
    """And no goal of the event's name."""
    described = describe(MANY, BLUE)

    assert list(described).index("failed") < list(described).index("headline")
    (failed,) = described["failed"]
    assert failed.pop("sentence").startswith("“red” failed for 12,030 of 20,000 visitors (60%)")
    assert failed == {
        "variant": "red",
        "is_control": False,
        "visitors": 20_000,
        "failed": 12_030,
        "failed_error": pytest.approx(16.70, abs=0.01),
        "share": 0.6015,
    }
    assert [goal["goal"] for goal in described["goals"]] == ["buy"]
    assert described["trustworthy"] is False
    assert described["headline"]["failed"] == ["red"]
    assert describe(FEW, BLUE)["trustworthy"] is True


def test_csv_has_their_figures_before_the_verdicts() -> None:
    """In the row of each variant."""
    assert export.COLUMNS.index("failed") < export.COLUMNS.index("verdict")
    assert [(each["goal"], each["variant"], each["failed"]) for each in read_csv(MANY, BLUE)] == [
        ("buy", "blue", "0"),
        ("buy", "red", "12030"),
    ]
    only = row("e", {"blue": (0, {}), "red": (0, {FAILED_EVENT: 3})}, (FAILED_EVENT,))
    assert [(each["goal"], each["failed"]) for each in read_csv(only, BLUE)] == [
        ("", "0"),
        ("", "3"),
    ]


def test_json_is_strict_where_everything_failed() -> None:
    """Also if more failed than were counted."""
    text = export.to_json([analysed(failing(60_000), BLUE)], "shop", {})

    (failed,) = json.loads(text)["experiments"][0]["failed"]
    assert (failed["failed"], failed["share"]) == (60_000, 1)
