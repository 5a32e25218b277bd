"""The protocol of concluding and reopening experiments, in steps like `counting_protocol`.

The steps mirror `gimel.runtime.conclude`: change them together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from tests.support.counting_protocol import (
    BaseClient,
    Counter,
    Entry,
    Event,
    Redis,
    Rules,
    dated,
    precise,
)
from tests.support.deletion_protocol import Delete

KEPT = "concluded"
"""The token of the entries that keep the counters of a concluded experiment."""


def kept(redis: Redis, experiment: str) -> frozenset[Entry]:
    """Return the entries that keep an experiment's counters."""
    return frozenset(
        each
        for each in redis.record
        if each.token == KEPT and each.counter.experiment == experiment
    )


@dataclass(frozen=True)
class _Registrar(BaseClient):
    """What puts marks and names back, from `restore: marks` on; then comes `after`."""

    experiment: str
    token: str = "C"
    at: str = ""
    counters: frozenset[Counter] = frozenset()
    dated: bool = False  # whether the experiment had a time
    precision: int = 0  # the one that it had, if any
    left: frozenset[Counter] = frozenset()  # the counters to put back

    @property
    def after(self) -> str:
        return "forget"

    def _begin_restore(self, redis: Redis, rules: Rules) -> tuple[BaseClient, Redis]:
        left = self.left | redis.marks_of(self.experiment)
        return self._to(self._first(rules) if left else self.after, redis, left=left)

    def _restore(self, redis: Redis, rules: Rules) -> tuple[_Registrar, Redis]:
        early = not rules.keep("a name is put back after the marks")
        steps = ["restore: index", "restore: since", "restore: precision", "restore: name"]
        steps = [*steps, "restore: marks"] if early else ["restore: marks", *steps]
        steps += ["restore: namespace", self.after]
        following = steps[steps.index(self.at) + 1]
        if self.at == "restore: marks":
            redis = replace(redis, marks=redis.marks | self.left)
        elif self.at == "restore: index":
            redis = replace(redis, index=redis.index | self.left)
        elif self.at == "restore: since":
            redis = dated(redis, self.experiment) if self.dated else redis
        elif self.at == "restore: precision":
            if self.precision:
                redis = precise(redis, self.experiment, next(iter(self.left)))
        elif self.at == "restore: namespace":
            redis = replace(redis, namespaces=True)
        else:
            redis = replace(redis, experiments=redis.experiments | {self.experiment})
        return self._to(following, redis)

    def _first(self, rules: Rules) -> str:
        late = rules.keep("a name is put back after the marks")
        return "restore: marks" if late else "restore: index"

    def _with_data(self, redis: Redis) -> frozenset[Counter]:
        return self.counters & {counter for counter, _ in redis.data}


@dataclass(frozen=True)
class Conclude(_Registrar):
    """`conclude` of one experiment, or the end of one that was interrupted."""

    at: str = "look"

    ENDS = ("done", "dead")
    HARMLESS = ("look", "freeze")

    def _look(self, redis: Redis, _: Rules) -> tuple[Conclude, Redis]:
        noted = {
            "dated": self.experiment in redis.since,
            "precision": redis.precision_of(self.experiment) or 0,
        }
        if self.experiment in redis.concluded:
            return self._to("read: marks", redis, **noted)
        exists = self.experiment in redis.experiments
        return self._to("freeze" if exists else "done", redis, **noted)

    def _freeze(self, redis: Redis, _: Rules) -> tuple[Conclude, Redis]:
        if self.at == "freeze: unless deleted":
            gone = self.experiment not in redis.experiments | redis.past
            return self._to("thaw" if gone else "read: marks", redis)
        redis = replace(redis, concluded=redis.concluded | {self.experiment})
        return self._to("freeze: unless deleted", redis)

    def _thaw(self, redis: Redis, _: Rules) -> tuple[Conclude, Redis]:
        return self._to("data", replace(redis, concluded=redis.concluded - {self.experiment}))

    def _read(self, redis: Redis, _: Rules) -> tuple[Conclude, Redis]:
        if self.at == "read: marks":
            return self._to("read: index", redis, counters=redis.marks_of(self.experiment))
        own = frozenset(c for c in redis.index if c.experiment == self.experiment)
        return self._to("past", redis, counters=self.counters | own)

    def _past(self, redis: Redis, _: Rules) -> tuple[Conclude, Redis]:
        past = redis.past | {self.experiment}
        return self._to("record", replace(redis, namespaces=True, past=past))

    def _record(self, redis: Redis, _: Rules) -> tuple[Conclude, Redis]:
        entries = frozenset(Entry(KEPT, counter) for counter in self.counters)
        return self._to("remove: marks", replace(redis, record=redis.record | entries))

    def _remove(self, redis: Redis, rules: Rules) -> tuple[Conclude, Redis]:
        if self.at == "remove: marks":
            return self._to("remove: index", replace(redis, marks=redis.marks - self.counters))
        if self.at == "remove: index":
            return self._to("remove: name", replace(redis, index=redis.index - self.counters))
        names = redis.experiments - {self.experiment}
        again = rules.keep("a conclusion looks again")
        return self._to("look again" if again else "settle", replace(redis, experiments=names))

    def _look_again(self, redis: Redis, _: Rules) -> tuple[Conclude, Redis]:
        over = self.experiment in redis.concluded
        return self._to("settle" if over else "leave", redis)

    def _settle(self, redis: Redis, _: Rules) -> tuple[Conclude, Redis]:
        entries = frozenset(Entry(KEPT, counter, old=True) for counter in self.counters)
        return self._to("forget", replace(redis, record=redis.record | entries))

    def _leave(self, redis: Redis, _: Rules) -> tuple[Conclude, Redis]:
        redis = replace(redis, past=redis.past - {self.experiment})
        return self._to("data", redis)

    def _data(self, redis: Redis, rules: Rules) -> tuple[BaseClient, Redis]:
        if self.at == "data: marks":
            return self._begin_restore(redis, rules)
        return self._to("data: marks", redis, left=self._with_data(redis))

    def _forget(self, redis: Redis, _: Rules) -> tuple[Conclude, Redis]:
        mine = frozenset(Entry(KEPT, counter) for counter in self.counters)
        return self._to("done", replace(redis, record=redis.record - mine))


class _LastDelete(Delete):
    """The end of a reopening whose experiment was deleted meanwhile."""


@dataclass(frozen=True)
class Reopen(_Registrar):
    """`reopen` of one experiment."""

    token: str = "R"
    at: str = "look"
    entries: frozenset[Entry] = frozenset()
    thawed: bool = False

    ENDS = ("done", "dead")
    HARMLESS = ("look", "read", "data")

    @property
    def after(self) -> str:
        return "check" if self.thawed else "thaw"

    def _look(self, redis: Redis, _: Rules) -> tuple[Reopen, Redis]:
        over = self.experiment in redis.concluded
        return self._to(
            "read" if over else "done",
            redis,
            dated=self.experiment in redis.since,
            precision=redis.precision_of(self.experiment) or 0,
        )

    def _read(self, redis: Redis, _: Rules) -> tuple[Reopen, Redis]:
        entries = kept(redis, self.experiment)
        counters = frozenset(entry.counter for entry in entries)
        return self._to("data", redis, entries=entries, counters=counters)

    def _data(self, redis: Redis, rules: Rules) -> tuple[BaseClient, Redis]:
        if self.at == "data: marks":
            if not self.left | redis.marks_of(self.experiment) and rules.keep(
                "a reopening ends as a delete does"
            ):
                return _LastDelete(self.experiment, self.token), redis
            return self._begin_restore(redis, rules)
        left = self._with_data(redis)
        if self.thawed:
            return self._to("data: marks", redis, left=left)
        return self._to(self._first(rules) if left else "done", redis, counters=left, left=left)

    def _thaw(self, redis: Redis, rules: Rules) -> tuple[Reopen, Redis]:
        redis = replace(redis, concluded=redis.concluded - {self.experiment})
        again = rules.keep("a reopening looks again")
        return self._to("data" if again else "leave", redis, thawed=True)

    def _check(self, redis: Redis, _: Rules) -> tuple[Reopen, Redis]:
        there = self.left <= redis.marks_of(self.experiment)
        return self._to("leave" if there else "data", redis)

    def _leave(self, redis: Redis, _: Rules) -> tuple[Reopen, Redis]:
        return self._to("forget", replace(redis, past=redis.past - {self.experiment}))

    def _forget(self, redis: Redis, _: Rules) -> tuple[Reopen, Redis]:
        finished = {entry for entry in self.entries if entry.old}
        return self._to("done", replace(redis, record=redis.record - finished))


Client: TypeAlias = Event | Delete | Conclude | Reopen
