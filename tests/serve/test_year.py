"""Months through the schedule of `gimel serve`: real counters, a moving clock, a flaky receiver.

GIMEL_DAYS is the number of days, such as 365 for a whole year.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from itertools import islice

import pytest
import redis

import gimel
from gimel.alerts.receivers import Webhook
from gimel.analysis.experiment import Experiment, analyse
from gimel.api.simulation import Rate, Traffic, Visitor, by_day, visitors
from gimel.runtime.event import PARTICIPATE
from gimel.serve.daily import Daily
from gimel.serve.handlers import Handlers
from tests.support.receivers import Receiver, receiving

DAY = 86_400
DAYS = int(os.environ.get("GIMEL_DAYS", "70"))
WRONG_FROM = 40
PER_DAY = 40


EQUAL = {"old": 1.0, "new": 1.0}


def crowd(variants: dict[str, float], old: float, new: Rate, days: int) -> Iterator[Visitor]:
    rates = {"old": Rate(((old, old),)), "new": new}
    return visitors(Traffic(PER_DAY * days, variants, {"buy": rates}, seed=5))


def constant(rate: float) -> Rate:
    return Rate(((rate, rate),))


def experiments() -> dict[str, list[list[Visitor]]]:
    """The visitors of each day: fewer at weekends, from a Monday on."""

    def days(all_visitors: Iterator[Visitor], number: int = DAYS) -> list[list[Visitor]]:
        return list(by_day(all_visitors, PER_DAY * number, [day % 7 for day in range(number)]))

    right = crowd(EQUAL, 0.2, constant(0.2), WRONG_FROM)
    wrong = crowd({"old": 2.0, "new": 1.0}, 0.2, constant(0.2), DAYS - WRONG_FROM)
    return {
        "same": days(crowd(EQUAL, 0.2, constant(0.2), DAYS)),
        "better": days(crowd(EQUAL, 0.2, constant(0.35), DAYS)),
        "split": [*days(right, WRONG_FROM), *days(wrong, DAYS - WRONG_FROM)],
    }


class Story:
    """A clock whose days bring visitors; the receiver is down on two of three."""

    def __init__(self, handlers: Handlers, receiver: Receiver) -> None:
        now = int(time.time()) // DAY * DAY
        self.begin = now - DAYS * DAY + 300
        self.now = float(self.begin)
        self._handlers, self._receiver = handlers, receiver
        self._days = {name: iter(days) for name, days in experiments().items()}
        self._passed = 0

    def clock(self) -> float:
        return self.now

    async def wait(self, stopping: asyncio.Event) -> None:
        if self._passed == DAYS:
            stopping.set()
            return
        self._receiver.status = 200 if self._passed % 3 == 0 else 500
        for name, days in self._days.items():
            for each in next(days):
                await self._count(name, each)
        self._passed += 1
        self.now += DAY

    async def _count(self, experiment: str, visitor: Visitor) -> None:
        for goal in (PARTICIPATE, *visitor.goals):
            event = {"experiment": experiment, "variant": visitor.variant, "event": goal}
            event["uuid"] = visitor.uuid
            answer = await self._handlers.call(gimel.track, event, self.now)
            assert answer == {"status": "ok"}


def day_of(story: Story, moment: int | None) -> int | None:
    return None if moment is None else (moment - story.begin) // DAY


@pytest.fixture
def handlers(gimel_store: redis.Redis) -> Iterator[Handlers]:
    handlers = Handlers(os.environ["GIMEL_SETTINGS"])
    yield handlers
    handlers.close()


def read(handlers: Handlers, story: Story, names: Sequence[str]) -> list[Experiment]:
    counts = {
        each.name: each for each in handlers.experiments("alephbet", history=True).experiments
    }
    return [analyse(counts[name], now=story.now) for name in names]


def test_months_of_daily_snapshots(handlers: Handlers) -> None:
    """A point per day; a verdict with its date, a dated split, and each alert once."""
    warnings: list[str] = []
    with receiving() as receiver:
        story = Story(handlers, receiver)
        daily = Daily(
            handlers, {}, (Webhook(receiver.url),), warnings.append, story.clock, story.wait
        )
        asyncio.run(daily.run(asyncio.Event()))

    same, better, split = read(handlers, story, ["same", "better", "split"])
    # The last point is that of now.
    times = [moment.time for moment in better.moments]
    assert [day_of(story, moment) for moment in times] == list(range(1, DAYS + 1))
    sundays = [sum(each.per_day or ()) for each in islice(better.moments, 6, None, 7)]
    assert max(sundays) < min(sum(each.per_day or ()) for each in better.moments[1:5])

    assert better.headline.safe_to_stop
    reached = day_of(story, better.headline.reached)
    assert reached is not None
    assert better.design.minimum_days <= reached < 40
    assert split.mismatch_since is not None
    assert abs((split.mismatch_since - story.begin) / DAY - WRONG_FROM) <= 3
    assert not same.split.is_mismatch
    assert not same.headline.better
    assert not same.headline.worse

    alerts = {(each["experiment"], each["kind"]) for each in receiver.alerts}
    assert {("better", "verdict"), ("split", "split-mismatch")} <= alerts
    assert len({each["id"] for each in receiver.alerts}) == len(receiver.alerts)
    assert warnings
    assert {each.split(". The next")[0] for each in warnings} == {
        "Alerts were not sent to webhook: it answered 500"
    }
