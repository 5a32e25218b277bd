"""Questions, findings and plans: where they are printed, and how on 80 columns."""

from __future__ import annotations

import io
import sys

import click
import pytest
from rich.cells import cell_len
from rich.console import Console

from gimel.cli import terminal
from gimel.deploy.checks.findings import Finding, failed, ok
from gimel.deploy.resources.base import Run, Step
from gimel.errors import GimelError

URL = "https://abcdefghij.execute-api.eu-west-1.amazonaws.com/prod/experiments?namespace=alephbet"
LONG = failed(
    "Redis permissions",
    "missing: " + ", ".join(f"COMMAND{number} on alephbet:*" for number in range(24)),
    f"Permit it with ACL SETUSER, and then try {URL} again, which shows whether it helped.",
)


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard streams that are terminals."""
    for name in ("stdin", "stdout", "stderr"):
        set_terminal(monkeypatch, name, True)


def set_terminal(monkeypatch: pytest.MonkeyPatch, name: str, is_terminal: bool) -> None:
    monkeypatch.setattr(getattr(sys, name), "isatty", lambda: is_terminal, raising=False)


@pytest.mark.parametrize(
    ("files", "asks", "on_stderr"),
    [
        ((), True, True),
        (("stderr",), True, False),
        (("stdout",), False, True),
        (("stdin",), False, True),
        (("stdout", "stderr"), False, True),
        (("stdin", "stdout", "stderr"), False, True),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else str(value),
)
@pytest.mark.usefixtures("streams")
def test_a_question_is_asked_where_it_is_seen(
    monkeypatch: pytest.MonkeyPatch, files: tuple[str, ...], asks: bool, on_stderr: bool
) -> None:
    """`gimel deploy 2>log` asks on stdout; a pipe or a file is never asked."""
    for name in files:
        set_terminal(monkeypatch, name, False)
    asked: list[bool] = []

    def confirm(question: str, err: bool) -> bool:
        asked.append(err)
        return True

    monkeypatch.setattr(click, "confirm", confirm)

    assert terminal.can_ask() == asks
    assert terminal.dialog().stderr == on_stderr
    if asks:
        terminal.confirm("Apply this plan?", yes=False)
        assert asked == [on_stderr]
    else:
        with pytest.raises(GimelError, match=r"Pass --yes"):
            terminal.confirm("Apply this plan?", yes=False)
        assert asked == []
    terminal.confirm("Apply this plan?", yes=True)


def shown(width: int | None, *findings: Finding) -> list[str]:
    """Return the lines on a terminal of this width, or in a log."""
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=width is not None,
        color_system=None,
        soft_wrap=True,
        highlight=False,
    )
    terminal.show_findings(findings, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_a_log_gets_one_line_per_finding_and_hint() -> None:
    """So that they can be searched."""
    assert shown(None, ok("AWS", "fine"), LONG) == [
        "ok       AWS: fine",
        f"failed   {LONG.name}: {LONG.message}",
        f"         {LONG.hint}",
    ]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_terminal_gets_wrapped_lines(width: int) -> None:
    """Indented below the name; nothing is lost, and a URL stays whole."""
    first, *more = shown(width, LONG)
    assert first.startswith("failed   Redis permissions: missing:")
    assert all(line.startswith(" " * 9) for line in more)
    assert max(cell_len(line) for line in [first, *more] if URL not in line) <= width
    assert " ".join(line.strip() for line in [first.removeprefix("failed"), *more]) == (
        f"{LONG.name}: {LONG.message} {LONG.hint}"
    )


def test_lines_of_a_message_stay_lines() -> None:
    """Several mistakes in the configuration have a line each."""
    given = failed("configuration", "config.json:\n  one mistake.\n  another one.")
    assert shown(80, given) == [
        "failed   configuration: config.json:",
        "         one mistake.",
        "         another one.",
    ]


def test_brackets_are_shown_as_they_are() -> None:
    """In short and in wrapped lines."""
    given = ok("a [b]", "[red]c[/red] " * 10)
    for width in (40, 300, None):
        text = " ".join(line.strip() for line in shown(width, given))
        assert text == f"ok       a [b]: {given.message}".rstrip()


class Long(Step):
    """A step with a long sentence."""

    def __str__(self) -> str:
        return "Configure the function gimel-track: " + ", ".join(["memory 128 -> 256 MB"] * 5)

    def perform(self, run: Run) -> None: ...


def test_the_plan_is_wrapped_below_its_numbers() -> None:
    """A terminal would break it in the middle of a word."""
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    terminal.show_steps([Long()], console)
    assert isinstance(console.file, io.StringIO)
    first, *more = console.file.getvalue().splitlines()
    assert first.startswith("  1. Configure the function gimel-track: ")
    assert more
    assert all(line.startswith("     ") for line in more)


def test_the_plan_is_where_the_question_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`gimel deploy 2>log` must not ask about a plan that only the log holds."""
    set_terminal(monkeypatch, "stdin", True)
    set_terminal(monkeypatch, "stdout", True)
    terminal.show_steps([Long()], terminal.stderr())
    printed = capsys.readouterr()
    assert "Configure the function" in printed.out
    assert printed.err == ""
