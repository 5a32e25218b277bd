"""An experiment over time, for plots and tables: what was known at each recorded time, and now.

Describes and decides nothing. The verdict, with the day on which it was reached, comes from
`gimel.analysis.decision`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gimel.analysis import stats
from gimel.analysis.case import Case
from gimel.analysis.counts import Arm
from gimel.analysis.looks import Asked, Earlier, Look, holds, when_contradicted
from gimel.analysis.mixture import Lift, lift_interval
from gimel.analysis.stats import Estimate

_SECONDS_PER_DAY = 86_400
_GAP = 1.5 * _SECONDS_PER_DAY

MOST_MOMENTS = 120
"""The largest number of times at which a goal is described: a plot shows no more."""


@dataclass(frozen=True)
class Moment:
    """The visitors of an experiment at one time.

    Attributes:
        time: In seconds since 1970.
        days: Days since the previous moment; None for the first.
        visitors: The visitors of each arm until then, in the order of the experiment's arms.
        per_day: New visitors of each arm per day since the previous moment. For the first moment,
            since the experiment's first event; None if that is unknown.
        is_after_gap: Whether a day is missing: the previous moment is over 1.5 days ago.
    """

    time: int
    days: float | None
    visitors: tuple[float, ...]
    per_day: tuple[float, ...] | None
    is_after_gap: bool


@dataclass(frozen=True)
class GoalMoment:
    """What was known of a goal at one time.

    Attributes:
        time: In seconds since 1970.
        rates: The conversion rate of each arm until then, in the order of the goal's arms, with its
            fixed-horizon interval; 0 to 1 without visitors.
        lifts: The lift of each arm with its always-valid interval. None for the control.
    """

    time: int
    rates: tuple[Estimate, ...]
    lifts: tuple[Lift | None, ...]


def moments(
    past: Sequence[Earlier], arms: Sequence[Arm], since: int | None, now: int
) -> tuple[Moment, ...]:
    """Return the visitors at the earlier times and now; no moments without variants."""
    if not arms:
        return ()
    found = []
    before: tuple[float, ...] = (0.0,) * len(arms)
    last: int | None = None
    for time, seen in (*((each.time, each.arms) for each in past), (now, arms)):
        visitors = tuple(arm.visitors.value for arm in seen)
        start = since if last is None else last
        days = None if start is None else (time - start) / _SECONDS_PER_DAY
        per_day = None
        if days:
            new = (max(0.0, later - first) for first, later in zip(before, visitors, strict=True))
            per_day = tuple(number / days for number in new)
        is_after_gap = last is not None and time - last > _GAP
        found.append(Moment(time, None if last is None else days, visitors, per_day, is_after_gap))
        before, last = visitors, time
    return tuple(found)


def goal_moments(
    case: Case,
    past: Sequence[Earlier],
    confidence: float,
    reached: int | None,
    most: int = MOST_MOMENTS,
) -> tuple[GoalMoment, ...]:
    """Return what was known of a goal at the earlier times and now.

    At most `most` times are described: the first, the last, that of `reached`, and others
    at equal distances between them. The rates and visitors of an arm without any are 0 to 1.
    """
    chosen = _choose(past, reached, most)
    tracks = [
        _Track(Asked(each.question.lift, each.alpha), case.is_guardrail)
        for each in case.comparisons
    ]
    found = []
    for earlier in chosen:
        control, *others = earlier.arms
        rates = tuple(stats.rate(arm, confidence) for arm in earlier.arms)
        lifts = (
            track.add(earlier, Look(earlier.time, control, arm))
            for track, arm in zip(tracks, others, strict=True)
        )
        found.append(GoalMoment(earlier.time, rates, (None, *lifts)))
    rates = tuple(stats.rate(arm, confidence) for arm in case.arms)
    found.append(GoalMoment(case.now, rates, (None, *(each.lift for each in case.comparisons))))
    return tuple(found)


def _choose(past: Sequence[Earlier], reached: int | None, most: int) -> list[Earlier]:
    """Return at most `most` - 1 of the earlier times."""
    number = most - 2
    if len(past) <= number:
        return list(past)
    kept = {round(index * (len(past) - 1) / (number - 1)) for index in range(number)}
    kept |= {index for index, each in enumerate(past) if each.time == reached}
    return [past[index] for index in sorted(kept)]


class _Track:
    """The lift of one variant from look to look, as it was shown then."""

    def __init__(self, asked: Asked, is_guardrail: bool) -> None:
        self._asked = asked
        self._is_guardrail = is_guardrail
        self._looks: list[Look] = []
        self._lifts: list[Lift] = []

    def add(self, earlier: Earlier, look: Look) -> Lift:
        """Return the lift at a look, with what holds at all looks until then that count."""
        found = lift_interval(look.control, look.arm, self._asked.lift, self._asked.alpha)
        if not (look.control.visitors.value and look.arm.visitors.value):
            return found
        if not earlier.counts(is_guardrail=self._is_guardrail):
            return found
        self._looks.append(look)
        self._lifts.append(found)
        narrowed = _meet(self._lifts)
        if not holds(narrowed):
            last = self._asked.intervals(look)
            first = when_contradicted(self._looks, last, self._asked)
            narrowed = found if first is None else _meet(self._lifts[first:])
        return narrowed if holds(narrowed) else found


def _meet(lifts: Sequence[Lift]) -> Lift:
    """Return the last lift with what all intervals have in common; None is an open end."""
    lows = [lift.low for lift in lifts if lift.low is not None]
    highs = [lift.high for lift in lifts if lift.high is not None]
    return Lift(lifts[-1].value, max(lows, default=None), min(highs, default=None))
