"""The runtime's Redis client on real servers, and on what networks do to connections."""

from __future__ import annotations

import gc
import json
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from gimel.runtime import errors
from gimel.runtime.redis.process import client as client_of_process
from gimel.runtime.settings import RedisOptions
from tests.support.clients import MakeClient
from tests.support.servers import (
    Listener,
    Proxy,
    Store,
    free_port,
    running_store,
    start_store,
    wait_until,
)

PING = [("ECHO", "ping")]
SOON = 0.3
"""A time-out that a test waits for."""
LONG = 10
"""What no wait bounded by SOON takes, on however slow a machine."""


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[Store]:
    """A server that the test may reconfigure, freeze or end."""
    with running_store(tmp_path, "--unixsocket", str(tmp_path / "s")) as running:
        yield running


@pytest.fixture
def proxy(session_store: Store, store: redis.Redis) -> Iterator[Proxy]:
    """A proxy before the empty store."""
    with Proxy(session_store.port) as proxy:
        yield proxy


def connections_made(admin: redis.Redis) -> int:
    return int(admin.info("stats")["total_connections_received"])


def seconds_of(action: Callable[[], object], failure: type[Exception]) -> float:
    """How long the action took until it failed as expected."""
    begin = time.monotonic()
    with pytest.raises(failure):
        action()
    return time.monotonic() - begin


# Replies and connections


def test_replies_come_in_the_order_of_the_commands(
    store: redis.Redis, session_store: Store, client: MakeClient
) -> None:
    """One call sends any number of commands and returns a reply for each, an error among them in its place."""
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
    """Bytes, text and numbers arrive as they were given."""
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
    """A reply far longer than any buffer comes back as it is."""
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


def test_close_leaves_no_connection_and_the_next_call_makes_one(
    store: redis.Redis, session_store: Store, client: MakeClient
) -> None:
    """A closed client is an unconnected one."""
    ours = client(session_store.port)
    ours.execute([("CLIENT", "SETNAME", "ours")])
    ours.close()
    wait_until(lambda: not any(each["name"] == "ours" for each in store.client_list()))
    assert ours.execute(PING) == [b"ping"]


def test_a_unix_socket_is_spoken_to(own_store: Store, client: MakeClient) -> None:
    """Where a path is given, host and port do not matter."""
    ours = client(1, unix_socket_path=str(own_store.directory / "s"))
    assert ours.execute(PING) == [b"ping"]


def test_the_process_keeps_one_client_for_its_settings(session_store: Store) -> None:
    """Handlers share a client until the settings change; its deadline is the Lambda's, less the time to answer."""

    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 3000

    options = RedisOptions({"host": "127.0.0.1", "port": session_store.port})
    first = client_of_process(options, Context())
    assert first.deadline is not None
    assert 0 < first.deadline - time.monotonic() < 3
    assert client_of_process(options) is first
    assert first.deadline is None
    assert client_of_process(RedisOptions({"port": session_store.port})) is not first


# Logging in


@pytest.fixture
def locked_store(own_store: Store) -> Store:
    """A server that asks for a password, and knows a user who may only use keys `app:*`."""
    with own_store.client() as admin:
        admin.execute_command("ACL SETUSER", "app", "on", ">for app", "~app:*", "+@all")
        admin.config_set("requirepass", "s3cret")
    return own_store


def test_a_password_alone_opens_the_default_user(locked_store: Store, client: MakeClient) -> None:
    """AUTH with a password is what a plain `requirepass` wants."""
    assert client(locked_store.port, password="s3cret").execute([("ACL", "WHOAMI")]) == [b"default"]


def test_user_name_and_password_open_that_user(locked_store: Store, client: MakeClient) -> None:
    """AUTH with both is what an ACL wants; what the user may not do is an AuthenticationError."""
    who, allowed, denied = client(locked_store.port, username="app", password="for app").execute(
        [("ACL", "WHOAMI"), ("SADD", "app:set", "x"), ("SADD", "other", "x")]
    )
    assert (who, allowed) == (b"app", 1)
    assert isinstance(denied, errors.AuthenticationError)


@pytest.mark.parametrize(
    "login",
    [
        pytest.param({"password": "wr0ng-one"}, id="wrong password"),
        pytest.param({"username": "app", "password": "wr0ng-one"}, id="wrong password of a user"),
        pytest.param({"username": "nobody", "password": "wr0ng-one"}, id="unknown user"),
    ],
)
def test_a_wrong_login_is_an_authentication_error(
    locked_store: Store, client: MakeClient, login: dict[str, str]
) -> None:
    """Nothing is sent after a login that failed, and the message does not tell the password."""
    ours = client(locked_store.port, **login)
    for _ in range(2):
        with pytest.raises(errors.AuthenticationError) as caught:
            ours.execute([("SADD", "app:set", "x")])
        assert "wr0ng-one" not in str(caught.value)
    with locked_store.client(password="s3cret") as admin:
        assert admin.dbsize() == 0


def test_a_missing_login_is_an_authentication_error(
    locked_store: Store, client: MakeClient
) -> None:
    """Without a password every command is refused."""
    (reply,) = client(locked_store.port).execute(PING)
    assert isinstance(reply, errors.AuthenticationError)


def test_a_server_without_auth_does_not_tell_the_password(
    tmp_path: Path, client: MakeClient
) -> None:
    """A server that knows no AUTH quotes what it was sent; the error leaves that out."""
    with (
        running_store(tmp_path, "--rename-command", "AUTH", "") as running,
        pytest.raises(errors.ServerError) as caught,
    ):
        client(running.port, password="s3cret").execute(PING)
    assert "s3cret" not in str(caught.value)


def test_the_database_is_selected(
    store: redis.Redis, session_store: Store, client: MakeClient
) -> None:
    """What is written goes into the database of the settings, again after a new connection."""
    ours = client(session_store.port, db=3)
    ours.execute([("SADD", "set", "a")])
    store.client_kill_filter(_type="normal", skipme=True)
    ours.execute([("SADD", "set", "b")])
    assert store.dbsize() == 0
    with session_store.client(db=3) as third:
        assert third.smembers("set") == {b"a", b"b"}


def test_a_database_that_is_none_keeps_everything_unwritten(
    store: redis.Redis, session_store: Store, client: MakeClient
) -> None:
    """After a SELECT that failed nothing is counted, least of all in database 0."""
    ours = client(session_store.port, db=16)
    for _ in range(2):
        with pytest.raises(errors.ServerError):
            ours.execute([("SADD", "set", "a")])
    assert store.dbsize() == 0


# No connection


@pytest.mark.parametrize(
    ("host", "port"),
    [
        pytest.param("no-such-host.invalid", 6379, id="unresolvable"),
        pytest.param("two..dots", 6379, id="empty label"),
        pytest.param("x" * 300, 6379, id="label too long"),
        pytest.param("white space", 6379, id="white space"),
        pytest.param("nul\x00", 6379, id="nul"),
        pytest.param("☃" * 80, 6379, id="not to be encoded"),
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
    """Whatever is wrong with host or port, callers see the one error that they handle."""
    seconds_of(lambda: client(port, host=host).execute(PING), errors.ConnectionFailed)


def test_a_port_beyond_the_last_is_not_taken_for_another(
    session_store: Store, client: MakeClient
) -> None:
    """The C library would take 65536 + n as n, and events would be counted by whatever listens there."""
    with pytest.raises(errors.ConnectionFailed, match="is no port"):
        client(session_store.port + 65536).execute(PING)


def test_a_closed_port_is_a_failed_connection(client: MakeClient) -> None:
    """A refused connection says where it was refused, and a later call tries again."""
    ours = client(free_port())
    for _ in range(2):
        with pytest.raises(errors.ConnectionFailed, match=r"127\.0\.0\.1"):
            ours.execute(PING)


@pytest.mark.parametrize("path", ["missing", "x" * 300, "nul\x00"])
def test_an_impossible_unix_socket_is_a_failed_connection(
    tmp_path: Path, client: MakeClient, path: str
) -> None:
    """A path on which nobody listens, or on which nobody can, is as a closed port."""
    seconds_of(
        lambda: client(1, unix_socket_path=f"{tmp_path}/{path}").execute(PING),
        errors.ConnectionFailed,
    )


@pytest.fixture
def blackhole() -> Iterator[int]:
    """A port that does not answer a connection: its backlog is full."""
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
    """The connect time-out bounds the wait, without any deadline."""
    ours = client(blackhole, socket_connect_timeout=SOON, socket_timeout=60)
    assert seconds_of(lambda: ours.execute(PING), errors.ConnectionFailed) < LONG


def test_a_silent_first_address_leaves_time_for_the_next(
    blackhole: int, session_store: Store, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host may have an address that is dead, such as IPv6 without a route; the next one is reached within the same time."""
    family = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    found = [(*family, ("127.0.0.1", port)) for port in (blackhole, session_store.port)]
    unknown = [(12345, socket.SOCK_STREAM, 6, "", ("::1", 1, 0, 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: unknown + found)
    assert client(1, socket_connect_timeout=2).execute(PING) == [b"ping"]


# No answer


def stay_silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def drip(connection: socket.socket) -> None:
    """Answer a string that does not end within a minute."""
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
    """The answer's time-out and the deadline each bound the wait."""
    with Listener(server) as listener:
        ours = client(listener.port, socket_timeout=SOON if bound == "socket_timeout" else 60)
        ours.deadline = time.monotonic() + SOON if bound == "deadline" else None
        assert seconds_of(lambda: ours.execute(commands), failure) < LONG


def test_a_server_that_is_paused_is_timed_out_and_found_again(
    own_store: Store, client: MakeClient
) -> None:
    """A frozen server costs an AnswerTimeout; when it answers again, so does the client, with replies in step."""
    ours = client(own_store.port, socket_timeout=SOON)
    ours.execute(PING)
    own_store.process.send_signal(signal.SIGSTOP)
    assert seconds_of(lambda: ours.execute([("ECHO", "lost")]), errors.AnswerTimeout) < LONG
    own_store.process.send_signal(signal.SIGCONT)
    assert ours.execute(PING) == [b"ping"]


def test_a_dripping_answer_ends_with_the_deadline(client: MakeClient) -> None:
    """Each byte comes within the answer's time-out, but all of them would not before the Lambda is ended."""
    with Listener(drip) as listener:
        ours = client(listener.port)
        ours.deadline = time.monotonic() + SOON
        assert seconds_of(lambda: ours.execute(PING), errors.ConnectionFailed) < LONG


def test_a_long_answer_may_take_longer_than_the_time_out(client: MakeClient) -> None:
    """The answer's time-out is the longest silence, so an answer that keeps coming is read to its end."""

    def slow(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"$10\r\n")
        for piece in b"0123456789":
            time.sleep(0.1)
            connection.sendall(bytes([piece]))
        connection.sendall(b"\r\n")
        stay_silent(connection)

    with Listener(slow) as listener:
        assert client(listener.port, socket_timeout=0.9).execute(PING) == [b"0123456789"]


def test_everything_together_ends_with_the_deadline(proxy: Proxy, client: MakeClient) -> None:
    """A kept connection that is silent, a new one and its silence stay within the deadline, though each might take a minute."""
    ours = client(proxy.port, socket_timeout=60, socket_connect_timeout=60)
    ours.execute(PING)
    proxy.muted = 2
    ours.deadline = time.monotonic() + SOON
    assert seconds_of(lambda: ours.execute(PING), errors.ConnectionFailed) < LONG


def test_a_deadline_in_the_past_sends_nothing(proxy: Proxy, client: MakeClient) -> None:
    """Without time left nothing is begun, on a kept connection or on a new one."""
    ours, kept = client(proxy.port), client(proxy.port)
    kept.execute(PING)
    ours.deadline = kept.deadline = time.monotonic() - 1
    sent = proxy.received
    for each in (ours, kept):
        with pytest.raises(errors.ConnectionFailed):
            each.execute([("INCR", "n")])
    assert proxy.received == sent


# Connections that died


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
def test_a_connection_that_died_is_replaced_and_the_commands_sent_again(
    proxy: Proxy, store: redis.Redis, client: MakeClient, die: Callable[[Proxy], None]
) -> None:
    """However a kept connection died, idempotent commands are answered all the same, over one new connection."""
    ours = client(proxy.port, socket_timeout=2)
    ours.execute(PING)
    die(proxy)
    assert ours.execute([("SADD", "set", "a"), ("SMEMBERS", "set")])[1] == [b"a"]
    assert proxy.connections == 2
    assert ours.execute(PING) == [b"ping"]


@pytest.mark.parametrize("die", DEATHS)
def test_commands_that_are_not_idempotent_are_sent_once(
    proxy: Proxy, store: redis.Redis, client: MakeClient, die: Callable[[Proxy], None]
) -> None:
    """What must not count twice is not sent again: the failure is the caller's to know, and the next call works."""
    ours = client(proxy.port, socket_timeout=2)
    ours.execute(PING)
    die(proxy)
    with pytest.raises(errors.ConnectionFailed):
        ours.execute([("INCR", "n")], idempotent=False)
    assert proxy.received.count(b"INCR") <= 1
    assert int(store.get("n") or 0) <= 1
    assert ours.execute(PING) == [b"ping"]


def test_a_connection_that_fails_at_once_is_not_tried_again(
    proxy: Proxy, client: MakeClient
) -> None:
    """Only a kept connection may have died in the meantime; a new one that fails is a failure."""
    proxy.cut = 2
    with pytest.raises(errors.ConnectionFailed):
        client(proxy.port).execute([("INCR", "n")])
    assert proxy.received.count(b"INCR") == 1


def test_what_is_not_redis_is_not_asked_again(client: MakeClient) -> None:
    """An answer that is not RESP2 is a ProtocolError, and the next call begins with a new connection."""

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
    """CLIENT KILL, as a server's idle time-out or an operator does, costs a connection and nothing else."""
    ours = client(session_store.port)
    for number in range(3):
        assert ours.execute([("INCR", "n")]) == [number + 1]
        store.client_kill_filter(_type="normal", skipme=True)


def test_a_server_that_was_restarted_is_used_again(tmp_path: Path, client: MakeClient) -> None:
    """While it is away calls fail; as soon as it is back they succeed."""
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
def test_an_interrupted_call_leaves_no_reply_to_the_next(
    store: redis.Redis,
    session_store: Store,
    client: MakeClient,
    monkeypatch: pytest.MonkeyPatch,
    interruption: type[BaseException],
) -> None:
    """Ctrl-C between write and read gives the connection up: its answer would be taken for the next call's."""
    ours = client(session_store.port)
    ours.execute(PING)

    def interrupt(*_: object) -> object:
        raise interruption

    with monkeypatch.context() as patch:
        patch.setattr("gimel.runtime.redis.client.read_reply", interrupt)
        with pytest.raises(interruption):
            ours.execute([("ECHO", "stale")])
    assert ours.execute(PING) == [b"ping"]


def test_failures_leave_no_socket_open(locked_store: Store, client: MakeClient) -> None:
    """Every way to fail closes what it opened."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        ways: list[dict[str, Any]] = [
            {"password": "wrong"},
            {"password": "s3cret", "db": 99},
            {"ssl": True, "socket_timeout": SOON, "socket_connect_timeout": SOON},
            {"ssl": True, "ssl_ca_data": "no certificate"},
            {"unix_socket_path": "/nowhere"},
            {"host": "no-such-host.invalid"},
            {"port": free_port()},
        ]
        for options in ways:
            with pytest.raises(errors.RedisError):
                client(int(options.pop("port", locked_store.port)), **options).execute(PING)
        gc.collect()
    assert [str(each.message) for each in caught if "unclosed" in str(each.message)] == []


# The server's own trouble


def test_a_primary_that_became_a_replica_is_left(own_store: Store, client: MakeClient) -> None:
    """READONLY replaces the connection, as the name may lead to a new primary by now; if it does not, the error is typed."""
    with own_store.client() as admin:
        ours = client(own_store.port)
        ours.execute([("SADD", "set", "a")])
        before = connections_made(admin)
        admin.replicaof("127.0.0.1", free_port())
        (reply,) = ours.execute([("SADD", "set", "b")])
        assert isinstance(reply, errors.ReadOnlyError)
        assert connections_made(admin) - before == 1
        admin.replicaof("NO", "ONE")
        assert ours.execute([("SADD", "set", "b")]) == [1]


def test_commands_that_are_not_idempotent_are_not_sent_to_a_replica_again(
    own_store: Store, client: MakeClient
) -> None:
    """READONLY to one of them is the caller's to know: others of the same call may have been done."""
    with own_store.client() as admin, Proxy(own_store.port) as proxy:
        ours = client(proxy.port)
        ours.execute(PING)
        admin.replicaof("127.0.0.1", free_port())
        (reply,) = ours.execute([("INCR", "n")], idempotent=False)
    assert isinstance(reply, errors.ReadOnlyError)
    assert proxy.received.count(b"INCR") == 1


def test_after_a_failover_the_new_primary_takes_the_commands(
    own_store: Store, session_store: Store, store: redis.Redis, client: MakeClient
) -> None:
    """Where the host name leads to the new primary, the call that met READONLY on the old one succeeds."""
    with own_store.client() as admin, Proxy(own_store.port) as name:
        ours = client(name.port)
        ours.execute(PING)
        admin.replicaof("127.0.0.1", free_port())
        name.target = session_store.port
        assert ours.execute([("SADD", "set", "a")]) == [1]
    assert store.smembers("set") == {b"a"}


def refuse_writes_after_a_failed_save(running: Store, admin: redis.Redis) -> None:
    (running.directory / "dump.rdb").mkdir()
    admin.config_set("save", "3600 1")
    admin.bgsave()
    wait_until(lambda: admin.info("persistence")["rdb_last_bgsave_status"] == "err")


def lose_the_primary(running: Store, admin: redis.Redis) -> None:
    admin.config_set("replica-serve-stale-data", "no")
    admin.config_set("replica-read-only", "no")
    admin.replicaof("127.0.0.1", free_port())


@pytest.mark.parametrize(
    ("trouble", "kind", "code"),
    [
        pytest.param(
            lambda _, admin: admin.config_set("maxmemory", 1),
            errors.OutOfMemoryError,
            "OOM",
            id="out of memory",
        ),
        pytest.param(
            lambda _, admin: admin.config_set("min-replicas-to-write", 1),
            errors.NotReadyError,
            "NOREPLICAS",
            id="no replicas",
        ),
        pytest.param(
            refuse_writes_after_a_failed_save, errors.NotReadyError, "MISCONF", id="failed save"
        ),
        pytest.param(lose_the_primary, errors.NotReadyError, "MASTERDOWN", id="primary lost"),
        pytest.param(
            lambda _, admin: admin.set("key", "text"),
            errors.WrongTypeError,
            "WRONGTYPE",
            id="wrong type",
        ),
        pytest.param(
            lambda _, admin: admin.execute_command("ACL SETUSER", "default", "-pfadd"),
            errors.AuthenticationError,
            "NOPERM",
            id="no permission",
        ),
    ],
)
def test_the_servers_trouble_is_a_typed_error(
    own_store: Store,
    client: MakeClient,
    trouble: Callable[[Store, redis.Redis], object],
    kind: type[Exception],
    code: str,
) -> None:
    """What a real server answers in trouble has its type, and the connection stays in step."""
    ours = client(own_store.port)
    with own_store.client() as admin:
        trouble(own_store, admin)
        reply, pong = ours.execute([("PFADD", "key", "uuid"), ("CLIENT", "GETNAME")])
    assert isinstance(reply, kind)
    assert getattr(reply, "code", None) == code
    assert pong in (None, b"") or isinstance(pong, errors.NotReadyError)


def test_a_server_that_is_loading_is_not_ready(tmp_path: Path, client: MakeClient) -> None:
    """While a restarted server reads its data every command is answered LOADING, typed."""
    with running_store(tmp_path) as running, running.client() as admin:
        admin.mset({f"key{number}": "x" * 2000 for number in range(3000)})
        admin.save()
    slowly = ["--key-load-delay", "5000", "--loading-process-events-interval-bytes", "1024"]
    with running_store(tmp_path, *slowly) as running:
        (reply,) = client(running.port).execute([("GET", "key1")])
    assert isinstance(reply, errors.NotReadyError)


def test_a_server_that_is_busy_is_not_ready(own_store: Store, client: MakeClient) -> None:
    """While a script runs on and on, commands are answered BUSY, typed."""
    ours = client(own_store.port)
    ours.execute(PING)
    with (
        own_store.client() as admin,
        socket.create_connection(("127.0.0.1", own_store.port)) as looping,
    ):
        admin.config_set("busy-reply-threshold", 1)
        looping.sendall(b"EVAL 'while true do end' 0\r\n")
        wait_until(lambda: isinstance(ours.execute([("GET", "key")])[0], errors.NotReadyError))
        admin.script_kill()
    wait_until(lambda: ours.execute([("GET", "key")]) == [None])


def test_a_server_with_too_many_clients_fails_the_call(
    own_store: Store, client: MakeClient
) -> None:
    """A server that turns a connection away is an error that callers handle, and is used again later."""
    with own_store.client() as admin:
        admin.config_set("maxclients", 1)
        ours = client(own_store.port)
        try:
            failed: object = ours.execute(PING)[0]
        except errors.RedisError as error:
            failed = error
        assert isinstance(failed, errors.RedisError)
        admin.config_set("maxclients", 100)
    assert ours.execute(PING) == [b"ping"]


def test_plain_tracking_does_not_import_ssl(session_store: Store, store: redis.Redis) -> None:
    """Importing ssl would cost every cold start; without TLS the event path does not."""
    script = (
        "import sys, gimel;"
        "event = dict(experiment='e', variant='v', event='participate', uuid='u');"
        "print(gimel.track(event), 'ssl' in sys.modules)"
    )
    environment = {
        "GIMEL_SETTINGS": json.dumps({"redis": {"host": "127.0.0.1", "port": session_store.port}})
    }
    run = subprocess.run(
        [sys.executable, "-S", "-c", script],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert run.stdout == "{'status': 'ok'} False\n", run.stderr
    assert store.smembers("alephbet:experiments") == {b"e"}
