"""The opt-in journey through a real account works: tried on the emulator."""

from __future__ import annotations

import subprocess

import pytest

from tests.support.account import Account, variables
from tests.support.warm_process import Commands
from tests.system.aws.test_real_account import Run, journey


@pytest.fixture
def run(unprepared: Account, commands: Commands) -> Run:
    """Run a command in the folder of config.json."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        home = unprepared.file.parent
        return commands.run(*arguments, home=home, **variables(unprepared.url))

    return run


def test_the_journey_succeeds_and_leaves_nothing(account: Account, run: Run) -> None:
    """From an empty account to an empty account."""
    journey(run, {"redis": account.redis}, account.file)

    assert not any(account.listing().values())


def test_the_journey_refuses_an_account_with_a_deployment(deployed: Account, run: Run) -> None:
    """The deployment stays as it is."""
    before = deployed.listing()

    with pytest.raises(AssertionError, match="Refused"):
        journey(run, {"redis": deployed.redis}, deployed.file)

    assert deployed.listing() == before
