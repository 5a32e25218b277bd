"""Reads experiments out of a store: their names and notes, then their HyperLogLogs.

Nothing is written, and events may be counted meanwhile. What an experiment's lines hold is then
what was counted at some moment of the reading, or later. Memory is bounded: a few experiments are
read side by side, and their HyperLogLogs a slice at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice

from gimel.runtime import keys, parsing
from gimel.runtime.counter import Experiment
from gimel.runtime.counts import meta_fields
from gimel.runtime.fields import DEFAULT_NAMESPACE
from gimel.transfer.files import NamespaceNotes, Values
from gimel.transfer.merging import PRECISION, SINCE, noted_precision
from gimel.transfer.records import (
    HYPERLOGLOG,
    MAX_DIGITS,
    Record,
    TransferError,
    described,
    indexes,
    name_lists,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command, Reply

AT_ONCE = 20
"""How many experiments are read side by side, each with up to 100 KB of history."""

KEYS_AT_ONCE = 200
"""How many HyperLogLogs are read at a time: of 12 KB each, at most."""

_KEYS_OF_GROUP = 2000


def namespaces(redis: Client) -> list[str]:
    """Return the namespaces that have experiments, as far as the store lists them.

    Gimel 1.5.0 kept no list: of its namespaces only the default one is found.
    """
    listed = {name for _, names in redis.members([keys.NAMESPACES]) for name in names}
    return [name for name in sorted({*listed, DEFAULT_NAMESPACE}) if experiments(redis, name)]


def experiments(redis: Client, namespace: str) -> list[str]:
    """Return the experiments of a namespace by name, with those that were concluded."""
    lists = [*name_lists(namespace), keys.concluded_key(keys.encode(namespace))]
    return sorted({name for _, names in redis.members(lists) for name in names})


def export(
    redis: Client,
    names: dict[str, list[str]],
    warn: Callable[[str], None],
    progress: Callable[[int], None],
) -> Iterator[Record | Values | NamespaceNotes]:
    """Yield what an export of these experiments, by namespace, consists of.

    `warn` gets what is skipped, `progress` how many experiments are done. Raises RedisError, and
    TransferError if an experiment was deleted, concluded or reopened meanwhile.
    """
    done = 0
    for namespace, found in names.items():
        waiting = list(found)
        while waiting:
            some, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
            for group in _groups(_read(redis, namespace, some, found, warn)):
                yield from group
                yield from _values(redis, group, warn)
                _look_again(redis, group)
            done += len(some)
            progress(done)
        key = keys.namespace_meta_key(keys.encode(namespace))
        if meta := meta_fields(*redis.read([("HGETALL", key)])):
            yield NamespaceNotes(namespace, meta)


def _groups(records: Sequence[Record]) -> Iterator[list[Record]]:
    """Yield the records in groups with a bounded number of keys, but for a very large one alone."""
    group: list[Record] = []
    size = 0
    for record in records:
        number = sum(1 for _ in record.hyperloglogs())
        if group and size + number > _KEYS_OF_GROUP:
            yield group
            group, size = [], 0
        group.append(record)
        size += number
    if group:
        yield group


def _read(
    redis: Client,
    namespace: str,
    names: Sequence[str],
    known: Sequence[str],
    warn: Callable[[str], None],
) -> list[Record]:
    """Read the records. Names without a counter or a note are skipped: they are being deleted."""
    wanted = [Experiment(namespace, name) for name in names]
    # Before the counters: a history must not be ahead of them.
    metas = [meta_fields(meta) for meta in redis.read([("HGETALL", e.meta_key) for e in wanted])]
    lists = name_lists(namespace)
    listed = iter(redis.read([("SISMEMBER", key, name) for name in names for key in lists]))
    parser = parsing.Parser(namespace, known)
    records = []
    for experiment, meta in zip(wanted, metas, strict=True):
        where = tuple(key for key in lists if next(listed) == 1)
        marks, kept = _counters(redis, experiment, parser, is_concluded=keys.CONCLUDED in meta)
        if marks or kept or meta:
            precision = began_with(meta, is_listed=bool(where), counters=[*chain(*marks.values())])
            record = Record(namespace, experiment.name, precision, where, marks, kept, {}, meta)
            records.append(_without_unreadable(redis, record, warn))
    return records


def _counters(
    redis: Client, experiment: Experiment, parser: parsing.Parser, *, is_concluded: bool
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Return the ids of the counters by index, and those that are kept of a concluded experiment.

    Only marked counters exist: an event has not been counted before its counter has its mark.
    """
    found: dict[str, set[str]] = {}
    own = indexes(experiment)
    deleting = [experiment.deleting_key] if is_concluded else []
    for key, members in redis.members([*own, *deleting]):
        if key not in own:
            members = [keys.parse_deletion_entry(e)[1] for e in members if keys.is_kept_entry(e)]
        owned = {each for each in members if parser.parse(each, owner=experiment.name)}
        found.setdefault(key, set()).update(owned)
    kept = found.pop(experiment.deleting_key, set())
    marks = {key: tuple(sorted(ids)) for key, ids in found.items() if ids}
    return marks, tuple(sorted(kept))


def began_with(meta: dict[str, str], *, is_listed: bool, counters: Sequence[str]) -> int | None:
    """Return the precision that events take for an experiment; None if it has none yet.

    It is that of `gimel.runtime.creation`: noted, or 1 for an experiment of 1.5.0, or that of any
    counter.
    """
    noted = noted_precision(meta.get(PRECISION, ""))
    if noted is not None:
        return noted
    if not counters or (is_listed and SINCE not in meta):
        return 1 if counters else None
    return keys.shards(counters[0]) or 1


def _without_unreadable(redis: Client, record: Record, warn: Callable[[str], None]) -> Record:
    """Return the record with its exact counts, and without counters that are not counts."""
    plain = [each for each in record.counters() if keys.shards(each) is None]
    contents = redis.stream(("GETRANGE", each, 0, MAX_DIGITS) for each in plain)
    exact: dict[str, str] = {}
    unreadable = set()
    for counter, content in zip(plain, contents, strict=True):
        if isinstance(content, bytes) and content.isdigit() and len(content) <= MAX_DIGITS:
            exact[counter] = content.decode()
        elif content != b"" and not _is_hyperloglog(content):
            unreadable.add(counter)
            warn(f"{described(record.names)}: the key {counter!r} is not a count. It is skipped.")
    return Record(
        record.namespace,
        record.experiment,
        record.precision,
        record.listed,
        {
            key: tuple(each for each in ids if each not in unreadable)
            for key, ids in record.marks.items()
        },
        tuple(each for each in record.kept if each not in unreadable),
        exact,
        record.meta,
    )


def _is_hyperloglog(content: Reply) -> bool:
    return isinstance(content, bytes) and content.startswith(HYPERLOGLOG)


def _values(
    redis: Client, group: Sequence[Record], warn: Callable[[str], None]
) -> Iterator[Values]:
    """Yield the HyperLogLogs of a group that exist: those of participants at the end.

    Without any, the end of the group is an empty line of them.
    """
    is_empty = True
    for stage in zip(*(record.stages() for record in group), strict=True):
        waiting = chain.from_iterable(stage)
        while some := list(islice(waiting, KEYS_AT_ONCE)):
            replies = redis.read([("GET", key) for key in some])
            values = {}
            for key, reply in zip(some, replies, strict=True):
                if isinstance(reply, bytes) and _is_hyperloglog(reply):
                    values[key] = reply
                elif reply is not None:
                    warn(f"The key {key!r} is not a HyperLogLog. It is skipped.")
            if values:
                is_empty = False
                yield Values(values)
    if is_empty:
        yield Values({})


def _look_again(redis: Client, group: Sequence[Record]) -> None:
    """Raise TransferError if an experiment began another life, or ended, while it was read."""
    found = [Experiment(*record.names) for record in group]
    noted: list[Command] = [("HMGET", e.meta_key, SINCE, keys.CONCLUDED) for e in found]
    for record, reply in zip(group, redis.read(noted), strict=True):
        now = [each.decode() if isinstance(each, bytes) else None for each in _list(reply)]
        if now != [record.meta.get(SINCE), record.meta.get(keys.CONCLUDED)]:
            raise TransferError(
                f"The {described(record.names)} was deleted, concluded or reopened while it was"
                " exported.",
                "Run the command again.",
            )


def _list(reply: Reply) -> list[Reply]:
    return reply if isinstance(reply, list) else [None, None]
