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
_GLYPHS = {"%": 9.6, "+": 8.4, "\u2212": 8.4, ",": 3.3, ".": 3.3, "e": 6.3}
_DIGIT = 6.4  # units: like the others, those of a wide font, DejaVu Sans at 10 units
_SIZE = 1.1  # of the labels, in 10 units: the size in style.css, 11px
_GAP = 6.0  # units between two labels
_BEYOND = 0.15  # how far an open interval is drawn, as a share of the rest of the axis
_MARGIN = 0.05  # beside the outermost interval, as a share of the axis


@dataclass(frozen=True)
class Strip:
    """The positions of an interval.

    Attributes:
        x: The estimate.
        low, high: The ends of the interval.
        mark: The control.
        cut_low, cut_high: Whether the interval continues beyond the edge.
    """

    x: float
    low: float
    high: float
    mark: float
    cut_low: bool
    cut_high: bool


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
        """The centres and words of the control's label, and of those of the ends that have room."""
        low, mark, high = map(self._label, (self.low, self.mark, self.high))
        first, last = _EDGE + label_width(low) / 2, WIDTH - _EDGE - label_width(high) / 2
        half = label_width(mark) / 2
        at = min(max(self.position(self.mark), half), WIDTH - half)
        found = [(round(at, 1), mark)]
        if first + label_width(low) / 2 + _GAP < at - half:
            found.insert(0, (round(first, 1), low))
        if at + half < last - label_width(high) / 2 - _GAP:
            found.append((round(last, 1), high))
        return tuple(found)

    def position(self, value: float) -> float:
        """Return the position of a value, or the edge if it is beyond."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(_EDGE + share * (WIDTH - 2 * _EDGE), 1)

    def _label(self, share: float) -> str:
        return _percent(share, self.high - self.low, self.is_relative)

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
    width = high - low or 0.2
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
    margin = _MARGIN * (high - low) or 0.01
    return Axis(max(0.0, low - margin), min(1.0, high + margin), control, is_relative=False)


def label_width(label: str) -> float:
    """Return the units that a label takes at most."""
    return _SIZE * sum(_GLYPHS.get(character, _DIGIT) for character in label)


def _percent(share: float, width: float, sign: bool) -> str:
    """Return a value on the axis in percent, with the decimal places that its width needs."""
    value = 100 * share
    if abs(value) >= 100_000:
        return f"{value:+.0e}%" if sign else f"{value:.0e}%"
    places = min(_MOST_PLACES, max(0, 1 - math.floor(math.log10(100 * width) + 1e-9)))
    text = f"{value:,.{places}f}"
    if float(text.replace(",", "")) == 0:
        return "0%"
    return with_minus(f"+{text}%" if sign and value > 0 else f"{text}%")
