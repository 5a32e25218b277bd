"""Counts of simulated experiments: the truth, and what HyperLogLogs make of it.

Draws from pools of single shards made by `benchmarks.hyperloglog`, because a separate counter for
every experiment would take hours. Knows nothing of statistics.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.hyperloglog import Floats, Integers, corrected, sample_errors
from gimel.analysis.counts import Arm, Count


@dataclass
class Simulation:
    """The size of the simulation, its random numbers, and pools of single shards.

    Attributes:
        repetitions: Experiments per cell of a table.
        rng: The random numbers.
        shards: Pools of (true counts, estimates) by elements per shard.
    """

    repetitions: int
    rng: np.random.Generator
    shards: dict[float, tuple[Floats, Floats]] = field(default_factory=dict)

    def errors(self, elements: float, precision: int) -> Floats:
        """Return estimate / truth of a counter of about this size, for each repetition."""
        level = elements / precision
        if level not in self.shards:
            true, counts = sample_errors(self.rng, 20_000, level)
            self.shards[level] = (true.astype(np.float64), corrected(counts))
        return _ratio(*_sum(self.rng, self.shards[level], self.repetitions, precision))


def count(value: float, precision: int) -> Count:
    """Return a count of this precision; 0 is exact."""
    return Count.from_parts({str(precision) if precision else "exact": value})


def make_arm(visitors: float, conversions: float, precision: int) -> Arm:
    """Return an arm of these counts."""
    return Arm("", count(visitors, precision), count(conversions, precision))


def arms_by_repetition(
    visitors: Sequence[Floats], goals: Sequence[Floats] | Sequence[Integers], precision: int
) -> Iterator[list[Arm]]:
    """Yield the arms of every repetition, given the counts by arm and repetition."""
    for row in zip(*(side.tolist() for side in (*visitors, *goals)), strict=True):
        seen, converted = row[: len(visitors)], row[len(visitors) :]
        yield [make_arm(n, s, precision) for n, s in zip(seen, converted, strict=True)]


def _sum(
    rng: np.random.Generator, pool: tuple[Floats, Floats], size: int, shards: int
) -> tuple[Floats, Floats]:
    """Return truth and estimate of `size` counters, each the sum of shards drawn from the pool."""
    chosen = rng.integers(0, len(pool[0]), size=(shards, size))
    true, counts = (sum(values[row] for row in chosen) for values in pool)
    return np.asarray(true), np.asarray(counts)


def _ratio(true: Floats, counts: Floats) -> Floats:
    return np.divide(counts, true, out=np.ones_like(counts), where=true > 0)
