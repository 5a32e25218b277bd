"""Simulated visitors, counted straight into a real store: as many as a verdict needs, in seconds.

The test decides who converts, so that an experiment has a known truth; what is read is what a
HyperLogLog makes of it. uuids are the same in every run, and so are the counts.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from zlib import crc32

import redis

from gimel.runtime import keys

Variants = Mapping[str, tuple[int, Mapping[str, int]]]


def count(
    store: redis.Redis,
    namespace: str,
    experiment: str,
    variants: Variants,
    precision: int = 16,
    since: int = 1_790_000_000,
) -> None:
    """Count the visitors of each variant, and those of them who reached each goal."""
    namespace, spelled = keys.encode(namespace), keys.encode(experiment)
    store.sadd(keys.experiments_key(namespace), experiment)
    store.hset(keys.meta_key(namespace, spelled), "since", since)
    for variant, (visitors, conversions) in variants.items():
        for goal, number in {"participate": visitors, **conversions}.items():
            counter = keys.counter_id(
                namespace, spelled, keys.encode(goal), keys.encode(variant), precision
            )
            store.sadd(keys.counters_key(namespace), counter)
            store.sadd(keys.experiment_counters_key(namespace, spelled), counter)
            shards: dict[str, list[str]] = {}
            for visitor in range(number):
                uuid = f"{variant}-{visitor}"
                key = counter if precision == 1 else f"{counter}:{crc32(uuid.encode()) % precision}"
                shards.setdefault(key, []).append(uuid)
            for key, uuids in shards.items():
                for start in range(0, len(uuids), 5000):
                    store.pfadd(key, *itertools.islice(uuids, start, start + 5000))
