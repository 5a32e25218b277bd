"""`kill -9` of the command at every step: after each call that changes something, before its answer is heard.

What the next deploy or destroy has to start from is then all that a killed one can leave behind.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.account import Account, live, variables, versions
from tests.support.command import environment
from tests.support.configurations import CHANGE
from tests.support.emulator import Emulator
from tests.support.proxy import AwsProxy, Call, Kill


class Killed:
    """A command that is killed at its call of that number among those that change something; `hit` tells whether it was."""

    def __init__(self, proxy: AwsProxy, home: Path, number: int, *arguments: str) -> None:
        self.number = number
        self.mutating = 0
        self.hit: str | None = None
        proxy.begin(self._fault)
        self.process: subprocess.Popen[Any] = subprocess.Popen(
            [sys.executable, "-m", "gimel", *arguments],
            cwd=home,
            env=environment(home, **variables(proxy.url)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        _, told = self.process.communicate(timeout=120)
        proxy.begin()
        assert (self.process.returncode == -9) is (self.hit is not None), told.decode()
        assert self.hit or self.process.returncode == 0, told.decode()

    def _fault(self, call: Call) -> Kill | None:
        self.mutating += call.mutating
        if not call.mutating or self.mutating != self.number:
            return None
        self.hit = f"call {self.number}, {call.operation}"
        return Kill(lambda: self.process)


DEPLOY = ("deploy", "--yes", "--no-preflight")


def test_a_first_deploy_is_completed_by_the_next(
    account: Account, proxy: AwsProxy, emulator: Emulator, tmp_path: Path
) -> None:
    """It ends where an undisturbed one does."""
    undisturbed = account.undisturbed()
    number = 1
    while True:
        emulator.reset()
        account.configure()
        killed = Killed(proxy, tmp_path, number, *DEPLOY)
        if not killed.hit:
            break
        account.deploy()
        assert account.state() == undisturbed, killed.hit
        number += 1
    assert number > 30


def test_a_change_is_completed_by_the_next(
    account: Account, proxy: AwsProxy, tmp_path: Path
) -> None:
    """There and back again, to what an undisturbed one leaves; at most five versions stay."""
    changes = [(CHANGE, account.undisturbed(**CHANGE)), ({}, account.undisturbed())]
    number, hit = 0, True
    while hit:
        number += 1
        hit = False
        for document, undisturbed in changes:
            account.configure(**document)
            killed = Killed(proxy, tmp_path, number, *DEPLOY)
            hit = hit or killed.hit is not None
            if killed.hit:
                account.deploy(**document)
            assert account.state() == undisturbed, killed.hit
        assert len(versions(account, "gimel-track")) <= 5
    assert number > 15


def test_a_rollback_is_undone_by_the_next_deploy(
    account: Account, proxy: AwsProxy, tmp_path: Path
) -> None:
    """Killed with some functions at the former version: deploy brings all to what the configuration asks for."""
    names = ("gimel-track", "gimel-all-experiments", "gimel-delete-experiment")
    change = {"aws": {"functions": {name: {"memory": 256} for name in names}}}
    account.deploy()
    account.deploy(**change)
    for number in range(1, len(names) + 1):
        killed = Killed(proxy, tmp_path, number, "rollback")
        assert killed.hit
        assert [live(account, name) for name in names].count(1) == number
        account.deploy(**change)
        assert {live(account, name) for name in names} == {2}


def test_a_destroy_is_completed_by_the_next(
    account: Account, proxy: AwsProxy, tmp_path: Path
) -> None:
    """Nothing is left."""
    number = 1
    while True:
        account.deploy(**CHANGE)
        killed = Killed(proxy, tmp_path, number, "destroy", "--yes")
        if not killed.hit:
            break
        account.destroy()
        assert not any(account.listing().values()), killed.hit
        number += 1
    assert number > 12
