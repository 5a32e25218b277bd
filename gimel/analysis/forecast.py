"""How far an experiment has come, and how much longer it may take: in visitors and in days.

Turns the visitors of two arms (`gimel.analysis.duration`) into those of the whole experiment, at
the split and the pace really seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gimel.analysis.comparison import Comparison
from gimel.analysis.counts import Arm
from gimel.analysis.looks import Earlier

_FEWEST = 10  # conversions and failures of both arms; with fewer, the estimate is mostly chance
_SECONDS_PER_DAY = 86_400
_WEEK = 7 * _SECONDS_PER_DAY
_FEWEST_DAYS = 6.5  # of the last seven, from which their pace is known
_SHORTEST_DAYS = 1  # since the first event, before which the pace is unknown


@dataclass(frozen=True)
class Progress:
    """How far an experiment has come.

    Attributes:
        visitors: The visitors of all variants together.
        days: Days since the first event; None if unknown.
        minimum_days: Days before which no variant is declared the winner.
        planned: Planned visitors of all variants together; None if there is no plan.
        recent: Visitors per day in the last seven days; None if unknown.
    """

    visitors: float
    days: float | None = None
    minimum_days: int = 0
    planned: int | None = None
    recent: float | None = None

    @property
    def days_left(self) -> int:
        """Days until the minimum; 0 if it is reached or the start is unknown."""
        return 0 if self.days is None else max(0, math.ceil(self.minimum_days - self.days))

    @property
    def pace(self) -> float | None:
        """Visitors per day, in the last seven days if they are known; None if it is unknown."""
        if self.recent is not None:
            return self.recent or None
        if self.days is None or self.days < _SHORTEST_DAYS:
            return None
        return self.visitors / self.days

    @property
    def is_idle(self) -> bool:
        """Whether nobody came in the last seven days."""
        return self.recent == 0

    @property
    def is_plan_complete(self) -> bool:
        """Whether all planned visitors have come."""
        return self.planned is not None and self.visitors >= self.planned


@dataclass(frozen=True)
class Span:
    """How much longer something takes, for all variants together.

    Attributes:
        visitors: More visitors.
        days: More days at the pace so far; None if that is unknown.
    """

    visitors: int
    days: int | None


@dataclass(frozen=True)
class Forecast:
    """When an undecided experiment may be decided.

    Attributes:
        variant: The variant that may be the first to win or lose.
        soonest: If its lift is really somewhat larger than observed. None if even that cannot be
            detected.
        latest: If it is somewhat smaller. None: possibly never.
        rule_out: Until all differences of the lift worth detecting are ruled out, if there are
            none. None if that is impossible, or if the fixed-horizon figures show a difference.
    """

    variant: str
    soonest: Span | None
    latest: Span | None
    rule_out: Span | None

    @property
    def is_hopeless(self) -> bool:
        """Whether no number of visitors can answer the question."""
        return self.soonest is None and self.rule_out is None


def recent_pace(
    past: Sequence[Earlier], arms: Sequence[Arm], since: int | None, now: float
) -> float | None:
    """Return the visitors per day of all arms together in the last seven days.

    The number of seven days ago is interpolated between the times before and after. None if nothing
    is known of the time before, or if it is under 6.5 days ago.
    """
    if not past:
        return None
    known = [(each.time, _visitors(each.arms)) for each in past]
    if since is not None and since < known[0][0]:
        known.insert(0, (since, 0.0))
    known.append((int(now), _visitors(arms)))
    start = max(now - _WEEK, known[0][0])
    days = (now - start) / _SECONDS_PER_DAY
    if days < _FEWEST_DAYS:
        return None
    following = next(index for index, (time, _) in enumerate(known) if time > start)
    (time, before), (later, after) = known[following - 1 : following + 1]
    then = before + (after - before) * (start - time) / (later - time)
    return max(0.0, known[-1][1] - then) / days


def _visitors(arms: Sequence[Arm]) -> float:
    return math.fsum(arm.visitors.value for arm in arms)


def estimate(undecided: Sequence[Comparison], progress: Progress) -> Forecast | None:
    """Return the forecast of an experiment; None if there are too few visitors to estimate it.

    `undecided` are comparisons without a winner, at least one. The range is that of the one that
    may be decided first; ruling out waits for all of them.
    """
    if not all(map(_is_estimable, undecided)):
        return None

    def span(
        comparison: Comparison, more: float | None, way: Callable[[float], int]
    ) -> Span | None:
        if more is None:
            return None
        pair = comparison.arm.visitors.value + comparison.control.visitors.value
        visitors = more * progress.visitors / pair
        if progress.pace is None:
            return Span(round(visitors), None)
        visitors = max(visitors, progress.pace * progress.days_left)
        return Span(round(visitors), max(progress.days_left, way(visitors / progress.pace)))

    def order(comparison: Comparison) -> float:
        found = span(comparison, comparison.forecast.soonest, math.floor)
        return math.inf if found is None else found.visitors

    first = min(undecided, key=order)
    ruled_out = [span(each, each.forecast.rule_out, math.ceil) for each in undecided]
    known = [each for each in ruled_out if each is not None]
    is_open = len(known) == len(ruled_out) and not any(each.leaning for each in undecided)
    return Forecast(
        first.arm.name,
        span(first, first.forecast.soonest, math.floor),
        span(first, first.forecast.latest, math.ceil),
        max(known, key=lambda each: each.visitors) if is_open else None,
    )


def _is_estimable(comparison: Comparison) -> bool:
    arms = (comparison.arm, comparison.control)
    reached = math.fsum(arm.rate * arm.visitors.value for arm in arms)
    missed = math.fsum((1 - arm.rate) * arm.visitors.value for arm in arms)
    return min(reached, missed) >= _FEWEST
