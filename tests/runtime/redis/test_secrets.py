"""Passwords that AWS keeps: read once, and never kept as failed.

AWS is a small server on loopback here. `tests/system/emulator/test_secrets.py` asks the emulator.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from gimel.runtime import errors
from gimel.runtime.redis import secrets
from tests.support.clients import MakeClient
from tests.support.secret_keeper import SSM, THROTTLED, Aws, parameter, secret
from tests.support.secret_keeper import aws as aws
from tests.support.secret_keeper import credentials as credentials
from tests.support.servers import Store
from tests.support.waiting import PING

SECRET = {"secretsmanager": "redis", "key": "password"}


@pytest.mark.parametrize(
    ("reference", "answer", "target", "question"),
    [
        pytest.param(
            SSM,
            parameter("s3cret"),
            "AmazonSSM.GetParameter",
            {"Name": "/gimel/redis", "WithDecryption": True},
            id="a parameter",
        ),
        pytest.param(
            {"secretsmanager": "redis"},
            secret("s3cret"),
            "secretsmanager.GetSecretValue",
            {"SecretId": "redis"},
            id="a secret",
        ),
        pytest.param(
            SECRET,
            secret('{"username": "default", "password": "s3cret"}'),
            "secretsmanager.GetSecretValue",
            {"SecretId": "redis"},
            id="a key of a secret",
        ),
        pytest.param(
            {"ssm": "/gimel/redis", "key": "password"},
            parameter('{"password": "s3cret"}'),
            "AmazonSSM.GetParameter",
            {"Name": "/gimel/redis", "WithDecryption": True},
            id="a key of a parameter",
        ),
    ],
)
def test_the_password_is_read_once(
    locked_store: Store,
    client: MakeClient,
    aws: Aws,
    reference: dict[str, str],
    answer: tuple[int, object],
    target: str,
    question: dict[str, Any],
) -> None:
    """By a signed request, for all connections of a process."""
    aws.answers = [answer]

    who = [client(locked_store.port, password=reference).execute(PING) for _ in range(2)]

    assert who == [[b"ping"]] * 2
    ((headers, asked),) = aws.requests
    assert (headers["x-amz-target"], asked) == (target, question)
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")
    assert headers["x-amz-security-token"] == "token"


DENIED = "User: arn:aws:sts::1:assumed-role/gimel is not authorized to perform: ssm:GetParameter"


@pytest.mark.parametrize(
    ("reference", "answer", "reason"),
    [
        (SSM, (400, {"__type": "AccessDeniedException", "Message": DENIED}), DENIED),
        (SSM, (400, {"__type": "com.amazon#ParameterNotFound"}), "redis: ParameterNotFound: $"),
        (SSM, parameter(["s3cret"]), "the value is not text"),
        (SSM, (200, {"s3cret": 1}), "the value is not text"),
        (SSM, (200, "s3cret"), "the value is not text"),
        (SECRET, secret("s3cret"), "the value is not text, or has not the key"),
        (SECRET, secret('{"pass": "s3cret"}'), "has not the key"),
        (SECRET, secret('{"password": {"s3cret": 1}}'), "has not the key"),
        ({"secretsmanager": "r"}, (200, {"SecretBinary": "czNjcmV0"}), "not text"),
    ],
)
def test_a_final_refusal_is_asked_for_once(
    client: MakeClient, aws: Aws, reference: dict[str, str], answer: tuple[int, object], reason: str
) -> None:
    """The error says what AWS said, and does not quote the answer. The next call asks again."""
    aws.answers = [answer]
    ours = client(1, password=reference)

    for count in (1, 2):
        with pytest.raises(errors.SecretError, match=reason) as caught:
            ours.execute(PING)
        assert "s3cret" not in str(caught.value)
        assert len(aws.requests) == count


WITHOUT_A_LENGTH = b'{"Parameter": {"Value": "s3cret"}}'


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"", WITHOUT_A_LENGTH),
        (
            b"Transfer-Encoding: chunked\r\n",
            b"1E;a=b\r\n%b\r\n4\r\n%b\r\n0\r\n\r\n"
            % (WITHOUT_A_LENGTH[:30], WITHOUT_A_LENGTH[30:]),
        ),
    ],
    ids=["until the end", "in chunks"],
)
def test_an_answer_without_a_length(
    locked_store: Store, client: MakeClient, aws: Aws, headers: bytes, body: bytes
) -> None:
    """As HTTP allows it, although AWS names the length."""
    aws.answers = [b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n" + body]

    assert client(locked_store.port, password=SSM).execute(PING) == [b"ping"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(THROTTLED, id="throttled"),
        pytest.param((429, {"__type": "TooManyRequestsException"}), id="too many requests"),
        pytest.param((500, {"__type": "InternalServerError"}), id="an error of AWS"),
        pytest.param(b"HTTP/1.1 503 X\r\nContent-Length: 6\r\n\r\n<html>", id="an error in HTML"),
        pytest.param(b"", id="a closed connection"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", id="half an answer"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n{", id="half an answer of unknown length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{", id="half a chunk"
        ),
        pytest.param(b"220 ready\r\n\r\n", id="another protocol"),
    ],
)
def test_a_passing_failure_is_repeated(
    locked_store: Store, client: MakeClient, aws: Aws, answer: Any
) -> None:
    """Within the same call, so that the event is counted."""
    aws.answers = [answer, answer, parameter("s3cret")]

    assert client(locked_store.port, password=SSM).execute(PING) == [b"ping"]

    assert len(aws.requests) == 3


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (THROTTLED, "ssm:GetParameter of /gimel/redis: (ThrottlingException: Rate|no answer from)"),
        (None, r"of /gimel/redis: no answer from 127\.0\.0\.1 in time"),
    ],
    ids=["throttled", "silent"],
)
@pytest.mark.parametrize("seconds", [None, 0.1], ids=["its own limit", "the deadline"])
def test_the_time_is_limited(
    client: MakeClient,
    aws: Aws,
    monkeypatch: pytest.MonkeyPatch,
    answer: Any,
    reason: str,
    seconds: float | None,
) -> None:
    """By the function's deadline, and so that time is left for Redis otherwise."""
    monkeypatch.setattr(secrets, "_SECONDS", 0.25 if seconds is None else 10)
    aws.answers = [answer]
    ours = client(1, password=SSM)
    begun = time.monotonic()
    ours.deadline = None if seconds is None else begun + seconds

    with pytest.raises(errors.SecretError, match=reason):
        ours.execute(PING)

    assert time.monotonic() - begun < (seconds or 0.25) + 0.5


def test_nobody_listens(client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a VPC without a way to AWS, the error names the host."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(secrets, "_SECONDS", 0.25)

    with pytest.raises(errors.SecretError, match=r"no answer from 127\.0\.0\.1: .*refused"):
        client(2, password=SSM).execute(PING)
