"""Clients that keep each event until it gets a 200, as AlephBet does, each with its own container.

A client is a thread of this process, its Lambda container another process.
"""

from __future__ import annotations

import dataclasses
import json
import select
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.faults.container import READY, TIMEOUT
from tests.faults.traffic import Event
from tests.support.command import REPOSITORY, environment
from tests.support.events import rest

PAUSE = 0.02
"""Seconds that a client waits after an event was refused, and around an outage after each event.

Otherwise a client might have sent its last event before the outage has begun.
"""
SLACK = 1.0
"""Seconds after its time-out at which a container is killed, as Lambda does at once.

A busy machine may delay a line that was written in time.
"""

Settings = Callable[[], dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Call:
    """A call: its client, when it was sent (`time.monotonic()`), its length in seconds, its answer.

    The status is 0 where the container had to be killed.
    """

    client: int
    event: Event
    sent: float
    seconds: float
    status: int
    answer: Any


class Container:
    """A running `tests.faults.container` with these settings in its environment."""

    def __init__(self, settings: dict[str, Any], directory: Path) -> None:
        self.settings = settings
        with (directory / "containers.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.container"],
                cwd=REPOSITORY,
                env=environment(directory, GIMEL_SETTINGS=json.dumps(settings)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdin
        assert self._process.stdout
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        assert self._stdout.readline().strip() == READY.encode()

    def invoke(self, event: Event) -> tuple[float, int, Any]:
        """Return the seconds that a call took, its status and its parsed body."""
        self._stdin.write(json.dumps(rest(query=event.query)).encode() + b"\n")
        self._stdin.flush()
        if not select.select([self._stdout], [], [], TIMEOUT + SLACK)[0]:
            return TIMEOUT + SLACK, 0, None
        seconds, status, body = json.loads(self._stdout.readline())
        return seconds, status, json.loads(body)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._stdin.close()
        self._stdout.close()


class Client(threading.Thread):
    """Sends its events in order. An event that gets no 200 goes to the end of the queue."""

    def __init__(
        self, number: int, events: Sequence[Event], settings: dict[str, Any], directory: Path
    ) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.calls: list[Call] = []
        self.settings = settings
        """A deploy replaces them. The next call is made by a new container."""
        self._queue = deque(events)
        self._directory = directory
        self._container: Container | None = None
        self.halfway = threading.Event()
        """Set when half of the events are delivered. The client then waits for `go_on`."""
        self.slow = False
        """True from the middle on until the outage is over."""
        self._may_go_on = threading.Event()
        self._ended = False

    def run(self) -> None:
        half = len(self._queue) // 2
        while self._queue and not self._ended:
            if len(self._queue) == half and not self.halfway.is_set():
                self.slow = True
                self.halfway.set()
                self._may_go_on.wait()
            event = self._queue.popleft()
            refused = self.send(event).status != 200
            if refused:
                self._queue.append(event)
            if refused or self.slow:
                time.sleep(PAUSE)

    def send(self, event: Event) -> Call:
        """Make one call. A container whose settings are no longer current is replaced first."""
        sent = time.monotonic()
        container = self._container
        if container and container.settings is not self.settings:
            container.kill()
            container = None
        if container is None:
            container = self._container = Container(self.settings, self._directory)
        seconds, status, answer = container.invoke(event)
        if status == 0:
            container.kill()
            self._container = None
        call = Call(self.number, event, sent, seconds, status, answer)
        self.calls.append(call)
        return call

    def go_on(self) -> None:
        self._may_go_on.set()

    def end(self) -> None:
        """Send nothing more, even if events are left, and end the container."""
        self._ended = True
        self.go_on()
        if self.is_alive():
            self.join()
        if self._container:
            self._container.kill()
