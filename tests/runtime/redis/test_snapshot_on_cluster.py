"""A snapshot of a Redis Cluster, whose nodes hold the keys of each experiment."""

from __future__ import annotations

import time

import redis

import gimel
from gimel.runtime import process
from gimel.runtime.snapshot import take
from tests.support.events import Configure
from tests.support.sending import send
from tests.support.servers import Store

DAY = 86_400


def test_every_experiment_gets_its_point(
    nodes: list[Store], cluster: list[redis.Redis], configure: Configure
) -> None:
    """The keys of an experiment, and those of a run, are on several nodes."""
    configure(redis={"host": "127.0.0.1", "port": nodes[0].port}, precision=4)
    process.forget()
    names = [f"experiment {number:02}" for number in range(30)]
    for name in names:
        send(experiment=name)
        send(experiment=name, event="buy", variant="blue")
    now = int(time.time()) + DAY

    first = list(take(process.current(), now))
    second = list(take(process.current(), now + DAY))

    assert [each.name for each in first] == [each.name for each in second] == names
    for each in second:
        assert each.described["history"]["points"] == [[now, 1, 1]]
    assert all(admin.keys("*:meta") for admin in cluster)
    for name in names:
        gimel.delete({"experiment": name})
    assert [admin.dbsize() for admin in cluster] == [0, 0, 0]


def test_an_experiment_that_is_deleted_meanwhile(
    nodes: list[Store], cluster: list[redis.Redis], configure: Configure
) -> None:
    """It is asked for after its point was written, on whichever node it is."""
    configure(redis={"host": "127.0.0.1", "port": nodes[0].port}, precision=1)
    process.forget()
    names = [f"experiment {number:02}" for number in range(12)]
    for name in names:
        send(experiment=name)
    state = process.current()
    in_order = state.redis.in_order

    def late(first: object, second: object) -> object:
        state.redis.in_order = in_order  # type: ignore[method-assign]
        for name in names:
            gimel.delete({"experiment": name})
        return in_order(first, second)  # type: ignore[arg-type]

    state.redis.in_order = late  # type: ignore[assignment, method-assign]
    assert len(list(take(state, int(time.time()) + DAY))) == len(names)

    assert [admin.dbsize() for admin in cluster] == [0, 0, 0]
