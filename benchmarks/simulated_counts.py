"""Counts of simulated experiments: the truth, and what HyperLogLogs make of it.

Draws from pools of single shards made by `benchmarks.hyperloglog`, because a separate counter for
every experiment would take hours. Knows nothing of statistics.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.hyperloglog import Floats, Integers, corrected, sample_errors, sample_path
from gimel.analysis.counts import Arm, Count

DAYS = 90


@dataclass
class Simulation:
    """The size of the simulation, its random numbers, and pools of single shards.

    Attributes:
        repetitions: Experiments per cell of a table.
        paths: Histories in the pools that 90 days are drawn from.
        rng: The random numbers.
        shards: Pools of (true counts, estimates) by elements per shard.
        histories: The same for each day of a history.
    """

    repetitions: int
    paths: int
    rng: np.random.Generator
    shards: dict[float, tuple[Floats, Floats]] = field(default_factory=dict)
    histories: dict[float, tuple[Floats, Floats]] = field(default_factory=dict)

    def errors(self, elements: float, precision: int) -> Floats:
        """Return estimate / truth of a counter of about this size, for each repetition."""
        level = elements / precision
        if level not in self.shards:
            true, counts = sample_errors(self.rng, 20_000, level)
            self.shards[level] = (true.astype(np.float64), corrected(counts))
        return _ratio(*_sum(self.rng, self.shards[level], self.repetitions, precision))

    def error_paths(self, elements: float, precision: int, size: int) -> Floats:
        """Return estimate / truth of `size` counters on each day.

        So many elements come to each counter in `DAYS` days.
        """
        level = elements / precision
        if level not in self.histories:
            pool = []
            for _ in range(self.paths if precision == 1 else 2 * self.paths):
                arrivals = self.rng.multinomial(self.rng.poisson(level), [1 / DAYS] * DAYS)
                pool.append((np.cumsum(arrivals), corrected(sample_path(self.rng, arrivals))))
            true, counts = zip(*pool, strict=True)
            self.histories[level] = (np.array(true, dtype=np.float64), np.array(counts))
        return _ratio(*_sum(self.rng, self.histories[level], size, precision))


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


def arms_by_day(
    visitors: Sequence[Floats], goals: Sequence[Floats], repetition: int, precision: int
) -> list[list[Arm]]:
    """Return for each side of one repetition its arm as it is on every day."""
    return [
        [
            make_arm(n, s, precision)
            for n, s in zip(seen[repetition].tolist(), converted[repetition].tolist(), strict=True)
        ]
        for seen, converted in zip(visitors, goals, strict=True)
    ]


def _sum(
    rng: np.random.Generator, pool: tuple[Floats, Floats], size: int, shards: int
) -> tuple[Floats, Floats]:
    """Return truth and estimate of `size` counters, each the sum of shards drawn from the pool."""
    chosen = rng.integers(0, len(pool[0]), size=(shards, size))
    true, counts = (sum(values[row] for row in chosen) for values in pool)
    return np.asarray(true), np.asarray(counts)


def _ratio(true: Floats, counts: Floats) -> Floats:
    return np.divide(counts, true, out=np.ones_like(counts), where=true > 0)
