"""What other programs, or damage, may leave under a counter's key: none of it is a count."""

from __future__ import annotations

from collections.abc import Callable

import redis

Put = Callable[[redis.Redis, str], object]


def damaged(store: redis.Redis, key: str) -> None:
    """Write a HyperLogLog whose registers do not add up."""
    store.pfadd(key, *range(100))
    store.setrange(key, 16, b"\0\0\0\0")


def truncated(store: redis.Redis, key: str) -> None:
    """Write a HyperLogLog of the large encoding that breaks off."""
    store.pfadd(key, *range(5000))
    store.set(key, store.getrange(key, 0, 999))


FOREIGN: dict[str, Put] = {
    "a list": lambda store, key: store.rpush(key, 1, 2),
    "a hash": lambda store, key: store.hset(key, "a", "1"),
    "a set": lambda store, key: store.sadd(key, 1),
    "text": lambda store, key: store.set(key, "many"),
    "bytes that are not text": lambda store, key: store.set(key, b"\xff\xfe"),
    "an empty string": lambda store, key: store.set(key, ""),
    "a fraction": lambda store, key: store.set(key, "12.5"),
    "a negative number": lambda store, key: store.set(key, "-3"),
    "a number larger than any count": lambda store, key: store.set(key, "9" * 21),
    "a damaged HyperLogLog": damaged,
    "a truncated HyperLogLog": truncated,
}

# Redis adds to a HyperLogLog without checking whether it is intact.
REFUSED = {name: put for name, put in FOREIGN.items() if put is not damaged}
