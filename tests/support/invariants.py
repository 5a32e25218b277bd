"""What holds in Redis after any history of interleaved calls.

Written from the documented key layout. Each function returns what is wrong, in words.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from unittest import mock

import redis

from tests.support.interleaving import GOAL, Call, Names, Process, World
from tests.support.redis_content import counter_id, shards

PRECISIONS = (1, 4)
LONG_AFTER = 3600  # seconds: longer than any call can last


def broken(world: World, store: redis.Redis, healer: Process, limits: dict[str, int]) -> list[str]:
    """Return the invariants that the calls of the world have broken. They have all ended.

    The steps that heal what a dead process has left are taken: an event of each counter, and a
    delete of each experiment.
    """
    facts = Facts(world, store)
    problems = [*facts.lost_events(), *facts.unlisted_data()]
    if not facts.interrupted or not facts.deletes:
        problems += facts.unlisted_keys()
    world.processes.append(healer)
    place = len(world.processes) - 1
    for names in facts.counters:
        world.run(place, Call("track", [names], ["healer"]))
    problems += [*facts.unlisted_keys(), *facts.undated(), *facts.over(limits)]
    with long_after():
        for namespace, experiment in facts.experiments:
            world.run(place, Call("delete", [(namespace, experiment, "")]))
    left = {key for key in _keys(store) if not facts.may_be_left(key)}
    return [*problems, *(f"{key} is left after deleting everything" for key in sorted(left))]


@contextlib.contextmanager
def long_after() -> Iterator[None]:
    """Let so much time pass that every call of before has ended."""
    later = time.time() + LONG_AFTER
    with mock.patch.object(time, "time", return_value=later):
        yield


class Facts:
    """The history of the calls, in addition to what Redis holds."""

    def __init__(self, world: World, store: redis.Redis) -> None:
        self._world, self._store = world, store
        self._history = list(world.history)
        tracked = [call for call in self._history if call.kind == "track"]
        self.counters: list[Names] = sorted({names for call in tracked for names in call.names})
        self.experiments = sorted({each for call in self._history for each in call.experiments})
        self.deletes = [call for call in self._history if call.kind == "delete"]
        ended_early = [call for call in self._history if call.outcome != "done"]
        self.interrupted = {each for call in ended_early for each in call.experiments}
        deleted = {each for call in self.deletes for each in call.experiments}
        # A process that died after its PFADD, while the experiment was deleted, may leave the key.
        self._excused = {
            key
            for call in ended_early
            if call.kind == "track"
            for names in call.names
            if names[:2] in deleted
            for precision in PRECISIONS
            for key in _shards(names, precision)
        }

    def lost_events(self) -> list[str]:
        """An event that was answered `ok` is counted, unless a delete ended after it began."""
        return [
            f"the event of {uuid} for {names} is lost"
            for call in self._history
            for names, uuid, answer in zip(call.names, call.uuids, call.answers, strict=False)
            if answer == "ok"
            and not self._was_deleted(names, call)
            and not any(self._is_counted(names, uuid, precision) for precision in PRECISIONS)
        ]

    def _was_deleted(self, names: Names, event: Call) -> bool:
        return any(
            names[:2] in call.experiments and call.ended > event.began for call in self.deletes
        )

    def _is_counted(self, names: Names, uuid: str, precision: int) -> bool:
        namespace, experiment, _ = names
        counter = _id(names, precision)
        prefix = f"{namespace}:{experiment}"
        is_listed = self._store.sismember(f"{prefix}:counter_keys", counter)
        # A concluded experiment is counted until its end, and a deletion record keeps its counters.
        if not is_listed and counter not in _recorded(self._store, prefix):
            return False
        return any(
            self._store.pfadd(key, uuid) == 0
            for key in _shards(names, precision)
            if self._store.exists(key)
        )

    def unlisted_data(self) -> Iterator[str]:
        """Every counter is in an index or in a deletion record, whoever died."""
        listed: set[str] = set()
        for namespace, experiment in self.experiments:
            prefix = f"{namespace}:{experiment}"
            listed |= _members(self._store, f"{namespace}:counter_keys")
            listed |= _members(self._store, f"{prefix}:counter_keys")
            listed |= _recorded(self._store, prefix)
        keys = {key for counter in listed for key in _keys_of(counter)}
        for key in sorted(_keys(self._store) - keys):
            if ":counters:" in key and not self.may_be_left(key):
                yield f"nothing lists the data in {key}"

    def unlisted_keys(self) -> Iterator[str]:
        """Every key is found from the namespaces, their experiments and the indexes."""
        store, listed = self._store, {"gimel:namespaces"}
        namespaces = _members(store, "gimel:namespaces")
        for namespace in namespaces:
            listed |= {
                f"{namespace}:{each}"
                for each in ("experiments", "counter_keys", "meta", "concluded")
            }
        for namespace, experiment in self.experiments:
            prefix = f"{namespace}:{experiment}"
            listed.add(f"{prefix}:deleting")
            listed |= {key for each in _recorded(store, prefix) for key in _keys_of(each)}
            if experiment in _members(store, f"{namespace}:concluded"):
                listed.add(f"{prefix}:meta")
            if experiment not in _members(store, f"{namespace}:experiments"):
                continue
            index = _members(store, f"{namespace}:counter_keys")
            marks = _members(store, f"{prefix}:counter_keys")
            listed |= {f"{prefix}:counter_keys", f"{prefix}:meta"}
            listed |= {key for counter in marks & index for key in _keys_of(counter)}
        for key in sorted(_keys(store) - listed):
            if not self.may_be_left(key) and not self._is_meta_of_interrupted(key):
                yield f"nothing lists {key}"

    def _is_meta_of_interrupted(self, key: str) -> bool:
        """Return whether a call ended between noting the time and the name of its experiment."""
        return any(f"{n}:{e}:meta" == key for n, e in self.interrupted)

    def may_be_left(self, key: str) -> bool:
        return key in self._excused

    def undated(self) -> Iterator[str]:
        """Every experiment has its time, unless a call was interrupted or it is one of 1.5.0."""
        old = {
            each
            for process in self._world.processes
            if process.version == "1.5.0"
            for each in self.experiments
        }
        for namespace, experiment in {*self.experiments} - self.interrupted - old:
            listed = self._store.sismember(f"{namespace}:experiments", experiment)
            if listed and not self._store.hexists(f"{namespace}:{experiment}:meta", "since"):
                yield f"{namespace}:{experiment} has no time"

    def over(self, limits: dict[str, int]) -> Iterator[str]:
        """No limit is exceeded by more than the counters that were in flight."""
        store = self._store
        sizes = [("namespaces", "gimel:namespaces")]
        for namespace in {namespace for namespace, _ in self.experiments}:
            sizes.append(("experiments", f"{namespace}:experiments"))
            sizes.append(("counters", f"{namespace}:counter_keys"))
        for namespace, experiment in self.experiments:
            sizes.append(("counters_per_experiment", f"{namespace}:{experiment}:counter_keys"))
        for limit, key in sizes:
            most = limits.get(limit, 1000) + max(self._world.most_at_once - 1, 0)
            if (size := int(store.scard(key))) > most:
                yield f"{size} members of {key} exceed the limit {limit} and what was in flight"


def _id(names: Names, precision: int) -> str:
    namespace, experiment, variant = names
    return counter_id(experiment, GOAL, variant, precision, namespace)


def _shards(names: Names, precision: int) -> list[str]:
    return shards(_id(names, precision), precision)


def _keys_of(counter: str) -> list[str]:
    plain, _, precision = counter.partition("::")
    return shards(counter, int(precision)) if precision else [plain]


def _members(store: redis.Redis, key: str) -> set[str]:
    return {member.decode() for member in store.smembers(key) if isinstance(member, bytes)}


def _keys(store: redis.Redis) -> set[str]:
    return {key.decode() for key in store.scan_iter(count=1000)}


def _recorded(store: redis.Redis, prefix: str) -> set[str]:
    """Return the counters in an experiment's deletion record."""
    return {entry.split(" ", 2)[2] for entry in _members(store, f"{prefix}:deleting")}
