"""Logging in: passwords, users with and without a password, and servers older than users."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from gimel.runtime import errors
from tests.support.clients import MakeClient
from tests.support.servers import Listener, Store, running_store
from tests.support.waiting import PING


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


def test_a_user_without_a_password_logs_in(locked_store: Store, client: MakeClient) -> None:
    """A user with `nopass` is named, else the commands would run as the default user."""
    with locked_store.client(password="s3cret") as admin:
        admin.execute_command("ACL SETUSER", "guest", "on", "nopass", "~*", "+@all")
    for password in (None, ""):
        ours = client(locked_store.port, username="guest", password=password)
        assert ours.execute([("ACL", "WHOAMI")]) == [b"guest"]


def test_the_password_of_the_default_user_does_not_open_another(
    locked_store: Store, client: MakeClient
) -> None:
    """The password alone is only for servers without users: WRONGPASS ends the login."""
    ours = client(locked_store.port, username="app", password="s3cret")
    with pytest.raises(errors.AuthenticationError, match="WRONGPASS"):
        ours.execute([("ACL", "WHOAMI")])


def redis_5(connection: socket.socket) -> None:
    """Serve as Redis 5 with the password `s3cret` does, whose AUTH takes one argument."""
    logged_in = False
    while received := connection.recv(65536):
        words = received.split(b"\r\n")[2::2]
        if words[0] != b"AUTH":
            reply = b":7" if logged_in else b"-NOAUTH Authentication required."
        elif len(words) != 2:
            reply = b"-ERR wrong number of arguments for 'auth' command"
        else:
            logged_in = words[1] == b"s3cret"
            reply = b"+OK" if logged_in else b"-ERR invalid password"
        connection.sendall(reply + b"\r\n")


@pytest.mark.parametrize("username", ["app", None])
def test_a_server_without_users_gets_the_password_alone(
    client: MakeClient, username: str | None
) -> None:
    """Redis before version 6 has no users: they get no name."""
    with Listener(redis_5) as listener:
        ours = client(listener.port, username=username, password="s3cret")
        assert [ours.execute([("SCARD", "set")]) for _ in range(2)] == [[7], [7]]
        assert listener.connections == 1


def test_a_user_of_elasticache_logs_in_with_a_new_token_each_time(
    client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token is accepted for 15 minutes, which a kept client outlives."""
    logins: list[list[bytes]] = []

    def serve(connection: socket.socket) -> None:
        logins.append(connection.recv(65536).split(b"\r\n")[2::2])
        connection.sendall(b"+OK\r\n")
        connection.recv(65536)
        connection.sendall(b"+PONG\r\n")

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with Listener(serve) as listener:
        ours = client(listener.port, username="gimel", iam="shop")
        ours.execute(PING)
        monkeypatch.setattr(
            "time.gmtime", lambda _: time.struct_time((2030, 1, 2, 3, 4, 5, 2, 2, 0))
        )
        ours.execute(PING)

    assert [login[:2] for login in logins] == [[b"AUTH", b"gimel"]] * 2
    tokens = [login[2].decode() for login in logins]
    assert all(each.startswith("shop/?Action=connect&ResourceType=Serverless") for each in tokens)
    assert "20300102T030405Z" in tokens[1]
    assert "20300102T030405Z" not in tokens[0]


@pytest.mark.parametrize(
    ("login", "message"),
    [
        pytest.param({"password": "wr0ng-one"}, "invalid password", id="wrong password"),
        pytest.param({"username": "app"}, "wrong number of arguments", id="no password"),
    ],
)
def test_a_server_without_users_may_refuse_the_login(
    client: MakeClient, login: dict[str, str], message: str
) -> None:
    """The error is the server's own, and contains no password."""
    with Listener(redis_5) as listener, pytest.raises(errors.ServerError, match=message) as caught:
        client(listener.port, **login).execute(PING)
    assert "wr0ng-one" not in str(caught.value)
