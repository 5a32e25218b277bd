"""The runtime's Redis client on real servers: replies, connections and logging in."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import redis

from gimel.runtime import errors, process
from tests.support.clients import MakeClient
from tests.support.servers import (
    Proxy,
    Store,
    wait_until,
)
from tests.support.waiting import PING, connections_made


def test_replies_are_in_the_order_of_the_commands(
    store: redis.Redis, session_store: Store, client: MakeClient
) -> None:
    """One call sends any number of commands and returns a reply, or an error, for each of them."""
    replies = client(session_store.port).execute(
        [
            ("SET", "a", 1),
            ("INCR", "a"),
            ("SADD", "a", "x"),
            ("GET", "a"),
            ("GET", "none"),
            ("SMEMBERS", "none"),
        ]
    )
    assert replies[:2] == ["OK", 2]
    assert isinstance(replies[2], errors.WrongTypeError)
    assert replies[3:] == [b"2", None, []]


def test_what_is_written_is_what_redis_py_reads(
    store: redis.Redis, session_store: Store, client: MakeClient
) -> None:
    """Bytes, text and numbers arrive unchanged."""
    values: list[bytes | str | int] = [b"\x00\r\n\xff", "naïve ☃", -5, "", b"x" * 1_000_000]
    client(session_store.port).execute([("RPUSH", "list", *values)])
    assert store.lrange("list", 0, -1) == [
        b"\x00\r\n\xff",
        "naïve ☃".encode(),
        b"-5",
        b"",
        b"x" * 1_000_000,
    ]


def test_a_reply_of_20_mb_is_read_whole(
    store: redis.Redis, session_store: Store, client: MakeClient
) -> None:
    """A reply far longer than any buffer is read whole."""
    body = bytes(range(256)) * 80_000
    store.set("long", body)
    assert client(session_store.port).execute([("GET", "long"), *PING]) == [body, b"ping"]


def test_answers_may_arrive_byte_by_byte(proxy: Proxy, client: MakeClient) -> None:
    """However the network cuts the answers, the replies are whole."""
    proxy.piecemeal = True
    replies = client(proxy.port).execute(
        [("RPUSH", "l", "a", "b"), ("LRANGE", "l", 0, -1), ("GET", "none"), *PING]
    )
    assert replies == [2, [b"a", b"b"], None, b"ping"]


def test_one_connection_serves_many_calls(
    store: redis.Redis, session_store: Store, client: MakeClient
) -> None:
    """The server sees one connection, however many calls it answers."""
    before = connections_made(store)
    ours = client(session_store.port)
    for _ in range(50):
        assert ours.execute(PING) == [b"ping"]
    assert connections_made(store) - before == 1


def test_a_closed_client_connects_again(
    store: redis.Redis, session_store: Store, client: MakeClient
) -> None:
    """Closing a client closes its connection; the next call makes another."""
    ours = client(session_store.port)
    ours.execute([("CLIENT", "SETNAME", "ours")])
    ours.close()
    wait_until(lambda: not any(each["name"] == "ours" for each in store.client_list()))
    assert ours.execute(PING) == [b"ping"]


def test_a_unix_socket_is_used(own_store: Store, client: MakeClient) -> None:
    """If a path is given, host and port do not matter."""
    ours = client(1, unix_socket_path=str(own_store.directory / "s"))
    assert ours.execute(PING) == [b"ping"]


def test_the_process_keeps_one_client(configure: Callable[..., None]) -> None:
    """Handlers share a client until the settings change, with the deadline of each call."""

    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 3000

    configure()
    first = process.current(Context()).redis
    assert first.deadline is not None
    assert 0 < first.deadline - time.monotonic() < 3
    assert process.current().redis is first
    assert first.deadline is None
    configure(precision=4)
    assert process.current().redis is not first


def test_the_database_is_selected(
    store: redis.Redis, session_store: Store, client: MakeClient
) -> None:
    """Commands go to the database of the settings, also after a reconnection."""
    ours = client(session_store.port, db=3)
    ours.execute([("SADD", "set", "a")])
    store.client_kill_filter(_type="normal", skipme=True)
    ours.execute([("SADD", "set", "b")])
    assert store.dbsize() == 0
    with session_store.client(db=3) as third:
        assert third.smembers("set") == {b"a", b"b"}


def test_an_impossible_database_stops_everything(
    store: redis.Redis, session_store: Store, client: MakeClient
) -> None:
    """After a failed SELECT nothing is written, least of all to database 0."""
    ours = client(session_store.port, db=16)
    for _ in range(2):
        with pytest.raises(errors.ServerError):
            ours.execute([("SADD", "set", "a")])
    assert store.dbsize() == 0
