"""What the store that Gimel creates costs, in US dollars in us-east-1. Pure.

Prices: https://aws.amazon.com/elasticache/pricing/, those of ElastiCache Serverless for Valkey.
Its network endpoint costs nothing.
"""

from __future__ import annotations

from gimel.deploy.cost import DAYS

GB_HOUR = 0.084
LEAST_GB = 0.1  # that are billed of each store
MILLION_ECPUS = 0.0023
ECPUS_PER_EVENT = 2  # one for each of its two commands, which transfer less than 1 KB
SNAPSHOT_GB_MONTH = 0.085

HOURS = 730  # of an average month, as in AWS's examples


def store_at_rest() -> float:
    """Return the cost of a month with up to 100 MB of counts and no events."""
    return round(LEAST_GB * HOURS * GB_HOUR, 2)


def store_per_million_events() -> float:
    """Return what a million events add to it."""
    return round(ECPUS_PER_EVENT * MILLION_ECPUS, 4)


def most_per_month(gigabytes: int, ecpus_per_second: int) -> float:
    """Return the cost of the longest month at the limits of a store."""
    seconds = DAYS * 24 * 3600
    storage = gigabytes * DAYS * 24 * GB_HOUR
    return round(storage + ecpus_per_second * seconds / 1e6 * MILLION_ECPUS, 2)


def describe_store_cost() -> str:
    """Return the price of a store in words: "about $6.13 a month, and half a cent ..."."""
    return (
        f"about ${store_at_rest():.2f} a month in us-east-1 with up to 100 MB of counts, and "
        f"${store_per_million_events():.4f} per million events"
    )


def store_cost_as_json() -> dict[str, float]:
    """Return the same for a program to read."""
    return {"per_month": store_at_rest(), "per_million_events": store_per_million_events()}
