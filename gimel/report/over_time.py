"""What a page shows of an experiment over time: plots, each with the table behind it.

The template draws them and decides nothing. Names are made safe to show here.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from gimel.analysis.experiment import Experiment
from gimel.analysis.goal import Goal
from gimel.analysis.phrases import quote
from gimel.analysis.timeline import GoalMoment, Moment
from gimel.analysis.verdict import Kind
from gimel.report import history, time_plots, wording
from gimel.report.figures import (
    MISSING,
    format_day,
    format_day_and_time,
    shorten,
    visible,
    with_minus,
)
from gimel.report.history import format_lift_in_one, format_rate
from gimel.report.summary import headline_goal
from gimel.report.tables import Table
from gimel.report.time_plots import LONGEST_DAYS, Plot, TimeAxis, Value

_DAY = 86_400
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
        zero_words: What is at zero; '' if there is no such line.
    """

    title: str
    label: str
    legend: tuple[Entry, ...]
    plot: Plot
    zero_words: str = ""


@dataclass(frozen=True)
class Group:
    """Plots over the same times, with the table of their figures: a row per time.

    Attributes:
        anchor: The id of the group.
        name: The goal's name; '' for the visitors.
        role: What the goal is for, in words.
        until: The time of the figures in the legends.
        xs: The position of each row's time on the plots, in percent, separated by spaces.
        hints: Sentences about the figures.
        plots: The plots.
        table: Their figures.
        decided: The number of the row at whose time the verdict was reached; None without one.
        is_open: Whether a reader sees it at once.
    """

    anchor: str
    name: str
    role: str
    until: str
    xs: str
    hints: tuple[str, ...]
    plots: tuple[PlotView, ...]
    table: Table
    decided: int | None
    is_open: bool


@dataclass(frozen=True)
class OverTime:
    """The plots of an experiment. The note says what is missing; '' if nothing is."""

    note: str
    groups: tuple[Group, ...]
    is_untrusted: bool


def over_time(experiment: Experiment) -> OverTime | None:
    """Return what is shown of an experiment over time; None before the first visitor."""
    moments = history.moments(experiment)
    if not experiment.arms or not moments or not experiment.visitors:
        return None
    is_untrusted = experiment.split.is_mismatch
    if len(moments) < 2:
        note = "There is nothing to plot yet: one point is recorded per day."
        return OverTime(note, (), is_untrusted)
    times = _times(experiment, moments)
    shown = headline_goal(experiment)
    goals = [goal for goal in experiment.goals if goal.is_conversion]
    if shown not in goals:
        shown = goals[0] if goals else None
    groups = [_goal(experiment, goal, times, goal is shown and not is_untrusted) for goal in goals]
    visitors = _visitors(experiment, moments, times)
    # The visitors are what a wrong split is about.
    groups = [visitors, *groups] if is_untrusted else [*groups, visitors]
    return OverTime(
        _note(experiment, times),
        tuple(group for group in groups if group.plots),
        is_untrusted,
    )


def _times(experiment: Experiment, moments: Sequence[Moment]) -> TimeAxis:
    """Return the axis of all plots: from the first event, unless that is long before."""
    first, since = moments[0].time, experiment.since
    is_near = since is not None and 0 <= first - since <= LONGEST_DAYS * _DAY
    return TimeAxis(since if is_near and since is not None else first, moments[-1].time)


def _note(experiment: Experiment, times: TimeAxis) -> str:
    since = experiment.since
    if since is None or times.start - since <= 0:
        return ""
    return (
        f"The experiment started on {format_day(since)}; what was counted is recorded since"
        f" {format_day(times.start)}."
    )


def _visitors(experiment: Experiment, moments: Sequence[Moment], times: TimeAxis) -> Group:
    steps: list[list[tuple[float, float, float]]] = [[] for _ in experiment.arms]
    start: float | None = times.start if times.start == experiment.since else None
    visitors: tuple[float, ...] | None = None
    for moment in moments:
        paces = history.per_day(moment, experiment.since)
        if paces and start is not None and not _is_gap(moment, visitors):
            for line, pace in zip(steps, paces, strict=True):
                line.append((start, moment.time, pace))
        start, visitors = moment.time, moment.visitors
    if not any(steps):
        return _group(experiment, None, times, (), (), history.visitors(experiment), False)
    axis = time_plots.count_axis(step for line in steps for step in line)
    table = history.visitors(experiment)
    last = max(number for number, row in enumerate(table.rows) if row[1] != MISSING)
    legend = tuple(
        Entry(_style(number), name, table.rows[last][number + 1], number + 1)
        for number, name in enumerate(table.columns[1:-1])
    )
    mark = None
    if experiment.split.is_mismatch and experiment.mismatch_since is not None:
        day = format_day(experiment.mismatch_since, has_year=False)
        mark = times.mark(experiment.mismatch_since, f"wrong split since about {day}")
    is_long = max(map(len, steps)) > _MOST_STEPS
    draw = time_plots.smooth if is_long else time_plots.draw_steps
    lines = (draw(_style(number), line, times, axis) for number, line in enumerate(steps))
    plot = Plot(tuple(lines), times.labels, axis.counts(), marked=mark)
    title = "New visitors per day"
    if is_long:
        title += ": days (thin), and means of 7 days"
    view = PlotView(title, _label(title, times, legend, mark), legend, plot)
    return _group(experiment, None, times, (), (view,), table, True, last)


def _is_gap(moment: Moment, visitors: tuple[float, ...] | None) -> bool:
    """Return whether the days before a moment are unknown. Days without a visitor are not."""
    return moment.is_after_gap and moment.visitors != visitors


def _goal(experiment: Experiment, goal: Goal, times: TimeAxis, is_open: bool) -> Group:
    moments = history.goal_moments(goal)
    table = history.figures(goal)
    gaps, visitors = [], None
    for moment in history.moments(experiment):
        if _is_gap(moment, visitors):
            gaps.append(moment.time)
        visitors = moment.visitors
    starts = _starts(moments, gaps)
    plots = [_rates(goal, moments, starts, times, table)]
    if len(goal.arms) > 1:
        plots.insert(0, _lifts(goal, moments, starts, times, table))
    hints = [goal.novelty.sentence] if goal.novelty else []
    if goal.verdict.disagrees:
        hints.insert(0, wording.short_sentence(goal.verdict))
    return _group(experiment, goal, times, hints, plots, table, is_open)


def _starts(moments: Sequence[GoalMoment], gaps: Sequence[int]) -> list[bool]:
    """Return for each moment whether a gap ended since the moment before."""
    befores = [0, *(each.time for each in moments)]
    return [
        any(before < gap <= each.time for gap in gaps)
        for before, each in zip(befores, moments, strict=False)
    ]


def _lifts(
    goal: Goal,
    moments: Sequence[GoalMoment],
    starts: Sequence[bool],
    times: TimeAxis,
    table: Table,
) -> PlotView:
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
    axis = time_plots.lift_axis(lines)
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


def _verdict_mark(goal: Goal, times: TimeAxis) -> time_plots.Marked | None:
    verdict = goal.verdict
    if verdict.reached is None or verdict.is_untrusted:
        return None
    word = "harmed since" if verdict.kind is Kind.HARMED else "decided"
    return times.mark(verdict.reached, f"{word} {format_day(verdict.reached, has_year=False)}")


def _rates(
    goal: Goal,
    moments: Sequence[GoalMoment],
    starts: Sequence[bool],
    times: TimeAxis,
    table: Table,
) -> PlotView:
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
    axis = time_plots.rate_axis(lines)
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


def _label(
    title: str, times: TimeAxis, legend: Sequence[Entry], mark: time_plots.Marked | None
) -> str:
    figures = "; ".join(f"{each.name} {each.figure}" for each in legend)
    period = f"{format_day(times.start)} to {format_day(times.end)}"
    return f"{title}, {period}. At the end: {figures}." + (f" {mark.words}." if mark else "")


def _group(
    experiment: Experiment,
    goal: Goal | None,
    times: TimeAxis,
    hints: Sequence[str],
    plots: Sequence[PlotView],
    table: Table,
    is_open: bool,
    last: int = -1,
) -> Group:
    found = history.goal_moments(goal) if goal else history.moments(experiment)
    days = [each.time for each in found]
    names = "\0".join((experiment.name, goal.name) if goal else (experiment.name,))
    minus = tuple(
        (format_day_and_time(day), *map(with_minus, row[1:]))
        for day, row in zip(days, table.rows, strict=True)
    )
    reached = goal.verdict.reached if goal else None
    return Group(
        f"over-time-{zlib.crc32(names.encode('utf-8', 'replace')):08x}",
        visible(goal.name) if goal else "",
        wording.role(goal) if goal else "",
        minus[last][0],
        " ".join(f"{times.position(day):g}" for day in days),
        tuple(map(visible, hints)),
        tuple(plots),
        Table(table.caption, table.columns, minus),
        days.index(reached) if reached in days else None,
        is_open,
    )


def _style(number: int) -> int:
    return 0 if number == 0 else 1 + (number - 1) % (_STYLES - 1)
