"""Containers without a home, folders that are gone, arguments that are not text."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Done
from tests.support.command import REPOSITORY, environment

SET_HOME = "Set $HOME, or "


@pytest.fixture
def contained(tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run a command without any variable but PATH, as a user whom the system does not know.

    Only root may become another user, who then could not read this Python; so the system's answer
    about the user is replaced instead.
    """
    (tmp_path / "sitecustomize.py").write_text(
        "import pwd\ndef getpwuid(uid): raise KeyError(uid)\npwd.getpwuid = getpwuid\n"
    )
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{tmp_path}:{REPOSITORY}"}

    def contained(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gimel", *command.split()],
            cwd=tmp_path,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return contained


@pytest.mark.parametrize(
    ("command", "code", "shown"),
    [
        ("sample-size --rate 0.05 --lift 0.1", 0, "To detect a lift of +10%"),
        ("snippet", 0, "gimelClient.experiment({"),
        ("preflight", 1, "ok       runtime: python3.13"),
        ("--config ~/config.json preflight", 1, SET_HOME),
        ("results --local", 1, SET_HOME),
        ("serve --port 0", 1, SET_HOME),
        ("configure", 1, SET_HOME),
        ("iam-policy --account 123456789012 --region eu-west-1", 1, "redis.host is not set"),
    ],
    ids=lambda value: value.partition(" --r")[0] if isinstance(value, str) else "",
)
def test_without_a_home_a_command_works_or_says_what_it_needs(
    command: str,
    code: int,
    shown: str,
    contained: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    """As in a container that runs under any number of a user."""
    done = contained(command)
    assert shown in done.stdout + done.stderr
    assert done.returncode == code
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["results", b"\xff"], ["snippet", "--namespace", b"a\xff"], [b"\xff"], ["delete", b"\xff"]],
    ids=str,
)
def test_an_argument_that_is_not_text_is_wrong_usage(
    arguments: list[str | bytes], run: Callable[..., Done]
) -> None:
    """Such a name can be neither sent nor printed. Python reads the byte as a lone surrogate."""
    done = run(*map(os.fsdecode, arguments))
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.endswith(r"\xff' is not valid UTF-8." + "\n")


def test_a_file_name_need_not_be_text(tmp_path: Path) -> None:
    """The system accepts any bytes as the name of the configuration."""
    name = os.fsdecode(b"\xff.json")
    command = [sys.executable, "-m", "gimel", "--config", name, "sample-size"]
    Path(tmp_path, name).write_text('{"precision": 3}')
    done = subprocess.run(
        [*command, "--rate", "0.1", "--lift", "0.1"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert b"precision must be 1, 4" in done.stderr


@pytest.mark.parametrize(
    ("command", "code", "shown"),
    [
        ("sample-size --rate 0.05 --lift 0.1", 0, "To detect a lift"),
        ("--config config.json preflight", 1, "The file config.json given by --config does not"),
        ("--config config.json configure", 1, "config.json cannot be created: No such file"),
        ("dashboard --demo --output page.html", 1, "page.html cannot be written: No such file"),
        (
            "serve --port 0 --data-dir data",
            1,
            "The current directory no longer exists.\nChange to another one.\n",
        ),
    ],
    ids=lambda value: value if str(value).startswith(("s", "--", "d")) else "",
)
def test_a_folder_that_is_gone_is_named_or_not_needed(
    command: str, code: int, shown: str, tmp_path: Path
) -> None:
    """Another terminal may have removed the current directory."""
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["/bin/sh", "-c", f'rmdir ../gone && exec "{sys.executable}" -m gimel {command}'],
        cwd=gone,
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert shown in done.stdout + done.stderr
    assert done.returncode == code
    assert "Traceback" not in done.stderr
