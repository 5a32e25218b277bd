"""Experiments with their statistics as rich text, for a terminal of at least 80 columns.

Returns what rich prints, and prints nothing. Colour only repeats what the words say. Names come
from a public endpoint and are shown as text, whatever they contain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from rich import table as rich_table
from rich.cells import cell_len
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from gimel.analysis.experiment import Experiment
from gimel.analysis.goal import Goal
from gimel.analysis.mixture import Lift
from gimel.analysis.verdict import Verdict
from gimel.report import tables, wording
from gimel.report.figures import fit, visible
from gimel.report.tables import Table
from gimel.report.wording import Mark

_GAP = 2
_INDENT = 2
_SHORTEST_NAME, _LONGEST_NAME = 10, 40
_SHORTEST_BAR, _LONGEST_BAR = 8, 40
_LEAST_EXCESS = 4  # of a header over its figures, below which breaking it gains too little

_MOST_LIFT = 2.0  # 200%: a bar that reaches further is cut off

_BAR = ""  # the header of the bars

_STYLES = {Mark.DOUBT: "bold red", Mark.DECIDED: "bold green", Mark.UNDECIDED: "yellow"}


def report(
    experiments: Sequence[Experiment],
    ignored: Mapping[str, int],
    now: float,
    width: int,
    ascii_only: bool = False,
    precision: int | None = None,
    details: bool = False,
) -> Iterator[RenderableType]:
    """Yield what to print in a terminal of `width` columns at the time `now` (seconds since 1970).

    `ignored` are the ignored events of experiments that do not exist, by reason; `precision` is
    the configured one, None if unknown. `details` adds the fixed-horizon figures.
    """
    if warning := wording.limit_warning(experiments, ignored):
        yield Text(f"! {warning}\n", style=_STYLES[Mark.DOUBT])
    for experiment in experiments:
        yield from _experiment(experiment, now, width, ascii_only, details)
        yield ""
    if ignored:
        yield Text(f"{wording.unknown_events(ignored)}\n")
    if precision is not None and (kept := wording.kept_precisions(experiments, precision)):
        yield Text(f"{kept}\n")
    if any(goal.is_conversion for experiment in experiments for goal in experiment.goals):
        yield Text(wording.HOW_TO_READ, style="dim")
        if details:
            yield Text(f"\n{wording.DETAILS}: {wording.HOW_TO_READ_DETAILS}", style="dim")


def _experiment(
    experiment: Experiment, now: float, width: int, ascii_only: bool, details: bool
) -> Iterator[RenderableType]:
    yield Text(visible(experiment.name), style="bold underline")
    yield Text(wording.facts(experiment, now))
    for doubt in experiment.doubts:
        yield Text(f"! {visible(doubt)}", style=_STYLES[Mark.DOUBT])
    if not experiment.split.is_mismatch:
        yield _sentence("", experiment.headline)
    if experiment.arms:
        yield ""
        yield _indent(_lay_out(tables.participants(experiment), width))
    notes = list(wording.notes(experiment))
    if details:
        notes += wording.counting_notes(experiment)
    if notes:
        yield _indent(Text("\n".join(notes)))
    for goal in experiment.goals:
        yield ""
        if len(experiment.all_goals) > 1 or experiment.split.is_mismatch:
            yield _sentence(goal.name, goal.verdict)
            yield ""
        yield from _goal(goal, width, ascii_only, details)


def _goal(goal: Goal, width: int, ascii_only: bool, details: bool) -> Iterator[RenderableType]:
    if not goal.is_conversion:
        yield _indent(_lay_out(tables.goals_per_visitor(goal), width))
        return
    yield _indent(_lay_out_lifts(goal, width, ascii_only))
    if details:
        yield ""
        yield _indent(Text(wording.DETAILS, style="bold"))
        yield _indent(_lay_out(tables.rates(goal), width))
    if details and len(goal.arms) > 1:
        yield ""
        yield _indent(_lay_out(tables.comparisons(goal), width))


def _sentence(goal: str, verdict: Verdict) -> Text:
    text = Text()
    if goal:
        text.append(f"{visible(goal)}: ", "bold")
    return text.append(wording.short_sentence(verdict), _STYLES[wording.choose_mark(verdict)])


def _lay_out_lifts(goal: Goal, width: int, ascii_only: bool) -> rich_table.Table:
    """Return the lifts with their intervals as bars, in the room that names and figures leave."""
    table = tables.lifts(goal).drop("visitors")
    table = _break_headers(table, width - _GAP - _SHORTEST_BAR)
    names = max(_SHORTEST_NAME, width - _INDENT - _width_of_figures(table) - _GAP - _SHORTEST_BAR)
    names = min(names, _width_of_names(table))
    size = min(_LONGEST_BAR, width - _INDENT - names - _width_of_figures(table) - _GAP)
    found = [each.comparison.lift for each in goal.variants if each.comparison]
    low, high = _bar_range(found)
    rows = []
    for variant, cells in zip(goal.variants, table.rows, strict=True):
        bar = ""
        if variant.comparison and variant.comparison.lift.value is not None:
            bar = interval_bar(variant.comparison.lift, low, high, size, ascii_only)
        rows.append((*cells, bar))
    return _lay_out(Table(table.caption, (*table.columns, _BAR), tuple(rows)), width)


def _bar_range(lifts: Sequence[Lift]) -> tuple[float, float]:
    """Return the ends of the bars' axis: zero, the lifts, and their ends up to a lift of 200%."""
    values = [0.0, *(lift.value for lift in lifts if lift.value is not None)]
    most = max(_MOST_LIFT, *values)
    lows = [lift.low for lift in lifts if lift.low is not None]
    highs = [min(lift.high, most) for lift in lifts if lift.high is not None]
    return min([*values, *lows]), max([*values, *highs])


def _lay_out(table: Table, width: int) -> rich_table.Table:
    """Return a table that fits into the terminal: headers are broken, then names shortened."""
    table = _break_headers(table, width)
    names = width - _INDENT - _width_of_figures(table)
    names = max(_SHORTEST_NAME, min(_LONGEST_NAME, names))
    first_header, *headers = table.columns
    result = rich_table.Table(
        box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold"
    )
    result.add_column(Text(fit(first_header, names)), no_wrap=True, vertical="bottom")
    for header in headers:
        justify: Literal["left", "right"] = "left" if header == _BAR else "right"
        result.add_column(Text(header), justify=justify, no_wrap=True, vertical="bottom")
    for name, *cells in table.rows:
        result.add_row(Text(fit(name, names)), *map(Text, cells))
    return result


def _break_headers(table: Table, width: int) -> Table:
    """Break headers at their spaces, the most wasteful first, until the names have enough room."""
    while _INDENT + _width_of_names(table) + _width_of_figures(table) > width:
        first, *headers = table.columns
        excess = [
            _width(header) - max((cell_len(row[column]) for row in table.rows), default=0)
            if " " in header
            else 0
            for column, header in enumerate(headers, 1)
        ]
        if max(excess, default=0) < _LEAST_EXCESS:
            break
        widest = excess.index(max(excess))
        headers[widest] = _break_line(headers[widest])
        table = replace(table, columns=(first, *headers))
    return table


def _break_line(header: str) -> str:
    """Break the longest line of a header that has a space at the one nearest to its middle."""
    lines = header.split("\n")
    number = max(range(len(lines)), key=lambda each: (" " in lines[each], len(lines[each])))
    line = lines[number]
    spaces = [index for index, character in enumerate(line) if character == " "]
    middle = min(spaces, key=lambda index: abs(2 * index + 1 - len(line)))
    lines[number : number + 1] = line[:middle], line[middle + 1 :]
    return "\n".join(lines)


def _width_of_names(table: Table) -> int:
    """Return the columns that the first column of a table asks for."""
    return min(_LONGEST_NAME, max(cell_len(row[0]) for row in [table.columns, *table.rows]))


def _width_of_figures(table: Table) -> int:
    """Return the columns that all but the first column of a table take, with the gaps before."""
    figures = zip(*(row[1:] for row in [table.columns, *table.rows]), strict=True)
    return sum(_GAP + max(map(_width, cells)) for cells in figures)


def _width(cell: str) -> int:
    return max(map(cell_len, cell.split("\n")))


def interval_bar(lift: Lift, low: float, high: float, size: int, ascii_only: bool = False) -> str:
    """Return an interval drawn on an axis from `low` to `high`: ├──●──┤. A mark shows zero.

    An end that is open, or beyond the axis, has no cap. '' if `size`, in columns, is too small for
    a bar, or the lift has no value.
    """
    if size < _SHORTEST_BAR or lift.value is None:
        return ""
    scale = (size - 1) / (high - low) if high > low else 0.0

    def column(value: float) -> int:
        return min(size - 1, max(0, round((value - low) * scale)))

    line, left, right, point, control = "-||o:" if ascii_only else "─├┤●┊"
    cells = [" "] * size
    cells[column(0.0)] = control
    start = 0 if lift.low is None else column(lift.low)
    end = size - 1 if lift.high is None else column(lift.high)
    cells[start : end + 1] = line * (end + 1 - start)
    if lift.low is not None and lift.low >= low:
        cells[start] = left
    if lift.high is not None and lift.high <= high:
        cells[end] = right
    cells[column(lift.value)] = point
    return "".join(cells)


def _indent(content: RenderableType) -> Padding:
    return Padding(content, (0, 0, 0, _INDENT), expand=False)
