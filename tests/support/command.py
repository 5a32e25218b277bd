"""Gimel's command line as a user types it, with an empty HOME."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

REPOSITORY = Path(__file__).parents[2]


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a user with this HOME who has set these variables."""
    inherited = {
        name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ
    }
    return {**inherited, "HOME": str(home), "PYTHONPATH": str(REPOSITORY), **variables}


def gimel(
    *arguments: str, home: Path, stdin: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in a process."""
    return subprocess.run(
        [sys.executable, "-m", "gimel", *arguments],
        cwd=home,
        env=environment(home, **variables),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )


def gimel_here(*arguments: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in this process, which saves the second that Python needs to start.

    For what does not depend on being a process: options, output, exit codes.
    """
    from gimel.cli import main

    stdout, stderr = io.StringIO(), io.StringIO()
    code: object = 0
    with (
        _as_before(home),
        mock.patch.dict(os.environ, environment(home, **variables), clear=True),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        try:
            main(list(arguments), prog_name="gimel")
        except SystemExit as end:
            code = end.code or 0
    assert isinstance(code, int), code
    return subprocess.CompletedProcess(arguments, code, stdout.getvalue(), stderr.getvalue())


@contextlib.contextmanager
def _as_before(home: Path) -> Iterator[None]:
    """Stay in a folder, and undo what a command changes of the process."""
    folder = Path.cwd()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    os.chdir(home)
    try:
        yield
    finally:
        os.chdir(folder)
        for number, handler in handlers.items():
            signal.signal(number, handler)
