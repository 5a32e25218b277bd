"""How verdicts behave over a year of daily looks: whether they are right, stay, and are disputed.

Writes the tables "verdicts that stay" and "a year of looks" of docs/statistics.md, in about five
minutes. Counts are those of HyperLogLogs that saw one visitor after the other.
"""

from __future__ import annotations

import argparse
import math
import pathlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks import vector_mixture
from benchmarks.coverage import percent
from benchmarks.hyperloglog import Floats
from benchmarks.marked_tables import fill, markdown
from benchmarks.simulated_counts import count
from benchmarks.vector_mixture import Bools, Counts, Histories
from gimel.analysis.counts import ExperimentCounts, Point
from gimel.analysis.design import Design
from gimel.analysis.experiment import Experiment, analyse
from gimel.analysis.verdict import Kind

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "statistics.md"
DAYS = 365
DAY = 86_400
FIRST = 6  # the index of the first look after the minimum of seven days
LIFT = 0.1
DESIGN = Design(control="a", lift=LIFT)
NAMES = ("a year of looks", "verdicts that stay")
EVERY = 28  # days between the looks at which the package itself is asked

Rates = Callable[[int], float]


@dataclass(frozen=True)
class World:
    """One kind of experiment.

    Attributes:
        name: What it is called in the table.
        per_day: Visitors of both arms together.
        rate: The control's rate.
        lift: The lift on each day, which begins at 0.
        precision: HyperLogLogs per counter; 0 for exact counts.
    """

    name: str
    per_day: int
    rate: float
    lift: Rates
    precision: int = 16


def constant(lift: float) -> Rates:
    return lambda day: lift


def weekends(day: int) -> float:
    """Return a lift of +30% on two days and -12% on five: 0 over a week."""
    return 0.3 if day % 7 < 2 else -0.12


def novelty(day: int) -> float:
    """Return a lift of +20% for ten days, and none after."""
    return 0.2 if day < 10 else 0.0


EQUAL = (
    World("no difference, exact counts", 2000, 0.1, constant(0), 0),
    World("no difference, precision 16", 2000, 0.1, constant(0)),
    World("no difference, precision 1", 2000, 0.1, constant(0), 1),
    World("no difference, rate 70%, precision 16", 2000, 0.7, constant(0)),
    World("+30% on two days a week, −12% on five", 2000, 0.1, weekends),
    World("+30% on two days a week, −12% on five, 200 visitors per day", 200, 0.3, weekends),
)
DIFFERENT = (
    World("+10%", 1000, 0.05, constant(0.1)),
    World("+5%", 2000, 0.1, constant(0.05)),
    World("+5%, precision 1", 2000, 0.1, constant(0.05), 1),
    World("no difference", 2000, 0.1, constant(0)),
    World("+20% for ten days, then none", 2000, 0.1, novelty),
    World("+20% for ten days, then none, 8,000 visitors per day", 8000, 0.1, novelty),
)


@dataclass
class Year:
    """Experiments of one world over a year: the counts by experiment and day."""

    world: World
    counts: Counts

    @property
    def excluded(self) -> Bools:
        """Where the interval of a look alone excludes a lift of 0, from the first day on."""
        found: Bools = vector_mixture.log_evidence(self.counts, 0.0, LIFT) > math.log(20)
        return found

    def points(self, number: int) -> list[Point]:
        """Return the points of one experiment."""
        columns = (self.counts.n_a, self.counts.s_a, self.counts.n_b, self.counts.s_b)
        rows = np.stack([column[number] for column in columns], axis=1).tolist()
        return [_point(day, row, self.world.precision) for day, row in enumerate(rows)]


def _analyse(points: list[Point]) -> Experiment:
    """Return an experiment whose last point is now, as the package analyses it."""
    *history, now = points
    counts = ExperimentCounts("e", now.visitors, now.goals, 0, history=tuple(history))
    return analyse(counts, DESIGN, now=now.time)


def _point(day: int, row: list[float], precision: int) -> Point:
    n_a, s_a, n_b, s_b = (count(number, precision) for number in row)
    return Point((day + 1) * DAY, {"a": n_a, "b": n_b}, {"buy": {"a": s_a, "b": s_b}})


def simulate(rng: np.random.Generator, pool: Histories, world: World, number: int) -> Year:
    """Return that number of experiments of a world."""
    arms: list[Floats] = []
    in_b = rng.binomial(world.per_day, 0.5, size=(number, DAYS))
    lifts = np.array([world.lift(day) for day in range(DAYS)])
    for visitors, rates in (
        (world.per_day - in_b, np.full(DAYS, world.rate)),
        (in_b, world.rate * (1 + lifts)),
    ):
        converted = rng.binomial(visitors, rates)
        for daily in (visitors, converted):
            true = np.cumsum(daily, axis=1).astype(np.float64)
            arms.append(pool.counted(rng, true, world.precision))
    n_a, s_a, n_b, s_b = arms
    return Year(world, Counts(n_a, s_a, n_b, s_b, world.precision))


def year_of_looks(rng: np.random.Generator, pool: Histories, number: int) -> str:
    """False verdicts in a year, if looks count from the minimum days on, or from the first day."""
    rows = []
    for world in EQUAL:
        excluded = simulate(rng, pool, world, number).excluded
        late = int(excluded[:, FIRST:].any(axis=1).sum())
        early = int(excluded.any(axis=1).sum())
        rows.append([world.name, *(percent(wrong, number, 0, 5) for wrong in (late, early))])
        print(rows[-1], file=sys.stderr)
    return markdown(["experiments with", "as Gimel does, %", "from the first day, %"], rows)


def verdicts_that_stay(rng: np.random.Generator, pool: Histories, number: int, asked: int) -> str:
    """How often a verdict is taken back or disputed, and how often novelty is hinted at."""
    rows = []
    for world in DIFFERENT:
        year = simulate(rng, pool, world, number)
        excluded = year.excluded[:, FIRST:]
        has_decided = excluded.any(axis=1)
        first = excluded.argmax(axis=1)
        after = np.arange(excluded.shape[1]) > first[:, None]
        returned = (has_decided & (after & ~excluded).any(axis=1)).sum()
        found = [_follow(year, index) for index in range(asked)]
        reached = sum(each.is_reached for each in found)
        row = [
            world.name,
            f"{100 * has_decided.mean():.0f}",
            f"{100 * returned / max(1, has_decided.sum()):.0f}",
            f"{100 * sum(each.is_taken_back for each in found) / max(1, reached):.0f}",
            f"{100 * sum(each.is_disputed for each in found) / asked:.1f}",
            f"{100 * sum(each.is_disputed_at_end for each in found) / asked:.1f}",
            f"{100 * sum(each.has_hint for each in found) / asked:.1f}",
        ]
        rows.append(row)
        print(row, file=sys.stderr)
    head = ["lift", "wins or loses, %", "looks alone", "taken back, %", "disputed, %"]
    return markdown([*head, "at the end, %", "novelty hint, %"], rows)


@dataclass(frozen=True)
class Followed:
    """What the package said about one experiment in a year."""

    is_reached: bool
    is_taken_back: bool
    is_disputed: bool
    is_disputed_at_end: bool
    has_hint: bool


def _follow(year: Year, number: int) -> Followed:
    """Ask the package every `EVERY` days and at the end, and compare what it says."""
    before: tuple[Kind, int | None] | None = None
    is_taken_back, disputed, has_hint = False, [], False
    points = year.points(number)
    for day in _asked():
        (goal,) = _analyse(points[: day + 1]).goals
        verdict = goal.verdict
        now = (verdict.kind, verdict.reached)
        is_advance = before and before[0] is Kind.NO_DIFFERENCE and verdict.reached is not None
        is_taken_back |= before is not None and now != before and not is_advance
        before = now if verdict.reached is not None else before
        disputed.append(bool(verdict.disagrees))
        has_hint |= goal.novelty is not None
    return Followed(before is not None, is_taken_back, any(disputed), disputed[-1], has_hint)


def _asked() -> Iterator[int]:
    yield from range(EVERY - 1, DAYS - 1, EVERY)
    yield DAYS - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=2000, help="of each kind")
    parser.add_argument("--asked", type=int, default=100, help="those that the package analyses")
    parser.add_argument("--histories", type=int, default=400, help="HyperLogLogs in the pool")
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--only", choices=NAMES, nargs="+", default=NAMES, help="tables to write")
    parser.add_argument(
        "--output", type=pathlib.Path, default=PAGE, help="page with the tables to replace"
    )
    options = parser.parse_args()
    started = time.process_time()
    largest = max(world.per_day for world in (*EQUAL, *DIFFERENT) if world.precision) * DAYS
    pool = Histories(np.random.default_rng(options.seed), options.histories, largest)
    note = f"\nSeed {options.seed}, {options.experiments:,} experiments of each kind"
    looks, stay = NAMES
    if looks in options.only:
        rng = np.random.default_rng([options.seed, 1])
        table = year_of_looks(rng, pool, options.experiments)
        fill(options.output, looks, f"{table}{note}.\n")
    if stay in options.only:
        rng = np.random.default_rng([options.seed, 2])
        table = verdicts_that_stay(rng, pool, options.experiments, options.asked)
        fill(
            options.output, stay, f"{table}{note}; the package analysed {options.asked} of them.\n"
        )
    print(f"{time.process_time() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
