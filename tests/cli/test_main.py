"""The command line, as a user types it."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import gimel as package
from tests.support.command import environment, gimel


def editor(tmp_path: Path, *contents: str) -> str:
    """An editor that saves these contents, one at a time; with none left, it saves nothing."""
    script = tmp_path / "editor.py"
    for number, content in enumerate(contents):
        (tmp_path / f"content-{number}").write_text(content)
    script.write_text(
        "import pathlib, sys\n"
        "waiting = sorted(pathlib.Path(__file__).parent.glob('content-*'))\n"
        "if waiting: pathlib.Path(sys.argv[-1]).write_text(waiting[0].read_text()); waiting[0].unlink()\n"
    )
    return f"{sys.executable} {script}"


VALID = json.dumps({"redis": {"host": "redis.example.com"}})


def test_the_version_is_told(tmp_path: Path) -> None:
    """`gimel --version` and `python -m gimel --version` are the same."""
    done = gimel("--version", home=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"gimel {package.__version__}\n")


def test_help_names_every_command(tmp_path: Path) -> None:
    """`gimel --help` lists the commands, each with what it does."""
    done = gimel("--help", home=tmp_path)
    assert done.returncode == 0
    for command in ("configure", "results", "sample-size", "serve", "simulate", "snippet"):
        assert f"\n  {command}  " in done.stdout
        assert gimel(command, "--help", home=tmp_path).returncode == 0


def test_help_loads_neither_boto3_nor_the_server(tmp_path: Path) -> None:
    """What a command needs is loaded when it runs, so that the others answer at once."""
    script = "import sys\nfrom gimel.cli import main\ntry: main(['snippet'])\nexcept SystemExit: pass\nprint(sorted(sys.modules))"
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
)
def test_wrong_usage_exits_with_2(arguments: list[str], tmp_path: Path) -> None:
    """And says what is wrong, without a trace."""
    done = gimel(*arguments, home=tmp_path)
    assert done.returncode == 2
    assert arguments[-1] in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unexpected_error_says_where_to_report_it(tmp_path: Path) -> None:
    """Its trace is shown only with --debug."""
    broken = tmp_path / "sitecustomize.py"
    broken.write_text(
        "import gimel.page.snippet\ndef snippet(*_): raise ZeroDivisionError('boom')\ngimel.page.snippet.snippet = snippet\n"
    )
    path = f"{tmp_path}{os.pathsep}{environment(tmp_path)['PYTHONPATH']}"
    plain = gimel("snippet", home=tmp_path, PYTHONPATH=path)
    assert plain.returncode == 1
    assert "ZeroDivisionError: boom" in plain.stderr
    assert "report" in plain.stderr
    assert "Traceback" not in plain.stderr
    assert "Traceback" in gimel("--debug", "snippet", home=tmp_path, PYTHONPATH=path).stderr


def test_the_snippet_is_ready_to_paste(tmp_path: Path) -> None:
    """It pins AlephBet, and holds the track URL and the namespace."""
    done = gimel(
        "snippet",
        "--namespace",
        "shop",
        "--url",
        "https://abc.example.com/prod/track",
        home=tmp_path,
    )
    assert done.returncode == 0
    assert "alephbet@0.27.0/dist/alephbet.min.js" in done.stdout
    assert 'new AlephBet.GimelAdapter("https://abc.example.com/prod/track", "shop", ' in done.stdout


def test_the_snippet_lets_nothing_break_out(tmp_path: Path) -> None:
    """A name with markup stays a JavaScript string."""
    done = gimel("snippet", "--namespace", '</script><b>"', home=tmp_path)
    assert done.stdout.count("</script>") == 2
    assert "<b>" not in done.stdout


def test_the_snippet_wants_a_whole_url(tmp_path: Path) -> None:
    """A URL without scheme and host would be taken as relative by the page."""
    done = gimel("snippet", "--url", "example.com/track", home=tmp_path)
    assert done.returncode == 1
    assert "Error: 'example.com/track' is not the URL" in done.stderr


def test_configure_creates_the_file_and_checks_what_was_saved(tmp_path: Path) -> None:
    """From the template, for its owner only, in ~/.gimel."""
    done = gimel("configure", home=tmp_path, EDITOR=editor(tmp_path, VALID))
    path = tmp_path / ".gimel" / "config.json"
    assert done.returncode == 0, done.stderr
    assert "is valid" in done.stderr
    assert path.read_text() == VALID
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_configure_never_overwrites(tmp_path: Path) -> None:
    """An existing file is opened as it is, wherever it was found."""
    path = tmp_path / "config.json"
    path.write_text(VALID)
    done = gimel("configure", home=tmp_path, EDITOR=editor(tmp_path))
    assert done.returncode == 0, done.stderr
    assert path.read_text() == VALID
    assert not (tmp_path / ".gimel").exists()


def test_visual_goes_before_editor(tmp_path: Path) -> None:
    """As everywhere."""
    done = gimel("configure", home=tmp_path, VISUAL=editor(tmp_path, VALID), EDITOR="false")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        ('{"redis": {\n"host": }}', "line 2, column 9: not JSON"),
        ('{"redis": {"hots": "h"}}', "there is no key 'redis.hots'"),
    ],
)
def test_configure_without_a_terminal_says_what_is_wrong(
    saved: str, message: str, tmp_path: Path
) -> None:
    """It asks nothing, keeps what was saved and exits with 1."""
    done = gimel("configure", home=tmp_path, EDITOR=editor(tmp_path, saved))
    assert done.returncode == 1
    assert message in done.stderr
    assert (tmp_path / ".gimel" / "config.json").read_text() == saved


def test_an_editor_that_cannot_run_is_named(tmp_path: Path) -> None:
    """With what to do about it."""
    done = gimel("configure", home=tmp_path, EDITOR="no-such-editor")
    assert done.returncode == 1
    assert "no-such-editor could not edit" in done.stderr
    assert "Set $EDITOR" in done.stderr


def test_configure_offers_to_edit_again(tmp_path: Path) -> None:
    """On a terminal the mistake is told and the editor opens once more."""
    command = [sys.executable, "-m", "gimel", "configure"]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
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
    while b"Edit it again?" not in shown:
        shown += os.read(ours, 1024)
    os.write(ours, b"y\n")
    while b"is valid" not in shown:
        shown += os.read(ours, 1024)
    assert process.wait(30) == 0
    os.close(ours)
    assert b"there is no key 'redis.hots'" in shown
    assert (tmp_path / ".gimel" / "config.json").read_text() == VALID
