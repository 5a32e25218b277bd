"""Where values over time are drawn on a plot: values in, coordinates out.

All coordinates are percentages of the plot's width and height, so that a template can stretch a
plot without stretching its text. Knows nothing of HTML.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from gimel.report.history import Step
from gimel.report.time_axes import DAY, Marked, Position, TimeAxis, Value, ValueAxis

_WEEK = 7  # days, over which the weekdays cancel out
_ALL_MARKED, _SOME_MARKED = 16, 8  # points of a line: up to 16 all have markers, else about 8


@dataclass(frozen=True)
class Series:
    """A variant's values over time.

    Attributes:
        style: The number of its style: 0 for the control, then counting up.
        path: Its line, as an SVG path.
        band: The intervals around it, as an SVG path of closed areas; '' without any.
        faint: The values of single days that the line smooths, as an SVG path; '' without any.
        markers: The positions of its markers, which tell lines apart without colour.
    """

    style: int
    path: str
    band: str
    markers: tuple[tuple[Position, Position], ...]
    faint: str = ""


@dataclass(frozen=True)
class Plot:
    """Lines over time with their axes.

    Attributes:
        series: The lines.
        dates: The positions and words of dates on the horizontal axis.
        values: The positions and words of round values on the vertical axis.
        zero: The position of no difference; None if the values are not differences.
        is_zero_label_below: Whether the words for zero belong below its line, away from the values.
        marked: The day of an event; None without one.
    """

    series: tuple[Series, ...]
    dates: tuple[tuple[Position, str], ...]
    values: tuple[tuple[Position, str], ...]
    zero: Position | None = None
    is_zero_label_below: bool = False
    marked: Marked | None = None


def draw(style: int, values: Sequence[Value], times: TimeAxis, axis: ValueAxis) -> Series:
    """Return the line through values with the band of their intervals. Unknown values are gaps."""
    line, bands, markers = [], [], []
    for run in _runs(values):
        points = [
            (times.position(each.time), axis.position(each.value))
            for each in run
            if each.value is not None
        ]
        line.append(_polyline(points))
        markers += points
        if any(each.low is not None or each.high is not None for each in run):
            bands.append(_area(run, times, axis))
    return Series(style, "".join(line), "".join(bands), _some(markers))


def without_band(series: Series) -> Series:
    """Return a line alone."""
    return replace(series, band="")


def draw_steps(style: int, steps: Sequence[Step], times: TimeAxis, axis: ValueAxis) -> Series:
    """Return a line of steps, each a start, an end and a value. It breaks where days are missing.

    The markers are in the middle of the steps.
    """
    path, markers = [], []
    before = None
    for start, end, value in steps:
        y = axis.position(value)
        path.append(f"{'V' if start == before else f'M{times.position(start):g} '}{y:g}")
        path.append(f"H{times.position(end):g}")
        markers.append((times.position((start + end) / 2), y))
        before = end
    return Series(style, "".join(path), "", _some(markers))


def smooth(
    style: int,
    steps: Sequence[Step],
    times: TimeAxis,
    axis: ValueAxis,
) -> Series:
    """Return a line of the means of seven days, above the faint line of the days.

    A mean is drawn in the middle of its days, if none of them is missing.
    """
    days: list[Value] = []
    means: list[Value] = []
    first, weight = 0, 0.0
    for number, (start, end, value) in enumerate(steps):
        starts = not days or start != steps[number - 1][1]
        days.append(Value((start + end) / 2, value, starts=starts))
        if starts:
            first, weight = number, 0.0
        weight += value * (end - start)
        while end - steps[first][1] >= (_WEEK - 0.5) * DAY:
            weight -= steps[first][2] * (steps[first][1] - steps[first][0])
            first += 1
        length = end - steps[first][0]
        is_whole = length >= (_WEEK - 0.5) * DAY
        mean = weight / length if is_whole else None
        before = bool(means) and means[-1].value is not None
        means.append(Value((steps[first][0] + end) / 2, mean, starts=starts or not before))
    faint = "".join(
        _polyline([(times.position(each.time), axis.position(each.value or 0.0)) for each in run])
        for run in _runs(days)
    )
    return replace(draw(style, means, times, axis), faint=faint)


def _runs(values: Iterable[Value]) -> Iterator[list[Value]]:
    """Yield the values that are joined, each without unknown ones."""
    run: list[Value] = []
    for each in values:
        if run and (each.starts or each.value is None):
            yield run
            run = []
        if each.value is not None:
            run.append(each)
    if run:
        yield run


def _polyline(points: Sequence[tuple[Position, Position]]) -> str:
    """Return a line; one point alone has a length of 0, which a round end makes a dot."""
    (x, y), *others = points
    rest = "".join(f"L{x:g} {y:g}" for x, y in others) or "h0"
    return f"M{x:g} {y:g}{rest}"


def _area(run: Sequence[Value], times: TimeAxis, axis: ValueAxis) -> str:
    upper = [
        (times.position(each.time), axis.position(math.inf if each.high is None else each.high))
        for each in run
    ]
    lower = [
        (times.position(each.time), axis.position(-math.inf if each.low is None else each.low))
        for each in reversed(run)
    ]
    return f"{_polyline([*upper, *lower])}Z"


def _some(
    markers: Sequence[tuple[Position, Position]],
) -> tuple[tuple[Position, Position], ...]:
    """Return the markers to draw, always with the last one."""
    step = 1 if len(markers) <= _ALL_MARKED else math.ceil(len(markers) / _SOME_MARKED)
    return tuple(reversed(list(reversed(markers))[::step]))
