"""A snapshot: today's point in the history of every experiment, and what was noted of each.

`take` reads the counts of all namespaces, a bounded number of experiments at a time. A history is
written into the meta hash of its experiment, and only as long as the experiment exists.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from gimel.runtime import counts, http, keys, parsing
from gimel.runtime.errors import RedisError, ServerError, WrongTypeError
from gimel.runtime.history import parse
from gimel.runtime.redis.client import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gimel.runtime.counts import ExperimentCounts
    from gimel.runtime.history import History
    from gimel.runtime.process import Process
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command

FINAL = "final"
"""The field that holds the text of a history that has ended.

It is not the usual one, because a run that has read the experiment before may still write that.
"""

_AT_ONCE = 20  # experiments, each with up to 100 KB of history
_BYTES_AT_ONCE = 1_000_000  # of what is written


class Taken:
    """What a snapshot read of an experiment.

    `described` is its item of `gimel.all` with the history, which need not have today's point yet.
    `fields` are the fields of its meta hash.
    """

    __slots__ = ("described", "fields", "name", "namespace")

    def __init__(
        self, namespace: str, name: str, described: dict[str, Any], fields: dict[str, str]
    ) -> None:
        self.namespace = namespace
        self.name = name
        self.described = described
        self.fields = fields


def take(
    process: Process, now: int, arrange: Callable[[list[Any]], object] | None = None
) -> Iterator[Taken]:
    """Write today's point of every experiment and yield what was read of it.

    `now` is the time of the call in seconds since 1970; what takes longer is dated later. Concluded
    experiments are skipped. Where Redis refuses to write a point, that is logged. Raises
    RedisError, also at the deadline; then the next call continues: where a point is at most an hour
    old, it does not read the counters again.

    The order is that of the names, or what `arrange` makes of it: it gets the namespaces, and the
    experiments of each.
    """
    redis = process.redis
    began = time.monotonic()
    names = {name for _, some in redis.members([keys.NAMESPACES]) for name in some}
    namespaces = sorted(names)
    if arrange is not None:
        arrange(namespaces)
    for namespace in namespaces:
        experiments = counts.find(redis, namespace, None)
        if arrange is not None:
            arrange(experiments)
        while experiments:
            some, experiments[:_AT_ONCE] = experiments[:_AT_ONCE], []
            yield from _take(redis, some, now + int(time.monotonic() - began))


def _take(redis: Client, experiments: Sequence[ExperimentCounts], now: int) -> Iterator[Taken]:
    metas = redis.stream(each.meta_command() for each in experiments)
    for each, meta in zip(experiments, metas, strict=True):
        each.read_meta(meta)
    found = [(each, _history(each)) for each in experiments if keys.CONCLUDED not in each.fields]
    unread = []
    for each, history in found:
        recent = history.recent(now)
        if recent is None:
            unread.append(each)
        else:
            each.add(recent)
    replies = redis.stream(chain.from_iterable(each.commands() for each in unread))
    for each in unread:
        each.read(redis, replies)
    _write(redis, [(each, _todays_point(each, history, now)) for each, history in found])
    for each, history in found:
        described = each.described(each.goals())
        described["history"] = history.described(each.parts(), now, each.is_complete)
        yield Taken(each.namespace, each.name, described, each.fields)


class Histories:
    """The histories in an answer, and the points of today that they lack."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._texts: list[tuple[ExperimentCounts, str | None]] = []

    def size(self, text: str) -> int:
        """Return how many bytes a history takes at most in Lambda's answer."""
        header, _, points = text.partition("\n")
        # Numbers of base 36 become at most twice as long, with the commas, and "-" becomes "null".
        return counts.size(header) + 2 * len(points) + 4 * points.count("-")

    def described(self, experiment: ExperimentCounts, text: str) -> dict[str, Any]:
        """Return the history of an experiment that was read as the API answers it."""
        history = parse(text, experiment.since)
        self._texts.append((experiment, _todays_point(experiment, history, self._now)))
        return history.described(experiment.parts(), self._now, experiment.is_complete)

    def add_points(self, redis: Client) -> None:
        """Write the points that are missing. A failure is only logged: the counts were read."""
        try:
            _write(redis, self._texts)
        except RedisError as error:
            http.log(error)


def end_history(redis: Client, namespace: str, experiment: str, now: int) -> None:
    """Write the final history of an experiment that is being concluded, unless it has one.

    Its last point are the counts, so the counters must still be listed. Raises RedisError.
    """
    (found,) = counts.find(redis, namespace, [experiment])
    (meta,) = redis.read([found.meta_command()])
    found.read_meta(meta)
    found.read(redis, redis.stream(found.commands()))
    text = _history(found).ended(found.parts(), now, found.is_complete)
    redis.run([("HSETNX", found.meta_key, FINAL, text)])


def _history(experiment: ExperimentCounts) -> History:
    return parse(experiment.take_history(), experiment.since)


def _todays_point(experiment: ExperimentCounts, history: History, now: int) -> str | None:
    """Return the text of the history with today's point, None if nothing is to be written."""
    if not experiment.is_complete or keys.CONCLUDED in experiment.fields:
        return None
    return history.with_point(experiment.parts(), now)


def _write(redis: Client, texts: Sequence[tuple[ExperimentCounts, str | None]]) -> None:
    """Write texts of the histories in one namespace, a bounded number of bytes at a time.

    Where Redis refuses, that is logged: it leaves a gap. Raises RedisError if Redis cannot be
    reached.
    """
    some: list[tuple[ExperimentCounts, str]] = []
    size = 0
    try:
        for experiment, text in texts:
            if text is not None:
                some.append((experiment, text))
                size += len(text)
            if size > _BYTES_AT_ONCE:
                _write_some(redis, some)
                some, size = [], 0
        if some:
            _write_some(redis, some)
    except ServerError as error:
        http.log(error)


def _write_some(redis: Client, texts: Sequence[tuple[ExperimentCounts, str]]) -> None:
    """Write texts where their experiments still exist.

    Where one was deleted and began again meanwhile, the text is that of the earlier life, which
    readers ignore. One that was concluded meanwhile keeps its text, as it may be reopened.
    """
    writes: list[Command] = []
    asked: list[tuple[ExperimentCounts, Command]] = []
    for each, text in texts:
        writes.append(("HSET", each.meta_key, counts.HISTORY, text))
        for space in parsing.namespace_spellings(each.namespace):
            asked.append((each, ("SISMEMBER", keys.experiments_key(space), each.name)))
        asked.append((each, ("HEXISTS", each.meta_key, keys.CONCLUDED)))
    written, answers = redis.in_order(writes, [question for _, question in asked])
    listed = set()
    for (each, question), answer in zip(asked, answers, strict=True):
        if answer == 1:
            listed.add(each.name)
        elif not isinstance(answer, WrongTypeError):
            check(question, answer)
    gone: list[Command] = [
        ("HDEL", each.meta_key, counts.HISTORY) for each, _ in texts if each.name not in listed
    ]
    removed = redis.execute(gone)
    for command, reply in zip((*writes, *gone), (*written, *removed), strict=True):
        check(command, reply)
