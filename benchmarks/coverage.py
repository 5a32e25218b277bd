"""How often the statistics are right when visitors are counted by HyperLogLogs. Writes benchmarks/coverage.md.

`python -m benchmarks.coverage` takes a few minutes; `--repetitions` and `--paths` narrow the Monte-Carlo error. Counts come
from `benchmarks.hyperloglog`, and every figure from the package itself, called as the results call it, not from a NumPy copy.
"""

from __future__ import annotations

import argparse
import math
import pathlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.hyperloglog import (
    REGISTERS,
    Floats,
    Integers,
    corrected,
    sample_errors,
    sample_path,
    sample_subset,
)
from gimel.analysis import stats
from gimel.analysis.counts import Arm, Count, relative_variance

RESULTS = pathlib.Path(__file__).with_suffix(".md")
RATES = (0.01, 0.05, 0.2, 0.5)
VISITORS = (1_000, 10_000, 100_000, 1_000_000)
PRECISIONS = (1, 16)
LIFT = 0.1
DAYS = 90
EXACT, NAIVE, GIMEL = "exact", "naive", "gimel"
WAYS = (EXACT, NAIVE, GIMEL)


@dataclass
class Simulation:
    """The size of the simulation, its random numbers, and pools of single shards to draw counters from."""

    repetitions: int
    paths: int
    rng: np.random.Generator
    shards: dict[float, tuple[Floats, Floats]] = field(default_factory=dict)
    histories: dict[float, tuple[Floats, Floats]] = field(default_factory=dict)

    def errors(self, elements: float, precision: int) -> Floats:
        """Return for each repetition count / truth of a counter of about so many elements."""
        level = elements / precision
        if level not in self.shards:
            true, counts = sample_errors(self.rng, 20_000, level)
            self.shards[level] = (true.astype(np.float64), corrected(counts))
        return _ratio(*_sum(self.rng, self.shards[level], self.repetitions, precision))

    def error_paths(self, elements: float, precision: int, size: int) -> Floats:
        """Return for `size` counters and each day count / truth, so many elements coming to each in `DAYS` days."""
        level = elements / precision
        if level not in self.histories:
            pool = []
            for _ in range(self.paths if precision == 1 else 2 * self.paths):
                arrivals = self.rng.multinomial(self.rng.poisson(level), [1 / DAYS] * DAYS)
                pool.append((np.cumsum(arrivals), corrected(sample_path(self.rng, arrivals))))
            true, counts = zip(*pool, strict=True)
            self.histories[level] = (np.array(true, dtype=np.float64), np.array(counts))
        return _ratio(*_sum(self.rng, self.histories[level], size, precision))


def _sum(
    rng: np.random.Generator, pool: tuple[Floats, Floats], size: int, shards: int
) -> tuple[Floats, Floats]:
    """Return truth and count of `size` counters, each made of shards drawn from the pool."""
    chosen = rng.integers(0, len(pool[0]), size=(shards, size))
    true, counts = (sum(values[row] for row in chosen) for values in pool)
    return np.asarray(true), np.asarray(counts)


def _ratio(true: Floats, counts: Floats) -> Floats:
    return np.divide(counts, true, out=np.ones_like(counts), where=true > 0)


def count(value: float, precision: int) -> Count:
    return Count.of({str(precision) if precision else "exact": value})


def percent(hits: float, out_of: int, low: float = 0, high: float = 100, digits: int = 1) -> str:
    """Write a share in percent, in bold outside of the target by more than two standard errors."""
    share = 100 * hits / out_of
    error = 100 * math.sqrt(max(hits, 1) * max(out_of - hits, 1) / out_of**3)
    text = f"{share:.{digits}f}"
    return f"**{text}**" if share < low - 2 * error or share > high + 2 * error else text


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def counting_error(simulation: Simulation) -> str:
    """Measure c(t), the relative variance of a single HyperLogLog times its registers, beside the formula."""
    rows = []
    for elements in (1_000, 4_000, 16_384, 40_000, 100_000, 300_000, 1_000_000):
        true, counts = sample_errors(simulation.rng, 20_000, elements)
        ratio = corrected(counts) / true
        measured = float(np.var(ratio)) * REGISTERS
        formula = relative_variance(elements, 1) * REGISTERS
        bias = (float(np.mean(ratio)) - 1) / math.sqrt(float(np.var(ratio)))
        error = measured * math.sqrt(2 / len(ratio))
        rows.append(
            [
                f"{elements:,}",
                f"{measured:.3f} ± {error:.3f}",
                f"{formula:.3f}",
                f"{bias:+.3f} ± {len(ratio) ** -0.5:.3f}",
            ]
        )
    return table(["elements", "c measured", "c of the formula", "bias, in standard errors"], rows)


def rounding(simulation: Simulation) -> str:
    """Measure the bias of a sum of shards with PFCOUNT's rounding and with it undone."""
    rows = []
    for precision, elements in (
        (16, 200),
        (16, 1_000),
        (16, 10_000),
        (64, 1_000),
        (256, 1_000),
        (256, 10_000),
    ):
        true, counts = sample_errors(simulation.rng, 100_000, elements / precision)
        scale = precision / math.sqrt(relative_variance(elements, precision) * elements**2)
        biases = [float(np.mean(kind - true)) * scale for kind in (counts, corrected(counts))]
        error = float(np.std(counts - true)) / math.sqrt(len(true)) * scale
        rows.append(
            [f"{precision}", f"{elements:,}", *(f"{bias:+.2f} ± {error:.2f}" for bias in biases)]
        )
    return table(["precision", "elements", "bias rounded", "bias with the rounding undone"], rows)


@dataclass
class Tally:
    """Hits of one way to count, at one look."""

    rate: int = 0
    difference: int = 0
    lift: int = 0
    fired: int = 0

    def add(self, arms: Sequence[Arm], p: float) -> None:
        """Two arms convert at p, the third at p (1 + LIFT)."""
        first, second, lifted = arms
        self.rate += sum(_holds(stats.rate(arm), p) for arm in (first, second))
        self.difference += _holds(stats.difference(lifted, first), LIFT * p)
        self.lift += _holds(stats.lift(lifted, first), LIFT)
        self.fired += stats.p_value(second, first) < 0.05


def _each(
    seen: Sequence[Floats], goals: Sequence[Floats] | Sequence[Integers], precision: int
) -> Iterator[list[Arm]]:
    """Return the arms of every repetition, given the counts by arm and repetition."""
    for counts in zip(*(side.tolist() for side in (*seen, *goals)), strict=True):
        visitors, conversions = counts[: len(seen)], counts[len(seen) :]
        yield [
            Arm("", count(n, precision), count(s, precision))
            for n, s in zip(visitors, conversions, strict=True)
        ]


def _holds(estimate: stats.Estimate | None, truth: float) -> bool:
    return estimate is None or estimate.low <= truth <= estimate.high


def one_look(simulation: Simulation) -> str:
    """Coverage of 95% intervals and firing of the A/A test, goals with uuids of their own."""
    rows = []
    for precision in PRECISIONS:
        for p in RATES:
            for visitors in VISITORS:
                tallies = {way: Tally() for way in WAYS}
                rates = (p, p, p * (1 + LIFT))
                converted = [
                    simulation.rng.binomial(visitors, rate, simulation.repetitions)
                    for rate in rates
                ]
                seen = [visitors * simulation.errors(visitors, precision) for _ in rates]
                goals = [s * simulation.errors(visitors * p, precision) for s in converted]
                true = [np.full(simulation.repetitions, visitors) for _ in rates]
                for way, tally in tallies.items():
                    counts = (true, converted) if way == EXACT else (seen, goals)
                    for arms in _each(counts[0], counts[1], precision if way == GIMEL else 0):
                        tally.add(arms, p)
                size = simulation.repetitions
                held = []
                for what, times in (("rate", 2), ("difference", 1), ("lift", 1)):
                    hits = {way: getattr(tallies[way], what) for way in WAYS}
                    most = max(96.5, 100 * hits[EXACT] / size / times)
                    held += [percent(hits[way], size * times) for way in (EXACT, NAIVE)]
                    held.append(percent(hits[GIMEL], size * times, 94, most))
                fired = [
                    percent(tallies[way].fired, size, *((4, 6) if way == GIMEL else ()))
                    for way in WAYS
                ]
                rows.append([f"{precision}", f"{p:.0%}", f"{visitors:,}", *held, *fired])
    columns = [f"{what} {way}" for what in ("rate", "diff", "lift", "A/A") for way in WAYS]
    return table(["precision", "rate", "visitors", *columns], rows)


def same_uuids(simulation: Simulation) -> str:
    """The same where goals carry the visitors' uuids: the errors of the two counts go together."""
    rows = []
    for precision in PRECISIONS:
        for p in RATES:
            for visitors in VISITORS[2:]:
                size = simulation.repetitions
                arms: list[list[Arm]] = []
                for _ in range(2):
                    drawn = sample_subset(simulation.rng, size * precision, visitors / precision, p)
                    seen, goals = (
                        corrected(shard).reshape(size, precision).sum(axis=1) for shard in drawn
                    )
                    arms.append(
                        [
                            Arm("", count(n, precision), count(s, precision))
                            for n, s in zip(seen, goals, strict=True)
                        ]
                    )
                held = sum(_holds(stats.rate(arm), p) for side in arms for arm in side)
                fired = sum(stats.p_value(a, b) < 0.05 for a, b in zip(*arms, strict=True))
                rows.append(
                    [
                        f"{precision}",
                        f"{p:.0%}",
                        f"{visitors:,}",
                        percent(held, 2 * size, 94),
                        percent(fired, size, 0, 6),
                    ]
                )
    return table(["precision", "rate", "visitors", "rate gimel", "A/A gimel"], rows)


def daily_looks(simulation: Simulation) -> str:
    """How many A/A tests are called for one side or the other on any of 90 days."""
    rows = []
    for precision in PRECISIONS:
        for p in RATES:
            for visitors in VISITORS:
                size = simulation.repetitions // 2
                seen, goals, true = [], [], np.round(np.arange(1, DAYS + 1) * visitors / DAYS)
                for _ in range(2):
                    daily = np.diff(true, prepend=0).astype(np.int64)
                    converted = np.cumsum(
                        simulation.rng.binomial(daily, p, size=(size, DAYS)), axis=1
                    )
                    seen.append(true * simulation.error_paths(visitors, precision, size))
                    goals.append(converted * simulation.error_paths(visitors * p, precision, size))
                anytime = sum(
                    any(map(_called, *_arms(seen, goals, at, precision))) for at in range(size)
                )
                peeked = sum(
                    any(map(_significant, *_arms(seen, goals, at, precision))) for at in range(size)
                )
                naive = sum(
                    any(map(_significant, *_arms(seen, goals, at, 0))) for at in range(size)
                )
                row = [percent(naive, size), percent(peeked, size), percent(anytime, size, 0, 5)]
                rows.append([f"{precision}", f"{p:.0%}", f"{visitors:,}", *row])
    columns = ["naive p < 0.05", "gimel p < 0.05", "gimel's verdict"]
    return table(["precision", "rate", "visitors", *columns], rows)


def _arms(seen: list[Floats], goals: list[Floats], at: int, precision: int) -> list[list[Arm]]:
    """Return for each side the arm as it stands on every day of one repetition."""
    return [
        [
            Arm("", count(n, precision), count(s, precision))
            for n, s in zip(side[at].tolist(), goal[at].tolist(), strict=True)
        ]
        for side, goal in zip(seen, goals, strict=True)
    ]


def _called(arm: Arm, control: Arm) -> bool:
    difference = stats.anytime_difference(arm, control)
    if difference.low <= 0 <= difference.high:
        return False
    lift = stats.anytime_lift(arm, control)
    return lift is None or not lift.low <= 0 <= lift.high


def _significant(arm: Arm, control: Arm) -> bool:
    return stats.p_value(arm, control) < 0.05


def split(simulation: Simulation) -> str:
    """How often a right split is called a mismatch at p < 0.001, at one look and on any of 90 days."""
    rows, size = [], 20 * simulation.repetitions
    many = Simulation(size, simulation.paths, simulation.rng, simulation.shards)
    for precision in PRECISIONS:
        for visitors in VISITORS:
            first = simulation.rng.binomial(2 * visitors, 0.5, size)
            sides = [
                first * many.errors(visitors, precision),
                (2 * visitors - first) * many.errors(visitors, precision),
            ]
            fired = {kind: _mismatches(sides, kind) for kind in (0, precision)}
            daily = np.diff(np.round(np.arange(DAYS + 1) * 2 * visitors / DAYS)).astype(np.int64)
            left = simulation.rng.binomial(daily, 0.5, size=(simulation.repetitions, DAYS))
            paths = [
                np.cumsum(side, axis=1)
                * simulation.error_paths(visitors, precision, simulation.repetitions)
                for side in (left, daily[None, :] - left)
            ]
            looked = sum(
                _mismatches([path[at] for path in paths], precision) > 0
                for at in range(simulation.repetitions)
            )
            naive, gimel = (
                percent(fired[0], size, digits=3),
                percent(fired[precision], size, 0, 0.12, digits=3),
            )
            rows.append(
                [
                    f"{precision}",
                    f"{visitors:,}",
                    naive,
                    gimel,
                    percent(looked, simulation.repetitions),
                ]
            )
    return table(["precision", "visitors", "naive", "gimel", "gimel, any of 90 days"], rows)


def _mismatches(sides: list[Floats], precision: int) -> int:
    none = Count()
    return sum(
        stats.split(
            [Arm("", count(a, precision), none), Arm("", count(b, precision), none)]
        ).is_mismatch
        for a, b in zip(*(side.tolist() for side in sides), strict=True)
    )


SECTIONS: tuple[tuple[str, str, Callable[[Simulation], str]], ...] = (
    (
        "The error of one HyperLogLog",
        "Redis' estimator on 16,384 registers: the relative variance of a count is c(t) / 16384, t elements a register.",
        counting_error,
    ),
    (
        "The rounding of small shards",
        "The bias of a counter, in its standard errors, as PFCOUNT rounds each shard and with that undone.",
        rounding,
    ),
    (
        "One look",
        "Percent of 95% intervals that hold the truth, and of A/A tests with p < 0.05. *exact* is the textbook on exact "
        "counts, *naive* the textbook on HyperLogLog's counts, *gimel* what Gimel shows. Goals carry uuids of their own. Where "
        "the exact figures are off, few conversions are the reason. Targets: intervals 94-96.5 (more where exact ones hold "
        "more), A/A 4-6.",
        one_look,
    ),
    (
        "Goals with the visitors' uuids",
        "The errors of the two counts now go together and partly cancel; Gimel takes them as independent, which is safe.",
        same_uuids,
    ),
    (
        "A look every day for 90 days",
        "Percent of A/A tests that were called for either side on any day, of half as many experiments. Target for the "
        "verdict: at most 5.",
        daily_looks,
    ),
    (
        "Sample-ratio mismatch",
        "Percent of right splits called a mismatch; nominal 0.1, target at most 0.12 at one look. The nominal rate is that of "
        "one look.",
        split,
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--repetitions",
        type=int,
        default=4000,
        help="experiments a cell (20 times as many for the split)",
    )
    parser.add_argument(
        "--paths", type=int, default=200, help="histories in the pools that 90 days are drawn from"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    simulation = Simulation(options.repetitions, options.paths, np.random.default_rng(options.seed))
    errors = ", ".join(
        f"{100 * math.sqrt(p * (1 - p) / options.repetitions):.2f} at {p:.0%}"
        for p in (0.95, 0.05, 0.02)
    )
    parts = [
        "# Coverage of the statistics\n",
        f"Written by `python -m benchmarks.coverage` ({options.repetitions:,} experiments a cell, {options.paths} histories, "
        f"seed {options.seed}). Monte-Carlo standard error of a cell, in points: {errors}; of a cell of the split table "
        f"{100 * math.sqrt(0.001 / 20 / options.repetitions):.3f}. Bold: outside of the target by more than two of them.\n",
    ]
    for title, text, measure in SECTIONS:
        started = time.monotonic()
        parts.append(f"## {title}\n\n{text}\n\n{measure(simulation)}\n")
        print(f"{title}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    RESULTS.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
