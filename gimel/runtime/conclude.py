"""The end of an experiment that is remembered: `conclude` freezes it, `reopen` undoes that.

An experiment is concluded if its meta hash has a record (`keys.CONCLUDED`). Events look for it, so
it is written first, and removed last. The counters lose their marks, but are kept in the deletion
record for a week: until then reopening is exact. `gimel.runtime.concluded` deletes them afterwards.

Every step may be repeated. A conclusion that was interrupted is finished by the next one.
"""

from __future__ import annotations

import json
import time
from itertools import chain

from gimel.runtime import fields, keys
from gimel.runtime.counter import Experiment
from gimel.runtime.errors import BadRequest
from gimel.runtime.redis.client import check
from gimel.runtime.removal import Removal, is_old, remove
from gimel.runtime.snapshot import FINAL, end_history

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gimel.runtime.formats import Request
    from gimel.runtime.process import Process
    from gimel.runtime.redis.resp import Command, Reply

MAX_BYTES = 2048
"""The size of a record, as JSON in UTF-8."""

REOPENABLE = 7 * 86_400
"""Seconds after its conclusion in which an experiment can be reopened."""

_FIELDS: dict[str, type | tuple[type, ...]] = {
    "winner": str,
    "note": str,
    "verdict": dict,
    "design": dict,
    "visitors": (int, float),
    "days": (int, float),
}
"""The fields of a record that a caller sends, each of which may be null or missing."""


def act(request: Request, process: Process) -> Any:
    """Conclude the experiment `conclude` with its `record`, or reopen the experiment `reopen`.

    Concluding answers `{"status": "ok", "concluded": n}`, with the number of counters or 0 if the
    experiment does not exist; reopening answers `{"status": "ok", "reopened": n}`.

    Raises:
        BadRequest: The experiment is already concluded, or cannot be reopened, or the record is not
            valid.
    """
    parameters = request.parameters
    namespace = fields.namespace(parameters)
    if "conclude" in parameters:
        experiment = Experiment(namespace, fields.text(parameters, "conclude"))
        return _conclude(process, experiment, _record(parameters.get("record")))
    return _reopen(process, Experiment(namespace, fields.text(parameters, "reopen")))


def _record(given: Any) -> dict[str, Any]:
    """Return the record that a caller sent, as an object or as JSON. Raises BadRequest."""
    try:
        record = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise BadRequest("record must be a JSON object")
    for name, value in record.items():
        if name not in _FIELDS:
            raise BadRequest(f"record has an unknown field {name[:50]!r}")
        if value is not None and (not isinstance(value, _FIELDS[name]) or isinstance(value, bool)):
            raise BadRequest(f"record has a {name} of the wrong type")
    try:
        size = len(_text({**record, "at": 10**10}).encode())
    except (ValueError, RecursionError):
        raise BadRequest("record contains a character or number that is not valid") from None
    if size > MAX_BYTES:
        raise BadRequest(f"record has {size} bytes; it may have {MAX_BYTES}")
    return record


def _text(record: dict[str, Any]) -> str:
    text = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text.encode()  # raises UnicodeEncodeError, a ValueError, for a surrogate
    return text


def _conclude(process: Process, experiment: Experiment, record: dict[str, Any]) -> Any:
    redis, now = process.redis, int(process.now())
    conclusion = Conclusion(redis, experiment)
    if conclusion.was_concluded:
        return _conclude_again(conclusion, record, now)
    if not conclusion.is_listed():
        return {"status": "ok", "concluded": 0}
    if not conclusion.freeze(_text({**record, "at": now})):
        return _conclude_again(conclusion, record, now)
    counters = conclusion.finish(now)
    return {"status": "ok", "concluded": counters}


def _conclude_again(conclusion: Conclusion, record: dict[str, Any], now: int) -> Any:
    """Finish a conclusion that was interrupted: it began with the same record."""
    kept = conclusion.read()
    if not kept:
        return {"status": "ok", "concluded": 0}
    conclusion.finish(now)
    if {**kept, "at": None} != {**record, "at": None}:
        raise BadRequest("the experiment is already concluded")
    return {"status": "ok", "concluded": len({*conclusion.kept().values()})}


def _reopen(process: Process, experiment: Experiment) -> Any:
    conclusion = Conclusion(process.redis, experiment)
    kept = conclusion.read()
    if not kept:
        raise BadRequest("the experiment is not concluded")
    if concluded_at(kept) + REOPENABLE < process.now():
        raise BadRequest("the experiment was concluded more than 7 days ago: its counters are gone")
    if not (counters := conclusion.undo()):
        raise BadRequest("the counters of the experiment are gone")
    return {"status": "ok", "reopened": counters}


def concluded_at(record: dict[str, Any]) -> int:
    """Return when an experiment was concluded, in seconds since 1970; 0 if that is not known."""
    at = record.get("at")
    return at if isinstance(at, int) else 0


def parse_reply(reply: Reply) -> dict[str, Any] | None:
    """Return the record in the reply to HMGET with that field alone; None without one."""
    value = reply[0] if isinstance(reply, list) else None
    return parse_record(value.decode("utf-8", "replace") if isinstance(value, bytes) else None)


def parse_record(text: str | None) -> dict[str, Any] | None:
    """Return the record in a meta hash's field; None without one, {} for one that is malformed."""
    if text is None:
        return None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        record = {}
    return record if isinstance(record, dict) else {}


class Conclusion(Removal):
    """The steps of concluding and of reopening an experiment."""

    def is_listed(self) -> bool:
        """Return whether the experiment exists."""
        # A user without access to the set of those concluded fails here, before anything is done.
        known: Command = ("SISMEMBER", self._concluded, self._experiment.name)
        return any(self._redis.read([known, *self._listed()])[1:])

    def _listed(self) -> list[Command]:
        return [("SISMEMBER", key, self._experiment.name) for key in self._lists]

    def read(self) -> dict[str, Any] | None:
        """Return the record; None without one."""
        command: Command = ("HMGET", self._experiment.meta_key, keys.CONCLUDED)
        return parse_reply(*self._redis.run([command]))

    def freeze(self, record: str) -> bool:
        """Write the record. Return False if it has another one, or is deleted."""
        meta = self._experiment.meta_key
        command: Command = ("HSETNX", meta, keys.CONCLUDED, record)
        known: list[Command] = [("SISMEMBER", self._concluded, self._experiment.name)]
        (written,), listed = self._redis.in_order([command], [*self._listed(), *known])
        check(command, written)
        if not written:
            return False
        if 1 in listed:
            return True
        # A delete may have come between: nothing would remove the record any more. Or an event
        # removed the name because it saw the record.
        self._redis.run([("HDEL", meta, keys.CONCLUDED, FINAL)])
        self._restore(set())
        return False

    def finish(self, ended: int) -> int:
        """Remove the marks and names of a concluded experiment. Return its number of counters.

        What is counted becomes its final history, which ends at this time, unless it has one.

        The marks are read after the record was written: an event whose mark comes later sees the
        record. If the experiment was reopened or deleted meanwhile, the marks are put back for what
        is left of it.
        """
        experiment, now = self._experiment, int(time.time())
        counters = self._find()
        entries = {keys.deletion_entry(keys.CONCLUDED, now, each): each for each in counters}
        self._redis.run(
            [
                ("SADD", keys.NAMESPACES, experiment.namespace),
                ("SADD", self._concluded, experiment.name),
            ]
        )
        end_history(self._redis, experiment.namespace, experiment.name, ended)
        self._run(("SADD", experiment.deleting_key, entry) for entry in entries)
        self._remove(("SREM", key, counter) for key in self._own for counter in counters)
        self._remove(("SREM", key, counter) for key in self._shared for counter in counters)
        self._remove(("SREM", key, experiment.name) for key in self._lists)
        (still,) = self._redis.run([("HEXISTS", experiment.meta_key, keys.CONCLUDED)])
        if still:  # a delete need not leave these entries to a conclusion that has ended
            self._run(
                ("SADD", experiment.deleting_key, keys.deletion_entry(keys.CONCLUDED, 0, each))
                for each in counters
            )
        else:
            self._redis.run([("HDEL", experiment.meta_key, FINAL)])
            self._redis.run([("SREM", self._concluded, experiment.name)])
            self._restore(counters)
        self._run(("SREM", experiment.deleting_key, entry) for entry in entries)
        return len(counters)

    def kept(self) -> dict[str, str]:
        """Return the entries of the counters that are kept, each with its counter."""
        return {
            entry: counter
            for entry, (_, counter) in self._read_entries().items()
            if keys.is_kept_entry(entry)
        }

    def undo(self) -> int:
        """Put the marks and names back, and then remove the record.

        Return the number of counters. Without any that is left, nothing is changed.
        """
        experiment, kept = self._experiment, self.kept()
        counters = self._with_data(set(self._own_counters(kept.values())))
        if not counters:
            return 0
        self._register(counters)
        self._redis.run([("HDEL", experiment.meta_key, keys.CONCLUDED, FINAL)])
        while not (left := self._restore(counters)).issubset(self._marked()):
            pass  # a conclusion or a delete has removed marks meanwhile
        if not left:  # it was deleted: so must be the names
            remove(self._redis, experiment)
            return 0
        self._redis.run([("SREM", self._concluded, experiment.name)])
        now = time.time()
        self._run(  # the others belong to a conclusion that may still be running
            ("SREM", experiment.deleting_key, entry)
            for entry in kept
            if is_old(keys.parse_deletion_entry(entry)[0], now)
        )
        return len(counters)

    def delete_counters(self) -> None:
        """Delete what is kept of the counters: the experiment can no longer be reopened."""
        now = time.time()
        entries = self._read_entries()
        counters = set(self._own_counters(counter for _, counter in entries.values()))
        self._remove(("DEL", key) for counter in counters for key in keys.shard_keys(counter))
        self._run(
            ("SREM", self._experiment.deleting_key, entry)
            for entry, (since, _) in entries.items()
            if is_old(since, now)
        )

    def _restore(self, counters: set[str]) -> set[str]:
        """Put back those of the counters that have data, and the names of those that have marks.

        Return these counters.
        """
        left = self._with_data(counters) | self._marked()
        self._register(left)
        return left

    def _marked(self) -> set[str]:
        marks = chain(*(members for _, members in self._redis.members(self._own)))
        return set(self._own_counters(marks))

    def _register(self, counters: set[str]) -> None:
        """Put marks and names back: the marks first, as a delete looks for them at its end.

        The delete may have removed what was noted beside the experiment.
        """
        if not counters:
            return
        experiment = self._experiment
        self._run(("SADD", experiment.index, counter) for counter in counters)
        self._run(("SADD", experiment.namespace_index, counter) for counter in counters)
        names: list[Command] = [
            ("HSETNX", experiment.meta_key, name, value)
            for name, value in self._noted.items()
            if isinstance(value, bytes)
        ]
        self._redis.run(names)
        self._redis.run([("SADD", experiment.experiments_key, experiment.name)])
        # A delete that has just found no name looks again after it has removed the namespace.
        self._redis.run([("SADD", keys.NAMESPACES, experiment.namespace)])

    def _with_data(self, counters: set[str]) -> set[str]:
        """Return the counters of which any key exists."""
        asked = [(counter, key) for counter in counters for key in keys.shard_keys(counter)]
        replies = chain(self._redis.stream(("EXISTS", key) for _, key in asked))
        return {counter for (counter, _), exists in zip(asked, replies, strict=True) if exists}
