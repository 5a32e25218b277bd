"""How a counter comes into being: looked up, registered, and marked last.

A counter exists when its experiment's index lists it: that is its commit mark. Decisions rest on
what Redis holds, never on which client was first, and every stage may be repeated. A stage is sent
only after the one before succeeded, so that the order holds on a cluster too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from gimel.runtime import keys
from gimel.runtime.counter import Counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command, Reply


_PRECISIONS = {b"%d" % precision for precision in keys.PRECISIONS}


class New:
    """A counter that this process does not know yet, and what Redis holds of it.

    `is_listed` says whether its experiment is, `is_concluded` whether the experiment has ended, and
    `is_older` whether it began under 1.5.0, which did not note when. `is_marked` says whether the
    counter has its mark, `is_indexed` whether the namespace's index lists it, and `is_complete`
    whether it has its mark and all names. `precision` is the one that its experiment began with, or
    the `default`.
    """

    def __init__(self, counter: Counter, default: int, replies: Sequence[Reply]) -> None:
        listed, meta, member, marked, indexed, namespace = replies
        since, precision, concluded = meta if isinstance(meta, list) else (None, None, None)
        name = counter.experiment.name
        self.counter = counter
        self.is_concluded = concluded is not None
        self.is_listed = bool(listed)
        # One without counters is being deleted, unless 1.5.0 spelled its index's key otherwise.
        has_counters = member is not None or keys.encode(name) != name
        self.is_older = self.is_listed and since is None and has_counters
        self.is_marked = bool(marked)
        self.is_indexed = bool(indexed)
        self.is_complete = bool(marked and listed and indexed and namespace)
        if precision in _PRECISIONS:
            self.precision = int(precision)
        elif self.is_older:
            self.precision = 1
        elif isinstance(member, bytes):  # an early 2.0.0 did not note the precision
            self.precision = keys.shards(member.decode("utf-8", "replace")) or 1
        else:
            self.precision = default

    def questions(self) -> list[Command]:
        """Return the commands of the second look, which `is_alive` understands the answers to."""
        experiment = self.counter.experiment
        return [
            ("SISMEMBER", experiment.experiments_key, experiment.name),
            ("SISMEMBER", keys.NAMESPACES, experiment.namespace),
            ("SISMEMBER", experiment.namespace_index, self.counter.id),
            ("HMGET", experiment.meta_key, "since", keys.CONCLUDED),
            self.counter.is_marked,
        ]

    def is_alive(self, answers: Sequence[Reply]) -> bool:
        """Return whether it is still registered and marked, and its experiment not concluded."""
        *named, meta, marked = answers
        since, concluded = meta if isinstance(meta, list) else (None, None)
        self.is_concluded = concluded is not None
        dated = self.is_older or since is not None
        return bool(all(named) and dated and marked) and not self.is_concluded


def look_up(redis: Client, counters: Sequence[Counter], default: int) -> list[New]:
    """Return what Redis holds of each counter, at the precision of its experiment."""
    found = _look_up(redis, counters, default)
    other = {
        new: Counter(new.counter.names, new.precision)
        for new in found
        if new.precision != new.counter.precision
    }
    again = dict(zip(other, _look_up(redis, list(other.values()), default), strict=True))
    return [again.get(new, new) for new in found]


def _look_up(redis: Client, counters: Sequence[Counter], default: int) -> list[New]:
    commands: list[Command] = []
    for counter in counters:
        experiment = counter.experiment
        commands += [
            ("SISMEMBER", experiment.experiments_key, experiment.name),
            ("HMGET", experiment.meta_key, "since", "precision", keys.CONCLUDED),
            ("SRANDMEMBER", experiment.index),
            counter.is_marked,
            ("SISMEMBER", experiment.namespace_index, counter.id),
            ("SISMEMBER", keys.NAMESPACES, experiment.namespace),
        ]
    replies = redis.run(commands)
    return [
        New(counter, default, replies[6 * place : 6 * place + 6])
        for place, counter in enumerate(counters)
    ]


def register(redis: Client, new: Sequence[New], now: int) -> list[New]:
    """Register experiments and counters, then mark the counters. Return those that were marked.

    `now` is the time (seconds since 1970) of the first event of an experiment that is new.

    Another client may just have begun an experiment with another precision, or concluded it. Its
    counters are not marked, and must be looked up again.
    """
    dated = [each for each in new if not each.is_older]
    commands: list[Command] = []
    for each in dated:
        key = each.counter.experiment.meta_key
        # Before the name: a name without a time would look like an experiment of 1.5.0.
        commands.append(("HSETNX", key, "since", now))
        commands.append(("HSETNX", key, "precision", each.counter.precision))
        commands.append(("HMGET", key, "precision", keys.CONCLUDED))
    replies = redis.run(commands)
    other = {
        each
        for each, noted in zip(dated, replies[2::3], strict=True)
        if isinstance(noted, list)
        and (
            noted[1] is not None
            or (noted[0] in _PRECISIONS and noted[0] != b"%d" % each.counter.precision)
        )
    }
    new = [each for each in new if each not in other]
    names: list[Command] = []
    for each in new:
        experiment = each.counter.experiment
        names.append(("SADD", experiment.experiments_key, experiment.name))
        names.append(("SADD", keys.NAMESPACES, experiment.namespace))
        names.append(("SADD", experiment.namespace_index, each.counter.id))
    redis.run(names)
    redis.run([("SADD", each.counter.experiment.index, each.counter.id) for each in new])
    return new


def withdraw(redis: Client, counters: Iterable[Counter]) -> None:
    """Remove what was registered while the experiment was concluded.

    The experiment may have been reopened since: look the counters up again afterwards.
    """
    counters = list(counters)
    record_leftovers(redis, counters)
    redis.run([("SREM", each.experiment.index, each.id) for each in counters])
    names: list[Command] = []
    for each in counters:
        experiment = each.experiment
        names.append(("SREM", experiment.namespace_index, each.id))
        names.append(("SREM", experiment.experiments_key, experiment.name))
    redis.run(names)


def record_leftovers(redis: Client, counters: Iterable[Counter]) -> None:
    """Enter counters that nothing lists any more into the deletion records of their experiments.

    An event was added to them before their mark turned out to be gone. They have no time: the next
    delete need not leave them to whoever wrote them.
    """
    token = os.urandom(8).hex()
    redis.run(
        [
            ("SADD", counter.experiment.deleting_key, keys.deletion_entry(token, 0, counter.id))
            for counter in counters
        ]
    )
