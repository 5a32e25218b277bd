"""The journeys through an account that tests disturb at every AWS call.

`python -m tests.support.journeys` records the calls of each in `recorded_calls.json`, and the tests
are made from this file. Run it after a change to what deploy calls: `test_recorded_calls` fails
until then.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import recorded_calls
from tests.support.account import Account, Options, variables
from tests.support.configurations import CHANGE, FUNCTIONS, memory
from tests.support.emulator import running_emulator
from tests.support.kept_clients import kept_clients
from tests.support.proxy import AwsProxy
from tests.support.servers import running_store


@dataclass(frozen=True)
class Journey:
    """Where it begins, what it does, and the command that does the same with `document`."""

    begin: Callable[[Account], None]
    run: Callable[[Account, Options], object]
    command: tuple[str, ...]
    document: dict[str, Any]

    def at_its_beginning(self, account: Account) -> None:
        """Bring the account to the beginning, with the configuration in config.json."""
        self.begin(account)
        account.configure(**self.document)

    def undisturbed(self, account: Account) -> Any:
        """Return the state that an undisturbed run leaves. It runs once per emulator."""
        name = f"after {' '.join(self.command)} {self.document} {self.begin.__name__}"
        known = account.emulator.notes
        if name not in known:
            self.at_its_beginning(account)
            self.run(account, {})
            assert account.plan(**self.document) == ()
            known[name] = account.state()
        return known[name]


def _empty(account: Account) -> None:
    account.prepare("empty", lambda: None)


def _five_versions(account: Account) -> None:
    """The defaults are live as version 5 of each function; a sixth version replaces the first."""

    def build() -> None:
        for document in ({}, CHANGE, {}, CHANGE, {}):
            account.deploy(**document)

    account.prepare("five versions", build)


def _changed(account: Account) -> None:
    def build() -> None:
        _five_versions(account)
        account.deploy(**CHANGE)

    account.prepare("changed", build)


def _two_versions(account: Account) -> None:
    def build() -> None:
        account.deploy()
        account.deploy(aws=memory(640, *FUNCTIONS))

    account.prepare("two versions", build)


def _everything(account: Account) -> None:
    account.prepare("everything", lambda: account.deploy(**CHANGE))


_DEPLOY = ("deploy", "--yes", "--no-preflight")

JOURNEYS = {
    "first deploy": Journey(_empty, lambda account, options: account.deploy(options), _DEPLOY, {}),
    "change": Journey(
        _five_versions, lambda account, options: account.deploy(options, **CHANGE), _DEPLOY, CHANGE
    ),
    "change back": Journey(_changed, lambda account, options: account.deploy(options), _DEPLOY, {}),
    "rollback": Journey(
        _two_versions,
        lambda account, options: account.rollback(options),
        ("rollback",),
        {"aws": memory(640, *FUNCTIONS)},
    ),
    "destroy": Journey(
        _everything,
        lambda account, options: account.destroy(options),
        ("destroy", "--yes"),
        CHANGE,
    ),
}


def calls_of(journey: Journey, account: Account, proxy: AwsProxy) -> list[str]:
    """Return the calls that an undisturbed journey makes."""
    journey.at_its_beginning(account)
    proxy.begin()
    journey.run(account, {})
    return proxy.operations


def record() -> None:
    """Write `recorded_calls.json`."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_emulator() as emulator,
        running_store(Path(folder)) as store,
        AwsProxy(emulator.url) as proxy,
        kept_clients(),
    ):
        os.environ.update(variables(proxy.url))
        redis = {"host": "127.0.0.1", "port": store.port}
        account = Account(emulator, Path(folder, "config.json"), redis)
        recorded = {name: calls_of(journey, account, proxy) for name, journey in JOURNEYS.items()}
    recorded_calls.FILE.write_text(json.dumps(recorded, indent=1) + "\n")


if __name__ == "__main__":
    record()
