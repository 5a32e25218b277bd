"""Threads that take turns: each stops before every Redis command, and only one runs at a time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gimel.runtime.errors import ConnectionFailed
from gimel.runtime.redis.client import Client
from gimel.runtime.settings import RedisOptions

if TYPE_CHECKING:
    from gimel.runtime.redis.resp import Command, Reply


class Killed(BaseException):
    """The process ends before its next command, as when AWS ends a Lambda."""


class _ReplyLost(Exception):
    """The server executed the command, and the client does not learn it."""


class Turns:
    """Stops a thread before each of its commands until `step` lets it execute one."""

    def __init__(self, function: Callable[[Turns], Any]) -> None:
        self._turn, self._stopped = threading.Lock(), threading.Lock()
        self._turn.acquire()
        self._stopped.acquire()
        self._killed = self._loses_reply = False
        self._more = 0
        self.ended = False
        self.outcome: Any = None
        """What the function returned, or what it raised."""
        self._thread = threading.Thread(target=self._run, args=(function,), daemon=True)
        self._thread.start()
        self._stopped.acquire()

    def step(self, commands: int = 1) -> None:
        """Execute that many commands, and continue with the next one."""
        self._more = commands - 1
        self._turn.release()
        self._stopped.acquire()

    def kill(self) -> None:
        """End it before its next command."""
        self._killed = True
        self.step()

    def lose_reply(self) -> None:
        """Execute one command and lose the reply."""
        self._loses_reply = True
        self.step()

    def wait(self) -> bool:
        """Wait for the next turn, in the thread. Return whether the reply is to be lost."""
        if self._more:
            self._more -= 1
            return False
        self._stopped.release()
        self._turn.acquire()
        if self._killed:
            raise Killed
        lost, self._loses_reply = self._loses_reply, False
        return lost

    def _run(self, function: Callable[[Turns], Any]) -> None:
        try:
            self.outcome = function(self)
        except BaseException as error:  # the thread of the test looks at it
            self.outcome = error
        self.ended = True
        self._stopped.release()


class SteppedClient(Client):
    """The runtime's client. It waits for a turn before each command, or before each `trip`.

    It sends the commands of a call one by one. When a reply is lost, it sends all of them again,
    once, as the client itself does on a new connection.
    """

    turns: Turns | None = None
    executed = 0
    """How many commands the current call has executed."""

    def __init__(self, options: RedisOptions, *, trips: bool) -> None:
        super().__init__(options)
        self._trips = trips

    def execute(self, commands: Sequence[Command], *, idempotent: bool = True) -> list[Reply]:
        try:
            return self._execute(commands, idempotent)
        except _ReplyLost:
            if idempotent:
                with contextlib.suppress(_ReplyLost):
                    return self._execute(commands, idempotent)
            raise ConnectionFailed("the reply was lost") from None

    def in_order(
        self, first: Sequence[Command], second: Sequence[Command], *, idempotent: bool = True
    ) -> tuple[list[Reply], list[Reply]]:
        replies = self.execute([*first, *second], idempotent=idempotent)
        return replies[: len(first)], replies[len(first) :]

    def _execute(self, commands: Sequence[Command], idempotent: bool) -> list[Reply]:
        batches = [commands] if self._trips and commands else [[command] for command in commands]
        replies: list[Reply] = []
        for batch in batches:
            lost = self.turns is not None and self.turns.wait()
            self.executed += len(batch)
            replies += super().execute(batch, idempotent=idempotent)
            if lost:
                raise _ReplyLost
        return replies
