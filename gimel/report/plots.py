"""Where the parts of an interval are on a strip: estimates in, coordinates out.

A strip is a line of one table row; all strips of a table share an axis. A template draws them. What
reaches beyond the axis is cut off at the edge and marked.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gimel.analysis.mixture import Lift
from gimel.analysis.stats import Estimate
from gimel.report.figures import with_minus

WIDTH = 160.0
"""The width of a strip, in units of its drawing."""

MOST_LIFT = 1.0
"""100%: an interval that reaches further is cut off, unless its lift does."""

_EDGE = 8.0  # units beside the axis, for the marks of what is cut off
_MOST_PLACES = 4
_MOST_STEPS = 10  # between round values, of which the outermost with room are named
_GLYPHS = {"%": 9.6, "+": 8.4, "\u2212": 8.4, ",": 3.3, ".": 3.3, "e": 6.3}
_DIGIT = 6.4  # units: like the others, those of a wide font, DejaVu Sans at 10 units
_SIZE = 1.1  # of the labels, in 10 units: the size in style.css, 11px
_GAP = 6.0  # units between two labels
_OVERHANG = 8.0  # units of a label beside its strip
_BEYOND = 0.15  # how far an open interval is drawn, as a share of the rest of the axis
_LEAST_WIDTH = 1e-6  # of an axis: a narrower one would only show rounding
_MARGIN = 0.05  # beside the outermost interval, as a share of the axis


@dataclass(frozen=True)
class Strip:
    """The positions of an interval.

    Attributes:
        x: The estimate.
        low, high: The ends of the interval.
        mark: The control.
        cut_low, cut_high: Whether the interval continues beyond the edge.
        ticks: The values that the axis names.
    """

    x: float
    low: float
    high: float
    mark: float
    cut_low: bool
    cut_high: bool
    ticks: tuple[float, ...] = ()


@dataclass(frozen=True)
class Axis:
    """The axis from `low` to `high`, with the control at `mark`: all shares of 1.

    `is_relative` if these are changes, which have a sign, with the control at 0.
    """

    low: float
    high: float
    mark: float
    is_relative: bool

    @property
    def labels(self) -> tuple[tuple[float, str], ...]:
        """The positions and words of round values: of changes 0, and one near each end with room.

        Each label is centred at the value that it names.
        """
        step = round_step(self.high - self.low)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        found = [self._label(0, step)] if self.is_relative else []
        least, most = (1, -1) if self.is_relative else (first, last)
        for numbers in (range(last, least - 1, -1), range(first, most + 1)):
            label = next(
                (
                    label
                    for label in (self._label(number, step) for number in numbers)
                    if _has_room(label, found)
                ),
                None,
            )
            if label:
                found.append(label)
        return tuple(sorted(found))

    @property
    def ticks(self) -> tuple[float, ...]:
        """The positions of the labels, but not that of the control."""
        mark = self.position(self.mark)
        return tuple(x for x, _ in self.labels if x != mark)

    def position(self, value: float) -> float:
        """Return the position of a value, or the edge if it is beyond."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(_EDGE + share * (WIDTH - 2 * _EDGE), 1)

    def _label(self, number: int, step: float) -> tuple[float, str]:
        """Return the position and the words of a number of steps."""
        share = number * step
        return self.position(share), percent_label(share, step, self.is_relative)

    def strip(self, interval: Lift | Estimate) -> Strip | None:
        """Return an interval on this axis; None if it has no value."""
        if interval.value is None:
            return None
        low = -math.inf if interval.low is None else interval.low
        high = math.inf if interval.high is None else interval.high
        return Strip(
            self.position(interval.value),
            self.position(low),
            self.position(high),
            self.position(self.mark),
            low < self.low,
            high > self.high,
            self.ticks,
        )


def lift_axis(lifts: Iterable[Lift]) -> Axis:
    """Return the axis that holds zero, the lifts and their ends, as far as they stay readable.

    An open interval reaches beyond everything else.
    """
    found = [lift for lift in lifts if lift.value is not None]
    values = [0.0, *(lift.value for lift in found if lift.value is not None)]
    most = max(MOST_LIFT, 2 * max(values))
    low = min(*values, *(lift.low for lift in found if lift.low is not None), 0.0)
    high = max(*values, *(min(lift.high, most) for lift in found if lift.high is not None), 0.0)
    width = high - low if high - low > _LEAST_WIDTH else 0.2
    if any(lift.low is None for lift in found):
        low -= _BEYOND * width
    if any(lift.high is None for lift in found):
        high += _BEYOND * width
    margin = _MARGIN * width
    return Axis(max(-1.0, low - margin), high + margin, 0.0, is_relative=True)


def rate_axis(rates: Sequence[Estimate], control: float) -> Axis:
    """Return the axis that holds the intervals of some rates, with a margin; 0 to 1 without any."""
    if not rates:
        return Axis(0.0, 1.0, control, is_relative=False)
    low, high = min(rate.low for rate in rates), max(rate.high for rate in rates)
    margin = _MARGIN * (high - low) if high - low > _LEAST_WIDTH else 0.01
    return Axis(max(0.0, low - margin), min(1.0, high + margin), control, is_relative=False)


def label_width(label: str) -> float:
    """Return the units that a label takes at most."""
    return _SIZE * sum(_GLYPHS.get(character, _DIGIT) for character in label)


def round_step(width: float, parts: int = _MOST_STEPS) -> float:
    """Return the least of 1, 2 or 5 times a power of ten that divides an axis into ten parts.

    `parts` replaces the ten.
    """
    power = 10.0 ** math.floor(math.log10(width / parts))
    return next(power * factor for factor in (1, 2, 5, 10) if width <= parts * power * factor)


def _has_room(label: tuple[float, str], others: Sequence[tuple[float, str]]) -> bool:
    """Return whether a label is not far off the strip, and neither on nor like another one."""
    x, words = label
    half = label_width(words) / 2
    if x - half < -_OVERHANG or x + half > WIDTH + _OVERHANG:
        return False
    return all(
        words != other and abs(x - at) >= half + label_width(other) / 2 + _GAP
        for at, other in others
    )


def percent_label(share: float, step: float, sign: bool) -> str:
    """Return a value on the axis in percent, with the decimal places that its steps need."""
    value = 100 * share
    if abs(value) >= 100_000:
        return f"{value:+.0e}%" if sign else f"{value:.0e}%"
    places = min(_MOST_PLACES, max(0, -math.floor(math.log10(100 * step) + 1e-9)))
    text = f"{value:,.{places}f}"
    if float(text.replace(",", "")) == 0:
        return "0%"
    return with_minus(f"+{text}%" if sign and value > 0 else f"{text}%")
