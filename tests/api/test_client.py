"""The API over HTTP: what is sent, and how failures are explained."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest
import trustme

from gimel.api import client, http
from gimel.api.client import Api
from gimel.errors import GimelError
from gimel.runtime.bots import is_bot
from tests.support.answers import answer, row, two
from tests.support.servers import free_port
from tests.support.stubs import answering

KEY = "secret-key-0123456789"


def test_a_namespace_is_read_with_the_key() -> None:
    """It is sent in a header, never in the URL; the user agent is not taken for a bot."""
    with answering(body=answer(two())) as stub:
        found = Api(stub.url, KEY).experiments("größe & co")
    assert [experiment.name for experiment in found.experiments] == ["e"]
    assert stub.asked == [("GET", "/experiments?namespace=gr%C3%B6%C3%9Fe+%26+co")]
    assert stub.sent[0]["x-api-key"] == KEY
    assert not is_bot(stub.sent[0]["user-agent"])


def test_the_next_page_is_asked_for_by_its_name() -> None:
    """With the same namespace and scope. This server's second page names itself."""
    page = answer(two("ä"))
    page[0]["meta"]["next"] = "b:%3A"
    with answering(body=page) as stub, pytest.raises(GimelError, match="its pages have no end"):
        Api(stub.url, KEY).experiments("shop", "ä,b")
    first = "/experiments?namespace=shop&scope=%C3%A4%2Cb"
    assert stub.asked == [("GET", first), ("GET", f"{first}&page=b%3A%253A")]


def test_the_history_is_asked_for() -> None:
    """For a namespace or one experiment; an older API answers without it."""
    history = {"columns": [["participate", "red", "16"]], "points": [[1_750_000_000, 7]]}
    with answering(body=answer({**two(), "history": history})) as stub:
        api = Api(stub.url, KEY)
        (found,) = api.experiments("shop", history=True).experiments
        assert api.experiment("shop", "e", history=True) == found
    assert [(p.time, p.visitors["red"].value) for p in found.history] == [(1_750_000_000, 7)]
    assert [path for _, path in stub.asked] == [
        "/experiments?namespace=shop&history=true",
        "/experiments?namespace=shop&scope=e&history=true",
    ]
    with answering(body=answer(two())) as stub:
        assert Api(stub.url, KEY).experiment("shop", "e", history=True).history == ()


def test_namespaces_are_read_without_counting() -> None:
    """The scope names an experiment that does not exist, so that nothing is counted."""
    page = answer(row("gimel namespaces", {}, ()))
    page[0]["meta"]["namespaces"] = ["shop"]
    with answering(body=page) as stub:
        assert Api(stub.url, KEY).namespaces() == (("shop",), False)
    assert stub.asked == [("GET", "/experiments?scope=gimel+namespaces")]


def test_an_api_that_lists_no_namespaces_is_explained() -> None:
    """It is older, or its Redis user may not read them."""
    with (
        answering(body=answer()) as stub,
        pytest.raises(GimelError, match="does not list its namespaces") as failure,
    ):
        Api(stub.url, KEY).namespaces()
    assert "`gimel deploy`" in failure.value.hint


def test_an_experiment_is_deleted() -> None:
    """With the method and the names that the API expects."""
    with answering(body={"status": "ok"}) as stub:
        Api(stub.url, KEY).delete("shop", "a/b")
    assert stub.asked == [("DELETE", "/delete?namespace=shop&experiment=a%2Fb")]


def test_one_experiment_is_read_alone() -> None:
    """The others are counted only if it does not exist, to name the most similar ones."""
    with answering(body=answer(two())) as stub:
        assert Api(stub.url, KEY).experiment("shop", "e").name == "e"
        assert stub.asked == [("GET", "/experiments?namespace=shop&scope=e")]
    with answering(body=answer(row("button", {}, ()), two("other"))) as stub:
        with pytest.raises(GimelError, match="no experiment 'buton'") as failure:
            Api(stub.url, KEY).experiment("shop", "buton")
        assert "'button'" in failure.value.hint
        assert stub.asked[1] == ("GET", "/experiments?namespace=shop")


def test_a_name_with_a_comma_is_one_name() -> None:
    """As a scope it would be two."""
    with answering(body=answer(two("a,b"))) as stub:
        assert Api(stub.url, KEY).experiment("shop", "a,b").name == "a,b"
    assert stub.asked == [("GET", "/experiments?namespace=shop")]


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("https://host/prod", "https://host/prod"),
        ("https://host/prod/", "https://host/prod"),
        ("https://host/prod/e", "https://host/prod"),
        ("https://host/prod/track", "https://host/prod"),
        ("https://host/prod/experiments/", "https://host/prod"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
    ],
)
def test_an_address_may_be_that_of_a_route(given: str, base: str) -> None:
    """As the page has it."""
    assert Api(given, KEY).url == base


@pytest.mark.parametrize(
    "url",
    [
        "host/prod",
        "ftp://host",
        "https://",
        "https://host/prod?x=1",
        "http://[",
        "http://h:99999",
        "",
    ],
)
def test_an_incomplete_address_is_an_error(url: str) -> None:
    """With an example of a complete one."""
    with pytest.raises(GimelError, match="is not the address of an API") as failure:
        Api(url, KEY)
    assert "https://host/stage" in failure.value.hint


def test_an_address_that_could_hold_a_password_is_not_repeated() -> None:
    """Not even in the message that refuses it."""
    with pytest.raises(GimelError) as failure:
        Api("https://me:hunter2@host", KEY)
    assert "hunter2" not in str(failure.value)


@pytest.mark.parametrize("key", ["", "a b", "a\nb", "ä"])
def test_an_invalid_key_is_an_error(key: str) -> None:
    """Before it breaks a header."""
    with pytest.raises(GimelError, match="The API key is empty or contains invalid characters"):
        Api("https://host", key)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        pytest.param(403, {"message": "Forbidden"}, "rejected the API key", id="wrong key"),
        pytest.param(401, "", "rejected the API key", id="unauthorised"),
        pytest.param(
            403,
            {"message": "Missing Authentication Token"},
            "/experiments was not found",
            id="no such path",
        ),
        pytest.param(429, {"message": "Too Many Requests"}, "Too many requests", id="throttled"),
        pytest.param(503, {"error": "..."}, "cannot reach Redis", id="Redis down"),
        pytest.param(500, "<h1>oops</h1>", "failed with status 500", id="failed"),
        pytest.param(
            504, {"message": "Endpoint request timed out"}, "failed with status 504", id="too slow"
        ),
        pytest.param(
            400,
            {"error": "namespace is empty"},
            "rejected the request: namespace is empty",
            id="malformed",
        ),
        pytest.param(400, "?", "rejected the request: no reason given", id="malformed, no reason"),
        pytest.param(404, "nothing here", "returned status 404", id="another server"),
        pytest.param(200, "<!doctype html>", "did not return JSON", id="a page"),
        pytest.param(200, "[" * 100_000, "did not return JSON", id="nested too deep"),
        pytest.param(200, {"items": []}, "did not answer as Gimel does", id="another API"),
    ],
)
def test_a_failure_is_explained(status: int, body: object, message: str) -> None:
    """With the address and without the key."""
    with answering(status, body) as stub, pytest.raises(GimelError, match=message) as failure:
        Api(stub.url, KEY).experiments("shop")
    assert stub.url in failure.value.message
    assert KEY not in str(failure.value)


@pytest.mark.parametrize(
    ("status", "can_help"),
    [(503, True), (502, True), (504, True), (500, False), (403, False), (429, False)],
)
def test_which_failures_another_attempt_can_help(status: int, can_help: bool) -> None:
    """A function that ran out of time, answered 502 or 504, continues when it is called again."""
    with answering(status) as stub, pytest.raises(GimelError) as failure:
        Api(stub.url, KEY).delete("shop", "e")
    assert isinstance(failure.value, client.Unavailable) == can_help


def test_a_server_that_does_not_run_is_explained() -> None:
    """With what to do."""
    with pytest.raises(GimelError, match=r"Could not connect to http://127\.0\.0\.1:") as failure:
        Api(f"http://127.0.0.1:{free_port()}", KEY).experiments("shop")
    assert "gimel serve" in failure.value.hint


def test_an_unknown_host_is_explained() -> None:
    """A name under .invalid never exists."""
    with pytest.raises(GimelError, match=r"Could not find the host gimel\.invalid"):
        Api("http://gimel.invalid", KEY).experiments("shop")


def test_a_missing_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the time-out."""
    monkeypatch.setattr(http, "SECONDS_TO_ANSWER", 0.1)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(GimelError, match="did not answer in time"),
    ):
        Api(f"http://127.0.0.1:{silent.getsockname()[1]}", KEY).experiments("shop")


def test_a_lost_connection_is_explained() -> None:
    """As when a server stops in the middle of a request."""

    def hang_up(server: socket.socket) -> None:
        connection, _ = server.accept()
        connection.recv(1000)
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=hang_up, args=(server,))
        thread.start()
        with pytest.raises(GimelError, match=r"The connection to http://127\.0\.0\.1:.* was lost"):
            Api(f"http://127.0.0.1:{server.getsockname()[1]}", KEY).experiments("shop")
        thread.join()


def test_an_unknown_certificate_is_refused(tmp_path: Path) -> None:
    """The key is not sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with (
        answering(tls=context) as stub,
        pytest.raises(GimelError, match=r"The certificate of .* is not trusted"),
    ):
        Api(stub.url, KEY).experiments("shop")
    assert stub.sent == []


def test_the_key_follows_no_redirect() -> None:
    """Another host must not get it."""
    with (
        answering(body=answer(two())) as elsewhere,
        answering(302, Location=f"{elsewhere.url}/experiments") as stub,
        pytest.raises(GimelError, match="returned status 302"),
    ):
        Api(stub.url, KEY).experiments("shop")
    assert elsewhere.asked == []


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """For other hosts; this machine is asked directly."""
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with (
        answering(body=answer(two("by proxy"))) as proxy,
        answering(body=answer(two("direct"))) as stub,
    ):
        monkeypatch.setenv("http_proxy", proxy.url)
        far = Api("http://gimel.invalid/prod", KEY).experiments("shop")
        near = Api(stub.url, KEY).experiments("shop")
    assert (far.experiments[0].name, near.experiments[0].name) == ("by proxy", "direct")
    assert proxy.asked == [("GET", "http://gimel.invalid/prod/experiments?namespace=shop")]
