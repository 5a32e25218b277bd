"""The schedule of `gimel serve`: a snapshot when it starts and whenever a day (UTC) begins.

The wall clock is asked again and again instead of sleeping until midnight: a laptop that sleeps
stops every timer. Redis is used on the handlers' thread, between events; the analysis and the
sending of alerts happen on other threads, so that no event waits for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from gimel.alerts.notify import notify
from gimel.alerts.receivers import Receiver
from gimel.alerts.records import Records
from gimel.alerts.watch import Watch, Watched
from gimel.analysis.design import Design
from gimel.runtime import process
from gimel.runtime.concluded import tidy_all
from gimel.runtime.errors import RedisError
from gimel.runtime.snapshot import Taken, take
from gimel.serve.handlers import Handlers

_DAY = 86_400  # seconds
_SECONDS_BETWEEN_LOOKS = 30
_AT_ONCE = 20  # experiments, as many as `take` reads together


async def wait(stopping: asyncio.Event) -> None:
    """Return after half a minute, or as soon as the server stops."""
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(stopping.wait(), _SECONDS_BETWEEN_LOOKS)


@dataclass
class Daily:
    """Takes the snapshots and sends the alerts. `warn` gets a line about each failure.

    `clock` returns the wall clock's time (seconds since 1970), and `wait` returns when to look at
    it again.
    """

    handlers: Handlers
    designs: Mapping[str, Design]
    receivers: Sequence[Receiver]
    warn: Callable[[str], None]
    clock: Callable[[], float] = time.time
    wait: Callable[[asyncio.Event], Awaitable[None]] = wait
    _has_failed: bool = field(default=False, init=False)

    async def run(self, stopping: asyncio.Event) -> None:
        """Run until `stopping` is set. A message that is being sent is sent and noted first.

        A snapshot that fails is taken again at the next look.
        """
        done: int | None = None
        while not stopping.is_set():
            day = int(self.clock()) // _DAY
            if day != done and await self._try(stopping):
                done = day
            await self.wait(stopping)

    async def _try(self, stopping: asyncio.Event) -> bool:
        """Take a snapshot and send the alerts. Return whether that is done for today."""
        try:
            is_done = await self._take(stopping)
        except RedisError as error:
            if not self._has_failed:
                self.warn(f"The daily snapshot failed and will be tried again: {error}")
            self._has_failed = True
            return False
        except Exception as error:  # a defect, which must not end the schedule
            self.warn(f"The daily snapshot failed: unexpected {type(error).__name__}")
            return True
        self._has_failed = False
        return is_done

    async def _take(self, stopping: asyncio.Event) -> bool:
        now = int(self.clock())
        watch = Watch(self.designs, now)
        state = await self.handlers.run(process.current)
        experiments = take(state, now)
        while some := await self.handlers.run(lambda: list(islice(experiments, _AT_ONCE))):
            if stopping.is_set():
                return False
            if self.receivers:
                await asyncio.to_thread(_look, watch, some)
        await self.handlers.run(lambda: tidy_all(state.redis, now))
        if self.receivers:
            await self._notify(watch, Records(state.redis), now, stopping)
        return True

    async def _notify(
        self, watch: Watch, records: Records, now: int, stopping: asyncio.Event
    ) -> None:
        names = sorted(watch.namespaces)
        for namespace, ignored in await self.handlers.run(lambda: list(records.ignored(names))):
            watch.add_namespace(namespace, ignored)
        store = _OnThread(self.handlers, records)

        def seconds_left() -> float:
            return 0.0 if stopping.is_set() else float("inf")

        outcome = await asyncio.to_thread(
            notify, self.receivers, watch.watched, store, now, seconds_left
        )
        for name, why in outcome.failures:
            self.warn(f"Alerts were not sent to {name}: {why}. The next snapshot sends them.")


def _look(watch: Watch, experiments: Iterable[Taken]) -> None:
    for each in experiments:
        watch.add(each)


class _OnThread:
    """The records, used from another thread than the handlers'."""

    def __init__(self, handlers: Handlers, records: Records) -> None:
        self._handlers = handlers
        self._records = records

    def read(self, receiver: str, watched: Sequence[Watched]) -> list[str | None]:
        return self._handlers.wait_for(lambda: self._records.read(receiver, watched))

    def write(self, receiver: str, texts: Iterable[tuple[Watched, str]]) -> set[Watched]:
        return self._handlers.wait_for(lambda: self._records.write(receiver, texts))
