"""Intervals of lifts drawn with characters, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from gimel.analysis.mixture import Lift

SHORTEST, LONGEST = 8, 40
"""The columns of a bar. A shorter one says nothing."""

_WIDE = 10  # percent; the ends of a narrower axis have a decimal place
_MOST_LIFT = 2.0  # 200%: a bar that reaches further is cut off


def axis(lifts: Sequence[Lift]) -> tuple[float, float]:
    """Return the ends of the bars' axis: zero, the lifts, and their ends up to a lift of 200%."""
    values = [0.0, *(lift.value for lift in lifts if lift.value is not None)]
    most = max(_MOST_LIFT, *values)
    lows = [lift.low for lift in lifts if lift.low is not None]
    highs = [min(lift.high, most) for lift in lifts if lift.high is not None]
    return min([*values, *lows]), max([*values, *highs])


def draw(lift: Lift, low: float, high: float, size: int, ascii_only: bool = False) -> str:
    """Return an interval drawn on an axis from `low` to `high`: ├──●──┤. A mark shows zero: ┊ or ┼.

    An end that is open, or beyond the axis, has no cap. '' if `size`, in columns, is too small for
    a bar, or the lift has no value.
    """
    if size < SHORTEST or lift.value is None:
        return ""
    scale = (size - 1) / (high - low) if high > low else 0.0

    def column(value: float) -> int:
        return min(size - 1, max(0, round((value - low) * scale)))

    line, left, right, point, control, crossed = "-||o:+" if ascii_only else "─├┤●┊┼"
    cells = [" "] * size
    cells[column(0.0)] = control
    start = 0 if lift.low is None else column(lift.low)
    end = size - 1 if lift.high is None else column(lift.high)
    cells[start : end + 1] = line * (end + 1 - start)
    if start <= column(0.0) <= end:
        cells[column(0.0)] = crossed
    if lift.low is not None and lift.low >= low:
        cells[start] = left
    if lift.high is not None and lift.high <= high:
        cells[end] = right
    cells[column(lift.value)] = point
    return "".join(cells)


def scale(low: float, high: float, size: int) -> str:
    """Return the ends of an axis in percent, above the bars: "-25%    +32%"; '' without room."""
    places = 0 if 100 * (high - low) >= _WIDE else 1
    first, last = (_percent(value, places) for value in (low, high))
    space = size - len(first) - len(last)
    return f"{first}{' ' * space}{last}" if space > 0 else ""


def _percent(share: float, places: int) -> str:
    text = f"{100 * share:+,.{places}f}"
    return "0%" if float(text.replace(",", "")) == 0 else f"{text}%"
