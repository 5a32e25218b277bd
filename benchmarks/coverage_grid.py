"""How often the always-valid figures err, over splits, rates and ways to count.

Writes the tables of docs/statistics.md. `python -m benchmarks.coverage_grid` simulates every cell
of the grid, which takes hours; `--cells 60` takes that many cells of each table, drawn at random.
"""

from __future__ import annotations

import argparse
import itertools
import math
import pathlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from benchmarks import vector_mixture
from benchmarks.coverage import percent
from benchmarks.coverage_cells import (
    CHANGES,
    GOALS,
    LIFT,
    LIFTS,
    LOOKS,
    PRECISIONS,
    RATES,
    SPLITS,
    VISITORS,
    Cell,
    Simulation,
    summary,
)
from benchmarks.hyperloglog import Floats
from benchmarks.marked_tables import fill, markdown
from benchmarks.simulated_counts import make_arm
from benchmarks.vector_mixture import Counts, Histories
from gimel.analysis.counts import EXACT
from gimel.analysis.duration import decision_range
from gimel.analysis.mixture import lift_interval
from gimel.analysis.sample_size import PlannedComparison, always_valid, lifted, visitors_needed

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "statistics.md"
ASKED = 250  # experiments in each row of the decision ranges
DAYS = 600  # of each of them


def false_headlines(simulation: Simulation) -> str:
    """A/A experiments in which any variant wins or loses under any goal at any look."""
    cells = [
        Cell(*each) for each in itertools.product(SPLITS, RATES, VISITORS, PRECISIONS, LOOKS, GOALS)
    ]
    results = simulation.measure(cells, simulation.errors, 0.05)
    return summary(results, 0.05, ("split", "rate", "visitors", "precision", "looks", "goals"))


def true_lifts(simulation: Simulation) -> str:
    """Experiments in which the true lift is outside an interval at any look."""
    cells = [
        Cell(split, rate, visitors, precision, looks, 1, lift)
        for split, rate, visitors, precision, looks, lift in itertools.product(
            SPLITS, RATES, VISITORS, PRECISIONS, LOOKS, LIFTS
        )
        if rate * (1 + lift) < 0.999
    ]
    results = simulation.measure(cells, simulation.errors, 0.05)
    return summary(results, 0.05, ("lift", "split", "rate", "visitors", "precision", "looks"))


def lifts_of_failures(simulation: Simulation) -> str:
    """Experiments in which the interval of the failures excludes their true change at any look."""
    cells = [
        _failure_cell(*each)
        for each in itertools.product(
            ("50/50", "90/10", "99/1"), (0.7, 0.9, 0.99), VISITORS, PRECISIONS, CHANGES
        )
    ]
    results = simulation.measure(cells, simulation.failure_errors, 0.05)
    return summary(results, 0.05, ("change", "rate", "split", "visitors", "precision"))


def transformed_lifts(simulation: Simulation) -> str:
    """The same for some cells, and for the interval of the conversions with transformed ends."""
    rows = []
    for precision, rate, change in itertools.product((0, 1, 16), (0.7, 0.9), (-0.5, 0.3)):
        cell = _failure_cell("50/50", rate, 200_000, precision, change)
        shares = [
            percent(count(cell), simulation.repetitions, 0, 5)
            for count in (simulation.failure_errors, simulation.transformed_errors)
        ]
        counts = f"precision {precision}" if precision else "exact counts"
        rows.append([f"{counts}, rate {rate:.0%}, failures {change:+.0%}", *shares])
    return markdown(["cell", "own deviance, %", "transformed, %"], rows)


def _failure_cell(split: str, rate: float, visitors: int, precision: int, change: float) -> Cell:
    other = 1 - (1 - rate) * (1 + change)
    return Cell(split, rate, visitors, precision, 90, 1, other / rate - 1, change)


def split_alarms(simulation: Simulation) -> str:
    """Correct splits that are called a mismatch at any look."""
    cells = [
        Cell(split, 0.0, visitors, precision, 365)
        for split, visitors, precision in itertools.product(SPLITS, VISITORS, PRECISIONS)
    ]
    results = simulation.measure(cells, simulation.alarms, 0.01)
    return summary(results, 0.01, ("split", "visitors", "precision"))


def interval_ends(simulation: Simulation) -> str:
    """Compare three ways to decide whether the true lift is outside the interval.

    They are the package's interval, the rule of the other tables, and the evidence alone. They are
    compared at the look of each experiment with the largest evidence against the true lift.
    """
    rows = []
    for precision in PRECISIONS:
        found = np.zeros(5, dtype=np.int64)
        for split, rate, visitors, lift in itertools.product(
            ("50/50", "99/1"), (0.005, 0.3, 0.9, 0.99), (2_000, 20_000), (-0.3, 0.0, 0.005)
        ):
            cell = Cell(split, rate, visitors, precision, 90, 1, lift)
            found += _compare_intervals(simulation, cell)
        label = f"precision {precision}" if precision else "exact counts"
        rows.append([label, *(f"{each:,}" for each in found)])
    outside = ["outside: package", "these tables", "evidence alone"]
    head = ["counts", "compared", *outside, "package and tables differ"]
    return markdown(head, rows)


def _compare_intervals(simulation: Simulation, cell: Cell) -> list[int]:
    [counts] = simulation.pairs(cell)
    log_lift, threshold = math.log1p(cell.lift), math.log(20)
    evidence = vector_mixture.log_evidence(counts, log_lift, LIFT)
    outside = vector_mixture.is_outside(counts, log_lift, LIFT, threshold)
    looks = np.maximum(evidence, np.where(outside, math.inf, evidence)).argmax(axis=1)
    package, tables, alone, differ = 0, 0, 0, 0
    size = min(len(looks), 100)
    for at, look in enumerate(looks[:size]):
        control, variant = (
            make_arm(float(n[at, look]), float(s[at, look]), cell.precision)
            for n, s in ((counts.n_a, counts.s_a), (counts.n_b, counts.s_b))
        )
        interval = lift_interval(control, variant, LIFT, 0.05)
        low = -1.0 if interval.low is None else interval.low
        high = math.inf if interval.high is None else interval.high
        is_outside = not low <= cell.lift <= high
        package += is_outside
        tables += bool(outside[at, look])
        alone += bool(evidence[at, look] > threshold)
        differ += is_outside != outside[at, look]
    return [size, package, tables, alone, differ]


def wald(simulation: Simulation) -> str:
    """False headlines with the deviance, and with two kinds of a Wald z-score in its place."""
    rows = []
    for split, rate, visitors in itertools.product(
        ("50/50", "90/10", "99/1", "96/1 x 4"), (0.3, 0.9, 0.99), (20_000,)
    ):
        cell = Cell(split, rate, visitors, 0, 90)
        wrong = [
            simulation.errors(cell),
            simulation.wald_errors(cell, 0.0),
            simulation.wald_errors(cell, 0.5),
        ]
        shares = [percent(each, simulation.repetitions, 0, 5) for each in wrong]
        rows.append([f"split {split}, rate {rate:.0%}", *shares])
    return markdown(["cell", "deviance, %", "Wald, %", "Wald with a half added, %"], rows)


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
        fixed = _fixed_size((rate, other))
        expected = []
        for worth, far_weight in ((lift, 0.2), (LIFT, 0.2), (LIFT, 0.0)):
            first = _first_decision(many, (rate, other), fixed / 28, 336, worth, far_weight)
            expected.append(float(np.mean(np.minimum(336, first))))
        planned = visitors_needed(always_valid, PlannedComparison(rate, precision=EXACT), lift)
        if planned is None:
            raise AssertionError("an exactly counted lift has a plan")
        detected = _first_decision(many, (rate, other), planned / 30, 30, lift) < np.inf
        rows.append(
            [
                f"{rate:.0%}, {_described(rate, lift)}",
                f"{fixed:,.0f}",
                *(f"{looks / 28:.2f}" for looks in expected),
                f"{planned / fixed:.2f}",
                f"{100 * float(np.mean(detected)):.0f}",
            ]
        )
    times = ["time, L the lift", "time, L 10%", "one scale, L 10%"]
    return markdown(["rate and lift", "fixed size", *times, "plan", "power, %"], rows)


def _fixed_size(rates: tuple[float, float], split: str = "50/50") -> float:
    """Return the visitors of both arms that detect the difference with 80% in one look at 5%."""
    weights = SPLITS[split]
    variance = sum(
        rate * (1 - rate) * sum(weights) / weight
        for rate, weight in zip(rates, weights, strict=True)
    )
    return (1.959964 + 0.841621) ** 2 * variance / (rates[1] - rates[0]) ** 2


def _first_decision(
    simulation: Simulation,
    rates: tuple[float, float],
    daily: float,
    looks: int,
    worth: float,
    far_weight: float = vector_mixture.FAR_WEIGHT,
) -> Floats:
    """Return the look, counted from 1, at which each experiment excludes 0; infinite if none."""
    cell = Cell("50/50", rates[0], round(daily * looks), 0, looks, 1, rates[1] / rates[0] - 1)
    [counts] = simulation.pairs(cell)
    decided = vector_mixture.log_evidence(counts, 0.0, worth, far_weight) > math.log(20)
    return np.where(decided.any(axis=1), decided.argmax(axis=1) + 1.0, np.inf)


def decision_ranges(simulation: Simulation) -> str:
    """How often the forecast range holds the day of the decision, asked on days 3 to 21.

    The pace is a fixed sample size of the true lift in 28 days. No range is given before 10
    visitors have converted and 10 have not.
    """
    rows = []
    few = replace(simulation, repetitions=min(simulation.repetitions, ASKED))
    cases = [(0.05, 0.05), (0.05, 0.1), (0.05, 0.2), (0.05, 0.5)]
    cases += [(0.2, 0.05), (0.2, 0.1), (0.2, 0.2), (0.2, 0.5), (0.9, 0.2)]
    for split, (rate, lift) in itertools.product(("50/50", "90/10"), cases):
        other = lifted(rate, lift)
        daily = _fixed_size((rate, other), split) / 28
        cell = Cell(split, rate, round(daily * DAYS), 0, DAYS, 1, other / rate - 1)
        [counts] = few.pairs(cell)
        asked, held, endless, widths = 0, 0, 0, []
        for real, soonest, latest in _forecasts(counts, daily):
            asked += 1
            held += soonest <= real <= latest
            endless += latest == math.inf
            if latest < math.inf:
                widths.append((latest + 1) / (soonest + 1))
        rows.append(
            [
                f"{split}, {rate:.0%}, {_described(rate, lift)}",
                f"{asked:,}",
                percent(held, asked, 80),
                f"{100 * endless / asked:.0f}",
                f"{float(np.median(widths)):.1f}",
            ]
        )
    head = [
        "split, rate, lift",
        "asked",
        "held, %",
        "without a latest day, %",
        "median latest/soonest",
    ]
    return markdown(head, rows)


def _forecasts(counts: Counts, daily: float) -> Iterator[tuple[int, float, float]]:
    """Yield for every forecast the real days to the decision, and the soonest and latest of it."""
    decided = vector_mixture.log_evidence(counts, 0.0, LIFT) > math.log(20)
    converted = counts.s_a + counts.s_b
    failed = counts.n_a + counts.n_b - converted
    given = (converted >= 10) & (failed >= 10)
    for at, day in itertools.product(range(len(decided)), (3, 7, 14, 21)):
        if decided[at, :day].any() or not decided[at].any() or not given[at, day - 1]:
            continue
        control, variant = (
            make_arm(float(n[at, day - 1]), float(s[at, day - 1]), 0)
            for n, s in ((counts.n_a, counts.s_a), (counts.n_b, counts.s_b))
        )
        found = decision_range(control, variant, LIFT, 0.05)
        yield (
            int(decided[at].argmax()) + 1 - day,
            math.inf if found.soonest is None else math.floor(found.soonest / daily),
            math.inf if found.latest is None else math.ceil(found.latest / daily),
        )


def _described(rate: float, lift: float) -> str:
    return f"{'failures -' if rate > 0.5 else '+'}{lift:.0%}"


TABLES: tuple[tuple[str, Callable[[Simulation], str]], ...] = (
    ("wald", wald),
    ("interval ends", interval_ends),
    ("stopping times", stopping_times),
    ("decision ranges", decision_ranges),
    ("split alarms", split_alarms),
    ("transformed lifts", transformed_lifts),
    ("lifts of failures", lifts_of_failures),
    ("true lifts", true_lifts),
    ("false headlines", false_headlines),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=4000, help="experiments per cell")
    parser.add_argument("--cells", type=int, default=0, help="cells per table; 0 means all")
    parser.add_argument("--histories", type=int, default=2000, help="HyperLogLogs in the pool")
    parser.add_argument("--seed", type=int, default=11)
    names = [name for name, _ in TABLES]
    parser.add_argument("--only", choices=names, nargs="+", default=names, help="tables to write")
    parser.add_argument(
        "--output", type=pathlib.Path, default=PAGE, help="page with the tables to replace"
    )
    options = parser.parse_args()
    pool = Histories(np.random.default_rng(options.seed), options.histories, max(VISITORS))
    cells = f"{options.cells} cells per table" if options.cells else "all cells"
    for name, table in TABLES:
        if name not in options.only:
            continue
        started = time.monotonic()
        rng = np.random.default_rng([options.seed, *name.encode()])
        simulation = Simulation(rng, options.repetitions, options.cells, pool)
        note = f"\nSeed {options.seed}, {cells}, {options.repetitions:,} experiments per cell.\n"
        fill(options.output, name, table(simulation) + note)
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
