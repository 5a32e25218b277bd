"""The throttle of the REST API, and what a month of requests at that rate costs. Pure.

API Gateway applies the throttle of a stage to each method, not to the stage as a whole:
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html.
So the worst month is one in which somebody floods every method that AWS bills for. It does not bill
for throttled requests, for unknown paths, or for requests without the API key that a method
requires: https://repost.aws/questions/QU5y4fo-e3RWyU5r4VmyPIzA/.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gimel.deploy.cost import cost_of_flood, cost_of_url_flood
from gimel.deploy.desired import Desired, DesiredFunction
from gimel.wiring import Route, Wiring

FORMER_DEFAULT = 1000
"""Requests per second and method, the default before there was a limit on the worst month."""

URL_RATE = 10
"""Requests per second to a function URL that AWS allows per unit of its reserved concurrency.

https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html
"""


@dataclass(frozen=True)
class UnthrottledUrl:
    """A function whose own URL has no throttle.

    Attributes:
        function: Its name.
        rate: Requests per second that its reserved concurrency allows, None without one.
        dollars: What a month of requests at that rate costs, None without one.
    """

    function: str
    rate: int | None
    dollars: float | None

    def __str__(self) -> str:
        setting = f"aws.functions.{self.function}.reserved_concurrency"
        if self.rate is None or self.dollars is None:
            limit = f"Set {setting} to limit what a month can cost."
        else:
            limit = (
                f"Its {setting} allows {self.rate:,} requests per second: about "
                f"${self.dollars:,.0f} in the worst month."
            )
        return f"The function URL of {self.function} has no throttle. {limit}"


@dataclass(frozen=True)
class CostGuard:
    """What a flood of requests can cost.

    Attributes:
        rate: Requests per second that each method of the API takes, None without a throttle.
        burst: Requests that each method takes at once, None without a throttle.
        methods: How many methods a stranger can flood at the owner's expense.
        dollars: What a month costs if all of them are flooded, None without a throttle.
        urls: The function URLs, which the throttle does not limit.
    """

    rate: float | None
    burst: int | None
    methods: int
    dollars: float | None
    urls: tuple[UnthrottledUrl, ...]

    def lines(self) -> Iterator[str]:
        """Yield it in words."""
        if self.dollars is None:
            yield "The API has no throttle: nothing limits what a month can cost."
        else:
            yield (
                f"Worst month that the throttle allows: about ${self.dollars:,.0f} "
                f"({self.rate:,.15g} requests per second to each of {self.methods} public methods)."
            )
        yield from map(str, self.urls)

    def as_json(self) -> dict[str, Any]:
        """Return it for a program to read."""
        return {
            "rate": self.rate,
            "burst": self.burst,
            "public_methods": self.methods,
            "worst_month_dollars": self.dollars,
            "unthrottled_function_urls": [each.function for each in self.urls],
        }


def cost_guard(desired: Desired) -> CostGuard:
    """Return what a flood can cost once the configuration is deployed."""
    throttle = desired.config.document.aws.throttle
    return cost_guard_at(desired, throttle.rate, throttle.burst)


def cost_guard_at(desired: Desired, rate: float | None, burst: int | None) -> CostGuard:
    """Return what a flood can cost at another throttle than the configured one."""
    wiring = desired.config.wiring
    return CostGuard(
        rate=rate,
        burst=burst,
        methods=len(_public(wiring)) + _count_preflights(wiring),
        dollars=None if rate is None else worst_month(desired, rate),
        urls=tuple(_unthrottled(each) for each in desired.functions if each.url),
    )


def worst_month(desired: Desired, rate: float) -> float:
    """Return the US dollars of 31 days in which each public method gets that rate."""
    configurations = {each.name: each.configuration for each in desired.functions}
    wiring = desired.config.wiring
    called = [configurations[route.function] for route in _public(wiring)]
    return cost_of_flood(
        rate,
        [(each.memory, each.architecture) for each in called],
        preflights=_count_preflights(wiring),
    )


def _unthrottled(function: DesiredFunction) -> UnthrottledUrl:
    if function.reserved_concurrency is None:
        return UnthrottledUrl(function.name, None, None)
    rate = URL_RATE * function.reserved_concurrency
    configuration = function.configuration
    dollars = cost_of_url_flood(rate, configuration.memory, configuration.architecture)
    return UnthrottledUrl(function.name, rate, dollars)


def _public(wiring: Wiring) -> list[Route]:
    return [route for route in wiring.routes if not route.api_key_required]


def _count_preflights(wiring: Wiring) -> int:
    """Return the number of OPTIONS methods, one per path, which API Gateway answers itself."""
    return len({route.path for route in wiring.routes})
