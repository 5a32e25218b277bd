"""Another version on the same Redis: an early 2.0.0, which counted first and looked later.

1.5.0 itself runs in tests/system/upgrade_from_1_5_0.
"""

from __future__ import annotations

import zlib
from itertools import permutations

import pytest
import redis

import gimel
from gimel.runtime import process
from tests.support.events import OK
from tests.support.redis_content import count, counter_id, notes, snapshot
from tests.support.sending import send


def early(store: redis.Redis, uuid: str, variant: str = "red", precision: int = 16) -> None:
    """Count an event as the early 2.0.0 did: names, counter and visitor in one round trip."""
    counter = counter_id("button", "participate", variant, precision)
    with store.pipeline(transaction=False) as pipeline:
        pipeline.sadd("alephbet:experiments", "button")
        pipeline.sadd("alephbet:counter_keys", counter)
        pipeline.sadd("alephbet:button:counter_keys", counter)
        pipeline.pfadd(f"{counter}:{zlib.crc32(uuid.encode()) % precision}", uuid)
        is_new = pipeline.execute()[0]
    if is_new:
        store.hsetnx("alephbet:button:meta", "since", "1750000000")
        store.sadd("gimel:namespaces", "alephbet")


@pytest.mark.parametrize("order", sorted(set(permutations("eett"))), ids="".join)
def test_in_turns(gimel_store: redis.Redis, order: tuple[str, ...]) -> None:
    """Whichever version is first, and however they take turns, each visitor counts once."""
    for number, version in enumerate(order):
        for variant in ("red", "blue"):
            for uuid in ("both", f"visitor {number}"):
                if version == "e":
                    early(gimel_store, uuid, variant)
                else:
                    assert send(uuid=uuid, variant=variant) == OK

    for variant in ("red", "blue"):
        assert count(gimel_store, "button", "participate", variant) == 1 + len(order)
    (button,) = gimel.all({})[1:]
    assert button["since"] is not None
    assert [each["trials_by_precision"] for each in button["participants"]] == [{"16": 5}] * 2


def test_its_notes_stay(gimel_store: redis.Redis) -> None:
    """The figures of ignored events that the early version noted are kept."""
    early(gimel_store, "1")
    gimel_store.hincrby("alephbet:button:meta", "ignored:bot", 7)

    send(uuid="2")

    assert notes(gimel_store, "alephbet:button:meta") == {"ignored:bot": 7}


def test_what_its_interrupted_delete_left(gimel_store: redis.Redis) -> None:
    """The early version removed the indexes first: what its own index still lists is deleted."""
    early(gimel_store, "1")
    early(gimel_store, "1", "blue")
    gimel_store.delete("alephbet:button:counter_keys")
    gimel_store.srem("alephbet:experiments", "button")
    process.forget()

    assert gimel.delete({"experiment": "button"}) == {"status": "ok", "deleted": 2}
    assert snapshot(gimel_store) == {}
