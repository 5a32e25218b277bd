"""Writes an export into a store that may be counting: what exists there is kept, and merged.

The order is the one that keeps events safe, as `gimel.runtime.creation` has it: what an experiment
began with, the counts, its names, and the marks of its counters last. Every step may be repeated,
so that an interrupted import is finished by the next one. Until then the counters are entered in
deletion records, where `gimel delete` finds them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from gimel.runtime import keys
from gimel.runtime.counter import Experiment
from gimel.runtime.counts import meta_fields
from gimel.transfer import merging, writing
from gimel.transfer.files import NamespaceNotes, Values
from gimel.transfer.looking import counter_lists, look
from gimel.transfer.merging import Changes, Decision, Found
from gimel.transfer.records import Record, TransferError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command, Reply

    Names = tuple[str, str]

CHANGED = "it was deleted or concluded in the target during the import: import it again"

_TOKEN = "import"  # noqa: S105 - of the entries in a deletion record
_BYTES_AT_ONCE = 2_000_000


@dataclass
class Outcome:
    """What an import has done, by the names of the experiments.

    `failed` are those that could not be imported, and `skipped` those that the target keeps as they
    are, each with the reason. `notes` are what should be known of others.
    """

    new: int = 0
    merged: int = 0
    skipped: dict[Names, str] = field(default_factory=dict)
    failed: dict[Names, str] = field(default_factory=dict)
    notes: dict[Names, str] = field(default_factory=dict)

    @property
    def done(self) -> int:
        return self.new + self.merged + len(self.skipped) + len(self.failed)


def restore(
    redis: Client,
    lines: Iterable[Record | Values | NamespaceNotes],
    progress: Callable[[int], None],
    *,
    only_check: bool = False,
) -> Outcome:
    """Import the lines of an export. `progress` gets how many experiments are done.

    `only_check` writes nothing, and returns what would be done. Raises RedisError.
    """
    importing = _Import(redis, only_check)
    for line in lines:
        if isinstance(line, Record):
            importing.add(line)
        elif isinstance(line, Values):
            importing.add_values(line.content)
        else:
            importing.add_notes(line)
        progress(importing.outcome.done)
    importing.finish_group()
    progress(importing.outcome.done)
    return importing.outcome


class _Open:
    """An experiment whose values are being written."""

    def __init__(self, record: Record, found: Found, decision: Decision) -> None:
        self.record = record
        self.found = found
        self.concludes = decision.concludes
        self.merges = decision.merges
        self.experiment = Experiment(*record.names)
        self.counters = record.counters()
        token = keys.CONCLUDED if decision.concludes else _TOKEN
        # Without a time: the next delete need not leave them to a call that may be running.
        self.entries = [keys.deletion_entry(token, 0, each) for each in self.counters]

    @property
    def meta_key(self) -> str:
        return self.experiment.meta_key

    def reservation(self) -> Changes:
        """Return the conclusion and the precision, which events take."""
        concluded = {keys.CONCLUDED: self.record.meta[keys.CONCLUDED]} if self.concludes else {}
        if self.record.precision is None:
            return Changes(concluded)
        return Changes({**concluded, merging.PRECISION: str(self.record.precision)})

    def first_fields(self) -> Changes:
        return merging.first_fields(self.record, self.found, concludes=self.concludes)

    def other_fields(self) -> Changes:
        return merging.other_fields(self.record, self.found, concludes=self.concludes)

    def lists(self) -> Iterator[tuple[str, list[str]]]:
        """Yield what lists the experiment and its counters, but for their marks."""
        name = self.record.experiment
        if self.concludes:
            yield keys.concluded_key(keys.encode(self.record.namespace)), [name]
        else:
            for key in counter_lists(self.record):
                space = key.removesuffix(keys.counters_key(""))
                yield key, [each for each in self.counters if each.startswith(f"{space}:counters:")]
            for key in self.record.listed or (self.experiment.experiments_key,):
                yield key, [name]
        yield keys.NAMESPACES, [self.record.namespace]

    def marks(self) -> Iterator[tuple[str, Sequence[str]]]:
        """Yield its indexes with their counters. One that is concluded has none."""
        if not self.concludes:
            yield from self.record.marks.items()
            yield self.experiment.index, self.record.kept

    def questions(self) -> list[tuple[Command, int]]:
        """Return what to ask at the end, with the answers unless it was deleted or concluded."""
        asked: list[tuple[Command, int]] = [
            (("HEXISTS", self.meta_key, keys.CONCLUDED), self.concludes)
        ]
        if self.record.precision is not None:
            asked.append((("HEXISTS", self.meta_key, merging.PRECISION), 1))
        for key, members in chain(self.lists(), self.marks()):
            asked += [(("SISMEMBER", key, each), 1) for each in members]
        return asked


class _Import:
    """The lines until now. Values may follow for the experiments that are open."""

    def __init__(self, redis: Client, only_check: bool) -> None:
        self.outcome = Outcome()
        self._redis = redis
        self._only_check = only_check
        self._token = f"import-{os.urandom(8).hex()}"
        self._waiting: list[Record] = []
        self._open: list[_Open] = []
        self._wanted: set[str] = set()  # keys of those that are open
        self._unwanted: set[str] = set()  # keys of others in the group
        self._values: dict[str, bytes] = {}
        self._size = 0
        self._namespaces: set[str] = set()

    def add(self, record: Record) -> None:
        """Take a record. After values, it begins a new group."""
        if not self._waiting:
            self.finish_group()
        self._waiting.append(record)

    def add_values(self, values: Mapping[str, bytes]) -> None:
        """Take values of the group, and write them if there are enough."""
        self._begin_group()
        for key, value in values.items():
            if key in self._wanted:
                self._values[key] = value
                self._size += len(value)
            elif key not in self._unwanted:
                raise TransferError(f"The key {key!r} in the file belongs to no experiment.")
        if self._size > _BYTES_AT_ONCE:
            self._write_values()

    def add_notes(self, notes: NamespaceNotes) -> None:
        """Take the notes of a namespace whose experiments came before."""
        self.finish_group()
        if notes.namespace not in self._namespaces or self._only_check:
            return
        key = keys.namespace_meta_key(keys.encode(notes.namespace))
        theirs = meta_fields(*self._redis.run([("HGETALL", key)]))
        writing.change(self._redis, [(key, merging.namespace_fields(notes.meta, theirs))])

    def finish_group(self) -> None:
        """Write what is left of the group, and then what lists it."""
        self._begin_group()
        self._write_values()
        complete = self._open if self._only_check else self._register()
        for each in self._open:
            if each not in complete:
                self.outcome.failed[each.record.names] = CHANGED
            elif each.merges:
                self.outcome.merged += 1
            else:
                self.outcome.new += 1
            self._namespaces.add(each.record.namespace)
        self._open.clear()
        self._wanted.clear()
        self._unwanted.clear()

    def _begin_group(self) -> None:
        """Decide what becomes of the waiting experiments, and note what they began with."""
        records, self._waiting = self._waiting, []
        if not records:
            return
        decided = []
        for record, found in zip(records, look(self._redis, records), strict=True):
            decision = merging.decide(record, found)
            if decision.note:
                self.outcome.notes[record.names] = decision.note
            if decision.refused:
                self.outcome.failed[record.names] = decision.refused
            elif decision.skipped:
                self.outcome.skipped[record.names] = decision.skipped
            else:
                decided.append(_Open(record, found, decision))
                continue
            self._unwanted.update(record.hyperloglogs())
        self._open = decided if self._only_check else self._reserve(decided)
        for each in self._open:
            self._wanted.update(each.record.hyperloglogs())
        if not self._only_check:
            self._begin_experiments()

    def _reserve(self, decided: Sequence[_Open]) -> list[_Open]:
        """Note conclusions and precisions. Return the experiments that have no other ones by now.

        Events take what is noted, so this comes before everything else.
        """
        writing.change(self._redis, ((e.meta_key, e.reservation()) for e in decided))
        noted = writing.run(
            self._redis, (("HMGET", each.meta_key, merging.PRECISION) for each in decided)
        )
        reserved = []
        for each, reply in zip(decided, noted, strict=True):
            precision = merging.noted_precision(_first(reply))
            if refused := merging.other_precision(each.record, precision):
                self.outcome.failed[each.record.names] = refused
                self._unwanted.update(each.record.hyperloglogs())
            else:
                reserved.append(each)
        return reserved

    def _begin_experiments(self) -> None:
        """Note when the open experiments began, and enter their counters in deletion records."""
        writing.change(self._redis, ((each.meta_key, each.first_fields()) for each in self._open))
        entries = ((each.experiment.deleting_key, each.entries) for each in self._open)
        writing.add_members(self._redis, entries)
        exact = chain.from_iterable(each.record.exact.items() for each in self._open)
        writing.run(self._redis, (("SET", key, digits, "NX") for key, digits in exact))

    def _write_values(self) -> None:
        values, self._values, self._size = self._values, {}, 0
        if not self._only_check:
            writing.merge(self._redis, values, self._token)

    def _register(self) -> list[_Open]:
        """Write what lists the open experiments. Return those that are complete afterwards."""
        redis, some = self._redis, self._open
        writing.add_members(redis, chain.from_iterable(each.lists() for each in some))
        # Last: a counter exists as soon as it has its mark.
        writing.add_members(redis, chain.from_iterable(each.marks() for each in some))
        writing.change(redis, ((each.meta_key, each.other_fields()) for each in some))
        complete = self._complete()
        self._restore_notes([each for each in some if each not in complete])
        writing.run(
            redis,
            (
                ("SREM", each.experiment.deleting_key, entry)
                for each in complete
                if not each.concludes
                for entry in each.entries
            ),
        )
        return complete

    def _restore_notes(self, changed: Sequence[_Open]) -> None:
        """Write the notes again of what is listed after a delete has removed them.

        Without them it would look like an experiment of 1.5.0.
        """
        lists = [("SISMEMBER", e.experiment.experiments_key, e.record.experiment) for e in changed]
        for each, listed in zip(changed, writing.run(self._redis, lists), strict=True):
            if listed and not each.concludes:
                notes = (each.reservation(), each.first_fields())
                writing.change(self._redis, ((each.meta_key, changes) for changes in notes))

    def _complete(self) -> list[_Open]:
        asked = [each.questions() for each in self._open]
        replies = iter(writing.run(self._redis, (command for some in asked for command, _ in some)))
        return [
            each
            for each, some in zip(self._open, asked, strict=True)
            if [next(replies) for _ in some] == [expected for _, expected in some]
        ]


def _first(reply: Reply) -> str:
    """Return the value in a reply to HMGET with one field; empty if it does not exist."""
    value = reply[0] if isinstance(reply, list) else None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
