"""What the pages show of experiments: plain records of strings, tables and strips.

The templates lay them out and decide nothing. Names are made safe to show here.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

from gimel.analysis.experiment import Experiment
from gimel.analysis.goal import Goal
from gimel.analysis.mixture import Lift
from gimel.analysis.phrases import quote
from gimel.analysis.verdict import Kind
from gimel.report import tables, wording
from gimel.report.figures import (
    format_lift_with_unit,
    visible,
    with_minus,
)
from gimel.report.plots import Axis, Strip, lift_axis, rate_axis
from gimel.report.summary import (
    State,
    brief,
    direction_word,
    headline_comparison,
    headline_goal,
    headline_lift,
    mark_of,
    state_of,
)
from gimel.report.tables import Table


@dataclass(frozen=True)
class LiftView:
    """A lift: its value, its interval, and both as a strip. All '' or None if it is unknown.

    `word` is "better" or "worse" if that is decided.
    """

    value: str
    interval: str
    strip: Strip | None
    word: str = ""


@dataclass(frozen=True)
class TableView:
    """A table with a strip per row; no axis if it has none."""

    table: Table
    strips: tuple[Strip | None, ...] = ()
    axis: Axis | None = None


@dataclass(frozen=True)
class GoalView:
    """A goal of an experiment.

    Attributes:
        anchor: The id of its section.
        name: The goal's name.
        role: What it is for, in words; '' without a primary goal.
        mark: The value of the `wording.Mark` of its verdict, a CSS class.
        sentence: Its verdict in words; '' for the only goal, whose verdict is the headline.
        variant: The variant whose lift is shown in the goal's row; '' if there is only one.
        lift: That lift.
        rates: The control and that variant, each with its rate in words; none if unknown.
        table: The lifts, or the goals per visitor of a goal that is not a conversion.
        details: The tables for statisticians.
    """

    anchor: str
    name: str
    role: str
    mark: str
    sentence: str
    variant: str
    lift: LiftView
    rates: tuple[tuple[str, str], ...]
    table: TableView
    details: tuple[TableView, ...]


@dataclass(frozen=True)
class Progress:
    """How far a running experiment has come: `value` of `most` visitors, and that in words."""

    value: int
    most: int
    words: str


@dataclass(frozen=True)
class Banner:
    """The verdict on an experiment, as the first thing that a reader sees.

    Attributes:
        mark: The value of its `wording.Mark`, a CSS class.
        state: The state in words.
        brief: The verdict in a few words.
        failed: The variants that failed for many, a sentence each, to be read before the verdict.
        few_failed: Those that failed for few, which is not a problem.
        sentence: The verdict in words.
        advice: What to do about it; '' if the sentence says that.
        lift: The lift that it rests on; none where something is harmed.
        axis: The axis of that lift.
        about: What that lift is about: "“buy”: “red” compared with “blue”"; '' without a lift.
        progress: How far it has come; None unless it is running and that can be estimated.
    """

    mark: str
    state: str
    brief: str
    failed: tuple[str, ...]
    few_failed: tuple[str, ...]
    sentence: str
    advice: str
    lift: LiftView
    axis: Axis
    about: str
    progress: Progress | None


@dataclass(frozen=True)
class ExperimentView:
    """An experiment with all its goals. It has no participants before the first visitor."""

    anchor: str
    name: str
    facts: str
    banner: Banner
    doubts: tuple[str, ...]
    notes: tuple[str, ...]
    participants: TableView | None
    goals: tuple[GoalView, ...]
    axis: Axis
    is_untrusted: bool
    has_guess: bool


def experiment_view(experiment: Experiment, now: float) -> ExperimentView:
    """Return everything that is shown of an experiment at the time `now` (seconds since 1970)."""
    misused = [
        _misuse(experiment, goal)
        for goal in experiment.goals
        if goal.verdict.kind is Kind.NOT_A_CONVERSION
    ]
    failed = [each.words for each in experiment.failed if each.matters]  # the banner says more
    axis = lift_axis(
        comparison.lift
        for goal in experiment.goals
        if goal.is_conversion
        for comparison in goal.case.comparisons
    )
    return ExperimentView(
        anchor(experiment.name),
        visible(experiment.name),
        wording.facts(experiment, now),
        _banner(experiment),
        tuple(map(visible, (*failed, *experiment.flaws, *misused))),
        (*wording.notes(experiment), *wording.counting_notes(experiment)),
        TableView(tables.participants(experiment)) if experiment.arms else None,
        tuple(_goal(experiment, goal, axis) for goal in experiment.goals),
        axis,
        experiment.split.is_mismatch,
        experiment.control_is_guess,
    )


def anchor(*names: str) -> str:
    """Return an id for these names that stays the same while others come and go."""
    joined = "\0".join(names).encode("utf-8", "replace")
    return f"at-{zlib.crc32(joined):08x}"


def lift_view(lift: Lift | None, axis: Axis, word: str = "") -> LiftView:
    if lift is None or lift.value is None:
        return LiftView("", "", None)
    value, interval = map(with_minus, format_lift_with_unit(lift))
    return LiftView(value, interval, axis.strip(lift), word)


def _banner(experiment: Experiment) -> Banner:
    verdict, goal, lift = experiment.headline, headline_goal(experiment), None
    about = ""
    if goal and verdict.kind not in (Kind.HARMED, Kind.CONFLICT):
        lift = headline_lift(experiment)
    if goal and lift and lift.value is not None:
        variant, control = quote(_shown_variant(goal)), quote(goal.control.name)
        about = visible(f"{quote(goal.name)}: {variant} compared with {control}")
    axis = lift_axis([lift] if lift else [])
    return Banner(
        mark_of(experiment).value,
        state_of(experiment).words.capitalize(),
        brief(experiment),
        tuple(visible(each.sentence) for each in experiment.failed if each.matters),
        tuple(visible(each.sentence) for each in experiment.failed if not each.matters),
        wording.short_sentence(verdict),
        wording.advice(experiment),
        lift_view(lift, axis, direction_word(headline_comparison(experiment))),
        axis,
        about,
        _progress(experiment),
    )


def _misuse(experiment: Experiment, goal: Goal) -> str:
    """Return that a goal is not a conversion, with the figures unless the banner has them."""
    sentence = goal.verdict.sentence
    if sentence in experiment.headline.sentence:
        return f"{quote(goal.name)} is not a conversion"
    return f"{quote(goal.name)}: {sentence}"


def _progress(experiment: Experiment) -> Progress | None:
    """Return how far a running experiment has come: of its plan, else of the forecast."""
    if state_of(experiment) is not State.RUNNING or not experiment.visitors:
        return None
    visitors = round(experiment.visitors)
    if planned := experiment.design.visitors:
        words = f"{visitors:,} of {planned:,} planned visitors"
        return Progress(min(visitors, planned), planned, words)
    forecast = experiment.headline.forecast
    more = (forecast.latest or forecast.rule_out) if forecast else None
    if more is None or not more.visitors:
        return None
    most = visitors + more.visitors
    return Progress(
        visitors, most, f"{100 * visitors / most:.0f}% of the visitors that it may need"
    )


def _shown_variant(goal: Goal) -> str:
    """Return the variant whose lift stands for the goal: its verdict's, else the best one."""
    name = goal.verdict.variant
    others = [each for each in goal.case.comparisons if each.lift.value is not None]
    if name is not None and name != goal.control.name and any(e.arm.name == name for e in others):
        return name
    return max(others, key=lambda each: each.gain).arm.name if others else ""


def _goal(experiment: Experiment, goal: Goal, axis: Axis) -> GoalView:
    shown = _shown_variant(goal) if goal.is_conversion else ""
    found = next((each for each in goal.case.comparisons if each.arm.name == shown), None)
    lift: Lift | None = None
    rates: tuple[tuple[str, str], ...] = ()
    if found and found.has_visitors:
        names = visible(goal.control.name), visible(found.arm.name)
        lift = found.lift
        rates = tuple(zip(names, tables.rate_words(goal, [goal.control, found.arm]), strict=True))
    return GoalView(
        anchor(experiment.name, goal.name),
        visible(goal.name),
        wording.role(goal),
        wording.goal_mark(goal.verdict).value,
        wording.short_sentence(goal.verdict) if len(experiment.all_goals) > 1 else "",
        visible(shown),
        lift_view(lift, axis, "" if experiment.split.is_mismatch else direction_word(found)),
        rates,
        _table(goal, axis),
        _details(goal),
    )


def _table(goal: Goal, axis: Axis) -> TableView:
    if not goal.is_conversion:
        return TableView(tables.goals_per_visitor(goal))
    if len(goal.arms) == 1:
        return TableView(tables.lifts(goal))
    strips = [
        axis.strip(variant.comparison.lift)
        if variant.comparison and variant.comparison.has_visitors
        else None
        for variant in goal.variants
    ]
    return TableView(_with_minus(tables.lifts(goal)), tuple(strips), axis)


def _details(goal: Goal) -> tuple[TableView, ...]:
    if not goal.is_conversion:
        return ()
    seen = [variant.rate for variant in goal.variants if variant.arm.visitors.value]
    axis = rate_axis(seen, goal.control.rate)
    strips = [
        axis.strip(variant.rate) if variant.arm.visitors.value else None
        for variant in goal.variants
    ]
    rates = TableView(tables.rates(goal), tuple(strips), axis)
    if len(goal.arms) == 1:
        return (rates,)
    return rates, TableView(_with_minus(tables.comparisons(goal)))


def _with_minus(table: Table) -> Table:
    """Return a table with real minus signs in its figures, but not in its names."""
    rows = tuple((row[0], *map(with_minus, row[1:])) for row in table.rows)
    return replace(table, rows=rows)
