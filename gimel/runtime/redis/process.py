"""The one Redis client of this process, and what all its callers need."""

import time

from gimel.runtime.errors import ServerError, WrongTypeError
from gimel.runtime.redis.client import Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from gimel.runtime.redis.resp import Command, Reply
    from gimel.runtime.settings import RedisOptions

# Seconds to answer 503 in, before AWS ends the Lambda and answers 502.
_TIME_TO_ANSWER = 0.2

_kept: "tuple[RedisOptions, Client] | None" = None


def client(options: "RedisOptions", context: "Any" = None) -> Client:
    """Return the client of this process. The Lambda's `context` sets its deadline."""
    global _kept
    if _kept is None or _kept[0] is not options:
        if _kept is not None:
            _kept[1].close()
        _kept = (options, Client(options))
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    found = _kept[1]
    found.deadline = (
        None if remaining is None else time.monotonic() + remaining() / 1000 - _TIME_TO_ANSWER
    )
    return found


def run(redis: Client, commands: "Sequence[Command]", *, idempotent: bool = True) -> "list[Reply]":
    """Execute the commands. Raises RedisError, which may be the first error among the replies."""
    replies = redis.execute(commands, idempotent=idempotent)
    raise_error(replies)
    return replies


def read(redis: Client, commands: "Sequence[Command]") -> "list[Reply]":
    """Execute commands that read. Where a key holds another type of value, the reply is None.

    With colons in a name, the key that 1.5.0 would have used may be any other key.
    """
    replies = redis.execute(commands)
    for index, reply in enumerate(replies):
        if isinstance(reply, WrongTypeError):
            replies[index] = None
        elif isinstance(reply, ServerError):
            raise reply
    return replies


def raise_error(replies: "Iterable[Reply]") -> None:
    """Raise the first error among the replies, if there is one."""
    for reply in replies:
        if isinstance(reply, ServerError):
            raise reply


def texts(reply: "Reply") -> "Iterator[str]":
    """Yield the members of a set or hash that are text. Gimel writes no others."""
    for member in reply if isinstance(reply, list) else ():
        if isinstance(member, bytes):
            try:
                yield member.decode()
            except UnicodeDecodeError:
                continue
