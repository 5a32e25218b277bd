"""Figures in the documentation that are neither generated nor written by a benchmark."""

from __future__ import annotations

import sys
from pathlib import Path

import redis

from gimel.runtime.keys import counter_id, shard_keys

DOCS = Path(__file__).parents[1] / "docs"
sys.path.append(str(DOCS))


def test_memory_of_a_counter(store: redis.Redis) -> None:
    """A full HyperLogLog, whose experiment, goal and variant have names of 20 characters."""
    from reference import SHARD_BYTES

    key = shard_keys(counter_id("alephbet", "e" * 20, "g" * 20, "v" * 20, 16))[0]
    store.pfadd(key, *range(20_000))

    taken = store.memory_usage(key)

    assert isinstance(taken, int)
    # Redis' own allocator rounds the 12 KB of registers up to 14 KB; the C library's does not.
    assert SHARD_BYTES * 0.85 < taken <= SHARD_BYTES
