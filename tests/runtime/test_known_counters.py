"""The counters that a process knows: what happens when they vanish, or when there are many."""

from __future__ import annotations

import pytest
import redis

import gimel
from gimel.runtime import counting, process
from tests.support.events import EVENT, OK, Configure, ignored
from tests.support.redis_content import count, snapshot, without_notes
from tests.support.sending import send, send_batch


def test_deleted_elsewhere(gimel_store: redis.Redis) -> None:
    """A known counter that was deleted is created again, with everything that belongs to it."""
    send()
    complete = without_notes(snapshot(gimel_store), since=False)
    gimel_store.flushall()

    assert send() == OK

    assert without_notes(snapshot(gimel_store), since=False) == complete
    assert count(gimel_store, "button", "participate", "red") == 1


def test_deleted_elsewhere_and_refused(gimel_store: redis.Redis, configure: Configure) -> None:
    """What an event wrote into a deleted counter that stays deleted is left to the next delete."""
    configure(limits={"experiments": 1})
    send()
    gimel_store.flushall()
    process_that_knows_it = process.current()
    process.forget()
    send(experiment="other")
    process._kept = process_that_knows_it

    assert send() == ignored("limit reached")

    (entry,) = gimel_store.smembers("alephbet:button:deleting")
    assert str(entry).endswith(" alephbet:counters:button:participate:red::16'")
    assert gimel.delete({"experiment": "button"}) == {"status": "ok", "deleted": 1}
    assert not gimel_store.keys("alephbet:*button*:*[0-9]")


def test_one_visitor_in_a_known_and_a_new_counter(gimel_store: redis.Redis) -> None:
    """A batch may mix known counters, new ones, and known ones that were deleted."""
    send_batch({}, {"experiment": "gone"})
    gimel.delete({"experiment": "gone"})

    answers = send_batch({}, {"experiment": "gone"}, {"experiment": "new"}, {"event": "buy"})

    assert answers == [OK] * 4
    for experiment in ("button", "gone", "new"):
        assert count(gimel_store, experiment, "participate", "red") == 1
    assert count(gimel_store, "button", "buy", "red") == 1


def test_more_than_a_process_keeps(
    gimel_store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest ones are forgotten, and their events are counted all the same."""
    monkeypatch.setattr(counting, "_MOST_KNOWN", 3)
    variants = [f"v{number}" for number in range(8)]

    for _ in range(2):
        assert send_batch(*({"variant": variant} for variant in variants)) == [OK] * 8
        assert [send(variant=variant) for variant in variants] == [OK] * 8

    assert len(process.current().known) == 3
    assert [count(gimel_store, "button", "participate", v) for v in variants] == [1] * 8


def test_names_that_are_not_allowed_are_never_known(
    gimel_store: redis.Redis, configure: Configure
) -> None:
    """Neither with new settings nor with a crawler's event does a known counter count."""
    send()
    configure(allowed_experiments=["other"])

    assert gimel.track(EVENT) == ignored("experiment not allowed")
