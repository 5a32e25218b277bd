"""Where the parts of an interval plot lie: estimates in, coordinates and labels out. The drawing itself is a template's.

A plot is 360 units wide, as a phone is, and is never drawn much larger: its text stays readable. Each variant has a line of
text and below it its intervals. What reaches out of the plot is cut off at its edge and marked so.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gimel.analysis.experiment import Goal, Variant
from gimel.analysis.stats import Estimate
from gimel.report import figures, wording

WIDTH = 360.0
_LEFT, _RIGHT = 10.0, 350.0
_TOP, _ROW, _FOOT = 8.0, 40.0, 34.0
_UNITS_OF_TEXT = 6.4  # the width of a character, so that a name and its figures do not meet
_MOST_LIFT = 2.0
_BEYOND = 1.5  # how far a wider interval may reach out of the others, in their own width


@dataclass(frozen=True)
class Bar:
    """A variant: the point at `x`, its interval `low` to `high` and around it a wider one, None where there is none.

    `y` is the line on which they lie; `cut_low`, `cut_high` tell that they go on. `x` is None where nothing is known.
    """

    name: str
    full_name: str
    figures: str
    is_control: bool
    y: float
    x: float | None = None
    low: float = 0.0
    high: float = 0.0
    wide_low: float | None = None
    wide_high: float | None = None
    cut_low: bool = False
    cut_high: bool = False


@dataclass(frozen=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True)
class Plot:
    """A whole plot. `mark` is where the control lies, None outside; `description` says in words all that is drawn."""

    title: str
    description: str
    height: float
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    mark: float | None
    mark_label: str

    @property
    def bottom(self) -> float:
        """Where the axis lies."""
        return self.height - _FOOT


@dataclass(frozen=True)
class _Row:
    variant: Variant
    estimate: Estimate | None
    wide: Estimate | None
    figures: str


def rates(goal: Goal) -> Plot:
    """Return the plot of the rate of every variant; the mark is the control's rate."""
    seen = {
        variant.arm.name: variant.rate for variant in goal.variants if variant.arm.visitors.value
    }
    places = figures.digits(seen.values())
    rows = []
    for variant in goal.variants:
        rate = seen.get(variant.arm.name)
        rows.append(_Row(variant, rate, None, _percent(rate, places) if rate else "no visitors"))
    mark = goal.control.rate if goal.control.visitors.value else None
    return _plot(
        f"Rate of {figures.visible(goal.name)}",
        rows,
        _extent(seen.values(), 0.0, 1.0),
        mark,
        "control",
        sign=False,
    )


def lifts(goal: Goal) -> Plot | None:
    """Return the plot of every variant's lift, with the interval of one look and the wider one that the verdict rests on.

    The mark is zero, the control. None where there is nothing to compare.
    """
    compared = [variant for variant in goal.variants if variant.comparison]
    found = [
        comparison.lift
        for variant in compared
        if (comparison := variant.comparison) and comparison.lift
    ]
    if not found:
        return None
    places = figures.digits(found)
    rows = []
    for variant in compared:
        comparison = variant.comparison
        lift = comparison.lift if comparison else None
        rows.append(
            _Row(
                variant,
                lift,
                comparison.anytime_lift if comparison else None,
                _percent(lift, places, sign=True) if lift else "no lift without conversions",
            )
        )
    extent = _lift_extent(found, [row.wide for row in rows if row.wide])
    control = figures.visible(goal.control.name)
    title = f"Lift of {figures.visible(goal.name)} over {control}"
    return _plot(title, rows, extent, 0.0, f"{_fitting(control, 24)} (control)", sign=True)


def _plot(
    title: str,
    rows: Sequence[_Row],
    extent: tuple[float, float],
    mark: float | None,
    mark_label: str,
    sign: bool,
) -> Plot:
    low, high = extent
    scale = (_RIGHT - _LEFT) / (high - low)

    def place(value: float) -> float:
        return round(_LEFT + (min(max(value, low), high) - low) * scale, 2)

    bars = []
    for number, row in enumerate(rows):
        name = figures.visible(row.variant.arm.name) + (
            " (control)" if row.variant.is_control else ""
        )
        room = int((WIDTH - 2 * _LEFT - 14) / _UNITS_OF_TEXT) - len(row.figures)
        bar = Bar(
            _fitting(name, room),
            name,
            row.figures,
            row.variant.is_control,
            _TOP + _ROW * number + 26,
        )
        if row.estimate:
            bar = Bar(
                bar.name,
                bar.full_name,
                bar.figures,
                bar.is_control,
                bar.y,
                place(row.estimate.value),
                place(row.estimate.low),
                place(row.estimate.high),
                place(row.wide.low) if row.wide else None,
                place(row.wide.high) if row.wide else None,
                cut_low=min(row.estimate.low, row.wide.low if row.wide else low) < low,
                cut_high=max(row.estimate.high, row.wide.high if row.wide else high) > high,
            )
        bars.append(bar)
    steps = _steps(low, high)
    ticks = tuple(Tick(place(value), _tick(value, steps, sign)) for value in steps)
    description = "; ".join(f"{bar.full_name}: {bar.figures}" for bar in bars)
    shown = place(mark) if mark is not None else None
    return Plot(
        title,
        f"{description}.",
        _TOP + _ROW * len(rows) + _FOOT,
        tuple(bars),
        ticks,
        shown,
        mark_label,
    )


def _percent(estimate: Estimate, places: int, sign: bool = False) -> str:
    value, between = wording.interval(estimate, places, sign)
    return f"{value}% {between}"


def _extent(estimates: Iterable[Estimate], least: float, most: float) -> tuple[float, float]:
    """Return the axis that holds these intervals, and a little more, within the possible; the whole of it without any."""
    lows_and_highs = [(estimate.low, estimate.high) for estimate in estimates]
    if not lows_and_highs:
        return least, most
    low, high = min(low for low, _ in lows_and_highs), max(high for _, high in lows_and_highs)
    margin = 0.06 * (high - low) or 0.01
    return max(least, low - margin), min(most, high + margin)


def _lift_extent(found: Sequence[Estimate], wide: Sequence[Estimate]) -> tuple[float, float]:
    """Return the axis: zero and every interval of one look, of the wider ones no more than leaves those readable."""
    most = max(_MOST_LIFT, *(2 * estimate.value + 1 for estimate in found))
    low = min(0.0, *(estimate.low for estimate in found), 0.0)
    high = max(0.0, *(min(estimate.high, most) for estimate in found))
    beyond = _BEYOND * (high - low)
    low = max(-1.0, low - beyond, min(low, *(estimate.low for estimate in wide))) if wide else low
    high = min(high + beyond, max(high, *(estimate.high for estimate in wide))) if wide else high
    margin = 0.06 * (high - low) or 0.01
    return max(-1.0, low - margin), high + margin


def _steps(low: float, high: float) -> list[float]:
    """Return three to seven round values (1, 2 or 5 and zeros) on the axis."""
    rough = (high - low) / 5
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [number * step for number in range(first, last + 1)]


def _tick(value: float, steps: Sequence[float], sign: bool) -> str:
    percent = 100 * value
    if abs(percent) >= 100_000:
        return f"{percent:+.0e}%" if sign else f"{percent:.0e}%"
    step = 100 * (steps[1] - steps[0]) if len(steps) > 1 else 1.0
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    text = f"{percent:,.{places}f}"
    text = text.lstrip("-") if float(text.replace(",", "")) == 0 else text
    return f"+{text}%" if sign and percent > 0 and float(text.replace(",", "")) else f"{text}%"


def _fitting(name: str, columns: int) -> str:
    """Return the name, shortened to so many columns: a character of a script of East Asia is two wide."""
    characters = columns
    while _columns(shown := figures.shortened(name, characters)) > columns:
        characters -= 1
    return shown


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
