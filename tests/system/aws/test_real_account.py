"""One journey through a real AWS account, for the release checklist. It runs only when asked for:

    AWS_PROFILE=... AWS_REGION=... pytest -n 0 tests/system/aws --aws config.json

It uses the account and region that the environment selects, and a copy of this configuration, whose
Redis the functions must be able to reach and which must allow any experiment. It deploys, sends an
event, reads the results, deploys again without a change, rolls a change back, deletes the
experiment, and removes everything from AWS, also after a failure. It costs a few cents and takes
some minutes.

It refuses to start where `gimel destroy` would find something to remove. With AWS_ENDPOINT_URL it
runs on an emulator.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.account import ask
from tests.support.command import REPOSITORY

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_a_journey_through_a_real_account(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Deploy, event, results, second deploy, rollback, destroy."""
    source = Path(request.config.getoption("--aws")).expanduser()

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gimel", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    journey(run, json.loads(source.read_text("utf-8")), tmp_path / "config.json")


def journey(run: Run, document: dict[str, Any], file: Path) -> None:
    """Make the journey with a configuration, which `run` reads from `file`."""

    def gimel(*arguments: str) -> str:
        done = run(*arguments)
        assert done.returncode == 0, f"gimel {' '.join(arguments)}\n{done.stderr}"
        return done.stdout

    file.write_text(json.dumps(document))
    found = run("destroy")  # without --yes and a terminal it removes nothing
    assert found.returncode == 0, f"Refused: `gimel destroy` is not done here:\n{found.stderr}"
    try:
        walk(gimel, document, file)
    finally:
        gimel("destroy", "--yes")
    assert run("destroy").returncode == 0


def walk(gimel: Callable[..., str], document: dict[str, Any], file: Path) -> None:
    """Make the part of the journey that leaves a deployment."""
    experiment = f"gimel-journey-{secrets.token_hex(4)}"
    event = f"experiment={experiment}&variant=red&event=participate&uuid=one"

    first = json.loads(gimel("deploy", "--yes", "--json"))
    track = endpoint(first, "gimel.track")
    counted = [ask(f"{track}?{event}") for _ in range(2)]
    shown = json.loads(gimel("results", experiment, "--json"))
    again = json.loads(gimel("deploy", "--yes", "--json"))

    assert {check["status"] for check in first["checks"]} == {"ok"}
    assert [(each.status, each.body) for each in counted] == [(200, {"status": "ok"})] * 2
    assert [each["experiment"] for each in shown["experiments"]] == [experiment]
    assert ask(endpoint(first, "gimel.all")).status == 403
    assert again["steps"] == []

    file.write_text(json.dumps(with_more_memory(document)))
    changed = json.loads(gimel("deploy", "--yes", "--json"))
    before = live_versions(gimel)
    gimel("rollback")
    after = live_versions(gimel)

    assert changed["steps"]
    assert [name for name in before if after[name] != before[name]] == ["gimel-track"]
    assert ask(f"{track}?{event}").status == 200
    gimel("delete", experiment, "--yes")


def endpoint(deployed: dict[str, Any], handler: str) -> str:
    """Return the first URL that leads to a handler."""
    return next(str(each["url"]) for each in deployed["endpoints"] if each["handler"] == handler)


def live_versions(gimel: Callable[..., str]) -> dict[str, int]:
    """Return the live version of each function."""
    status = json.loads(gimel("status", "--json"))
    return {function["name"]: function["live"] for function in status["functions"]}


def with_more_memory(document: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration with 64 MB more for gimel-track."""
    aws = document.get("aws", {})
    functions = aws.get("functions", {})
    track = functions.get("gimel-track", {})
    more = {**track, "memory": track.get("memory", 128) + 64}
    return {**document, "aws": {**aws, "functions": {**functions, "gimel-track": more}}}
