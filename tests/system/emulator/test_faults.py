"""One failure at each call in turn of a first deploy, of changes, of a rollback and of a destroy: each is survived.

A 503 is answered in place of the call; a reset comes after it was done, so that whether it was cannot be told from it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gimel.deploy.apply import apply_all_or_none
from gimel.deploy.plan import observe, plan_rollback
from gimel.deploy.resources.base import Look
from tests.support.account import Account, live, versions
from tests.support.clock import Time
from tests.support.configurations import CHANGE
from tests.support.emulator import Emulator
from tests.support.proxy import AwsProxy, Call, Refuse, Reset

Spoil = Callable[[int], Callable[[Call], "Refuse | Reset | None"]]


def unavailable(number: int) -> Callable[[Call], Refuse | None]:
    """Every other one comes from a load balancer, which knows nothing of AWS's errors."""
    answer = (
        Refuse(503, "ServiceUnavailableException", "Unavailable") if number % 2 else Refuse(503)
    )
    return lambda call: answer if call.number == number else None


def reset(number: int) -> Callable[[Call], Reset | None]:
    return lambda call: Reset() if call.number == number else None


at_each_call = pytest.mark.parametrize("spoil", [unavailable, reset], ids=["503", "reset"])


@at_each_call
def test_a_first_deploy_survives_it(
    account: Account, proxy: AwsProxy, emulator: Emulator, spoil: Spoil
) -> None:
    """The same deploy succeeds, and leaves what an undisturbed one does."""
    undisturbed = account.undisturbed()
    number = 1
    while True:
        emulator.reset()
        proxy.begin(spoil(number))
        account.deploy(Time().options)
        if len(proxy.calls) < number:
            break
        where = f"call {number}, {proxy.calls[number - 1].operation}"
        proxy.begin()
        assert account.state() == undisturbed, where
        number += 1
    assert number > 50


@at_each_call
def test_a_change_survives_it(account: Account, proxy: AwsProxy, spoil: Spoil) -> None:
    """There and back again, to what an undisturbed one leaves; at most five versions stay."""
    changes = [(CHANGE, account.undisturbed(**CHANGE)), ({}, account.undisturbed())]
    number, spoiled = 0, True
    while spoiled:
        number += 1
        spoiled = False
        for document, undisturbed in changes:
            proxy.begin(spoil(number))
            account.deploy(Time().options, **document)
            spoiled = spoiled or len(proxy.calls) >= number
            where = f"call {number}, {proxy.calls[min(number, len(proxy.calls)) - 1].operation}"
            proxy.begin()
            assert account.state() == undisturbed, where
        assert len(versions(account, "gimel-track")) <= 5
    assert number > 40


@at_each_call
def test_a_rollback_survives_it(account: Account, proxy: AwsProxy, spoil: Spoil) -> None:
    """Every alias is moved, in the end."""
    account.deploy()
    names = ("gimel-track", "gimel-all-experiments", "gimel-delete-experiment")
    account.deploy(aws={"functions": {name: {"memory": 256} for name in names}})
    number = 1
    while True:
        proxy.begin(spoil(number))
        aws = account.aws(**Time().options)
        observed = observe(Look(aws, versions=True))
        target = 1 if live(account, "gimel-track") == 2 else 2
        apply_all_or_none(aws, plan_rollback(observed, target), observed)
        assert {live(account, name) for name in names} == {target}, f"call {number}"
        if len(proxy.calls) < number:
            break
        number += 1
    assert number > 15


@at_each_call
def test_a_destroy_survives_it(account: Account, proxy: AwsProxy, spoil: Spoil) -> None:
    """Nothing is left."""
    number = 1
    while True:
        proxy.begin()
        account.deploy(**CHANGE)
        proxy.begin(spoil(number))
        account.destroy(Time().options)
        if len(proxy.calls) < number:
            break
        assert not any(account.listing().values()), (
            f"call {number}, {proxy.calls[number - 1].operation}"
        )
        number += 1
    assert number > 25
