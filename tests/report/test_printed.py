"""What `gimel results` prints, as it is read: compared with the files in printed/.

After an intended change, write them again and read the difference:

    python -m tests.report.test_printed
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from gimel.analysis.design import Design
from gimel.analysis.experiment import Experiment, analyse, analyse_all
from gimel.api import answers
from gimel.report import listing, terminal
from gimel.report.layout import Screen
from gimel.report.summary import in_order
from tests.support.answers import answer
from tests.support.many import DESIGNS, many
from tests.support.printed import NOW
from tests.support.year import year

_FILES = Path(__file__).parent / "printed"

_PRINTED = {
    f"{view}-{number}-{width}.txt": (view, number, width)
    for view, number in (
        *(("list", number) for number in (1, 5, 100)),
        *(("all", number) for number in (1, 5)),
        ("details", 1),
        ("history", 1),
    )
    for width in (60, 80, 120)
}


def _parts(
    view: str, experiments: tuple[Experiment, ...], screen: Screen
) -> Iterator[RenderableType]:
    if view == "list":
        return listing.overview(experiments, {"bot": 12}, screen)
    return terminal.report(
        in_order(experiments),
        {"bot": 12},
        experiments[0].now,
        screen,
        details=view == "details",
        history=view == "history",
    )


def _experiments(view: str, number: int) -> tuple[Experiment, ...]:
    if view == "history":
        counts, now = year(18, lifts={"new": 0.35}, goals=("buy", "look"), missing=(9,))
        return (analyse(counts, Design(goal="buy"), now=now),)
    return analyse_all(answers.parse(answer(*many(number))), DESIGNS, now=NOW)


def _printed(name: str) -> str:
    view, number, width = _PRINTED[name]
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False, emoji=False, markup=False)
    for part in _parts(view, _experiments(view, number), Screen(width)):
        console.print(part, crop=False)
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


@pytest.mark.parametrize("name", _PRINTED)
def test_what_is_printed_is_as_it_was_read(name: str) -> None:
    """Line by line; the module's first lines say how to accept a change."""
    assert _printed(name) == (_FILES / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", _PRINTED)
def test_what_is_printed_fits(name: str) -> None:
    """No line is wider than the terminal, and no unit is alone at the start of a line."""
    lines = (_FILES / name).read_text(encoding="utf-8").splitlines()

    assert max(map(cell_len, lines)) <= _PRINTED[name][2]
    assert not [line for line in lines if line.lstrip().startswith("%")]


def test_every_file_is_compared() -> None:
    """None is left of a view that no longer exists."""
    assert {path.name for path in _FILES.iterdir()} == {*_PRINTED}


if __name__ == "__main__":
    for each in _PRINTED:
        (_FILES / each).write_text(_printed(each), encoding="utf-8")
