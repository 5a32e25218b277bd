"""Counts of visitors with their counting error, and the arms of an experiment made of them.

The one place that knows how Gimel counts: a number of distinct visitors comes out of HyperLogLogs of some precision, or
exactly, and so carries a variance of its own. What is concluded from counts is not known here.

Throughout: rates, shares, lifts and confidences are shares of 1; counts are distinct visitors; a confidence is strictly between
0 and 1. Here and in the modules built on this one no function raises or returns NaN for non-negative counts, whatever their
relation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

REGISTERS = 16384
EXACT = 0
MISUSE_ERRORS = 4.0


def relative_variance(visitors: float, precision: int) -> float:
    """Return the variance of a count of about `visitors` in `precision` HyperLogLogs, relative to its square.

    That is c(t)/M for M registers of t visitors each, c(t) = 0.5 + 0.58 (1 - exp(-t/5)), fitted to a simulation of the
    estimator of Redis (Ertl 2017, "New cardinality estimation algorithms for HyperLogLog sketches", algorithm 6):
    benchmarks/coverage.md. Precision `EXACT` (0) has none.
    """
    if precision == EXACT:
        return 0.0
    registers = REGISTERS * precision
    return (0.5 - 0.58 * math.expm1(-visitors / registers / 5)) / registers


@dataclass(frozen=True)
class Count:
    """A number of distinct visitors with the variance of counting them; `precision` is that of its largest part."""

    value: float = 0.0
    variance: float = 0.0
    precision: int = EXACT

    @classmethod
    def of(cls, parts: Mapping[str, float]) -> Count:
        """Add up the parts of a count by precision, as the API delivers them: {"1": 400, "16": 23422.4, "exact": 12}.

        A key is a precision or "exact", a value the visitors counted with it, each shard already free of PFCOUNT's rounding.
        Visitors of different parts are taken to be different. Raises ValueError for a key or a value that cannot be one.
        """
        value, variance, largest, precision = 0.0, 0.0, 0.0, EXACT
        for key, part in parts.items():
            counted_with = EXACT if key == "exact" else int(key)
            if (counted_with < 1 and key != "exact") or not 0 <= part < math.inf:
                raise ValueError(f"{part!r} visitors at precision {key!r} is not a count")
            value += part
            variance += part * part * relative_variance(part, counted_with)
            if part > largest:
                largest, precision = part, counted_with
        return cls(value, variance, precision)

    @property
    def relative_variance(self) -> float:
        """The variance relative to the square of the count, 0 for a count of 0."""
        return self.variance / self.value / self.value if self.value else 0.0

    @property
    def error(self) -> float:
        """The standard error of counting, in visitors."""
        return math.sqrt(self.variance)


@dataclass(frozen=True)
class Arm:
    """One variant under one goal: who saw it, who converted, and its weight (any unit) in the intended split."""

    name: str
    visitors: Count
    conversions: Count
    weight: float = 1.0

    @property
    def per_visitor(self) -> float:
        """Goals per visitor, over 1 where a goal is not unique; 0 without visitors."""
        return self.conversions.value / self.visitors.value if self.visitors.value else 0.0

    @property
    def rate(self) -> float:
        """The conversion rate, at most 1."""
        return min(self.per_visitor, 1.0)

    @property
    def noise(self) -> float:
        """The relative variance that counting adds to the rate.

        Errors of the two counts are taken as independent. That is so where goals carry uuids of their own; where both carry the
        visitor's, the errors go together and every interval is on the safe side.
        """
        return self.visitors.relative_variance + self.conversions.relative_variance

    @property
    def variance(self) -> float:
        """The variance of the rate, p(1-p)/n + p^2 noise; infinite without visitors.

        At a rate of 0 or 1 the first term takes (s + 1)/(n + 2) for p, or the first visitor would settle everything.
        """
        n, p = self.visitors.value, self.rate
        if not n:
            return math.inf
        smooth = (p * n + 1) / (n + 2) if p in (0.0, 1.0) else p
        return smooth * (1 - smooth) / n + p * p * self.noise

    @property
    def effective(self) -> float:
        """The effective sample size: as many exactly counted visitors would know the rate as well.

        1/(1/n + noise p/(1-p)), with p = (s + 1)/(n + 2), and 1-p no smaller than the noise itself lets one tell.
        """
        n = self.visitors.value
        if not n:
            return 0.0
        p = (self.rate * n + 1) / (n + 2)
        rest = max(((1 - self.rate) * n + 1) / (n + 2), math.sqrt(self.noise))
        return 1 / (1 / n + self.noise * p / rest)

    @property
    def widening(self) -> float:
        """How much wider counting noise makes the interval of the rate: 0.05 is by 5%."""
        return math.sqrt(self.visitors.value / self.effective) - 1 if self.visitors.value else 0.0

    @property
    def is_conversion(self) -> bool:
        """False where there are more goals than visitors, by more than counting can explain (4 standard errors and one)."""
        excess = self.conversions.value - self.visitors.value
        return excess <= 1 + MISUSE_ERRORS * math.hypot(self.conversions.error, self.visitors.error)
