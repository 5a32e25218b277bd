"""An explicit-state model of how `gimel.runtime` counts and deletes.

It visits every interleaving of a few events and deletes, each of which may die between any two of
its commands, and checks the invariants in every state in which no client can move any more. Each
step of a client is one Redis command, named after what the command is for; a pipeline whose order
does not matter is one step. The steps mirror `counting`, `creation`, `limits` and `delete`: change
them together. The real code is interleaved in the same way by `test_interleavings`.

`python -m tests.runtime.counting_model` checks all scenarios, the large ones too, and prints the
shortest trace to each broken invariant. The arguments name protecting steps to leave out.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

DEFAULT = 16

PROTECTIONS = (
    "a known counter's mark is read after PFADD",
    "marks are found only with their names",
    "limits",
    "since is written before the name",
    "another precision is noticed",
    "an older experiment has a counter",
    "events look again",
    "leftovers are recorded",
    "a delete records its counters",
    "each delete has a token",
    "marks are removed before data",
    "the name is removed before since",
    "the namespace is put back",
    "deletes look again",
)
"""The steps that may be left out; then some invariant breaks."""


class Counter(NamedTuple):
    """What counts the visitors of a variant."""

    experiment: str
    variant: str
    precision: int = DEFAULT


class Entry(NamedTuple):
    """An entry of a deletion record. An `old` one is older than any call can last."""

    token: str
    counter: Counter
    old: bool = False


@dataclass(frozen=True)
class Redis:
    """The content of one namespace: each field is a key, or the same key of each experiment."""

    namespaces: bool = False
    experiments: frozenset[str] = frozenset()
    since: frozenset[str] = frozenset()
    precision: frozenset[tuple[str, int]] = frozenset()
    index: frozenset[Counter] = frozenset()
    marks: frozenset[Counter] = frozenset()
    data: frozenset[tuple[Counter, str]] = frozenset()
    record: frozenset[Entry] = frozenset()

    def marks_of(self, experiment: str) -> frozenset[Counter]:
        return frozenset(counter for counter in self.marks if counter.experiment == experiment)

    def precision_of(self, experiment: str) -> int | None:
        return dict(self.precision).get(experiment)


@dataclass(frozen=True)
class Rules:
    """The limits, and the protections that are left out.

    `whole` executes each pipeline of an event in one step, as one server usually does.
    """

    experiments: int = 9
    counters: int = 9
    whole: bool = False
    without: frozenset[str] = frozenset()

    def keep(self, protection: str) -> bool:
        assert protection in PROTECTIONS, protection
        return protection not in self.without


@dataclass(frozen=True)
class Event:
    """`track` with one event. It begins at `add to known` if its process knows the counter."""

    counter: Counter
    uuid: str
    at: str = "look: name"
    listed: bool = False  # what the look has found until now
    older: bool = False
    marked: bool = False
    named: bool = False  # whether its namespace is listed
    complete: bool = False  # whether the second look has found everything until now
    added: frozenset[Counter] = frozenset()  # which counters its PFADD has written to
    left: frozenset[Counter] = frozenset()  # those whose mark was gone afterwards
    counted: bool = False
    again: bool = False  # whether it looks again, at the precision of the experiment
    default: int = DEFAULT  # the precision in its settings
    noted: int = 0  # the precision that is noted beside the experiment
    member: int = 0  # the precision of some counter of the experiment

    ENDS = ("counted", "ignored", "dead")
    HARMLESS = ("look: name", "add to known")  # a death before the first write changes nothing

    def step(self, redis: Redis, rules: Rules) -> tuple[Event, Redis]:
        """Return the client and Redis after the next command."""
        name = self.at.split(":")[0].replace(" ", "_")
        after: tuple[Event, Redis] = getattr(self, f"_{name}")(redis, rules)
        return after

    def _to(self, at: str, redis: Redis, **changes: object) -> tuple[Event, Redis]:
        return replace(self, at=at, **changes), redis  # type: ignore[arg-type]

    def _with_visitor(self, redis: Redis) -> Redis:
        return replace(redis, data=redis.data | {(self.counter, self.uuid)})

    def _add_to_known(self, redis: Redis, rules: Rules) -> tuple[Event, Redis]:
        if rules.keep("a known counter's mark is read after PFADD"):
            return self._to("known mark", self._with_visitor(redis), added=self._added())
        alive = self.counter in redis.marks
        return self._to("only add", redis) if alive else self._forget(redis)

    def _only_add(self, redis: Redis, _: Rules) -> tuple[Event, Redis]:
        return self._finish(self._with_visitor(redis), counted=True)

    def _known_mark(self, redis: Redis, _: Rules) -> tuple[Event, Redis]:
        if self.counter in redis.marks:
            return self._finish(redis, counted=True)
        return self._forget(redis, left=self.left | {self.counter})

    def _forget(self, redis: Redis, **changes: object) -> tuple[Event, Redis]:
        """Take the counter for unknown: of the precision in the settings, until the look."""
        counter = self.counter._replace(precision=self.default)
        return self._to("look: name", redis, counter=counter, again=False, **changes)

    def _finish(self, redis: Redis, *, counted: bool) -> tuple[Event, Redis]:
        left = self.left - {self.counter} if counted else self.left
        at = "leftovers" if left else "counted" if counted else "ignored"
        return self._to(at, redis, left=left, counted=counted)

    def _added(self) -> frozenset[Counter]:
        return self.added | {self.counter}

    def _look(self, redis: Redis, rules: Rules) -> tuple[Event, Redis]:
        experiment = self.counter.experiment
        if self.at == "look: name":
            listed = experiment in redis.experiments
            return self._to("look: meta", redis, listed=listed, named=redis.namespaces)
        if self.at == "look: meta":
            older = self.listed and experiment not in redis.since
            noted = redis.precision_of(experiment) or 0
            return self._to("look: member", redis, older=older, noted=noted)
        if self.at == "look: member":
            member = min((each.precision for each in redis.marks_of(experiment)), default=0)
            older = self.older
            if rules.keep("an older experiment has a counter"):
                older = older and member > 0
            return self._to("look: mark", redis, older=older, member=member)
        if self.at == "look: mark":
            return self._to("look: index", redis, marked=self.counter in redis.marks)
        return self._found(redis, rules)

    def _found(self, redis: Redis, rules: Rules) -> tuple[Event, Redis]:
        precision = self.noted or (1 if self.older else self.member or self.default)
        if precision != self.counter.precision and not self.again:
            counter = self.counter._replace(precision=precision)
            return self._to("look: name", redis, counter=counter, again=True)
        if not self.marked:
            return self._to("limit", redis)
        named = self.listed and self.named and self.counter in redis.index
        if named or not rules.keep("marks are found only with their names"):
            return self._to("add to known", redis)
        return self._to("register: since", redis)

    def _limit(self, redis: Redis, rules: Rules) -> tuple[Event, Redis]:
        fits = len(redis.index) < rules.counters and (
            self.listed or len(redis.experiments) < rules.experiments
        )
        if fits or not rules.keep("limits"):
            return self._to("register: since", redis)
        return self._finish(redis, counted=False)

    def _leftovers(self, redis: Redis, rules: Rules) -> tuple[Event, Redis]:
        at = "counted" if self.counted else "ignored"
        if not rules.keep("leftovers are recorded"):
            return self._to(at, redis)
        entries = frozenset(Entry(self.uuid, counter) for counter in self.left)
        return self._to(at, replace(redis, record=redis.record | entries))

    def _register(self, redis: Redis, rules: Rules) -> tuple[Event, Redis]:
        counter, experiment = self.counter, self.counter.experiment
        late = not rules.keep("since is written before the name")
        if self.at == "register: since":
            if self.older or late:
                return self._to("register: name", redis)
            return self._to("register: precision", _dated(redis, experiment))
        if self.at == "register: precision":
            return self._to("register: see precision", _precise(redis, experiment, counter))
        if self.at == "register: see precision":
            same = redis.precision_of(experiment) == counter.precision
            noticed = not same and rules.keep("another precision is noticed")
            return self._forget(redis) if noticed else self._to("register: name", redis)
        if self.at == "register: name":
            named = replace(redis, experiments=redis.experiments | {experiment})
            return self._to("register: late since" if late else "register: namespace", named)
        if self.at == "register: late since":
            changed = redis if self.older else _precise(_dated(redis, experiment), experiment, counter)
            return self._to("register: namespace", changed)
        if self.at == "register: namespace":
            return self._to("register: index", replace(redis, namespaces=True))
        if self.at == "register: index":
            return self._to("register: mark", replace(redis, index=redis.index | {counter}))
        return self._to("add", replace(redis, marks=redis.marks | {counter}))

    def _add(self, redis: Redis, rules: Rules) -> tuple[Event, Redis]:
        at = "look again: name" if rules.keep("events look again") else "counted"
        if at == "counted":
            return self._finish(self._with_visitor(redis), counted=True)
        return self._to(at, self._with_visitor(redis), added=self._added(), complete=True)

    def _look_again(self, redis: Redis, _: Rules) -> tuple[Event, Redis]:
        counter, experiment = self.counter, self.counter.experiment
        following, found = {
            "look again: name": ("look again: namespace", experiment in redis.experiments),
            "look again: namespace": ("look again: index", redis.namespaces),
            "look again: index": ("look again: since", counter in redis.index),
            "look again: since": ("look again: mark", self.older or experiment in redis.since),
            "look again: mark": ("", counter in redis.marks),
        }[self.at]
        complete = self.complete and found
        if following:
            return self._to(following, redis, complete=complete)
        if complete:
            return self._finish(redis, counted=True)
        return self._to("register: since", redis, left=self.left | {counter})


@dataclass(frozen=True)
class Delete:
    """`delete` of one experiment."""

    experiment: str
    token: str
    at: str = "read: record"
    entries: frozenset[Entry] = frozenset()
    counters: frozenset[Counter] = frozenset()
    back: frozenset[Counter] = frozenset()

    ENDS = ("done", "dead")
    HARMLESS = ("read: record", "read: marks", "read: index", "record")

    def step(self, redis: Redis, rules: Rules) -> tuple[Delete, Redis]:
        """Return the client and Redis after the next command."""
        name = self.at.split(":")[0].replace(" ", "_")
        after: tuple[Delete, Redis] = getattr(self, f"_{name}")(redis, rules)
        return after

    def _to(self, at: str, redis: Redis, **changes: object) -> tuple[Delete, Redis]:
        return replace(self, at=at, **changes), redis  # type: ignore[arg-type]

    def _read(self, redis: Redis, _: Rules) -> tuple[Delete, Redis]:
        if self.at == "read: record":
            entries = frozenset(e for e in redis.record if e.counter.experiment == self.experiment)
            counters = frozenset(entry.counter for entry in entries)
            return self._to("read: marks", redis, entries=entries, counters=counters)
        if self.at == "read: marks":
            counters = self.counters | redis.marks_of(self.experiment)
            return self._to("read: index", redis, counters=counters)
        own = frozenset(c for c in redis.index if c.experiment == self.experiment)
        return self._to("record", redis, counters=self.counters | own)

    def _record(self, redis: Redis, rules: Rules) -> tuple[Delete, Redis]:
        entries = frozenset(Entry(self.token, counter) for counter in self.counters)
        if rules.keep("a delete records its counters"):
            redis = replace(redis, record=redis.record | entries)
        early = rules.keep("marks are removed before data")
        return self._to("remove: marks" if early else "remove: data", redis)

    def _remove(self, redis: Redis, rules: Rules) -> tuple[Delete, Redis]:
        early_marks = rules.keep("marks are removed before data")
        early_name = rules.keep("the name is removed before since")
        if self.at == "remove: marks":
            at = "remove: data" if early_marks else "remove: index"
            return self._to(at, replace(redis, marks=redis.marks - self.counters))
        if self.at == "remove: data":
            data = frozenset(each for each in redis.data if each[0] not in self.counters)
            at = "remove: index" if early_marks else "remove: marks"
            return self._to(at, replace(redis, data=data))
        if self.at == "remove: index":
            at = "remove: name" if early_name else "remove: meta"
            return self._to(at, replace(redis, index=redis.index - self.counters))
        if self.at == "remove: name":
            names = redis.experiments - {self.experiment}
            at = "remove: meta" if early_name else "namespace: count"
            return self._to(at, replace(redis, experiments=names))
        noted = frozenset(each for each in redis.precision if each[0] != self.experiment)
        redis = replace(redis, since=redis.since - {self.experiment}, precision=noted)
        return self._to("namespace: count" if early_name else "remove: name", redis)

    def _namespace(self, redis: Redis, rules: Rules) -> tuple[Delete, Redis]:
        if self.at == "namespace: count":
            return self._to("look again" if redis.experiments else "namespace: remove", redis)
        if self.at == "namespace: remove":
            return self._to("namespace: count again", replace(redis, namespaces=False))
        if self.at == "namespace: count again":
            began = redis.experiments and rules.keep("the namespace is put back")
            return self._to("namespace: put back" if began else "look again", redis)
        return self._to("look again", replace(redis, namespaces=True))

    def _look_again(self, redis: Redis, rules: Rules) -> tuple[Delete, Redis]:
        back = redis.marks_of(self.experiment) if rules.keep("deletes look again") else frozenset()
        return self._to("restore: since" if back else "forget", redis, back=back)

    def _restore(self, redis: Redis, _: Rules) -> tuple[Delete, Redis]:
        if self.at == "restore: since":
            return self._to("restore: precision", _dated(redis, self.experiment))
        if self.at == "restore: precision":
            noted = _precise(redis, self.experiment, next(iter(self.back)))
            return self._to("restore: name", noted)
        if self.at == "restore: name":
            names = redis.experiments | {self.experiment}
            return self._to("restore: namespace", replace(redis, experiments=names))
        if self.at == "restore: namespace":
            return self._to("restore: index", replace(redis, namespaces=True))
        return self._to("forget", replace(redis, index=redis.index | self.back))

    def _forget(self, redis: Redis, rules: Rules) -> tuple[Delete, Redis]:
        def finished(entry: Entry) -> bool:
            if not rules.keep("each delete has a token"):
                return entry.counter in self.counters
            return entry.token == self.token or (entry.old and entry in self.entries)

        record = frozenset(entry for entry in redis.record if not finished(entry))
        return self._to("done", replace(redis, record=record))


Client: TypeAlias = Event | Delete
State: TypeAlias = tuple[tuple[Client, ...], Redis]


def _dated(redis: Redis, experiment: str) -> Redis:
    return replace(redis, since=redis.since | {experiment})


def _precise(redis: Redis, experiment: str, counter: Counter) -> Redis:
    """HSETNX: the first precision stays."""
    if redis.precision_of(experiment) is not None:
        return redis
    return replace(redis, precision=redis.precision | {(experiment, counter.precision)})


def explore(
    clients: tuple[Client, ...], start: Redis, rules: Rules, mortal: tuple[type, ...] = ()
) -> Generator[tuple[str, list[str]], None, int]:
    """Yield each broken invariant with the shortest trace to it. Clients of mortal types may die.

    The generator returns the number of states.
    """
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
            if isinstance(client, mortal) and client.at not in client.HARMLESS:
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
        if event.at == "counted" and of_experiment not in deleted:
            if not any(u == event.uuid and c[:2] == event.counter[:2] for c, u in redis.data):
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
    healed = _healed(redis, rules, events)
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
    if redis.experiments and not redis.namespaces:
        yield "an unlisted namespace"


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
    named = {c.experiment if isinstance(c, Delete) else c.counter.experiment for c in clients}
    for experiment in named:
        delete = Delete(experiment, "last")
        while delete.at not in delete.ENDS:
            delete, redis = delete.step(redis, Rules())
    return redis


class Scenario(NamedTuple):
    """Some clients, what Redis holds before, and which types of clients may die."""

    clients: tuple[Client, ...]
    start: Redis = Redis()
    rules: Rules = Rules()
    mortal: tuple[type, ...] = ()


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

SCENARIOS = {
    "two events of a new counter": Scenario((Event(RED, "a"), Event(RED, "b")), mortal=(Event,)),
    "two new counters": Scenario((Event(RED, "a"), Event(BLUE, "b")), mortal=(Event,)),
    "two precisions": Scenario((Event(RED, "a"), Event(BLUE._replace(precision=4), "b", default=4))),
    "one counter is allowed": Scenario(
        (Event(RED, "a"), Event(BLUE, "b")), rules=Rules(counters=1)
    ),
    "one experiment is allowed": Scenario(
        (Event(RED, "a"), Event(OTHER, "b")), rules=Rules(experiments=1)
    ),
    "at the limit": Scenario((Event(BLUE, "a"),), RUNNING, Rules(counters=1)),
    "1.5.0": Scenario((Event(RED, "a"), Event(BLUE, "b")), OF_1_5_0),
    "a known event and a delete": Scenario((Event(RED, "a", KNOWN), X), RUNNING, mortal=(Event, Delete)),
    "a new event of precision 1 and a delete": Scenario(
        (Event(BLUE._replace(precision=1), "a", default=1), X), running(OLD)
    ),
    "a new event and a delete": Scenario((Event(BLUE, "a"), X), RUNNING, mortal=(Event, Delete)),
    "at the limit, a known event and a delete": Scenario(
        (Event(RED, "a", KNOWN), X), RUNNING, Rules(counters=0), (Delete,)
    ),
    "another experiment and a delete": Scenario((Event(OTHER, "a"), X), RUNNING),
    "two deletes": Scenario((X, Y), RUNNING, mortal=(Delete,)),
    "known and new": Scenario(
        (Event(RED, "a", KNOWN), Event(RED, "b"), X), RUNNING, Rules(whole=True)
    ),
}
LARGE = {
    "a known event and two deletes": Scenario((Event(RED, "a", KNOWN), X, Y), RUNNING, Rules(whole=True), mortal=(Delete,)),
    "known and new, the delete may die": Scenario((Event(RED, "a", KNOWN), Event(RED, "b"), X), RUNNING, Rules(whole=True), mortal=(Delete,)),
}

if __name__ == "__main__":
    for name, scenario in (SCENARIOS | LARGE).items():
        begun = time.perf_counter()
        rules = scenario.rules
        exploration = explore(*scenario)
        while True:
            try:
                print(*next(exploration), sep="\n      ")
            except StopIteration as end:
                print(f"{name}: {end.value:,} states, {time.perf_counter() - begun:.1f} s", flush=True)
                break
