"""The runtime's Redis client on real servers: replies, connections and logging in."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from gimel.runtime import errors, process
from tests.support.clients import MakeClient
from tests.support.servers import (
    Proxy,
    Store,
    running_store,
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


# Logging in


def test_a_password_alone_opens_the_default_user(locked_store: Store, client: MakeClient) -> None:
    """A plain `requirepass` is answered with AUTH and the password."""
    assert client(locked_store.port, password="s3cret").execute([("ACL", "WHOAMI")]) == [b"default"]


def test_user_name_and_password_open_that_user(locked_store: Store, client: MakeClient) -> None:
    """An ACL user logs in with name and password; a forbidden command is an AuthenticationError."""
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
    """After a failed login nothing is sent, and the message does not contain the password."""
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
    """Without the password every command is refused."""
    (reply,) = client(locked_store.port).execute(PING)
    assert isinstance(reply, errors.AuthenticationError)


def test_a_server_without_auth_does_not_reveal_the_password(
    tmp_path: Path, client: MakeClient
) -> None:
    """A server that does not know AUTH quotes its arguments, which the error omits."""
    with (
        running_store(tmp_path, "--rename-command", "AUTH", "") as running,
        pytest.raises(errors.ServerError) as caught,
    ):
        client(running.port, password="s3cret").execute(PING)
    assert "s3cret" not in str(caught.value)


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
