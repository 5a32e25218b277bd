"""What the store contains, read by redis-py from the documented key layout, without Gimel's code."""

from __future__ import annotations

import math
from typing import Any

import redis


def snapshot(store: redis.Redis) -> dict[str, object]:
    """Return every key with its content: a set, a hash, or a string's bytes."""
    readers: dict[Any, Any] = {b"set": store.smembers, b"hash": store.hgetall, b"string": store.get}
    return {key.decode(): readers[store.type(key)](key) for key in store.scan_iter()}


def counter_id(
    experiment: str, goal: str, variant: str, precision: int = 16, namespace: str = "alephbet"
) -> str:
    """Return a counter's id; the names hold neither `:` nor `%`."""
    plain = f"{namespace}:counters:{experiment}:{goal}:{variant}"
    return plain if precision == 1 else f"{plain}::{precision}"


def shards(counter: str, precision: int) -> list[str]:
    return [counter] if precision == 1 else [f"{counter}:{shard}" for shard in range(precision)]


def count(
    store: redis.Redis,
    experiment: str,
    goal: str,
    variant: str,
    precision: int = 16,
    namespace: str = "alephbet",
) -> int:
    """Return what a counter of this precision counted: each shard's PFCOUNT, its rounding undone where it was rounded."""
    counts = [
        store.pfcount(key)
        for key in shards(counter_id(experiment, goal, variant, precision, namespace), precision)
    ]
    return counts[0] if precision == 1 else round(sum(_before_rounding(x) for x in counts))


def _before_rounding(x: int) -> float:
    if x >= 2000:
        return x
    occupied = round(16384 * (1 - math.exp(-x / 16384)))
    return -16384 * math.log(1 - occupied / 16384)
