"""Experiments as a list for the terminal: one line each, in the order in which they need a reader.

Returns what rich prints, and prints nothing. What does not fit gives way in the order of `_LAYOUTS`
and no figure is ever cut. Colour only repeats what the words say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from gimel.analysis.experiment import Experiment
from gimel.analysis.mixture import Lift
from gimel.analysis.phrases import join_names
from gimel.report import terminal
from gimel.report.figures import MISSING, format_count, format_lift_with_unit, visible
from gimel.report.layout import Screen
from gimel.report.summary import State, brief, headline_goal, headline_lift, in_order, state_of
from gimel.report.wording import Mark

_MARKS = {State.BROKEN: "!", State.DECIDED: "✓", State.RUNNING: "·"}
_ASCII_MARKS = {State.BROKEN: "!", State.DECIDED: "*", State.RUNNING: "."}
_STYLES = {
    State.BROKEN: terminal.STYLES[Mark.DOUBT],
    State.DECIDED: terminal.STYLES[Mark.DECIDED],
    State.RUNNING: terminal.STYLES[Mark.UNDECIDED],
}
_GAP = "  "
_SHORTEST_NAME, _LONGEST_NAME = 6, 40
_LONGEST_GOAL = 20


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
        has: The columns beside the name and the verdict.
        shortest: The columns to which names may be shortened.
        longest: Those to which names in verdicts are shortened; None for any number.
    """

    has: frozenset[str]
    shortest: int
    longest: int | None


_LAYOUTS = tuple(
    _Layout(frozenset(has.split()), shortest, longest)
    for has, shortest, longest in (
        ("word goal visitors lift interval", 20, None),
        ("word visitors lift interval", 16, 20),
        ("visitors lift interval", 12, 16),  # the mark repeats the word
        ("word visitors lift", 16, 16),
        ("visitors lift", 12, 12),
        ("lift", 10, 10),
    )
)


@dataclass(frozen=True)
class _Column:
    header: str
    cells: tuple[str, ...]
    justify: Literal["left", "right"] = "left"

    @property
    def width(self) -> int:
        return max(map(cell_len, (self.header, *self.cells)))

    def lines(self) -> list[str]:
        """Return the header and the cells, padded to the same width."""
        width = self.width
        padded = []
        for cell in (self.header, *self.cells):
            space = " " * (width - cell_len(cell))
            padded.append(f"{space}{cell}" if self.justify == "right" else f"{cell}{space}")
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
        yield from _table(listed, screen, query)
    else:
        states = join_names([each.value for each in State if each in query.states])
        yield Text(f"No experiment is {states.replace(' and ', ' or ')}.")
    yield ""
    yield _counts(experiments, screen)
    yield ""
    yield from terminal.remarks(experiments, ignored, precision)
    if listed:
        yield Text(_how_to_read(listed, query), style="dim")
        yield Text(
            "\nTo show one experiment in full (--all instead of NAME: every one):", style="dim"
        )
        yield Text(f"  {query.command}")


def _counts(experiments: Sequence[Experiment], screen: Screen) -> Text:
    counts = Counter(map(state_of, experiments))
    text = Text()
    for state in State:
        if counts[state]:
            text.append("   " if text else "")
            text.append(f"{_mark(state, screen)} {counts[state]:,} {state.value}", _STYLES[state])
    return text


def _how_to_read(listed: Sequence[Experiment], query: Query) -> str:
    lift = "the relative change of the rate over the control"
    if query.goal is None:
        subject = f"The lift is {lift}, under the goal that the verdict rests on."
    else:
        subject = (
            f"The lift is {lift}, under the goal {visible(query.goal)}; state and verdict are those"
            " of the whole experiment."
        )
    return (
        "Broken: the data cannot be trusted, or a goal is harmed. Decided: it is safe to stop."
        f" Running: wait. {subject} Its interval contains the true lift with"
        f" {100 * listed[0].confidence:g}% confidence, however often you look."
    )


def _table(listed: Sequence[Experiment], screen: Screen, query: Query) -> Iterator[Text]:
    columns = [column.lines() for column in _fitting_columns(listed, screen, query)]
    header, *rows = (_GAP.join(cells).rstrip() for cells in zip(*columns, strict=True))
    yield _line(header, 0, "bold")
    for experiment, row in zip(listed, rows, strict=True):
        yield _line(row, len(columns[0][0]), _STYLES[state_of(experiment)])


def _line(text: str, styled: int, style: str) -> Text:
    """Return a line that is never broken; its first characters, 0 for all, have the style."""
    line = Text(text, no_wrap=True, overflow="ignore")
    line.stylize(style, 0, styled or len(text))
    return line


def _fitting_columns(listed: Sequence[Experiment], screen: Screen, query: Query) -> list[_Column]:
    """Return the columns with which the names get enough room."""
    names = [visible(each.name) for each in listed]
    widest = max(map(cell_len, names))
    for layout in _LAYOUTS:
        state, *others = _columns(listed, screen, query, layout)
        taken = sum(len(_GAP) + column.width for column in (state, *others))
        room = screen.width - taken
        if not screen.is_terminal or room >= min(layout.shortest, widest):
            break
    if screen.is_terminal:
        longest = max(_SHORTEST_NAME, min(room, _LONGEST_NAME))
        names = [screen.name(name, longest) for name in names]
    return [state, _Column("experiment"[: max(map(cell_len, names))], tuple(names)), *others]


def _columns(
    listed: Sequence[Experiment], screen: Screen, query: Query, layout: _Layout
) -> list[_Column]:
    """Return all columns but the names; the first is the state."""
    lifts = [_lift(each, query.goal) for each in listed]
    figures = [format_lift_with_unit(lift) if lift else (MISSING, "") for lift in lifts]
    goals = [headline_goal(each) for each in listed]
    longest = layout.longest if screen.is_terminal else None
    optional = {
        "goal": _Column(
            "goal",
            tuple(
                screen.name(visible(goal.name), _LONGEST_GOAL) if goal else MISSING
                for goal in goals
            ),
        ),
        "visitors": _Column(
            "visitors", tuple(format_count(each.visitors) for each in listed), "right"
        ),
        "lift": _Column("lift", tuple(screen.figures(value) for value, _ in figures), "right"),
        "interval": _Column(
            f"({100 * listed[0].confidence:g}% interval)",
            tuple(f"({screen.figures(ends)})" if ends else "" for _, ends in figures),
        ),
    }
    if query.goal is not None or all(len(each.all_goals) < 2 for each in listed):
        del optional["goal"]
    states = tuple(
        f"{_mark(state, screen)} {state.value}" if "word" in layout.has else _mark(state, screen)
        for state in map(state_of, listed)
    )
    return [
        _Column("state" if "word" in layout.has else "", states),
        *(column for name, column in optional.items() if name in layout.has),
        _Column("verdict", tuple(brief(each, longest) for each in listed)),
    ]


def _lift(experiment: Experiment, goal: str | None) -> Lift | None:
    """Return the lift of a goal, or that of the headline if it speaks of one goal."""
    if goal is None:
        return headline_lift(experiment) if headline_goal(experiment) else None
    found = next(each for each in experiment.all_goals if each.name == goal)
    untrusted = found.verdict.is_untrusted or experiment.split.is_mismatch
    return None if untrusted else found.verdict.lift


def _mark(state: State, screen: Screen) -> str:
    return (_ASCII_MARKS if screen.ascii_only else _MARKS)[state]
