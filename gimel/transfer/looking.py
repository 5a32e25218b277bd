"""What a target already has of the experiments of an export. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from gimel.runtime import keys, parsing
from gimel.runtime.counter import Experiment
from gimel.runtime.counts import meta_fields
from gimel.runtime.errors import WrongTypeError
from gimel.runtime.redis.client import SLICE, check
from gimel.transfer.export import began_with
from gimel.transfer.merging import Found
from gimel.transfer.records import HYPERLOGLOG, MAX_DIGITS, Record, indexes, name_lists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command, Reply


def look(redis: Client, records: Sequence[Record]) -> list[Found]:
    """Return what the target has under the names of these experiments. Raises RedisError."""
    questions = [_questions(record) for record in records]
    replies = iter(_ask(redis, [question for some in questions for question in some]))
    # Afterwards: a name is listed only when it has its notes, unless 1.5.0 has listed it.
    metas = _ask(redis, [("HGETALL", Experiment(*record.names).meta_key) for record in records])
    collisions = _collisions(redis, records)
    found = []
    for record, some, meta in zip(records, questions, metas, strict=True):
        answers = [(question, next(replies)) for question in some]
        answers.append((("HGETALL", Experiment(*record.names).meta_key), meta))
        collision = _wrong_type(answers) or collisions.get(record.names, "")
        found.append(_found(record, [reply for _, reply in answers], collision))
    return found


def _questions(record: Record) -> list[Command]:
    """Return what asks for the names and the counters: each set that is written to."""
    experiment = Experiment(*record.names)
    own = indexes(experiment)
    return [
        *(("SISMEMBER", key, experiment.name) for key in name_lists(record.namespace)),
        *(("SRANDMEMBER", key) for key in own),
        *(("SCARD", key) for key in counter_lists(record)),
        ("SCARD", experiment.deleting_key),
        ("SCARD", keys.concluded_key(keys.encode(record.namespace))),
    ]


def counter_lists(record: Record) -> list[str]:
    """Return the keys that list the counters of the record's namespace, in each spelling."""
    return [keys.counters_key(space) for space in parsing.namespace_spellings(record.namespace)]


def _found(record: Record, replies: Sequence[Reply], collision: str) -> Found:
    if collision:
        return Found(exists=True, precision=None, meta={}, collision=collision)
    lists, own = name_lists(record.namespace), indexes(Experiment(*record.names))
    meta = meta_fields(replies[-1])
    listed = replies[: len(lists)]
    members = replies[len(lists) : len(lists) + len(own)]
    counters = [each.decode("utf-8", "replace") for each in members if isinstance(each, bytes)]
    precision = began_with(meta, is_listed=1 in listed, counters=counters)
    return Found(1 in listed or bool(counters), precision, meta)


def _wrong_type(answers: Sequence[tuple[Command, Reply]]) -> str:
    for command, reply in answers:
        if isinstance(reply, WrongTypeError):
            return f"the key {str(command[1])!r} of the target holds something else"
    return ""


def _collisions(redis: Client, records: Sequence[Record]) -> dict[tuple[str, str], str]:
    """Return why counts cannot be merged with those of the target, by the names of experiments."""
    collisions: dict[tuple[str, str], str] = {}
    wanted = chain.from_iterable(map(_contents, records))
    while some := list(islice(wanted, SLICE)):
        replies = _ask(redis, [("GETRANGE", key, 0, MAX_DIGITS) for _, key, _ in some])
        for (names, key, ours), theirs in zip(some, replies, strict=True):
            if theirs in (b"", ours):
                continue
            if ours == HYPERLOGLOG and isinstance(theirs, bytes) and theirs.startswith(ours):
                continue
            collisions.setdefault(names, f"the key {key!r} of the target holds another value")
    return collisions


def _contents(record: Record) -> Iterator[tuple[tuple[str, str], str, bytes]]:
    """Yield the keys of the counts, each after the names, and with how its value begins."""
    for key, digits in record.exact.items():
        yield record.names, key, digits.encode()
    for key in record.hyperloglogs():
        yield record.names, key, HYPERLOGLOG


def _ask(redis: Client, commands: list[Command]) -> list[Reply]:
    """Return the replies: errors of type, but raise all others."""
    replies = redis.execute(commands)
    for command, reply in zip(commands, replies, strict=True):
        if not isinstance(reply, WrongTypeError):
            check(command, reply)
    return replies
