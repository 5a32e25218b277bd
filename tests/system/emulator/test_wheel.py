"""From the wheel, installed in an empty environment away from the sources: all that a user does, by commands and over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.support.account import Account, Answer, add_theirs, ask, variables
from tests.support.command import REPOSITORY, environment
from tests.support.configurations import OWN_FUNCTION, SECOND_PATH, URL

Gimel = Callable[..., Any]
EVENT = {"experiment": "shop", "variant": "red", "event": "participate", "uuid": "u1"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command `gimel` of an environment that holds the wheel and what it requires."""
    folder = tmp_path_factory.mktemp("wheel")
    python = folder / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    pip: list[str | Path] = [python, "-m", "pip", "-q"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "-w", folder, REPOSITORY], check=True, capture_output=True
    )
    (wheel,) = folder.glob("gimel-*.whl")
    subprocess.run([*pip, "install", wheel], check=True, capture_output=True)
    return python.with_name("gimel")


@pytest.fixture
def gimel(account: Account, installed: Path, tmp_path: Path) -> Gimel:
    """Run a command in the folder of config.json; return what it prints, parsed where it prints JSON. Fails where it fails."""
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
    """Events count by GET, by POST, on a second path and through the function's URL; what is closed opens with the key."""
    account.configure(extra_wiring=[SECOND_PATH, OWN_FUNCTION, URL])
    done = gimel("deploy", "--yes", "--json")
    key = done["api_key"]

    def status(path: str, method: str = "GET", key: str | None = None, **query: str) -> int:
        return account.ask(path, method, key, **query).status

    counted = [
        account.ask("track", **EVENT),
        account.ask("track", "POST", body={**EVENT, "uuid": "u2"}),
        account.ask("t", **{**EVENT, "uuid": "u3"}),
        ask_url(account, done["endpoints"], {**EVENT, "uuid": "u4"}),
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


def ask_url(account: Account, endpoints: Any, event: dict[str, str]) -> Answer:
    """Send an event through the function's own URL, which the emulator tells by the host's name."""
    (url,) = [each["url"] for each in endpoints if ".lambda-url." in each["url"]]
    query = "&".join(f"{name}={value}" for name, value in event.items())
    return ask(f"{account.url}/?{query}", host=url.split("/")[2])


def test_it_deploys_again_changes_and_rolls_back(account: Account, gimel: Gimel) -> None:
    """Nothing where nothing changed; a change makes a version live, and rollback the one before."""
    gimel("deploy", "--yes")
    again = gimel("deploy", "--yes", "--json")
    account.configure(aws={"functions": {"gimel-track": {"memory": 256}}})
    said = gimel("deploy", "--dry-run", "--json")
    changed = gimel("deploy", "--yes", "--json")
    after = account.live("gimel-track")
    rolled = gimel("rollback")

    assert again["steps"] == []
    assert [step["step"] for step in changed["steps"]] == [
        "UpdateFunctionConfiguration",
        "PublishVersion",
        "MoveAlias",
    ]
    assert said["steps"] == changed["steps"]
    assert (after, account.live("gimel-track")) == (2, 1)
    assert rolled == "Rolled back.\n"
    assert account.ask("track", **EVENT).body == {"status": "ok"}


def test_destroy_leaves_the_account_as_it_was_found(account: Account, gimel: Gimel) -> None:
    """Full listings before and after are equal, with another team's things in the account."""
    add_theirs(account)
    before = account.listing()
    account.configure(extra_wiring=[SECOND_PATH, OWN_FUNCTION, URL], aws={"tags": {"team": "web"}})
    gimel("deploy", "--yes")

    gimel("destroy", "--yes")

    assert account.listing() == before
