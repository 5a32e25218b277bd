"""How long an experiment may still take, at the split and the pace that it really has."""

from __future__ import annotations

import pytest

from gimel.analysis.comparison import Comparison, Question, compare
from gimel.analysis.counts import Arm, Count
from gimel.analysis.forecast import Forecast, Progress, Span, estimate
from tests.support.arms import exact
from tests.support.experiments import pair, verdict


def comparisons(control: Arm, *others: Arm) -> tuple[Comparison, ...]:
    return compare(control, others, Question())


def found(progress: Progress, control: Arm, *others: Arm) -> Forecast:
    """Return the forecast of variants that have enough conversions for one."""
    forecast = estimate(comparisons(control, *others), progress)
    assert forecast is not None
    return forecast


BLUE, RED = exact(1000, 20_000), exact(1080, 20_000)


@pytest.mark.parametrize(
    ("progress", "days_left", "pace"),
    [
        (Progress(700, 3.5, 7), 4, 200),
        (Progress(700, 7, 7), 0, 100),
        (Progress(700, 0.5, 7), 7, None),
        (Progress(700, None, 7), 0, None),
    ],
    ids=["half of the minimum", "all of it", "the first day", "unknown start"],
)
def test_the_pace_is_known_after_a_day(
    progress: Progress, days_left: int, pace: float | None
) -> None:
    """Without a start nothing is known, and nothing has to be waited for."""
    assert (progress.days_left, progress.pace) == (days_left, pace)


@pytest.mark.parametrize(
    ("planned", "is_complete"), [(None, False), (701, False), (700, True), (1, True)]
)
def test_a_plan_is_complete_when_all_visitors_have_come(
    planned: int | None, is_complete: bool
) -> None:
    """Without a plan there is nothing to complete."""
    assert Progress(700, planned=planned).is_plan_complete is is_complete


def test_visitors_become_days_at_the_pace_so_far() -> None:
    """40,000 visitors in ten days are 4,000 a day; a range ends on whole days."""
    forecast = found(Progress(40_000, 10), BLUE, RED)
    soonest, latest, rule_out = forecast.soonest, forecast.latest, forecast.rule_out

    assert soonest is not None
    assert latest is not None
    assert rule_out is not None
    assert soonest.days == soonest.visitors // 4000
    assert latest.days == -(-latest.visitors // 4000)
    assert rule_out.days == -(-rule_out.visitors // 4000)
    assert 0 < soonest.visitors < latest.visitors


def test_visitors_are_those_of_all_variants() -> None:
    """If a third variant gets half of them, the pair that may decide needs twice as many."""
    alone, shared = (found(Progress(total), BLUE, RED) for total in (40_000, 80_000))

    assert alone.soonest is not None
    assert shared.soonest is not None
    assert shared.soonest.visitors == pytest.approx(2 * alone.soonest.visitors, abs=1)
    assert shared.soonest.days is None


def test_the_minimum_is_waited_for() -> None:
    """A range never ends before the minimum days, and has the visitors of these days."""
    forecast = found(Progress(40_000, 2, 30), BLUE, exact(1120, 20_000))

    assert forecast.soonest == Span(28 * 20_000, 28)


def test_the_variant_that_may_be_first_is_named() -> None:
    """Ruling out a lift takes until the last of them."""
    green = Arm("green", Count(10_000), Count(510))
    forecast = found(Progress(50_000), BLUE, RED, green)
    apart = [found(Progress(50_000), BLUE, arm) for arm in (RED, green)]

    assert forecast.variant == "arm"
    assert forecast.rule_out is not None
    assert forecast.rule_out.visitors > max(
        each.rule_out.visitors for each in apart if each.rule_out
    )


def test_nothing_is_ruled_out_while_one_look_shows_a_difference() -> None:
    """There would be no time at which "no difference" may be said."""
    assert found(Progress(40_000), BLUE, exact(1120, 20_000)).rule_out is None


@pytest.mark.parametrize(
    ("blue", "red"),
    [((1, 0), (1, 1)), ((5000, 4), (5000, 5)), ((5000, 4996), (5000, 4997))],
    ids=["two visitors", "nine conversions", "seven failures"],
)
def test_too_few_are_not_estimated(blue: tuple[int, int], red: tuple[int, int]) -> None:
    """After two visitors the verdict once asked for "about 230 more"."""
    found = verdict(pair(blue, red))

    assert found.forecast is None
    assert "There are too few visitors to estimate how long it takes." in found.sentence


@pytest.mark.parametrize(
    ("blue", "red", "more", "soonest"),
    [((6000, 300), (6000, 365), 12_000, 2000), ((20_000, 1000), (20_000, 1098), 66_000, 3000)],
    ids=["12,000", "66,000"],
)
def test_what_was_seen_shortens_the_wait(
    blue: tuple[int, int], red: tuple[int, int], more: int, soonest: int
) -> None:
    """A winner came soon after it was once said to take that many more visitors."""
    forecast = verdict(pair(blue, red), precision="exact").forecast

    assert forecast is not None
    assert forecast.soonest is not None
    assert forecast.soonest.visitors < soonest < more


def test_noise_can_make_it_hopeless() -> None:
    """At precision 1 no number of visitors shows a lift of 1%."""
    noisy = [Count.from_parts({"1": number}) for number in (10**6, 500_000, 500_500)]
    arms = [Arm("blue", noisy[0], noisy[1]), Arm("red", noisy[0], noisy[2])]
    (comparison,) = compare(arms[0], arms[1:], Question(lift=0.01))

    forecast = estimate([comparison], Progress(2 * 10**6))

    assert forecast is not None
    assert forecast.is_hopeless
