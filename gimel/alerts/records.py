"""What was sent, kept in Redis: one field per receiver in the meta hash of an experiment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from gimel.alerts.watch import FIELD, Watched
from gimel.runtime import keys
from gimel.runtime.errors import RedisError, WrongTypeError
from gimel.runtime.parsing import namespace_spellings
from gimel.runtime.redis.client import SLICE, check
from gimel.runtime.refusals import ignored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command, Reply


class Records:
    """Reads and writes the texts of `gimel.alerts.state`. The methods raise RedisError."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis

    def read(self, receiver: str, watched: Sequence[Watched]) -> list[str | None]:
        """Return the text of each experiment; None if it has none."""
        asked = (("HMGET", _key(each), FIELD + receiver) for each in watched)
        return [_value(reply) for reply in self._redis.stream(asked)]

    def write(self, receiver: str, texts: Iterable[tuple[Watched, str]]) -> set[Watched]:
        """Write the texts, and return which experiments are gone: nothing is left of those.

        One that has begun again is gone, too, and so is one that is concluded. That keeps its text,
        as it may be reopened.

        Raises the first error among the replies, such as that of a user without the permission.
        """
        items = list(texts)
        gone = set()
        for begin in range(0, len(items), SLICE):
            gone |= self._write(receiver, items[begin : begin + SLICE])
        return gone

    def ignored(self, namespaces: Iterable[str]) -> Iterator[tuple[str, dict[str, int]]]:
        """Yield each namespace with the ignored events that belong to no experiment, by reason."""
        names = list(namespaces)
        replies = self._redis.stream(
            ("HGETALL", keys.namespace_meta_key(keys.encode(name))) for name in names
        )
        for name, reply in zip(names, replies, strict=True):
            yield name, ignored(_fields(reply))

    def _write(self, receiver: str, items: Sequence[tuple[Watched, str]]) -> set[Watched]:
        writes: list[Command] = [
            ("HSET", _key(each), FIELD + receiver, text) for each, text in items
        ]
        looks: list[Command] = [command for each, _ in items for command in _looks(each)]
        written, seen = self._redis.in_order(writes, looks)
        answers = iter(seen)
        gone, deleted = set(), []
        for each, _ in items:
            noted, *listed = [_checked(next(answers)) for _ in _looks(each)]
            since, concluded = noted if isinstance(noted, list) else (None, None)
            began = None if each.experiment is None else _text(since)
            if not any(listed) or began != each.began:
                gone.add(each)
                if concluded is None or began != each.began:
                    deleted.append(each)
        self._redis.run([("HDEL", _key(each), FIELD + receiver) for each in deleted])
        for command, reply in zip(writes, written, strict=True):
            check(command, reply)
        return gone


def _key(watched: Watched) -> str:
    namespace = keys.encode(watched.namespace)
    if watched.experiment is None:
        return keys.namespace_meta_key(namespace)
    return keys.meta_key(namespace, keys.encode(watched.experiment))


def _looks(watched: Watched) -> list[Command]:
    """Return what asks for the experiment's notes, and whether it, or the namespace, exists."""
    lists = [keys.experiments_key(each) for each in namespace_spellings(watched.namespace)]
    looks: list[Command] = [("HMGET", _key(watched), "since", keys.CONCLUDED)]
    if watched.experiment is None:
        return [*looks, *(("EXISTS", key) for key in lists)]
    return [*looks, *(("SISMEMBER", key, watched.experiment) for key in lists)]


def _checked(reply: Reply) -> Reply:
    """Raise an error among the replies; a key of another type, as 1.5.0 may have, is nothing."""
    if isinstance(reply, RedisError) and not isinstance(reply, WrongTypeError):
        raise reply
    return None if isinstance(reply, RedisError) else reply


def _value(reply: Reply) -> str | None:
    """Return the value in a reply to HMGET with one field; None if the field does not exist."""
    return _text(reply[0] if isinstance(reply, list) else None)


def _text(value: Reply) -> str | None:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else None


def _fields(reply: object) -> Mapping[str, str]:
    members = reply if isinstance(reply, list) else []
    values = [each.decode("utf-8", "replace") for each in members if isinstance(each, bytes)]
    return dict(zip(values[::2], values[1::2], strict=False))
