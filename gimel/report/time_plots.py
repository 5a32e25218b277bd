"""Where values over time are drawn on a plot: moments in, coordinates out.

All coordinates are percentages of the plot's width and height, with the origin at the top left, so
that a template can stretch a plot without stretching its text. Knows nothing of HTML.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from gimel.report.figures import format_day
from gimel.report.plots import percent_label, round_step

DAY = 86_400
SHORTEST_DAYS = 0.5
"""Fewer days have no visitors per day: the pace of a few hours says little about a day."""

LONGEST_DAYS = 1.5
"""More days between two moments are a gap."""

WIDEST = 4.0
"""Times the last interval: wider ones are cut off at the edge of the plot."""

_WEEK = 7  # days, over which the weekdays cancel out
_MOST_LABELS = 5  # below a plot: more would overlap on a phone
_STEPS_OF_DAYS = (1, 2, 3, 7, 14)
_STEPS_OF_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
_MONDAY = 4  # 1970-01-05 was the first Monday
_PARTS = 5  # into which round values divide an axis at most
_MARGIN = 0.06  # beside the outermost value, as a share of the axis
_ROOM = 0.12  # beside zero, as a share of the axis
_BEYOND = 50.0  # percent outside of the plot, where a line is no longer seen
_LEAST_WIDTH = 1e-6  # of an axis: a narrower one would only show rounding
_ALL_MARKED, _SOME_MARKED = 16, 8  # points of a line: up to 16 all have markers, else about 8

Position = float
"""A percentage of the width or height of a plot."""


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
class Marked:
    """A day marked by a vertical line, with words at its upper end.

    Attributes:
        x: Its position.
        words: What happened.
        anchor: How the words are aligned with the line, as SVG's text-anchor.
    """

    x: Position
    words: str
    anchor: str


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


@dataclass(frozen=True)
class Value:
    """A value at a time, and its interval if it has one. An end that is None is open.

    `starts` if it is not joined to the value before, because a day in between is missing.
    """

    time: float
    value: float | None
    low: float | None = None
    high: float | None = None
    starts: bool = False


@dataclass(frozen=True)
class TimeAxis:
    """The horizontal axis, from `start` to `end` in seconds since 1970."""

    start: float
    end: float

    def position(self, time: float) -> Position:
        """Return the position of a time."""
        width = self.end - self.start
        return round(100 * (time - self.start) / width, 2) if width > 0 else 100.0

    @property
    def labels(self) -> tuple[tuple[Position, str], ...]:
        """The positions and words of at most five dates (UTC), at midnight.

        They are days or weeks apart, else at the start of months. Without a midnight, that of the
        start.
        """
        found = next(
            (days for days in self._candidates() if len(days) <= _MOST_LABELS), [self.start]
        )
        found = found or [self.start]
        return tuple((self.position(day), _date_label(day)) for day in found)

    def mark(self, time: float, words: str) -> Marked | None:
        """Return a mark with words; None for a time beyond the axis."""
        if not self.start <= time <= self.end:
            return None
        x = self.position(time)
        return Marked(x, words, "start" if x < 35 else "end" if x > 65 else "middle")

    def _candidates(self) -> Iterator[list[float]]:
        first, last = math.ceil(self.start / DAY), math.floor(self.end / DAY)
        for step in _STEPS_OF_DAYS:
            if (last - first) / step <= _MOST_LABELS + 1:
                yield [
                    float(day * DAY)
                    for day in range(first, last + 1)
                    if (day - (_MONDAY if step % 7 == 0 else first)) % step == 0
                ]
        for step in _STEPS_OF_MONTHS:
            yield list(_months(self.start, self.end, step))


@dataclass(frozen=True)
class ValueAxis:
    """The vertical axis, from `low` to `high`."""

    low: float
    high: float

    def position(self, value: float) -> Position:
        """Return the position of a value: 0 at the top; limited far outside of the plot."""
        share = (self.high - value) / (self.high - self.low)
        return round(100 * min(max(share, -_BEYOND / 100), 1 + _BEYOND / 100), 2)

    def percentages(self, sign: bool) -> tuple[tuple[Position, str], ...]:
        """Return the positions of round shares of 1, in percent; `sign` for changes."""
        step = round_step(self.high - self.low, _PARTS)
        return tuple(
            (self.position(number * step), percent_label(number * step, step, sign))
            for number in self._numbers(step)
        )

    def counts(self) -> tuple[tuple[Position, str], ...]:
        """Return the positions of round counts: "500", "1,000", "20k"."""
        step = max(1.0, round_step(self.high - self.low, _PARTS))
        return tuple(
            (self.position(number * step), _count_label(number * step))
            for number in self._numbers(step)
        )

    def _numbers(self, step: float) -> range:
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return range(first, last + 1)


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


def draw_steps(
    style: int, steps: Sequence[tuple[float, float, float]], times: TimeAxis, axis: ValueAxis
) -> Series:
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
    steps: Sequence[tuple[float, float, float]],
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


def lift_axis(lines: Sequence[Sequence[Value]]) -> ValueAxis:
    """Return the axis that holds zero and the intervals, except for the wide ones at the start.

    The first intervals can be a hundred times as wide as the last ones.
    """
    known = [each for values in lines for each in values if each.value is not None]
    last = [width for values in lines if values and (width := _width(values[-1])) is not None]
    most = WIDEST * max(last) if last else math.inf
    ends = [0.0]
    for each in known:
        width = _width(each)
        if width is not None and width <= most:
            ends += [end for end in (each.value, each.low, each.high) if end is not None]
    if len(ends) == 1:
        ends += [each.value for each in known if each.value is not None and each.value <= 1]
    found = _axis(ends, least=-1.0)
    room = _ROOM * (found.high - found.low)  # for the words at zero, on either side of it
    return ValueAxis(min(found.low, -room), max(found.high, room))


def rate_axis(lines: Sequence[Sequence[Value]]) -> ValueAxis:
    """Return the axis that holds the rates, except for the uncertain ones at the start."""
    last = [width for values in lines if values and (width := _width(values[-1])) is not None]
    most = WIDEST * max(last, default=math.inf)
    ends = [
        each.value
        for values in lines
        for each in values
        if each.value is not None and (_width(each) or 0.0) <= most
    ]
    found = _axis(ends or [0.0, 1.0], least=0.0)
    return ValueAxis(found.low, min(1.0, found.high)) if found.low < 1 else found


def count_axis(steps: Iterable[tuple[float, float, float]]) -> ValueAxis:
    """Return the axis that holds counts, from 0."""
    most = max((value for _, _, value in steps), default=0.0)
    return ValueAxis(0.0, max(1.0, most) * (1 + _MARGIN))


def _axis(ends: Sequence[float], least: float) -> ValueAxis:
    low, high = min(ends), max(ends)
    if high - low <= _LEAST_WIDTH:
        low, high = low - 0.01, high + 0.01
    margin = _MARGIN * (high - low)
    return ValueAxis(max(least, low - margin), high + margin)


def _width(value: Value) -> float | None:
    if value.low is None or value.high is None:
        return None
    return value.high - value.low


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


def _months(start: float, end: float, step: int) -> Iterator[float]:
    """Yield the starts of every `step` months, counted from a January."""
    first = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=start)
    number = 12 * first.year + first.month - 1
    number -= number % step
    while True:
        time = datetime(number // 12, number % 12 + 1, 1, tzinfo=timezone.utc).timestamp()
        if time > end:
            return
        if time >= start:
            yield time
        number += step


def _date_label(day: float) -> str:
    """Return a date without its year: "3 May"; the year alone for the first of January."""
    date = format_day(day, has_year=False)
    return format_day(day)[-4:] if date == "1 Jan" else date


def _count_label(count: float) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= max(size, 10_000):
            return f"{count / size:,.6g}{unit}"
    return f"{count:,.0f}"
