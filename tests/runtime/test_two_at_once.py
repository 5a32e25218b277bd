"""Two calls of the runtime at once, and calls that break off: each place in turn, on a real server.

Whatever happens between any two commands, the invariants of `tests.support.invariants` hold.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis

from tests.support.interleaving import (
    Call,
    Names,
    Process,
    World,
    every_interleaving,
    one_process_per_thread,
)
from tests.support.invariants import Facts, broken, long_after
from tests.support.redis_content import snapshot
from tests.support.servers import Store


@pytest.fixture(autouse=True)
def separate_processes() -> Iterator[None]:
    with one_process_per_thread():
        yield


@pytest.mark.parametrize(
    ("limit", "second"),
    [("namespaces", ("m", "a", "y")), ("experiments", ("n", "b", "y"))],
)
def test_two_new_names_at_once(
    session_store: Store, store: redis.Redis, limit: str, second: Names
) -> None:
    """Where one is allowed, two that come at once are both counted at most, and a third is not."""
    limits = {limit: 1}

    def make() -> World:
        store.flushall()
        settings: dict[str, Any] = {"precision": 1, "limits": limits}
        world = World([Process(session_store.port, trips=True, **settings) for _ in range(2)])
        world.send(0, Call("track", [("n", "a", "x")], ["1"]))
        world.send(1, Call("track", [second], ["1"]))
        return world

    refused = 0
    for world in every_interleaving(make):
        answers = [call.answers[0] for call in world.history]
        facts = Facts(world, store)
        assert "ok" in answers
        assert [*facts.lost_events(), *facts.unlisted_keys(), *facts.undated()] == []
        assert len(store.keys("*:counters:*")) == answers.count("ok")
        third = ("o", "o", "z") if limit == "namespaces" else ("n", "o", "z")
        assert world.run(0, Call("track", [third], ["1"])).answers == ["ignored"]
        refused += answers.count("ignored")
    assert refused, "in some interleaving the second one sees the first"


FIRST = ("n", "a", "x")
EACH_LIMIT = dict.fromkeys(["namespaces", "experiments", "counters", "counters_per_experiment"], 1)


@pytest.mark.parametrize("precision", [1, 4])
@pytest.mark.parametrize("trouble", [["lose_reply"], ["lose_reply", "lose_reply"], ["kill"]])
def test_trouble_at_each_command_of_a_first_event(
    session_store: Store, store: redis.Redis, trouble: list[str], precision: int
) -> None:
    """Sent again, it is counted, listed and dated, and takes the only place that a limit leaves."""
    for before in itertools.count():
        store.flushall()
        world = World(
            [Process(session_store.port, precision=precision, limits=EACH_LIMIT) for _ in range(2)]
        )
        first = Call("track", [FIRST], ["1"])
        world.send(0, first)
        _step(world, before)
        if not world.running:
            world.close()
            break
        for how in trouble:
            getattr(world, how)(0)
        world.finish()
        # The namespace is added right after its first experiment, else by the next event.
        unlisted = {*Facts(world, store).unlisted_keys()} - {"nothing lists n:experiments"}
        assert unlisted == set(), f"after {before} commands"
        again = Call("track", [FIRST], ["1"])
        assert world.run(1, again).answers == ["ok"], f"after {before} commands"
        other = world.run(1, Call("track", [("n", "a", "y")], ["1"]))
        facts = Facts(world, store)
        problems = [*facts.lost_events(), *facts.unlisted_keys()]
        assert other.answers == ["ignored"]
        assert problems == [], f"after {before} commands"
        assert store.hexists("n:a:meta", "since")
        world.close()
    assert before > 12


def test_a_delete_that_dies_at_each_command(session_store: Store, store: redis.Redis) -> None:
    """The next one finishes it, and says how many counters were left."""
    before, ended = 0, False
    while not ended:
        store.flushall()
        world = World([Process(session_store.port, precision=4)])
        for variant in "xy":
            world.run(0, Call("track", [("n", "a", variant)], ["1"]))
        delete = Call("delete", [("n", "a", "")])
        world.send(0, delete)
        _step(world, before)
        world.kill(0)
        ended = delete.outcome == "done"
        content = snapshot(store)
        left = content.get("n:counter_keys", set()) | content.get("n:a:counter_keys", set())
        left |= {entry.split(b" ", 2)[2] for entry in content.get("n:a:deleting", ())}

        following = world.run(0, Call("delete", [("n", "a", "")]))

        assert following.deleted == len(left), f"after {before} commands"
        assert snapshot(store).keys() <= {"n:a:deleting"}
        with long_after():
            world.run(0, Call("delete", [("n", "a", "")]))
        assert snapshot(store) == {}
        world.close()
        before += 1
    assert before > 20


KINDS: dict[str, tuple[Names, dict[str, int]]] = {
    "known": (("n", "a", "x"), {}),
    "known and then refused": (("n", "a", "x"), {"counters": 0}),
    "new": (("n", "a", "y"), {}),
    "refused": (("n", "a", "y"), {"counters": 1}),
    "of another experiment": (("n", "b", "x"), {}),
}


@pytest.mark.parametrize("interrupted", [0, 1], ids=["event", "delete"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_delete_and_an_event(
    session_store: Store, store: redis.Redis, kind: str, interrupted: int
) -> None:
    """A whole delete between any two commands of an event, and the other way round."""
    names, limits = KINDS[kind]
    calls = [Call("track", [names], ["1"]), Call("delete", [("n", "a", "")])]
    before, commands = 0, 0
    while before <= commands:
        store.flushall()
        world = World(
            [Process(session_store.port, precision=4, limits=each) for each in (limits, {}, {})]
        )
        for number in (1, 0):
            world.run(number, Call("track", [("n", "a", "x")], ["0"]))
        call = replace(calls[interrupted])
        world.send(interrupted, call)
        _step(world, before, interrupted)
        world.run(1 - interrupted, replace(calls[1 - interrupted]))
        world.finish()

        assert {each.outcome for each in world.history} == {"done"}, f"after {before} commands"
        assert broken(world, store, world.processes[2], {}) == [], f"after {before} commands"
        world.close()
        before, commands = before + 1, call.commands
    assert before > 2


@pytest.mark.parametrize("experiment", ["a", "b"])
def test_a_delete_that_dies_after_an_event(
    session_store: Store, store: redis.Redis, experiment: str
) -> None:
    """What it took from an event's counter, or from the namespace, the next event puts back."""
    for before in itertools.count():
        store.flushall()
        world = World([Process(session_store.port, precision=1) for _ in range(3)])
        world.run(0, Call("track", [FIRST], ["1"]))
        world.send(1, Call("delete", [("n", "a", "")]))
        _step(world, before, 1)
        if not world.running:
            world.close()
            break
        world.run(0, Call("track", [("n", experiment, "x")], ["1"]))
        world.step(1)
        world.kill(1)
        assert broken(world, store, world.processes[2], {}) == [], f"after {before} commands"
        world.close()


@pytest.mark.parametrize("dies", ["the first", "the second"])
def test_two_deletes_one_of_which_dies(session_store: Store, store: redis.Redis, dies: str) -> None:
    """What an event begins again between two deletes stays listed, wherever one of them dies."""
    event, delete = Call("track", [FIRST], ["1"]), Call("delete", [("n", "a", "")])
    more, ended = 0, False
    while not ended:
        store.flushall()
        world = World([Process(session_store.port, precision=1) for _ in range(4)])
        world.run(0, replace(event))
        first, second = replace(delete), replace(delete)
        world.send(1, first)
        if dies == "the first":
            while not store.exists("n:a:deleting"):
                assert world.step(1)
            world.run(2, second)
            world.run(0, replace(event))
            _step(world, more, 1)
            world.kill(1)
            ended = first.outcome == "done"
        else:
            while store.exists("n:counters:a:participate:x"):
                assert world.step(1)
            world.run(0, replace(event))
            world.send(2, second)
            _step(world, more, 2)
            world.kill(2)
            world.finish()
            ended = second.outcome == "done"

        assert broken(world, store, world.processes[3], {}) == [], f"after {more} commands"
        world.close()
        more += 1
    assert more > 9


def test_two_precisions_at_once(session_store: Store, store: redis.Redis) -> None:
    """Two processes of different settings that begin an experiment at once agree on one."""
    for before in itertools.count():
        store.flushall()
        world = World([Process(session_store.port, precision=each) for each in (1, 4)])
        world.send(0, Call("track", [FIRST], ["1"]))
        _step(world, before)
        if not world.running:
            world.close()
            break
        world.run(1, Call("track", [("n", "a", "y")], ["1"]))
        world.finish()
        plain = [key for key in store.keys("n:counters:*") if "::4" not in str(key)]
        assert len(plain) in (0, 2), f"after {before} commands"
        world.close()


def _step(world: World, commands: int, number: int = 0) -> None:
    if commands:
        world.step(number, commands)
