"""`gimel logs`: what it selects and prints."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gimel.cli import terminal
from tests.cli.conftest import Done
from tests.support.aws import Script, scripted
from tests.support.log_groups import DENIED, log_groups

Run = Callable[..., Done]

NOW = 1_768_478_400.0  # 2026-01-15T12:00:00Z
START = "START RequestId: 6be05739-b9ac-42c5-85b5-d98270a32702 Version: 3\n"
ERROR = '{"level": "ERROR", "error": "ConnectionFailed", "message": "no connection"}\n'


def ago(seconds: float, text: str) -> tuple[int, str]:
    return round((NOW - seconds) * 1000), text


GROUPS: dict[str, Any] = {
    "gimel-track": [ago(7300, "old"), ago(60, START), ago(59, ERROR)],
    "gimel-all-experiments": [ago(58, "first\nsecond")],
    "gimel-delete-experiment": [],
    "gimel-snapshot": [],
}


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Script]:
    """AWS with these log groups, and a configuration."""
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setattr(time, "time", lambda: NOW)
    with scripted() as script:
        script.answers = {"FilterLogEvents": log_groups(GROUPS)}
        monkeypatch.setattr(terminal, "connect", lambda *_: script.aws())
        yield script


def test_lines_have_a_time_a_short_name_and_words(script: Script, run: Run) -> None:
    """Lambda's own lines are hidden, and the second line of a text is below the first."""
    done = run("logs")

    assert (done.code, done.stderr) == (0, "")
    assert done.stdout == (
        "2026-01-15T11:59:01Z  track              ERROR ConnectionFailed: no connection\n"
        "2026-01-15T11:59:02Z  all-experiments    first\n"
        "                                         second\n"
    )


def test_all_shows_the_lines_of_lambda(script: Script, run: Run) -> None:
    """START, END and REPORT."""
    assert "track              START RequestId: 6be" in run("logs", "--all").stdout


def test_errors_are_selected(script: Script, run: Run) -> None:
    """As JSON with the line as it was logged."""
    (line,) = run("logs", "--errors", "--json").stdout.splitlines()

    assert json.loads(line) == {
        "time": "2026-01-15T11:59:01.000Z",
        "function": "gimel-track",
        "message": ERROR.strip(),
    }


@pytest.mark.parametrize(
    ("since", "seconds"),
    [
        ("30s", 30),
        ("10m", 600),
        ("2h", 7200),
        ("1d", 86_400),
        ("1w", 604_800),
        ("99999d", 315_619_200),
    ],
)
def test_since_is_a_length_of_time(script: Script, run: Run, since: str, seconds: int) -> None:
    """It decides from when on AWS is asked."""
    run("logs", "--since", since)

    assert {given["startTime"] for given in script.given} == {(round(NOW) - seconds) * 1000}


@pytest.mark.parametrize("since", ["", "10", "0m", "-1h", "1.5h", "1 y", "tomorrow"])
def test_another_length_of_time_is_refused(script: Script, run: Run, since: str) -> None:
    """That is wrong usage, and nothing is read."""
    done = run("logs", "--since", since)

    assert done.code == 2
    assert f"{since!r} is not a length of time such as 10m, 2h or 1d." in done.stderr


@pytest.mark.parametrize("name", ["track", "gimel-track"])
def test_a_function_has_a_short_and_a_long_name(script: Script, run: Run, name: str) -> None:
    """Only its log group is read."""
    run("logs", "--function", name)

    assert [given["logGroupName"] for given in script.given] == ["/aws/lambda/gimel-track"]


def test_an_unknown_function_is_an_error(script: Script, run: Run) -> None:
    """The most similar name is suggested."""
    done = run("logs", "--function", "trakc")

    assert done.code == 1
    assert done.stderr == "Error: Unknown function 'trakc'.\nDid you mean 'track'?\n"


def test_no_lines_are_explained(script: Script, run: Run) -> None:
    """What was hidden is counted."""
    script.answers = {
        "FilterLogEvents": log_groups(
            {**dict.fromkeys(GROUPS, ()), "gimel-track": [ago(60, START)]}
        )
    }

    done = run("logs", "--since", "10m")

    assert (done.code, done.stdout) == (0, "")
    assert done.stderr == (
        "No lines since 2026-01-15T11:50:00Z.\n"
        "1 line of Lambda about calls that went well: --all shows them.\n"
    )


def test_a_missing_log_group_is_named_after_the_lines_of_the_others(
    script: Script, run: Run
) -> None:
    """On stderr, and the command succeeds."""
    rest = {name: found for name, found in GROUPS.items() if name != "gimel-snapshot"}
    script.answers = {"FilterLogEvents": log_groups(rest)}

    done = run("logs")

    assert done.code == 0
    assert "no connection" in done.stdout
    assert done.stderr == (
        "The log group /aws/lambda/gimel-snapshot does not exist: `gimel deploy` creates it.\n"
    )


def test_a_log_group_that_may_not_be_read_is_an_error_after_the_lines(
    script: Script, run: Run
) -> None:
    """The error says how to get the permission."""
    script.answers = {"FilterLogEvents": log_groups({**GROUPS, "gimel-snapshot": DENIED})}

    done = run("logs")

    assert done.code == 1
    assert "no connection" in done.stdout
    assert (
        "Could not read /aws/lambda/gimel-snapshot: AWS does not allow logs:Filter" in done.stderr
    )
    assert "`gimel iam-policy` prints the permissions" in done.stderr


def test_without_any_log_group_it_says_so(script: Script, run: Run) -> None:
    """Nothing has been deployed, or it is another region."""
    script.answers = {"FilterLogEvents": log_groups({})}

    done = run("logs")

    assert done.code == 1
    assert "There are no logs in us-east-1: none of the log groups exists." in done.stderr


def test_follow_ends_with_ctrl_c(script: Script, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there is printed, then the command waits."""

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupted)

    done = run("logs", "--follow")

    assert done.code == 130
    assert "no connection" in done.stdout
    assert done.stderr.strip() == "Interrupted."
