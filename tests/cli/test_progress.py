"""What the progress of a deploy looks like, frame by frame."""

from __future__ import annotations

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from gimel.cli.progress import counting, progress, working

STEPS = [
    "Create the role gimel, which the functions run as",
    "Create the function gimel-all-experiments: python3.13, arm64, 256 MB, 29 s",
    "Allow the API to call the function gimel-delete-experiment by its alias [live], in any stage",
]
ROLE = "The role defined for the function cannot be assumed by Lambda. Its policy is too new."


def terminal(width: int = 80) -> Console:
    """Return a console like that of a command, on a terminal of this width."""
    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=True,
        color_system=None,
        soft_wrap=True,
        highlight=False,
    )


def frames(console: Console) -> list[str]:
    """Return the lines that were drawn, one after the other."""
    assert isinstance(console.file, io.StringIO)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())
    return [line.rstrip() for line in re.split(r"[\r\n]+", text) if line.strip()]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_every_frame_shows_the_count(width: int) -> None:
    """First on its line, which the text never makes longer than the terminal."""
    console = terminal(width)
    with progress(len(STEPS), console) as bar:
        for number, step in enumerate(STEPS, 1):
            bar.begin(number, step)

    drawn = frames(console)
    assert len(drawn) >= len(STEPS)
    assert all(re.match(r"[0-3]/3 ", line) for line in drawn), drawn
    assert max(map(cell_len, drawn)) <= width


def test_the_text_is_as_long_as_the_line_allows() -> None:
    """At 80 columns, half of a line at least."""
    console = terminal()
    with progress(len(STEPS), console) as bar:
        bar.begin(2, STEPS[1])
    assert any(
        "0:00:00 Create the function gimel-all-experiments: python" in x for x in frames(console)
    )


def test_what_is_waited_for_has_its_own_line() -> None:
    """Below the step, until the next one begins."""
    console = terminal()
    with progress(2, console) as bar:
        bar.begin(1, STEPS[0])
        bar.wait(ROLE)
        waiting = frames(console)[-2:]
        bar.begin(2, STEPS[1])
        after = frames(console)[-1]
    assert waiting[0].startswith("0/2 ")
    assert waiting[1].startswith(
        "waiting: The role defined for the function cannot be assumed by L"
    )
    assert cell_len(waiting[1]) <= 80
    assert after.startswith("1/2 ")


def test_a_log_gets_a_line_per_step_and_reason() -> None:
    """Complete, and without a reason that is repeated while a step waits."""
    console = Console(file=io.StringIO(), soft_wrap=True, highlight=False)
    with progress(2, console) as lines:
        lines.begin(1, STEPS[2])
        lines.wait(ROLE)
        lines.wait(ROLE)
        lines.begin(2, STEPS[0])
        lines.wait(ROLE)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines() == [
        f"[1/2] {STEPS[2]}",
        f"  waiting: {ROLE}",
        f"[2/2] {STEPS[0]}",
        f"  waiting: {ROLE}",
    ]


def test_nothing_to_do_draws_nothing() -> None:
    """Not even a bar of 0/0."""
    console = terminal()
    with progress(0, console):
        pass
    assert frames(console) == []


def test_what_takes_a_while_is_named_on_a_terminal_alone() -> None:
    """A log gets the result only."""
    console, log = terminal(), Console(file=io.StringIO())
    for each in (console, log):
        with working("Checking AWS [and Redis]", each):
            pass
    assert any("Checking AWS [and Redis]" in line for line in frames(console))
    assert frames(log) == []


def test_a_number_that_is_known_is_counted_on_a_terminal() -> None:
    """With a bar, which disappears at the end."""
    console = terminal()
    with counting(1000, "experiments imported", console) as update:
        update(250)
    assert "experiments imported" in frames(console)[-1]
    assert "/1000" in frames(console)[-1]


def test_a_log_gets_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one per experiment."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    console = Console(file=io.StringIO(), soft_wrap=True)
    with counting(1000, "experiments imported", console) as update:
        for done in range(0, 1000, 100):
            now[0] += 2
            update(done)
    assert frames(console) == [
        "200 of 1,000 experiments imported",
        "500 of 1,000 experiments imported",
        "800 of 1,000 experiments imported",
    ]
