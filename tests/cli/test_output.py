"""Output that cannot be written, streams that are closed, and terminals that show ASCII only."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from tests.cli.conftest import Done
from tests.cli.test_main import COMMANDS
from tests.support.answers import answer, two
from tests.support.command import environment
from tests.support.stubs import answering

FULL = "Error: The output could not be written: No space left on device.\n"
CLOSED = "Error: The output could not be written: standard output is closed.\n"

RESULTS, DELETED, COUNTED = (
    answer(two()),
    {"status": "ok", "deleted": 2},
    {"events": [{"status": "ok"}, {"status": "ok"}]},
)


@pytest.fixture
def fill(run: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Run a command in this process whose output goes to a disk that is full."""

    def fill(*arguments: str) -> Done:
        with Path("/dev/full").open("w", encoding="utf-8") as full, monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", full)
            return run(*arguments)

    return fill


@pytest.mark.parametrize("arguments", [[], *([each] for each in COMMANDS)], ids=" ".join)
def test_help_is_not_lost_silently(arguments: list[str], fill: Callable[..., Done]) -> None:
    """Each command's help, and the group's."""
    assert fill(*arguments, "--help") == Done(1, "", FULL)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["snippet"],
        ["sample-size", "--rate", "0.1", "--lift", "0.1"],
        ["sample-size", "--rate", "0.1", "--lift", "0.1", "--json"],
        ["preflight"],
        ["preflight", "--json"],
    ],
    ids=" ".join,
)
def test_a_full_disk_is_an_error(arguments: list[str], fill: Callable[..., Done]) -> None:
    """With its reason and exit code 1, whether click or rich prints."""
    assert fill(*arguments) == Done(1, "", FULL)


@pytest.mark.parametrize(
    ("command", "body"),
    [
        ("results", RESULTS),
        ("results --json", RESULTS),
        ("results --csv", RESULTS),
        ("results --watch", RESULTS),
        ("delete e --yes", DELETED),
        ("simulate --visitors 1 --rates red=1", COUNTED),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_full_disk_is_an_error_when_reading_an_api(
    command: str, body: object, fill: Callable[..., Done]
) -> None:
    """`results --watch` ends too, instead of retrying indefinitely."""
    key = [] if command.startswith("simulate") else ["--api-key", "key"]
    with answering(body=body) as api:
        done = fill(*command.split(), "--url", f"{api.url}/track", *key)
    assert (done.code, done.stderr.splitlines(keepends=True)[-1]) == (1, FULL)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty AWS account."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield


@pytest.mark.parametrize(
    "arguments",
    [["iam-policy"], ["deploy", "--no-preflight", "--dry-run"], ["destroy", "--yes"]],
    ids=" ".join,
)
def test_a_full_disk_is_an_error_when_reading_aws(
    arguments: list[str], fill: Callable[..., Done], tmp_path: Path, aws: None
) -> None:
    """Otherwise an empty policy or plan would pass for a complete one."""
    (tmp_path / "config.json").write_text('{"redis": {"host": "redis.example.com"}}')
    done = fill(*arguments, "--region", "eu-west-1")
    assert (done.code, done.stderr) == (1, FULL)


def shell(home: Path, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command line, in which `gimel` is this Python's, in a shell."""
    return subprocess.run(
        ["/bin/sh", "-c", f'gimel() {{ "{sys.executable}" -m gimel "$@"; }}\n{command}'],
        cwd=home,
        env=environment(home, **variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=60,
    )


@pytest.mark.parametrize(
    ("command", "code", "stderr"),
    [
        ("gimel snippet >/dev/full", 1, FULL),
        ("PYTHONUNBUFFERED=1 gimel snippet >/dev/full", 1, FULL),
        ("gimel serve --port 0 >/dev/full", 1, FULL),
        ("gimel snippet >&-", 1, CLOSED),
        ("gimel snippet 1</dev/null", 1, FULL.replace("No space left on device", "Bad file desc")),
        ("gimel snippet | true; wait", 0, ""),
        ("gimel nope 2>/dev/full", 2, ""),
        ("gimel results --local 2>/dev/full", 1, ""),
        ("gimel results --local 2>&-", 1, ""),
        ("gimel configure <&-", 1, "redis.host is not set."),
    ],
    ids=lambda value: value if str(value).startswith(("gimel", "PYTHON")) else "",
)
def test_a_process_ends_without_a_traceback(
    command: str, code: int, stderr: str, tmp_path: Path
) -> None:
    """And without Python's complaint about a stream that it cannot flush at exit."""
    done = shell(tmp_path, command, EDITOR="true")
    assert done.returncode == code
    assert stderr.rstrip(".\n") in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_closed_pipe_is_not_reported(tmp_path: Path) -> None:
    """`gimel results | head` shows no error."""
    done = shell(tmp_path, "{ gimel snippet; echo $? >code; } | head -1", PYTHONUNBUFFERED="1")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
    assert (tmp_path / "code").read_text() in ("0\n", "1\n")  # head may be the faster one


@pytest.mark.parametrize(
    "variables",
    [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}],
    ids=str,
)
def test_a_name_that_the_terminal_cannot_show_is_escaped(
    variables: dict[str, str], tmp_path: Path
) -> None:
    """On both streams, instead of failing."""
    with answering(body=answer(two("größe → 大"))) as api:
        results = f"gimel results --url {api.url} --api-key key"
        shown = shell(tmp_path, results, **variables)
        unknown = shell(tmp_path, f"{results} größe", **variables)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "gr" in shown.stdout
    assert unknown.returncode == 1
    assert unknown.stderr.startswith("Error: ")
