"""Progress of what takes more than a second: a bar on a terminal, lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

_SECONDS_BETWEEN_LINES = 5


class Steps(Protocol):
    """Shows what is being done."""

    def begin(self, number: int, text: str) -> None:
        """Show the step that begins, with its number from 1."""

    def wait(self, reason: str) -> None:
        """Show what the current step waits for."""


@contextmanager
def progress(total: int, console: Console) -> Iterator[Steps]:
    """Show the progress of a number of steps: a bar on a terminal, lines elsewhere."""
    if not console.is_terminal or not total:
        yield _Lines(total, console)
        return
    with _Bar(total, console) as bar:
        yield bar


class _Lines:
    """A line per step, for a log."""

    def __init__(self, total: int, console: Console) -> None:
        self._total = total
        self._console = console
        self._reason = ""

    def begin(self, number: int, text: str) -> None:
        self._reason = ""
        self._console.print(f"[{number}/{self._total}] {text}", markup=False)

    def wait(self, reason: str) -> None:
        if reason != self._reason:  # a log need not repeat it
            self._reason = reason
            self._console.print(f"  waiting: {reason}", markup=False)


class _Bar(Progress):
    """The count, a bar and the time, then as much of the step's text as the line holds.

    A second line says what the step waits for.
    """

    def __init__(self, total: int, console: Console) -> None:
        self._reason = ""
        rest_of_line = Column(ratio=1, no_wrap=True, overflow="ellipsis")
        super().__init__(
            MofNCompleteColumn(),
            BarColumn(12),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False, table_column=rest_of_line),
            console=console,
            expand=True,
            transient=True,
        )
        self._task = self.add_task("", total=total)

    def begin(self, number: int, text: str) -> None:
        self._reason = ""
        self.update(self._task, description=text, completed=number - 1, refresh=True)

    def wait(self, reason: str) -> None:
        self._reason = reason
        self.refresh()

    def get_renderables(self) -> Iterator[RenderableType]:
        yield from super().get_renderables()
        if self._reason:
            yield Text(f"waiting: {self._reason}", no_wrap=True, overflow="ellipsis")


@contextmanager
def working(text: str, console: Console) -> Iterator[Callable[[str], None]]:
    """Show that something takes a while, on a terminal, and what it waits for.

    Yields what to call with the reason of a wait.
    """
    if not console.is_terminal:
        yield _Lines(0, console).wait
        return
    with console.status(escape(text)) as status:
        yield lambda reason: status.update(escape(f"{text}; waiting: {reason}"))


@contextmanager
def counting(total: int, what: str, console: Console) -> Iterator[Callable[[int], None]]:
    """Show how many of a known number are done: a bar on a terminal, now and then a line elsewhere.

    Yields what to call with the number.
    """
    if not console.is_terminal:
        yield _CountLines(total, what, console).update
        return
    columns = (MofNCompleteColumn(), BarColumn(12), TimeElapsedColumn(), TextColumn(escape(what)))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)


class _CountLines:
    """A line every few seconds, for a log."""

    def __init__(self, total: int, what: str, console: Console) -> None:
        self._total = total
        self._what = what
        self._console = console
        self._next = time.monotonic() + _SECONDS_BETWEEN_LINES

    def update(self, done: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _SECONDS_BETWEEN_LINES
            self._console.print(f"{done:,} of {self._total:,} {self._what}", markup=False)
