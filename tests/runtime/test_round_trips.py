"""Counted, not timed: the connections, round trips and commands of each handler."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
import redis

import gimel
from gimel.runtime import process
from tests.support.events import (
    EVENT,
    GOOGLEBOT,
    OK,
    Configure,
    Gateway,
    read,
    rest,
    with_each_gateway,
)


class Wire:
    """What went over the sockets of this process: connections, and writes, one per round trip."""

    connections = 0
    writes = 0

    @classmethod
    def reset(cls) -> None:
        cls.connections = cls.writes = 0


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> type[Wire]:
    """Count what the runtime's sockets do, whichever method of a socket it uses."""

    class CountedSocket(socket.socket):
        def connect(self, address: Any, /) -> None:
            Wire.connections += 1
            super().connect(address)

        def connect_ex(self, address: Any, /) -> int:
            Wire.connections += 1
            return super().connect_ex(address)

        def send(self, data: Any, flags: int = 0, /) -> int:
            Wire.writes += 1
            return super().send(data, flags)

        def sendall(self, data: Any, flags: int = 0, /) -> None:
            Wire.writes += 1
            super().sendall(data, flags)

        def sendmsg(self, *arguments: Any) -> int:
            Wire.writes += 1
            return super().sendmsg(*arguments)

    monkeypatch.setattr(socket, "socket", CountedSocket)
    process.forget()
    Wire.reset()
    return Wire


def commands_of(store: redis.Redis, call: Callable[[], Any]) -> list[str]:
    """Return the names of the commands that the server executed for a call."""

    def calls() -> dict[str, int]:
        info: Any = store.info("commandstats")  # redis-py's types do not know what INFO answers
        return {name.removeprefix("cmdstat_"): figures["calls"] for name, figures in info.items()}

    before = calls()
    call()
    after = calls()
    ours = {name: number - before.get(name, 0) for name, number in after.items() if name != "info"}
    return sorted(name for name, number in ours.items() for _ in range(number))


@with_each_gateway
@pytest.mark.parametrize("precision", [1, 4, 16, 64, 256])
def test_known_counter(
    gimel_store: redis.Redis,
    configure: Configure,
    wire: type[Wire],
    gateway: Gateway,
    precision: int,
) -> None:
    """An event of a known counter is one round trip of two commands, on the kept connection."""
    configure(precision=precision)
    gimel.track(gateway(query=EVENT), None)
    assert wire.connections == 1
    wire.reset()
    answers = []

    commands = commands_of(
        gimel_store,
        lambda: answers.append(gimel.track(gateway(query={**EVENT, "uuid": "another"}), None)),
    )

    assert read(answers[0]) == (200, OK)
    # redis-py sends INFO, over sockets that existed before.
    assert (wire.connections, wire.writes) == (0, 1)
    assert commands == ["pfadd", "sismember"]


def test_batch(gimel_store: redis.Redis, wire: type[Wire]) -> None:
    """A hundred visitors of one counter are one round trip of 101 commands."""
    gimel.track(rest(query=EVENT), None)
    wire.reset()
    batch = json.dumps([{**EVENT, "uuid": f"v{n}"} for n in range(100)])

    commands = commands_of(gimel_store, lambda: gimel.track(rest("POST", body=batch), None))

    assert (wire.connections, wire.writes) == (0, 1)
    assert commands == ["pfadd"] * 100 + ["sismember"]


def test_new_counter(gimel_store: redis.Redis, wire: type[Wire]) -> None:
    """A new counter costs six: look-up, limits, time, names, mark, and the event itself."""
    gimel.track(rest(query=EVENT), None)
    wire.reset()

    gimel.track(rest(query={**EVENT, "variant": "new"}), None)

    assert (wire.connections, wire.writes) == (0, 6)


def test_counter_new_to_the_process(gimel_store: redis.Redis, wire: type[Wire]) -> None:
    """A counter that exists costs a new process a look-up, and the event itself."""
    gimel.track(rest(query=EVENT), None)
    process.forget()
    wire.reset()

    gimel.track(rest(query=EVENT), None)

    assert (wire.connections, wire.writes) == (1, 2)


def test_ignored_event(gimel_store: redis.Redis, wire: type[Wire]) -> None:
    """A crawler's event costs two round trips: one to look its experiment up, one to note it."""
    gimel.track(rest(query=EVENT), None)
    wire.reset()

    gimel.track(rest(query=EVENT, User_Agent=GOOGLEBOT), None)

    assert (wire.connections, wire.writes) == (0, 2)


@pytest.mark.parametrize("experiments", [1, 50])
def test_all(gimel_store: redis.Redis, wire: type[Wire], experiments: int) -> None:
    """Reading all results takes two round trips, however many experiments there are."""
    for n in range(experiments):
        for goal in ("participate", "buy"):
            gimel.track({**EVENT, "experiment": f"e{n}", "event": goal}, None)
    wire.reset()

    _, body = read(gimel.all(rest(), None))

    assert len(body) == 1 + experiments
    assert (wire.connections, wire.writes) == (0, 2)
    commands = commands_of(gimel_store, lambda: gimel.all(rest(), None))
    assert commands == sorted(
        ["hgetall"] * (1 + experiments) + ["pfcount"] * 2 * 16 * experiments + ["sscan"] * 3
    )


@pytest.mark.parametrize(("experiments", "round_trips"), [(1, 16), (2, 13), (50, 13)])
def test_delete(
    gimel_store: redis.Redis, wire: type[Wire], experiments: int, round_trips: int
) -> None:
    """Deleting takes 13 round trips, and three more for the last experiment of a namespace."""
    for n in range(experiments):
        gimel.track({**EVENT, "experiment": f"e{n}"}, None)
    wire.reset()

    _, body = read(gimel.delete(rest("DELETE", query={"experiment": "e0"}), None))

    assert body == {"status": "ok", "deleted": 1}
    assert (wire.connections, wire.writes) == (0, round_trips)
