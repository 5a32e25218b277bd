"""A clock that only sleeping and calling move on, and what AWS makes a deploy wait for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.proxy import AwsProxy, Call, Refuse

Timing = Callable[[str, float], Refuse | None]
"""Return what AWS answers instead at a time in seconds, None where the operation goes through."""


@dataclass
class Time:
    """A clock in seconds. Sleeping on it takes no time."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)

    def clock(self) -> float:
        return self.now

    @property
    def options(self) -> dict[str, Any]:
        """What `Aws` takes to use this clock."""
        return {"sleep": self.sleep, "clock": self.clock}


def keep(proxy: AwsProxy, clock: Time, *timings: Timing) -> None:
    """Have AWS keep to these timings. Each call takes 0.05 seconds."""

    def fault(call: Call) -> Refuse | None:
        clock.now += 0.05
        return first(timings, call.operation, clock.now)

    proxy.begin(fault)


def first(timings: tuple[Timing, ...], operation: str, now: float) -> Refuse | None:
    """Return the answer of the first timing that has one. Every timing sees every call."""
    return next(
        (answer for answer in [timing(operation, now) for timing in timings] if answer), None
    )


def until(seconds: float, operations: tuple[str, ...], answer: Refuse) -> Timing:
    """Answer these operations so until that many seconds have passed since the first of them."""
    began: list[float] = []

    def timing(operation: str, now: float) -> Refuse | None:
        if operation not in operations:
            return None
        began.append(now)
        return answer if now - began[0] < seconds else None

    return timing


_WORDS = ("Api", "Resource", "Method", "Integration", "Gateway", "Deploy", "Stage", "Usage")
_APART = {  # seconds between two of them
    "CreateApiKey": 0.2,
    "CreateDeployment": 5.0,
    "CreateResource": 0.2,
    "CreateRestApi": 3.0,
    "DeleteApiKey": 0.2,
    "DeleteResource": 0.2,
    "DeleteRestApi": 30.0,
    "GetResources": 0.4,
    "UpdateUsagePlan": 20.0,
}


class Rates:
    """API Gateway's control plane: 10 calls per second, bursts of 40; fewer of some operations.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
    """

    def __init__(self) -> None:
        self.tokens, self.at = 40.0, 0.0
        self.last: dict[str, float] = {}
        self.refused = 0

    def __call__(self, operation: str, now: float) -> Refuse | None:
        if not any(word in operation for word in _WORDS):
            return None
        self.tokens, self.at = min(40.0, self.tokens + (now - self.at) * 10), now
        soon = now - self.last.get(operation, -99.0) < _APART.get(operation, 0.0)
        if self.tokens < 1 or soon:
            self.refused += 1
            return Refuse(429, "TooManyRequestsException", "Too Many Requests")
        self.tokens -= 1
        self.last[operation] = now
        return None
