"""One failure at each AWS call of a first deploy, of changes, of a rollback and of a destroy.

Each is survived. A 503 replaces the call. A reset comes after the call was made, so that the client
cannot know whether it was; that makes no difference to calls that only read. A first deploy and a
change make every call that reads, so only they are disturbed at those.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support import recorded_calls
from tests.support.account import Account
from tests.support.clock import Time
from tests.support.configurations import FUNCTIONS
from tests.support.journeys import JOURNEYS
from tests.support.proxy import AwsProxy, Call, Refuse, Reset

Fault = Callable[[int], Callable[[Call], Refuse | Reset | None]]


def unavailable(number: int) -> Callable[[Call], Refuse | None]:
    """Every other one comes from a load balancer, without an AWS error code."""
    code = "ServiceUnavailableException" if number % 2 else ""
    return lambda call: Refuse(503, code, "Unavailable") if call.number == number else None


def reset(number: int) -> Callable[[Call], Reset | None]:
    return lambda call: Reset() if call.number == number else None


def at_each_call_of(name: str) -> pytest.MarkDecorator:
    """Make a test of each recorded call and each fault."""
    rows = [
        pytest.param(number, operation, fault, id=f"{fault_name}-{number}-{operation}")
        for fault_name, fault in (("503", unavailable), ("reset", reset))
        for number, operation in enumerate(recorded_calls.recorded()[name], 1)
        if not operation.startswith(("Get", "List"))
        or (fault is unavailable and name in ("first deploy", "change"))
    ]
    return pytest.mark.parametrize(("number", "operation", "fault"), rows)


def disturb(name: str, account: Account, proxy: AwsProxy, number: int, fault: Fault) -> str:
    """Run a journey with a fault at one call; return that call's operation."""
    journey = JOURNEYS[name]
    journey.at_its_beginning(account)
    proxy.begin(fault(number))
    journey.run(account, Time().options)
    return proxy.operations[number - 1]


@at_each_call_of("first deploy")
def test_a_first_deploy_survives_it(
    unprepared: Account, proxy: AwsProxy, number: int, operation: str, fault: Fault
) -> None:
    """The same deploy succeeds and leaves what an undisturbed one does."""
    disturbed = disturb("first deploy", unprepared, proxy, number, fault)

    assert disturbed == operation
    assert unprepared.state() == JOURNEYS["first deploy"].undisturbed(unprepared)


@at_each_call_of("change")
def test_a_change_survives_it(
    unprepared: Account, proxy: AwsProxy, number: int, operation: str, fault: Fault
) -> None:
    """It leaves what an undisturbed one does, and at most five versions."""
    disturbed = disturb("change", unprepared, proxy, number, fault)

    assert disturbed == operation
    assert len(unprepared.versions("gimel-track")) <= 5
    assert unprepared.state() == JOURNEYS["change"].undisturbed(unprepared)


@at_each_call_of("change back")
def test_a_change_back_survives_it(
    unprepared: Account, proxy: AwsProxy, number: int, operation: str, fault: Fault
) -> None:
    """It leaves what an undisturbed one does, without the additions, and at most five versions."""
    disturbed = disturb("change back", unprepared, proxy, number, fault)

    assert disturbed == operation
    assert len(unprepared.versions("gimel-track")) <= 5
    assert unprepared.state() == JOURNEYS["change back"].undisturbed(unprepared)


@at_each_call_of("rollback")
def test_a_rollback_survives_it(
    unprepared: Account, proxy: AwsProxy, number: int, operation: str, fault: Fault
) -> None:
    """Every alias is moved."""
    disturbed = disturb("rollback", unprepared, proxy, number, fault)

    assert disturbed == operation
    assert {unprepared.live(name) for name in FUNCTIONS} == {1}


@at_each_call_of("destroy")
def test_a_destroy_survives_it(
    unprepared: Account, proxy: AwsProxy, number: int, operation: str, fault: Fault
) -> None:
    """Nothing is left."""
    disturbed = disturb("destroy", unprepared, proxy, number, fault)

    assert disturbed == operation
    assert not any(unprepared.listing().values())
