"""AWS's timing and failures, put between botocore and the emulated account: deploy waits, repeats, or says which step failed.

Time is a clock of its own, which only sleeping and calling move on.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore import exceptions

from gimel.errors import GimelError
from tests.deploy.account import Account, mutating, versions

Fault = Callable[[str, float], tuple[int, str, str] | None]


class Killed(BaseException):
    """The process ended here; nothing catches it."""


@dataclass
class Time:
    """A clock that sleeping moves on. A little real time passes with it, for the emulator's own half seconds."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)
        time.sleep(0.02)

    def clock(self) -> float:
        return self.now

    @property
    def options(self) -> dict[str, Any]:
        return {"sleep": self.sleep, "clock": self.clock}


def answers(account: Account, clock: Time, fault: Fault) -> None:
    """Have AWS answer with the fault's (status, code, message), where it gives one for an operation at a time."""

    def hook(events: Any) -> None:
        def answer(model: Any, **_: Any) -> Any:
            clock.now += 0.05
            given = fault(model.name, clock.now)
            if given is None:
                return None
            status, code, message = given
            http = type("Http", (), {"status_code": status})()
            error = {"Code": code, "Message": message}
            return http, {"Error": error, "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}}}

        events.register("before-call", answer)

    account.hooks.append(hook)


def until(seconds: float, operations: tuple[str, ...], answer: tuple[int, str, str]) -> Fault:
    """Answer these operations so until that many seconds have passed since the first of them."""
    first: list[float] = []

    def fault(operation: str, now: float) -> tuple[int, str, str] | None:
        if operation not in operations:
            return None
        first.append(now)
        return answer if now - first[0] < seconds else None

    return fault


PENDING = "The operation cannot be performed at this time. The function is currently in the following state: Pending"
IN_PROGRESS = "The operation cannot be performed at this time. An update is in progress for resource: gimel-track"
NO_ROLE = "The role defined for the function cannot be assumed by Lambda."
CONCURRENT = "Unable to complete operation due to concurrent modification. Please try again later."
CHANGING = ("UpdateFunctionConfiguration", "UpdateFunctionCode", "PublishVersion", "UpdateAlias")


@pytest.mark.parametrize(
    "fault",
    [
        until(20, ("CreateFunction",), (400, "InvalidParameterValueException", NO_ROLE)),
        until(100, ("CreateFunction",), (400, "InvalidParameterValueException", NO_ROLE)),
        until(90, ("CreateAlias", "AddPermission"), (409, "ResourceConflictException", PENDING)),
        until(30, ("PutMethod", "PutIntegration", "CreateDeployment"), (409, "ConflictException", CONCURRENT)),
        until(30, ("CreateDeployment",), (429, "TooManyRequestsException", "Too Many Requests")),
        until(10, ("CreateRole",), (409, "ConcurrentModification", "Another change is in progress")),
    ],
    ids=["role after 20 s", "role after 100 s", "function pending", "concurrent change", "too many", "role being changed"],
)
def test_a_first_deploy_waits_for_what_passes(account: Account, fault: Fault) -> None:
    """It succeeds by itself, and afterwards nothing is left to do."""
    clock = Time()
    answers(account, clock, fault)

    account.deploy(clock.options)

    account.hooks.clear()
    assert account.plan() == ()
    assert account.ask("track", experiment="e", variant="v", event="participate", uuid="u").status == 200


def test_a_change_waits_while_an_update_is_in_progress(account: Account) -> None:
    """Every call that changes a function is refused for half a minute each, and made at last."""
    account.deploy()
    clock = Time()
    for operation in CHANGING:
        answers(account, clock, until(30, (operation,), (409, "ResourceConflictException", IN_PROGRESS)))
    change = {"aws": {"functions": {"gimel-track": {"memory": 256}}, "architecture": "x86_64"}}

    account.deploy(clock.options, **change)

    account.hooks.clear()
    assert account.plan(**change) == ()
    assert versions(account, "gimel-track") == [1, 2]


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        (until(9e9, ("CreateFunction",), (400, "InvalidParameterValueException", NO_ROLE)), "Create the function gimel-track"),
        (until(9e9, ("PutIntegration",), (429, "TooManyRequestsException", "Too Many Requests")), "Wire GET /track"),
        (until(9e9, ("CreateApiKey",), (503, "ServiceUnavailableException", "")), "Create the API key"),
    ],
    ids=["role never", "throttled for ever", "service down"],
)
def test_what_never_passes_ends_with_the_step(account: Account, fault: Fault, step: str) -> None:
    """Patience is bounded; the error names the step, and the next deploy completes what is missing."""
    clock = Time()
    answers(account, clock, fault)

    with pytest.raises(GimelError) as failure:
        account.deploy(clock.options)

    assert step in failure.value.message
    assert clock.now < 400
    account.hooks.clear()
    account.deploy()
    assert account.plan() == ()


_APART = {"CreateRestApi": 3.0, "CreateDeployment": 5.0, "UpdateUsagePlan": 20.0, "CreateResource": 0.2}  # seconds


class Rates:
    """API Gateway's control plane: 10 calls a second in all, 40 at once; some operations less.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
    """

    def __init__(self) -> None:
        self.tokens, self.at = 40.0, 0.0
        self.last: dict[str, float] = {}
        self.refused = 0

    def __call__(self, operation: str, now: float) -> tuple[int, str, str] | None:
        if not any(
            word in operation for word in ("Api", "Resource", "Method", "Integration", "Gateway", "Deploy", "Stage", "Usage")
        ):
            return None
        self.tokens, self.at = min(40.0, self.tokens + (now - self.at) * 10), now
        soon = now - self.last.get(operation, -99.0) < _APART.get(operation, 0.0)
        if self.tokens < 1 or soon:
            self.refused += 1
            return 429, "TooManyRequestsException", "Too Many Requests"
        self.tokens -= 1
        self.last[operation] = now
        return None


def test_api_gateways_real_rates_are_kept_to(account: Account) -> None:
    """A first deploy, a change and a destroy in a row succeed at the rates that AWS allows, within four minutes."""
    clock, rates = Time(), Rates()
    answers(account, clock, rates)

    account.deploy(clock.options)
    account.deploy(clock.options, extra_wiring=[WIDER])

    assert rates.refused > 0
    assert clock.now < 240
    assert account.plan(extra_wiring=[WIDER]) == ()


WIDER = {
    "lambda": {"FunctionName": "gimel-track", "Handler": "gimel.track"},
    "api_gateway": {"pathPart": "t", "method": {"httpMethod": "GET"}},
}


def breaks(account: Account, number: int, kind: str) -> list[str]:
    """Let the call of that number fail once. Returns the calls made, which grows."""
    calls: list[str] = []

    def hook(events: Any) -> None:
        def before(model: Any, **_: Any) -> Any:
            calls.append(model.name)
            if len(calls) != number:
                return None
            if kind == "killed before":
                raise Killed
            if kind == "503":
                http = type("Http", (), {"status_code": 503})()
                return http, {"Error": {"Code": "503", "Message": "Unavailable"}, "ResponseMetadata": {"HTTPStatusCode": 503}}
            return None

        def after(model: Any, **_: Any) -> None:
            if len(calls) == number and kind == "reset":
                calls.append("reset")
                raise exceptions.ConnectionClosedError(endpoint_url="https://aws")
            if len(calls) == number and kind == "killed after":
                raise Killed

        events.register("before-call", before)
        events.register("after-call", after)

    account.hooks[:] = [hook]
    return calls


@pytest.mark.parametrize("kind", ["503", "reset"])
def test_one_failure_at_any_call_is_survived(account: Account, emulator: Any, kind: str) -> None:
    """A 503 before a call is done, or a reset after it was: the same deploy succeeds, and nothing is there twice."""
    number, total = 0, 1
    while number < total:
        number += 1
        emulator.reset()
        calls = breaks(account, number, kind)
        result = account.deploy(Time().options)
        account.hooks.clear()
        assert account.plan() == (), f"call {number}, {calls[number - 1]}"
        assert twice(account) == [], f"call {number}, {calls[number - 1]}"
        total = len(result.calls)
    assert number > 50


@pytest.mark.parametrize("kind", ["killed before", "killed after"])
def test_after_a_kill_at_any_call_the_next_deploy_completes_it(account: Account, emulator: Any, kind: str) -> None:
    """Whatever call was the last one: the next deploy ends where an undisturbed one does, with nothing twice."""
    number = 0
    while True:
        number += 1
        emulator.reset()
        calls = breaks(account, number, kind)
        try:
            account.deploy()
        except Killed:
            account.hooks.clear()
        else:
            break
        if mutating(calls[-1:]):
            account.deploy()
            assert account.plan() == (), f"call {number}, {calls[-1]}"
            assert twice(account) == [], f"call {number}, {calls[-1]}"
    assert number > 50


CHANGE: dict[str, Any] = {
    "aws": {"functions": {"gimel-track": {"memory": 256}}, "architecture": "x86_64", "tags": {"team": "web"}},
    "extra_wiring": [WIDER, {"lambda": WIDER["lambda"], "function_url": True}],
}


@pytest.mark.parametrize("kind", ["reset", "killed after"])
def test_one_failure_at_any_call_of_a_change_is_completed(account: Account, kind: str) -> None:
    """There and back again: after a reset by itself, after a kill by the next deploy; at most five versions stay."""
    account.deploy()
    number = 0
    while True:
        number += 1
        broken = False
        for document in (CHANGE, {}):
            calls = breaks(account, number, kind)
            with contextlib.suppress(Killed):
                account.deploy(Time().options, **document)
            account.hooks.clear()
            broken = broken or len(calls) >= number
            if kind == "reset":
                assert account.plan(**document) == (), f"call {number}, {calls[-1]}"
            elif len(calls) == number and mutating(calls[-1:]):
                account.deploy(Time().options, **document)
                assert account.plan(**document) == (), f"call {number}, {calls[-1]}"
        assert twice(account) == [], f"call {number}"
        assert len(versions(account, "gimel-track")) <= 5
        if not broken:
            break
    assert number > 25


@pytest.mark.parametrize("kind", ["reset", "killed after"])
def test_one_failure_at_any_call_of_a_destroy_is_completed(account: Account, kind: str) -> None:
    """After a reset by itself, after a kill by the next destroy: nothing is left."""
    number = 0
    while True:
        number += 1
        account.deploy(**CHANGE)
        calls = breaks(account, number, kind)
        with contextlib.suppress(Killed):
            account.destroy(Time().options)
        account.hooks.clear()
        if len(calls) < number:
            break
        if kind != "reset":
            account.destroy()
        assert not any(account.listing().values()), f"call {number}, {calls[-1]}"
    assert number > 25


def credentials(code: str, message: str) -> Fault:
    return lambda operation, now: (403, code, message)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (credentials("ExpiredToken", "The security token included in the request is expired"), "credentials have expired"),
        (
            credentials("ExpiredTokenException", "The security token included in the request is expired"),
            "credentials have expired",
        ),
        (credentials("InvalidClientTokenId", "The security token included in the request is invalid."), "does not accept"),
        (
            credentials("AccessDenied", "User: arn:aws:iam::1:user/u is not authorized to perform: iam:GetRole on"),
            "iam:GetRole",
        ),
        (credentials("AccessDeniedException", ""), "AWS does not allow sts:GetCallerIdentity"),
    ],
    ids=["expired", "expired, in other words", "invalid", "denied", "denied without a word"],
)
def test_refused_credentials_are_named(account: Account, fault: Fault, message: str) -> None:
    """At once, without repeating the call."""
    clock = Time()
    answers(account, clock, fault)

    with pytest.raises(GimelError) as failure:
        account.deploy(clock.options)

    assert message in failure.value.message
    assert clock.slept == []


def twice(account: Account) -> list[str]:
    """Return what is not there exactly once."""
    listing = account.listing()
    return [f"{what}: {len(listing[what])}" for what in ("apis", "keys", "plans") if len(listing[what]) != 1]
