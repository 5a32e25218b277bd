"""Counts of visitors with their counting error, and the arms of an experiment built from them.

The only module that knows how Gimel counts: a number of distinct visitors comes from HyperLogLogs
of some precision, or is exact, and so has its own variance. It draws no conclusions.

Units, here and in the modules built on this one: rates, shares, lifts and confidence levels are
shares of 1; counts are distinct visitors. A confidence level lies strictly between 0 and 1. For
non-negative counts no function raises or returns NaN, even for more conversions than visitors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

EXACT = 0
"""The precision of an exact count."""

REGISTERS = 16384
"""Registers of one HyperLogLog in Redis.

Repeats `gimel.runtime.hyperloglog.REGISTERS`, because the analysis must not import the runtime.
"""

_MISUSE_ERRORS = 4.0  # an excess of conversions over visitors that noise explains once in 30,000


def relative_variance(visitors: float, precision: int) -> float:
    """Return the variance of a count divided by the square of the count.

    `visitors` were counted by `precision` HyperLogLogs, which have M registers in total. With
    t = visitors / M the relative variance is c(t) / M, c(t) = 0.5 + 0.58 (1 - exp(-t / 5)). It is 0
    for precision `EXACT`.

    References:
        c(t) is fitted to a simulation of the estimator that Redis uses: see benchmarks/coverage.md.
        O. Ertl (2017), New cardinality estimation algorithms for HyperLogLog sketches, algorithm 6.
    """
    if precision == EXACT:
        return 0.0
    registers = REGISTERS * precision
    return (0.5 - 0.58 * math.expm1(-visitors / registers / 5)) / registers


@dataclass(frozen=True)
class Count:
    """A number of distinct visitors and the variance of counting them.

    Attributes:
        value: The estimated number of visitors.
        variance: The variance of that estimate, in visitors squared. 0 for an exact count.
        precision: HyperLogLogs per counter. If several precisions were used, that of the largest
            part; `EXACT` without visitors.
    """

    value: float = 0.0
    variance: float = 0.0
    precision: int = EXACT

    @classmethod
    def from_parts(cls, parts: Mapping[str, float]) -> Count:
        """Add up the parts of a count by precision: {"1": 400, "16": 23422.4, "exact": 12}.

        A key is a precision or "exact"; a value is the number of visitors counted that way, with
        the rounding of PFCOUNT undone for each shard. Visitors of different parts are assumed to
        be different people.

        Raises:
            ValueError: A key is not a precision, or a value is not a number of visitors.
        """
        value, variance, largest, precision = 0.0, 0.0, 0.0, EXACT
        for key, part in parts.items():
            part_precision = EXACT if key == "exact" else int(key)
            if (part_precision < 1 and key != "exact") or not 0 <= part < math.inf:
                raise ValueError(f"{part!r} visitors at precision {key!r} is not a valid count")
            value += part
            variance += part * part * relative_variance(part, part_precision)
            if part > largest:
                largest, precision = part, part_precision
        return cls(value, variance, precision)

    def since(self, before: Count) -> Count:
        """Return the visitors since an earlier count of the same counter.

        The counting error grows in steps that are nearly independent, so its variance is the
        difference of the variances.
        """
        return Count(
            max(0.0, self.value - before.value),
            max(0.0, self.variance - before.variance),
            self.precision,
        )

    @property
    def relative_variance(self) -> float:
        """The variance divided by the square of the count; 0 for a count of 0."""
        return self.variance / self.value / self.value if self.value else 0.0

    @property
    def error(self) -> float:
        """The counting error: one standard error, in visitors."""
        return math.sqrt(self.variance)


@dataclass(frozen=True)
class Arm:
    """One variant under one goal.

    Attributes:
        name: The variant's name.
        visitors: Visitors who saw the variant.
        conversions: Visitors who reached the goal.
        weight: The share of traffic the variant should get, in any unit. An arm of weight 0 is
            excluded from the split check.
    """

    name: str
    visitors: Count
    conversions: Count
    weight: float = 1.0

    @property
    def per_visitor(self) -> float:
        """Goals per visitor, above 1 for a goal that is not unique; 0 without visitors."""
        return self.conversions.value / self.visitors.value if self.visitors.value else 0.0

    @property
    def rate(self) -> float:
        """The conversion rate, capped at 1; 0 without visitors."""
        return min(self.per_visitor, 1.0)

    @property
    def noise(self) -> float:
        """The relative variance that counting adds to the rate.

        The errors of the two counts are taken as independent. They are if goals have their own
        uuids. If goals carry the visitor's uuid, the errors partly cancel and every interval is
        conservative.
        """
        return self.visitors.relative_variance + self.conversions.relative_variance

    @property
    def variance(self) -> float:
        """The variance of the rate, p (1-p) / n + p^2 noise; infinite without visitors.

        At a rate of 0 or 1 the first term uses (s + 1) / (n + 2) for p: otherwise it would be 0,
        and the first visitor would decide the experiment.
        """
        n, p = self.visitors.value, self.rate
        if not n:
            return math.inf
        smooth = (p * n + 1) / (n + 2) if p in (0.0, 1.0) else p
        return smooth * (1 - smooth) / n + p * p * self.noise

    @property
    def effective_size(self) -> float:
        """The number of exactly counted visitors who would give the rate the same variance.

        1 / (1/n + noise p / (1-p)) with p = (s + 1) / (n + 2). 1 - p is not taken smaller than the
        noise itself can resolve.
        """
        n = self.visitors.value
        if not n:
            return 0.0
        p = (self.rate * n + 1) / (n + 2)
        complement = max(((1 - self.rate) * n + 1) / (n + 2), math.sqrt(self.noise))
        return 1 / (1 / n + self.noise * p / complement)

    @property
    def widening(self) -> float:
        """How much counting noise widens the interval of the rate: 0.05 means by 5%."""
        if not self.visitors.value:
            return 0.0
        return math.sqrt(self.visitors.value / self.effective_size) - 1

    @property
    def is_conversion(self) -> bool:
        """Whether the goal can be a conversion: at most one per visitor.

        False if there are more goals than visitors by over 4 standard errors of counting plus one.
        """
        excess = self.conversions.value - self.visitors.value
        noise = math.hypot(self.conversions.error, self.visitors.error)
        return excess <= 1 + _MISUSE_ERRORS * noise


@dataclass(frozen=True)
class Point:
    """What was counted of an experiment until an earlier time.

    Attributes:
        time: In seconds since 1970.
        visitors: The visitors of each variant until then.
        goals: For each goal, the conversions of each variant until then.
    """

    time: int
    visitors: Mapping[str, Count]
    goals: Mapping[str, Mapping[str, Count]]


@dataclass(frozen=True)
class ExperimentCounts:
    """One experiment as it was counted.

    Attributes:
        name: The experiment's name.
        visitors: The visitors of each variant.
        goals: For each goal, the conversions of each variant.
        since: The time of the first event, in seconds since 1970; None if unknown.
        ignored: The number of ignored events by reason.
        unreadable: The number of counters whose keys hold something other than a count.
        precision: The precision of its new counters: the one that it began with. None if unknown.
        history: Earlier counts, by time. A day may be missing.
    """

    name: str
    visitors: Mapping[str, Count]
    goals: Mapping[str, Mapping[str, Count]]
    since: int | None = None
    ignored: Mapping[str, int] = field(default_factory=dict)
    unreadable: int = 0
    precision: int | None = None
    history: tuple[Point, ...] = ()


@dataclass(frozen=True)
class NamespaceCounts:
    """All experiments of a namespace.

    Attributes:
        experiments: The experiments, in the order of the API's answer.
        ignored: Ignored events of experiments that do not exist, by reason.
        namespaces: The namespaces that exist, this one or others, by name; None if unknown.
        more_namespaces: Whether there are more than these.
    """

    experiments: tuple[ExperimentCounts, ...]
    ignored: Mapping[str, int]
    namespaces: tuple[str, ...] | None = None
    more_namespaces: bool = False
