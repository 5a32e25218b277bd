"""A user's journey with the wheel, installed in an empty environment away from the sources."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.support.account import Account, variables
from tests.support.command import REPOSITORY, environment
from tests.support.configurations import OWN_FUNCTION, SECOND_PATH, URL
from tests.support.environments import create_environment

Gimel = Callable[..., Any]
EVENT = {"experiment": "shop", "variant": "red", "event": "participate", "uuid": "u1"}


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The command `gimel` of an environment with the wheel, which the workers share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if hasattr(request.config, "workerinput") else base) / "wheel"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            install(folder)
            (folder / "done").touch()
    return folder / "venv" / "bin" / "gimel"


def install(folder: Path) -> None:
    """Install a copy of the sources, which no other run shares, by way of a wheel."""
    sources = folder / "sources"
    ignored = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__", "tests")
    shutil.copytree(REPOSITORY, sources, ignore=ignored)
    create_environment(folder / "venv", sources)


@pytest.fixture
def gimel(account: Account, installed: Path, tmp_path: Path) -> Gimel:
    """Run a command in the folder of config.json; return its output, parsed if JSON.

    Fails if the command does.
    """
    account.configure()

    def gimel(*arguments: str) -> Any:
        done = subprocess.run(
            [installed, *arguments],
            cwd=tmp_path,
            env={**environment(tmp_path, **variables(account.url)), "PYTHONPATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if "--json" in arguments else done.stdout

    return gimel


def test_what_it_deploys_answers_over_http(
    account: Account, gimel: Gimel, store: redis.Redis
) -> None:
    """Events count by GET, by POST, on a second path and by a URL; the key opens what is closed."""
    account.configure(extra_wiring=[SECOND_PATH, OWN_FUNCTION, URL])
    done = gimel("deploy", "--yes", "--json", "--show-key")
    key = done["api_key"]

    def status(path: str, method: str = "GET", key: str | None = None, **query: str) -> int:
        return account.ask(path, method, key, **query).status

    (url,) = [each["url"] for each in done["endpoints"] if ".lambda-url." in each["url"]]
    counted = [
        account.ask("track", **EVENT),
        account.ask("track", "POST", body={**EVENT, "uuid": "u2"}),
        account.ask("t", **{**EVENT, "uuid": "u3"}),
        account.ask_url(url, **{**EVENT, "uuid": "u4"}),
    ]
    preflight = account.ask("track", "OPTIONS")
    (row,) = [
        row for row in account.ask("experiments", key=key).body if row.get("experiment") == "shop"
    ]

    assert [(each.status, each.body) for each in counted] == [(200, {"status": "ok"})] * 4
    assert {each["label"]: each["trials"] for each in row["participants"]} == {"red": 4}
    assert (preflight.status, preflight.headers["access-control-allow-methods"]) == (
        200,
        "GET,POST,OPTIONS",
    )
    assert [
        status("experiments"),
        status("experiments", key="wrong"),
        status("experiment", experiment="shop"),
    ] == [403] * 3
    assert status("experiment", key=key, experiment="shop") == 200
    assert [
        status("delete", "DELETE", experiment="shop"),
        status("delete", "DELETE", "wrong", experiment="shop"),
    ] == [403] * 2
    assert status("delete", "DELETE", key, experiment="shop") == 200
    store.config_set("maxmemory", 1)
    try:
        assert status("track", **EVENT) == 503
    finally:
        store.config_set("maxmemory", 0)
