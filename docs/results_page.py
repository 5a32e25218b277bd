"""What README.md and results.md show of `gimel results`. Cog writes it.

They show experiments of `gimel dashboard --demo`. Nothing in the package imports this module.
"""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from gimel.analysis.experiment import analyse_all
from gimel.report import listing
from gimel.report.layout import Screen
from gimel.runtime.fields import DEFAULT_NAMESPACE
from gimel.serve.demo import DESIGNS, Demo

_NOW = 1_790_000_000
_WIDTH = 96
_SHOWN = ("headline", "quick checkout", "button colour", "footer links", "product photos")


def results_list() -> str:
    """Return a block with the list of some experiments, without what explains it."""
    everything = Demo(_NOW).experiments(DEFAULT_NAMESPACE)
    some = tuple(each for each in everything.experiments if each.name in _SHOWN)
    experiments = analyse_all(replace(everything, experiments=some), DESIGNS, now=_NOW)
    file = io.StringIO()
    console = Console(file=file, width=_WIDTH, highlight=False, emoji=False, markup=False)
    for part in listing.overview(experiments, {}, Screen(_WIDTH)):
        console.print(part, crop=False)
    table = file.getvalue().split("\n\n")[0]
    lines = "".join(f"{line.rstrip()}\n" for line in table.splitlines())
    return f"```console\n$ gimel results\n{lines}```\n"
