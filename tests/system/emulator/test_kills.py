"""`kill -9` of the command at AWS calls that change something, before their answer arrives.

An operation that a command repeats, such as PutMethod, is tried at its first call, and each command
at its last call. CI tries every third operation, and with GIMEL_EVERY_KILL=1 all are tried. That a
deploy continues from any step is a property in tests/deploy/test_plan_properties.py.

Whatever a killed command can leave behind, the next deploy or destroy completes it. That is what
the account contains after each call: the command keeps nothing elsewhere. So one run is enough to
get all of them. It is killed at its last call.
"""

from __future__ import annotations

import os
import tempfile
import threading

import pytest

from tests.support.account import Account, variables
from tests.support.journeys import JOURNEYS
from tests.support.proxy import AwsProxy, Call, Kill
from tests.support.recorded_calls import mutating, recorded
from tests.support.warm_process import Commands, Process


def at_changes_of(name: str) -> pytest.MarkDecorator:
    """Make a test of the first recorded call of each operation that changes anything.

    CI takes every third one of them, and the last call.
    """
    operations = mutating(recorded()[name])
    rows = [
        pytest.param(number, id=f"{number}-{operation}")
        for number, operation in enumerate(operations, 1)
        if operation not in operations[: number - 1] or number == len(operations)
    ]
    if "GIMEL_EVERY_KILL" not in os.environ:
        rows = [*rows[:-1:3], rows[-1]]
    return pytest.mark.parametrize("number", rows)


class Killer:
    """Runs the commands of journeys until they are killed."""

    def __init__(self, commands: Commands, account: Account, proxy: AwsProxy) -> None:
        self.commands = commands
        self.account = account
        self.proxy = proxy

    def kill(self, name: str, number: int) -> None:
        """Bring the account to where a journey's command is killed at this changing call."""
        if not self.account.emulator.saved(_killed(name, number)):
            self._run(name)
        self.account.emulator.restore(_killed(name, number))
        self.account.configure(**JOURNEYS[name].document)

    def _run(self, name: str) -> None:
        """Save the account after each changing call. At the last one, kill the command."""
        journey, expected = JOURNEYS[name], mutating(recorded()[name])
        started = threading.Event()
        process: Process
        changes: list[str] = []

        def client() -> Process:
            started.wait()
            return process

        def fault(call: Call) -> Kill | None:
            if not call.mutating:
                return None
            if changes:
                self.account.emulator.save(_killed(name, len(changes)))
            changes.append(call.operation)
            return Kill(client) if len(changes) == len(expected) else None

        journey.at_its_beginning(self.account)
        home = self.account.file.parent
        files = set(home.iterdir())
        self.proxy.begin(fault)
        with tempfile.TemporaryFile() as said:
            process = self.commands.start(
                *journey.command, home=home, stdout=said, stderr=said, **variables(self.proxy.url)
            )
            started.set()
            code = process.wait()
            said.seek(0)
            assert code == -9, said.read().decode()
        self.proxy.begin()
        self.account.emulator.save(_killed(name, len(changes)))
        assert changes == expected
        assert set(home.iterdir()) == files


def _killed(name: str, number: int) -> str:
    return f"{name} killed at {number}"


@pytest.fixture
def killer(commands: Commands, unprepared: Account, proxy: AwsProxy) -> Killer:
    return Killer(commands, unprepared, proxy)


@at_changes_of("first deploy")
def test_a_first_deploy_is_completed_by_the_next(killer: Killer, number: int) -> None:
    """It ends where an undisturbed one does."""
    killer.kill("first deploy", number)

    killer.account.deploy()

    assert killer.account.state() == JOURNEYS["first deploy"].undisturbed(killer.account)


@at_changes_of("change")
def test_a_change_is_completed_by_the_next(killer: Killer, number: int) -> None:
    """It ends where an undisturbed one does, with at most five versions."""
    killer.kill("change", number)

    killer.account.deploy(**JOURNEYS["change"].document)

    assert len(killer.account.versions("gimel-track")) <= 5
    assert killer.account.state() == JOURNEYS["change"].undisturbed(killer.account)


@at_changes_of("destroy")
def test_a_destroy_is_completed_by_the_next(killer: Killer, number: int) -> None:
    """Nothing is left."""
    killer.kill("destroy", number)

    killer.account.destroy()

    assert not any(killer.account.listing().values())
