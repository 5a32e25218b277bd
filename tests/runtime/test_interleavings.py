"""Events, deletes and conclusions of several processes, interleaved by command on a real server.

`counting_model` explores the same protocol completely, for a few clients. Here the real code runs,
with any number of calls that die, lose replies and are repeated. The environment variable
GIMEL_INTERLEAVINGS is the number of examples, for longer runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
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
    one_process_per_thread,
)
from tests.support.invariants import Facts, broken
from tests.support.servers import Store

EXAMPLES = int(os.environ.get("GIMEL_INTERLEAVINGS", "30"))
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


def machine(
    store: Store, content: redis.Redis, ends: Sequence[str] = ("delete", "conclude", "reopen")
) -> type[RuleBasedStateMachine]:
    """Return the machine that interleaves events and these other calls on this store."""

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

        @rule(number=NUMBERS, experiment=EXPERIMENTS, kind=st.sampled_from(ends))
        def end(self, number: int, experiment: tuple[str, str], kind: str) -> None:
            self.world.send(number, Call(kind, [(*experiment, "")]))

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

    class TwoVersions(machine(store, content, ["delete"])):  # type: ignore[misc]
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
