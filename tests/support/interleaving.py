"""Calls of `gimel.track` and `gimel.delete` that are interleaved Redis command by command.

Each call runs in a thread of its own, with a client that waits for its turn before each command.
Only one thread runs at a time, so that a schedule always has the same result.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from unittest import mock

import redis

import gimel
from gimel.runtime import process
from gimel.runtime.errors import ConnectionFailed
from gimel.runtime.redis.client import Client
from gimel.runtime.settings import RedisOptions, Settings
from tests.support.events import read, rest

if TYPE_CHECKING:
    from gimel.runtime.redis.resp import Command, Reply

Names: TypeAlias = tuple[str, str, str]
"""A counter in these tests: namespace, experiment and variant."""

GOAL = "participate"


class Killed(BaseException):
    """The process ends before its next command, as when AWS ends a Lambda."""


class _ReplyLost(Exception):
    """The server executed the command, and the client does not learn it."""


class Turns:
    """Stops a thread before each of its commands until `step` lets it execute one."""

    def __init__(self, function: Callable[[Turns], Any]) -> None:
        self._turn, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._killed = self._loses_reply = False
        self.ended = False
        self.outcome: Any = None
        """What the function returned, or what it raised."""
        self._thread = threading.Thread(target=self._run, args=(function,), daemon=True)
        self._thread.start()
        self._stopped.acquire()

    def step(self) -> None:
        """Execute one command, and go on to the next one."""
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
        self, first: Sequence[Command], second: Sequence[Command]
    ) -> tuple[list[Reply], list[Reply]]:
        replies = self.execute([*first, *second])
        return replies[: len(first)], replies[len(first) :]

    def _execute(self, commands: Sequence[Command], idempotent: bool) -> list[Reply]:
        batches = [commands] if self._trips else [[command] for command in commands]
        replies: list[Reply] = []
        for batch in batches:
            lost = self.turns is not None and self.turns.wait()
            replies += super().execute(batch, idempotent=idempotent)
            if lost:
                raise _ReplyLost
        return replies


@dataclass
class Call:
    """A call of a handler, and what became of it. `began` and `ended` are numbers of steps."""

    kind: str  # track or delete
    names: list[Names]
    uuids: list[str] = field(default_factory=list)
    outcome: str = ""
    """`done`, `failed` (a 503), or `dead`."""
    answers: list[str] = field(default_factory=list)
    """The status of each event: `ok` or `ignored`."""
    began: int = 0
    ended: int = 0

    @property
    def experiments(self) -> set[tuple[str, str]]:
        return {names[:2] for names in self.names}


class Process:
    """A process with what it keeps between calls, and the calls that wait for it."""

    version = "this"

    def __init__(self, port: int, *, trips: bool = False, **settings: Any) -> None:
        document = {
            "redis": {"host": "127.0.0.1", "port": port, "socket_timeout": 20},
            "bot_filter": False,
            **settings,
        }
        self._settings = Settings(document)
        self._trips = trips
        self.waiting: deque[Call] = deque()
        self.call: Call | None = None
        self.turns: Turns | None = None
        self._start()

    def _start(self) -> None:
        """Begin a new life: nothing is known."""
        self._state = process.Process(self._settings)
        self._client = SteppedClient(self._settings.redis, trips=self._trips)
        self._state.redis = self._client

    def begin(self, call: Call) -> Turns:
        """Begin a call. Its thread stops before its first command."""

        def handle(turns: Turns) -> Any:
            self._client.turns = turns
            with _as_current(self._state):
                return self._handle(call)

        self.call, self.turns = call, Turns(handle)
        return self.turns

    def _handle(self, call: Call) -> Any:
        if call.kind == "delete":
            namespace, experiment, _ = call.names[0]
            query = {"namespace": namespace, "experiment": experiment}
            return read(gimel.delete(rest("DELETE", query=query), None))
        events = [
            {"namespace": n, "experiment": e, "variant": v, "event": GOAL, "uuid": uuid}
            for (n, e, v), uuid in zip(call.names, call.uuids, strict=True)
        ]
        if len(events) == 1:
            status, body = read(gimel.track(rest(query=events[0]), None))
            return status, {"events": [body]}
        return read(gimel.track(rest("POST", body=json.dumps(events)), None))

    def end(self) -> Call:
        """Note the outcome of the call that has ended."""
        assert self.call is not None and self.turns is not None and self.turns.ended
        call, outcome = self.call, self.turns.outcome
        self.call = self.turns = None
        if isinstance(outcome, Killed):
            call.outcome = "dead"
            self._client.turns = None
            self._client.close()
            self._start()
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            status, body = outcome
            assert status in (200, 503), outcome
            call.outcome = "failed" if status == 503 else "done"
            if status == 200 and call.kind == "track":
                call.answers = [answer["status"] for answer in body["events"]]
        return call

    def close(self) -> None:
        """End a call that still runs, and the connection."""
        if self.turns is not None and not self.turns.ended:
            self.turns.kill()
        self._client.close()


class OldProcess(Process):
    """Gimel 1.5.0, as far as Redis sees it: an event is one transaction, a delete asks first."""

    version = "1.5.0"

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._redis = redis.Redis(host="127.0.0.1", port=port, decode_responses=True)

    def _handle(self, call: Call) -> Any:
        turns = self._client.turns
        assert turns is not None
        namespace, experiment, _ = call.names[0]
        experiments, shared = f"{namespace}:experiments", f"{namespace}:counter_keys"
        own = f"{namespace}:{experiment}:counter_keys"
        pipeline = self._redis.pipeline()
        if call.kind == "track":
            for (_, _, variant), uuid in zip(call.names, call.uuids, strict=True):
                key = f"{namespace}:counters:{experiment}:{GOAL}:{variant}"
                pipeline.sadd(experiments, experiment)
                pipeline.sadd(shared, key)
                pipeline.sadd(own, key)
                pipeline.pfadd(key, uuid)
            turns.wait()
            pipeline.execute()
            return 200, {"events": [{"status": "ok"}] * len(call.names)}
        turns.wait()
        if self._redis.sismember(experiments, experiment):
            turns.wait()
            for key in self._redis.smembers(own):
                pipeline.srem(shared, key)
                pipeline.delete(key)
            pipeline.delete(own)
            pipeline.srem(experiments, experiment)
            turns.wait()
            pipeline.execute()
        return 200, {}

    def close(self) -> None:
        super().close()
        self._redis.close()


_current = threading.local()


@contextlib.contextmanager
def _as_current(state: process.Process) -> Iterator[None]:
    _current.state = state
    yield


@contextlib.contextmanager
def one_process_per_thread() -> Iterator[None]:
    """Let handlers use the process that runs in their thread."""
    with mock.patch.object(process, "current", lambda _=None: _current.state):
        yield


class World:
    """Some processes, and the history of their calls."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self.processes = list(processes)
        self.history: list[Call] = []
        self.now = 0
        self.most_at_once = 0
        """The largest number of counters that calls were working on at one moment."""

    def send(self, number: int, call: Call) -> None:
        """Let a process handle a call, after those that wait for it."""
        self.processes[number].waiting.append(call)

    def step(self, number: int, how: str = "step") -> bool:
        """Let a process go on by one command, or end it there. Return whether it had one."""
        process = self.processes[number]
        if process.turns is None:
            if not process.waiting:
                return False
            call = process.waiting.popleft()
            call.began = self.now
            self.history.append(call)
            process.begin(call)
            running = [each.call for each in self.processes if each.call is not None]
            self.most_at_once = max(self.most_at_once, sum(map(_weight, running)))
        assert process.turns is not None
        if not process.turns.ended:
            getattr(process.turns, how)()
        self.now += 1
        if process.turns.ended:
            call = process.end()
            call.ended = self.now
            if call.outcome == "failed":  # a browser keeps the event, and sends it again
                process.waiting.append(Call(call.kind, call.names, call.uuids))
        return True

    def finish(self) -> None:
        """Let every process handle all of its calls, one process after the other."""
        for number in range(len(self.processes)):
            while self.step(number):
                pass

    def run(self, number: int, call: Call) -> Call:
        """Let an idle process handle a call to its end."""
        self.send(number, call)
        while self.step(number):
            pass
        return call

    def close(self) -> None:
        for process in self.processes:
            process.close()


def _weight(call: Call) -> int:
    """Return how many counters a call may create or restore: at most all of the experiment's."""
    return len(set(call.names)) if call.kind == "track" else 2
