"""The protocol by which experiments are deleted, in steps like those of `counting_protocol`.

The steps mirror `gimel.runtime.removal`: change them together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.support.counting_protocol import (
    BaseClient,
    Counter,
    Entry,
    Redis,
    Rules,
    dated,
    precise,
)

_READS = ("read: marks", "read: index", "read: record")


@dataclass(frozen=True)
class Delete(BaseClient):
    """`delete` of one experiment."""

    experiment: str
    token: str
    at: str = _READS[0]
    entries: frozenset[Entry] = frozenset()
    counters: frozenset[Counter] = frozenset()
    back: frozenset[Counter] = frozenset()

    ENDS = ("done", "dead")
    HARMLESS = (*_READS, "record")

    def _read(self, redis: Redis, _: Rules) -> tuple[Delete, Redis]:
        place = _READS.index(self.at)
        following = (*_READS, "record")[place + 1]
        if place == 0:
            found = redis.marks_of(self.experiment)
        elif place == 1:
            found = frozenset(c for c in redis.index if c.experiment == self.experiment)
        else:
            entries = frozenset(e for e in redis.record if e.counter.experiment == self.experiment)
            counters = self.counters.union(entry.counter for entry in entries)
            return self._to(following, redis, entries=entries, counters=counters)
        return self._to(following, redis, counters=self.counters | found)

    def _record(self, redis: Redis, rules: Rules) -> tuple[Delete, Redis]:
        entries = frozenset(Entry(self.token, counter) for counter in self.counters)
        if rules.keep("a delete records its counters"):
            redis = replace(redis, record=redis.record | entries)
        early = rules.keep("marks are removed before data")
        return self._to("remove: marks" if early else "remove: data", redis)

    def _remove(self, redis: Redis, rules: Rules) -> tuple[Delete, Redis]:
        early = rules.keep("marks are removed before data")
        if self.at == "remove: marks":
            at = "remove: data" if early else "remove: index"
            return self._to(at, replace(redis, marks=redis.marks - self.counters))
        if self.at == "remove: data":
            data = frozenset(each for each in redis.data if each[0] not in self.counters)
            at = "remove: index" if early else "remove: marks"
            return self._to(at, replace(redis, data=data))
        if self.at == "remove: index":
            return self._to("remove: name", replace(redis, index=redis.index - self.counters))
        if self.at == "remove: name":
            names = redis.experiments - {self.experiment}
            return self._to("remove: meta", replace(redis, experiments=names))
        noted = frozenset(each for each in redis.precision if each[0] != self.experiment)
        if self.at == "remove: meta":
            since, over = redis.since - {self.experiment}, redis.concluded - {self.experiment}
            redis = replace(redis, since=since, precision=noted, concluded=over)
            return self._to("remove: past", redis)
        redis = replace(redis, past=redis.past - {self.experiment})
        return self._to("namespace: count", redis)

    def _namespace(self, redis: Redis, rules: Rules) -> tuple[Delete, Redis]:
        used = redis.experiments or redis.past
        if self.at == "namespace: count":
            return self._to("look again" if used else "namespace: remove", redis)
        if self.at == "namespace: remove":
            return self._to("namespace: count again", replace(redis, namespaces=False))
        if self.at == "namespace: count again":
            began = used and rules.keep("the namespace is put back")
            return self._to("namespace: put back" if began else "look again", redis)
        return self._to("look again", replace(redis, namespaces=True))

    def _look_again(self, redis: Redis, rules: Rules) -> tuple[Delete, Redis]:
        back = redis.marks_of(self.experiment) if rules.keep("deletes look again") else frozenset()
        return self._to("restore: since" if back else "forget", redis, back=back)

    def _restore(self, redis: Redis, _: Rules) -> tuple[Delete, Redis]:
        if self.at == "restore: since":
            return self._to("restore: precision", dated(redis, self.experiment))
        if self.at == "restore: precision":
            noted = precise(redis, self.experiment, next(iter(self.back)))
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
