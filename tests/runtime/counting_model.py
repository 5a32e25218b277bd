"""An explicit-state model of how `gimel.runtime` counts, deletes and concludes.

It visits every interleaving of a few events, deletes, conclusions and reopenings, each of which may
die between any two of its commands, and checks the invariants in every state in which no client can
move any more. The real code is interleaved in the same way by `test_interleavings`.

`python -m tests.runtime.counting_model` checks all scenarios, the large ones too, and prints the
shortest trace to each broken invariant. Its arguments name protections to omit.

Accepted: a process that dies between its PFADD and its next step, at the very moment in which its
experiment is deleted, may leave that one key.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from tests.support.conclusion_protocol import KEPT, Client, Conclude, Reopen, kept
from tests.support.counting_protocol import Counter, Entry, Event, Redis, Rules
from tests.support.deletion_protocol import Delete

State: TypeAlias = tuple[tuple[Client, ...], Redis]


class Scenario(NamedTuple):
    """Some clients, what Redis holds before, and which types of clients may die."""

    clients: tuple[Client, ...]
    start: Redis = Redis()
    rules: Rules = Rules()
    mortal: tuple[type, ...] = ()


def explore(
    scenario: Scenario, without: frozenset[str] = frozenset()
) -> Generator[tuple[str, list[str]], None, int]:
    """Yield each broken invariant with the shortest trace to it. Return the number of states."""
    clients, start, rules, mortal = scenario
    rules = replace(rules, without=without)
    first: State = (clients, start)
    came_from: dict[State, tuple[State, str] | None] = {first: None}
    states, known = [first], set[str]()
    for state in states:  # which grows
        clients, redis = state
        moved = False
        for place, client in enumerate(clients):
            if client.at in client.ENDS:
                continue
            moved = True
            following = [_advance(client, redis, rules)]
            if type(client) in mortal and client.at not in client.HARMLESS:
                following.append((replace(client, at="dead"), redis))
            for after, changed in following:
                new = ((*clients[:place], after, *clients[place + 1 :]), changed)
                if new not in came_from:
                    dies = " (dies)" if after.at == "dead" else ""
                    came_from[new] = (state, f"{_name(client)} {client.at}{dies}")
                    states.append(new)
        if not moved:
            for broken in violations(state, rules, start.experiments - start.since):
                if broken not in known:
                    known.add(broken)
                    yield broken, _trace(came_from, state)
    return len(states)


def _advance(client: Client, redis: Redis, rules: Rules) -> tuple[Client, Redis]:
    """Execute the client's next command, or its next pipeline if the rules say so."""
    trip = client.at.split(":")[0]
    after, redis = client.step(redis, rules)
    while rules.whole and isinstance(after, Event) and after.at.startswith(f"{trip}:"):
        after, redis = after.step(redis, rules)
    return after, redis


def _name(client: Client) -> str:
    return client.uuid if isinstance(client, Event) else client.token


def _trace(came_from: dict[State, tuple[State, str] | None], state: State) -> list[str]:
    trace = []
    while (step := came_from[state]) is not None:
        state, what = step
        trace.append(what)
    return trace[::-1]


def violations(state: State, rules: Rules, undated: frozenset[str]) -> Iterator[str]:
    """Yield the broken invariants of a state in which no client can move any more."""
    clients, redis = state
    deleted = {client.experiment for client in clients if isinstance(client, Delete)}
    dead = any(client.at == "dead" for client in clients)
    events = [client for client in clients if isinstance(client, Event)]
    for event in events:
        of_experiment = event.counter.experiment
        kept = (counter for counter, uuid in redis.data if uuid == event.uuid)
        lost = all(counter[:2] != event.counter[:2] for counter in kept)
        if event.at == "counted" and of_experiment not in deleted and lost:
            yield "a counted event is lost"
    if not deleted:
        if len(redis.index) >= rules.counters + len(events):
            yield "too many counters"
        if len(redis.experiments) >= rules.experiments + len(events):
            yield "too many experiments"
        used = {counter[::2] for counter in redis.marks}
        if len(used) > len({experiment for experiment, _ in used}):
            yield "an experiment with two precisions"
    listed = redis.marks | {entry.counter for entry in redis.record}
    for counter, uuid in redis.data:
        if counter not in listed and not _is_of_dead(uuid, events):
            yield "data that nothing lists"
    healed = _healed(_repeated(redis, clients), rules, events)
    if not deleted:
        yield from _of_concluded(redis, clients)
    yield from _unlisted(healed if dead else redis)
    if not dead and healed.experiments - healed.since - undated:
        yield "an experiment without since"
    emptied = _emptied(healed, clients)
    if _without_dead(emptied, events) != Redis():
        yield "data that deleting leaves"


def _healed(redis: Redis, rules: Rules, events: list[Event]) -> Redis:
    """Send one more event of each counter, from a process that knows none."""
    for counter in redis.marks | {event.counter for event in events}:
        healer = Event(counter, "healer")
        while healer.at not in healer.ENDS:
            healer, redis = healer.step(redis, rules)
    return redis


def _unlisted(redis: Redis) -> Iterator[str]:
    recorded = {entry.counter for entry in redis.record}
    for counter in redis.marks - recorded:
        if counter.experiment not in redis.experiments or counter not in redis.index:
            yield "a counter without its names"
    if (redis.experiments or redis.past) and not redis.namespaces:
        yield "an unlisted namespace"


def _of_concluded(redis: Redis, clients: tuple[Client, ...]) -> Iterator[str]:
    """Yield what is wrong with concluded experiments, after those that died have been repeated."""
    redis = _repeated(redis, clients)
    dead = any(client.at == "dead" for client in clients)
    if redis.concluded - redis.past or (redis.past - redis.concluded and not dead):
        yield "a conclusion that is not listed"
    for experiment in redis.concluded:
        if not dead and (redis.marks_of(experiment) or experiment in redis.experiments):
            yield "a concluded experiment that is still counted"
    for event in clients:
        if not isinstance(event, Event) or event.at != "counted":
            continue
        experiment = event.counter.experiment
        counters = {entry.counter for entry in kept(redis, experiment)}
        found = counters if experiment in redis.concluded else redis.marks
        if not any(counter[:2] == event.counter[:2] for counter in found):
            yield "a counted event that reopening loses"


def _repeated(redis: Redis, clients: tuple[Client, ...]) -> Redis:
    """Repeat the conclusions and reopenings that died, and sweep up what dead events left."""
    dead = [client for client in clients if client.at == "dead"]
    again: list[Client] = [
        type(each)(each.experiment) for each in dead if isinstance(each, Conclude | Reopen)
    ]
    if dead:
        again += [Conclude(experiment) for experiment in redis.concluded]
    for client in again:
        while client.at not in client.ENDS:
            client, redis = client.step(redis, Rules())
    return redis


def _is_of_dead(uuid: str, events: list[Event]) -> bool:
    """Return whether an event of this uuid died after its PFADD: its shard may be left."""
    return any(event.at == "dead" and event.added and event.uuid == uuid for event in events)


def _without_dead(redis: Redis, events: list[Event]) -> Redis:
    return replace(
        redis, data=frozenset(each for each in redis.data if not _is_of_dead(each[1], events))
    )


def _emptied(redis: Redis, clients: tuple[Client, ...]) -> Redis:
    """Delete every experiment, long after everything else."""
    redis = replace(redis, record=frozenset(entry._replace(old=True) for entry in redis.record))
    named = {c.counter.experiment if isinstance(c, Event) else c.experiment for c in clients}
    for experiment in named:
        delete = Delete(experiment, "last")
        while delete.at not in delete.ENDS:
            delete, redis = delete.step(redis, Rules())
    return redis


def running(*counters: Counter) -> Redis:
    """Return the content after an event of each counter."""
    names = frozenset(counter.experiment for counter in counters)
    marks = frozenset(counters)
    return Redis(
        namespaces=True,
        experiments=names,
        since=names,
        precision=frozenset((counter.experiment, counter.precision) for counter in counters),
        index=marks,
        marks=marks,
        data=frozenset((counter, "old") for counter in counters),
    )


RED, BLUE = Counter("button", "red"), Counter("button", "blue")
OTHER = Counter("banner", "red")
OLD = Counter("button", "red", 1)
RUNNING = running(RED)
OF_1_5_0 = Redis(False, frozenset({"button"}), index=frozenset({OLD}), marks=frozenset({OLD}))
KNOWN = "add to known"
X, Y = Delete("button", "X"), Delete("button", "Y")
C, R = Conclude("button"), Reopen("button", "R")
CONCLUDED = replace(
    RUNNING,
    experiments=frozenset(),
    index=frozenset(),
    marks=frozenset(),
    record=frozenset({Entry(KEPT, RED, old=True)}),
    concluded=frozenset({"button"}),
    past=frozenset({"button"}),
)

SCENARIOS = {
    "two events of a new counter": Scenario((Event(RED, "a"), Event(RED, "b")), mortal=(Event,)),
    "two new counters": Scenario((Event(RED, "a"), Event(BLUE, "b")), mortal=(Event,)),
    "two precisions": Scenario(
        (Event(RED, "a"), Event(BLUE._replace(precision=4), "b", default=4))
    ),
    "one counter is allowed": Scenario(
        (Event(RED, "a"), Event(BLUE, "b")), rules=Rules(counters=1)
    ),
    "one experiment is allowed": Scenario(
        (Event(RED, "a"), Event(OTHER, "b")), rules=Rules(experiments=1)
    ),
    "at the limit": Scenario((Event(BLUE, "a"),), RUNNING, Rules(counters=1)),
    "1.5.0": Scenario((Event(RED, "a"), Event(BLUE, "b")), OF_1_5_0),
    "a known event and a delete": Scenario(
        (Event(RED, "a", KNOWN), X), RUNNING, mortal=(Event, Delete)
    ),
    "a new event of precision 1 and a delete": Scenario(
        (Event(BLUE._replace(precision=1), "a", default=1), X), running(OLD)
    ),
    "a new event and a delete": Scenario((Event(BLUE, "a"), X), RUNNING, mortal=(Event, Delete)),
    "at the limit, a known event and a delete": Scenario(
        (Event(RED, "a", KNOWN), X), RUNNING, Rules(counters=0), (Delete,)
    ),
    "another experiment and a delete": Scenario((Event(OTHER, "a"), X), RUNNING),
    "two deletes": Scenario((X, Y), RUNNING, mortal=(Delete,)),
    "a known event and a conclusion": Scenario(
        (Event(RED, "a", KNOWN), C), RUNNING, mortal=(Event, Conclude)
    ),
    "a new event and a conclusion": Scenario(
        (Event(BLUE, "a"), C), RUNNING, mortal=(Event, Conclude)
    ),
    "1.5.0 and a conclusion": Scenario((Event(BLUE, "a"), C), OF_1_5_0, mortal=(Conclude,)),
    "a conclusion and a delete": Scenario((C, X), RUNNING, mortal=(Conclude,)),
    "a conclusion and a mortal delete": Scenario((C, X), RUNNING, mortal=(Delete,)),
    "two conclusions": Scenario((C, replace(C, token="D")), RUNNING, mortal=(Conclude,)),
    "a conclusion and a reopening": Scenario((C, R), RUNNING, mortal=(Conclude, Reopen)),
    "a known event and a reopening": Scenario(
        (Event(RED, "a", KNOWN), R), CONCLUDED, mortal=(Event, Reopen)
    ),
    "a new event and a reopening": Scenario(
        (Event(BLUE, "a"), R), CONCLUDED, mortal=(Event, Reopen)
    ),
    "a delete and a reopening": Scenario((X, R), CONCLUDED, mortal=(Delete,)),
}
LARGE = {
    "known and new": Scenario(
        (Event(RED, "a", KNOWN), Event(RED, "b"), X), RUNNING, Rules(whole=True)
    ),
    "a known event and two deletes": Scenario(
        (Event(RED, "a", KNOWN), X, Y), RUNNING, Rules(whole=True), (Delete,)
    ),
    "a new event, a conclusion and a delete": Scenario(
        (Event(BLUE, "a"), C, X), RUNNING, Rules(whole=True)
    ),
    "a known event, a conclusion and a reopening": Scenario(
        (Event(RED, "a", KNOWN), C, R), RUNNING, Rules(whole=True)
    ),
    "a new event, a conclusion and a reopening": Scenario(
        (Event(BLUE, "a"), C, R), RUNNING, Rules(whole=True)
    ),
    "a new event, a delete and a reopening": Scenario(
        (Event(BLUE, "a"), X, R), CONCLUDED, Rules(whole=True)
    ),
    "known and new, the delete may die": Scenario(
        (Event(RED, "a", KNOWN), Event(RED, "b"), X), RUNNING, Rules(whole=True), (Delete,)
    ),
}


def main(without: frozenset[str]) -> None:
    """Check every scenario, without some of the protections."""
    for name, scenario in (SCENARIOS | LARGE).items():
        begun = time.perf_counter()
        exploration = explore(scenario, without)
        try:
            while True:
                broken, trace = next(exploration)
                sys.stdout.write("\n  ".join([f"{name}: {broken}", *trace]) + "\n")
        except StopIteration as end:
            seconds = time.perf_counter() - begun
            sys.stdout.write(f"{name}: {end.value:,} states, {seconds:.1f} s\n")


if __name__ == "__main__":
    main(frozenset(sys.argv[1:]))
