"""A variant compared with the control: the always-valid lift, and the fixed-horizon details.

Every statement about a lift, in words, tables, plots and files, comes from the one interval here.
It does not decide anything: `gimel.analysis.decision` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from gimel.analysis import stats
from gimel.analysis.counts import Arm
from gimel.analysis.duration import DecisionRange, decision_range
from gimel.analysis.failures import failure_interval
from gimel.analysis.mixture import Lift, lift_interval
from gimel.analysis.stats import Estimate


@dataclass(frozen=True)
class Question:
    """What is asked of every comparison under one goal.

    Attributes:
        confidence: The confidence level of a family of goals, a share of 1.
        goals: The number of goals in the family, which share the error.
        lift: The lift worth detecting.
        is_decrease: Whether fewer conversions are better.
    """

    confidence: float = 0.95
    goals: int = 1
    lift: float = 0.1
    is_decrease: bool = False

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
        lift: The lift of the rate with its always-valid interval.
        failures: The same for the visitors who do not convert, if the rate is above 50%; else None.
        details: The fixed-horizon figures.
        question: What is asked.
        alpha: The error of the always-valid interval.
        disagrees: Whether later data disagrees with what was decided. The lift is then that of the
            data until now.
    """

    arm: Arm
    control: Arm
    lift: Lift
    failures: Lift | None
    details: Details
    question: Question
    alpha: float
    disagrees: bool = False

    @property
    def has_visitors(self) -> bool:
        """Whether both arms have visitors."""
        return bool(self.arm.visitors.value and self.control.visitors.value)

    @property
    def direction(self) -> int:
        """1 if the variant is better than the control, -1 if worse, 0 if not decided."""
        return -self.lift.sign if self.question.is_decrease else self.lift.sign

    @property
    def leaning(self) -> int:
        """The direction that a single look would show, 0 if none."""
        return -self.details.sign if self.question.is_decrease else self.details.sign

    @property
    def is_small(self) -> bool:
        """Whether any difference is smaller than the lift worth detecting."""
        return (self.failures or self.lift).is_within(self.question.lift)

    @property
    def gain(self) -> float:
        """The observed difference of the rates, positive if the variant is better."""
        difference = self.arm.rate - self.control.rate
        return -difference if self.question.is_decrease else difference

    @cached_property
    def forecast(self) -> DecisionRange:
        """How many more visitors of the two arms a decision takes."""
        return decision_range(self.control, self.arm, self.question.lift, self.alpha)


def compare(control: Arm, others: Sequence[Arm], question: Question) -> tuple[Comparison, ...]:
    """Compare each of `others` with the control, in their order.

    The always-valid intervals hold for all comparisons and all goals of the family together. Arms
    without weight take no part in that, since anyone can make up a variant.
    """
    alpha = question.alpha(sum(arm.weight > 0 for arm in others))
    p_values = [stats.p_value(arm, control) for arm in others]
    comparisons = []
    for arm, p, p_adjusted in zip(others, p_values, stats.holm(p_values), strict=True):
        lift = lift_interval(control, arm, question.lift, alpha)
        details = Details(
            stats.difference(arm, control, question.confidence),
            stats.lift(arm, control, question.confidence),
            p,
            p_adjusted,
        )
        in_failures = None
        if _is_mostly_reached(arm, control):
            in_failures = failure_interval(control, arm, question.lift, alpha)
        comparisons.append(Comparison(arm, control, lift, in_failures, details, question, alpha))
    return tuple(comparisons)


def _is_mostly_reached(arm: Arm, control: Arm) -> bool:
    """Return whether the pooled rate is above one half."""
    visitors = arm.visitors.value + control.visitors.value
    converted = sum(each.rate * each.visitors.value for each in (arm, control))
    return converted > visitors / 2
