"""`gimel configure`: a file from the template, an editor, a check."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gimel import config
from gimel.cli import terminal
from tests.cli.conftest import Done
from tests.support.command import environment, gimel

VALID = json.dumps({"redis": {"host": "redis.example.com"}})


def editor(tmp_path: Path, *contents: str) -> str:
    """Return an editor that saves these contents one after the other, and then nothing."""
    script = tmp_path / "editor.py"
    for number, content in enumerate(contents):
        (tmp_path / f"content-{number}").write_text(content)
    script.write_text(
        "import pathlib, sys\n"
        "waiting = sorted(pathlib.Path(__file__).parent.glob('content-*'))\n"
        "if waiting:\n"
        "    pathlib.Path(sys.argv[-1]).write_text(waiting[0].read_text())\n"
        "    waiting[0].unlink()\n"
    )
    return f"{sys.executable} {script}"


@pytest.fixture
def edit(
    run: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Done]:
    """Run `gimel configure` with an editor that saves these contents."""

    def edit(*contents: str) -> Done:
        monkeypatch.setenv("EDITOR", editor(tmp_path, *contents))
        return run("configure")

    return edit


def test_the_file_is_created_and_checked(edit: Callable[..., Done], tmp_path: Path) -> None:
    """From the template, for its owner only, in ~/.gimel."""
    done = edit(VALID)
    path = tmp_path / ".gimel" / "config.json"
    assert done == Done(0, "", f"Created {path}\n{path} is valid.\n")
    assert path.read_text() == VALID
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_existing_file_is_never_overwritten(edit: Callable[..., Done], tmp_path: Path) -> None:
    """It is opened as it is, where it was found."""
    path = tmp_path / "config.json"
    path.write_text(VALID)
    assert edit() == Done(0, "", "Editing config.json\nconfig.json is valid.\n")
    assert path.read_text() == VALID
    assert not (tmp_path / ".gimel").exists()


def test_visual_goes_before_editor(tmp_path: Path) -> None:
    """As in every program that has both."""
    done = gimel("configure", home=tmp_path, VISUAL=editor(tmp_path, VALID), EDITOR="false")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        ('{"redis": {\n"host": }}', "line 2, column 9: not valid JSON: Expecting value."),
        ('{"redis": {"hots": "h"}}', "unknown key 'redis.hots'. Did you mean 'host'?"),
        ("{}", "redis.host is not set."),
        (config.template(), "redis.host is not set."),
        (
            config.template().replace("ENTER YOUR REDIS HOST", "h"),
            "redis.password is not set.\nIf Redis needs no password, remove the line.",
        ),
        (
            '{"redis": {"host": "h"}, "aws": {"functions": {"gimel-trakc": {}}}}',
            "unknown function 'gimel-trakc'.\nDid you mean 'gimel-track'?",
        ),
        (
            '{"redis": {"host": "h", "ssl_ca_certs": "/no/ca.pem"}}',
            "redis.ssl_ca_certs: /no/ca.pem cannot be read: No such file or directory.",
        ),
    ],
    ids=["JSON", "key", "no host", "template", "no password", "function", "CA file"],
)
def test_a_mistake_is_shown_without_the_command_that_just_ran(
    saved: str, message: str, edit: Callable[..., Done], tmp_path: Path
) -> None:
    """Without a terminal it asks nothing, keeps what was saved and exits with 1."""
    done = edit(saved)
    assert done.code == 1
    assert done.stderr.endswith(f" {message}\n")
    assert "gimel configure" not in done.stderr
    assert (tmp_path / ".gimel" / "config.json").read_text() == saved


@pytest.fixture
def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Have these answers given at a terminal. Return what is asked, once it has been."""

    def on_a_terminal(*answers: str) -> list[str]:
        asked: list[str] = []
        given = iter(answers)

        def prompt(text: str, *, hide_input: bool = False, **_: object) -> str:
            asked.append(f"{text}{' (hidden)' if hide_input else ''}")
            return next(given)

        monkeypatch.setattr(terminal, "can_ask", lambda: True)
        monkeypatch.setattr(terminal, "asks_on_stderr", lambda: True)
        monkeypatch.setattr("click.prompt", prompt)
        return asked

    return on_a_terminal


URL = "rediss://default:secret@redis.example.com:6380"


@pytest.mark.parametrize(
    ("answers", "section"),
    [
        (("1", URL), {"url": URL}),
        (("2",), {"provision": "valkey-serverless"}),
        (("3", URL), {"url": URL}),
    ],
    ids=["own", "ElastiCache", "hosted"],
)
def test_a_new_file_may_need_no_editor(
    run: Callable[..., Done],
    on_a_terminal: Callable[..., list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answers: tuple[str, ...],
    section: dict[str, str],
) -> None:
    """On a terminal, the answer is written, for its owner only; the prices are shown."""
    monkeypatch.setenv("EDITOR", "false")
    on_a_terminal(*answers)

    done = run("configure")

    path = tmp_path / ".gimel" / "config.json"
    assert done.code == 0
    created = f"Created {path}\n{path} is valid. Continue with `gimel preflight`.\n"
    assert done.stderr.endswith(created)
    assert "about $6.13 a month" in done.stderr
    asked = done.stderr.partition(f"Created {path}")[0]
    assert max(map(len, asked.splitlines())) <= 80
    assert json.loads(path.read_text()) == {"redis": section}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_url_is_hidden_and_checked(
    run: Callable[..., Done], on_a_terminal: Callable[..., list[str]]
) -> None:
    """A wrong one is asked for again, and never shown."""
    local = "redis://:secret@localhost:6379"
    asked = on_a_terminal("1", "https://secret@redis.example.com", "unix:///secret", local, URL)

    done = run("configure")

    assert done.code == 0
    assert [each.endswith("(hidden)") for each in asked] == [False, True, True, True, True]
    assert "secret" not in done.stderr
    assert "AWS Lambda cannot reach a Unix socket." in done.stderr
    assert "AWS Lambda cannot reach localhost, which is this machine." in done.stderr


def test_on_a_terminal_it_asks_again_until_the_file_is_valid(
    edit: Callable[..., Done],
    on_a_terminal: Callable[..., list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each mistake is shown before the question, without the command that just ran."""
    on_a_terminal("4")
    monkeypatch.setattr("click.confirm", lambda *_, **__: True)
    done = edit("{}", '{"redis": {"hots": "h"}}', VALID)
    path = tmp_path / ".gimel" / "config.json"
    assert (done.code, done.stdout) == (0, "")
    assert done.stderr.endswith(
        f"Created {path}\n"
        f"{path}: redis.host is not set.\n"
        f"{path}: unknown key 'redis.hots'. Did you mean 'host'?\n"
        f"{path} is valid.\n"
    )


def test_a_mistake_may_be_left_for_later(
    edit: Callable[..., Done],
    on_a_terminal: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The file stays as it was saved, and the error says how to fix it later."""
    on_a_terminal("4")
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    done = edit("{}")
    assert done.code == 1
    assert done.stderr.endswith("still has this mistake.\nRun `gimel configure` again to fix it.\n")


def test_a_terminal_is_recognised(tmp_path: Path) -> None:
    """In a real one the question is asked, and the answer taken."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "gimel", "configure"],
        cwd=tmp_path,
        env=environment(
            tmp_path, EDITOR=editor(tmp_path, '{"redis": {"hots": 1}}', VALID), TERM="dumb"
        ),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while b"Number" not in shown:
        shown += os.read(ours, 1024)
    os.write(ours, b"4\n")
    while b"Edit it again?" not in shown:
        shown += os.read(ours, 1024)
    os.write(ours, b"y\n")
    while b"is valid" not in shown:
        shown += os.read(ours, 1024)
    assert process.wait(30) == 0
    os.close(ours)
    assert b"unknown key 'redis.hots'" in shown
    assert (tmp_path / ".gimel" / "config.json").read_text() == VALID


def test_an_editor_that_cannot_run_is_named(
    run: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do about it."""
    monkeypatch.setenv("EDITOR", "no-such-editor")
    done = run("configure")
    assert done.code == 1
    assert "no-such-editor could not edit" in done.stderr
    assert "Set $EDITOR" in done.stderr


def test_a_place_that_cannot_be_written_is_named(run: Callable[..., Done]) -> None:
    """With another place for the file."""
    done = run("--config", "/dev/null/config.json", "configure")
    assert done.code == 1
    assert done.stderr == (
        "Error: /dev/null/config.json cannot be created: Not a directory.\n"
        "Name another file with --config.\n"
    )
