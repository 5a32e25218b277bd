"""A variant compared with the control: the always-valid lift, and the fixed-horizon details.

Every statement about a lift, in words, tables, plots and files, comes from the one interval here.
It does not decide anything: `gimel.analysis.decision` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from gimel.analysis import stats
from gimel.analysis.counts import Arm
from gimel.analysis.duration import DecisionRange, decision_range
from gimel.analysis.looks import Asked, Known, Look, combine, when_excluded, when_small
from gimel.analysis.mixture import Lift
from gimel.analysis.stats import Estimate


@dataclass(frozen=True)
class Question:
    """What is asked of every comparison under one goal.

    Attributes:
        confidence: The confidence level of a family of goals, a share of 1.
        goals: The number of goals in the family, which share the error.
        lift: The lift worth detecting.
        is_decrease: Whether fewer conversions are better.
        is_guardrail: Whether the goal must not get worse.
    """

    confidence: float = 0.95
    goals: int = 1
    lift: float = 0.1
    is_decrease: bool = False
    is_guardrail: bool = False

    def alpha(self, comparisons: int) -> float:
        """Return the error of each comparison: all of the family share it (Bonferroni)."""
        return (1 - self.confidence) / max(1, comparisons) / max(1, self.goals)


@dataclass(frozen=True)
class Details:
    """Fixed-horizon figures: they hold for one look on a date chosen in advance.

    Attributes:
        difference: The difference of the rates, with Newcombe's interval.
        lift: The relative lift, with Katz's interval. None while one arm has no conversions.
        p: The p-value of the pooled z-test; 1 if an arm has no visitors.
        p_adjusted: The same, adjusted for the number of variants by Holm's method.
    """

    difference: Estimate
    lift: Estimate | None
    p: float
    p_adjusted: float

    @property
    def sign(self) -> int:
        """1 if an interval is above zero, -1 if one is below, 0 if they contain zero."""
        for estimate in (self.difference, self.lift):
            if estimate and estimate.low > 0:
                return 1
            if estimate and estimate.high < 0:
                return -1
        return 0


@dataclass(frozen=True)
class Comparison:
    """An arm compared with the control.

    Attributes:
        arm: The variant.
        control: The control.
        lift: The lift of the rate with its always-valid interval. With earlier looks that is what
            holds at all of them.
        failures: The same for the visitors who do not convert, if the rate is above 50%; else None.
        details: The fixed-horizon figures.
        question: What is asked.
        alpha: The error of the always-valid interval.
        looks: The looks that the intervals rest on, by time; the last one is now.
        first: The look at which something was first known, if later data disagrees with it; else
            None. The intervals are then those of the data until now.
    """

    arm: Arm
    control: Arm
    lift: Lift
    failures: Lift | None
    details: Details
    question: Question
    alpha: float
    looks: tuple[Look, ...] = field(default=(), repr=False, compare=False)
    first: Look | None = field(default=None, repr=False)

    @property
    def has_visitors(self) -> bool:
        """Whether both arms have visitors."""
        return bool(self.arm.visitors.value and self.control.visitors.value)

    @property
    def disagrees(self) -> bool:
        """Whether later data disagrees with what was decided."""
        return self.first is not None

    @property
    def direction(self) -> int:
        """1 if the variant is better than the control, -1 if worse, 0 if not decided.

        What was decided first stays.
        """
        return self._turned((self.at_first or self).lift.sign)

    @property
    def leaning(self) -> int:
        """The direction that a single look would show, 0 if none."""
        return self._turned(self.details.sign)

    @property
    def is_small(self) -> bool:
        """Whether any difference is smaller than the lift worth detecting."""
        if self.at_first is not None:
            return not self.at_first.lift.sign
        return (self.failures or self.lift).is_within(self.question.lift)

    @property
    def gain(self) -> float:
        """The observed difference of the rates, positive if the variant is better."""
        difference = self.arm.rate - self.control.rate
        return -difference if self.question.is_decrease else difference

    @cached_property
    def at_first(self) -> Comparison | None:
        """The comparison as it was when something was first known; None unless `disagrees`."""
        if self.first is None:
            return None
        (found,) = compare(self.first.control, [self.first.arm], replace(self.question, goals=1))
        lift, failures = self._asked.intervals(self.first)
        return replace(found, lift=lift, failures=failures, alpha=self.alpha)

    @cached_property
    def decided_at(self) -> int | None:
        """The time of the look at which a difference was first known; None if none is."""
        if not self.lift.sign and self.first is None:
            return None
        return self._time(when_excluded(self.looks, self._asked))

    @cached_property
    def small_at(self) -> int | None:
        """The time of the look at which any difference was first known to be small; else None."""
        return self._time(when_small(self.looks, self._asked)) if self.is_small else None

    def leant(self, time: int) -> bool:
        """Return whether the fixed-horizon figures showed a difference at the look of that time."""
        looks = [look for look in self.looks if look.time <= time] or self.looks[:1]
        return bool(_details(looks[-1].control, looks[-1].arm, self.question).sign)

    @cached_property
    def forecast(self) -> DecisionRange:
        """How many more visitors of the two arms a decision takes."""
        return decision_range(self.control, self.arm, self.question.lift, self.alpha)

    @property
    def _asked(self) -> Asked:
        return Asked(self.question.lift, self.alpha)

    def _turned(self, sign: int) -> int:
        return -sign if self.question.is_decrease else sign

    def _time(self, index: int | None) -> int | None:
        """Return the time of a look; that of the last one if only a nearby lift was excluded."""
        if not self.looks:
            return None
        return self.looks[-1 if index is None else index].time


def compare(
    control: Arm,
    others: Sequence[Arm],
    question: Question,
    looks: Sequence[Sequence[Look]] = (),
) -> tuple[Comparison, ...]:
    """Compare each of `others` with the control, in their order.

    The always-valid intervals hold for all comparisons and all goals of the family together. Arms
    without weight take no part in that, since anyone can make up a variant. `looks` are those of
    each arm, by time; the last one has the counts of the arm itself.
    """
    alpha = question.alpha(sum(arm.weight > 0 for arm in others))
    asked = Asked(question.lift, alpha)
    p_values = [stats.p_value(arm, control) for arm in others]
    comparisons = []
    for index, (arm, p, p_adjusted) in enumerate(
        zip(others, p_values, stats.holm(p_values), strict=True)
    ):
        details = replace(_details(control, arm, question), p=p, p_adjusted=p_adjusted)
        intervals = asked.intervals(Look(0, control, arm))
        seen = tuple(looks[index]) if looks else ()
        known = combine(seen, intervals, asked) if len(seen) > 1 else Known(*intervals)
        found = Comparison(
            arm,
            control,
            known.lift,
            known.failures,
            details,
            question,
            alpha,
            seen,
            known.first,
        )
        if question.is_guardrail and found.at_first and found.at_first.direction >= 0:
            found = replace(found, looks=seen[-1:], first=None)  # it may be harmed now
        comparisons.append(found)
    return tuple(comparisons)


def _details(control: Arm, arm: Arm, question: Question) -> Details:
    """Return the fixed-horizon figures without p-values."""
    return Details(
        stats.difference(arm, control, question.confidence),
        stats.lift(arm, control, question.confidence),
        1.0,
        1.0,
    )
