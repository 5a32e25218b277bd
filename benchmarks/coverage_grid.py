"""How often the always-valid figures err, over splits, rates and ways to count.

Writes the tables of docs/statistics.md. `python -m benchmarks.coverage_grid` simulates every cell
of the grid, which takes hours; `--cells 60` takes that many cells of each table, drawn at random.
The counts are exact, or those of HyperLogLogs that saw one visitor after the other.
"""

from __future__ import annotations

import argparse
import itertools
import math
import pathlib
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks import vector_mixture
from benchmarks.coverage import percent
from benchmarks.hyperloglog import Floats
from benchmarks.marked_tables import fill, markdown
from benchmarks.simulated_counts import make_arm
from benchmarks.vector_mixture import Counts, Histories
from gimel.analysis.counts import EXACT
from gimel.analysis.duration import decision_range
from gimel.analysis.sample_size import PlannedComparison, always_valid, lifted, visitors_needed

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "statistics.md"
LIFT = 0.1  # the lift worth detecting, unless a table says otherwise
EQUAL = (1, 1)
SPLITS = {
    "50/50": EQUAL,
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
LABELS: dict[str, tuple[str, Sequence[object]]] = {
    "split": ("split {}", tuple(SPLITS)),
    "rate": ("rate {:.1%}", RATES),
    "visitors": ("{:,} visitors", VISITORS),
    "precision": ("precision {}", PRECISIONS),
    "looks": ("{} looks", LOOKS),
    "goals": ("goals: {}", GOALS),
    "lift": ("true lift {:+.0%}", LIFTS),
}


@dataclass(frozen=True)
class Cell:
    """One kind of experiment. `visitors` is those of all arms; every variant has the same lift."""

    split: str
    rate: float
    visitors: int
    precision: int
    looks: int
    goals: int = 1
    lift: float = 0.0


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

    def errors(self, cell: Cell) -> int:
        """Return in how many experiments the truth was excluded at any look, for any variant."""
        true = self.visitors(cell)
        seen = [self.histories.counted(each, cell.precision) for each in true]
        threshold = math.log((len(true) - 1) * cell.goals / 0.05)
        wrong = np.zeros(self.repetitions, dtype=bool)
        for _ in range(cell.goals):
            rates = [cell.rate, *[cell.rate * (1 + cell.lift)] * (len(true) - 1)]
            converted = [
                self.histories.counted(self.conversions(each, rate), cell.precision)
                for each, rate in zip(true, rates, strict=True)
            ]
            for arm in range(1, len(true)):
                counts = Counts(seen[0], converted[0], seen[arm], converted[arm], cell.precision)
                log_lift = math.log1p(cell.lift)
                vector_mixture.check(counts, log_lift, LIFT)
                evidence = vector_mixture.log_evidence(counts, log_lift, LIFT)
                wrong |= (evidence > threshold).any(axis=1)
        return int(wrong.sum())

    def alarms(self, cell: Cell) -> int:
        """Return in how many experiments the split check raised a false alarm at any look."""
        seen = [self.histories.counted(each, cell.precision) for each in self.visitors(cell)]
        weights = SPLITS[cell.split]
        threshold = math.log((len(seen) if len(seen) > 2 else 1) / 0.01)
        wrong = np.zeros(self.repetitions, dtype=bool)
        for arm, weight in enumerate(weights):
            share = weight / sum(weights)
            evidence = vector_mixture.log_share_evidence(seen, arm, share, cell.precision)
            wrong |= (evidence > threshold).any(axis=1)
        return int(wrong.sum())


def summary(
    results: Sequence[tuple[Cell, int]], size: int, target: float, groupings: Sequence[str]
) -> str:
    """Return a table of the mean and the worst share of errors in each group of cells."""
    rows = []
    for grouping in groupings:
        label, order = LABELS[grouping]
        for key in order:
            group = [hits for cell, hits in results if getattr(cell, grouping) == key]
            if group:
                mean = 100 * sum(group) / len(group) / size
                worst = percent(max(group), size, 0, target)
                name = label.format(key) if key != 0 or grouping != "precision" else "exact counts"
                rows.append([name, str(len(group)), f"{mean:.1f}", worst])
    return markdown(["cells with", "cells", "mean, %", "worst, %"], rows)


def measure(
    simulation: Simulation, cells: Sequence[Cell], count: Callable[[Cell], int]
) -> list[tuple[Cell, int]]:
    """Return every chosen cell with its number of errors, the grid's own order kept."""
    return [(cell, count(cell)) for cell in simulation.choose(cells)]


def false_headlines(simulation: Simulation) -> str:
    """A/A experiments in which any variant wins or loses under any goal at any look."""
    cells = [
        Cell(*each) for each in itertools.product(SPLITS, RATES, VISITORS, PRECISIONS, LOOKS, GOALS)
    ]
    results = measure(simulation, cells, simulation.errors)
    return summary(
        results,
        simulation.repetitions,
        5,
        ("split", "rate", "visitors", "precision", "looks", "goals"),
    )


def true_lifts(simulation: Simulation) -> str:
    """Experiments in which the true lift is outside an interval at any look."""
    cells = [
        Cell(split, rate, visitors, precision, looks, 1, lift)
        for split, rate, visitors, precision, looks, lift in itertools.product(
            SPLITS, RATES, VISITORS, PRECISIONS, LOOKS, LIFTS
        )
        if rate * (1 + lift) < 0.999
    ]
    results = measure(simulation, cells, simulation.errors)
    return summary(results, simulation.repetitions, 5, ("lift", "split", "rate", "precision"))


def split_alarms(simulation: Simulation) -> str:
    """Correct splits that are called a mismatch at any look."""
    cells = [
        Cell(split, 0.0, visitors, precision, 365)
        for split, visitors, precision in itertools.product(SPLITS, VISITORS, PRECISIONS)
    ]
    results = measure(simulation, cells, simulation.alarms)
    return summary(results, simulation.repetitions, 1, ("split", "visitors", "precision"))


def stopping_times(simulation: Simulation) -> str:
    """The expected time to a decision in fixed sample sizes, and the power of the plan.

    A fixed sample size detects the lift with 80% in one look at 5%. The experiment is looked at 28
    times in each, and for 12 of them at most.
    """
    rows = []
    many = replace(simulation, repetitions=5 * simulation.repetitions)
    for rate, lift in (
        (0.05, 0.1),
        (0.01, 0.1),
        (0.05, 0.2),
        (0.05, 0.5),
        (0.05, 1.0),
        (0.9, 0.1),
        (0.99, 0.2),
    ):
        other = lifted(rate, lift)
        variance = rate * (1 - rate) + other * (1 - other)
        fixed = 2 * (1.959964 + 0.841621) ** 2 * variance / (other - rate) ** 2
        expected = [
            float(
                np.mean(
                    np.minimum(336, _first_decision(many, (rate, other), fixed / 28, 336, worth))
                )
            )
            for worth in (lift, LIFT)
        ]
        planned = visitors_needed(always_valid, PlannedComparison(rate, precision=EXACT), lift)
        if planned is None:
            raise AssertionError("an exactly counted lift has a plan")
        detected = _first_decision(many, (rate, other), planned / 30, 30, lift) < np.inf
        rows.append(
            [
                f"{rate:.0%}, {'failures -' if rate > 0.5 else '+'}{lift:.0%}",
                f"{fixed:,.0f}",
                *(f"{looks / 28:.2f}" for looks in expected),
                f"{planned / fixed:.2f}",
                f"{100 * float(np.mean(detected)):.0f}",
            ]
        )
    head = ["rate and lift", "fixed size", "time, L the lift", "time, L 10%", "plan", "power, %"]
    return markdown(head, rows)


def _first_decision(
    simulation: Simulation, rates: tuple[float, float], daily: float, looks: int, worth: float
) -> Floats:
    """Return the look, counted from 1, at which each experiment excludes 0; infinite if none."""
    cell = Cell("50/50", 0.0, round(daily * looks), 0, looks)
    seen = simulation.visitors(cell)
    converted = [simulation.conversions(n, p) for n, p in zip(seen, rates, strict=True)]
    counts = Counts(seen[0], converted[0], seen[1], converted[1])
    decided = vector_mixture.log_evidence(counts, 0.0, worth) > math.log(20)
    return np.where(decided.any(axis=1), decided.argmax(axis=1) + 1.0, np.inf)


def decision_ranges(simulation: Simulation) -> str:
    """How often the forecast range holds the day of the decision, asked on days 3 to 21.

    The pace decides a quarter of a fixed sample size of the true lift per week.
    """
    rows = []
    for rate, lift in itertools.product((0.05, 0.2), (0.05, 0.1, 0.2, 0.5)):
        other = lifted(rate, lift)
        variance = rate * (1 - rate) + other * (1 - other)
        fixed = 2 * (1.959964 + 0.841621) ** 2 * variance / (other - rate) ** 2
        daily, days = fixed / 28, 600
        cell = Cell("50/50", rate, round(daily * days), 0, days)
        seen = simulation.visitors(cell)
        converted = [simulation.conversions(n, p) for n, p in zip(seen, (rate, other), strict=True)]
        counts = Counts(seen[0], converted[0], seen[1], converted[1])
        decided = vector_mixture.log_evidence(counts, 0.0, LIFT) > math.log(20)
        asked, held, endless, widths = 0, 0, 0, []
        for at, day in itertools.product(range(min(simulation.repetitions, 250)), (3, 7, 14, 21)):
            if decided[at, :day].any() or not decided[at].any():
                continue
            real = int(decided[at].argmax()) + 1 - day
            control, variant = (
                make_arm(float(n[at, day - 1]), float(s[at, day - 1]), 0)
                for n, s in zip(seen, converted, strict=True)
            )
            found = decision_range(control, variant, LIFT, 0.05)
            soonest = math.inf if found.soonest is None else math.floor(found.soonest / daily)
            latest = math.inf if found.latest is None else math.ceil(found.latest / daily)
            asked += 1
            held += soonest <= real <= latest
            endless += latest == math.inf
            if latest < math.inf:
                widths.append((latest + 1) / (soonest + 1))
        rows.append(
            [
                f"{rate:.0%}, +{lift:.0%}",
                f"{asked:,}",
                percent(held, asked, 80),
                f"{100 * endless / asked:.0f}",
                f"{float(np.median(widths)):.1f}",
            ]
        )
    head = ["rate and lift", "asked", "held, %", "without a latest day, %", "median latest/soonest"]
    return markdown(head, rows)


TABLES: tuple[tuple[str, Callable[[Simulation], str]], ...] = (
    ("false headlines", false_headlines),
    ("true lifts", true_lifts),
    ("split alarms", split_alarms),
    ("stopping times", stopping_times),
    ("decision ranges", decision_ranges),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=4000, help="experiments per cell")
    parser.add_argument("--cells", type=int, default=0, help="cells per table; 0 means all")
    parser.add_argument("--histories", type=int, default=2000, help="HyperLogLogs in the pool")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--only", choices=[name for name, _ in TABLES], help="one table")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    pool = Histories(rng, options.histories, max(VISITORS))
    simulation = Simulation(rng, options.repetitions, options.cells, pool)
    cells = f"{options.cells} cells per table" if options.cells else "all cells"
    for name, table in TABLES:
        if options.only not in (None, name):
            continue
        started = time.monotonic()
        note = f"\nSeed {options.seed}, {cells}, {options.repetitions:,} experiments per cell.\n"
        fill(PAGE, name, table(simulation) + note)
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
