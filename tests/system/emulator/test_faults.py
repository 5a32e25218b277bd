"""A failure at every AWS call of a first deploy, of changes, of a rollback and of a destroy.

Each is survived. A 503 replaces the call. A reset comes after the call was made, so that the client
cannot know whether it was; that makes no difference to calls that only read. A run is disturbed at
every third call, by both in turns, so that three runs disturb them all. tests/deploy/test_aws.py
tries both without an emulator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from tests.support.account import Account
from tests.support.clock import Time
from tests.support.configurations import FUNCTIONS
from tests.support.journeys import JOURNEYS
from tests.support.proxy import AwsProxy, Call, Refuse, Reset
from tests.support.recorded_calls import mutating, recorded

Disturb = Callable[[str], None]
APART = 3


def fault(number: int, operation: str) -> Refuse | Reset:
    """Return what happens to a call, by its number. Every other 503 has no AWS error code."""
    if number // APART % 2 and mutating([operation]):
        return Reset()
    code = "ServiceUnavailableException" if number // APART % 4 else ""
    return Refuse(503, code, "Unavailable")


class Disturbance:
    """Spoils some of a journey's recorded calls, each once.

    It follows the record. Other calls are part of the recovery from a fault.
    """

    def __init__(self, calls: list[str], numbers: Iterable[int]) -> None:
        self.left = list(numbers)
        self._calls = calls
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
        return fault(number, call.operation)


@pytest.fixture(params=range(APART), ids=lambda first: f"from {first + 1}")
def disturb(unprepared: Account, proxy: AwsProxy, request: pytest.FixtureRequest) -> Disturb:
    """Run a journey with a fault at every third call, from one of the first three on."""

    def disturb(name: str) -> None:
        calls = recorded()[name]
        disturbance = Disturbance(calls, range(request.param, len(calls), APART))
        JOURNEYS[name].at_its_beginning(unprepared)
        proxy.begin(disturbance)

        JOURNEYS[name].run(unprepared, Time().options)

        assert disturbance.left == []

    return disturb


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
