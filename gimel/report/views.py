"""What the pages show of experiments: plain records of strings, tables and plots.

The templates lay them out and decide nothing. Names are made safe to show here.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gimel.analysis.design import Role
from gimel.analysis.experiment import Experiment
from gimel.analysis.goal import Goal
from gimel.analysis.verdict import Kind, Verdict
from gimel.report import plots, tables, wording
from gimel.report.figures import MISSING, format_count, format_start, visible
from gimel.report.plots import Plot
from gimel.report.tables import Table


@dataclass(frozen=True)
class VerdictView:
    """A verdict.

    Attributes:
        mark: The value of its `wording.Mark`, a CSS class.
        goal: The goal that it is about; '' if it is not about one.
        sentence: The verdict in words.
        anchor: The id of the goal's section; '' without one.
    """

    mark: str
    goal: str
    sentence: str
    anchor: str = ""


@dataclass(frozen=True)
class GoalView:
    """A goal of an experiment.

    Attributes:
        anchor: The id of its section.
        name: The goal's name.
        role: What it is for, in words; '' without a primary goal.
        verdict: Its verdict.
        lifts: The plot of the lifts; None without any.
        table: The lifts, or the goals per visitor of a goal that is not a conversion.
        rates: The plot of the rates, for statisticians; None for a goal that is not a conversion.
        details: The tables for statisticians.
    """

    anchor: str
    name: str
    role: str
    verdict: VerdictView
    lifts: Plot | None
    table: Table
    rates: Plot | None
    details: tuple[Table, ...]


@dataclass(frozen=True)
class ExperimentView:
    """An experiment with all its goals. It has no participants before the first visitor."""

    anchor: str
    name: str
    facts: str
    doubts: tuple[str, ...]
    notes: tuple[str, ...]
    headline: VerdictView
    verdicts: tuple[VerdictView, ...]
    participants: Table | None
    goals: tuple[GoalView, ...]


@dataclass(frozen=True)
class OverviewRow:
    """An experiment in the overview. `doubts` are those that its verdict does not mention."""

    anchor: str
    name: str
    address: str
    started: str
    visitors: str
    verdict: VerdictView
    doubts: tuple[str, ...]


def overview_rows(
    experiments: Iterable[Experiment], now: float, address: Callable[[Experiment], str]
) -> tuple[OverviewRow, ...]:
    """Return the rows of the overview; `address` returns where an experiment's name links to."""
    rows = []
    for experiment in experiments:
        verdict = experiment.headline
        mark = wording.choose_mark(verdict, experiment.is_doubtful)
        started = MISSING if experiment.since is None else format_start(experiment.since, now)
        rows.append(
            OverviewRow(
                anchor(experiment.name),
                visible(experiment.name),
                address(experiment),
                started,
                format_count(experiment.visitors),
                VerdictView(mark.value, "", visible(verdict.sentence)),
                tuple(visible(doubt) for doubt in experiment.doubts if doubt != verdict.sentence),
            )
        )
    return tuple(rows)


def experiment_view(experiment: Experiment, now: float) -> ExperimentView:
    """Return everything that is shown of an experiment at the time `now` (seconds since 1970)."""
    misused = [
        f"{goal.name}: {goal.verdict.sentence}"
        for goal in experiment.goals
        if goal.verdict.kind is Kind.NOT_A_CONVERSION
    ]
    return ExperimentView(
        anchor(experiment.name),
        visible(experiment.name),
        wording.facts(experiment, now),
        tuple(visible(doubt) for doubt in (*experiment.doubts, *misused)),
        (*wording.notes(experiment), *wording.counting_notes(experiment)),
        _verdict(experiment, "", experiment.headline),
        tuple(_verdict(experiment, goal.name, goal.verdict) for goal in experiment.goals),
        tables.participants(experiment) if experiment.arms else None,
        tuple(_goal(experiment, goal) for goal in experiment.goals),
    )


def anchor(*names: str) -> str:
    """Return an id for these names that stays the same while others come and go."""
    joined = "\0".join(names).encode("utf-8", "replace")
    return f"at-{zlib.crc32(joined):08x}"


def _verdict(experiment: Experiment, goal: str, verdict: Verdict) -> VerdictView:
    mark = wording.choose_mark(verdict)
    target = anchor(experiment.name, goal) if goal else ""
    return VerdictView(mark.value, visible(goal), wording.short_sentence(verdict), target)


def _goal(experiment: Experiment, goal: Goal) -> GoalView:
    details = [tables.rates(goal)] if goal.is_conversion else []
    if goal.is_conversion and len(goal.arms) > 1:
        details.append(tables.comparisons(goal))
    return GoalView(
        anchor(experiment.name, goal.name),
        visible(goal.name),
        "" if goal.role is Role.EQUAL else goal.role.value,
        _verdict(experiment, goal.name, goal.verdict),
        plots.lifts(goal) if goal.is_conversion else None,
        tables.lifts(goal) if goal.is_conversion else tables.goals_per_visitor(goal),
        plots.rates(goal) if goal.is_conversion else None,
        tuple(details),
    )
