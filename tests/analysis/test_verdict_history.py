"""A verdict that was reached stays, with its date, and says when later data disagrees."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from gimel.analysis.counts import Point
from gimel.analysis.design import Design
from gimel.analysis.experiment import Experiment, analyse
from gimel.analysis.verdict import Kind, Verdict
from tests.support.experiments import Variants, pair
from tests.support.histories import (
    NAMED,
    START,
    analysed,
    counted,
    day_time,
    days,
    point,
    simulate,
)


def headline(*points: Point, design: Design = NAMED) -> Verdict:
    return analysed(points, design).headline


def on(day: float, blue: tuple[int, int], red: tuple[int, int]) -> Point:
    return point(day, pair(blue, red))


WON = on(11, (20_000, 2000), (20_000, 2240))
NO_LONGER = on(24, (40_000, 4000), (40_000, 4230))
WORN_OFF = on(60, (200_000, 20_000), (200_000, 20_100))


def test_a_winner_of_an_earlier_day_stays_with_its_date() -> None:
    """The data until now alone would say "not decided"."""
    assert headline(NO_LONGER).kind is not Kind.WINNER

    found = headline(WON, NO_LONGER)

    assert (found.kind, found.variant, found.reached) == (Kind.WINNER, "red", day_time(11))
    assert found.safe_to_stop
    assert not found.disagrees
    assert found.sentence == (
        "“buy”: Choose “red”: it converts 5.7% better than “blue” (2.4% to 13% better). Known since"
        " 12 January 2026. Safe to stop."
    )


def test_a_verdict_of_today_has_no_date_in_words() -> None:
    """Without earlier looks, or if it was reached today, everything reads as before."""
    alone, later = headline(WON), headline(on(10, (1000, 100), (1000, 110)), WON)

    assert alone == later
    assert alone.reached == day_time(11)
    assert "Known since" not in alone.sentence


def test_later_data_that_disagrees_is_named_beside_what_was_decided() -> None:
    """A novelty wore off: the verdict stays, but nothing is safe to stop at."""
    found = headline(WON, WORN_OFF)

    assert (found.kind, found.reached) == (Kind.WINNER, day_time(11))
    assert (found.better, found.disagrees) == (("red",), ("red",))
    assert not found.safe_to_stop
    assert found.sentence == (
        "“buy”: “red” converted 12% better than “blue” (2.4% to 23% better) on 12 January 2026, but"
        " later data disagrees (now +0.5%: 2.6% worse to 3.7% better)."
    )


def test_what_was_better_first_is_not_said_to_be_worse() -> None:
    """Even if all data together decides the opposite, the first decision is named first."""
    found = headline(WON, on(60, (400_000, 40_000), (400_000, 37_000)))

    assert (found.better, found.worse, found.disagrees) == (("red",), (), ("red",))
    assert "but later data disagrees (now −7.5%: 5.3% to 9.6% worse)" in found.sentence


def test_a_guardrail_is_harmed_as_soon_as_any_data_says_so() -> None:
    """It was better first. Harm that follows is not hidden by that, nor is what may be harm."""
    design = Design(control="blue", goal="signup", guardrails=("buy",))
    better = {"blue": (20_000, {"buy": 2000}), "red": (20_000, {"buy": 2400})}
    worse = {"blue": (400_000, {"buy": 40_000}), "red": (400_000, {"buy": 37_000})}
    signup = {name: (n, {**goals, "signup": 4000}) for name, (n, goals) in worse.items()}

    found = headline(point(11, better), point(60, signup), design=design)

    assert found.kind is Kind.HARMED
    assert found.reached == day_time(60)
    assert "Guardrail “buy” is harmed: “red” converts 7.5% worse" in found.sentence

    unknown = {"blue": (24_000, {"buy": 2400}), "red": (24_000, {"buy": 2300})}
    (goal,) = analysed([point(11, better), point(60, unknown)], design).goals
    assert goal.verdict.kind is Kind.TOO_EARLY
    assert not goal.verdict.disagrees


def test_harm_stays_if_later_data_disagrees() -> None:
    """A guardrail that was harmed first is not said to be unharmed."""
    design = Design(control="blue", goal="signup", guardrails=("buy",))
    harmed = {"blue": (20_000, {"buy": 2000}), "red": (20_000, {"buy": 1600})}
    after = {"blue": (400_000, {"buy": 40_000}), "red": (400_000, {"buy": 39_900})}
    signup = {name: (n, {**goals, "signup": 4000}) for name, (n, goals) in after.items()}

    found = headline(point(11, harmed), point(60, signup), design=design)

    assert (found.kind, found.reached) == (Kind.HARMED, day_time(11))
    assert found.sentence.startswith(
        "Guardrail “buy” is harmed: “red” converted 20% worse than “blue” (12% to 28% worse) on 12"
        " January 2026, but later data disagrees (now "
    )


def test_harm_is_dated_before_the_minimum_days() -> None:
    """It is reported at once, and so it stays from the day on which it was first known."""
    design = Design(control="blue", goal="signup", guardrails=("buy",))

    def both(buy: int, number: int) -> Variants:
        return {
            "blue": (number, {"buy": number // 10, "signup": number // 20}),
            "red": (number, {"buy": buy, "signup": number // 20}),
        }

    found = headline(point(2, both(1600, 20_000)), point(9, both(3800, 40_000)), design=design)

    assert (found.kind, found.reached) == (Kind.HARMED, day_time(2))


def test_days_before_the_minimum_decide_nothing_later() -> None:
    """A difference at the weekend alone does not win once the whole week is known."""
    weekend, week = on(2, (20_000, 2000), (20_000, 2300)), on(8, (80_000, 8000), (80_000, 8240))
    assert headline(weekend).kind is Kind.AHEAD
    assert headline(weekend).reached is None

    found = headline(weekend, week)
    assert (found.kind, found.reached) == (Kind.SMALL_DIFFERENCE, None)
    assert found == replace(headline(week), forecast=found.forecast, sentence=found.sentence)


def test_a_start_that_nobody_knows_keeps_nothing_waiting() -> None:
    """All recorded days count then."""
    found = analysed([WON, NO_LONGER], since=None).headline

    assert (found.kind, found.reached) == (Kind.WINNER, day_time(11))


def test_the_control_wins_on_the_day_on_which_the_last_variant_lost() -> None:
    """The dates of the variants differ; the verdict needs all of them."""
    first = {
        "blue": (9000, {"buy": 900}),
        "red": (9000, {"buy": 700}),
        "pink": (9000, {"buy": 870}),
    }
    second = {name: (3 * n, {"buy": 3 * goals["buy"]}) for name, (n, goals) in first.items()}
    second["pink"] = (27_000, {"buy": 2300})
    third = {name: (2 * n, {"buy": 2 * goals["buy"]}) for name, (n, goals) in second.items()}

    found = headline(point(8, first), point(9, second), point(12, third))

    assert (found.kind, found.reached) == (Kind.CONTROL_WINS, day_time(9))
    assert found.sentence.startswith("“buy”: Keep “blue” (control): every variant is worse.")
    assert found.sentence.endswith("Known since 10 January 2026. Safe to stop.")


SAME = on(20, (100_000, 10_000), (100_000, 10_050))
LEANS = on(30, (150_000, 15_000), (150_000, 15_330))


def test_no_difference_stays_even_if_a_single_look_shows_one() -> None:
    """It is still below 10%. Without the earlier day it would be called small, and not decided."""
    assert headline(LEANS).kind is Kind.SMALL_DIFFERENCE

    found = headline(SAME, LEANS)

    assert (found.kind, found.reached) == (Kind.NO_DIFFERENCE, day_time(20))
    assert found.safe_to_stop
    assert found.sentence.endswith("Known since 21 January 2026. Safe to stop.")


def test_no_difference_with_which_later_data_disagrees() -> None:
    """The decision stays and is not safe to stop at. It does not say that red wins."""
    found = headline(SAME, on(90, (300_000, 30_000), (300_000, 36_000)))

    assert (found.kind, found.reached) == (Kind.NO_DIFFERENCE, day_time(20))
    assert (found.better, found.disagrees) == ((), ("red",))
    assert not found.safe_to_stop
    assert found.sentence == (
        "“buy”: No difference of 10% or more was found on 21 January 2026, but later data"
        " disagrees: “red” now +20%: 17% to 23% better."
    )


def test_a_small_difference_can_still_win() -> None:
    """ "No difference of 10%" and "3% better" do not contradict each other."""
    found = headline(SAME, on(90, (900_000, 90_000), (900_000, 92_500)))

    assert (found.kind, found.reached) == (Kind.WINNER, day_time(90))
    assert found.safe_to_stop


def test_another_winner_is_chosen_if_later_data_disagrees_with_one() -> None:
    """The other one is named first, but nothing is safe to stop at."""

    def three(number: int, red: int, green: int) -> Variants:
        share = number // 10
        return {
            "blue": (number, {"buy": share}),
            "red": (number, {"buy": red}),
            "green": (number, {"buy": green}),
        }

    first, second = three(20_000, 2600, 2280), three(200_000, 20_400, 22_400)

    found = headline(point(9, first), point(60, second))

    assert (found.variant, found.disagrees) == ("green", ("red",))
    assert not found.safe_to_stop
    assert "(8.4% to 16% better). Later data disagrees that “red” is better." in found.sentence
    assert "also better" not in found.sentence


@pytest.mark.parametrize("goal", ["first", "second"])
def test_a_conflict_is_dated_to_the_day_on_which_both_sides_were_known(goal: str) -> None:
    """Red wins under one goal from day 9 on, and loses under the other from day 20 on."""
    other = {"first": "second", "second": "first"}[goal]

    def both(number: int, won: int, lost: int) -> Variants:
        return {
            "blue": (number, {goal: number // 10, other: number // 10}),
            "red": (number, {goal: won, other: lost}),
        }

    found = analysed(
        [
            point(9, both(20_000, 2400, 1900)),
            point(20, both(40_000, 4800, 3400)),
            point(25, both(50_000, 6000, 4250)),
        ]
    )

    assert {each.verdict.kind for each in found.goals} == {Kind.CONFLICT}
    assert found.headline.kind is Kind.CONFLICT
    assert {each.verdict.reached for each in found.goals} == {day_time(20)}


def test_a_look_that_could_not_be_trusted_decides_nothing() -> None:
    """On day 11 the split was wrong, so nothing was decided on that day."""
    wrong = on(11, (20_000, 2000), (18_000, 2016))

    assert headline(wrong).kind is Kind.SPLIT_MISMATCH
    assert headline(wrong, NO_LONGER).kind is headline(NO_LONGER).kind is Kind.TOO_EARLY


def test_a_mismatch_hides_a_verdict_and_gives_it_back() -> None:
    """While the split is wrong nothing is said; afterwards the verdict has its old date."""
    wrong = on(15, (30_000, 3000), (27_600, 2970))

    assert headline(WON, wrong).kind is Kind.SPLIT_MISMATCH
    assert headline(WON, wrong, NO_LONGER).reached == day_time(11)


def test_a_variant_and_a_goal_that_came_later_have_no_earlier_looks() -> None:
    """Days without visitors in both arms, or without the goal, decide nothing."""
    early = point(8, {"blue": (20_000, {})})
    late = point(20, {"blue": (40_000, {"buy": 4000}), "red": (0, {})})

    found = analysed([early, late, WON], Design(control="blue", weights={"blue": 1, "red": 0}))

    assert found.headline.kind is Kind.SINGLE_VARIANT


def test_fewer_conversions_are_followed_in_their_own_direction() -> None:
    """Refunds that rose from day 11 on: the control was better since then."""
    design = replace(NAMED, decrease=("buy",))

    found = headline(WON, NO_LONGER, design=design)
    changed = headline(WON, WORN_OFF, design=design)

    assert (found.kind, found.reached) == (Kind.CONTROL_WINS, day_time(11))
    assert changed.sentence == (
        "“buy”: “red” had a rate 12% higher (2.4% to 23% higher; lower is better) on 12 January"
        " 2026, but later data disagrees (now +0.5%: 2.6% lower to 3.7% higher)."
    )


def test_points_after_now_or_before_the_start_are_no_looks() -> None:
    """The clock of a server may have been wrong."""
    counts = counted([replace(WON, time=START - 1), NO_LONGER])
    ahead = replace(counts, history=(replace(WON, time=NO_LONGER.time + 9),))

    for each in (counts, ahead):
        assert analyse(each, NAMED, now=NO_LONGER.time).headline == headline(NO_LONGER)


def first_decisions(experiments: list[Experiment]) -> list[tuple[str, int | None, bool]]:
    """Return the day-to-day verdicts from the first decision on: kind, date, safe to stop."""
    verdicts = [each.headline for each in experiments]
    start = next((day for day, each in enumerate(verdicts) if each.reached), len(verdicts))
    return [(each.kind.value, each.reached, each.safe_to_stop) for each in verdicts[start:]]


@pytest.mark.parametrize("seed", range(4))
def test_a_decision_is_never_taken_back(seed: int) -> None:
    """Day by day, +10% for six weeks: once decided, it stays so with the same date."""
    points = simulate(
        random.Random(seed), 42, lambda day: 4000, lambda day, name: 0.11 if name == "red" else 0.1
    )

    found = first_decisions(list(days(points)))

    assert len(set(found)) <= 1


def test_weekdays_decide_nothing_before_the_minimum_days() -> None:
    """A variant that converts at weekends only: the first six days begin with one."""

    def rate(day: int, name: str) -> float:
        return 0.3 if name == "red" and day % 7 < 2 else 0.1

    points = simulate(random.Random(1), 7, lambda day: 3000, rate)

    found = [each.headline for each in days(points)]

    assert [each.kind for each in found[:3]].count(Kind.AHEAD) >= 2
    assert not any(each.safe_to_stop or each.reached for each in found[:6])


def test_equal_variants_are_rarely_told_apart_in_six_weeks_of_daily_looks() -> None:
    """In at most 5% of experiments at any look; what was found is still known at the last one."""
    generator = random.Random(16)
    found = [
        analysed(simulate(generator, 42, lambda day: 3000, lambda day, name: 0.1)).headline
        for _ in range(100)
    ]

    wrong = [each for each in found if each.better or each.worse]
    disputed = [each for each in found if each.disagrees]
    assert len(wrong) <= 5
    assert len(disputed) <= 2
    assert sum(each.kind is Kind.NO_DIFFERENCE for each in found) > 75
