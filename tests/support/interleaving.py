"""Calls of `gimel.track` and `gimel.delete` that are interleaved Redis command by command.

Each call runs in its own thread, with a client that waits for its turn before each command.
Only one thread runs at a time, so that a schedule always has the same result.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from unittest import mock

import redis

import gimel
from gimel.runtime import process
from gimel.runtime.settings import Settings
from tests.support.events import read, rest
from tests.support.turns import Killed, SteppedClient, Turns

Names: TypeAlias = tuple[str, str, str]
"""A counter in these tests: namespace, experiment and variant."""

GOAL = "participate"
_MOST_TRIES = 50
_ALL = 10_000  # commands: more than a call has


@dataclass
class Call:
    """A call of a handler, and what became of it. `began` and `ended` are numbers of steps."""

    kind: str  # track, delete, conclude or reopen
    names: list[Names]
    uuids: list[str] = field(default_factory=list)
    outcome: str = ""
    """`done`, `failed` (a 503), or `dead`."""
    answers: list[str] = field(default_factory=list)
    """The status of each event: `ok` or `ignored`."""
    deleted: int = 0
    """How many counters a delete says it has removed."""
    tries: int = 1
    commands: int = 0
    """How many commands it has executed."""
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
            self._client.turns, self._client.executed = turns, 0
            with _as_current(self._state):
                return self._handle(call)

        self.call, self.turns = call, Turns(handle)
        return self.turns

    def _handle(self, call: Call) -> Any:
        if call.kind == "delete":
            namespace, experiment, _ = call.names[0]
            query = {"namespace": namespace, "experiment": experiment}
            return read(gimel.delete(rest("DELETE", query=query), None))
        if call.kind in ("conclude", "reopen"):
            namespace, experiment, _ = call.names[0]
            query = {"namespace": namespace, call.kind: experiment, "record": "{}"}
            status, body = read(gimel.delete(rest("DELETE", query=query), None))
            return (200 if status == 400 else status), body  # 400: not at this time
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
        assert self.call is not None
        assert self.turns is not None
        assert self.turns.ended
        call, outcome = self.call, self.turns.outcome
        self.call = self.turns = None
        call.commands = self._client.executed
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
            elif status == 200 and call.kind == "delete":
                call.deleted = body["deleted"]
        return call

    def close(self) -> None:
        """End a call that still runs, and the connection."""
        if self.turns is not None and not self.turns.ended:
            self.turns.kill()
        self._client.close()


class OldProcess(Process):
    """Gimel 1.5.0, as far as Redis sees it: an event is one transaction, a delete asks first.

    It does not know batches: of a batch it handles the first event.
    """

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
            del call.names[1:], call.uuids[1:]
            key = f"{namespace}:counters:{experiment}:{GOAL}:{call.names[0][2]}"
            pipeline.sadd(experiments, experiment)
            pipeline.sadd(shared, key)
            pipeline.sadd(own, key)
            pipeline.pfadd(key, call.uuids[0])
            turns.wait()
            pipeline.execute()
            return 200, {"events": [{"status": "ok"}]}
        turns.wait()
        if self._redis.sismember(experiments, experiment):
            turns.wait()
            for key in map(str, self._redis.smembers(own)):
                pipeline.srem(shared, key)
                pipeline.delete(key)
            pipeline.delete(own)
            pipeline.srem(experiments, experiment)
            turns.wait()
            pipeline.execute()
        return 200, {"deleted": 0}

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

    def current(_: object = None) -> process.Process:
        state: process.Process = _current.state
        return state

    with mock.patch.object(process, "current", current):
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

    def step(self, number: int, commands: int = 1) -> bool:
        """Let a process execute some commands of one call. Return whether it has a call."""
        return self._go_on(number, lambda turns: turns.step(commands))

    def kill(self, number: int) -> None:
        """End a process before its next command. A new one takes its place."""
        self._go_on(number, Turns.kill)

    def lose_reply(self, number: int) -> None:
        """Let a process execute a command whose reply is lost."""
        self._go_on(number, Turns.lose_reply)

    def _go_on(self, number: int, how: Callable[[Turns], None]) -> bool:
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
            how(process.turns)
        self.now += 1
        if process.turns.ended:
            call = process.end()
            call.ended = self.now
            if call.outcome == "failed":  # a browser keeps the event, and sends it again
                assert call.tries < _MOST_TRIES, f"a 503 every time: {call}"
                again = Call(call.kind, call.names, call.uuids, tries=call.tries + 1)
                process.waiting.append(again)
        return True

    def finish(self) -> None:
        """Let every process handle all of its calls, one process after the other."""
        for number in range(len(self.processes)):
            while self.step(number, _ALL):
                pass

    def run(self, number: int, call: Call) -> Call:
        """Let an idle process handle a call to its end."""
        self.send(number, call)
        while self.step(number, _ALL):
            pass
        return call

    def close(self) -> None:
        for each in self.processes:
            each.close()

    @property
    def running(self) -> list[int]:
        """The processes that have something to do."""
        return [n for n, each in enumerate(self.processes) if each.turns or each.waiting]


def every_interleaving(make: Callable[[], World]) -> Iterator[World]:
    """Yield a world after each way in which its processes can take turns, for two equal ones.

    The first process begins: that the second one does is the same.
    """
    schedules: list[list[int]] = [[0]]
    while schedules:
        schedule = schedules.pop()
        world = make()
        for number in schedule:
            world.step(number)
        while running := world.running:
            schedules += [[*schedule, other] for other in running[1:]]
            schedule.append(running[0])
            world.step(running[0])
        yield world
        world.close()


def _weight(call: Call) -> int:
    """Return how many counters a call may create or restore: at most all of the experiment's."""
    return len(set(call.names)) if call.kind == "track" else 2
