"""A snapshot: today's point in the history of every experiment, and what was noted of each.

`take` reads the counts of all namespaces, a bounded number of experiments at a time. Everything is
written beside an experiment, into its meta hash, and only as long as the experiment exists.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
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
    from gimel.runtime.redis.resp import Command, Reply

CONCLUDED = "concluded"
"""The field of the meta hash that a concluded experiment has: its history has ended."""

FINAL = "final"
"""The field that holds the text of a history that has ended.

It is not the usual one, because a run that has read the experiment before may still write that.
"""

_AT_ONCE = 20  # experiments, each with up to 100 KB of history
_BYTES_AT_ONCE = 1_000_000  # of what is written


class Note:
    """A field of the meta hash of an experiment and its new value, "" to remove it.

    `since` is the hash's own text, None if it has none: another text means that the experiment
    was deleted and began again.
    """

    __slots__ = ("experiment", "field", "namespace", "since", "value")

    def __init__(
        self, namespace: str, experiment: str, since: str | None, field: str, value: str
    ) -> None:
        self.namespace = namespace
        self.experiment = experiment
        self.since = since
        self.field = field
        self.value = value


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

    def note(self, field: str, value: str) -> Note:
        """Return a note beside this experiment, for `write`."""
        return Note(self.namespace, self.name, self.fields.get("since"), field, value)


def take(process: Process, now: int) -> Iterator[Taken]:
    """Write today's point of every experiment and yield what was read of it.

    `now` is the time of the call in seconds since 1970; what takes longer is dated later. Concluded
    experiments are skipped. Where Redis refuses to write a point, that is logged. Raises
    RedisError, also at the deadline; then the next call continues: where a point is at most an hour
    old, it does not read the counters again.
    """
    redis = process.redis
    began = time.monotonic()
    names = {name for _, some in redis.members([keys.NAMESPACES]) for name in some}
    for namespace in sorted(names):
        experiments = counts.find(redis, namespace, None)
        while experiments:
            some, experiments[:_AT_ONCE] = experiments[:_AT_ONCE], []
            yield from _take(redis, some, now + int(time.monotonic() - began))


def _take(redis: Client, experiments: Sequence[ExperimentCounts], now: int) -> Iterator[Taken]:
    metas = redis.stream(each.meta_command() for each in experiments)
    for each, meta in zip(experiments, metas, strict=True):
        each.read_meta(meta)
    found = [(each, _history(each)) for each in experiments if CONCLUDED not in each.fields]
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
    _write_points(redis, [_todays_point(each, history, now) for each, history in found])
    for each, history in found:
        described = each.described(each.goals())
        described["history"] = history.described(each.parts(), now, each.is_complete)
        yield Taken(each.namespace, each.name, described, each.fields)


class Histories:
    """The histories in an answer, and the points of today that they lack."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._points: list[Note | None] = []

    def size(self, text: str) -> int:
        """Return how many bytes a history takes at most in Lambda's answer."""
        header, _, points = text.partition("\n")
        # Numbers of base 36 become at most twice as long, with the commas, and "-" becomes "null".
        return counts.size(header) + 2 * len(points) + 4 * points.count("-")

    def described(self, experiment: ExperimentCounts, text: str) -> dict[str, Any]:
        """Return the history of an experiment that was read as the API answers it."""
        history = parse(text, experiment.since)
        self._points.append(_todays_point(experiment, history, self._now))
        return history.described(experiment.parts(), self._now, experiment.is_complete)

    def add_points(self, redis: Client) -> None:
        """Write the points that are missing. A failure is only logged: the counts were read."""
        try:
            _write_points(redis, self._points)
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


def _todays_point(experiment: ExperimentCounts, history: History, now: int) -> Note | None:
    """Return the note that adds today's point to the history, None if nothing is to be added."""
    if not experiment.is_complete or CONCLUDED in experiment.fields:
        return None
    text = history.with_point(experiment.parts(), now)
    if text is None:
        return None
    since = experiment.fields.get("since")
    return Note(experiment.namespace, experiment.name, since, counts.HISTORY, text)


def _write_points(redis: Client, points: Iterable[Note | None]) -> None:
    """Write points. One that Redis refuses is logged: it leaves a gap in the history.

    Raises RedisError if Redis cannot be reached.
    """
    try:
        write(redis, (point for point in points if point is not None))
    except ServerError as error:
        http.log(error)


def write(redis: Client, notes: Iterable[Note]) -> None:
    """Write notes, a bounded number of bytes at a time.

    Where the experiment does not exist any more, or began again, nothing is left of the note.
    Raises RedisError; then some of them may have been written, and all may be written again.
    """
    some: list[Note] = []
    size = 0
    for each in notes:
        some.append(each)
        size += len(each.value) + len(each.experiment)
        if size > _BYTES_AT_ONCE:
            _write(redis, some)
            some, size = [], 0
    _write(redis, some)


def _write(redis: Client, notes: Sequence[Note]) -> None:
    writes: list[Command] = []
    questions: list[Command] = []
    removals: list[Command] = []
    ends = []
    for note in notes:
        spaces = parsing.namespace_spellings(note.namespace)
        key = keys.meta_key(keys.encode(note.namespace), keys.encode(note.experiment))
        removals.append(("HDEL", key, note.field))
        writes.append(("HSET", key, note.field, note.value) if note.value else removals[-1])
        questions.append(("HMGET", key, "since"))
        questions += (("SISMEMBER", keys.experiments_key(s), note.experiment) for s in spaces)
        ends.append(len(questions))
    written, answers = redis.in_order(writes, questions)
    begin = 0
    gone = []
    for note, removal, end in zip(notes, removals, ends, strict=True):
        since, *listed = answers[begin:end]
        for question, answer in zip(questions[begin:end], (since, *listed), strict=True):
            if not isinstance(answer, WrongTypeError):
                check(question, answer)
        if 1 not in listed or _text(since) != note.since:
            gone.append(removal)
        begin = end
    removed = redis.execute(gone)
    for command, reply in zip((*writes, *gone), (*written, *removed), strict=True):
        check(command, reply)


def _text(reply: Reply) -> str | None:
    """Return the one value in a reply to HMGET, None if there is none."""
    value = reply[0] if isinstance(reply, list) else None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else None
