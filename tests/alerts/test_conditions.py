"""What is worth an alert, and when it is over."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gimel.alerts.conditions import Kind, Observation, observe
from gimel.analysis.counts import Count, ExperimentCounts, Point
from gimel.analysis.design import Design
from gimel.analysis.experiment import analyse

DAY = 86_400
SINCE = 20_000 * DAY
Cells = Mapping[str, tuple[int, Mapping[str, int]]]
EVEN: Cells = {"blue": (10_000, {"buy": 500}), "red": (10_000, {"buy": 520})}
BETTER: Cells = {"blue": (10_000, {"buy": 500}), "red": (10_000, {"buy": 800})}


def counted(cells: Cells, **options: object) -> ExperimentCounts:
    goals = {goal for _, (_, conversions) in cells.items() for goal in conversions}
    return ExperimentCounts(
        "e",
        {variant: Count(visitors) for variant, (visitors, _) in cells.items()},
        {
            goal: {variant: Count(found.get(goal, 0)) for variant, (_, found) in cells.items()}
            for goal in sorted(goals)
        },
        SINCE,
        **options,  # type: ignore[arg-type]
    )


def seen(counts: ExperimentCounts, design: Design | None = None, days: float = 30) -> Observation:
    now = SINCE + days * DAY
    return observe(analyse(counts, design, now=now), counts, now)


def sentences(observation: Observation) -> list[tuple[Kind, str]]:
    return [(each.kind, each.sentence) for each in observation.conditions.values()]


def test_nothing_to_report_of_an_undecided_experiment() -> None:
    """And nothing of one without visitors."""
    assert seen(counted(EVEN)).conditions == {}
    assert seen(counted({})).conditions == {}


def test_a_verdict_is_sent_from_the_minimum_days_on() -> None:
    """Before, the winner is only ahead."""
    assert seen(counted(BETTER), days=6).conditions == {}
    ((kind, sentence),) = sentences(seen(counted(BETTER), days=7))
    assert kind is Kind.VERDICT
    assert sentence.startswith("“buy”: Choose “red”: it converts 60% better")


def test_a_mixed_result_is_a_verdict_from_the_minimum_days_on() -> None:
    """A variant that wins under one goal and loses under another."""
    cells: Cells = {
        "blue": (10_000, {"buy": 500, "signup": 2000}),
        "red": (10_000, {"buy": 800, "signup": 1500}),
    }
    assert seen(counted(cells), days=6).conditions == {}
    ((kind, sentence),) = sentences(seen(counted(cells), days=7))
    assert kind is Kind.VERDICT
    assert sentence.startswith("Mixed result: ")


def test_a_verdict_of_no_difference_is_a_verdict() -> None:
    """With which the experiment has answered its question."""
    cells: Cells = {"blue": (400_000, {"buy": 40_000}), "red": (400_000, {"buy": 40_010})}
    ((kind, sentence),) = sentences(seen(counted(cells)))
    assert kind is Kind.VERDICT
    assert "No difference of 10% or more" in sentence


def test_a_harmed_guardrail_is_sent_at_once_and_per_variant() -> None:
    """Before the minimum days, and with the sentence of that variant alone."""
    cells: Cells = {
        "blue": (10_000, {"buy": 500, "signup": 2000}),
        "green": (10_000, {"buy": 510, "signup": 1500}),
        "red": (10_000, {"buy": 520, "signup": 1000}),
    }
    design = Design(control="blue", goal="buy", guardrails=("signup",))
    found = seen(counted(cells), design, days=1)
    assert [(each.kind, each.variant, each.goal) for each in found.conditions.values()] == [
        (Kind.HARMED, "green", "signup"),
        (Kind.HARMED, "red", "signup"),
    ]
    green, red = (sentence for _, sentence in sentences(found))
    assert green.startswith("“signup”: “green” converts 25% worse")
    assert red.startswith("“signup”: “red” converts 50% worse")


def test_a_wrong_split_hides_the_verdict() -> None:
    """No figure may be used, so that none is sent."""
    cells: Cells = {"blue": (10_000, {"buy": 500}), "red": (9_000, {"buy": 800})}
    ((kind, sentence),) = sentences(seen(counted(cells)))
    assert kind is Kind.MISMATCH
    assert sentence.startswith("Do not trust this: visitors are split 53/47, expected 50/50")


def test_a_split_that_is_nearly_right_again_is_not_over() -> None:
    """It is over from a p-value of 0.1, so that chance does not begin it again and again."""
    wrong, near, right = (
        seen(counted({"blue": (10_000, {}), "red": (red, {})})) for red in (9_000, 9_550, 9_950)
    )
    key = next(iter(wrong.conditions))
    assert not near.conditions
    assert [each.is_over(key) for each in (wrong, near, right)] == [False, False, True]


@pytest.mark.parametrize(
    ("failed", "holds", "over"), [(99, False, False), (100, True, False), (49, False, True)]
)
def test_a_variant_fails_from_1_percent_and_is_fixed_below_half_of_that(
    failed: int, holds: bool, over: bool
) -> None:
    """The key names the variant."""
    cells = {**EVEN, "red": (10_000, {"buy": 520, "gimel:error": failed})}
    found = seen(counted(cells))
    assert [each.kind for each in found.conditions.values()] == [Kind.FAILS] * holds
    assert found.is_over("variant-fails:::red") is over
    assert found.is_over("variant-fails:::green")


def test_events_lost_to_a_limit_are_sent() -> None:
    """With what to do."""
    found = seen(counted(EVEN, ignored={"limit reached": 1203, "bot": 5}))
    assert sentences(found) == [
        (
            Kind.LIMIT,
            "1,203 events were not counted because a limit was reached. List your experiments in"
            " config.json, or raise its limits.",
        )
    ]


def test_what_was_decided_or_lost_is_never_over() -> None:
    """A verdict that is hidden for a day is not sent again."""
    found = seen(counted(EVEN))
    for key in ("verdict:winner:buy:red", "guardrail-harmed::signup:red", "limit-reached"):
        assert not found.is_over(key)


def point(day: float, visitors: int, goals: int = 0) -> Point:
    """Return a point of an experiment whose visitors and goals are split equally."""
    counts = {variant: Count(visitors) for variant in ("blue", "red")}
    buy = {variant: Count(goals) for variant in ("blue", "red")}
    return Point(int(SINCE + day * DAY), counts, {"buy": buy})


@pytest.mark.parametrize(
    ("history", "days", "is_silent"),
    [
        ([(1, 100), (2, 200), (3, 300)], 3.97, False),
        ([(1, 100), (2, 200), (3, 300)], 3.98, True),
        ([(1, 100), (2, 200), (3, 300), (4, 300)], 5, True),
        ([(1, 100), (2, 200)], 30, False),
        ([(1, 300)], 2, True),
        ([], 30, False),
        ([(1, 299), (2, 300)], 3, True),
        ([(80, 299), (90, 300)], 91, False),
        ([(80, 298), (82, 300)], 86.9, True),
    ],
    ids=[
        "less than a day",
        "a day, within the jitter of a schedule",
        "since the first of equal points",
        "something came since the last point",
        "with one point, from the first event on",
        "without history",
        "at the pace of two days",
        "too few visitors per day for a silence of one day",
        "few visitors per day, but a silence of five days",
    ],
)
def test_silence(history: list[tuple[float, int]], days: float, is_silent: bool) -> None:
    """No visitor and no goal for a day, where by chance that happens once in 1,000 times."""
    counts = counted(
        {"blue": (300, {"buy": 0}), "red": (300, {"buy": 0})},
        history=tuple(point(*each) for each in history),
    )
    found = seen(counts, days=days)
    assert [each.kind for each in found.conditions.values()] == [Kind.SILENCE] * is_silent


def test_the_sentence_of_silence_says_since_when_and_what_was_usual() -> None:
    """The time is that of the last point before which something was counted."""
    history = (point(2, 100), point(3, 300), point(4, 300))
    counts = counted({"blue": (300, {}), "red": (300, {})}, history=history)
    assert sentences(seen(counts, days=5)) == [
        (
            Kind.SILENCE,
            "No new visitor and no goal was counted since 7 October 2024, 00:00 UTC. Before, there"
            " were 200 visitors per day.",
        )
    ]


def test_silence_is_over_when_something_was_counted_and_not_before() -> None:
    """A goal is enough; a history that was lost says nothing."""
    history = (point(2, 100), point(3, 300))
    flat = counted({"blue": (300, {}), "red": (300, {})}, history=history)
    goal = counted({"blue": (300, {"buy": 1}), "red": (300, {})}, history=history)
    lost = counted({"blue": (300, {}), "red": (300, {})})
    over = [seen(each, days=9).is_over("no-events") for each in (flat, goal, lost)]
    assert over == [False, True, False]


def test_keys_of_different_conditions_differ_whatever_the_names() -> None:
    """Anyone may choose a name with a colon."""
    keys = set()
    for variant in ("a", "a:b", "b:a", "a%3Ab", "a:", ":a"):
        cells: Cells = {"blue": (100, {}), variant: (100, {"gimel:error": 50})}
        keys |= set(seen(counted(cells)).conditions)
    assert len(keys) == 6
