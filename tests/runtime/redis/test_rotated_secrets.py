"""A password that AWS keeps is read again when Redis refuses it, and events wait meanwhile."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest

import gimel
from gimel.runtime import errors
from tests.support.clients import MakeClient
from tests.support.events import EVENT, Configure, rest
from tests.support.secret_keeper import SSM, Aws, parameter
from tests.support.secret_keeper import aws as aws
from tests.support.secret_keeper import credentials as credentials
from tests.support.servers import Listener, Store
from tests.support.waiting import PING

DENIED = "ssm:GetParameter is not allowed"


def rotate(store: Store, before: str, after: str) -> None:
    """Change the password and close all other connections."""
    with store.client(password=before) as admin:
        admin.config_set("requirepass", after)
        admin.execute_command("CLIENT KILL TYPE normal SKIPME yes")


def test_a_rotated_password_is_read_again(
    locked_store: Store, client: MakeClient, aws: Aws
) -> None:
    """At the first connection that Redis refuses, without an error to the caller."""
    aws.answers = [parameter("s3cret"), parameter("n3w")]
    ours = client(locked_store.port, password=SSM)
    ours.execute(PING)

    rotate(locked_store, "s3cret", "n3w")

    assert ours.execute(PING) == [b"ping"]
    assert client(locked_store.port, password=SSM).execute(PING) == [b"ping"]
    assert len(aws.requests) == 2


def test_a_wrong_password_is_read_once_per_minute(
    locked_store: Store, client: MakeClient, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rotation that is not finished must not flood AWS with requests."""
    aws.answers = [parameter("wr0ng-one")]
    ours = client(locked_store.port, password=SSM)
    now = time.time()

    for later, requests in ((0, 2), (1, 2), (59, 2), (61, 3), (62, 3), (-3600, 4)):
        monkeypatch.setattr("time.time", lambda later=later: now + later)
        with pytest.raises(errors.AuthenticationError, match="WRONGPASS") as caught:
            ours.execute(PING)
        assert "wr0ng-one" not in str(caught.value)
        assert len(aws.requests) == requests

    aws.answers = [parameter("s3cret")]
    monkeypatch.setattr("time.time", lambda: now + 60)
    assert ours.execute(PING) == [b"ping"]


def test_a_failed_second_look_says_what_failed(
    locked_store: Store, client: MakeClient, aws: Aws
) -> None:
    """What was read before is kept, so that a password that is set back works."""
    aws.answers = [parameter("s3cret"), (400, {"__type": "AccessDeniedException"})]
    ours = client(locked_store.port, password=SSM)
    ours.execute(PING)
    rotate(locked_store, "s3cret", "n3w")

    with pytest.raises(errors.SecretError, match="AccessDenied"):
        ours.execute(PING)

    rotate(locked_store, "n3w", "s3cret")
    assert ours.execute(PING) == [b"ping"]


@pytest.mark.parametrize(
    "login", [{"password": SSM}, {"username": "gimel", "iam": "shop"}], ids=["secret", "token"]
)
def test_a_connection_that_is_no_longer_logged_in_is_replaced(
    login: dict[str, Any], client: MakeClient, aws: Aws
) -> None:
    """NOAUTH on a kept connection leads to a new login."""
    aws.answers = [parameter("s3cret")]
    replies = [b"+OK\r\n", b"$4\r\nping\r\n", b"-NOAUTH Authentication required.\r\n"]

    def serve(connection: socket.socket) -> None:
        for reply in replies:
            connection.recv(65536)
            connection.sendall(reply)

    with Listener(serve) as listener:
        ours = client(listener.port, **login)
        assert [ours.execute(PING) for _ in range(2)] == [[b"ping"]] * 2
        assert listener.connections == 2


def test_an_event_is_answered_503_until_the_password_can_be_read(
    locked_store: Store, configure: Configure, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page keeps it; the log says why."""
    configure(redis={"host": "127.0.0.1", "port": locked_store.port, "password": SSM})
    aws.answers = [(400, {"__type": "AccessDeniedException", "message": DENIED})]

    assert gimel.track(rest(query=EVENT), None)["statusCode"] == 503
    logged = json.loads(capsys.readouterr().err)
    assert logged["error"] == "SecretError"
    assert DENIED in logged["message"]

    aws.answers = [parameter("s3cret")]
    assert gimel.track(rest(query=EVENT), None)["statusCode"] == 200
