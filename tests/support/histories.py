"""Made-up experiments with a history: the counts of each day, and what the analysis makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

from gimel.analysis.counts import Count, ExperimentCounts, Point
from gimel.analysis.design import Design
from gimel.analysis.experiment import Experiment, analyse
from tests.support.experiments import SECONDS_PER_DAY, Variants

START = 1_767_225_600
"""1 January 2026, 0:00 UTC: when these experiments begin."""

NAMED = Design(control="blue")


def day_time(day: float) -> int:
    """Return the time at the end of a day; the first day is 1."""
    return START + round(day * SECONDS_PER_DAY)


def point(day: float, variants: Variants, precision: str = "exact") -> Point:
    """Return what was counted until the end of a day."""
    goals = sorted({goal for _, conversions in variants.values() for goal in conversions})
    return Point(
        day_time(day),
        {name: Count.from_parts({precision: number}) for name, (number, _) in variants.items()},
        {
            goal: {
                name: Count.from_parts({precision: found[goal]})
                for name, (_, found) in variants.items()
                if goal in found
            }
            for goal in goals
        },
    )


def counted(points: Sequence[Point], since: int | None = START) -> ExperimentCounts:
    """Return the counts of an experiment whose last point is now."""
    *history, now = points
    return ExperimentCounts("e", now.visitors, now.goals, since, history=tuple(history))


def analysed(
    points: Sequence[Point], design: Design = NAMED, *, since: int | None = START
) -> Experiment:
    """Return the experiment at the time of the last point."""
    return analyse(counted(points, since), design, now=points[-1].time)


def days(points: Sequence[Point], design: Design = NAMED) -> Iterator[Experiment]:
    """Yield the experiment as it was analysed after each day."""
    for index in range(len(points)):
        yield analysed(points[: index + 1], design)


def simulate(
    random: Random,
    number: int,
    per_day: Callable[[int], int],
    rate: Callable[[int, str], float],
    share: Callable[[int], float] = lambda day: 0.5,
) -> list[Point]:
    """Return the points of a number of days with the goal "buy", counted exactly.

    `per_day`, `rate` and `share` (that of red) depend on the day, which begins at 0.
    """
    visitors, bought = {"blue": 0, "red": 0}, {"blue": 0, "red": 0}
    points = []
    for day in range(number):
        red = _binomial(random, per_day(day), share(day))
        for name, more in (("blue", per_day(day) - red), ("red", red)):
            visitors[name] += more
            bought[name] += _binomial(random, more, rate(day, name))
        points.append(
            point(day + 1, {name: (visitors[name], {"buy": bought[name]}) for name in visitors})
        )
    return points


def _binomial(random: Random, trials: int, rate: float) -> int:
    """Return a number of successes; of many trials by the normal approximation."""
    if trials * min(rate, 1 - rate) < 30:
        return sum(random.random() < rate for _ in range(trials))
    found = round(random.gauss(trials * rate, (trials * rate * (1 - rate)) ** 0.5))
    return max(0, min(trials, found))
