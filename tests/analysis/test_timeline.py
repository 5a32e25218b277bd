"""An experiment over time: visitors per day, the pace, the lift as it was known, and changes."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from gimel.analysis.counts import Point
from gimel.analysis.design import Design
from gimel.analysis.timeline import MOST_MOMENTS
from tests.support.experiments import Variants, experiment, pair
from tests.support.histories import NAMED, START, analysed, day_time, days, point, simulate


def equal(day: float, number: int) -> Point:
    """Return a point with as many visitors in each arm; a tenth of them converted."""
    return point(day, pair((number, number // 10), (number, number // 10)))


def test_a_moment_has_the_visitors_since_the_one_before() -> None:
    """After a missing day they are shared by the days that passed, and the gap is marked."""
    found = analysed([equal(1, 100), equal(2, 160), equal(4, 300)]).moments

    assert [each.time for each in found] == [day_time(1), day_time(2), day_time(4)]
    assert [each.days for each in found] == [None, 1, 2]
    assert [each.visitors for each in found] == [(100, 100), (160, 160), (300, 300)]
    assert [each.per_day for each in found] == [(100, 100), (60, 60), (70, 70)]
    assert [each.is_after_gap for each in found] == [False, False, True]


def test_the_first_day_is_unknown_without_a_start() -> None:
    """Nobody knows in how many days the first visitors came."""
    found = analysed([equal(3, 100), equal(4, 160)], since=None).moments

    assert [each.per_day for each in found] == [None, (60, 60)]


def test_without_a_history_there_is_one_moment() -> None:
    """It is now. Without variants there is none."""
    found = experiment(pair((1000, 100), (1000, 120)), NAMED)

    (moment,), ((goal_moment,),) = found.moments, [goal.moments for goal in found.goals]
    assert (moment.visitors, moment.per_day) == ((1000, 1000), (1000 / 14, 1000 / 14))
    assert goal_moment.lifts == (None, found.goals[0].case.comparisons[0].lift)
    assert experiment({}).moments == ()


@pytest.mark.parametrize("seed", range(3))
def test_the_last_moment_of_each_day_is_what_was_shown_on_that_day(seed: int) -> None:
    """A plot of the lifts shows no other intervals than those of the verdicts."""
    rates = {"blue": 0.1, "red": 0.11}
    points = simulate(random.Random(seed), 20, lambda day: 3000, lambda day, name: rates[name])

    shown = [each.goals[0].case.comparisons[0].lift for each in days(points)]
    found = [each.lifts[1] for each in analysed(points).goals[0].moments]

    assert len(found) == 20
    for ours, theirs in zip(found, shown, strict=True):
        assert ours is not None
        assert ours.value == theirs.value
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-6)


@pytest.mark.parametrize("seed", [2, 3])
def test_many_days_are_thinned_and_the_day_of_the_verdict_is_kept(seed: int) -> None:
    """A year has 120 moments: the first, the last, and that of the verdict are among them."""
    rates = {"blue": 0.1, "red": 0.105}
    points = simulate(random.Random(seed), 365, lambda day: 2000, lambda day, name: rates[name])
    found = analysed(points)

    times = [each.time for each in found.goals[0].moments]

    assert found.headline.reached
    assert len(times) <= MOST_MOMENTS
    assert {points[0].time, points[-1].time, found.headline.reached} <= set(times)
    assert len(found.moments) == 365


def test_the_pace_is_that_of_the_last_seven_days() -> None:
    """Days left follow from the visitors of the last week, not from those of the first."""
    busy = [equal(day, 1000 * day) for day in range(1, 11)]
    quiet = [equal(day, 10_000 + 10 * (day - 10)) for day in range(11, 20)]

    assert analysed(busy).progress.pace == pytest.approx(2000)
    assert analysed([*busy, *quiet]).progress.pace == pytest.approx(20)


@pytest.mark.parametrize(
    ("points", "pace"),
    [
        pytest.param([equal(3, 300)], 200, id="no history"),
        pytest.param([equal(2, 200), equal(5, 500)], 200, id="five days"),
        pytest.param([equal(10, 1000), equal(20, 8000), equal(21, 8700)], 1400, id="a gap"),
        pytest.param([equal(10, 1000), equal(20, 1000), equal(24, 1700)], 200, id="a flat stretch"),
    ],
)
def test_the_pace_needs_no_point_of_seven_days_ago(points: list[Point], pace: float) -> None:
    """What was counted then lies between the points before and after."""
    assert analysed(points).progress.pace == pytest.approx(pace)


def test_nobody_in_the_last_week_is_said() -> None:
    """There are no days left to give, so the visitors that are needed are given alone."""
    points = [equal(8, 1000), equal(20, 1000)]

    found = analysed(points).headline

    assert found.sentence.startswith("“buy”: Not decided yet, and no visitors in the last 7 days.")
    assert "day" not in found.sentence.removeprefix(
        "“buy”: Not decided yet, and no visitors in the last 7 days."
    )


@pytest.mark.parametrize("begin", [25, 40])
def test_a_mismatch_is_dated_to_the_day_on_which_it_began(begin: int) -> None:
    """Red loses visitors from then on. The date is right to two days, and is in the sentence."""
    points = simulate(
        random.Random(begin),
        60,
        lambda day: 2000,
        lambda day, name: 0.1,
        lambda day: 0.5 if day < begin else 0.4,
    )

    found = analysed(points)

    assert found.split.is_mismatch
    assert found.mismatch_since is not None
    assert abs(found.mismatch_since - day_time(begin)) <= 2 * 86_400
    months = {25: "January", 40: "February"}
    assert "It began about " in found.headline.sentence
    assert f"{months[begin]} 2026." in found.headline.sentence
    assert all(goal.verdict.sentence == found.headline.sentence for goal in found.goals)


def test_a_mismatch_from_the_beginning_has_the_date_of_the_first_event() -> None:
    """The sentence reads as without a history; an experiment without a mismatch has no date."""
    points = simulate(
        random.Random(2), 20, lambda day: 2000, lambda day, name: 0.1, lambda day: 0.4
    )

    found = analysed(points)

    assert found.mismatch_since == START
    assert "began" not in found.headline.sentence
    assert analysed([equal(1, 100), equal(9, 900)]).mismatch_since is None


def test_a_mismatch_is_dated_without_goals_as_well() -> None:
    """The headline of an experiment without goals has the same date."""

    def seen(day: int, blue: int, red: int) -> Point:
        return point(day, {"blue": (blue, {}), "red": (red, {})})

    found = analysed([seen(1, 1000, 1000), seen(5, 5000, 5000), seen(9, 9000, 6000)])

    assert found.mismatch_since == day_time(5)
    assert found.headline.sentence.endswith("It began about 6 January 2026.")


def novel(first: float, later: float, turn: int = 30) -> list[Point]:
    """Return 60 days with a lift that changes on one of them."""

    def rate(day: int, name: str) -> float:
        return 0.1 * (1 + (first if day < turn else later)) if name == "red" else 0.1

    return simulate(random.Random(3), 60, lambda day: 4000, rate)


def test_a_lift_that_wears_off_is_hinted_at() -> None:
    """The first half of the visitors is compared with the second."""
    (goal,) = analysed(novel(0.2, 0)).goals

    assert goal.novelty is not None
    assert goal.novelty.variant == "red"
    assert abs(goal.novelty.turned - day_time(30)) <= 86_400
    assert goal.novelty.first == pytest.approx(0.2, abs=0.05)
    assert goal.novelty.second == pytest.approx(0, abs=0.05)
    assert goal.novelty.sentence.startswith("The lift of “red” fell from +")
    assert goal.novelty.sentence.endswith(" in the second. A novelty may wear off.")


def test_a_lift_that_comes_late_is_hinted_at() -> None:
    """Visitors may have to get used to something."""
    (goal,) = analysed(novel(0, 0.2)).goals

    assert goal.novelty is not None
    assert " rose from " in goal.novelty.sentence
    assert goal.novelty.sentence.endswith("Visitors may have to get used to it.")


@pytest.mark.parametrize("lift", [0, 0.2])
def test_a_lift_that_stays_is_no_novelty(lift: float) -> None:
    """Neither a difference nor none, on any day."""
    for found in days(novel(lift, lift)[:40]):
        assert found.goals[0].novelty is None


def test_a_few_days_hint_at_nothing() -> None:
    """Each half has about a week, because weekdays differ: twelve days are too few."""
    points = novel(0.2, 0)
    fast = [replace(each, time=START + 17_280 * day) for day, each in enumerate(points, 1)]

    assert analysed(points).goals[0].novelty is not None
    assert analysed(fast).goals[0].novelty is None


def test_a_goal_that_came_later_and_a_variant_without_visitors_have_moments() -> None:
    """Before that the rate is anything from 0 to 1, and nothing is known of the lift."""
    before: Variants = {"blue": (1000, {}), "red": (0, {})}
    after: Variants = {"blue": (2000, {"buy": 100}), "red": (900, {"buy": 50})}
    design = Design(control="blue", weights={"blue": 1})

    first, last = analysed([point(8, before), point(9, after)], design).goals[0].moments

    assert (first.rates[1].low, first.rates[1].high) == (0, 1)
    assert first.lifts[1] is not None
    assert (first.lifts[1].value, first.lifts[1].low, first.lifts[1].high) == (None, None, None)
    assert last.lifts[1] is not None
    assert last.lifts[1].value is not None
