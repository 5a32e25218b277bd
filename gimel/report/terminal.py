"""Experiments in full as rich text, for a terminal of at least 60 columns.

Returns what rich prints, and prints nothing. Colour only repeats what the words say. Names come
from a public endpoint and are shown as text, whatever they contain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from gimel.analysis.experiment import Experiment
from gimel.analysis.goal import Goal
from gimel.analysis.phrases import day, quote
from gimel.analysis.verdict import Verdict
from gimel.report import bars, history, sparklines, tables, wording
from gimel.report.figures import visible
from gimel.report.layout import Screen, indent, lay_out, lay_out_with_bars, room_for_bars
from gimel.report.summary import is_stuck
from gimel.report.wording import Mark

STYLES = {
    Mark.DOUBT: "bold red",
    Mark.DECIDED: "bold green",
    Mark.UNDECIDED: "yellow",
    Mark.INFO: "none",
}
"""The styles of what is marked."""

_LONGEST_NAME = 20  # columns of what a lift over time is of
_BESIDE_SPARKLINE = 22  # columns beside a line and its label: "  -9.9% to +1000%", and gaps


def report(
    experiments: Sequence[Experiment],
    ignored: Mapping[str, int],
    now: float,
    screen: Screen,
    precision: int | None = None,
    details: bool = False,
    history: bool = False,
) -> Iterator[RenderableType]:
    """Yield what to print at the time `now` (seconds since 1970).

    `ignored` are the ignored events of experiments that do not exist, by reason; `precision` is
    the configured one, None if unknown. `details` adds the fixed-horizon figures, `history` the
    figures of every day. An experiment alone has its values over time as lines of characters.
    """
    yield from warnings(experiments, ignored)
    shown = _Shown(details, history, len(experiments) == 1)
    for experiment in experiments:
        yield from _experiment(experiment, now, screen, shown)
        yield ""
    yield from remarks(experiments, ignored, precision)
    if any(goal.is_conversion for experiment in experiments for goal in experiment.goals):
        yield Text(wording.how_to_read(experiments), style="dim")
        if details:
            yield Text(f"\n{wording.HOW_TO_READ_DETAILS}", style="dim")


def warnings(experiments: Sequence[Experiment], ignored: Mapping[str, int]) -> Iterator[Text]:
    """Yield what comes before all experiments: whether a limit was reached."""
    if warning := wording.limit_warning(experiments, ignored):
        yield Text(f"! {warning}\n", style=STYLES[Mark.DOUBT])


def remarks(
    experiments: Sequence[Experiment], ignored: Mapping[str, int], precision: int | None
) -> Iterator[Text]:
    """Yield what comes after all experiments: unknown ones, and other precisions."""
    if ignored:
        yield Text(f"{wording.unknown_events(ignored)}\n")
    if precision is not None and (kept := wording.kept_precisions(experiments, precision)):
        yield Text(f"{kept}\n")


@dataclass(frozen=True)
class _Shown:
    """What to show beside the usual: details, the history; lines over time if it is alone."""

    details: bool
    history: bool
    is_alone: bool


def _experiment(
    experiment: Experiment, now: float, screen: Screen, shown: _Shown
) -> Iterator[RenderableType]:
    yield Text(visible(experiment.name), style="bold underline")
    yield Text(wording.facts(experiment, now))
    for failed in experiment.failed:
        yield _line(failed.sentence, screen, failed.matters)
    for flaw in experiment.flaws:
        yield _line(flaw, screen, is_doubt=True)
    if not experiment.split.is_mismatch:
        mark = Mark.DOUBT if is_stuck(experiment) else None
        yield _sentence(experiment.headline, screen, mark)
    if advice := wording.advice(experiment):
        yield Text(screen.text(advice))
    yield from _participants(experiment, screen, shown)
    shared = None if experiment.split.is_mismatch else _shared_bars(experiment, screen)
    for goal in experiment.goals:
        yield ""
        if heading := _heading(experiment, goal, screen):
            yield heading
            yield ""
        yield from _goal(goal, screen, shown.details, shared)
        if goal.novelty and shared:
            yield indent(Text(screen.text(visible(goal.novelty.sentence))))
        if shown.history and goal.is_conversion:
            yield from _goal_history(experiment, goal, screen)


def _participants(
    experiment: Experiment, screen: Screen, shown: _Shown
) -> Iterator[RenderableType]:
    """Yield the visitors, what else to know of the counts, and how both came over time."""
    if experiment.arms:
        yield ""
        yield lay_out(tables.participants(experiment), screen)
    notes = list(wording.notes(experiment))
    if shown.details:
        notes += wording.counting_notes(experiment)
    if notes:
        yield indent(Text(screen.text("\n".join(notes))))
    if shown.is_alone:
        yield from _sparklines(experiment, screen)
    if shown.history and (experiment.split.is_mismatch or not experiment.goals):
        yield from _history(history.visitors(experiment), screen)


def _goal_history(experiment: Experiment, goal: Goal, screen: Screen) -> Iterator[RenderableType]:
    mark = "*" if screen.ascii_only else "✓"
    yield from _history(history.whole(experiment, goal, mark), screen)
    if (reached := goal.verdict.reached) is not None:
        yield indent(Text(f"{mark} The verdict was reached on {day(reached)}."))


def _history(table: tables.Table, screen: Screen) -> Iterator[RenderableType]:
    if table.rows:
        yield ""
        yield lay_out(table, screen, history.LONGEST_TIME)


def _sparklines(experiment: Experiment, screen: Screen) -> Iterator[RenderableType]:
    """Yield the visitors and the lifts over time, one below the other, as far as they are known."""
    goals = [goal for goal in experiment.goals if goal.is_conversion]
    subjects = [
        (goal, number, f"{goal.name}: {arm.name}" if len(goals) > 1 else arm.name)
        for goal in ([] if experiment.split.is_mismatch else goals)
        for number, arm in enumerate(goal.arms)
        if number
    ]
    labels = [f"Lift of {screen.name(visible(name), _LONGEST_NAME)}" for _, _, name in subjects]
    labels.insert(0, "New visitors per day")
    longest = max(map(cell_len, labels))
    size = min(sparklines.LONGEST, screen.width - longest - _BESIDE_SPARKLINE)
    if size < sparklines.SHORTEST:
        return
    found = [sparklines.visitors(experiment, size, screen.ascii_only)]
    found += [
        sparklines.lift(goal, number, size, screen.ascii_only) for goal, number, _ in subjects
    ]
    lines = [(label, line) for label, line in zip(labels, found, strict=True) if line]
    for number, (label, line) in enumerate(lines):
        if not number:
            yield ""
        space = " " * (longest - cell_len(label) + 2)
        yield indent(Text(f"{label}{space}{line.bars}  {screen.figures(line.scale)}"))
    if lines and (unit := lines[0][1].unit):
        yield indent(Text(f"{' ' * (longest + 2)}{unit}"))


def _heading(experiment: Experiment, goal: Goal, screen: Screen) -> Text:
    """Return a goal's name, role and verdict; its verdict only where the headline lacks it."""
    role = wording.role(goal)
    if len(experiment.all_goals) == 1 and not role and not experiment.split.is_mismatch:
        return Text()
    heading = Text(screen.text(quote(visible(goal.name))), style="bold")
    if role:
        heading.append(f" ({role})", "not bold")
    text = Text.assemble(heading)
    sentence = goal.verdict.sentence
    if experiment.split.is_mismatch or sentence not in experiment.headline.sentence:
        text.append(": ").append_text(
            _sentence(goal.verdict, screen, wording.goal_mark(goal.verdict))
        )
    return text


def _goal(
    goal: Goal, screen: Screen, details: bool, shared: _Bars | None
) -> Iterator[RenderableType]:
    """Yield the tables of a goal; without bars to share, nothing is compared."""
    if not goal.is_conversion:
        yield lay_out(tables.goals_per_visitor(goal), screen)
        return
    if shared is None:
        yield lay_out(tables.rates_alone(goal).with_units(), screen)
        return
    yield _lay_out_lifts(goal, screen, shared)
    if details:
        yield ""
        yield indent(Text(wording.DETAILS, style="bold"))
        yield lay_out(tables.rates(goal).with_units(), screen)
    if details and len(goal.arms) > 1:
        yield ""
        yield lay_out(tables.comparisons(goal).with_units(), screen)


def _line(sentence: str, screen: Screen, is_doubt: bool) -> Text:
    text = screen.text(visible(sentence))
    return Text(f"! {text}", style=STYLES[Mark.DOUBT]) if is_doubt else Text(text)


def _sentence(verdict: Verdict, screen: Screen, mark: Mark | None = None) -> Text:
    style = STYLES[mark or wording.choose_mark(verdict)]
    return Text(screen.text(wording.short_sentence(verdict)), style)


@dataclass(frozen=True)
class _Bars:
    """The axis that the bars of all goals share, from `low` to `high`, and their columns."""

    low: float
    high: float
    size: int


def _shared_bars(experiment: Experiment, screen: Screen) -> _Bars:
    """Return the axis and the size that suit all goals: equal lengths are then equal lifts."""
    goals = [goal for goal in experiment.goals if goal.is_conversion]
    found = [each.lift for goal in goals for each in goal.case.comparisons]
    sizes = [
        room_for_bars(_table_of_lifts(goal), screen, bars.SHORTEST, bars.LONGEST) for goal in goals
    ]
    return _Bars(*bars.axis(found), min(sizes, default=0))


def _table_of_lifts(goal: Goal) -> tables.Table:
    return tables.lifts(goal).drop("visitors").with_units()


def _lay_out_lifts(goal: Goal, screen: Screen, shared: _Bars) -> Padding:
    """Return the lifts with their intervals as bars, if all goals have room for them."""
    table, axis = _table_of_lifts(goal), (shared.low, shared.high, shared.size)
    found = [each.comparison.lift if each.comparison else None for each in goal.variants]
    drawn = [bars.draw(lift, *axis, screen.ascii_only) if lift else "" for lift in found]
    if not any(drawn):
        return lay_out(table, screen)
    return lay_out_with_bars(table, screen, bars.scale(*axis), drawn, bars.SHORTEST)
