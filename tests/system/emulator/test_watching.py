"""`gimel status --check`, `gimel logs` and the last day, as a user types the commands."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest
import redis

from tests.support.account import Account, variables
from tests.support.warm_process import Commands

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(unprepared: Account, commands: Commands) -> Run:
    """Run a command in the folder of config.json, with the account's environment."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        home = unprepared.file.parent
        return commands.run(*arguments, home=home, **variables(unprepared.url))

    return run


def test_status_checks_the_store_and_the_urls(
    deployed: Account, run: Run, store: redis.Redis
) -> None:
    """One line per check, which leaves nothing in Redis; exit 1 if what visitors reach is gone."""
    healthy = run("status", "--check")
    left = store.keys()
    deployed.client("lambda").delete_alias(FunctionName="gimel-track", Name="live")
    broken = json.loads(run("status", "--check", "--json").stdout)

    assert (healthy.returncode, left) == (0, [])
    assert "ok       gimel-track: version 1 is live\n" in healthy.stdout
    assert "ok       Redis maxmemory-policy: noeviction\n" in healthy.stdout
    assert "/experiments: the marked event was read back\n" in healthy.stdout
    assert not broken["healthy"]
    failed = {each["message"] for each in broken["checks"] if each["status"] == "failed"}
    assert failed == {"no version is live", "the marked event cannot be read back"}


def test_logs_and_status_read_what_the_functions_did(deployed: Account, run: Run) -> None:
    """A call of a function has lines in its log, and is counted."""
    deployed.client("lambda").invoke(FunctionName="gimel-track", Qualifier="live", Payload=b"{}")

    lines = run("logs", "--all", "--json", "--function", "track").stdout.splitlines()
    errors = run("logs", "--errors").stdout
    last_day = json.loads(run("status", "--json").stdout)["last_day"]

    assert json.loads(lines[0])["message"].startswith("START RequestId: ")
    assert "track" in errors
    assert (last_day["events"], last_day["errors"], last_day["not_known"]) == (1, 1, [])
