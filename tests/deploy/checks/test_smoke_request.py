"""The one HTTP request that the smoke check is made of."""

from __future__ import annotations

import pytest

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
    """With the reason as the error, and no exception."""
    with answering() as stub:
        endpoint = Endpoint("GET", stub.url, "gimel.track", False)

    given = smoke.request("GET", endpoint, {}, None)

    assert (given.status, list(given.body)) == (0, ["error"])
