"""What each plot of an experiment over time says: its lines, its legend and its words.

Names are made safe to show here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gimel.analysis.experiment import Experiment
from gimel.analysis.goal import Goal
from gimel.analysis.phrases import quote
from gimel.analysis.verdict import Kind
from gimel.report import history, time_axes, time_plots
from gimel.report.figures import MISSING, format_day, shorten, visible, with_minus
from gimel.report.history import format_lift_in_one, format_rate
from gimel.report.tables import Table
from gimel.report.time_axes import Marked, TimeAxis, Value
from gimel.report.time_plots import Plot

_MOST_BANDS = 3  # more would hide each other
_LONGEST_NAME = 24  # in a plot
_MOST_STEPS = 42  # days with a line each: more would be a thicket
_STYLES = 6  # that style.css has: that of the control, and five that repeat


@dataclass(frozen=True)
class Entry:
    """A line in the legend of a plot.

    Attributes:
        style: The number of the line's style.
        name: The variant.
        figure: Its latest figure.
        column: The column of the table that has its figures.
    """

    style: int
    name: str
    figure: str
    column: int


@dataclass(frozen=True)
class PlotView:
    """A plot with its words.

    Attributes:
        title: What it shows.
        label: The same with the period and the last figures, for who does not see it.
        legend: The variants of its lines.
        plot: Where to draw what.
        zero_words: The label of the line at zero; '' without such a line.
    """

    title: str
    label: str
    legend: tuple[Entry, ...]
    plot: Plot
    zero_words: str = ""


def lifts(goal: Goal, gaps: Sequence[int], times: TimeAxis) -> PlotView:
    """Return the plot of the lifts over the control; the columns are those of `history.figures`.

    `gaps` are the times at which gaps ended.
    """
    moments = history.goal_moments(goal)
    starts = _starts([each.time for each in moments], gaps)
    lines = []
    for number in range(1, len(goal.arms)):
        line = []
        for moment, is_start in zip(moments, starts, strict=True):
            lift = moment.lifts[number]
            if lift is None:
                line.append(Value(moment.time, None, starts=is_start))
            else:
                line.append(Value(moment.time, lift.value, lift.low, lift.high, is_start))
        lines.append(line)
    axis = time_axes.lift_axis(lines)
    series = [
        time_plots.draw(_style(number), line, times, axis) for number, line in enumerate(lines, 1)
    ]
    if len(series) > _MOST_BANDS:
        series = [time_plots.without_band(each) for each in series]
    legend = tuple(
        Entry(
            _style(number),
            visible(arm.name),
            with_minus(format_lift_in_one(moments[-1].lifts[number])),
            len(goal.arms) + number,
        )
        for number, arm in enumerate(goal.arms[1:], 1)
    )
    last = [each.value for each in (line[-1] for line in lines) if each.value is not None]
    mark = _verdict_mark(goal, times)
    control = shorten(visible(goal.control.name), _LONGEST_NAME)
    plot = Plot(
        tuple(series),
        times.labels,
        axis.percentages(sign=True),
        axis.position(0.0),
        bool(last) and min(last) >= 0,
        mark,
    )
    interval = f"{100 * goal.confidence:g}% interval"
    title = visible(f"Lift over {quote(goal.control.name)} with {interval}")
    label = _label(f"{title}; {visible(goal.name)}", times, legend, mark)
    return PlotView(title, label, legend, plot, f"0%: same as {quote(control)}")


def rates(goal: Goal, gaps: Sequence[int], times: TimeAxis, table: Table) -> PlotView:
    """Return the plot of the rates, with the columns of the `table`, `history.figures`."""
    moments = history.goal_moments(goal)
    starts = _starts([each.time for each in moments], gaps)
    lines = [
        [
            Value(
                moment.time,
                None if (rate.low, rate.high) == (0.0, 1.0) else rate.value,
                rate.low,
                rate.high,
                is_start,
            )
            for moment, is_start in zip(moments, starts, strict=True)
            for rate in [moment.rates[number]]
        ]
        for number in range(len(goal.arms))
    ]
    axis = time_axes.rate_axis(lines)
    # Their fixed-horizon intervals are not drawn: they hold for one look only.
    series = tuple(
        time_plots.without_band(time_plots.draw(_style(number), line, times, axis))
        for number, line in enumerate(lines)
    )
    places = history.rate_places(goal)
    legend = tuple(
        Entry(_style(number), name, format_rate(rate, places), number + 1)
        for number, (name, rate) in enumerate(
            zip(table.columns[1:], moments[-1].rates, strict=False)
        )
    )
    title = "Conversion rate until then"
    label = _label(f"{title}; {visible(goal.name)}", times, legend, None)
    return PlotView(title, label, legend, Plot(series, times.labels, axis.percentages(sign=False)))


def visitors(experiment: Experiment, times: TimeAxis, table: Table) -> tuple[PlotView, int] | None:
    """Return the plot of the new visitors per day, and the row of the `table` with the latest.

    The table is `history.visitors`. None if no day is complete.
    """
    steps = history.steps(experiment)
    if not any(steps):
        return None
    axis = time_axes.count_axis(step for line in steps for step in line)
    last = max(number for number, row in enumerate(table.rows) if row[1] != MISSING)
    legend = tuple(
        Entry(_style(number), name, table.rows[last][number + 1], number + 1)
        for number, name in enumerate(table.columns[1:-1])
    )
    mark, began = None, experiment.mismatch_since
    if experiment.split.is_mismatch and began is not None and began > times.start:
        day = format_day(began, has_year=False)
        mark = times.mark(began, f"wrong split since about {day}")
    is_long = max(map(len, steps)) > _MOST_STEPS
    draw = time_plots.smooth if is_long else time_plots.draw_steps
    lines = (draw(_style(number), line, times, axis) for number, line in enumerate(steps))
    plot = Plot(tuple(lines), times.labels, axis.counts(), marked=mark)
    title = "New visitors per day"
    if is_long:
        title += ": days (thin), and means of 7 days"
    return PlotView(title, _label(title, times, legend, mark), legend, plot), last


def _starts(times: Sequence[int], gaps: Sequence[int]) -> list[bool]:
    """Return for each time whether a gap ended since the time before."""
    return [
        any(before < gap <= time for gap in gaps)
        for before, time in zip([0, *times], times, strict=False)
    ]


def _verdict_mark(goal: Goal, times: TimeAxis) -> Marked | None:
    verdict = goal.verdict
    if verdict.reached is None or verdict.is_untrusted:
        return None
    word = "harmed since" if verdict.kind is Kind.HARMED else "decided"
    return times.mark(verdict.reached, f"{word} {format_day(verdict.reached, has_year=False)}")


def _label(title: str, times: TimeAxis, legend: Sequence[Entry], mark: Marked | None) -> str:
    figures = "; ".join(f"{each.name} {each.figure}" for each in legend)
    period = f"{format_day(times.start)} to {format_day(times.end)}"
    return f"{title}, {period}. At the end: {figures}." + (f" {mark.words}." if mark else "")


def _style(number: int) -> int:
    return 0 if number == 0 else 1 + (number - 1) % (_STYLES - 1)
