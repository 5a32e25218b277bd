"""Where the parts of an interval plot are: estimates in, coordinates and labels out.

A template draws them. A plot is 360 units wide, like a phone, and is never drawn much larger, so
that its text stays readable. Each variant has a line of text with its interval below. Whatever
reaches beyond the plot is cut off at the edge and marked.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gimel.analysis.goal import Goal, Variant
from gimel.analysis.mixture import Lift
from gimel.analysis.stats import Estimate
from gimel.report.figures import (
    decimal_places,
    decimal_places_of_lifts,
    fit,
    format_interval,
    format_lift,
    visible,
)
from gimel.report.wording import name_of

WIDTH = 360.0
_LEFT, _RIGHT = 10.0, 350.0  # of the axis
_TOP, _ROW, _FOOT = 8.0, 40.0, 34.0
_BAR_BELOW_TOP = 26.0  # of its row
_UNITS_PER_CHARACTER = 6.6  # of figures
_UNITS_PER_BOLD_CHARACTER = 7.6  # of a name
_GAP = 14.0  # between a name and its figures
_LONGEST_MARK_LABEL = 24
_MOST_LIFT = 2.0  # 200%: an interval that reaches further is cut off
_BEYOND = 0.3  # how far an open interval is drawn, as a share of the rest of the axis
_MARGIN = 0.06  # beside the outermost interval, as a share of the axis


@dataclass(frozen=True)
class Bar:
    """A variant with its interval.

    Attributes:
        name: The variant's name, shortened to fit beside the label.
        full_name: The whole name.
        label: The value and its interval in words.
        is_control: Whether the other variants are compared with this one.
        y: The height of the interval.
        x: The point of the estimate; None if nothing is drawn.
        low, high: The ends of the interval.
        cut_low, cut_high: Whether the interval continues beyond the edge.
    """

    name: str
    full_name: str
    label: str
    is_control: bool
    y: float
    x: float | None = None
    low: float = 0.0
    high: float = 0.0
    cut_low: bool = False
    cut_high: bool = False


@dataclass(frozen=True)
class Tick:
    """A labelled value on the axis."""

    x: float
    label: str


@dataclass(frozen=True)
class Plot:
    """A whole plot.

    Attributes:
        title: What is plotted.
        description: All that is drawn, in words.
        height: The height in units; the width is `WIDTH`.
        bars: The variants from top to bottom.
        ticks: The labelled values on the axis.
        mark: Where the control is; None if it has no visitors.
        mark_label: The words below it.
    """

    title: str
    description: str
    height: float
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    mark: float | None
    mark_label: str

    @property
    def bottom(self) -> float:
        """The height of the axis."""
        return self.height - _FOOT


@dataclass(frozen=True)
class _Row:
    name: str
    variant: Variant
    interval: Estimate | Lift | None
    label: str


@dataclass(frozen=True)
class _Axis:
    """The axis from `low` to `high`, both shares of 1."""

    low: float
    high: float

    def position(self, value: float) -> float:
        """Return the position of a value, or the edge if it is beyond."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(_LEFT + share * (_RIGHT - _LEFT), 2)

    def ticks(self, sign: bool) -> tuple[Tick, ...]:
        """Return two to six round values (1, 2 or 5 and zeros) with their labels."""
        rough = (self.high - self.low) / 5
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        values = [number * step for number in range(first, last + 1)]
        return tuple(Tick(self.position(value), _tick_label(value, step, sign)) for value in values)


def rates(goal: Goal) -> Plot:
    """Return the plot of the rate of every variant; the mark is the control's rate."""
    seen = {
        variant.arm.name: variant.rate for variant in goal.variants if variant.arm.visitors.value
    }
    places = decimal_places(seen.values())
    rows = []
    for variant in goal.variants:
        rate = seen.get(variant.arm.name)
        label = "no visitors"
        if rate:
            value, interval = format_interval(rate, places)
            label = f"{value}% {interval}"
        rows.append(_Row(_name(goal, variant), variant, rate, label))
    mark = goal.control.rate if goal.control.visitors.value else None
    axis = _rate_axis(seen.values())
    return _plot(f"Rate of {visible(goal.name)}", rows, axis, mark, "control", sign=False)


def lifts(goal: Goal) -> Plot | None:
    """Return the plot of the lift of every variant; the mark is zero, the control.

    None if there is no lift.
    """
    comparisons = [variant.comparison for variant in goal.variants if variant.comparison]
    found = [comparison.lift for comparison in comparisons if comparison.lift.value is not None]
    if not found:
        return None
    places = decimal_places_of_lifts(found)
    rows = []
    for variant in goal.variants:
        if variant.comparison:
            lift = variant.comparison.lift
            value, interval = format_lift(lift, places)
            label = "no visitors" if lift.value is None else f"{value}% ({interval})"
            rows.append(_Row(_name(goal, variant), variant, lift, label))
    control = visible(goal.control.name)
    title = f"Lift of {visible(goal.name)} over {control}"
    mark_label = fit(_name(goal, goal.variants[0]), _LONGEST_MARK_LABEL)
    return _plot(title, rows, _lift_axis(found), 0.0, mark_label, sign=True)


def _plot(
    title: str,
    rows: Sequence[_Row],
    axis: _Axis,
    mark: float | None,
    mark_label: str,
    sign: bool,
) -> Plot:
    bars = tuple(_bar(row, _TOP + _ROW * number, axis) for number, row in enumerate(rows))
    description = "; ".join(f"{bar.full_name}: {bar.label}" for bar in bars)
    return Plot(
        title,
        f"{description}.",
        _TOP + _ROW * len(rows) + _FOOT,
        bars,
        axis.ticks(sign),
        None if mark is None else axis.position(mark),
        mark_label,
    )


def _bar(row: _Row, top: float, axis: _Axis) -> Bar:
    room = WIDTH - 2 * _LEFT - _GAP - _UNITS_PER_CHARACTER * len(row.label)
    name = fit(row.name, int(room / _UNITS_PER_BOLD_CHARACTER))
    bar = Bar(name, row.name, row.label, row.variant.is_control, top + _BAR_BELOW_TOP)
    interval = row.interval
    if interval is None or interval.value is None:
        return bar
    low = -math.inf if interval.low is None else interval.low
    high = math.inf if interval.high is None else interval.high
    return replace(
        bar,
        x=axis.position(interval.value),
        low=axis.position(low),
        high=axis.position(high),
        cut_low=low < axis.low,
        cut_high=high > axis.high,
    )


def _name(goal: Goal, variant: Variant) -> str:
    return name_of(variant.arm, goal.arms, goal.case.control_is_guess)


def _rate_axis(rates: Iterable[Estimate]) -> _Axis:
    """Return the axis that holds these intervals with a margin; 0 to 1 without any."""
    intervals = [(rate.low, rate.high) for rate in rates]
    if not intervals:
        return _Axis(0.0, 1.0)
    low, high = min(low for low, _ in intervals), max(high for _, high in intervals)
    margin = _MARGIN * (high - low) or 0.01
    return _Axis(max(0.0, low - margin), min(1.0, high + margin))


def _lift_axis(lifts: Sequence[Lift]) -> _Axis:
    """Return the axis that holds zero, the lifts and their ends, as far as they stay readable.

    An open interval reaches beyond everything else.
    """
    values = [0.0, *(lift.value for lift in lifts if lift.value is not None)]
    most = max(_MOST_LIFT, 2 * max(values) + 1)
    low = min(*values, *(lift.low for lift in lifts if lift.low is not None), 0.0)
    high = max(*values, *(min(lift.high, most) for lift in lifts if lift.high is not None), 0.0)
    width = high - low or 1.0
    if any(lift.low is None for lift in lifts):
        low -= _BEYOND * width
    if any(lift.high is None for lift in lifts):
        high += _BEYOND * width
    margin = _MARGIN * width
    return _Axis(max(-1.0, low - margin), high + margin)


def _tick_label(value: float, step: float, sign: bool) -> str:
    """Return a value on the axis in percent, with the decimal places that its step needs."""
    percent = 100 * value
    if abs(percent) >= 100_000:
        return f"{percent:+.0e}%" if sign else f"{percent:.0e}%"
    places = max(0, -math.floor(math.log10(100 * step) + 1e-9))
    text = f"{percent:,.{places}f}"
    is_zero = float(text.replace(",", "")) == 0
    if is_zero:
        text = text.lstrip("-")
    return f"+{text}%" if sign and percent > 0 and not is_zero else f"{text}%"
