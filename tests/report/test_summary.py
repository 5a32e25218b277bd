"""An experiment in a few words: its state, its verdict, and the lift that matters."""

from __future__ import annotations

from typing import Any

import pytest

from gimel.analysis.design import Design
from gimel.report.summary import (
    State,
    brief,
    direction_word,
    headline_comparison,
    headline_goal,
    headline_lift,
    in_order,
    listed_word,
    state_of,
)
from tests.support import histories
from tests.support.answers import analysed, row, two
from tests.support.experiments import pair

HARM = row(
    "e",
    {"a": (40_000, {"buy": 2000, "x": 200}), "b": (40_000, {"buy": 2400, "x": 300})},
    ("buy", "x"),
)
CONFLICT = row(
    "e",
    {"a": (9000, {"buy": 900, "x": 900}), "b": (9000, {"buy": 1200, "x": 600})},
    ("buy", "x"),
)
GUARDED = Design(goal="buy", guardrails=("x",), decrease=("x",))

CASES: dict[str, tuple[dict[str, Any], Design | None, float, State, str]] = {
    "a winner": (two(red=(10_000, 700)), None, 30, State.DECIDED, "choose “red”"),
    "a loser": (two(red=(10_000, 350)), None, 30, State.DECIDED, "keep “blue”"),
    "no difference": (
        two(blue=(99_000, 49_000), red=(99_000, 49_100)),
        None,
        30,
        State.DECIDED,
        "any difference under 10%",
    ),
    "no difference on day 3": (
        two(blue=(99_000, 49_000), red=(99_000, 49_100)),
        None,
        3,
        State.RUNNING,
        "under 10% so far, wait 4 days",
    ),
    "ahead": (two(red=(10_000, 700)), None, 3, State.RUNNING, "“red” ahead, wait 4 days"),
    "undecided": (two(), None, 30, State.RUNNING, "perhaps 11 weeks or longer"),
    "no visitors": (row("e", {}, ()), None, 30, State.RUNNING, "no visitors yet"),
    "one variant": (row("e", {"a": (21, {})}), None, 30, State.ATTENTION, "only “a” seen"),
    "no control": (
        row("e", {"a": (0, {}), "b": (3, {"buy": 1})}),
        Design(control="a"),
        30,
        State.RUNNING,
        "only “b” seen",
    ),
    "no control among others": (
        row("e", {"a": (0, {}), "b": (3, {"buy": 1}), "c": (3, {"buy": 1})}),
        Design(control="a"),
        30,
        State.RUNNING,
        "control “a” not seen",
    ),
    "the first visitors": (
        row("e", {"a": (20, {})}),
        None,
        30,
        State.RUNNING,
        "only “a” seen",
    ),
    "too much noise": (
        two(blue=(10**6, 400_000), red=(10**6, 400_500), precision="1"),
        Design(lift=0.01),
        30,
        State.ATTENTION,
        "unlikely to be decided",
    ),
    "no conversions": (
        two(blue=(900, 0), red=(900, 0)),
        None,
        30,
        State.RUNNING,
        "no conversions yet",
    ),
    "a mismatch": (two(red=(9000, 450)), None, 30, State.ATTENTION, "wrong split"),
    "a misuse": (
        two(blue=(1000, 3000), red=(1000, 50)),
        None,
        30,
        State.ATTENTION,
        "more goals than visitors",
    ),
    "an open guardrail": (
        row(
            "e",
            {"a": (40_000, {"buy": 2000, "x": 200}), "b": (40_000, {"buy": 2400, "x": 210})},
            ("buy", "x"),
        ),
        GUARDED,
        30,
        State.RUNNING,
        "“b” better, guardrail open",
    ),
    "a harmed guardrail": (HARM, GUARDED, 30, State.ATTENTION, "harms “x”"),
    "a conflict": (CONFLICT, None, 30, State.ATTENTION, "mixed result"),
    "lost events": (
        two(red=(10_000, 700), ignored={"limit reached": 1}),
        None,
        30,
        State.ATTENTION,
        "incomplete data",
    ),
}


@pytest.mark.parametrize(
    ("item", "design", "days", "state", "words"), CASES.values(), ids=CASES.keys()
)
def test_an_experiment_in_a_few_words(
    item: dict[str, Any], design: Design | None, days: float, state: State, words: str
) -> None:
    """Its state says whether to look at it, the words what to do."""
    experiment = analysed(item, design, days=days)

    assert (state_of(experiment), brief(experiment)) == (state, words)


def test_a_name_in_the_words_is_visible() -> None:
    """It cannot reverse the direction of what follows."""
    found = analysed(row("e", {"a": (9000, {"buy": 600}), "\u202eb": (9000, {"buy": 900})}))

    assert brief(found) == "choose “\\u202eb”"


def test_experiments_that_need_attention_come_first() -> None:
    """Then decided ones, then running ones; those of one state stay in their order."""
    running, decided = two("running"), two("decided", red=(10_000, 700))
    items = [running, decided, two("harmed", unreadable=1), two("new"), two("lost", unreadable=1)]

    found = in_order(map(analysed, items))

    assert [each.name for each in found] == ["harmed", "lost", "decided", "running", "new"]


@pytest.mark.parametrize(
    ("item", "design", "goal", "has_lift"),
    [
        (two(red=(10_000, 700)), None, "buy", True),
        (two(), None, "buy", True),
        (HARM, GUARDED, "x", True),
        (CONFLICT, None, None, False),
        (two(red=(9000, 450)), None, None, False),
        (two(blue=(1000, 3000), red=(1000, 50)), None, "buy", False),
        (row("e", {}, ()), None, None, False),
    ],
    ids=["a winner", "undecided", "harm", "conflict", "mismatch", "misuse", "no visitors"],
)
def test_the_lift_that_matters(
    item: dict[str, Any], design: Design | None, goal: str | None, has_lift: bool
) -> None:
    """That of the goal that the words are about; none where the data allow none."""
    experiment = analysed(item, design)

    found = headline_goal(experiment)
    assert (found and found.name) == goal
    assert (headline_lift(experiment) is not None) == has_lift


@pytest.mark.parametrize(
    ("item", "design", "word", "listed"),
    [
        (two(red=(10_000, 700)), None, "better", ""),
        (two(red=(10_000, 350)), None, "worse", ""),
        (two(red=(10_000, 700)), Design(decrease=("buy",)), "worse", "worse"),
        (two(red=(10_000, 350)), Design(decrease=("buy",)), "better", "better"),
        (HARM, GUARDED, "worse", "worse"),
        (two(), Design(decrease=("buy",)), "", ""),
        (two(red=(9000, 450)), None, "", ""),
    ],
    ids=["a winner", "a loser", "more refunds", "fewer", "harm", "undecided", "a mismatch"],
)
def test_a_decided_lift_is_better_or_worse(
    item: dict[str, Any], design: Design | None, word: str, listed: str
) -> None:
    """A list says so of goals of which fewer conversions are better: their sign misleads."""
    comparison = headline_comparison(analysed(item, design))

    assert (direction_word(comparison), listed_word(comparison)) == (word, listed)


def test_later_data_that_disagrees_needs_attention() -> None:
    """The variant whose lift wore off is not recommended."""
    won = histories.point(11, pair((20_000, 2000), (20_000, 2240)))
    worn_off = histories.point(60, pair((200_000, 20_000), (200_000, 20_100)))

    found = histories.analysed([won, worn_off])

    assert (state_of(found), brief(found)) == (State.ATTENTION, "later data disagrees")
    assert state_of(histories.analysed([won])) is State.DECIDED
