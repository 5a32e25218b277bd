"""The track URL: what is posted, and what its answers mean."""

from __future__ import annotations

import pytest

from gimel.api.http import Session
from gimel.api.tracking import RETRIES, USER_AGENT, post_events
from gimel.errors import GimelError
from gimel.runtime.bots import is_bot
from tests.support.servers import free_port
from tests.support.stubs import Stub, answering

EVENTS = [{"experiment": "e", "variant": "v", "event": "participate", "uuid": "1"}]


def post(stub: Stub, path: str = "/track") -> list[str]:
    with Session(stub.url, retries=RETRIES) as session:
        return post_events(session, f"{stub.url}{path}", EVENTS)


def test_every_event_has_an_outcome() -> None:
    """Empty for a counted one, else the reason."""
    answers = [
        {"status": "ok"},
        {"status": "ignored", "reason": "bot"},
        {"error": "uuid is empty"},
    ]
    with answering(200, {"status": "ok", "events": answers}) as stub:
        assert post(stub) == ["", "bot", "uuid is empty"]
    assert stub.asked == [("POST", "/track")]
    assert stub.sent[0]["content-type"] == "application/json"


def test_a_batch_with_a_malformed_event_is_read_too() -> None:
    """It is a 400 with an answer for each event."""
    with answering(400, {"error": "...", "events": [{"error": "uuid is empty"}]}) as stub:
        assert post(stub) == ["uuid is empty"]


def test_simulated_visitors_are_no_robots() -> None:
    """Or the backend would ignore them."""
    assert not is_bot(USER_AGENT)


def test_a_503_is_sent_again() -> None:
    """So that no visitor is lost while Redis is away."""
    later = {"status": "ok", "events": [{"status": "ok"}]}
    with answering(503, {"error": "later"}, later=later) as stub:
        assert post(stub) == [""]
    assert len(stub.asked) == 3


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        pytest.param(404, "", "returned status 404", id="no such path"),
        pytest.param(403, {"message": "Forbidden"}, "returned status 403", id="needs a key"),
        pytest.param(400, {"error": "too many"}, "rejected the events: too many", id="rejected"),
        pytest.param(200, "<!doctype html>", "is not a track URL of Gimel", id="a page"),
        pytest.param(200, [], "is not a track URL of Gimel", id="a list"),
        pytest.param(200, {"events": [{}]}, "is not a track URL of Gimel", id="no outcome"),
        pytest.param(200, {"events": 1}, "is not a track URL of Gimel", id="no list"),
        pytest.param(200, "[" * 100_000, "is not a track URL of Gimel", id="nested too deep"),
    ],
)
def test_another_answer_is_an_error(status: int, body: object, message: str) -> None:
    """That names the URL."""
    with answering(status, body) as stub, pytest.raises(GimelError, match=message) as failure:
        post(stub)
    assert f"{stub.url}/track" in failure.value.message


def test_nobody_there_is_not_waited_for() -> None:
    """A server that does not run is not retried like one that is busy."""
    url = f"http://127.0.0.1:{free_port()}/track"
    with (
        Session(url, retries=RETRIES) as session,
        pytest.raises(GimelError, match="Could not connect to"),
    ):
        post_events(session, url, EVENTS)
