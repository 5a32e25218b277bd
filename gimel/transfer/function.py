"""Commands of an export or import that a function executes, where only it reaches the store.

`execute` runs in AWS Lambda, as part of `gimel.snapshot`; `RemoteClient` asks for it. Both sides
understand bytes in base64. A function takes and returns at most 6 MB:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence

from gimel.runtime.errors import ConnectionFailed, RedisError, ServerError, server_error
from gimel.runtime.redis.client import Client
from gimel.runtime.settings import RedisOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gimel.runtime.process import Process
    from gimel.runtime.redis.resp import Command, Reply

COMMANDS = frozenset(
    {
        *("DEL", "GET", "GETRANGE", "HEXISTS", "HGETALL", "HINCRBY", "HMGET", "HSET", "HSETNX"),
        *("PFMERGE", "SADD", "SCARD", "SET", "SISMEMBER", "SRANDMEMBER", "SREM", "SSCAN"),
    }
)
"""What may be executed: what an export or an import needs."""

MOST = 4_000_000
"""How many bytes of JSON are sent or returned at a time."""


def execute(request: Any, process: Process) -> dict[str, Any]:
    """Execute the commands of a request.

    Returns `{"replies": [...]}`; `{"too_long": true}` where AWS would not return them; or
    `{"failed": message}` if Redis cannot be reached. Raises ValueError for any other command.
    """
    commands = [tuple(map(b64decode, command)) for command in request["commands"]]
    for command in commands:
        if command[0].decode() not in COMMANDS:
            raise ValueError("a command that is not part of an export or import")
    try:
        replies = process.redis.execute(commands, idempotent=request["idempotent"])
    except RedisError as error:
        return {"failed": str(error)}
    answer = {"replies": [_encoded(reply) for reply in replies]}
    return answer if len(json.dumps(answer)) <= MOST else {"too_long": True}


def _encoded(reply: Reply) -> Any:
    """Return a reply as JSON: bytes as text, a status or an error as an object."""
    if isinstance(reply, bytes):
        return b64encode(reply).decode()
    if isinstance(reply, list):
        return [_encoded(each) for each in reply]
    if isinstance(reply, ServerError):
        return {"error": Exception.__str__(reply)}
    return {"status": reply} if isinstance(reply, str) else reply


def _decoded(reply: Any) -> Reply:
    if isinstance(reply, str):
        return b64decode(reply)
    if isinstance(reply, list):
        return [_decoded(each) for each in reply]
    if isinstance(reply, dict):
        return reply["status"] if "status" in reply else server_error(reply["error"])
    number: int | None = reply
    return number


class RemoteClient(Client):
    """A client whose commands a function executes.

    `ask` sends it an event and returns the answer. What it raises, the methods raise.
    """

    def __init__(self, ask: Callable[[dict[str, Any]], Any]) -> None:
        super().__init__(RedisOptions({}))
        self._ask_function = ask

    def execute(self, commands: Sequence[Command], *, idempotent: bool = True) -> list[Reply]:
        """Send the commands, in as many requests as their size needs."""
        replies: list[Reply] = []
        some: list[list[str]] = []
        size = 0
        for command in commands:
            words = [b64encode(_word(word)).decode() for word in command]
            length = sum(map(len, words)) + 4 * len(words)
            if some and size + length > MOST:
                replies += self._request(some, idempotent)
                some, size = [], 0
            some.append(words)
            size += length
        return replies + self._request(some, idempotent) if some else replies

    def in_order(
        self, first: Sequence[Command], second: Sequence[Command], *, idempotent: bool = True
    ) -> tuple[list[Reply], list[Reply]]:
        """Execute the first commands before the second ones."""
        return self.execute(first, idempotent=idempotent), self.execute(second)

    def _request(self, commands: list[list[str]], idempotent: bool) -> list[Reply]:
        answer = self._ask_function({"transfer": {"commands": commands, "idempotent": idempotent}})
        if "failed" in answer:
            raise ConnectionFailed(answer["failed"])
        if "too_long" not in answer:
            return [_decoded(reply) for reply in answer["replies"]]
        if len(commands) == 1 or not idempotent:
            raise ConnectionFailed("a reply of Redis is too long for AWS Lambda")
        half = len(commands) // 2
        return self._request(commands[:half], True) + self._request(commands[half:], True)


def _word(word: bytes | str | int) -> bytes:
    return word if isinstance(word, bytes) else str(word).encode()
