"""A run that is killed at any command to Redis, and around the message, on a real store."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import redis

import gimel
from gimel.alerts.receivers import Webhook
from gimel.runtime.redis.client import Client
from tests.support.receivers import receiving
from tests.support.replays import Killed, Steps


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], Steps]:
    """Return a function that kills the run at a step: before or after each exchange."""
    current = Steps()

    def around(owner: type, name: str) -> None:
        whole = getattr(owner, name)

        def stepped(self: Any, *arguments: Any, **options: Any) -> Any:
            current()
            answer = whole(self, *arguments, **options)
            current()
            return answer

        monkeypatch.setattr(owner, name, stepped)

    around(Client, "_ask_one")
    around(Webhook, "send")

    def begin(last: int | None) -> Steps:
        current.last, current.taken = last, 0
        return current

    return begin


def test_a_killed_run_loses_nothing_and_repeats_at_most_its_message(
    gimel_store: redis.Redis,
    configure: Callable[..., None],
    steps: Callable[[int | None], Steps],
) -> None:
    """After each kill, the next run records the day and sends what is not noted; then all is quiet.

    The message is repeated, with its ids, only if the receiver had accepted it.
    """
    for experiment in ("a", "b"):
        for number in range(330):
            variant = "red" if number % 11 == 0 else "blue"
            event = {"experiment": experiment, "event": "participate", "uuid": number}
            gimel.track({**event, "variant": variant})
    repeats = 0
    for last in range(1000):
        for experiment in ("a", "b"):
            gimel_store.hdel(f"alephbet:{experiment}:meta", "history", "alerted:webhook")
        with receiving() as receiver:
            configure(alerts={"webhook": receiver.url})
            taken = steps(last)
            try:
                gimel.snapshot({})
            except Killed:
                accepted = len(receiver.accepted)
                steps(None)
                gimel.snapshot({})
            else:
                break
            gimel.snapshot({})
            repeats += check(receiver.alerts, accepted)
        for experiment in ("a", "b"):
            meta = gimel_store.hgetall(f"alephbet:{experiment}:meta")
            assert json.loads(meta[b"alerted:webhook"])["active"] == {"split-mismatch": 1}
            assert len(meta[b"history"].splitlines()) == 2

    assert taken.taken >= 16
    assert 1 <= repeats <= 5


def check(alerts: list[dict[str, Any]], accepted: int) -> bool:
    """Return whether the alerts were repeated: all of them, each once, with the same ids."""
    assert {alert["experiment"] for alert in alerts} == {"a", "b"}
    ids = [alert["id"] for alert in alerts]
    assert len(ids) in (2, 4)
    assert ids[:2] == ids[-2:]
    if not accepted:
        assert len(ids) == 2
    return len(ids) == 4
