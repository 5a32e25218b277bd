"""Connecting, and waiting for an answer, ends in time."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gimel.runtime import errors
from tests.support.clients import MakeClient
from tests.support.servers import (
    Listener,
    Proxy,
    Store,
    free_port,
)
from tests.support.waiting import LONG, PING, SOON, seconds_until, stay_silent


@pytest.mark.parametrize(
    ("host", "port"),
    [
        pytest.param("no-such-host.invalid", 6379, id="unresolvable"),
        pytest.param("two..dots", 6379, id="empty label"),
        pytest.param("x" * 300, 6379, id="label too long"),
        pytest.param("white space", 6379, id="white space"),
        pytest.param("nul\x00", 6379, id="nul"),
        pytest.param("☃" * 80, 6379, id="not encodable"),
        pytest.param("", 6379, id="empty"),
        pytest.param("127.0.0.1", 0, id="port 0"),
        pytest.param("127.0.0.1", -1, id="negative port"),
        pytest.param("127.0.0.1", 70000, id="port beyond the last"),
        pytest.param("127.0.0.1", 10**30, id="port beyond any integer"),
    ],
)
def test_an_impossible_address_is_a_failed_connection(
    client: MakeClient, host: str, port: int
) -> None:
    """Whatever is wrong with host or port, callers get the one error that they handle."""
    with pytest.raises(errors.ConnectionFailed):
        client(port, host=host).execute(PING)


def test_a_port_beyond_the_last_is_not_wrapped_around(
    session_store: Store, client: MakeClient
) -> None:
    """The C library would take 65536 + n for n, and events would go to another server."""
    with pytest.raises(errors.ConnectionFailed, match="is not a valid port"):
        client(session_store.port + 65536).execute(PING)


def test_a_closed_port_is_a_failed_connection(client: MakeClient) -> None:
    """A refused connection names the address, and a later call tries again."""
    ours = client(free_port())
    for _ in range(2):
        with pytest.raises(errors.ConnectionFailed, match=r"127\.0\.0\.1"):
            ours.execute(PING)


@pytest.mark.parametrize("path", ["missing", "x" * 300, "nul\x00"])
def test_an_impossible_unix_socket_is_a_failed_connection(
    tmp_path: Path, client: MakeClient, path: str
) -> None:
    """A path where nothing listens, or can listen, is like a closed port."""
    with pytest.raises(errors.ConnectionFailed):
        client(1, unix_socket_path=f"{tmp_path}/{path}").execute(PING)


@pytest.fixture
def blackhole() -> Iterator[int]:
    """A port that accepts no connection, because its backlog is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        fillers = []
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
            fillers.append(filler)
        yield full.getsockname()[1]
        for filler in fillers:
            filler.close()


def test_a_connection_that_nobody_accepts_ends_in_time(blackhole: int, client: MakeClient) -> None:
    """The connect time-out bounds the wait, even without a deadline."""
    ours = client(blackhole, socket_connect_timeout=SOON, socket_timeout=60)
    assert seconds_until(errors.ConnectionFailed, lambda: ours.execute(PING)) < LONG


def test_a_silent_first_address_leaves_time_for_the_next(
    blackhole: int, session_store: Store, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead address of a host, such as IPv6 without a route, leaves time for the next one."""
    family = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    found = [(*family, ("127.0.0.1", port)) for port in (blackhole, session_store.port)]
    unknown = [(12345, socket.SOCK_STREAM, 6, "", ("::1", 1, 0, 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: unknown + found)
    assert client(1, socket_connect_timeout=1).execute(PING) == [b"ping"]


def drip(connection: socket.socket) -> None:
    """Answer with a string that does not end within a minute."""
    connection.sendall(b"$1000\r\n")
    for _ in range(1200):
        time.sleep(0.05)
        connection.sendall(b"x")


def read_nothing(connection: socket.socket) -> None:
    time.sleep(2 * LONG)


@pytest.mark.parametrize(
    ("bound", "failure"),
    [
        pytest.param("socket_timeout", errors.AnswerTimeout, id="time-out"),
        # On a busy machine the deadline may pass before the connection is made.
        pytest.param("deadline", errors.ConnectionFailed, id="deadline"),
    ],
)
@pytest.mark.parametrize(
    ("server", "commands"),
    [
        pytest.param(stay_silent, PING, id="silent"),
        pytest.param(read_nothing, [("ECHO", b"x" * 30_000_000)], id="does not read"),
    ],
)
def test_an_answer_that_does_not_come_ends_in_time(
    client: MakeClient,
    server: Callable[[socket.socket], None],
    commands: list[Any],
    bound: str,
    failure: type[Exception],
) -> None:
    """Both the answer's time-out and the deadline bound the wait."""
    with Listener(server) as listener:
        ours = client(listener.port, socket_timeout=SOON if bound == "socket_timeout" else 60)
        ours.deadline = time.monotonic() + SOON if bound == "deadline" else None
        assert seconds_until(failure, lambda: ours.execute(commands)) < LONG


def test_a_frozen_server_is_used_again(own_store: Store, client: MakeClient) -> None:
    """A frozen server causes an AnswerTimeout; once it answers again, the replies are in step."""
    ours = client(own_store.port, socket_timeout=SOON)
    ours.execute(PING)
    own_store.process.send_signal(signal.SIGSTOP)
    assert seconds_until(errors.AnswerTimeout, lambda: ours.execute([("ECHO", "lost")])) < LONG
    own_store.process.send_signal(signal.SIGCONT)
    assert ours.execute(PING) == [b"ping"]


def test_a_dripping_answer_ends_with_the_deadline(client: MakeClient) -> None:
    """The deadline ends an answer whose bytes arrive within the time-out, but never end."""
    with Listener(drip) as listener:
        ours = client(listener.port)
        ours.deadline = time.monotonic() + SOON
        assert seconds_until(errors.ConnectionFailed, lambda: ours.execute(PING)) < LONG


def test_a_long_answer_may_take_longer_than_the_time_out(client: MakeClient) -> None:
    """The time-out bounds each silence, so that an answer that keeps arriving is read whole."""

    def slow(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"$10\r\n")
        for piece in b"0123456789":
            time.sleep(0.06)
            connection.sendall(bytes([piece]))
        connection.sendall(b"\r\n")
        stay_silent(connection)

    with Listener(slow) as listener:
        assert client(listener.port, socket_timeout=0.5).execute(PING) == [b"0123456789"]


def test_a_long_request_may_take_longer_than_the_time_out(client: MakeClient) -> None:
    """The time-out bounds each wait for a slow link, not the time for all of the commands."""
    body, taken = b"x" * 24_000_000, 0

    def read_slowly(connection: socket.socket) -> None:
        nonlocal taken
        while taken < len(body):
            time.sleep(0.04)
            taken += len(connection.recv(1_000_000, socket.MSG_WAITALL))
        connection.sendall(b":1\r\n")
        stay_silent(connection)

    with Listener(read_slowly) as listener:
        assert client(listener.port, socket_timeout=0.5).execute([("SADD", "set", body)]) == [1]


def test_everything_together_ends_with_the_deadline(proxy: Proxy, client: MakeClient) -> None:
    """A silent kept connection, a new connection and its silence all end with the deadline."""
    ours = client(proxy.port, socket_timeout=60, socket_connect_timeout=60)
    ours.execute(PING)
    proxy.muted = 2
    ours.deadline = time.monotonic() + SOON
    assert seconds_until(errors.ConnectionFailed, lambda: ours.execute(PING)) < LONG


@pytest.mark.parametrize("kept", [True, False], ids=["kept connection", "new connection"])
def test_a_deadline_in_the_past_sends_nothing(proxy: Proxy, client: MakeClient, kept: bool) -> None:
    """Without time left nothing is sent, neither on a kept connection nor on a new one."""
    ours = client(proxy.port)
    if kept:
        ours.execute(PING)
    ours.deadline = time.monotonic() - 1
    sent = proxy.received
    with pytest.raises(errors.ConnectionFailed):
        ours.execute([("INCR", "n")])
    assert proxy.received == sent
