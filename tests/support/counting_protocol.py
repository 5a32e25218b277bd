"""The protocol by which `gimel.runtime` counts: clients that take one step at a time.

Each step is one Redis command, named after what the command is for. The steps mirror `counting`,
`creation` and `limits`: change them together. `deletion_protocol` and `conclusion_protocol` have
the steps of the other clients, and `tests.runtime.counting_model` explores every interleaving.
The text before a colon names a pipeline. Batches and the figures of ignored events are missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

DEFAULT = 16  # the precision in the settings

_Self = TypeVar("_Self", bound="BaseClient")

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
    "the namespace is put back",
    "deletes look again",
    "events look for a conclusion",
    "a late registration is withdrawn",
    "a conclusion looks again",
    "a reopening looks again",
    "a reopening ends as a delete does",
    "a name is put back after the marks",
)
"""The steps that may be omitted; then some invariant breaks."""


class Counter(NamedTuple):
    """What counts the visitors of a variant."""

    experiment: str
    variant: str
    precision: int = DEFAULT


class Entry(NamedTuple):
    """An entry of a deletion record. The next delete may remove an `old` one of another token."""

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
    concluded: frozenset[str] = frozenset()
    past: frozenset[str] = frozenset()  # the set of the concluded experiments' names

    def marks_of(self, experiment: str) -> frozenset[Counter]:
        return frozenset(counter for counter in self.marks if counter.experiment == experiment)

    def precision_of(self, experiment: str) -> int | None:
        return dict(self.precision).get(experiment)


@dataclass(frozen=True)
class Rules:
    """The limits, and the protections that are omitted.

    `whole` executes each pipeline of an event in one step, as one server usually does.
    """

    experiments: int = 9
    counters: int = 9
    whole: bool = False
    without: frozenset[str] = frozenset()

    def keep(self, protection: str) -> bool:
        return protection not in self.without


class BaseClient:
    """What all clients have in common: `at` says which command comes next."""

    at: str

    def step(self: _Self, redis: Redis, rules: Rules) -> tuple[_Self, Redis]:
        """Return the client and Redis after the next command."""
        name = self.at.split(":")[0].replace(" ", "_")
        after: tuple[_Self, Redis] = getattr(self, f"_{name}")(redis, rules)
        return after

    def _to(self: _Self, at: str, redis: Redis, **changes: object) -> tuple[_Self, Redis]:
        return replace(self, at=at, **changes), redis  # type: ignore[type-var]


@dataclass(frozen=True)
class Event(BaseClient):
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
    over: bool = False  # whether the experiment is concluded

    ENDS = ("counted", "ignored", "dead")
    HARMLESS = ("look: name", "add to known")  # a death before the first write changes nothing

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
            over = self._is_over(redis, rules)
            return self._to("look: member", redis, older=older, noted=noted, over=over)
        if self.at == "look: member":
            member = min((each.precision for each in redis.marks_of(experiment)), default=0)
            older = self.older
            if rules.keep("an older experiment has a counter"):
                older = older and member > 0
            return self._to("look: mark", redis, older=older, member=member)
        if self.at == "look: mark":
            return self._to("look: index", redis, marked=self.counter in redis.marks)
        return self._found(redis, rules)

    def _is_over(self, redis: Redis, rules: Rules) -> bool:
        seen = rules.keep("events look for a conclusion")
        return seen and self.counter.experiment in redis.concluded

    def _found(self, redis: Redis, rules: Rules) -> tuple[Event, Redis]:
        if self.over:
            return self._finish(redis, counted=False)
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
        entries = frozenset(Entry(self.uuid, counter, old=True) for counter in self.left)
        return self._to(at, replace(redis, record=redis.record | entries))

    def _register(self, redis: Redis, rules: Rules) -> tuple[Event, Redis]:
        counter, experiment = self.counter, self.counter.experiment
        late = not rules.keep("since is written before the name")
        if self.at == "register: since":
            if self.older or late:
                return self._to("register: name", redis)
            return self._to("register: precision", dated(redis, experiment))
        if self.at == "register: precision":
            return self._to("register: see precision", precise(redis, experiment, counter))
        if self.at == "register: see precision":
            same = redis.precision_of(experiment) == counter.precision
            noticed = not same and rules.keep("another precision is noticed")
            noticed = noticed or self._is_over(redis, rules)
            return self._forget(redis) if noticed else self._to("register: name", redis)
        if self.at == "register: name":
            named = replace(redis, experiments=redis.experiments | {experiment})
            return self._to("register: late since" if late else "register: namespace", named)
        if self.at == "register: late since":
            changed = redis
            if not self.older:
                changed = precise(dated(redis, experiment), experiment, counter)
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
        return self._to(
            at, self._with_visitor(redis), added=self._added(), complete=True, over=False
        )

    def _look_again(self, redis: Redis, rules: Rules) -> tuple[Event, Redis]:
        counter, experiment = self.counter, self.counter.experiment
        following, found = {
            "look again: name": ("look again: namespace", experiment in redis.experiments),
            "look again: namespace": ("look again: index", redis.namespaces),
            "look again: index": ("look again: since", counter in redis.index),
            "look again: since": ("look again: mark", self.older or experiment in redis.since),
            "look again: mark": ("", counter in redis.marks),
        }[self.at]
        complete = self.complete and found
        over = self.over
        if self.at == "look again: since":  # together with the record
            over = self._is_over(redis, rules)
        if following:
            return self._to(following, redis, complete=complete, over=over)
        if over:
            return self._to("withdraw: entry", redis, left=self.left - {counter})
        if complete:
            return self._finish(redis, counted=True)
        return self._to("register: since", redis, left=self.left | {counter})

    def _withdraw(self, redis: Redis, rules: Rules) -> tuple[Event, Redis]:
        """Remove what was registered, as the experiment was concluded meanwhile."""
        counter = self.counter
        if not rules.keep("a late registration is withdrawn"):
            return self._forget(redis)
        if self.at == "withdraw: entry":
            entry = Entry(self.uuid, counter, old=True)
            return self._to("withdraw: mark", replace(redis, record=redis.record | {entry}))
        if self.at == "withdraw: mark":
            return self._to("withdraw: index", replace(redis, marks=redis.marks - {counter}))
        if self.at == "withdraw: index":
            return self._to("withdraw: name", replace(redis, index=redis.index - {counter}))
        return self._forget(replace(redis, experiments=redis.experiments - {counter.experiment}))


def dated(redis: Redis, experiment: str) -> Redis:
    return replace(redis, since=redis.since | {experiment})


def precise(redis: Redis, experiment: str, counter: Counter) -> Redis:
    """HSETNX: the first precision stays."""
    if redis.precision_of(experiment) is not None:
        return redis
    return replace(redis, precision=redis.precision | {(experiment, counter.precision)})
