"""Gimel's command line within the process of the test: takes milliseconds, not a second.

A test that needs a terminal, signals or a user's whole environment runs `tests.support.command`.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from gimel.cli import main


@dataclass(frozen=True)
class Done:
    """What a command returned and wrote."""

    exit_code: int
    stdout: str
    stderr: str


def invoke(*arguments: str, home: Path, **variables: str) -> Done:
    """Run a command as a user with this HOME, in an empty folder, who has set these variables."""
    out, errors = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    code = 0
    with (
        _environment(home, variables),
        _empty_folder(home),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        try:
            main.main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
    return Done(code, *(_text(stream) for stream in (out, errors)))


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


@contextlib.contextmanager
def _environment(home: Path, variables: dict[str, str]) -> Iterator[None]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("GIMEL_", "AWS_"))
    }
    own = {"HOME": str(home), "COLUMNS": "80", **variables}
    with mock.patch.dict(os.environ, {**kept, **own}, clear=True):
        yield


@contextlib.contextmanager
def _empty_folder(parent: Path) -> Iterator[None]:
    before = Path.cwd()
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)
