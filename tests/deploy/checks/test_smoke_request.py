"""The one HTTP request that the smoke check is made of."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from gimel.deploy.checks import smoke
from gimel.deploy.outputs import Endpoint
from tests.support.state.cloud import TRACK, url_of
from tests.support.stubs import answering


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [(200, {"status": "ok"}, {"status": "ok"}), (403, "no JSON", None), (503, [], [])],
)
def test_a_request_over_http(status: int, body: object, expected: object) -> None:
    """One real request; an answer that is not JSON has no body."""
    with answering(status, body, Word="yes") as stub:
        endpoint = Endpoint("GET", f"{stub.url}/track?a=b", "gimel.track", False)
        given = smoke.request("GET", endpoint, {"User-Agent": "gimel"}, None)

    assert (given.status, given.body, given.headers["word"]) == (status, expected, "yes")
    assert stub.asked == [("GET", "/track?a=b")]


def test_an_emulator_is_asked_by_the_functions_host() -> None:
    """A function's URL names a host that only AWS knows."""
    with answering(200, {}) as stub:
        endpoint = Endpoint("GET", url_of(TRACK), "gimel.track", False, via=stub.url)
        smoke.request("GET", endpoint, {}, None)

    assert stub.sent[0]["host"] == url_of(TRACK).split("/")[2]


def test_nothing_at_the_other_end_is_status_0() -> None:
    """With the reason, and no exception."""
    with answering() as stub:
        endpoint = Endpoint("GET", stub.url, "gimel.track", False)

    given = smoke.request("GET", endpoint, {}, None)

    assert (given.status, given.body) == (0, None)
    assert given.failure is not None
    assert "Could not connect to" in given.failure.message


def test_a_proxy_that_cannot_be_used_is_a_failure_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check ends in findings, as the deployment exists by then."""
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1080")
    endpoint = Endpoint("GET", "https://gimel.test/track", "gimel.track", False)

    given = smoke.request("GET", endpoint, {}, None)

    assert given.failure is not None
    assert "socks5" in given.failure.message


def test_a_certificate_is_verified_with_the_given_bundle(tmp_path: Path) -> None:
    """That is how the `ca_bundle` of an AWS profile reaches the smoke test."""
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.cert_pem.write_to_path(tmp_path / "bundle.pem")
    authority.issue_cert("127.0.0.1").configure_cert(tls)

    with answering(200, {}, tls=tls) as stub:
        endpoint = Endpoint("GET", stub.url, "gimel.track", False)
        unknown = smoke.request("GET", endpoint, {}, None)
        known = smoke.request("GET", endpoint, {}, None, str(tmp_path / "bundle.pem"))

    assert (unknown.status, known.status) == (0, 200)
    assert unknown.failure is not None
    assert not unknown.failure.passes
