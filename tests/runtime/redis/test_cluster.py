"""Redis Cluster on real nodes: commands find their nodes, and the client remembers them."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
import redis
from hypothesis import example, given
from hypothesis import strategies as st
from redis.crc import key_slot

from gimel.runtime import errors
from gimel.runtime.redis.client import slot_of
from tests.runtime.redis.cluster import ask, key_on
from tests.support.clients import MakeClient
from tests.support.servers import (
    Listener,
    Store,
    bus_port,
    cluster_is_whole,
    free_port,
    running_store,
    start_cluster_node,
    wait_until,
)

KEYS = [f"key:{number}" for number in range(60)]


def redirections(cluster: list[redis.Redis], code: str = "MOVED") -> int:
    counts = [
        admin.info("errorstats").get(f"errorstat_{code}", {"count": 0})["count"]
        for admin in cluster
    ]
    return sum(int(count) for count in counts)


def requests_read(admin: redis.Redis) -> int:
    return int(admin.info("stats")["total_reads_processed"])


def give_slot(cluster: list[redis.Redis], slot: int, owner: redis.Redis) -> None:
    """Move a slot without keys to another node, whose newer epoch makes all nodes believe it."""
    for admin in (owner, *cluster):
        ask(admin, "CLUSTER SETSLOT", slot, "NODE", ask(owner, "CLUSTER MYID"))
    ask(owner, "CLUSTER BUMPEPOCH")


@given(st.binary() | st.lists(st.sampled_from([b"{", b"}", b"a", b"b", b":"])).map(b"".join))
@example(b"{}a")
@example(b"{a}{b}")
@example(b"}{a}")
@example(b"{{a}}")
def test_slots_are_those_of_redis_py(key: bytes) -> None:
    """The slot of any key, with or without a hash tag, is the one that redis-py computes."""
    assert slot_of(key) == key_slot(key)


@pytest.mark.parametrize(
    "key",
    ["", "a", "{a}b", "{}b", "b{a", "a}b{c}", "{{a}}", "naïve", "alephbet:counters:e:g:v::16:3"],
)
def test_slots_are_those_of_the_server(cluster: list[redis.Redis], key: str) -> None:
    """The slot of a key is the one that the server answers."""
    assert slot_of(key.encode()) == ask(cluster[0], "CLUSTER KEYSLOT", key)


def test_commands_find_their_nodes(
    nodes: list[Store], cluster: list[redis.Redis], client: MakeClient
) -> None:
    """Commands for all nodes get their replies in order, including errors and duplicates."""
    ours = client(nodes[0].port)
    commands = (
        [("SET", key, key) for key in KEYS]
        + [("GET", key) for key in reversed(KEYS)]
        + [("INCR", KEYS[0])]
    )
    *replies, error = ours.execute(commands)
    assert replies == ["OK"] * len(KEYS) + [key.encode() for key in reversed(KEYS)]
    assert isinstance(error, errors.ServerError)
    assert sum(admin.dbsize() for admin in cluster) == len(KEYS)
    assert all(admin.dbsize() for admin in cluster)


def test_the_slots_are_learned(
    nodes: list[Store], cluster: list[redis.Redis], client: MakeClient
) -> None:
    """A command that was redirected once goes to its node directly, over the kept connection."""
    ours = client(nodes[0].port)
    ours.execute([("SADD", key, 1) for key in KEYS])
    learning = redirections(cluster)
    connections = [admin.info("stats")["total_connections_received"] for admin in cluster]
    assert ours.execute([("SADD", key, 1) for key in KEYS]) == [0] * len(KEYS)
    assert learning > 0
    assert redirections(cluster) == learning
    assert [admin.info("stats")["total_connections_received"] for admin in cluster] == connections


def test_redirected_commands_travel_together(
    nodes: list[Store], cluster: list[redis.Redis], client: MakeClient
) -> None:
    """A first call costs each node one request, however many commands are redirected to it."""
    before = [requests_read(admin) for admin in cluster]
    client(nodes[0].port).execute([("SADD", key, 1) for key in KEYS])
    asked_here = 1
    assert [
        requests_read(admin) - asked_here - count
        for admin, count in zip(cluster, before, strict=True)
    ] == [1, 1, 1]


def test_other_commands_run_once(
    nodes: list[Store], cluster: list[redis.Redis], client: MakeClient
) -> None:
    """A redirected command has not run, so that following the redirection repeats nothing."""
    ours = client(nodes[0].port)
    assert ours.execute([("INCR", key_on(node)) for node in (0, 1, 2)], idempotent=False) == [
        1,
        1,
        1,
    ]


def test_a_migrating_slot_is_not_learned(
    nodes: list[Store], cluster: list[redis.Redis], client: MakeClient
) -> None:
    """While a slot migrates, ASKING reaches its new keys; the slot still belongs to the source."""
    ours = client(nodes[2].port)  # answers MOVED to the source, which answers ASK to the target
    source, target = cluster[0], cluster[1]
    tag = key_on(0, "moving")
    slot, staying, leaving = key_slot(tag.encode()), f"{{{tag}}}stay", f"{{{tag}}}leave"
    source.sadd(staying, "old")
    source_id, target_id = (ask(node, "CLUSTER MYID") for node in (source, target))
    ask(target, "CLUSTER SETSLOT", slot, "IMPORTING", source_id)
    ask(source, "CLUSTER SETSLOT", slot, "MIGRATING", target_id)
    try:
        commands = [
            ("SADD", leaving, "a"),
            ("SADD", staying, "a"),
            ("SADD", leaving, "b"),
            ("SADD", key_on(1), "a"),
        ]
        assert ours.execute(commands) == [1, 1, 1, 1]
        moved = redirections(cluster)
        assert ours.execute([("SCARD", staying), ("SCARD", leaving)]) == [2, 2]
        assert (redirections(cluster), redirections(cluster, "ASK")) == (moved, 3)
        assert source.keys() == [staying.encode()]
    finally:
        for admin in (source, target):
            ask(admin, "CLUSTER SETSLOT", slot, "STABLE")


def test_slots_that_moved_are_followed(
    nodes: list[Store], cluster: list[redis.Redis], client: MakeClient
) -> None:
    """The next redirection corrects what was learned."""
    key = key_on(2)
    ours = client(nodes[0].port)
    assert ours.execute([("SADD", key, "a")]) == [1]
    cluster[2].delete(key)
    for owner in (0, 2):
        give_slot(cluster, key_slot(key.encode()), cluster[owner])
        assert ours.execute([("SADD", key, "a")]) == [1]
        assert cluster[owner].delete(key) == 1


@pytest.mark.parametrize("dead", [1, 0], ids=["another node", "the configured node"])
def test_a_dead_node_is_used_again(
    nodes: list[Store], cluster: list[redis.Redis], client: MakeClient, dead: int
) -> None:
    """Commands for a dead node fail, others succeed; once it is back, all of them succeed.

    If it is the configured node, another one that has answered shows the way.
    """
    ours = client(nodes[0].port)
    here, there = [("SADD", key_on(1 - dead), "a")], [("SADD", key_on(dead), "a")]
    assert ours.execute([*here, *there, ("SADD", key_on(2), "a")]) == [1, 1, 1]
    nodes[dead].kill()
    for _ in range(3):
        with pytest.raises(errors.ConnectionFailed):
            ours.execute([*here, *there, ("SADD", key_on(2), "a")])
        assert ours.execute([*here, ("SADD", key_on(2), "a")]) == [0, 0]
    nodes[dead] = start_cluster_node(nodes[dead].directory, nodes[dead].port, bus_port(nodes[dead]))
    wait_until(lambda: all(cluster_is_whole(node, 3) for node in nodes))
    assert ours.execute(here + there) == [0, 1]


def test_an_unreachable_node_is_forgotten(
    nodes: list[Store], cluster: list[redis.Redis], client: MakeClient
) -> None:
    """After a failed connection, slots are learned again: a failover gives them to another node."""
    ours = client(nodes[0].port)
    ours._address_of_slot[slot_of(key_on(1).encode())] = ("127.0.0.1", free_port())
    with pytest.raises(errors.ConnectionFailed):
        ours.execute([("SADD", key_on(1), "a")])
    assert ours.execute([("SADD", key_on(1), "a")]) == [1]


def test_endless_redirections_are_given_up(client: MakeClient) -> None:
    """Nodes that redirect to each other end in an error reply, not in a loop."""

    def moved(connection: socket.socket) -> None:
        while connection.recv(65536):
            connection.sendall(b"-MOVED 1 127.0.0.1:%d\r\n" % listener.port)

    with Listener(moved) as listener:
        (reply,) = client(listener.port).execute([("GET", "a")])
    assert isinstance(reply, errors.Redirected)


def test_a_redirection_without_a_host_means_the_node_that_answered(client: MakeClient) -> None:
    """`MOVED slot :port` is a port of the host that answered, not of the configured one."""

    def answer(reply: bytes) -> Callable[[socket.socket], None]:
        def serve(connection: socket.socket) -> None:
            while connection.recv(65536):
                connection.sendall(reply)

        return serve

    other = "127.0.0.2"
    with (
        Listener(answer(b"$4\r\npong\r\n"), other) as owner,
        Listener(answer(b"-MOVED 1 :%d\r\n" % owner.port), other) as node,
        Listener(answer(b"-MOVED 1 %b:%d\r\n" % (other.encode(), node.port))) as home,
    ):
        assert client(home.port).execute([("GET", "a")]) == [b"pong"]


def test_a_cluster_that_names_no_hosts(
    nodes: list[Store], cluster: list[redis.Redis], client: MakeClient
) -> None:
    """A cluster behind one address, which redirects to ports alone, is used like any other."""
    for admin in cluster:
        admin.config_set("cluster-preferred-endpoint-type", "unknown-endpoint")
    try:
        ours = client(nodes[0].port)
        assert ours.execute([("SADD", key, 1) for key in KEYS]) == [1] * len(KEYS)
        assert ours.execute([("SADD", key, 1) for key in KEYS]) == [0] * len(KEYS)
    finally:
        for admin in cluster:
            admin.config_set("cluster-preferred-endpoint-type", "ip")


@pytest.mark.parametrize("port", [0, 65536, 10**30])
def test_a_redirection_to_an_impossible_port_is_a_failed_connection(
    client: MakeClient, port: int
) -> None:
    """An address that a server names may be impossible, which is a failed connection."""

    def moved(connection: socket.socket) -> None:
        while connection.recv(65536):
            connection.sendall(b"-MOVED 1 127.0.0.1:%d\r\n" % port)

    with Listener(moved) as listener, pytest.raises(errors.ConnectionFailed):
        client(listener.port).execute([("GET", "a")])


def test_a_node_without_slots_is_not_ready(
    tmp_path_factory: pytest.TempPathFactory, client: MakeClient
) -> None:
    """CLUSTERDOWN, as during the creation of a cluster, is a NotReadyError."""
    options = ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]
    with running_store(tmp_path_factory.mktemp("lonely"), *options) as lonely:
        (reply,) = client(lonely.port).execute([("GET", "a")])
    assert isinstance(reply, errors.NotReadyError)
