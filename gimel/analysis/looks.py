"""Two arms at several looks: what held at all of them, and when it was first known.

An always-valid interval contains the true lift at every look, with the confidence given for all of
them together. So the true lift is also in their intersection, whichever looks were taken: what was
excluded once stays excluded. If the observed lift is not in it, later data disagrees with earlier
data: the lift was not the same all the time, unless the intersection is wrong, which is as rare as
for any of the intervals.

Knows arms, and nothing of designs, verdicts or words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gimel.analysis.counts import Arm
from gimel.analysis.failures import FailurePair, failure_interval
from gimel.analysis.mixture import FARTHEST, Lift, Pair, crossing, lift_interval

_DISTANT = 0.5  # a log lift beyond which the evidence may fall again
_Evidence = Callable[[float], float]


@dataclass(frozen=True)
class Look:
    """The counts of two arms at one time, both with visitors.

    Attributes:
        time: In seconds since 1970.
        control: The control.
        arm: The variant.
    """

    time: int
    control: Arm
    arm: Arm

    @property
    def is_mostly_reached(self) -> bool:
        """Whether the pooled rate is above one half: the change of the failures is shown, too."""
        visitors = self.arm.visitors.value + self.control.visitors.value
        converted = sum(each.rate * each.visitors.value for each in (self.arm, self.control))
        return converted > visitors / 2


@dataclass(frozen=True)
class Earlier:
    """All arms at an earlier time.

    Attributes:
        time: In seconds since 1970.
        arms: The arms, the control first.
        is_trusted: Whether the split was right.
        is_young: Whether the minimum days had not passed.
    """

    time: int
    arms: tuple[Arm, ...]
    is_trusted: bool
    is_young: bool

    def counts(self, *, is_guardrail: bool) -> bool:
        """Return whether a verdict rests on this look, too."""
        is_conversion = all(arm.is_conversion for arm in self.arms)
        return self.is_trusted and is_conversion and (is_guardrail or not self.is_young)


@dataclass(frozen=True)
class Asked:
    """What every look is asked.

    Attributes:
        lift: The lift worth detecting.
        alpha: The error of the always-valid interval.
    """

    lift: float
    alpha: float

    def intervals(self, look: Look) -> tuple[Lift, Lift | None]:
        """Return the lift at one look, and above a rate of 50% the change of the failures."""
        lift = lift_interval(look.control, look.arm, self.lift, self.alpha)
        if not look.is_mostly_reached:
            return lift, None
        return lift, failure_interval(look.control, look.arm, self.lift, self.alpha)


@dataclass(frozen=True)
class Known:
    """What is known of a lift after several looks.

    Attributes:
        lift: The observed lift, with the interval that holds at all looks.
        failures: The same for the failures, if the rate is above 50%; else None.
        first: The look at which something was first known, if a later one disagrees with it; else
            None. The intervals are then those of the last look.
    """

    lift: Lift
    failures: Lift | None
    first: Look | None = None


def combine(looks: Sequence[Look], last: tuple[Lift, Lift | None], asked: Asked) -> Known:
    """Return what is known after these looks, by time; `last` are the intervals of the last one."""
    if found := _intersect(looks, last, asked):
        return found
    first = when_contradicted(looks, last, asked)
    if first is not None:
        return _intersect(looks[first:], last, asked) or Known(*last, looks[first])
    if when_small(looks, asked) is None:
        return Known(*last)
    lift, failures = last  # still small: what is larger stays excluded
    if failures is None:
        return Known(_clip(lift, asked.lift), None)
    return Known(lift, _clip(failures, asked.lift))


def _clip(lift: Lift, limit: float) -> Lift:
    """Return a lift whose interval ends at a limit on both sides."""
    low = -1.0 if lift.low is None else lift.low
    high = limit if lift.high is None else min(lift.high, limit)
    return Lift(lift.value, max(low, -limit), high)


def when_contradicted(
    looks: Sequence[Look], last: tuple[Lift, Lift | None], asked: Asked
) -> int | None:
    """Return the first look with a finding that may be wrong, given that some look excluded `last`.

    The finding is that there is a difference, or that it is small if it is not small now. None if
    there is neither: nothing was said that could be wrong.
    """
    excluded = when_excluded(looks, asked)
    observed = (last[1] or last[0]).value
    if observed is None or abs(observed) > asked.lift:
        small = when_small(looks, asked)
        if small is not None and (excluded is None or small < excluded):
            return small
    return excluded


def when_excluded(looks: Sequence[Look], asked: Asked) -> int | None:
    """Return the first look that excludes a lift of 0; None if none does."""
    threshold = -math.log(asked.alpha)
    for index, look in enumerate(looks):
        if Pair.of(look.control, look.arm, asked.lift).log_evidence(0.0) > threshold:
            return index
    return None


def when_small(looks: Sequence[Look], asked: Asked) -> int | None:
    """Return the first look after which any difference is below the lift worth detecting."""
    threshold = -math.log(asked.alpha)
    ends = {side: math.log1p(side * asked.lift) for side in (-1, 1) if side * asked.lift > -1}
    for index, look in enumerate(looks):
        evidence, estimate = _evidence(look, asked, look.is_mostly_reached)
        for side, end in tuple(ends.items()):
            if side * (end - estimate) > 0 and evidence(end) > threshold:
                del ends[side]
        if not ends:
            return index
    return None


def _intersect(looks: Sequence[Look], last: tuple[Lift, Lift | None], asked: Asked) -> Known | None:
    """Return what holds at all looks; None if what is observed now is not in it."""
    lift = _narrow(last[0], looks[:-1], asked, is_failures=False)
    failures = last[1]
    if failures is not None:
        reached = [look for look in looks[:-1] if look.is_mostly_reached]
        failures = _narrow(failures, reached, asked, is_failures=True)
        if failures is None:
            return None
    return None if lift is None else Known(lift, failures)


def _narrow(
    interval: Lift, earlier: Sequence[Look], asked: Asked, *, is_failures: bool
) -> Lift | None:
    """Return the part of an interval that no earlier look excludes; None if its value is not in it.

    The latest of them come first: their intervals are usually the narrowest.
    """
    low, high = interval.low, interval.high
    for look in reversed(earlier):
        evidence, estimate = _evidence(look, asked, is_failures)
        low = _nearer(evidence, estimate, -1, low, asked.alpha)
        high = _nearer(evidence, estimate, 1, high, asked.alpha)
        if low is not None and high is not None and low > high:
            return None
    narrowed = Lift(interval.value, low, high)
    return narrowed if narrowed == interval or holds(narrowed) else None


def holds(lift: Lift) -> bool:
    """Return whether an interval contains its value, or that is unknown."""
    if lift.value is None:
        return lift.low is None or lift.high is None or lift.low <= lift.high
    is_above = lift.low is None or lift.low <= lift.value
    return is_above and (lift.high is None or lift.value <= lift.high)


def _evidence(look: Look, asked: Asked, is_failures: bool) -> tuple[_Evidence, float]:
    """Return ln E of a candidate log lift, or log change of failures, and the estimate of it."""
    if is_failures:
        failures = FailurePair.of(look.control, look.arm, asked.lift)
        return failures.log_evidence, failures.failed.log_lift
    pair = Pair.of(look.control, look.arm, asked.lift)
    return pair.log_evidence, pair.log_lift


def _nearer(
    log_evidence: _Evidence, estimate: float, side: int, end: float | None, alpha: float
) -> float | None:
    """Return `end`, or the nearest excluded lift if that is nearer to the estimate.

    `end` is an end of the interval of another look, None if that is open. Far quicker than
    `nearest_excluded` where `end` is not excluded, as usual. It may miss a nearer one then: the
    interval is wider than the intersection, and holds all the same.
    """
    threshold = -math.log(alpha)

    def evidence(distance: float) -> float:
        return log_evidence(estimate + side * distance) - threshold

    to_end = FARTHEST if end is None or end <= -1 else side * (math.log1p(end) - estimate)
    to_zero = -side * estimate
    distances = [to_end, to_zero] if to_end > _DISTANT and to_zero < to_end else [to_end]
    for distance in distances:
        if 0 < distance < FARTHEST and evidence(distance) > 0:
            return math.expm1(estimate + side * crossing(evidence, 0.0, distance))
    return end
