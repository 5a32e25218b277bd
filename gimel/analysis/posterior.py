"""The Bayesian figures: the probability that an arm beats the control, and that it is the best.

The rate of each arm has the posterior Beta(1 + p m, 1 + (1-p) m) under a uniform prior; m is the
effective sample size. All arms are integrated on one grid over the log-odds y = ln(x / (1-x)),
where each density is smooth and has one peak and no edges, whatever its shape in x. Knows arms and
nothing of verdicts.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from gimel.analysis.counts import Arm

_STEP = 0.2  # between grid points, in standard deviations of the narrowest posterior there
_DEPTH = 20.0  # a density below exp(-20) of its peak is ignored


@dataclass(frozen=True)
class Chance:
    """Two probabilities of one arm.

    Attributes:
        beats_control: The probability that its rate is better than the control's; 0.5 for the
            control.
        best: The probability that its rate is better than that of every other arm.
    """

    beats_control: float
    best: float


@dataclass(frozen=True)
class _Posterior:
    """Beta(a, b) over the log-odds: a density proportional to x^a (1-x)^b.

    `mode` is its peak, `deviation` its spread there, `low` and `high` its support; all in log-odds.
    """

    a: float
    b: float
    mode: float
    deviation: float
    low: float
    high: float


@dataclass(frozen=True)
class _Table:
    """A posterior at the grid points inside its support, from the point `start` on.

    For each point: the density, its derivative, and the probability of a smaller value.
    """

    start: int
    density: list[float]
    slope: list[float]
    below: list[float]

    def probability_below(self, point: int) -> tuple[float, float]:
        """Return the probability of a value below a grid point, and its derivative, the density."""
        index = point - self.start
        if index < 0:
            return 0.0, 0.0
        if index >= len(self.below):
            return 1.0, 0.0
        return self.below[index], self.density[index]


def chances(arms: Sequence[Arm], control: Arm, *, is_decrease: bool = False) -> tuple[Chance, ...]:
    """Return the probabilities of every arm, in the order of `arms`; `control` is one of them.

    If `is_decrease`, the lower rate is the better one. They are accurate to 1e-5, and those of
    being best add up to 1.
    """
    posteriors = [_posterior(arm, is_decrease) for arm in arms]
    grid = _grid(posteriors)
    tables = [_table(posterior, grid) for posterior in posteriors]
    product, growth = _all_below(tables, len(grid))
    control_table = tables[next(index for index, arm in enumerate(arms) if arm is control)]
    beats, best = [], []
    for arm, table in zip(arms, tables, strict=True):
        points = range(table.start, table.start + len(table.below))
        others_below = [
            (product[point] / below, product[point] / below * (growth[point] - f / below))
            for point, f, below in zip(points, table.density, table.below, strict=True)
        ]
        best.append(max(0.0, _mean(table, grid, others_below)))
        control_below = map(control_table.probability_below, points)
        beats.append(0.5 if arm is control else _mean(table, grid, control_below))
    total = math.fsum(best)
    return tuple(
        Chance(min(1.0, max(0.0, beat)), share / total)
        for beat, share in zip(beats, best, strict=True)
    )


def _posterior(arm: Arm, is_decrease: bool) -> _Posterior:
    """Return the posterior of an arm's rate, or of the rate of its failures."""
    size = arm.effective_size
    a, b = 1 + arm.rate * size, 1 + (1 - arm.rate) * size
    if is_decrease:
        a, b = b, a
    mode, deviation = math.log(a) - math.log(b), math.sqrt(1 / a + 1 / b)
    low, high = mode + _edge(a, b, -deviation), mode + _edge(a, b, deviation)
    return _Posterior(a, b, mode, deviation, low, high)


def _edge(a: float, b: float, step: float) -> float:
    """Return the distance from the peak where the density is about exp(-_DEPTH) of it.

    The sign of `step` gives the direction.
    """
    inner, outer = 0.0, 2 * step
    while _depth(a, b, outer) < _DEPTH:
        inner, outer = outer, outer * 2
    for _ in range(6):
        middle = (inner + outer) / 2
        inner, outer = (middle, outer) if _depth(a, b, middle) < _DEPTH else (inner, middle)
    return outer


def _depth(a: float, b: float, distance: float) -> float:
    """Return how far the logarithm of the density is below its peak, at `distance` from it.

    Written in terms of the distance: at large a and b the difference of two logarithms of
    x^a (1-x)^b would lose all its digits.
    """
    return a * math.log1p(b / (a + b) * math.expm1(-distance)) + b * math.log1p(
        a / (a + b) * math.expm1(distance)
    )


def _grid(posteriors: Sequence[_Posterior]) -> list[float]:
    """Return log-odds over the union of the supports, as dense as the narrowest posterior needs."""
    edges = sorted({edge for posterior in posteriors for edge in (posterior.low, posterior.high)})
    grid: list[float] = []
    for left, right in pairwise(edges):
        width = right - left
        narrowest = min(
            (p.deviation for p in posteriors if p.low <= left and right <= p.high), default=width
        )
        steps = math.ceil(width / (_STEP * narrowest))
        grid.extend(left + width * step / steps for step in range(steps))
    return [*grid, edges[-1]]


def _table(posterior: _Posterior, grid: Sequence[float]) -> _Table:
    """Return the posterior on the grid, normalised there.

    So no gamma function is needed, and its digits are not lost.
    """
    start, end = bisect_left(grid, posterior.low), bisect_right(grid, posterior.high)
    a, b, points = posterior.a, posterior.b, grid[start:end]
    density = [math.exp(-_depth(a, b, y - posterior.mode)) for y in points]
    slope = [f * (a - (a + b) / (1 + math.exp(-y))) for f, y in zip(density, points, strict=True)]
    # About what lies below the support: it keeps `below` above zero.
    tail = density[0] * posterior.deviation
    # In the steep tail of a skewed posterior, where there is next to nothing, the correction can
    # exceed the area itself.
    areas = (max(area, 0.0) for area in _areas(points, density, slope))
    below = list(accumulate(areas, initial=tail))
    total = below[-1]
    return _Table(
        start, [f / total for f in density], [f / total for f in slope], [f / total for f in below]
    )


def _all_below(tables: Sequence[_Table], size: int) -> tuple[list[float], list[float]]:
    """Return the probability that every arm is below each grid point, and its log-derivative."""
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
    """Return the mean of a function under a posterior.

    `function` gives its value and derivative at each point of the table.
    """
    values, slopes = [], []
    for f, slope, (value, derivative) in zip(table.density, table.slope, function, strict=True):
        values.append(f * value)
        slopes.append(slope * value + f * derivative)
    return math.fsum(_areas(grid[table.start : table.start + len(values)], values, slopes))


def _areas(
    points: Sequence[float], values: Sequence[float], slopes: Sequence[float]
) -> Iterator[float]:
    """Yield the integral between each two neighbouring points.

    The trapezoid rule with its end correction h^2/12 (f'(x) - f'(x+h)), exact for cubics.

    References:
        P. Davis, P. Rabinowitz (1984), Methods of Numerical Integration, section 2.9.
    """
    for index in range(len(points) - 1):
        width = points[index + 1] - points[index]
        trapezoid = (values[index] + values[index + 1]) / 2
        correction = width / 12 * (slopes[index] - slopes[index + 1])
        yield width * (trapezoid + correction)
