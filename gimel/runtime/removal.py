"""Removing experiments: what `gimel.delete` does, and what it shares with conclusions.

A delete that is interrupted is finished by the next one: what it was about to delete is in the
experiment's deletion record until it is gone. Events that arrive meanwhile begin the experiment
again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from gimel.runtime import keys, parsing
from gimel.runtime.redis.client import SLICE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gimel.runtime.counter import Experiment
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command

_LONGEST_CALL = 15 * 60  # seconds: no Lambda runs for longer


def remove(redis: Client, experiment: Experiment) -> _Deletion:
    """Delete an experiment, and return what was deleted."""
    deletion = _Deletion(redis, experiment)
    deletion.record()
    deletion.remove_counters()
    deletion.remove_names()
    deletion.restore_names()
    deletion.forget()
    return deletion


def is_old(since: int, now: float) -> bool:
    """Return whether the call that made an entry of a deletion record at this time has ended."""
    return since < now - _LONGEST_CALL


class Removal:
    """What lists an experiment and its counters, and how many commands are executed.

    `lists` are the sets of the namespace's experiments, `own` the indexes of this experiment, and
    `shared` those of the namespace, each in every spelling.
    """

    def __init__(self, redis: Client, experiment: Experiment) -> None:
        namespace, name = experiment.namespace, experiment.name
        spaces, names = parsing.namespace_spellings(namespace), parsing.spellings(name)
        self._redis = redis
        self._experiment = experiment
        self._lists = [keys.experiments_key(space) for space in spaces]
        self._own = [keys.experiment_counters_key(s, n) for s in spaces for n in names]
        self._shared = [keys.counters_key(space) for space in spaces]
        self._concluded = keys.concluded_key(keys.encode(namespace))
        # A user without access to this key fails here, before anything is deleted.
        _, noted = redis.run(
            [
                ("SISMEMBER", keys.NAMESPACES, namespace),
                ("HMGET", experiment.meta_key, "since", "precision", keys.CONCLUDED),
            ]
        )
        since, precision, concluded = noted if isinstance(noted, list) else (None, None, None)
        self._noted = {"since": since, "precision": precision}
        self.was_concluded = concluded is not None
        known = {name}.union(*(members for _, members in redis.members(self._lists)))
        self._parser = parsing.Parser(namespace, known)

    def _find(self) -> set[str]:
        """Return the ids of the experiment's counters.

        The namespace's index is read too, since an event may have died before it wrote the mark.
        An id that can be read in more than one way belongs to this experiment only if its own index
        lists it.
        """
        listed: set[str] = set()
        for key, counters in self._redis.members([*self._own, *self._shared]):
            listed.update(c for c in counters if key in self._own or not parsing.has_raw_colon(c))
        return set(self._own_counters(listed))

    def _read_entries(self) -> dict[str, tuple[int, str]]:
        """Return the entries of the deletion record, each with its time (s) and counter."""
        return {
            entry: keys.parse_deletion_entry(entry)
            for _, entries in self._redis.members([self._experiment.deleting_key])
            for entry in entries
        }

    def _own_counters(self, counters: Iterable[str]) -> Iterator[str]:
        """Yield those that are this experiment's: 1.5.0's key may be another namespace's index."""
        name = self._experiment.name
        return (counter for counter in counters if self._parser.parse(counter, owner=name))

    def _run(self, commands: Iterable[Command]) -> None:
        """Execute many commands, a slice of them at a time."""
        commands = iter(commands)
        while some := list(islice(commands, SLICE)):
            self._redis.run(some)

    def _remove(self, commands: Iterable[Command]) -> None:
        """Do the same, except where a key of 1.5.0's spelling holds another type of value."""
        for _ in self._redis.stream(commands):
            pass


class _Deletion(Removal):
    """The steps of one delete, in their order. Each may be repeated."""

    def __init__(self, redis: Client, experiment: Experiment) -> None:
        super().__init__(redis, experiment)
        marked = self._find()
        # After the marks: a conclusion enters a counter before it removes the mark.
        self._entries = self._read_entries()
        recorded = self._own_counters(counter for _, counter in self._entries.values())
        self.counters = marked.union(recorded)

    def record(self) -> None:
        """Enter the counters into the deletion record, with a token of this delete."""
        token = os.urandom(8).hex()
        now = int(time.time())
        mine = [keys.deletion_entry(token, now, counter) for counter in self.counters]
        self._run(("SADD", self._experiment.deleting_key, entry) for entry in mine)
        self._finished = mine + [
            entry for entry, (since, _) in self._entries.items() if is_old(since, now)
        ]

    def remove_counters(self) -> None:
        """Remove the marks first, then the data, then the entries in the namespace's indexes."""
        # Member by member: the key of 1.5.0's index may also belong to another namespace.
        self._remove(("SREM", key, counter) for key in self._own for counter in self.counters)
        self._remove(("DEL", key) for counter in self.counters for key in keys.shard_keys(counter))
        self._remove(("SREM", key, counter) for key in self._shared for counter in self.counters)

    def remove_names(self) -> None:
        """Remove the name before what is noted beside it: a name without that is one of 1.5.0."""
        experiment, redis = self._experiment, self._redis
        self._remove(("SREM", key, experiment.name) for key in self._lists)
        redis.in_order([("DEL", experiment.meta_key)], [("SREM", self._concluded, experiment.name)])
        # Who may not read it, has concluded nothing.
        past: Command = ("SCARD", self._concluded)
        sizes: list[Command] = [*(("SCARD", key) for key in self._lists), past]
        if any(redis.read(sizes, past)):
            return
        redis.run([("SREM", keys.NAMESPACES, experiment.namespace)])
        if any(redis.read(sizes, past)):  # another experiment began meanwhile
            redis.run([("SADD", keys.NAMESPACES, experiment.namespace)])
        else:
            redis.run([("DEL", keys.namespace_meta_key(keys.encode(experiment.namespace)))])

    def restore_names(self) -> None:
        """Register what events began again meanwhile: their marks are back."""
        experiment, redis = self._experiment, self._redis
        marks = list(self._own_counters(chain(*(m for _, m in redis.members([experiment.index])))))
        if not marks:
            return
        precision = keys.shards(marks[0]) or 1
        redis.run(
            [
                ("HSETNX", experiment.meta_key, "since", int(time.time())),
                ("HSETNX", experiment.meta_key, "precision", precision),
            ]
        )
        self._run(("SADD", experiment.namespace_index, counter) for counter in marks)
        redis.run(
            [
                ("SADD", experiment.experiments_key, experiment.name),
                ("SADD", keys.NAMESPACES, experiment.namespace),
            ]
        )

    def forget(self) -> None:
        """Remove the finished entries of the record. Other deletes may still need theirs."""
        self._run(("SREM", self._experiment.deleting_key, entry) for entry in self._finished)
