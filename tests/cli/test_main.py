"""The group of the commands: version, help, exit codes and the report of an unexpected error."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

import gimel as package
from gimel.cli import main
from gimel.errors import GimelError
from tests.cli.conftest import Done
from tests.support.command import environment, gimel

COMMANDS = sorted(
    path.stem.rstrip("_").replace("_", "-")
    for path in Path(package.__file__).parent.glob("cli/*.py")
    if "\ndef command(" in path.read_text("utf-8")
)


def test_the_version_is_printed(tmp_path: Path) -> None:
    """As a process, `python -m gimel` is `gimel`."""
    done = gimel("--version", home=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"gimel {package.__version__}\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, run: Callable[..., Done]) -> None:
    """Its help begins with its usage."""
    done = run(command, "--help")
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: gimel {command} ")


def test_help_has_a_short_option(tmp_path: Path) -> None:
    """The group's setting holds for every command."""
    short, long = (gimel("snippet", option, home=tmp_path) for option in ("-h", "--help"))
    assert (short.returncode, short.stdout) == (0, long.stdout)


def test_a_command_loads_neither_boto3_nor_the_server_without_need(tmp_path: Path) -> None:
    """What a command needs is loaded when it runs, so that the others answer at once."""
    script = (
        "import sys\n"
        "from gimel.cli import main\n"
        "try: main(['snippet'])\n"
        "except SystemExit: pass\n"
        "print(sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    modules = done.stdout.splitlines()[-1]
    assert "'jinja2'" in modules
    assert not any(f"'{name}'" in modules for name in ("boto3", "uvicorn", "starlette", "redis"))


@pytest.mark.parametrize(
    "arguments",
    [["nope"], ["snippet", "--nope"], ["serve", "--port", "x"], ["serve", "--port", "70000"]],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(arguments: list[str], run: Callable[..., Done]) -> None:
    """And says what is wrong, with the usage and without a traceback."""
    done = run(*arguments)
    assert done.code == 2
    assert arguments[-1] in done.stderr
    assert done.stderr.startswith("Usage: gimel ")
    assert done.stdout == ""


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Make `gimel snippet` fail with an exception."""

    def failing(error: BaseException) -> None:
        def fail(*_: object, **__: object) -> None:
            raise error

        # The module: gimel.cli.snippet.snippet is the function of that name.
        module = importlib.import_module("gimel.cli.snippet")
        monkeypatch.setattr(module, "snippet", fail)

    return failing


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (GimelError("It failed.", "Try again."), 1, "Error: It failed.\nTry again.\n"),
        (GimelError("It failed."), 1, "Error: It failed.\n"),
        (click.Abort(), 130, "Interrupted.\n"),
        (KeyboardInterrupt(), 130, "\nInterrupted.\n"),
        (click.exceptions.Exit(1), 1, ""),
    ],
    ids=["hint", "no hint", "abort", "ctrl-c", "exit"],
)
def test_a_failure_is_a_message_and_an_exit_code(
    error: BaseException,
    code: int,
    message: str,
    run: Callable[..., Done],
    failing: Callable[[BaseException], None],
) -> None:
    """1 for what is expected, 130 for an interruption; the message goes to stderr."""
    failing(error)
    assert run("snippet") == Done(code, "", message)


def test_an_unexpected_error_is_reported_without_its_values(
    run: Callable[..., Done], failing: Callable[[BaseException], None]
) -> None:
    """The report names versions, system, command and place; the error's text may be a secret."""
    failing(ZeroDivisionError("hunter2"))
    done = run("snippet", "--namespace", "hunter3")
    assert done.code == 1
    for part in (
        "unexpected ZeroDivisionError in gimel.cli.snippet, line ",
        "https://github.com/Alephbet/gimel/issues",
        f"gimel snippet, version {package.__version__}",
        f"Python {sys.version.split()[0]} on {os.uname().sysname} {os.uname().release}",
        "`gimel --debug snippet`",
    ):
        assert part in done.stderr
    assert "hunter" not in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback(failing: Callable[[BaseException], None]) -> None:
    """The error reaches the interpreter, which prints it."""
    failing(ZeroDivisionError("boom"))
    with pytest.raises(ZeroDivisionError, match="boom"):
        main(["--debug", "snippet"])


def test_debug_is_an_option_and_not_a_word(
    run: Callable[..., Done],
    failing: Callable[[BaseException], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the value of another option it is a value."""
    failing(ZeroDivisionError("boom"))
    arguments = ["snippet", "--namespace", "--debug"]
    monkeypatch.setattr(sys, "argv", ["gimel", *arguments])
    done = run(*arguments)
    assert done.code == 1
    assert "Please report it" in done.stderr


def test_the_report_is_what_a_process_prints(tmp_path: Path) -> None:
    """With --debug its end is Python's own traceback."""
    (tmp_path / "sitecustomize.py").write_text(
        "import gimel.page.snippet\n"
        "def snippet(*_, **__): raise ZeroDivisionError('boom')\n"
        "gimel.page.snippet.snippet = snippet\n"
    )
    path = f"{tmp_path}{os.pathsep}{environment(tmp_path)['PYTHONPATH']}"
    plain = gimel("snippet", home=tmp_path, PYTHONPATH=path)
    debug = gimel("--debug", "snippet", home=tmp_path, PYTHONPATH=path)
    assert (plain.returncode, debug.returncode) == (1, 1)
    assert plain.stderr.startswith("Error: unexpected ZeroDivisionError")
    assert debug.stderr.endswith("ZeroDivisionError: boom\n")
