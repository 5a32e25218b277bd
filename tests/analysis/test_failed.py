"""Variants that failed in the browser: named apart from the goals, and never simply recommended."""

from __future__ import annotations

from typing import Any

import pytest

from gimel.analysis.design import Design
from gimel.analysis.experiment import Experiment, NotFound, select_goal
from gimel.analysis.failed import FAILED_EVENT
from gimel.analysis.verdict import Kind
from tests.support.answers import analysed, row, two

BLUE = Design(control="blue")


def failing(
    red: tuple[int, int], red_failed: int, blue_failed: int = 0, blue: int = 20_000, **more: Any
) -> dict[str, Any]:
    """Return an experiment of two variants; `red` are its visitors and its conversions."""
    visitors, conversions = red
    return row(
        "e",
        {
            "blue": (blue, {"buy": blue // 20, FAILED_EVENT: blue_failed}),
            "red": (visitors, {"buy": conversions, FAILED_EVENT: red_failed}),
        },
        ("buy", FAILED_EVENT),
        **more,
    )


def sentences(item: dict[str, Any], design: Design = BLUE) -> list[str]:
    return [each.sentence for each in analysed(item, design).failed]


DILUTED = "they saw the control, so any difference looks smaller than it is."


@pytest.mark.parametrize(
    ("visitors", "failed", "sentence"),
    [
        (2000, 1203, f"“red” failed for 1,203 of 2,000 visitors (60%): {DILUTED}"),
        (2000, 20, f"“red” failed for 20 of 2,000 visitors (1%): {DILUTED}"),
        (2000, 19, "“red” failed for 19 of 2,000 visitors (0.95%): they saw the control."),
        (100_000, 1, "“red” failed for 1 of 100,000 visitors (under 0.01%): they saw the control."),
        (10_000, 9999, f"“red” failed for 9,999 of 10,000 visitors (over 99.9%): {DILUTED}"),
        (1, 1, "“red” failed for all of its visitors (1): they saw the control, so it was not"),
        (2000, 2003, "“red” failed for all of its visitors (2,000): they saw the control, so it"),
        (2000, 4000, "“red” failed for 4,000 visitors, of whom only 2,000 were counted: they saw"),
        (0, 1, "“red” failed for 1 visitor, of whom none was counted: they saw the control."),
    ],
    ids=str,
)
def test_it_is_said_for_how_many_a_variant_failed(
    visitors: int, failed: int, sentence: str
) -> None:
    """More than all of the visitors only where that is more than a counting error."""
    (found,) = sentences(failing((visitors, 0), failed, blue=visitors))

    assert found.startswith(sentence)


@pytest.mark.parametrize("control_is_guess", [True, False])
def test_it_is_said_that_the_control_failed(control_is_guess: bool) -> None:
    """There is nothing else that its visitors could see."""
    design = Design() if control_is_guess else BLUE
    name = "“blue” (assumed control)" if control_is_guess else "“blue” (control)"

    first, second = sentences(failing((20_000, 1000), 30, 12), design)

    assert (
        first
        == f"{name} failed for 12 of 20,000 visitors (0.06%): they may have seen a broken page."
    )
    assert second.startswith("“red” failed for 30 of 20,000 visitors")


def test_a_failure_is_no_goal() -> None:
    """It has no verdict, and the others do not share the error with it."""
    alone = analysed(two(red=(10_000, 620)), BLUE)
    item = two(red=(10_000, 620))
    item["goals"] += failing((10_000, 620), 30, blue=10_000)["goals"][1:]

    found = analysed(item, BLUE)

    assert [goal.name for goal in found.all_goals] == ["buy"]
    assert found.goals[0].case.comparisons[0].lift == alone.goals[0].case.comparisons[0].lift
    assert (found.headline, found.doubts) == (alone.headline, alone.doubts)


def test_a_failure_cannot_be_chosen_as_a_goal() -> None:
    """The error says where it is shown instead."""
    with pytest.raises(NotFound) as caught:
        select_goal([analysed(failing((20_000, 1000), 30), BLUE)], FAILED_EVENT)

    assert str(caught.value) == (
        "'gimel:error' is not a goal: it counts the visitors for whom a variant failed. These are"
        " shown before the verdict. Choose another goal, or show all."
    )


VERDICTS = {
    "a winner": (
        failing((20_000, 1250), 12_030),
        Kind.WINNER,
        "Fix “red” before you choose it: it converts 25% better than “blue” (10% to 42% better)."
        " The difference may be larger once “red” is fixed.",
    ),
    "a winner over a control that failed": (
        failing((20_000, 1250), 0, 12_030),
        Kind.WINNER,
        "Fix “blue” before you choose “red”: it converts 25% better than “blue” (10% to 42%"
        " better).",
    ),
    "a winner, and both failed": (
        failing((20_000, 1250), 200, 200),
        Kind.WINNER,
        "Fix “blue” and “red” before you choose “red”: it converts 25% better than “blue” (10% to"
        " 42% better). The difference may be larger once “red” is fixed.",
    ),
    "a loser": (
        failing((20_000, 750), 12_030),
        Kind.CONTROL_WINS,
        "Keep “blue” (control): “red” converts 25% worse (13% to 35% worse). The difference"
        " may be larger once “red” is fixed.",
    ),
    "a loser, but the control failed": (
        failing((20_000, 750), 0, 12_030),
        Kind.CONTROL_WINS,
        "Fix “blue” before you keep it: “red” converts 25% worse (13% to 35% worse).",
    ),
    "no difference": (
        failing((200_000, 10_000), 120_030, blue=200_000),
        Kind.NO_DIFFERENCE,
        "No difference of 10% or more: the lift of “red” is between −4.4% and +4.6%. The"
        " difference may be larger once “red” is fixed.",
    ),
}


@pytest.mark.parametrize(("item", "kind", "sentence"), VERDICTS.values(), ids=VERDICTS)
def test_no_decision_ignores_that_a_variant_failed(
    item: dict[str, Any], kind: Kind, sentence: str
) -> None:
    """The comparison is fair, but not safe to stop at, and what to fix comes first."""
    found = analysed(item, BLUE)

    assert (found.headline.kind, found.headline.safe_to_stop) == (kind, False)
    assert found.headline.sentence == f"“buy”: {sentence}"
    assert found.headline.failed == tuple(each.name for each in found.failed)
    assert found.is_doubtful
    assert found.doubts == tuple(each.sentence for each in found.failed)


def test_those_that_failed_for_many_come_first() -> None:
    """The others are named after them, the control too."""
    first, second = sentences(failing((20_000, 1000), 12_030, 12))

    assert (first[:5], second[:6]) == ("“red”", "“blue”")


def test_another_variant_can_be_chosen_while_one_failed() -> None:
    """Its own comparison is not diluted, but the experiment has not answered its question."""
    item = row(
        "e",
        {
            "blue": (20_000, {"buy": 1000}),
            "green": (20_000, {"buy": 1010, FAILED_EVENT: 9000}),
            "red": (20_000, {"buy": 1250}),
        },
        ("buy", FAILED_EVENT),
    )

    headline = analysed(item, BLUE).headline

    assert headline.sentence.startswith("“buy”: Choose “red”: it converts 25% better")
    assert headline.sentence.endswith("The difference may be larger once “green” is fixed.")
    assert not headline.safe_to_stop


def test_an_open_guardrail_does_not_hide_that_a_variant_failed() -> None:
    """Both are said of a winner."""
    item = row(
        "e",
        {
            "blue": (20_000, {"buy": 1000, "refund": 20}),
            "red": (20_000, {"buy": 1250, "refund": 22, FAILED_EVENT: 9000}),
        },
        ("buy", "refund", FAILED_EVENT),
    )
    design = Design(control="blue", goal="buy", guardrails=("refund",), decrease=("refund",))

    sentence = analysed(item, design).headline.sentence

    assert sentence.startswith("“buy”: Fix “red” before you choose it: it converts 25% better")
    assert "harm to guardrail “refund” is not ruled out yet" in sentence


def test_a_guardrail_may_be_harmed_more_where_a_variant_worked() -> None:
    """Harm is diluted like any other difference."""
    item = failing((200_000, 10_010), 120_030, blue=200_000)
    design = Design(control="blue", goal="other", guardrails=("buy",))

    (guardrail,) = analysed(item, design).goals

    assert guardrail.verdict.kind is Kind.NOT_HARMED
    assert guardrail.verdict.sentence.endswith("The difference may be larger once “red” is fixed.")


def test_failures_below_one_percent_leave_the_verdict_alone() -> None:
    """They dilute a lift of 10% to 9.9%."""
    found = analysed(failing((20_000, 1250), 199), BLUE)

    assert found.headline.sentence.startswith("“buy”: Choose “red”: it converts")
    assert (found.headline.safe_to_stop, found.doubts, len(found.failed)) == (True, (), 1)


def test_failures_come_before_a_wrong_split() -> None:
    """They may be why visitors are missing. The split outranks every verdict all the same."""
    found = analysed(failing((16_000, 800), 9000), BLUE)

    assert found.headline.kind is Kind.SPLIT_MISMATCH
    first, second = found.doubts
    assert first.startswith("“red” failed for 9,000 of 16,000 visitors (56%)")
    assert second.startswith("Do not trust this: visitors are split")


def only_failures() -> Experiment:
    variants = {"blue": (0, {}), "red": (0, {FAILED_EVENT: 30})}
    return analysed(row("e", variants, (FAILED_EVENT,)), BLUE)


def test_an_experiment_may_have_failures_alone() -> None:
    """If its visitors were not counted."""
    found = only_failures()

    assert (found.headline.kind, found.goals) == (Kind.NO_DATA, ())
    assert [each.name for each in found.failed] == ["red"]
    assert found.is_doubtful


def test_a_variant_may_have_the_name_of_the_event() -> None:
    """Names of variants and of events do not meet."""
    item = row(
        "e",
        {"blue": (2000, {"buy": 100}), FAILED_EVENT: (2000, {"buy": 100, FAILED_EVENT: 3})},
        ("buy", FAILED_EVENT),
    )

    found = analysed(item, BLUE)

    assert [arm.name for arm in found.arms] == ["blue", FAILED_EVENT]
    assert sentences(item) == [
        "“gimel:error” failed for 3 of 2,000 visitors (0.15%): they saw the control."
    ]


def test_a_variant_without_a_weight_raises_no_alarm() -> None:
    """Anyone can make one up, with as many failures as they like."""
    item = row(
        "e",
        {
            "blue": (2000, {"buy": 100}),
            "red": (2000, {"buy": 100}),
            "stray": (3, {FAILED_EVENT: 3}),
        },
        ("buy", FAILED_EVENT),
    )

    found = analysed(item, Design(control="blue", weights={"blue": 1, "red": 1}))

    assert [each.name for each in found.failed] == ["stray"]
    assert not found.is_doubtful
