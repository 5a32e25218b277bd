"""The cells of the grid of benchmarks.coverage_grid, and the simulation of one cell.

Counts are exact, or those of HyperLogLogs that saw one visitor after the other.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks import vector_mixture
from benchmarks.coverage import percent
from benchmarks.hyperloglog import Floats
from benchmarks.marked_tables import markdown
from benchmarks.vector_mixture import Counts, Histories

LIFT = 0.1  # the lift worth detecting, unless a table says otherwise
SPLITS = {
    "50/50": (1, 1),
    "80/20": (80, 20),
    "90/10": (90, 10),
    "95/5": (95, 5),
    "99/1": (99, 1),
    "20 x 5": (20,) * 5,
    "60/10 x 4": (60, 10, 10, 10, 10),
    "80/5 x 4": (80, 5, 5, 5, 5),
    "96/1 x 4": (96, 1, 1, 1, 1),
}
RATES = (0.005, 0.05, 0.3, 0.7, 0.9, 0.99)
VISITORS = (2_000, 20_000, 200_000)
PRECISIONS = (0, 1, 4, 16)
LOOKS = (90, 365)
GOALS = (1, 3, 10)
LIFTS = (-0.3, -0.1, 0.1, 0.5, 2.0)
CHANGES = (-0.5, -0.3, -0.1, 0.1, 0.3)
AGAIN = 8  # times as many experiments for a cell above its target

LABELS: dict[str, tuple[str, Sequence[object]]] = {
    "split": ("split {}", tuple(SPLITS)),
    "rate": ("rate {:.1%}", RATES),
    "visitors": ("{:,} visitors", VISITORS),
    "precision": ("precision {}", PRECISIONS),
    "looks": ("{} looks", LOOKS),
    "goals": ("goals: {}", GOALS),
    "lift": ("true lift {:+.0%}", LIFTS),
    "change": ("failures {:+.0%}", CHANGES),
}


@dataclass(frozen=True)
class Cell:
    """One kind of experiment.

    Attributes:
        split: A key of SPLITS. The first arm is the control.
        rate: The control's conversion rate.
        visitors: Visitors of all arms together, at the last look.
        precision: Shards of every counter; 0 for exact counts.
        looks: Looks at equal distances.
        goals: Independent goals, all with the same rate.
        lift: The true lift of every variant.
        change: The same as a change of the failures, where a table is about failures.
    """

    split: str
    rate: float
    visitors: int
    precision: int
    looks: int
    goals: int = 1
    lift: float = 0.0
    change: float = 0.0


@dataclass(frozen=True)
class Result:
    """In how many of the experiments of a cell something was wrong."""

    cell: Cell
    wrong: int
    experiments: int

    @property
    def share(self) -> float:
        """Wrong experiments as a share of all."""
        return self.wrong / self.experiments


@dataclass
class Simulation:
    """The random numbers, the size of a cell, and the pool of HyperLogLogs."""

    rng: np.random.Generator
    repetitions: int
    cells: int
    histories: Histories

    def choose(self, cells: Sequence[Cell]) -> list[Cell]:
        """Return all cells, or as many as were asked for."""
        if not self.cells or self.cells >= len(cells):
            return list(cells)
        chosen = self.rng.choice(len(cells), self.cells, replace=False)
        return [cells[index] for index in sorted(chosen)]

    def measure(
        self, cells: Sequence[Cell], count: Callable[[Cell], int], target: float
    ) -> list[Result]:
        """Count the wrong experiments of every chosen cell, in the grid's own order.

        The largest of thousands of shares is above the target by chance. So a cell with a share
        above it is simulated again with `AGAIN` times as many experiments and new random numbers,
        and only the second result is returned. Prints the worst cells to stderr.
        """
        results = []
        for cell in self.choose(cells):
            result = Result(cell, count(cell), self.repetitions)
            if result.share > target:
                wrong = sum(count(cell) for _ in range(AGAIN))
                result = Result(cell, wrong, AGAIN * self.repetitions)
            results.append(result)
        for result in sorted(results, key=lambda result: -result.share)[:8]:
            print(
                f"  {100 * result.share:.2f}% of {result.experiments}: {result.cell}",
                file=sys.stderr,
            )
        return results

    def visitors(self, cell: Cell) -> list[Floats]:
        """Return the true visitors of each arm, by experiment and look."""
        weights = np.array(SPLITS[cell.split], dtype=np.float64)
        ends = np.round(np.arange(cell.looks + 1) * cell.visitors / cell.looks).astype(np.int64)
        daily = self.rng.multinomial(
            np.diff(ends), weights / weights.sum(), size=(self.repetitions, cell.looks)
        )
        return [np.cumsum(daily[:, :, arm], axis=1) for arm in range(len(weights))]

    def conversions(self, visitors: Floats, rate: float) -> Floats:
        """Return the true conversions of one arm, by experiment and look."""
        daily = np.diff(visitors, prepend=0, axis=1).astype(np.int64)
        converted: Floats = np.cumsum(self.rng.binomial(daily, rate), axis=1)
        return converted

    def pairs(self, cell: Cell) -> list[Counts]:
        """Return the counts of the control and each variant, under each goal."""
        true = self.visitors(cell)
        seen = [self.histories.counted(self.rng, each, cell.precision) for each in true]
        rates = [cell.rate, *[cell.rate * (1 + cell.lift)] * (len(true) - 1)]
        found = []
        for _ in range(cell.goals):
            converted = [
                self.histories.counted(self.rng, self.conversions(each, rate), cell.precision)
                for each, rate in zip(true, rates, strict=True)
            ]
            found += [
                Counts(seen[0], converted[0], seen[arm], converted[arm], cell.precision)
                for arm in range(1, len(true))
            ]
        return found

    def errors(self, cell: Cell) -> int:
        """Return in how many experiments an interval excludes the truth at any look."""
        log_lift = math.log1p(cell.lift)
        pairs = self.pairs(cell)
        vector_mixture.check(pairs[0], log_lift, LIFT)
        threshold = math.log(len(pairs) / 0.05)
        wrong = np.zeros(self.repetitions, dtype=bool)
        for counts in pairs:
            wrong |= vector_mixture.is_outside(counts, log_lift, LIFT, threshold).any(axis=1)
        return int(wrong.sum())

    def failure_errors(self, cell: Cell) -> int:
        """Return in how many experiments the interval of the failures excludes their true change.

        It counts where the pooled rate is above one half: elsewhere it is not shown.
        """
        [counts] = self.pairs(cell)
        outside = vector_mixture.is_outside(
            counts.failures,
            math.log1p(cell.change),
            LIFT,
            math.log(20),
            vector_mixture.log_failure_evidence,
        )
        outside &= vector_mixture.pooled_rate(counts) > 0.5
        return int(outside.any(axis=1).sum())

    def transformed_errors(self, cell: Cell) -> int:
        """Return the `failure_errors` of the log lift's interval, its ends transformed."""
        [counts] = self.pairs(cell)
        log_lift = vector_mixture.log_lift_of_failures(counts, cell.change)
        outside = vector_mixture.is_outside(counts, log_lift, LIFT, math.log(20))
        outside &= vector_mixture.pooled_rate(counts) > 0.5
        return int(outside.any(axis=1).sum())

    def alarms(self, cell: Cell) -> int:
        """Return in how many experiments the split check raises a false alarm at any look."""
        seen = [
            self.histories.counted(self.rng, each, cell.precision) for each in self.visitors(cell)
        ]
        weights = SPLITS[cell.split]
        threshold = math.log((len(seen) if len(seen) > 2 else 1) / 0.01)
        wrong = np.zeros(self.repetitions, dtype=bool)
        for arm, weight in enumerate(weights):
            share = weight / sum(weights)
            evidence = vector_mixture.log_share_evidence(seen, arm, share, cell.precision)
            wrong |= (evidence > threshold).any(axis=1)
        return int(wrong.sum())

    def wald_errors(self, cell: Cell, half: float) -> int:
        """Return the `errors` of an A/A cell with a Wald z-score in place of the deviance."""
        pairs = self.pairs(cell)
        threshold = math.log(len(pairs) / 0.05)
        wrong = np.zeros(self.repetitions, dtype=bool)
        for counts in pairs:
            excluded = vector_mixture.is_zero_excluded_by_wald(counts, LIFT, threshold, half)
            wrong |= excluded.any(axis=1)
        return int(wrong.sum())


def summary(results: Sequence[Result], target: float, groupings: Sequence[str]) -> str:
    """Return a table of the mean and the worst share of wrong experiments in groups of cells."""
    rows = []
    for grouping in groupings:
        label, order = LABELS[grouping]
        for key in order:
            group = [each for each in results if getattr(each.cell, grouping) == key]
            if group:
                mean = 100 * sum(each.share for each in group) / len(group)
                worst = max(group, key=lambda each: each.share)
                shown = percent(worst.wrong, worst.experiments, 0, 100 * target)
                name = label.format(key) if key != 0 or grouping != "precision" else "exact counts"
                rows.append([name, f"{len(group):,}", f"{mean:.1f}", shown])
    return markdown(["cells with", "cells", "mean, %", "worst, %"], rows)
