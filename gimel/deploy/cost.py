"""What events, floods of requests and snapshots cost, in US dollars in us-east-1. Pure.

Prices: https://aws.amazon.com/lambda/pricing/ and https://aws.amazon.com/api-gateway/pricing/,
without the free tier. Redis, data transfer out of AWS and the few cold starts are not included.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MILLION = 1_000_000
LAMBDA_REQUESTS = 0.20  # per million
REST_API_REQUESTS = 3.50  # per million
# Requests per month up to which a price per million applies. The rest costs the last one.
_REST_API_TIERS = ((333 * MILLION, REST_API_REQUESTS), (1e9, 2.80), (20e9, 2.38))
_REST_API_LAST_TIER = 1.51
GB_SECOND = {"arm64": 0.0000133334, "x86_64": 0.0000166667}
LOG_GB = 0.50
LOG_BYTES = 330  # about: the START, END and REPORT lines of an invocation
SCHEDULED_EVENTS = 1.00  # per million, the most that EventBridge bills for one
EVENT_SECONDS = 0.005  # assumed: one round trip to a Redis in the same region, and a little more
DAYS = 31  # of the longest month


@dataclass(frozen=True)
class Cost:
    """US dollars per million events, through the REST API and through a function's own URL."""

    through_api: float
    through_url: float


def cost_per_million(memory: int, architecture: str) -> Cost:
    """Return the cost of a function with so many MB of memory."""
    through_url = _invocations_per_million(memory, architecture)
    return Cost(round(REST_API_REQUESTS + through_url, 2), round(through_url, 2))


def cost_of_flood(
    rate: float, functions: Iterable[tuple[int, str]], *, preflights: int = 0
) -> float:
    """Return the cost of a month in which each method of a REST API is flooded.

    `rate` is how many requests per second each method takes. `functions` holds the memory in MB and
    the architecture of the function that each method calls. `preflights` is the number of further
    methods, which API Gateway answers itself.
    """
    requests = rate * DAYS * 86_400
    invocations = [_invocations_per_million(*function) for function in functions]
    api = _rest_api(requests * (len(invocations) + preflights))
    return round(api + requests / MILLION * sum(invocations), 2)


def cost_of_url_flood(rate: float, memory: int, architecture: str) -> float:
    """Return the cost of a month in which a function's own URL gets `rate` requests per second."""
    requests = rate * DAYS * 86_400
    return round(requests / MILLION * _invocations_per_million(memory, architecture), 2)


def snapshots_per_month(memory: int, architecture: str, seconds: float) -> float:
    """Return the cost of a snapshot a day that takes so many seconds, rounded to a tenth of a cent.

    The requests of webhooks and SNS, and Redis' commands, are not included.
    """
    compute = memory / 1024 * seconds * GB_SECOND[architecture]
    invocation = (LAMBDA_REQUESTS + SCHEDULED_EVENTS) / MILLION
    return round(DAYS * (compute + invocation), 3)


def _invocations_per_million(memory: int, architecture: str) -> float:
    """Return the cost of a million events without the REST API."""
    compute = memory / 1024 * EVENT_SECONDS * MILLION * GB_SECOND[architecture]
    logs = MILLION * LOG_BYTES / 1e9 * LOG_GB
    return LAMBDA_REQUESTS + compute + logs


def _rest_api(requests: float) -> float:
    """Return what API Gateway bills for a month's requests to a REST API."""
    cost = begin = 0.0
    for end, price in _REST_API_TIERS:
        cost += max(min(requests, end) - begin, 0) / MILLION * price
        begin = end
    return cost + max(requests - begin, 0) / MILLION * _REST_API_LAST_TIER
