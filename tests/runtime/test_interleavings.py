"""Events and deletes of several processes at once, interleaved command by command on a real server.

`counting_model` explores the same protocol completely, for a few clients. Here the real code runs,
with any number of calls that die, lose replies and are repeated. The environment variable
GIMEL_INTERLEAVINGS is the number of examples, for longer runs.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import hypothesis
import pytest
import redis
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from tests.support.interleaving import (
    Call,
    Names,
    OldProcess,
    Process,
    World,
    every_interleaving,
    one_process_per_thread,
)
from tests.support.invariants import Facts, broken, long_after
from tests.support.redis_content import snapshot
from tests.support.servers import Store

EXAMPLES = int(os.environ.get("GIMEL_INTERLEAVINGS", "100"))
PROCESSES = 3

EXPERIMENTS = st.sampled_from([("n", "a"), ("n", "a"), ("n", "b"), ("m", "a")])
COUNTERS = st.builds(
    lambda experiment, variant: (*experiment, variant), EXPERIMENTS, st.sampled_from("xy")
)
EVENTS = st.tuples(COUNTERS, st.sampled_from("123"))
BATCHES = st.lists(EVENTS, min_size=1, max_size=2)
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "namespaces": st.just(1),
        "experiments": st.integers(1, 2),
        "counters": st.integers(1, 3),
        "counters_per_experiment": st.just(1),
    },
)
NUMBERS = st.integers(0, PROCESSES - 1)


def machine(store: Store, content: redis.Redis) -> type[RuleBasedStateMachine]:
    """Return the machine that interleaves calls on this store."""

    class Interleaving(RuleBasedStateMachine):
        @initialize(
            limits=LIMITS,
            precisions=st.sampled_from([(1, 1, 1), (4, 4, 4), (1, 4, 4)]),
            known=st.lists(COUNTERS, max_size=2),
        )
        def begin(
            self,
            limits: dict[str, int],
            precisions: tuple[int, ...],
            known: list[Names],
        ) -> None:
            """Some counters are known to the first two processes."""
            content.flushall()
            self.limits = limits
            self.world = World(
                [Process(store.port, precision=k, limits=limits) for k in precisions]
            )
            for names in known:
                for number in (0, 1):
                    self.world.run(number, Call("track", [names], ["0"]))

        @rule(number=NUMBERS, batch=BATCHES)
        def track(self, number: int, batch: list[tuple[Names, str]]) -> None:
            names, uuids = zip(*batch, strict=True)
            self.world.send(number, Call("track", list(names), list(uuids)))

        @rule(number=NUMBERS, experiment=EXPERIMENTS)
        def delete(self, number: int, experiment: tuple[str, str]) -> None:
            self.world.send(number, Call("delete", [(*experiment, "")]))

        @rule(number=NUMBERS, commands=st.integers(1, 30))
        def step(self, number: int, commands: int) -> None:
            self.world.step(number, commands)

        @rule(number=NUMBERS, commands=st.integers(1, 6))
        def step_a_little(self, number: int, commands: int) -> None:
            self.step(number, commands)

        @rule(number=NUMBERS)
        def kill(self, number: int) -> None:
            self.world.kill(number)

        @rule(number=NUMBERS)
        def lose_reply(self, number: int) -> None:
            self.world.lose_reply(number)

        def teardown(self) -> None:
            if not hasattr(self, "world"):
                return
            try:
                self.world.finish()
                healer = Process(store.port, precision=4, limits=self.limits)
                assert broken(self.world, content, healer, self.limits) == []
            finally:
                self.world.close()

    return Interleaving


@pytest.fixture(autouse=True)
def separate_processes() -> Iterator[None]:
    with one_process_per_thread():
        yield


def test_any_interleaving(session_store: Store, store: redis.Redis) -> None:
    """Limits hold, nothing unlisted stays, every experiment has its time, no event is lost."""
    settings: Any = hypothesis.settings(max_examples=EXAMPLES, stateful_step_count=30)
    run_state_machine_as_test(machine(session_store, store), settings=settings)


def versions(store: Store, content: redis.Redis) -> type[RuleBasedStateMachine]:
    """Return the machine that interleaves calls of this version and of 1.5.0."""

    class TwoVersions(machine(store, content)):  # type: ignore[misc]
        @initialize(precision=st.sampled_from([1, 4]))
        def begin(self, precision: int) -> None:
            content.flushall()
            this = Process(store.port, precision=precision)
            self.world = World([this, OldProcess(store.port), OldProcess(store.port)])

        def teardown(self) -> None:
            if not hasattr(self, "world"):
                return
            try:
                self.world.finish()
                assert Facts(self.world, content).lost_events() == []
            finally:
                self.world.close()

    return TwoVersions


def test_beside_1_5_0(session_store: Store, store: redis.Redis) -> None:
    """On one Redis, neither this version nor 1.5.0 loses an event."""
    settings: Any = hypothesis.settings(max_examples=EXAMPLES // 3, stateful_step_count=30)
    run_state_machine_as_test(versions(session_store, store), settings=settings)


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


@pytest.mark.parametrize("precision", [1, 4])
@pytest.mark.parametrize("interrupted", [0, 1], ids=["event", "delete"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_delete_and_an_event(
    session_store: Store, store: redis.Redis, kind: str, interrupted: int, precision: int
) -> None:
    """A whole delete between any two commands of an event, and the other way round."""
    names, limits = KINDS[kind]
    calls = [Call("track", [names], ["1"]), Call("delete", [("n", "a", "")])]
    before, commands = 0, 0
    while before <= commands:
        store.flushall()
        world = World(
            [
                Process(session_store.port, precision=precision, limits=each)
                for each in (limits, {}, {})
            ]
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


@pytest.mark.parametrize("dies", ["the first", "the second"])
def test_two_deletes_one_of_which_dies(session_store: Store, store: redis.Redis, dies: str) -> None:
    """What an event begins anew between two deletes stays listed, wherever one of them dies."""
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
        counters = store.smembers("n:counter_keys")
        assert len({counter.endswith(b"::4") for counter in counters}) == 1, f"after {before}"
        world.close()


def _step(world: World, commands: int, number: int = 0) -> None:
    if commands:
        world.step(number, commands)
