"""Experiments as a list for the terminal, in the order in which they need a reader.

Each is one line; two where one would have no room for a lift with its interval. Returns what rich
prints, and prints nothing. What does not fit gives way in the order of `_LAYOUTS`, and no figure is
ever cut. Colour only repeats what the words say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

from gimel.analysis.experiment import Experiment
from gimel.analysis.mixture import Lift
from gimel.report import terminal
from gimel.report.figures import MISSING, format_count, format_lift_with_unit, visible
from gimel.report.layout import Screen
from gimel.report.legend import how_to_read
from gimel.report.summary import (
    State,
    brief,
    headline_comparison,
    headline_goal,
    headline_lift,
    in_order,
    listed_word,
    state_of,
    unnamed_variant,
)
from gimel.report.wording import Mark

_MARKS = {State.ATTENTION: "!", State.DECIDED: "✓", State.RUNNING: "…"}
_ASCII_MARKS = {State.ATTENTION: "!", State.DECIDED: "*", State.RUNNING: "."}
_STYLES = {
    State.ATTENTION: terminal.STYLES[Mark.DOUBT],
    State.DECIDED: terminal.STYLES[Mark.DECIDED],
    State.RUNNING: terminal.STYLES[Mark.UNDECIDED],
}
_SHORTEST_NAME, _LONGEST_NAME = 6, 40


@dataclass(frozen=True)
class Query:
    """What the reader asked for.

    Attributes:
        states: The only states to list; all if empty.
        goal: The goal whose lifts to list; None for the goal of each headline.
        command: The command that shows one experiment.
    """

    states: Collection[State] = ()
    goal: str | None = None
    command: str = "gimel results NAME"


@dataclass(frozen=True)
class _Layout:
    """What the lines have room for.

    Attributes:
        has: The columns beside the name, the verdict, the lift and what that is of.
        shortest: The columns to which names may be shortened.
        subject: Those to which goal and variant of a lift are shortened together.
        longest: Those to which names in verdicts are shortened; None for any number.
    """

    has: frozenset[str]
    shortest: int
    subject: int
    longest: int | None


# What a lift is of never gives way: a lift under an unknown goal would be read as one of another.
# Nor does its interval: a lift alone would be read as certain.
_LAYOUTS = tuple(
    _Layout(frozenset(has.split()), shortest, subject, longest)
    for has, shortest, subject, longest in (
        ("word visitors", 20, 24, None),
        ("word visitors", 16, 18, 20),
        ("visitors", 16, 24, None),  # the mark repeats the word
        ("visitors", 14, 14, 16),
        ("", 14, 14, 14),
        ("", 14, 10, 8),
    )
)
_LONGEST_IN_VERDICT = (None, 20, 12, 8, 6)  # the same where each experiment has two lines
_INDENT = 4  # of its second line


@dataclass(frozen=True)
class _Column:
    """A header with its cells, `gap` columns from what follows on the right."""

    header: str
    cells: Sequence[str]
    justify: Literal["left", "right"] = "left"
    gap: int = 2

    @property
    def width(self) -> int:
        return max(map(cell_len, (self.header, *self.cells))) + self.gap

    def lines(self) -> list[str]:
        """Return the header and the cells, padded to the same width."""
        padded = []
        for cell in (self.header, *self.cells):
            space = " " * (self.width - self.gap - cell_len(cell))
            aligned = f"{space}{cell}" if self.justify == "right" else f"{cell}{space}"
            padded.append(aligned + " " * self.gap)
        return padded


def overview(
    experiments: Sequence[Experiment],
    ignored: Mapping[str, int],
    screen: Screen,
    query: Query | None = None,
    precision: int | None = None,
) -> Iterator[RenderableType]:
    """Yield a line per experiment, the number of experiments by state, and how to read both.

    A `screen` that is not a terminal gets whole names, however wide: a line is searched, not read.
    For the other arguments see `terminal.report`.
    """
    query = query or Query()
    yield from terminal.warnings(experiments, ignored)
    listed = in_order(
        each for each in experiments if not query.states or state_of(each) in query.states
    )
    if listed:
        yield _table(listed, screen, query)
    else:
        states = ", ".join(each.words for each in State if each in query.states)
        yield Text(f"No experiment is in the state: {states}.")
    yield ""
    yield _counts(experiments, screen)
    yield ""
    yield from terminal.remarks(experiments, ignored, precision)
    if listed:
        yield Text(screen.text(how_to_read(listed, query.goal)), style="dim")
        yield Text("\nShow one experiment in full, or all of them with --all:", style="dim")
        yield Group(_line(f"  {query.command}"))


def _counts(experiments: Sequence[Experiment], screen: Screen) -> Text:
    counts = Counter(map(state_of, experiments))
    text = Text()
    for state in State:
        if counts[state]:
            text.append("   " if text else "")
            text.append(f"{_mark(state, screen)} {state.count(counts[state])}", _STYLES[state])
    return text


def _table(listed: Sequence[Experiment], screen: Screen, query: Query) -> Group:
    columns = _fitting_columns(listed, screen, query)
    below: list[str] = []
    if columns is None:
        columns = _upper_columns(listed, screen)
        below = _lower_lines(listed, screen, query)
    header, *rows = _joined(columns)
    lines = [_line(header, "bold")]
    if below:
        lines.append(_line(below[0], "bold"))
    for number, (experiment, row) in enumerate(zip(listed, rows, strict=True), 1):
        lines.append(_line(row, _STYLES[state_of(experiment)], columns[0].width))
        if below and _lift(experiment, query.goal):
            lines.append(_line(below[number]))
    return Group(*lines)


def _joined(columns: Sequence[_Column]) -> list[str]:
    cells = [column.lines() for column in columns]
    return ["".join(line).rstrip() for line in zip(*cells, strict=True)]


def _line(text: str, style: str = "", styled: int | None = None) -> Text:
    """Return a line of which the first `styled` characters have the style.

    It is never broken, unless it is printed outside of a Group, where rich forgets that.
    """
    line = Text(text, no_wrap=True, overflow="ignore")
    line.stylize(style, 0, styled)
    return line


def _fitting_columns(
    listed: Sequence[Experiment], screen: Screen, query: Query
) -> list[_Column] | None:
    """Return the columns with which the names get enough room; None if there are none."""
    names = _Column("name", [visible(each.name) for each in listed])
    for layout in _LAYOUTS:
        state, *others = _columns(listed, screen, query, layout)
        room = screen.width - sum(column.width for column in (state, *others)) - names.gap
        if not screen.is_terminal:
            return [state, names, *others]
        if room >= min(layout.shortest, names.width - names.gap):
            return [state, _shortened(names, screen, room), *others]
    return None


def _shortened(names: _Column, screen: Screen, room: int) -> _Column:
    longest = max(_SHORTEST_NAME, min(room, _LONGEST_NAME))
    return replace(names, cells=[screen.name(name, longest) for name in names.cells])


def _columns(
    listed: Sequence[Experiment], screen: Screen, query: Query, layout: _Layout
) -> list[_Column]:
    """Return all columns but the names; the first is the state."""
    columns = [_states(listed, screen, "word" in layout.has)]
    if "visitors" in layout.has:
        counts = [format_count(each.visitors) for each in listed]
        columns.append(_Column("visitors", counts, "right"))
    columns += _subjects(listed, screen, query, layout.subject)
    columns += _lifts(listed, screen, query)
    return [*columns, _verdicts(listed, screen, layout.longest)]


def _upper_columns(listed: Sequence[Experiment], screen: Screen) -> list[_Column]:
    """Return the columns of the first of two lines: mark, name, verdict."""
    state = _states(listed, screen, has_word=False)
    names = _Column("name", [visible(each.name) for each in listed])
    for longest in _LONGEST_IN_VERDICT:
        verdict = _verdicts(listed, screen, longest)
        room = screen.width - state.width - verdict.width - names.gap
        if room >= min(_LONGEST_NAME // 2, names.width - names.gap):
            break
    return [state, _shortened(names, screen, room), verdict]


def _lower_lines(listed: Sequence[Experiment], screen: Screen, query: Query) -> list[str]:
    """Return the header and the cells of the second of two lines: the lift, and what it is of."""
    lifts = _lifts(listed, screen, query)
    room = screen.width - _INDENT - sum(column.width for column in lifts)
    found = _joined([*_subjects(listed, screen, query, room), *lifts])
    return [f"{' ' * _INDENT}{line}" for line in found]


def _verdicts(listed: Sequence[Experiment], screen: Screen, longest: int | None) -> _Column:
    def shorten(name: str) -> str:
        return screen.name(name, longest) if longest else name

    verdicts = [brief(each, shorten if screen.is_terminal else str) for each in listed]
    return _Column("verdict", list(map(screen.text, verdicts)), gap=0)


def _states(listed: Sequence[Experiment], screen: Screen, has_word: bool) -> _Column:
    states = [state_of(each) for each in listed]
    if not has_word:
        return _Column("", [_mark(state, screen) for state in states], gap=1)
    return _Column("state", [f"{_mark(state, screen)} {state.words}" for state in states])


def _subjects(
    listed: Sequence[Experiment], screen: Screen, query: Query, longest: int
) -> list[_Column]:
    """Return the column that says what each lift is of, unless it can be of one thing only.

    The goal, if any experiment has several; the variant, where the verdict names none of several.
    """
    has_goals = query.goal is None and any(len(each.all_goals) > 1 for each in listed)
    goals = [headline_goal(each) for each in listed]
    variants = [unnamed_variant(each, query.goal) for each in listed]
    if not has_goals and not any(variants):
        return []
    cells = []
    for goal, variant in zip(goals, variants, strict=True):
        names = [visible(goal.name) if goal else MISSING] if has_goals else []
        cells.append(_join(names + [visible(variant)] * bool(variant), screen, longest))
    return [_Column("lift of", cells)]


def _join(names: Sequence[str], screen: Screen, longest: int) -> str:
    """Return up to two names, shortened such that both have a fair part of the columns."""
    if not screen.is_terminal or len(names) < 2:
        return ": ".join(
            screen.name(name, longest) if screen.is_terminal else name for name in names
        )
    room = longest - len(": ")
    first, last = map(cell_len, names)
    end = min(last, max(room // 2, room - first))
    return f"{screen.name(names[0], room - end)}: {screen.name(names[1], end)}"


def _lifts(listed: Sequence[Experiment], screen: Screen, query: Query) -> list[_Column]:
    lifts = [_lift(each, query.goal) for each in listed]
    figures = [format_lift_with_unit(lift) if lift else (MISSING, "") for lift in lifts]
    words = [
        listed_word(headline_comparison(each, query.goal)) if lift else ""
        for each, lift in zip(listed, lifts, strict=True)
    ]
    values = _Column("lift", [screen.figures(value) for value, _ in figures], "right")
    header = f"({100 * listed[0].confidence:g}% interval)"
    ends = [
        f"({screen.figures(interval)}{word and f', {word}'})" if interval else ""
        for (_, interval), word in zip(figures, words, strict=True)
    ]
    return [replace(values, gap=1), _Column(header, ends)]


def _lift(experiment: Experiment, goal: str | None) -> Lift | None:
    """Return the lift of a goal, or that of the headline if it speaks of one goal."""
    if goal is None:
        return headline_lift(experiment) if headline_goal(experiment) else None
    found = next(each for each in experiment.all_goals if each.name == goal)
    untrusted = found.verdict.is_untrusted or experiment.split.is_mismatch
    return None if untrusted else found.verdict.lift


def _mark(state: State, screen: Screen) -> str:
    return (_ASCII_MARKS if screen.ascii_only else _MARKS)[state]
