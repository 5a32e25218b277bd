"""What the tests of Redis Cluster share: commands to a node, and keys that it serves."""

from __future__ import annotations

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
