"""`kill -9` of the command at every AWS call that changes something, before its answer arrives.

Whatever a killed command can leave behind, the next deploy or destroy completes it.
"""

from __future__ import annotations

import tempfile
import threading

import pytest

from tests.support import recorded_calls
from tests.support.account import Account, variables
from tests.support.configurations import FUNCTIONS
from tests.support.journeys import JOURNEYS
from tests.support.proxy import AwsProxy, Call, Kill
from tests.support.warm_process import Commands, Process


def at_each_change_of(name: str) -> pytest.MarkDecorator:
    """Make a test of each recorded call that changes something."""
    rows = [
        pytest.param(number, operation, id=f"{number}-{operation}")
        for number, operation in enumerate(
            recorded_calls.mutating(recorded_calls.recorded()[name]), 1
        )
    ]
    return pytest.mark.parametrize(("number", "operation"), rows)


class Killer:
    """Runs the commands of journeys, and kills each at one of its changing calls."""

    def __init__(self, commands: Commands, account: Account, proxy: AwsProxy) -> None:
        self.commands = commands
        self.account = account
        self.proxy = proxy

    def kill(self, name: str, number: int) -> str:
        """Kill a journey's command at the changing call of this number; return its operation."""
        started = threading.Event()
        process: Process
        changes: list[str] = []

        def client() -> Process:
            started.wait()
            return process

        def fault(call: Call) -> Kill | None:
            if not call.mutating:
                return None
            changes.append(call.operation)
            return Kill(client) if len(changes) == number else None

        journey = JOURNEYS[name]
        journey.at_its_beginning(self.account)
        self.proxy.begin(fault)
        with tempfile.TemporaryFile() as said:
            process = self.commands.start(
                *journey.command,
                home=self.account.file.parent,
                stdout=said,
                stderr=said,
                **variables(self.proxy.url),
            )
            started.set()
            code = process.wait()
            said.seek(0)
            assert code == -9, said.read().decode()
        self.proxy.begin()
        assert len(changes) == number
        return changes[-1]


@pytest.fixture
def killer(commands: Commands, unprepared: Account, proxy: AwsProxy) -> Killer:
    return Killer(commands, unprepared, proxy)


@at_each_change_of("first deploy")
def test_a_first_deploy_is_completed_by_the_next(
    killer: Killer, number: int, operation: str
) -> None:
    """It ends where an undisturbed one does."""
    killed = killer.kill("first deploy", number)

    killer.account.deploy()

    assert killed == operation
    assert killer.account.state() == JOURNEYS["first deploy"].undisturbed(killer.account)


@at_each_change_of("change")
def test_a_change_is_completed_by_the_next(killer: Killer, number: int, operation: str) -> None:
    """It ends where an undisturbed one does, with at most five versions."""
    killed = killer.kill("change", number)

    killer.account.deploy(**JOURNEYS["change"].document)

    assert killed == operation
    assert len(killer.account.versions("gimel-track")) <= 5
    assert killer.account.state() == JOURNEYS["change"].undisturbed(killer.account)


@at_each_change_of("change back")
def test_a_change_back_is_completed_by_the_next(
    killer: Killer, number: int, operation: str
) -> None:
    """It ends where an undisturbed one does, without the additions; at most five versions."""
    killed = killer.kill("change back", number)

    killer.account.deploy()

    assert killed == operation
    assert len(killer.account.versions("gimel-track")) <= 5
    assert killer.account.state() == JOURNEYS["change back"].undisturbed(killer.account)


@at_each_change_of("rollback")
def test_a_rollback_is_undone_by_the_next_deploy(
    killer: Killer, number: int, operation: str
) -> None:
    """Killed with some functions at the former version: deploy brings all to the configuration."""
    account = killer.account
    killed = killer.kill("rollback", number)
    rolled_back = [account.live(name) for name in FUNCTIONS].count(1)

    account.deploy(**JOURNEYS["rollback"].document)

    assert killed == operation
    assert rolled_back == number
    assert {account.live(name) for name in FUNCTIONS} == {2}


@at_each_change_of("destroy")
def test_a_destroy_is_completed_by_the_next(killer: Killer, number: int, operation: str) -> None:
    """Nothing is left."""
    killed = killer.kill("destroy", number)

    killer.account.destroy()

    assert killed == operation
    assert not any(killer.account.listing().values())
