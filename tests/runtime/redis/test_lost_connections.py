"""Connections that died: what is sent again, and what is not."""

from __future__ import annotations

import gc
import socket
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from gimel.runtime import errors
from gimel.runtime.redis.resp import Reader
from tests.support.clients import MakeClient
from tests.support.servers import (
    Listener,
    Proxy,
    Store,
    start_store,
)
from tests.support.waiting import PING, SOON, stay_silent


def hang_up(proxy: Proxy) -> None:
    proxy.hang_up()


def answer_half(proxy: Proxy) -> None:
    proxy.cut = 2


def answer_no_more(proxy: Proxy) -> None:
    proxy.muted = proxy.connections


DEATHS = [
    pytest.param(death, id=death.__name__) for death in (hang_up, answer_half, answer_no_more)
]


@pytest.mark.parametrize("die", DEATHS)
def test_idempotent_commands_are_sent_again(
    proxy: Proxy, store: redis.Redis, client: MakeClient, die: Callable[[Proxy], None]
) -> None:
    """However a kept connection died, idempotent commands succeed over one new connection."""
    ours = client(proxy.port, socket_timeout=0.5)
    ours.execute(PING)
    die(proxy)
    assert ours.execute([("SADD", "set", "a"), ("SMEMBERS", "set")])[1] == [b"a"]
    assert proxy.connections == 2
    assert ours.execute(PING) == [b"ping"]


@pytest.mark.parametrize("die", DEATHS)
def test_other_commands_are_sent_once(
    proxy: Proxy, store: redis.Redis, client: MakeClient, die: Callable[[Proxy], None]
) -> None:
    """Commands that must not run twice are not sent again: the call fails, the next one works."""
    ours = client(proxy.port, socket_timeout=0.5)
    ours.execute(PING)
    die(proxy)
    with pytest.raises(errors.ConnectionFailed):
        ours.execute([("INCR", "n")], idempotent=False)
    assert proxy.received.count(b"INCR") <= 1
    assert int(store.get("n") or 0) <= 1
    assert ours.execute(PING) == [b"ping"]


def test_a_new_connection_that_fails_is_not_tried_again(proxy: Proxy, client: MakeClient) -> None:
    """Only a kept connection can have died earlier, so that only its commands are sent again."""
    proxy.cut = 2
    with pytest.raises(errors.ConnectionFailed):
        client(proxy.port).execute([("INCR", "n")])
    assert proxy.received.count(b"INCR") == 1


def test_a_server_that_is_not_redis_is_not_asked_again(client: MakeClient) -> None:
    """An answer that is not RESP2 is a ProtocolError, and the next call connects again."""

    def not_redis(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"+fine\r\n")
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        stay_silent(connection)

    with Listener(not_redis) as listener:
        ours = client(listener.port)
        assert ours.execute(PING) == ["fine"]
        with pytest.raises(errors.ProtocolError):
            ours.execute(PING)
        assert listener.connections == 1
        assert ours.execute(PING) == ["fine"]
        assert listener.connections == 2


def test_a_client_killed_by_the_server_reconnects(
    store: redis.Redis, session_store: Store, client: MakeClient
) -> None:
    """A server that closes connections, after an idle time or by CLIENT KILL, costs no call."""
    ours = client(session_store.port)
    for number in range(3):
        assert ours.execute([("INCR", "n")]) == [number + 1]
        store.client_kill_filter(_type="normal", skipme=True)


def test_a_server_that_was_restarted_is_used_again(tmp_path: Path, client: MakeClient) -> None:
    """Calls fail while the server is down, and succeed as soon as it is back."""
    running = start_store(tmp_path)
    ours = client(running.port)
    try:
        assert ours.execute(PING) == [b"ping"]
        running.kill()
        with pytest.raises(errors.ConnectionFailed):
            ours.execute(PING)
        running = start_store(tmp_path, port=running.port)
        assert ours.execute(PING) == [b"ping"]
        running.kill()
        running = start_store(tmp_path, port=running.port)
        assert ours.execute(PING) == [b"ping"]
    finally:
        running.kill()


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, MemoryError, SystemExit])
def test_an_interrupted_call_does_not_leave_its_answer_to_the_next(
    store: redis.Redis,
    session_store: Store,
    client: MakeClient,
    monkeypatch: pytest.MonkeyPatch,
    interruption: type[BaseException],
) -> None:
    """After Ctrl-C between write and read, the next call does not read the old answer."""
    ours = client(session_store.port)
    ours.execute(PING)

    def interrupt(*_: object) -> object:
        raise interruption

    with monkeypatch.context() as patch:
        patch.setattr(Reader, "replies", interrupt)
        with pytest.raises(interruption):
            ours.execute([("ECHO", "stale")])
    assert ours.execute(PING) == [b"ping"]


def test_a_reply_that_nobody_asked_for_is_not_taken(client: MakeClient) -> None:
    """A connection on which an earlier reply arrives late is out of step, and is replaced."""

    def answer_twice(connection: socket.socket) -> None:
        for number in range(1, 100):
            connection.recv(65536)
            connection.sendall(b":%d\r\n" % number * (2 if listener.connections == 1 else 1))

    with Listener(answer_twice) as listener:
        ours = client(listener.port)
        with pytest.raises(errors.ProtocolError):
            ours.execute([("SCARD", "a")])
        assert [ours.execute([("SCARD", "a")]) for _ in range(3)] == [[1], [2], [3]]


@pytest.mark.parametrize("begun", [b"", b"$5\r\nab"], ids=["no reply", "half a reply"])
def test_a_reset_connection_is_lost(client: MakeClient, begun: bytes) -> None:
    """A reset is a ConnectionFailed that names the reason, wherever in a reply it occurs."""

    def reset(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(begun)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with Listener(reset) as listener, pytest.raises(errors.ConnectionFailed, match=r"lost|closed"):
        client(listener.port).execute(PING)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"password": "wrong"}, id="wrong password"),
        pytest.param({"password": "s3cret", "db": 99}, id="impossible database"),
        pytest.param(
            {"ssl": True, "socket_timeout": SOON, "socket_connect_timeout": SOON},
            id="server without TLS",
        ),
        pytest.param({"ssl": True, "ssl_ca_data": "no certificate"}, id="invalid certificate"),
        pytest.param({"unix_socket_path": "/nowhere"}, id="no socket at the path"),
        pytest.param({"host": "no-such-host.invalid"}, id="unknown host"),
        pytest.param({"port": 1}, id="closed port"),
    ],
)
def test_failures_leave_no_socket_open(
    locked_store: Store, client: MakeClient, options: dict[str, Any]
) -> None:
    """A call that fails closes the sockets that it opened, whatever the reason."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        with pytest.raises(errors.RedisError):
            client(**{"port": locked_store.port, **options}).execute(PING)
        gc.collect()
    assert [str(each.message) for each in caught if "unclosed" in str(each.message)] == []
