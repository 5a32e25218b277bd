"""The experiments that were concluded: listed with their records, and tidied up after a week.

They are listed in a set of their namespace. Their counters are kept for as long as they can be
reopened; what remains then are the record and the history, which are fields of the meta hash.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import islice

from gimel.runtime import counts, http, keys
from gimel.runtime.conclude import (
    REOPENABLE,
    Conclusion,
    concluded_at,
    parse_record,
    parse_reply,
)
from gimel.runtime.counter import Experiment
from gimel.runtime.counts import ExperimentCounts
from gimel.runtime.errors import RedisError, ServerError
from gimel.runtime.history import parse
from gimel.runtime.refusals import ignored
from gimel.runtime.snapshot import FINAL, Histories

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gimel.runtime.process import Process
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command

_PAGE = 5_000_000  # bytes; see `gimel.runtime.results`
_RECORD = 10_000  # bytes of a record and the rest of an item at most, beside names
_AT_ONCE = 20  # experiments, each with up to 100 KB of history
_GRACE = 3600  # seconds, so that nobody reopens what is being deleted


def answer(process: Process, namespace: str, wanted: Sequence[str] | None, page: str) -> Any:
    """Return the concluded experiments of a namespace, by name, or those of them that are wanted.

    The first item is `{"meta": {"concluded": true, "next": ...}}`; `next` is the `page` of what
    follows, or null. Each other item has the `experiment`, its record as `concluded`, its
    `history`, and `since`, `precision` and `ignored` as those of other experiments have them.
    """
    redis, now = process.redis, int(process.now())
    try:
        tidy(redis, namespace, now)
    except RedisError as error:  # those that are to be listed are not affected
        http.log(error)
    names = sorted(_names(redis, namespace))
    if wanted is not None:
        names = [name for name in names if name in set(wanted)]
    items: list[dict[str, Any]] = []
    histories = Histories(now)
    room = _PAGE
    waiting = names[bisect_left(names, page) :]
    while waiting:
        some = [ExperimentCounts(namespace, name) for name in waiting[:_AT_ONCE]]
        for each, meta in zip(some, redis.read([s.meta_command() for s in some]), strict=True):
            each.read_meta(meta)
            record = parse_record(each.fields.get(keys.CONCLUDED))
            if record is None:
                continue
            text = each.fields.pop(FINAL, "") or each.take_history()
            room -= _RECORD + counts.size(each.name) + histories.size(text)
            if room < 0 and items:
                return [{"meta": {"concluded": True, "next": each.name}}, *items]
            items.append(_item(each, record, text, now))
        waiting = waiting[_AT_ONCE:]
    return [{"meta": {"concluded": True, "next": None}}, *items]


def _item(each: ExperimentCounts, record: dict[str, Any], text: str, now: int) -> dict[str, Any]:
    history = parse(text, each.since)
    described = each.described([])
    return {
        "experiment": each.name,
        "concluded": record,
        "since": described["since"],
        "precision": described["precision"],
        "ignored": ignored(each.fields),
        "history": history.described(history.last(), max(now, history.ends)),
    }


def tidy_all(redis: Client, now: int) -> None:
    """Do the same as `tidy` in every namespace. Raises RedisError if Redis cannot be reached.

    Where Redis refuses, that is logged: it must not cost the alerts that are sent afterwards.
    """
    for namespace in {name for _, some in redis.members([keys.NAMESPACES]) for name in some}:
        try:
            tidy(redis, namespace, now)
        except ServerError as error:
            http.log(error)


def tidy(redis: Client, namespace: str, now: int) -> None:
    """Delete the counters of experiments that can no longer be reopened. Raises RedisError.

    What an event or a conclusion that was interrupted has left of a concluded experiment is removed
    as well.
    """
    names = iter(_names(redis, namespace))
    while some := [Experiment(namespace, name) for name in islice(names, _AT_ONCE)]:
        questions: list[Command] = []
        for each in some:
            questions.append(("HMGET", each.meta_key, keys.CONCLUDED))
            questions.append(("SISMEMBER", each.experiments_key, each.name))
            questions.append(("SCARD", each.index))
            questions.append(("SCARD", each.deleting_key))
        answers = redis.read(questions)
        for each, *found in zip(
            some, answers[::4], answers[1::4], answers[2::4], answers[3::4], strict=True
        ):
            reply, is_named, marks, entries = found
            record = parse_reply(reply)
            if record is None:
                _unlist(redis, each)
                continue
            if is_named or marks:
                Conclusion(redis, each).finish(now)
            if entries and concluded_at(record) + REOPENABLE + _GRACE < now:
                Conclusion(redis, each).delete_counters()


def _unlist(redis: Client, experiment: Experiment) -> None:
    """Remove a name without a record, unless the experiment is being concluded right now."""
    key = keys.concluded_key(keys.encode(experiment.namespace))
    _, concluded = redis.in_order(
        [("SREM", key, experiment.name)], [("HEXISTS", experiment.meta_key, keys.CONCLUDED)]
    )
    if concluded == [0]:
        redis.run([("HDEL", experiment.meta_key, FINAL)])
    else:
        redis.run([("SADD", key, experiment.name)])


def _names(redis: Client, namespace: str) -> set[str]:
    key = keys.concluded_key(keys.encode(namespace))
    return {name for _, members in redis.members([key]) for name in members}
