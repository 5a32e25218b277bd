"""What a page shows of an experiment over time: plots, each with the table behind it.

The template draws them and decides nothing. Names are made safe to show here.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from gimel.analysis.experiment import Experiment
from gimel.analysis.goal import Goal
from gimel.analysis.timeline import Moment
from gimel.report import history, plot_views, wording
from gimel.report.figures import (
    format_day,
    format_day_and_time,
    visible,
    with_minus,
)
from gimel.report.summary import headline_goal
from gimel.report.tables import Table
from gimel.report.time_axes import TimeAxis

_DAY = 86_400
_NOTHING = "There is nothing to plot yet: one point is recorded per day."


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
    plots: tuple[plot_views.PlotView, ...]
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
    is_short = moments[-1].time - moments[0].time < history.SHORTEST_DAYS * _DAY
    if len(moments) < 2 or (is_short and not any(history.steps(experiment))):
        return OverTime(_NOTHING, (), is_untrusted)
    times = _times(experiment, moments)
    shown = headline_goal(experiment)
    goals = [goal for goal in experiment.goals if goal.is_conversion]
    if shown not in goals:
        shown = goals[0] if goals else None
    groups = [_goal(experiment, goal, times, goal is shown and not is_untrusted) for goal in goals]
    visitors = _visitors(experiment, times)
    # The visitors are what a wrong split is about.
    if visitors:
        groups.insert(0 if is_untrusted else len(groups), visitors)
    return OverTime(_note(experiment, times), tuple(groups), is_untrusted)


def _times(experiment: Experiment, moments: Sequence[Moment]) -> TimeAxis:
    """Return the axis of all plots: from the first event, unless that is long before."""
    first, since = moments[0].time, experiment.since
    is_near = since is not None and 0 <= first - since <= history.LONGEST_DAYS * _DAY
    return TimeAxis(since if is_near and since is not None else first, moments[-1].time)


def _note(experiment: Experiment, times: TimeAxis) -> str:
    since = experiment.since
    if since is None or times.start - since <= 0:
        return ""
    return (
        f"The experiment started on {format_day(since)}; what was counted is recorded since"
        f" {format_day(times.start)}."
    )


def _visitors(experiment: Experiment, times: TimeAxis) -> Group | None:
    table = history.visitors(experiment)
    found = plot_views.visitors(experiment, times, table)
    if found is None:
        return None
    view, last = found
    return _group(experiment, None, times, (), (view,), table, True, last)


def _goal(experiment: Experiment, goal: Goal, times: TimeAxis, is_open: bool) -> Group:
    table, gaps = history.figures(goal), history.gaps(experiment)
    plots = [plot_views.rates(goal, gaps, times, table)]
    if len(goal.arms) > 1:
        plots.insert(0, plot_views.lifts(goal, gaps, times))
    hints = [goal.novelty.sentence] if goal.novelty else []
    if goal.verdict.disagrees:
        hints.insert(0, wording.short_sentence(goal.verdict))
    return _group(experiment, goal, times, hints, plots, table, is_open)


def _group(
    experiment: Experiment,
    goal: Goal | None,
    times: TimeAxis,
    hints: Sequence[str],
    plots: Sequence[plot_views.PlotView],
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
