"""What a public endpoint can create is bounded: a counter that an index called new stays only within the limits.

Counting comes first and looking second, so an event of a known counter never waits for this.
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
    new_experiments: "set[Command]",
) -> "set[str]":
    """Take away the new counters that exceed a limit, the latest first, and return their ids.

    `new` holds one event for each new counter, `new_experiments` the SADD commands of the experiments that are new as well; the
    time of their first event is noted.
    """
    fresh: dict[Command, list[TrackEvent]] = {}
    for event in new:
        experiment = event.commands()[0]
        if experiment in new_experiments:
            fresh.setdefault(experiment, []).append(event)
    new_namespaces, sizes = _register_and_measure(redis, new, fresh)
    over: dict[str, TrackEvent] = {}

    def take_away(events: "Sequence[TrackEvent]") -> None:
        for event in events:
            over[event.counter] = event
            for _, key, _ in event.commands()[1:3]:
                sizes[key] -= 1

    # From the outside in, each the latest first, so that a batch ends as its events one by one would.
    for namespace in reversed(new_namespaces):
        if sizes[keys.NAMESPACES] > limits["namespaces"]:
            sizes[keys.NAMESPACES] -= 1
            for (_, experiments, _), events in fresh.items():
                if events[0].namespace == namespace:
                    sizes[experiments] -= 1
                    take_away(events)
    for (_, experiments, _), events in reversed(fresh.items()):
        if sizes[experiments] > limits["experiments"] and events[0].counter not in over:
            sizes[experiments] -= 1
            take_away(events)
    for limit, index in (("counters_per_experiment", 2), ("counters", 1)):
        for event in reversed(new):
            if sizes[event.commands()[index][1]] > limits[limit] and event.counter not in over:
                take_away([event])
    if over:
        _remove(redis, over, fresh, new_namespaces)
    return set(over)


def _register_and_measure(
    redis: "Client", new: "Sequence[TrackEvent]", fresh: "Mapping[Command, Sequence[TrackEvent]]"
) -> "tuple[list[str], dict[object, Any]]":
    """Note since when new experiments run; return which namespaces began with them, and the size of each index concerned."""
    now = int(time.time())
    since: list[Command] = [
        ("HSETNX", _meta_key(events[0]), "since", now) for events in fresh.values()
    ]
    namespaces = {events[0].namespace: key for (_, key, _), events in fresh.items()}
    register: list[Command] = [("SADD", keys.NAMESPACES, namespace) for namespace in namespaces]
    measured = list(dict.fromkeys(command[1] for event in new for command in event.commands()[:3]))
    measured.append(keys.NAMESPACES)
    replies = process.run(redis, [*since, *register, *(("SCARD", key) for key in measured)])
    sizes: dict[object, Any] = dict(
        zip(measured, replies[len(since) + len(register) :], strict=True)
    )
    registered = zip(namespaces.items(), replies[len(since) :], strict=False)
    # A namespace with earlier experiments is not new, only unlisted: Gimel 1.5.0 kept no list.
    begun = [
        namespace
        for (namespace, key), reply in registered
        if reply == 1 and sizes[key] <= sum(experiments == key for _, experiments, _ in fresh)
    ]
    return begun, sizes


def _remove(
    redis: "Client",
    over: "Mapping[str, TrackEvent]",
    fresh: "Mapping[Command, Sequence[TrackEvent]]",
    new_namespaces: "Sequence[str]",
) -> None:
    commands: list[Command] = []
    for counter, event in over.items():
        _, (_, in_namespace, _), (_, in_experiment, _), _ = event.commands()
        commands += [("SREM", in_namespace, counter), ("SREM", in_experiment, counter)]
        commands += [("DEL", key) for key in keys.shard_keys(counter)]
    left = set()
    for (_, experiments, name), events in fresh.items():
        if all(event.counter in over for event in events):
            commands += [("SREM", experiments, name), ("DEL", _meta_key(events[0]))]
        else:
            left.add(events[0].namespace)
    commands += [
        ("SREM", keys.NAMESPACES, namespace)
        for namespace in new_namespaces
        if namespace not in left
    ]
    process.run(redis, commands)


def _meta_key(event: "TrackEvent") -> str:
    return keys.meta_key(event.encoded_namespace, event.encoded_experiment)
