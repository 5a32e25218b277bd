"""What `gimel results` prints of made-up experiments, without colour and at 80 columns."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from gimel.analysis.design import Design
from gimel.analysis.experiment import analyse_all, select_goal
from gimel.api import answers
from gimel.report import terminal
from gimel.report.layout import Screen
from tests.support.answers import answer

NOW = 1_700_000_000 + 21 * 86400.0


def printed(
    *items: dict[str, Any],
    width: int = 80,
    ascii_only: bool = False,
    ignored: Mapping[str, int] | None = None,
    colour: bool = False,
    precision: int | None = None,
    details: bool = False,
    design: Design | None = None,
    goal: str | None = None,
) -> str:
    """Print experiments to a file, as to a pipe."""
    counts = answers.parse(answer(*items, **(ignored or {})))
    file = io.StringIO()
    # A console that would take [red] for markup and :smile: for an emoji.
    console = Console(
        file=file, width=width, color_system="standard" if colour else None, force_terminal=colour
    )
    designs = {each.name: design for each in counts.experiments if design}
    experiments = analyse_all(counts, designs, now=NOW)
    if goal is not None:
        experiments = select_goal(experiments, goal)
    screen = Screen(width, ascii_only)
    for part in terminal.report(experiments, counts.ignored, NOW, screen, precision, details):
        console.print(part)
    return file.getvalue()


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]
