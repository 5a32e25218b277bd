"""The process's one Redis client, and what every caller of it needs: the deadline set, an error reply raised."""

import time

from gimel.runtime.errors import ServerError, WrongTypeError
from gimel.runtime.redis.client import Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from gimel.runtime.redis.resp import Command, Reply
    from gimel.runtime.settings import RedisOptions

# Left of a Lambda's time to answer 503 before it is ended with a 502.
_TIME_TO_ANSWER = 0.2

_kept: "tuple[RedisOptions, Client] | None" = None


def client(options: "RedisOptions", context: "Any" = None) -> Client:
    """Return the client of this process, connected or not yet; the Lambda's `context` gives it its deadline."""
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
    """Execute the commands and raise the first error among the replies, if any."""
    replies = redis.execute(commands, idempotent=idempotent)
    for reply in replies:
        if isinstance(reply, ServerError):
            raise reply
    return replies


def read(redis: Client, commands: "Sequence[Command]") -> "list[Reply]":
    """Like `run`, for reading: a key that holds another kind of value than asked for gives None, as if it were not there.

    What 1.5.0 would have called one thing may be another's key: a name with colons may spell any.
    """
    replies = redis.execute(commands)
    for index, reply in enumerate(replies):
        if isinstance(reply, WrongTypeError):
            replies[index] = None
        elif isinstance(reply, ServerError):
            raise reply
    return replies


def texts(reply: "Reply") -> "Iterator[str]":
    """Yield the members of a set or hash that are text; whatever else lies there was not put there by Gimel."""
    for member in reply if isinstance(reply, list) else ():
        if isinstance(member, bytes):
            try:
                yield member.decode()
            except UnicodeDecodeError:
                continue
