"""Values over time drawn with characters, one column per day or per some weeks: ▂▄▆▇▇.

Moments in, text out. A day without a value is a space.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gimel.analysis.experiment import Experiment
from gimel.analysis.goal import Goal
from gimel.analysis.mixture import Lift
from gimel.report import history
from gimel.report.figures import format_count, format_lift_with_unit
from gimel.report.time_axes import WIDEST

SHORTEST, LONGEST = 10, 56
"""The columns of a sparkline. A shorter one says nothing."""

_DAY = 86_400
_LEAST_KNOWN = 0.5  # of a column's days: with fewer, its mean is not shown
_BARS, _ASCII_BARS = "▁▂▃▄▅▆▇█", "_.-:=+*#"


@dataclass(frozen=True)
class Sparkline:
    """A line of characters with the words around it.

    Attributes:
        bars: The line.
        scale: Its lowest and highest values.
        days: The days that each of its columns stands for.
    """

    bars: str
    scale: str
    days: int

    @property
    def unit(self) -> str:
        """What a column stands for; '' for a day."""
        return {1: "", 7: "(a column per week)"}.get(
            self.days, f"(a column per {self.days // 7} weeks)"
        )


def visitors(experiment: Experiment, size: int, ascii_only: bool = False) -> Sparkline | None:
    """Return the new visitors per day in at most `size` columns; None without a history."""
    steps = [
        (line[0][0], line[0][1], math.fsum(pace for _, _, pace in line))
        for line in zip(*history.steps(experiment), strict=True)
    ]
    if len(steps) < 2:
        return None
    edges, days = _columns(steps[0][0], steps[-1][1], size)
    values = [_mean(steps, end - days * _DAY, end) for end in edges]
    most = max((value for value in values if value is not None), default=0.0)
    bars = _draw(values, 0.0, most, ascii_only)
    return Sparkline(bars, f"up to {format_count(most)}", days)


def lift(goal: Goal, variant: int, size: int, ascii_only: bool = False) -> Sparkline | None:
    """Return the lift of a variant, by its number among the arms; None without a history.

    It begins when it is known about as well as now: the first days would dwarf all later ones.
    """
    known = [
        (each.time, lift)
        for each in history.goal_moments(goal)
        if (lift := each.lifts[variant]) and lift.value is not None
    ]
    most = WIDEST * _width(known[-1][1]) if known else 0.0
    found = [(time, lift) for time, lift in known if _width(lift) <= most]
    if len(found) < 3:
        return None
    edges, days = _columns(known[0][0] - _DAY, found[-1][0], size)
    last = [[lift for time, lift in found if end - days * _DAY < time <= end][-1:] for end in edges]
    values = [lifts[0].value if lifts else None for lifts in last]
    drawn = sorted((each for (each,) in filter(None, last)), key=lambda each: each.value or 0.0)
    low, high = drawn[0], drawn[-1]
    lowest, highest = (format_lift_with_unit(each)[0] for each in (low, high))
    # What reads the same is drawn the same.
    top = (low if lowest == highest else high).value or 0.0
    bars = _draw(values, low.value or 0.0, top, ascii_only)
    return Sparkline(bars, lowest if lowest == highest else f"{lowest} to {highest}", days)


def _width(lift: Lift) -> float:
    return math.inf if lift.low is None or lift.high is None else lift.high - lift.low


def _columns(start: float, end: float, size: int) -> tuple[list[float], int]:
    """Return the ends of the columns and their days: as few whole weeks as fit, or one day."""
    length = (end - start) / _DAY
    days = 1 if round(length) <= size else 7 * math.ceil(length / 7 / size)
    number = max(1, min(size, round(length / days)))
    return [end - (number - each - 1) * days * _DAY for each in range(number)], days


def _mean(steps: Sequence[history.Step], start: float, end: float) -> float | None:
    """Return the mean of steps in a column; None if too little of it is known."""
    known = weight = 0.0
    for first, last, value in steps:
        overlap = max(0.0, min(last, end) - max(first, start))
        known += overlap
        weight += overlap * value
    return weight / known if known >= _LEAST_KNOWN * (end - start) else None


def _draw(values: Sequence[float | None], low: float, high: float, ascii_only: bool) -> str:
    bars = _ASCII_BARS if ascii_only else _BARS
    scale = (len(bars) - 1) / (high - low) if high > low else 0.0
    return "".join(" " if value is None else bars[round((value - low) * scale)] for value in values)
