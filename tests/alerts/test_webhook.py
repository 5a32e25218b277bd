"""A request to a real receiver on loopback, whatever it does."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import socket
import ssl
import time
from collections.abc import Iterator

import pytest
import trustme

from gimel.alerts import http
from gimel.alerts.conditions import Condition, Kind, Observation
from gimel.alerts.http import NotSent
from gimel.alerts.messages import MOST_ALERTS, Alert, body, letter, sample_alert, subject
from gimel.alerts.receivers import Webhook, configured
from gimel.alerts.watch import Watched
from tests.support.receivers import receiving
from tests.support.servers import Listener, free_port
from tests.support.stubs import answering

SECRET = "s" * 32
NOW = 1_700_000_000.4
ALERT = Alert(
    "0123456789abcdef",
    Kind.HARMED,
    "shop",
    "<!channel> & größe",
    "“signup”: “red” converts 25% worse.",
    1_700_000_000,
    "red",
    "signup",
)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second in place of five."""
    monkeypatch.setattr(http, "SECONDS", 0.5)


def refused(url: str) -> tuple[str, float]:
    """Return why an alert is not sent, and how long that takes."""
    begin = time.monotonic()
    with pytest.raises(http.NotSent) as failure:
        Webhook(url).send([ALERT], NOW)
    return str(failure.value), time.monotonic() - begin


@contextlib.contextmanager
def saying(*parts: bytes, pause: float = 0.0, read: bool = True) -> Iterator[str]:
    """Run a server that answers a connection with these bytes, and closes it."""

    def serve(connection: socket.socket) -> None:
        if read:  # all of it: closing with unread bytes would reset the connection
            request = b""
            while not request.endswith(b"}"):
                request += connection.recv(65536)
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)

    with Listener(serve) as listener:
        yield f"http://127.0.0.1:{listener.port}/"


def test_what_arrives() -> None:
    """The JSON, the headers, the whole path, and a signature of just these bytes."""
    with receiving() as receiver:
        said = Webhook(f"{receiver.url}?a=1&b", SECRET).send([ALERT], NOW)

    assert said == "200"
    (request,) = receiver.requests
    assert request.path == "/hook?a=1&b"
    assert request.headers["content-type"] == "application/json"
    assert len(request.headers["idempotency-key"]) == 32
    digest = hmac.new(SECRET.encode(), b"1700000000." + request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-gimel-signature"] == f"t=1700000000,v1={digest}"
    content = json.loads(request.body)
    assert content["alerts"] == [
        {
            "id": "0123456789abcdef",
            "kind": "guardrail-harmed",
            "namespace": "shop",
            "experiment": "<!channel> & größe",
            "variant": "red",
            "goal": "signup",
            "sentence": "“signup”: “red” converts 25% worse.",
            "time": "2023-11-14T22:13:20Z",
        }
    ]
    assert content["text"] == (
        "Guardrail harmed: “<!channel> & größe” in “shop”. “signup”: “red” converts 25% worse."
    )


def test_without_a_secret_nothing_is_signed() -> None:
    """And a repeated message has the same key."""
    with receiving() as receiver:
        for _ in range(2):
            Webhook(receiver.url).send([ALERT], NOW)
    first, second = receiver.requests
    assert "x-gimel-signature" not in first.headers
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_slack_gets_its_own_form_in_which_no_name_is_a_command() -> None:
    """`<!channel>` would notify everybody."""
    content = json.loads(body("https://hooks.slack.com/services/a/b", [ALERT, ALERT]))
    assert list(content) == ["text"]
    first, second = content["text"].split("\n")
    assert first == second
    assert "“&lt;!channel&gt; &amp; größe”" in first


@pytest.mark.parametrize(
    ("status", "said", "reason"),
    [
        (500, "<html>\n  broken\x00 </html>", "it answered 500 <html> broken </html>"),
        (404, "no_service", "it answered 404 no_service"),
        (302, "", "it answered 302, and redirects are not followed"),
        (304, "", "it answered 304, and redirects are not followed"),
    ],
)
def test_only_2xx_accepts_an_alert(status: int, said: str, reason: str) -> None:
    """What the receiver says is shown on one line."""
    with receiving() as receiver:
        receiver.status, receiver.body = status, said
        receiver.headers["Location"] = receiver.url
        assert refused(receiver.url)[0] == reason
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [201, 202, 204])
def test_every_2xx_does(status: int) -> None:
    """Also one without a body."""
    with receiving() as receiver:
        receiver.status = status
        assert Webhook(receiver.url).send([ALERT], NOW) == str(status)


@pytest.mark.parametrize(
    ("parts", "pause", "reason"),
    [
        ([], 2.0, "it closed the connection"),
        ([b"SSH-2.0-OpenSSH_9.6\r\n\r\n"], 0.0, "its answer is not HTTP"),
        ([b"HTTP/1.1 abc\r\n\r\n"], 0.0, "its answer is not HTTP"),
        ([b"x" * 200_000], 0.0, "its answer is not HTTP"),
        ([b"HTTP/1.1 200 OK\r\n"] + [b"X: y\r\n"] * 50, 0.1, "it did not answer within 0.5 s"),
        ([bytes([each]) for each in b"HTTP/1.1 200 OK\r\n"], 0.1, "it did not answer within 0.5 s"),
    ],
    ids=["nothing", "another protocol", "no status", "noise", "endless headers", "byte by byte"],
)
def test_an_answer_that_is_none(parts: list[bytes], pause: float, reason: str) -> None:
    """The limit is on the whole request: a byte now and then does not extend it."""
    with saying(*parts, pause=pause) as url:
        said, seconds = refused(url)
    assert said.startswith(reason)
    assert seconds < 1.5


def test_a_receiver_that_keeps_the_connection_open_has_accepted() -> None:
    """The status is enough; its body may never end."""
    with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok", pause=3) as url:
        begin = time.monotonic()
        assert Webhook(url).send([ALERT], NOW) == "200"
        assert time.monotonic() - begin < 0.4


def test_a_receiver_that_never_answers() -> None:
    """It costs the limit, and no more."""
    waiting = Listener(lambda connection: time.sleep(3))
    with waiting:
        said, seconds = refused(f"http://127.0.0.1:{waiting.port}/")
    assert said == "it did not answer within 0.5 seconds"
    assert 0.4 < seconds < 1.5


def test_a_receiver_that_cannot_be_reached() -> None:
    """No port, no host."""
    assert refused(f"http://127.0.0.1:{free_port()}/")[0] == (
        "the connection failed: Connection refused"
    )
    assert refused("http://nowhere.invalid/")[0] == "its host was not found"


def test_the_certificate_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver with another's certificate gets nothing."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    with answering(200, "fine", tls=server) as stub:
        said, _ = refused(stub.url)
        assert said.startswith("its certificate is not trusted: ")
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        monkeypatch.setattr(ssl, "create_default_context", lambda: trusting)
        assert Webhook(stub.url).send([ALERT], NOW).startswith("200")
    assert [method for method, _ in stub.asked] == ["POST"]


def test_a_subject_is_what_sns_takes() -> None:
    """ASCII, at most 100 characters, one line; the names are in the letter."""
    long = Alert("i", Kind.VERDICT, "n", "ü" * 200, "s", 0)
    assert subject([ALERT]) == "Gimel: Guardrail harmed: <!channel> & gr??e"
    assert len(subject([long])) == 100
    assert subject([ALERT, long]) == "Gimel: 2 alerts"
    assert subject([sample_alert(NOW)]) == "Gimel: Test: test"
    namespace = Alert("i", Kind.LIMIT, "n", None, "s.", 0)
    assert subject([namespace]) == "Gimel: Limit reached"
    assert letter([namespace, namespace]) == (
        "Limit reached: Namespace “n”. s.\n\nLimit reached: Namespace “n”. s.\n"
    )


def test_the_largest_message_is_one_that_receivers_take() -> None:
    """SNS takes 262,144 bytes, of which the longest names take most; nginx takes 1 MiB."""
    name = "\U0001f600" * 200
    condition = Condition(Kind.VERDICT, name * 50, name, name)
    watched = Watched(name, name, None, Observation({"key": condition}))
    message = [watched.alert("key", 1, NOW)] * MOST_ALERTS
    assert 200_000 < len(letter(message).encode()) <= 262_144
    assert len(body("https://x/", message)) < 1_048_576


@pytest.mark.parametrize(
    "said",
    [
        "Cannot POST /hook/T00000000/verysecret%21?token=alsosecret",
        "No route for /hook/T00000000/verysecret!",
        f"The key {SECRET} is unknown",
    ],
)
def test_no_secret_is_in_what_a_refusal_says(said: str) -> None:
    """Many servers repeat the path of a request that they do not know."""
    with receiving() as receiver:
        receiver.status, receiver.body = 404, said
        url = f"{receiver.url}/T00000000/verysecret%21?token=alsosecret"
        with pytest.raises(NotSent) as refusal:
            Webhook(url, SECRET).send([sample_alert(0)], 0)
    assert str(refusal.value).startswith("it answered 404 ")
    for secret in ("verysecret", "T00000000", "alsosecret", SECRET):
        assert secret not in str(refusal.value)


def test_no_secret_is_in_what_may_be_logged() -> None:
    """Neither the URL nor the key."""
    receivers: tuple[object, ...] = configured(
        {"webhook": "https://x/verysecret", "secret": SECRET}
    )
    assert "secret" not in repr(receivers).replace("Webhook", "")
    assert SECRET not in repr(receivers)


@pytest.mark.parametrize(
    ("alerts", "names"),
    [
        ({}, []),
        ({"webhook": "https://x/"}, ["webhook"]),
        ({"sns": "arn:aws:sns:eu-west-1:123456789012:t"}, ["sns"]),
        ({"webhook": "https://x/", "sns": "arn:aws:sns:eu-west-1:1:t"}, ["webhook", "sns"]),
        ({"webhook": None, "secret": None, "sns": None}, []),
    ],
)
def test_receivers_of_a_configuration(alerts: dict[str, str], names: list[str]) -> None:
    """Each that is set."""
    assert [each.name for each in configured(alerts)] == names
