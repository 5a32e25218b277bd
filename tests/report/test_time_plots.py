"""Where the lines of plots over time are drawn."""

from __future__ import annotations

import re

from gimel.report.time_axes import TimeAxis, Value, ValueAxis
from gimel.report.time_plots import draw, draw_steps, smooth

DAY = 86_400
TIMES = TimeAxis(0, 100)
AXIS = ValueAxis(0.0, 1.0)


def test_a_line_runs_through_its_values() -> None:
    """Times to the right, values upward."""
    series = draw(1, [Value(0, 0.25), Value(50, 0.5), Value(100, 1.0)], TIMES, AXIS)

    assert series.path == "M0 75L50 50L100 0"
    assert series.band == ""
    assert series.markers == ((0, 75), (50, 50), (100, 0))


def test_missing_days_are_a_gap() -> None:
    """So are unknown values; a value alone is a dot."""
    values = [Value(0, 0.5), Value(10, 0.5), Value(50, 0.5, starts=True), Value(60, None)]
    series = draw(1, [*values, Value(70, 0.5)], TIMES, AXIS)

    assert series.path == "M0 50L10 50M50 50h0M70 50h0"


def test_a_band_is_closed() -> None:
    """An open end is outside of the plot."""
    values = [Value(0, 0.5, None, 0.75), Value(100, 0.5, 0.25, 0.75)]
    series = draw(1, values, TIMES, AXIS)

    assert series.band == "M0 25L100 25L100 75L0 150Z"


def test_days_are_steps() -> None:
    """Each as long as its day, with a break where days are missing."""
    series = draw_steps(0, [(0, 10, 0.5), (10, 20, 1.0), (50, 60, 0.5)], TIMES, AXIS)

    assert series.path == "M0 50H10V0H20M50 50H60"
    assert series.markers == ((5, 50), (15, 0), (55, 50))


def test_a_long_line_has_few_markers() -> None:
    """The last one always."""
    markers = draw(1, [Value(time, 0.5) for time in range(100)], TIMES, AXIS).markers

    assert 6 <= len(markers) <= 9
    assert markers[-1] == (99, 50)


def test_weekdays_cancel_out() -> None:
    """The means of seven days are a straight line, and begin again after a gap."""
    week = (1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5)
    steps = [
        (day * DAY, (day + 1) * DAY, week[day % 7]) for day in range(60) if day not in (20, 21)
    ]
    series = smooth(1, steps, TimeAxis(0, 60 * DAY), AXIS)

    heights = re.findall(r"[ML][\d.]+ ([\d.]+)", series.path)
    assert set(map(float, heights)) == {14.29}
    assert len(heights) == (20 - 6) + (38 - 6)
    assert series.path.count("M") == 2
    assert series.faint.count("M") == 2
    assert series.faint.count("L") == 20 + 38 - 2
