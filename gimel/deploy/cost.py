"""What a million events and a month of snapshots cost, in US dollars in us-east-1. Pure.

Prices: https://aws.amazon.com/lambda/pricing/ and https://aws.amazon.com/api-gateway/pricing/,
without the free tier. Redis, data transfer out of AWS and the few cold starts are not included.
"""

from __future__ import annotations

from dataclasses import dataclass

MILLION = 1_000_000
LAMBDA_REQUESTS = 0.20  # per million
REST_API_REQUESTS = 3.50  # per million
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
    compute = memory / 1024 * EVENT_SECONDS * MILLION * GB_SECOND[architecture]
    logs = MILLION * LOG_BYTES / 1e9 * LOG_GB
    through_url = LAMBDA_REQUESTS + compute + logs
    return Cost(round(REST_API_REQUESTS + through_url, 2), round(through_url, 2))


def snapshots_per_month(memory: int, architecture: str, seconds: float) -> float:
    """Return the cost of a snapshot a day that takes so many seconds, rounded to a tenth of a cent.

    The requests of webhooks and SNS, and Redis' commands, are not included.
    """
    compute = memory / 1024 * seconds * GB_SECOND[architecture]
    invocation = (LAMBDA_REQUESTS + SCHEDULED_EVENTS) / MILLION
    return round(DAYS * (compute + invocation), 3)
