"""The limits on what a public endpoint can create: a new counter stays only if it is within them.

Events are counted first and new counters checked afterwards, so that the event of a known counter
never waits for the check.
"""

import time

from gimel.runtime import keys
from gimel.runtime.redis import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from gimel.runtime.event import TrackEvent
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command


def keep_within(
    limits: "Mapping[str, int]",
    redis: "Client",
    new: "Sequence[TrackEvent]",
    new_experiments: "set[str]",
) -> "set[str]":
    """Remove the new counters that exceed a limit, the latest first, and return their ids.

    `new` holds one event for each new counter. `new_experiments` are the indexes of those
    experiments that are new as well; the time of their first event is noted.
    """
    experiments: dict[str, list[TrackEvent]] = {}
    for event in new:
        if event.experiment_index in new_experiments:
            experiments.setdefault(event.experiment_index, []).append(event)
    began = list(experiments.values())
    new_namespaces, sizes = _register_and_measure(redis, new, began)
    excess = _Excess(limits, sizes)
    # From the outside in, and each the latest first: a batch ends as its events one by one would.
    excess.drop_namespaces(new_namespaces, began)
    excess.drop_experiments(began)
    excess.drop_counters(new)
    if excess.counters:
        _remove(redis, excess.counters, began, new_namespaces)
    return set(excess.counters)


class _Excess:
    """The new counters that exceed a limit. `sizes` are those of the indexes without them."""

    def __init__(self, limits: "Mapping[str, int]", sizes: "dict[str, Any]") -> None:
        self.counters: dict[str, TrackEvent] = {}
        self._limits = limits
        self._sizes = sizes

    def drop_namespaces(
        self, namespaces: "Sequence[str]", began: "Sequence[Sequence[TrackEvent]]"
    ) -> None:
        for namespace in reversed(namespaces):
            if self._sizes[keys.NAMESPACES] > self._limits["namespaces"]:
                self._sizes[keys.NAMESPACES] -= 1
                for events in began:
                    if events[0].namespace == namespace:
                        self._drop_experiment(events)

    def drop_experiments(self, began: "Sequence[Sequence[TrackEvent]]") -> None:
        for events in reversed(began):
            first = events[0]
            if self._exceeds("experiments", first.experiments_key, first):
                self._drop_experiment(events)

    def drop_counters(self, new: "Sequence[TrackEvent]") -> None:
        for event in reversed(new):
            if self._exceeds("counters_per_experiment", event.experiment_index, event):
                self._drop(event)
        for event in reversed(new):
            if self._exceeds("counters", event.namespace_index, event):
                self._drop(event)

    def _exceeds(self, limit: str, index: str, event: "TrackEvent") -> bool:
        return self._sizes[index] > self._limits[limit] and event.counter not in self.counters

    def _drop_experiment(self, events: "Sequence[TrackEvent]") -> None:
        self._sizes[events[0].experiments_key] -= 1
        for event in events:
            self._drop(event)

    def _drop(self, event: "TrackEvent") -> None:
        self.counters[event.counter] = event
        self._sizes[event.namespace_index] -= 1
        self._sizes[event.experiment_index] -= 1


def _register_and_measure(
    redis: "Client", new: "Sequence[TrackEvent]", began: "Sequence[Sequence[TrackEvent]]"
) -> "tuple[list[str], dict[str, Any]]":
    """Note when new experiments began, and list their namespaces.

    Return the namespaces that began with them, and the size of each index concerned.
    """
    now = int(time.time())
    since: list[Command] = [("HSETNX", events[0].meta_key, "since", now) for events in began]
    experiments_keys = {events[0].namespace: events[0].experiments_key for events in began}
    register: list[Command] = [
        ("SADD", keys.NAMESPACES, namespace) for namespace in experiments_keys
    ]
    measured = list(
        dict.fromkeys(
            index
            for event in new
            for index in (event.experiments_key, event.namespace_index, event.experiment_index)
        )
    )
    measured.append(keys.NAMESPACES)
    replies = process.run(redis, [*since, *register, *(("SCARD", key) for key in measured)])
    registered = replies[len(since) : len(since) + len(register)]
    sizes: dict[str, Any] = dict(zip(measured, replies[len(since) + len(register) :], strict=True))
    # A namespace with earlier experiments is not new, only unlisted: Gimel 1.5.0 kept no list.
    new_namespaces = [
        namespace
        for (namespace, key), reply in zip(experiments_keys.items(), registered, strict=True)
        if reply == 1 and sizes[key] <= sum(events[0].experiments_key == key for events in began)
    ]
    return new_namespaces, sizes


def _remove(
    redis: "Client",
    over: "Mapping[str, TrackEvent]",
    began: "Sequence[Sequence[TrackEvent]]",
    new_namespaces: "Sequence[str]",
) -> None:
    commands: list[Command] = []
    for counter, event in over.items():
        commands += [("SREM", event.namespace_index, counter)]
        commands += [("SREM", event.experiment_index, counter)]
        commands += [("DEL", key) for key in keys.shard_keys(counter)]
    remaining = set()
    for events in began:
        first = events[0]
        if all(event.counter in over for event in events):
            commands += [("SREM", first.experiments_key, first.experiment), ("DEL", first.meta_key)]
        else:
            remaining.add(first.namespace)
    commands += [
        ("SREM", keys.NAMESPACES, namespace)
        for namespace in new_namespaces
        if namespace not in remaining
    ]
    process.run(redis, commands)
