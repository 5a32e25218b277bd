"""The Bayesian figures: chance to beat the control, probability of being best.

Every rate has the posterior Beta(1 + p m, 1 + (1-p) m), m the effective sample size, under a uniform prior. The integrals are
done on one grid for all arms, over the log-odds y = ln(x/(1-x)): there each density is smooth, has one peak and no edge,
whatever its shape in x. Knows arms and nothing of verdicts.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from gimel.analysis.counts import Arm

STEP = 0.2  # of the narrowest standard deviation around
DEPTH = 20.0  # a density is left out where it is under exp(-20) of its peak


@dataclass(frozen=True)
class Chance:
    """Of one arm: the probability that its rate is above the control's (0.5 for the control), and above all others'."""

    beats_control: float
    best: float


@dataclass(frozen=True)
class _Posterior:
    """Beta(a, b) over the log-odds: a density proportional to x^a (1-x)^b, with its peak, spread and support."""

    a: float
    b: float
    mode: float
    deviation: float
    low: float
    high: float


@dataclass(frozen=True)
class _Table:
    """A posterior at the points of the grid inside its support, from `start` on: its density, the derivative of that, and the
    probability of being below."""

    start: int
    density: list[float]
    slope: list[float]
    below: list[float]

    def probability_below(self, point: int) -> tuple[float, float]:
        """Return the probability of being below any point of the grid, and its derivative, the density."""
        at = point - self.start
        if at < 0:
            return 0.0, 0.0
        if at >= len(self.below):
            return 1.0, 0.0
        return self.below[at], self.density[at]


def chances(arms: Sequence[Arm], control: Arm) -> tuple[Chance, ...]:
    """Return the chances of every arm, in the order of `arms`, accurate to 1e-5; those of being best add up to 1."""
    posteriors = [_posterior(arm) for arm in arms]
    grid = _grid(posteriors)
    tables = [_table(posterior, grid) for posterior in posteriors]
    product, growth = _all_below(tables, len(grid))
    against = tables[next(index for index, arm in enumerate(arms) if arm is control)]
    beats, best = [], []
    for arm, table in zip(arms, tables, strict=True):
        points = range(table.start, table.start + len(table.below))
        others = [
            (product[at] / below, product[at] / below * (growth[at] - f / below))
            for at, f, below in zip(points, table.density, table.below, strict=True)
        ]
        best.append(max(0.0, _mean(table, grid, others)))
        beats.append(
            0.5 if arm is control else _mean(table, grid, map(against.probability_below, points))
        )
    total = math.fsum(best)
    return tuple(
        Chance(min(1.0, max(0.0, beat)), share / total)
        for beat, share in zip(beats, best, strict=True)
    )


def _posterior(arm: Arm) -> _Posterior:
    a, b = 1 + arm.rate * arm.effective, 1 + (1 - arm.rate) * arm.effective
    mode, deviation = math.log(a) - math.log(b), math.sqrt(1 / a + 1 / b)
    return _Posterior(
        a, b, mode, deviation, mode + _edge(a, b, -deviation), mode + _edge(a, b, deviation)
    )


def _edge(a: float, b: float, step: float) -> float:
    """Return the distance from the peak, in the direction of `step`, where the density is about exp(-DEPTH) of it."""
    inner, outer = 0.0, 2 * step
    while _depth(a, b, outer) < DEPTH:
        inner, outer = outer, outer * 2
    for _ in range(6):
        middle = (inner + outer) / 2
        inner, outer = (middle, outer) if _depth(a, b, middle) < DEPTH else (inner, middle)
    return outer


def _depth(a: float, b: float, distance: float) -> float:
    """Return how far the logarithm of the density is below its peak, at `distance` from it.

    Written in the distance: the difference of two logarithms of x^a (1-x)^b would lose all its digits at large a and b.
    """
    return a * math.log1p(b / (a + b) * math.expm1(-distance)) + b * math.log1p(
        a / (a + b) * math.expm1(distance)
    )


def _grid(posteriors: Sequence[_Posterior]) -> list[float]:
    """Return log-odds over the union of the supports, everywhere as close as the narrowest posterior there needs."""
    edges = sorted({edge for posterior in posteriors for edge in (posterior.low, posterior.high)})
    grid: list[float] = []
    for left, right in pairwise(edges):
        width = right - left
        narrowest = min(
            (p.deviation for p in posteriors if p.low <= left and right <= p.high), default=width
        )
        steps = math.ceil(width / (STEP * narrowest))
        grid.extend(left + width * step / steps for step in range(steps))
    return [*grid, edges[-1]]


def _table(posterior: _Posterior, grid: Sequence[float]) -> _Table:
    """Return the posterior on the grid, normalised there, so that no gamma function is needed (nor its digits lost)."""
    start, end = bisect_left(grid, posterior.low), bisect_right(grid, posterior.high)
    a, b, points = posterior.a, posterior.b, grid[start:end]
    density = [math.exp(-_depth(a, b, y - posterior.mode)) for y in points]
    slope = [f * (a - (a + b) / (1 + math.exp(-y))) for f, y in zip(density, points, strict=True)]
    tail = (
        density[0] * posterior.deviation
    )  # about what lies below the support; it keeps `below` above zero
    # In the steep tail of a skewed posterior, where hardly anything lies, the correction can exceed the area itself.
    areas = (max(area, 0.0) for area in _areas(points, density, slope))
    below = list(accumulate(areas, initial=tail))
    total = below[-1]
    return _Table(
        start, [f / total for f in density], [f / total for f in slope], [f / total for f in below]
    )


def _all_below(tables: Sequence[_Table], size: int) -> tuple[list[float], list[float]]:
    """Return the probability that every arm is below each point of the grid, and its logarithmic derivative there."""
    first = max(table.start for table in tables)
    product, growth = [0.0] * first + [1.0] * (size - first), [0.0] * size
    for table in tables:
        skipped = first - table.start
        for point, (f, below) in enumerate(
            zip(table.density[skipped:], table.below[skipped:], strict=True), first
        ):
            product[point] *= below
            growth[point] += f / below
    return product, growth


def _mean(table: _Table, grid: Sequence[float], function: Iterable[tuple[float, float]]) -> float:
    """Return the mean of a function under a posterior, given its values and derivatives at the points of the table."""
    values, slopes = [], []
    for f, slope, (value, derivative) in zip(table.density, table.slope, function, strict=True):
        values.append(f * value)
        slopes.append(slope * value + f * derivative)
    return math.fsum(_areas(grid[table.start : table.start + len(values)], values, slopes))


def _areas(
    points: Sequence[float], values: Sequence[float], slopes: Sequence[float]
) -> Iterator[float]:
    """Return the integrals between neighbouring points, by the trapezoid rule with its end correction h^2/12 (f'(x) - f'(x+h)),
    exact for cubics (Davis & Rabinowitz 1984, "Methods of Numerical Integration", section 2.9)."""
    for at in range(len(points) - 1):
        width = points[at + 1] - points[at]
        yield width * (
            (values[at] + values[at + 1]) / 2 + width / 12 * (slopes[at] - slopes[at + 1])
        )
