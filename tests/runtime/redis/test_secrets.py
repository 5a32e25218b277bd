"""Passwords that AWS keeps: read once, read again when Redis refuses them, never kept as failed.

AWS is a small server on loopback here. `test_secrets_of_aws` reads from the emulator.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from botocore.loaders import create_loader
from botocore.regions import EndpointResolver

import gimel
from gimel.runtime import errors, secrets
from gimel.runtime.redis import tls
from gimel.runtime.settings import RedisOptions
from tests.support.clients import MakeClient
from tests.support.events import EVENT, Configure, rest
from tests.support.servers import Listener, Store
from tests.support.waiting import PING

SSM = {"ssm": "/gimel/redis"}
SECRET = {"secretsmanager": "redis", "key": "password"}
THROTTLED = (400, {"__type": "ThrottlingException", "message": "Rate exceeded"})


def parameter(value: object) -> tuple[int, object]:
    return 200, {"Parameter": {"Name": "/gimel/redis", "Type": "SecureString", "Value": value}}


def secret(text: str) -> tuple[int, object]:
    return 200, {"Name": "redis", "SecretString": text}


class Aws(Listener):
    """Answers what `answers` hold, each once and the last one again and again.

    An answer is a status with its content, or the raw bytes.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: list[tuple[int, object] | bytes | None] = []
        self.requests: list[tuple[dict[str, str], dict[str, Any]]] = []
        self._tls = tls
        super().__init__(self._answer)

    def _answer(self, connection: socket.socket) -> None:
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True)
        with connection:
            head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
            lines = head.decode().split("\r\n")[1:]
            headers = dict(line.split(": ", 1) for line in lines)
            self.requests.append((headers, json.loads(body)))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if answer is None:  # no answer, until the client gives up
                connection.recv(1)
            elif isinstance(answer, bytes):
                connection.sendall(answer)
            else:
                text = json.dumps(answer[1])
                start = f"HTTP/1.1 {answer[0]} X\r\nContent-Length: {len(text)}\r\n\r\n"
                connection.sendall((start + text).encode())


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Act as a function that has just started, without long pauses."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setattr(secrets, "_PAUSE", 0.01)
    monkeypatch.setattr(secrets, "_SECONDS", 10)
    secrets.forget()
    yield
    secrets.forget()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    with Aws() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.port}")
        yield server


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


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(THROTTLED, id="throttled"),
        pytest.param((429, {"__type": "TooManyRequestsException"}), id="too many requests"),
        pytest.param((500, {"__type": "InternalServerError"}), id="an error of AWS"),
        pytest.param(b"HTTP/1.1 503 X\r\nContent-Length: 6\r\n\r\n<html>", id="an error in HTML"),
        pytest.param(b"", id="a closed connection"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", id="half an answer"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n{}", id="an answer of unknown length"),
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

    with pytest.raises(errors.SecretError, match=r"no answer from 127\.0\.0\.1: .*refused"):
        client(2, password=SSM).execute(PING)


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


def test_a_connection_that_is_no_longer_logged_in_is_replaced(client: MakeClient, aws: Aws) -> None:
    """NOAUTH on a kept connection leads to a new login."""
    aws.answers = [parameter("s3cret")]
    replies = [b"+OK\r\n", b"$4\r\nping\r\n", b"-NOAUTH Authentication required.\r\n"]

    def serve(connection: socket.socket) -> None:
        for reply in replies:
            connection.recv(65536)
            connection.sendall(reply)

    with Listener(serve) as listener:
        ours = client(listener.port, password=SSM)
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


@pytest.mark.parametrize("trusted", [True, False], ids=["a known authority", "another authority"])
def test_aws_is_verified(
    trusted: bool,
    locked_store: Store,
    client: MakeClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the certificates that this machine trusts."""
    authority, other = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    (authority if trusted else other).cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with Aws(context) as aws:
        aws.answers = [parameter("s3cret")]
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://localhost:{aws.port}")
        ours = client(locked_store.port, password=SSM)
        if trusted:
            assert ours.execute(PING) == [b"ping"]
        else:
            with pytest.raises(errors.SecretError, match="CERTIFICATE_VERIFY_FAILED"):
                ours.execute(PING)
            assert aws.requests == []


def test_only_the_authorities_of_aws_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To verify AWS; whatever the machine trusts verifies any other address."""
    names = ["Amazon", "Starfield Technologies, Inc.", "Another"]
    authorities = [trustme.CA(organization_name=name) for name in names]
    bundle = "# a comment\n\n".join(each.cert_pem.bytes().decode() for each in authorities)
    (tmp_path / "ca.pem").write_text(bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    def loaded(host: str, **options: Any) -> set[str]:
        tls.context.cache_clear()
        context = secrets._context(RedisOptions(options), host)
        subjects: Any = [each["subject"] for each in context.get_ca_certs()]
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        return {dict(pair for (pair,) in each)["organizationName"] for each in subjects}

    assert loaded("ssm.eu-west-1.amazonaws.com") == set(names[:2])
    assert loaded("localhost") == set(names)
    # The context for Redis is used only if it verifies as much.
    assert loaded("ssm.eu-west-1.amazonaws.com", ssl=True) == set(names)
    for options in (
        {"ssl_cert_reqs": "none"},
        {"ssl_check_hostname": False},
        {"ssl_ca_data": authorities[2].cert_pem.bytes().decode()},
    ):
        assert loaded("ssm.eu-west-1.amazonaws.com", ssl=True, **options) == set(names[:2])


def test_the_hosts_are_those_of_boto3() -> None:
    """In every region and partition."""
    resolver = EndpointResolver(create_loader().load_data("endpoints"))
    asked = 0
    for partition in resolver.get_available_partitions():
        for service in ("ssm", "secretsmanager"):
            for region in resolver.get_available_endpoints(service, partition):
                expected: Any = resolver.construct_endpoint(service, region, partition)
                assert secrets.service_host(service, region) == expected["hostname"]
                asked += 1
    assert asked > 50


def test_an_arn_leads_to_its_own_region(client: MakeClient, aws: Aws) -> None:
    """The request is signed for the region where the secret is."""
    aws.answers = [(400, {"__type": "ResourceNotFoundException"})]
    arn = "arn:aws:secretsmanager:us-east-2:123456789012:secret:redis-AbCdEf"

    with pytest.raises(errors.SecretError, match="ResourceNotFound"):
        client(1, password={"secretsmanager": arn}).execute(PING)

    assert "/us-east-2/secretsmanager/" in aws.requests[0][0]["authorization"]
