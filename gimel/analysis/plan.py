"""A planned experiment: its variants and days, by the methods of `gimel.analysis.sample_size`.

Visitors are split equally among the variants. Contains no words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from gimel.analysis.counts import EXACT
from gimel.analysis.sample_size import (
    Method,
    PlannedComparison,
    detectable_lift,
    lifted,
    visitors_needed,
)


@dataclass(frozen=True)
class Assumptions:
    """What a plan assumes. Rate, lift, power and confidence are shares of 1.

    Attributes:
        rate: The control's conversion rate.
        lift: The lift to detect; None if the days are given.
        days: The days in which to detect a lift; None if the lift is given.
        visitors_per_day: Those of all variants together. None: the days are not calculated.
        power: The probability of detecting the lift, for each variant.
        confidence: The confidence level of the verdict.
        variants: Their number, including the control.
        precision: HyperLogLogs per counter.
    """

    rate: float
    lift: float | None
    days: int | None
    visitors_per_day: float | None
    power: float
    confidence: float
    variants: int
    precision: int

    @property
    def comparison(self) -> PlannedComparison:
        """The comparison of each variant with the control. All comparisons share the error."""
        alpha = (1 - self.confidence) / (self.variants - 1)
        return PlannedComparison(self.rate, alpha, self.power, self.precision)

    @property
    def exact_comparison(self) -> PlannedComparison:
        """The same, if counting were exact."""
        return replace(self.comparison, precision=EXACT)

    @property
    def visitors_per_variant(self) -> int:
        """The visitors of each variant in the given days; 0 if they are not given."""
        return int((self.days or 0) * (self.visitors_per_day or 0) / self.variants)


@dataclass(frozen=True)
class Plan:
    """The answer by one method. None: out of reach, or unknown without visitors per day.

    Attributes:
        lift: The lift that is detected.
        lifted_rate: The conversion rate after that lift.
        visitors_per_variant: The visitors of each variant.
        exact_visitors_per_variant: How many would detect that lift if counting were exact.
        visitors: The visitors of all variants together.
        days: The whole days in which they come.
    """

    lift: float | None
    lifted_rate: float | None
    visitors_per_variant: int | None
    exact_visitors_per_variant: int | None
    visitors: int | None
    days: int | None


def make_plan(assumed: Assumptions, method: Method) -> Plan:
    """Calculate the visitors and days for a lift, or the smallest lift for the days."""
    lift, visitors = assumed.lift, None
    if lift is not None:
        visitors = half(visitors_needed(method, assumed.comparison, lift))
    else:
        visitors = assumed.visitors_per_variant
        lift = detectable_lift(method, assumed.comparison, 2 * visitors)
    exact = None if lift is None else visitors_needed(method, assumed.exact_comparison, lift)
    total = None if visitors is None else visitors * assumed.variants
    return Plan(
        lift=lift,
        lifted_rate=None if lift is None else lifted(assumed.rate, lift),
        visitors_per_variant=visitors,
        exact_visitors_per_variant=half(exact),
        visitors=total,
        days=assumed.days or _days(total, assumed.visitors_per_day),
    )


def half(visitors: int | None) -> int | None:
    """Return the visitors of one of two equal arms, rounded up."""
    return None if visitors is None else (visitors + 1) // 2


def _days(visitors: int | None, visitors_per_day: float | None) -> int | None:
    if visitors is None or visitors_per_day is None:
        return None
    return math.ceil(visitors / visitors_per_day)
