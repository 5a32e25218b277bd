"""The contents of a store, read by redis-py.

Written from the documented key layout and formulas, without Gimel's code.
"""

from __future__ import annotations

import math
from typing import Any

import redis

Contents = dict[str, Any]


def snapshot(store: redis.Redis) -> Contents:
    """Return every key with its content: a set, a hash, or the bytes of a string."""
    keys = sorted(store.scan_iter(count=1000))
    types = _each(store, "type", keys)
    contents: Contents = {}
    for kind, reader in ((b"set", "smembers"), (b"hash", "hgetall"), (b"string", "get")):
        of_kind = [key for key, found in zip(keys, types, strict=True) if found == kind]
        found = _each(store, reader, of_kind)
        contents.update(zip((key.decode() for key in of_kind), found, strict=True))
    unknown = {key.decode() for key in keys} - contents.keys()
    assert not unknown, f"keys of another type: {unknown}"
    return contents


def without_notes(contents: Contents, since: bool = True) -> Contents:
    """Return a snapshot without the figures of ignored events; if `since` is False, without it."""
    kept: Contents = {}
    for key, content in contents.items():
        if isinstance(content, dict):
            notes = (b"ignored:",) if since else (b"ignored:", b"since")
            content = {
                field: value for field, value in content.items() if not field.startswith(notes)
            }
        if content:
            kept[key] = content
    return kept


def notes(store: redis.Redis, key: str) -> Contents:
    """Return the figures of ignored events in a meta hash."""
    fields: Any = store.hgetall(key)
    return {
        field.decode(): int(value)
        for field, value in fields.items()
        if field not in (b"since", b"precision")
    }


def counter_id(
    experiment: str, goal: str, variant: str, precision: int = 16, namespace: str = "alephbet"
) -> str:
    """Return a counter's id. The names must contain neither `:` nor `%`."""
    plain = f"{namespace}:counters:{experiment}:{goal}:{variant}"
    return plain if precision == 1 else f"{plain}::{precision}"


def shards(counter: str, precision: int) -> list[str]:
    """Return the keys of a counter's HyperLogLogs."""
    return [counter] if precision == 1 else [f"{counter}:{shard}" for shard in range(precision)]


def count(
    store: redis.Redis,
    experiment: str,
    goal: str,
    variant: str,
    precision: int = 16,
    namespace: str = "alephbet",
) -> int:
    """Return the count of a counter: the sum of its shards' PFCOUNT, with the rounding undone."""
    counter = counter_id(experiment, goal, variant, precision, namespace)
    counts = _each(store, "pfcount", shards(counter, precision))
    return int(counts[0]) if precision == 1 else round(sum(map(_before_rounding, counts)))


def _each(store: redis.Redis, command: str, keys: list[Any]) -> list[Any]:
    """Run a command of redis-py on each key, in one round trip."""
    with store.pipeline(transaction=False) as pipeline:
        for key in keys:
            getattr(pipeline, command)(key)
        return pipeline.execute()


def _before_rounding(x: int) -> float:
    if x >= 2000:
        return x
    occupied = round(16384 * (1 - math.exp(-x / 16384)))
    return -16384 * math.log(1 - occupied / 16384)
