"""The verdict of a drill finds each kind of mistake: a drill that always passes shows nothing.

Here the answers and the content of the store are made up, one deviation per test.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.faults.clients import Call
from tests.faults.drill import judge
from tests.faults.traffic import Event, registers, traffic
from tests.support.redis_content import Contents

OVER = 100.0
"""When the outage of the tests was over."""
KNOWN = Event("button", "red", "buy", "visitor-1", register=5, rank=2)
NEW = Event("banner", "top", "participate", "visitor-2", register=70, rank=1)
LIMITED = Event("button", "blue", "buy", "visitor-3", register=900, rank=3, counted=False)
EVENTS = [KNOWN, NEW, LIMITED]


def sparse(register: int, rank: int) -> bytes:
    """Return a HyperLogLog with one register, as Redis would store it."""
    rest = 16384 - register - 1
    codes = [0x40 | register - 1 >> 8, register - 1 & 0xFF, 0x80 | rank - 1 << 2]
    return b"HYLL\x01" + bytes(11) + bytes([*codes, 0x40 | rest - 1 >> 8, rest - 1 & 0xFF])


def good_contents() -> Contents:
    """Return what a store holds after KNOWN and NEW."""
    return {
        "alephbet:experiments": {b"button", b"banner"},
        "alephbet:counter_keys": {KNOWN.counter.encode(), NEW.counter.encode()},
        "alephbet:button:counter_keys": {KNOWN.counter.encode()},
        "alephbet:banner:counter_keys": {NEW.counter.encode()},
        "alephbet:button:meta": {b"since": b"1"},
        "alephbet:banner:meta": {b"since": b"2"},
        KNOWN.slot[0]: sparse(KNOWN.register, KNOWN.rank),
        NEW.slot[0]: sparse(NEW.register, NEW.rank),
    }


def good_calls() -> list[Call]:
    """Return calls of two clients: one of each is refused, and everything delivered later."""
    refused = [
        Call(0, KNOWN, OVER - 2, 1.6, 503, {"error": "later"}),
        Call(1, NEW, OVER - 1, 0.1, 503, {"error": "later"}),
    ]
    delivered = [
        Call(client, event, OVER + number, 0.1, 200, event.answer)
        for number, (client, event) in enumerate([(0, KNOWN), (1, NEW), (0, LIMITED)], 1)
    ]
    return [*refused, *delivered]


def problems(calls: list[Call], contents: Contents) -> list[str]:
    return judge("test", EVENTS, calls, OVER, contents).problems()


def test_a_good_drill_has_no_problems() -> None:
    """Events that were delivered, counted and listed cause no problem."""
    assert problems(good_calls(), good_contents()) == []


ContentChange = Callable[[Contents], Any]
CONTENTS: dict[str, tuple[ContentChange, str]] = {
    "no counter": (lambda c: c.pop(KNOWN.slot[0]), "1 events lost"),
    "other register": (lambda c: c.update({NEW.slot[0]: sparse(71, 1)}), "1 events lost"),
    "other rank": (lambda c: c.update({NEW.slot[0]: sparse(70, 2)}), "1 misplaced"),
    "other shard": (lambda c: c.update({f"{KNOWN.counter}:x": sparse(5, 2)}), "1 misplaced"),
    "over the limit": (lambda c: c.update({LIMITED.slot[0]: sparse(900, 3)}), "1 misplaced"),
    "no name": (lambda c: c["alephbet:experiments"].remove(b"banner"), "1 experiments not"),
    "no date": (lambda c: c.pop("alephbet:banner:meta"), "1 experiments not listed"),
    "no mark": (lambda c: c.pop("alephbet:banner:counter_keys"), "1 experiments not listed"),
    "a mark too many": (
        lambda c: c["alephbet:button:counter_keys"].add(LIMITED.counter.encode()),
        "1 experiments not listed",
    ),
    "not in the namespace": (lambda c: c["alephbet:counter_keys"].clear(), "2 experiments not"),
    "a name too many": (lambda c: c["alephbet:experiments"].add(b"x"), "1 experiments not listed"),
}


@pytest.mark.parametrize(("change", "problem"), CONTENTS.values(), ids=CONTENTS)
def test_a_deviation_of_the_store_is_found(change: ContentChange, problem: str) -> None:
    """What is missing from the store is lost or not listed, what is too much is misplaced."""
    contents = good_contents()

    change(contents)

    assert any(found.startswith(problem) for found in problems(good_calls(), contents))


ANSWERS: dict[str, tuple[int, dict[str, Any], str]] = {
    "slow": (0, {"seconds": 3.01}, "a call took 3.01 s"),
    "killed": (0, {"status": 0}, "statuses other than 200 and 503: [0]"),
    "first one refused": (2, {"status": 503}, "1 of 2 clients recovered at once"),
    "refused later": (4, {"status": 503}, "1 calls refused after the outage"),
    "never delivered": (4, {"status": 503}, "1 events got no 200"),
    "answer of another event": (4, {"answer": {"status": "ok"}}, "1 wrong answers"),
    "wrongly ignored": (2, {"answer": LIMITED.answer}, "1 wrong answers"),
}


@pytest.mark.parametrize(("number", "change", "problem"), ANSWERS.values(), ids=ANSWERS)
def test_a_wrong_call_is_found(number: int, change: dict[str, Any], problem: str) -> None:
    """A call that was slow, refused or answered wrongly is a problem."""
    calls = good_calls()

    calls[number] = dataclasses.replace(calls[number], **change)

    assert any(found.startswith(problem) for found in problems(calls, good_contents()))


def test_an_outage_without_effect_is_found() -> None:
    """A drill in which no call was refused has shown nothing."""
    (problem,) = problems(good_calls()[2:], good_contents())
    assert problem.startswith("no call was answered 503")


def test_registers_are_those_of_the_server(store: redis.Redis) -> None:
    """The sparse encoding is read as the server reads it."""
    store.pfadd("key", *(f"visitor-{number}" for number in range(300)))
    content = store.get("key")
    assert isinstance(content, bytes)

    found = registers(content)

    read: Any = store.execute_command("PFDEBUG", "GETREG", "key")  # type: ignore[no-untyped-call]
    assert found == {register: rank for register, rank in enumerate(read) if rank}


def test_every_event_has_its_own_register(store: redis.Redis) -> None:
    """In one counter, all events would still change a register each."""
    planned = traffic(2000, store)
    events = [*planned.first, *planned.events]
    for event in events:
        store.pfadd(f"all:{event.slot[0].rpartition(':')[2]}", event.uuid)

    contents: Any = [store.get(key) for key in store.keys("all:*")]

    assert sum(len(registers(content)) for content in contents) == len(events)
