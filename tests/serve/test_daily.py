"""The schedule of `gimel serve`, on a real store: a clock that the test moves, a real receiver."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

import gimel
from gimel.alerts.receivers import Webhook
from gimel.runtime.snapshot import take
from gimel.serve.daily import Daily
from gimel.serve.gateway import Gateway, application
from gimel.serve.handlers import Handlers
from gimel.wiring import WIRING
from tests.support.asgi import BASE
from tests.support.events import BROWSER
from tests.support.receivers import receiving
from tests.support.served import serving
from tests.support.servers import Store, wait_until

DAY = 86_400
BEGIN = 20_000 * DAY + 9 * 3600  # some day, 9:00 UTC


class Slow(Webhook):
    """A receiver that takes its time to answer."""

    async def has_begun(self) -> None:
        """Return when it was asked."""
        while not _asked:
            await asyncio.sleep(0.01)

    def send(self, alerts: Any, now: float) -> str:
        _asked.append(len(alerts))
        time.sleep(0.3)
        return "200"


_asked: list[int] = []


class Clock:
    """A wall clock that jumps at each look; the server stops after the last jump.

    `jumps` are seconds, or seconds and what happens then.
    """

    def __init__(self, *jumps: float | tuple[float, Callable[[], object]]) -> None:
        self.now = float(BEGIN)
        self._jumps = list(jumps)

    def __call__(self) -> float:
        return self.now

    async def wait(self, stopping: asyncio.Event) -> None:
        if not self._jumps:
            stopping.set()
            return
        jump = self._jumps.pop(0)
        seconds, action = jump if isinstance(jump, tuple) else (jump, lambda: None)
        self.now += seconds
        await asyncio.to_thread(action)


@pytest.fixture
def handlers(gimel_store: redis.Redis) -> Iterator[Handlers]:
    handlers = Handlers(os.environ["GIMEL_SETTINGS"])
    yield handlers
    handlers.close()


def visit(number: int, store: redis.Redis | None = None) -> None:
    """Count visitors of two variants, one in eleven in the second, of an experiment of long ago."""
    for each in range(number):
        variant = "red" if each % 11 == 0 else "blue"
        gimel.track({"experiment": "e", "variant": variant, "event": "participate", "uuid": each})
    if store is not None:
        store.hset("alephbet:e:meta", "since", BEGIN - DAY)


def run(daily: Daily) -> None:
    asyncio.run(daily.run(asyncio.Event()))


def points(store: redis.Redis) -> list[int]:
    """Return the days of the recorded points, counted from the first day of the clock."""
    text: Any = store.hget("alephbet:e:meta", "history")
    lines = (text or b"").decode().splitlines()[1:]
    return [int(line.split()[0], 36) // DAY - BEGIN // DAY for line in lines]


def test_one_snapshot_at_the_start_and_one_on_each_day(
    gimel_store: redis.Redis, handlers: Handlers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looks on the same day change nothing, and a day during which the laptop slept is a gap.

    When the clock is set back from day 4 to day 3, day 4 was wrong.
    """
    visit(22, gimel_store)
    clock = Clock(
        *[30.0] * 5,
        (15 * 3600.0, lambda: visit(33)),
        *[30.0] * 5,
        (3 * DAY, lambda: visit(44)),
        (-DAY, lambda: visit(55)),  # a clock that is set back
        (2 * DAY, lambda: visit(66)),
    )
    warnings: list[str] = []
    begun: list[int] = []

    def counting(process: Any, now: int) -> Any:
        begun.append(now)
        return take(process, now)

    monkeypatch.setattr("gimel.serve.daily.take", counting)

    run(Daily(handlers, {}, (), warnings.append, clock, clock.wait))

    assert len(begun) == 5
    assert points(gimel_store) == [0, 1, 3, 5]
    assert warnings == []


def test_an_alert_arrives_once_in_several_days(
    gimel_store: redis.Redis, handlers: Handlers
) -> None:
    """The receiver is down on the second day, when the split becomes wrong."""
    visit(6, gimel_store)
    with receiving() as receiver:

        def day(visitors: int, status: int = 200) -> tuple[float, Callable[[], None]]:
            def change() -> None:
                receiver.status = status
                visit(visitors)

            return DAY, change

        clock = Clock(day(9), day(300, 500), day(400), day(500), day(600))
        warnings: list[str] = []

        run(Daily(handlers, {}, (Webhook(receiver.url),), warnings.append, clock, clock.wait))

    (alert,) = receiver.alerts
    assert alert["kind"] == "split-mismatch"
    assert warnings == [
        "Alerts were not sent to webhook: it answered 500. The next snapshot sends them."
    ]


def test_while_redis_is_down_it_tries_again_at_every_look(
    gimel_store: redis.Redis, handlers: Handlers, session_store: Store
) -> None:
    """The same day's snapshot is taken once Redis answers; the failure is reported once."""
    visit(22, gimel_store)
    settings = os.environ["GIMEL_SETTINGS"]
    os.environ["GIMEL_SETTINGS"] = settings.replace(str(session_store.port), "1")

    def repair() -> None:
        os.environ["GIMEL_SETTINGS"] = settings

    clock = Clock(30.0, 30.0, (30.0, repair))
    warnings: list[str] = []

    run(Daily(handlers, {}, (), warnings.append, clock, clock.wait))

    (warning,) = warnings
    assert warning.startswith("The daily snapshot failed and will be tried again: ")
    assert points(gimel_store) == [0]


def test_a_slow_receiver_delays_no_event_and_is_waited_for_at_the_end(
    gimel_store: redis.Redis,
) -> None:
    """The message that is being sent when the server stops is noted, so that it is not repeated."""
    visit(330, gimel_store)
    _asked.clear()
    receiver = Slow("http://localhost/")
    gateway = Gateway(WIRING, "k" * 20, os.environ["GIMEL_SETTINGS"], receivers=(receiver,))
    app = application(gateway, None, print)
    event = {"experiment": "e", "variant": "red", "event": "participate", "uuid": "u"}

    async def serve() -> float:
        async with app.router.lifespan_context(app):
            await receiver.has_begun()
            begin = time.monotonic()
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
                answer = await client.get("/e", params=event, headers={"User-Agent": BROWSER})
            assert answer.json() == {"status": "ok"}
            return time.monotonic() - begin

    assert asyncio.run(serve()) < 0.25
    assert _asked == [1]
    text: Any = gimel_store.hget("alephbet:e:meta", "alerted:webhook")
    assert b'{"split-mismatch":1}' in text


def test_gimel_serve_sends_what_happened_before_it_was_started(
    tmp_path: Path, store: redis.Redis, session_store: Store
) -> None:
    """The whole way from the configuration to the receiver; nothing without snapshots."""
    with receiving() as receiver:
        options = ("--redis", session_store.url, "--api-key", "k" * 20)
        alerts = {"alerts": {"webhook": receiver.url, "secret": "s" * 16}}
        with serving(tmp_path, *options, configuration={"snapshots": False}) as served:
            events = [
                {
                    "experiment": "e",
                    "variant": "red" if each % 11 == 0 else "blue",
                    "event": "participate",
                    "uuid": str(each),
                }
                for each in range(330)
            ]
            for begin in range(0, 330, 100):
                sent = served.http.post(
                    "/e", json=events[begin : begin + 100], headers={"User-Agent": BROWSER}
                )
                assert sent.status_code == 200
        assert not store.hexists("alephbet:e:meta", "history")
        with serving(tmp_path, *options, configuration=alerts):
            wait_until(lambda: store.hget("alephbet:e:meta", "history"))
            wait_until(lambda: receiver.accepted)

    (alert,) = receiver.alerts
    assert (alert["experiment"], alert["kind"]) == ("e", "split-mismatch")
    assert "x-gimel-signature" in receiver.accepted[0].headers
