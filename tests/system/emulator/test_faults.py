"""A failure at every AWS call of a first deploy, of changes, of a rollback and of a destroy.

Each is survived. A 503 replaces the call. A reset comes after the call was made, so that the client
cannot know whether it was; that makes no difference to calls that only read. A run is disturbed at
every third call, so that three runs disturb them all.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.account import Account
from tests.support.clock import Time
from tests.support.configurations import FUNCTIONS
from tests.support.journeys import JOURNEYS
from tests.support.proxy import AwsProxy, Call, Refuse, Reset
from tests.support.recorded_calls import mutating, recorded

Fault = Callable[[int], Refuse | Reset]
Disturb = Callable[[str], None]
APART = 3


def unavailable(number: int) -> Refuse:
    """Every other one comes from a load balancer, without an AWS error code."""
    code = "ServiceUnavailableException" if number // APART % 2 else ""
    return Refuse(503, code, "Unavailable")


def reset(number: int) -> Reset:
    return Reset()


class Disturbance:
    """Spoils some of a journey's recorded calls, each once.

    It follows the record. Other calls are part of the recovery from a fault.
    """

    def __init__(self, calls: list[str], numbers: list[int], fault: Fault) -> None:
        self.left = list(numbers)
        self._calls = calls
        self._fault = fault
        self._next = 0
        self._spoiled = ("", b"")

    def __call__(self, call: Call) -> Refuse | Reset | None:
        number, request = self._next, (call.line, call.body)
        repeated = request == self._spoiled
        if repeated or number == len(self._calls) or call.operation != self._calls[number]:
            return None
        self._next += 1
        self._spoiled = ("", b"")
        if number not in self.left:
            return None
        self.left.remove(number)
        self._spoiled = request
        return self._fault(number)


@pytest.fixture(params=range(APART), ids=lambda first: f"from {first + 1}")
def disturb(
    unprepared: Account, proxy: AwsProxy, fault: Fault, request: pytest.FixtureRequest
) -> Disturb:
    """Run a journey with a fault at every third call, from one of the first three on."""

    def disturb(name: str) -> None:
        calls = recorded()[name]
        numbers = [
            number
            for number, call in enumerate(calls)
            if number % APART == request.param and (fault is unavailable or mutating([call]))
        ]
        disturbance = Disturbance(calls, numbers, fault)
        JOURNEYS[name].at_its_beginning(unprepared)
        proxy.begin(disturbance)

        JOURNEYS[name].run(unprepared, Time().options)

        assert disturbance.left == []

    return disturb


pytestmark = pytest.mark.parametrize("fault", [unavailable, reset], ids=["503", "reset"])


def test_a_first_deploy_survives_them(unprepared: Account, disturb: Callable[[str], None]) -> None:
    """The same deploy succeeds and leaves what an undisturbed one does."""
    disturb("first deploy")

    assert unprepared.state() == JOURNEYS["first deploy"].undisturbed(unprepared)


@pytest.mark.parametrize("name", ["change", "change back"])
def test_a_change_survives_them(unprepared: Account, disturb: Disturb, name: str) -> None:
    """It leaves what an undisturbed one does, and at most five versions."""
    disturb(name)

    assert len(unprepared.versions("gimel-track")) <= 5
    assert unprepared.state() == JOURNEYS[name].undisturbed(unprepared)


def test_a_rollback_survives_them(unprepared: Account, disturb: Disturb) -> None:
    """Every alias is moved."""
    disturb("rollback")

    assert {unprepared.live(name) for name in FUNCTIONS} == {1}


def test_a_destroy_survives_them(unprepared: Account, disturb: Disturb) -> None:
    """Nothing is left."""
    disturb("destroy")

    assert not any(unprepared.listing().values())
