"""What the tests of Redis Cluster share: commands to a node, and keys that it serves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import redis
from redis.crc import key_slot


def ask(admin: redis.Redis, command: str, *arguments: object) -> Any:
    return admin.execute_command(command, *arguments)  # type: ignore[no-untyped-call]


def key_on(node: int, tag: str = "k") -> str:
    """Return a key whose slot is served by the node with this number, of three."""
    return next(
        key
        for key in (f"{tag}{number}" for number in range(100))
        if key_slot(key.encode()) * 3 // 16384 == node
    )


@contextlib.contextmanager
def migrating(source: redis.Redis, target: redis.Redis, key: str) -> Iterator[None]:
    """Let a slot migrate that has no keys, so that its commands are answered ASK."""
    slot = key_slot(key.encode())
    ask(target, "CLUSTER SETSLOT", slot, "IMPORTING", ask(source, "CLUSTER MYID"))
    ask(source, "CLUSTER SETSLOT", slot, "MIGRATING", ask(target, "CLUSTER MYID"))
    try:
        yield
    finally:
        target.flushall()
        for admin in (source, target):
            ask(admin, "CLUSTER SETSLOT", slot, "STABLE")
