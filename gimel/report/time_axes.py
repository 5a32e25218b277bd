"""The axes of values over time: which dates and values have a label, and where everything is.

All positions are percentages of the plot's width and height, with the origin at the top left.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from gimel.report.figures import format_day
from gimel.report.history import Step
from gimel.report.plots import percent_label, round_step

DAY = 86_400
WIDEST = 4.0
"""Times the last interval: wider ones are cut off at the edge of the plot."""

Position = float
"""A percentage of the width or height of a plot."""

_MOST_LABELS = 5  # below a plot: more would overlap on a phone
_STEPS_OF_DAYS = (1, 2, 3, 7, 14)
_STEPS_OF_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
_MONDAY = 4  # 1970-01-05 was the first Monday
_PARTS = 5  # into which round values divide an axis at most
_MARGIN = 0.06  # beside the outermost value, as a share of the axis
_ROOM = 0.12  # beside zero, as a share of the axis
_BEYOND = 50.0  # percent outside of the plot, where a line is no longer seen
_LEAST_WIDTH = 1e-6  # of an axis: a narrower one would only show rounding


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


def lift_axis(lines: Sequence[Sequence[Value]]) -> ValueAxis:
    """Return the axis that holds zero and the intervals, except for the wide ones at the start.

    The first intervals can be a hundred times as wide as the last ones.
    """
    known = [each for values in lines for each in values if each.value is not None]
    last = [wide for values in lines if values and (wide := width(values[-1])) is not None]
    most = WIDEST * max(last) if last else math.inf
    ends = [0.0]
    for each in known:
        wide = width(each)
        if wide is not None and wide <= most:
            ends += [end for end in (each.value, each.low, each.high) if end is not None]
    if len(ends) == 1:
        ends += [each.value for each in known if each.value is not None and each.value <= 1]
    found = _axis(ends, least=-1.0)
    room = _ROOM * (found.high - found.low)  # for the words at zero, on either side of it
    return ValueAxis(min(found.low, -room), max(found.high, room))


def rate_axis(lines: Sequence[Sequence[Value]]) -> ValueAxis:
    """Return the axis that holds the rates, except for the uncertain ones at the start."""
    last = [wide for values in lines if values and (wide := width(values[-1])) is not None]
    most = WIDEST * max(last, default=math.inf)
    ends = [
        each.value
        for values in lines
        for each in values
        if each.value is not None and (width(each) or 0.0) <= most
    ]
    found = _axis(ends or [0.0, 1.0], least=0.0)
    return ValueAxis(found.low, min(1.0, found.high)) if found.low < 1 else found


def count_axis(steps: Iterable[Step]) -> ValueAxis:
    """Return the axis that holds counts, from 0."""
    most = max((value for _, _, value in steps), default=0.0)
    return ValueAxis(0.0, max(1.0, most) * (1 + _MARGIN))


def _axis(ends: Sequence[float], least: float) -> ValueAxis:
    low, high = min(ends), max(ends)
    if high - low <= _LEAST_WIDTH:
        low, high = low - 0.01, high + 0.01
    margin = _MARGIN * (high - low)
    return ValueAxis(max(least, low - margin), high + margin)


def width(value: Value) -> float | None:
    """Return the width of an interval; None if it has an open end."""
    if value.low is None or value.high is None:
        return None
    return value.high - value.low


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
