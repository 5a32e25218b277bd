"""Tables in a terminal: they fit into its columns, and no figure is cut off.

Knows widths, and nothing of what the tables are about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rich import table as rich_table
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from gimel.report.figures import fit, with_minus
from gimel.report.tables import Table

GAP = 2
"""The columns between two cells."""

_PLAIN = str.maketrans("\u201c\u201d\u2212", '""-')
_INDENT = 2
_SHORTEST_NAME, _LONGEST_NAME = 10, 40
_LEAST_EXCESS = 4  # of a header over its figures, below which breaking it gains too little


@dataclass(frozen=True)
class Screen:
    """What the output can show.

    Attributes:
        width: Its columns.
        ascii_only: Whether it shows ASCII characters only.
        is_terminal: False for a pipe or a file, which another program may search for "-5%".
    """

    width: int
    ascii_only: bool = False
    is_terminal: bool = True

    def figures(self, text: str) -> str:
        """Return figures with a real minus sign, where there is one."""
        if self.is_terminal and not self.ascii_only:
            return with_minus(text)
        return text.replace("\u00b1", "+/-")

    def text(self, text: str) -> str:
        """Return a sentence with the quotes and minus signs that can be shown, or searched for."""
        is_plain = self.ascii_only or not self.is_terminal
        return text.translate(_PLAIN) if is_plain else text

    def name(self, name: str, columns: int) -> str:
        """Return a name that fits."""
        return fit(name, columns, "..." if self.ascii_only else "\u2026")


def indent(content: RenderableType) -> Padding:
    """Return content that begins under a heading."""
    return Padding(content, (0, 0, 0, _INDENT), expand=False)


def lay_out(table: Table, screen: Screen, shortest: int = _SHORTEST_NAME) -> Padding:
    """Return a table that fits, indented.

    Headers are broken first, then names shortened, not below `shortest` columns. Columns that still
    do not fit follow below, in a table with the same names.
    """
    parts: list[RenderableType] = []
    for part in _split(table, screen.width, shortest):
        found = _lay_out(part, screen, shortest=shortest)
        parts += ["", found] if parts else [found]
    return indent(Group(*parts))


def room_for_bars(table: Table, screen: Screen, shortest: int, longest: int) -> int:
    """Return the columns that bars beside a table can have, up to `longest`.

    Headers are broken and names shortened for bars of the `shortest` size.
    """
    broken = _break_headers(table, screen.width - GAP - shortest)
    room = screen.width - _INDENT - _width_of_figures(broken) - GAP
    names = max(min(_SHORTEST_NAME, _width_of_names(broken)), room - shortest)
    return min(longest, room - min(names, _width_of_names(broken)))


def lay_out_with_bars(
    table: Table, screen: Screen, scale: str, bars: Sequence[str], shortest: int
) -> Padding:
    """Return a table with a bar in each row, below their scale. They must have room."""
    broken = _break_headers(table, screen.width - GAP - shortest)
    rows = tuple((*cells, bar) for cells, bar in zip(broken.rows, bars, strict=True))
    wide = Table(table.caption, (*broken.columns, scale), rows)
    return indent(_lay_out(wide, screen, has_bars=True))


def _lay_out(
    table: Table, screen: Screen, has_bars: bool = False, shortest: int = _SHORTEST_NAME
) -> rich_table.Table:
    names = screen.width - _INDENT - _width_of_figures(table)
    names = max(shortest, min(_LONGEST_NAME, names))
    first_header, *headers = table.columns
    result = rich_table.Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")
    result.add_column(Text(screen.name(first_header, names)), no_wrap=True, vertical="bottom")
    for number, header in enumerate(headers, 1):
        is_bar = has_bars and number == len(headers)
        justify: Literal["left", "right"] = "left" if is_bar else "right"
        text = Text(screen.figures(header) if is_bar else header)
        result.add_column(text, justify=justify, no_wrap=True, vertical="bottom")
    for name, *cells in table.rows:
        result.add_row(
            Text(screen.name(name, names)), *(Text(screen.figures(cell)) for cell in cells)
        )
    return result


def _split(table: Table, width: int, shortest: int) -> Iterator[Table]:
    """Yield a table in parts that fit, each with the column of names and with broken headers."""
    end = len(table.columns)
    while True:
        part = _break_headers(_columns(table, 1, end), width)
        names = min(shortest, _width_of_names(part))
        if end <= 2 or _INDENT + names + _width_of_figures(part) <= width:
            break
        end -= 1
    yield part
    if end < len(table.columns):
        yield from _split(_columns(table, end, len(table.columns)), width, shortest)


def _columns(table: Table, first: int, end: int) -> Table:
    """Return the names of a table with the columns from `first` to before `end`."""
    rows = tuple((row[0], *row[first:end]) for row in table.rows)
    return Table(table.caption, (table.columns[0], *table.columns[first:end]), rows)


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
    return sum(GAP + max(map(_width, cells)) for cells in figures)


def _width(cell: str) -> int:
    return max(map(cell_len, cell.split("\n")))
