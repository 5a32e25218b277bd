"""Redis Cluster: what runs side by side, what runs in order, and what one node's failure leaves."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from redis.crc import key_slot

from gimel.runtime import errors
from tests.runtime.redis.cluster import ask, key_on, migrating
from tests.support.clients import MakeClient
from tests.support.servers import Listener, Store

FIRST, SECOND = [key_on(0, "first"), key_on(1, "first")], [key_on(2, "mark"), key_on(1, "mark")]


def test_nodes_are_asked_side_by_side(client: MakeClient) -> None:
    """Every node is asked before the first answer is awaited, also those that are new."""
    number = 4
    all_asked = threading.Barrier(number)

    def answer(connection: socket.socket) -> None:
        while connection.recv(65536):
            with contextlib.suppress(threading.BrokenBarrierError):
                all_asked.wait(timeout=5)
                connection.sendall(b":7\r\n")

    def redirect(connection: socket.socket) -> None:
        while connection.recv(65536):
            for key, node in zip(keys, nodes, strict=True):
                slot = key_slot(key.encode())
                connection.sendall(b"-MOVED %d 127.0.0.1:%d\r\n" % (slot, node.port))

    keys = [f"key {each}" for each in range(number)]
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(Listener(answer)) for _ in keys]
        home = stack.enter_context(Listener(redirect))
        ours = client(home.port)
        for _ in range(3):
            assert ours.execute([("SCARD", key) for key in keys]) == [7] * number
        assert [node.connections for node in nodes] == [1] * number


def monitor(admin: redis.Redis) -> Any:
    return admin.monitor()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def watching(cluster: list[redis.Redis]) -> Iterator[dict[str, float]]:
    """Note when each key was used last, by the clock that all nodes share."""
    used: dict[str, float] = {}
    with contextlib.ExitStack() as stack:
        monitors = [stack.enter_context(monitor(admin)) for admin in cluster]
        yield used
        for admin, each in zip(cluster, monitors, strict=True):
            admin.echo("the end")
            for seen in each.listen():
                if seen["command"] == "ECHO the end":
                    break
                name, _, key = seen["command"].partition(" ")
                if name in ("SADD", "SCARD"):
                    key = key.split(" ")[0]
                    used[key] = max(used.get(key, 0), seen["time"])


@pytest.mark.parametrize("slow", [0, 1])
@pytest.mark.parametrize("known", [True, False], ids=["slots known", "slots unknown"])
def test_the_first_commands_are_finished_before_the_second(
    nodes: list[Store], cluster: list[redis.Redis], client: MakeClient, known: bool, slow: int
) -> None:
    """Even where their node is slow, and whether the nodes are known or not."""
    ours = client(nodes[0].port)
    if known:
        ours.execute([("SCARD", key) for key in FIRST + SECOND])
    with watching(cluster) as used:
        ask(cluster[slow], "CLIENT PAUSE", 200, "ALL")
        replies = ours.in_order(
            [("SADD", key, "x") for key in FIRST], [("SCARD", key) for key in SECOND]
        )
    assert [len(each) for each in replies] == [2, 2]
    assert max(used[key] for key in FIRST) < min(used[key] for key in SECOND)


def test_commands_of_a_migrating_slot_keep_the_order(
    nodes: list[Store], cluster: list[redis.Redis], client: MakeClient
) -> None:
    """A first command that is answered ASK is finished as well, on the node that imports."""
    ours = client(nodes[0].port)
    with migrating(cluster[0], cluster[2], FIRST[0]), watching(cluster) as used:
        ask(cluster[2], "CLIENT PAUSE", 200, "ALL")
        added, counted = ours.in_order([("SADD", FIRST[0], "x")], [("SCARD", SECOND[1])])
    assert (added, counted) == ([1], [0])
    assert used[FIRST[0]] < used[SECOND[1]]


def test_one_server_takes_both_in_one_trip(
    store: redis.Redis, session_store: Store, client: MakeClient
) -> None:
    """Without a cluster, commands in order are one request."""
    ours = client(session_store.port)
    ours.execute([("SCARD", "set")])
    before = int(store.info("stats")["total_reads_processed"])
    assert ours.in_order([("SADD", "set", "a")], [("SCARD", "set")]) == ([1], [1])
    assert int(store.info("stats")["total_reads_processed"]) - before == 2  # and this one


def test_a_proxy_in_front_of_a_cluster_takes_them_one_after_the_other(
    store: redis.Redis, session_store: Store, client: MakeClient
) -> None:
    """Its nodes do not wait for each other, so the second request follows the first answer."""
    ours = client(session_store.port, cluster=True)
    ours.execute([("SCARD", "set")])
    before = int(store.info("stats")["total_reads_processed"])
    assert ours.in_order([("SADD", "set", "a")], [("SCARD", "set")]) == ([1], [1])
    assert int(store.info("stats")["total_reads_processed"]) - before == 3  # and this one


def test_answers_that_were_not_read_are_not_taken_for_later_ones(
    nodes: list[Store], cluster: list[redis.Redis], client: MakeClient
) -> None:
    """If one node fails, the answers of others may be unread; later calls get their own."""
    keys = [key_on(node) for node in range(3)]
    for admin, key in zip(cluster, keys, strict=True):
        admin.set(key, key)
    ours = client(nodes[0].port, socket_timeout=0.15)
    assert ours.execute([("GET", key) for key in keys]) == [key.encode() for key in keys]
    ask(cluster[0], "CLIENT PAUSE", 500, "ALL")
    with pytest.raises(errors.AnswerTimeout):
        ours.execute([("GET", keys[0]), ("STRLEN", keys[1]), ("STRLEN", keys[2])])
    cluster[0].ping()  # answered when the pause is over
    assert ours.execute([("GET", key) for key in keys]) == [key.encode() for key in keys]
