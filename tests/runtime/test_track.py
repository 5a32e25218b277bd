"""`gimel.track`: each event of a call is counted and answered in its own place."""

from __future__ import annotations

import base64
import json

import pytest
import redis

import gimel
from tests.support.events import (
    EVENT,
    OK,
    Configure,
    Gateway,
    ignored,
    read,
    rest,
    with_each_gateway,
)
from tests.support.redis_content import count, snapshot


@with_each_gateway
@pytest.mark.parametrize("size", [1, 100])
def test_sizes(gimel_store: redis.Redis, gateway: Gateway, size: int) -> None:
    """A list of 1 to 100 events is counted."""
    batch = [{**EVENT, "uuid": f"visitor-{n}"} for n in range(size)]

    status, body = read(gimel.track(gateway("POST", body=json.dumps(batch)), None))

    assert (status, body) == (200, {"status": "ok", "events": [OK] * size})
    assert count(gimel_store, "button", "participate", "red") == size


@with_each_gateway
@pytest.mark.parametrize("size", [0, 101])
def test_wrong_sizes(gimel_store: redis.Redis, gateway: Gateway, size: int) -> None:
    """An empty list and one of 101 events are refused; the error says how many are allowed."""
    status, body = read(gimel.track(gateway("POST", body=json.dumps([EVENT] * size)), None))

    assert (status, body) == (400, {"error": f"the list has {size} events; it may have 1 to 100"})
    assert snapshot(gimel_store) == {}


@with_each_gateway
def test_answers_in_order(gimel_store: redis.Redis, configure: Configure, gateway: Gateway) -> None:
    """Valid events are counted beside malformed and ignored ones; answers are in their order."""
    configure(allowed_experiments=["button"])
    batch = [
        {**EVENT, "variant": ""},
        EVENT,
        "not an event",
        {**EVENT, "experiment": "other"},
        {**EVENT, "uuid": "visitor-2", "event": "buy"},
    ]

    status, body = read(gimel.track(gateway("POST", body=json.dumps(batch)), None))

    assert status == 200
    assert body == {
        "status": "partial",
        "events": [
            {"error": "variant is empty"},
            OK,
            {"error": "an event must be a JSON object"},
            ignored("experiment not allowed"),
            OK,
        ],
    }
    assert count(gimel_store, "button", "participate", "red") == 1
    assert count(gimel_store, "button", "buy", "red") == 1


@with_each_gateway
def test_all_malformed(gimel_store: redis.Redis, gateway: Gateway) -> None:
    """A list without a valid event is a 400 that still answers each of them."""
    status, body = read(gimel.track(gateway("POST", body=json.dumps([{}, None])), None))

    assert status == 400
    assert body == {
        "error": "no event of the list is valid",
        "events": [
            {"error": "experiment is missing"},
            {"error": "an event must be a JSON object"},
        ],
    }
    assert snapshot(gimel_store) == {}


@with_each_gateway
def test_common_fields_in_the_query(gimel_store: redis.Redis, gateway: Gateway) -> None:
    """A field in the query applies to each event of a list that does not have it."""
    events = [
        {"variant": "red", "event": "participate", "uuid": "1"},
        {**EVENT, "namespace": "other"},
    ]
    query = {"experiment": "common", "namespace": "shop"}

    status, _ = read(gimel.track(gateway("POST", query=query, body=json.dumps(events)), None))

    assert status == 200
    assert count(gimel_store, "common", "participate", "red", namespace="shop") == 1
    assert count(gimel_store, "button", "participate", "red", namespace="other") == 1


@with_each_gateway
def test_repeated(gimel_store: redis.Redis, gateway: Gateway) -> None:
    """An event that is sent again gets the same answer and changes nothing."""
    gimel.track(gateway(query=EVENT), None)
    before = snapshot(gimel_store)

    alone = gimel.track(gateway(query=EVENT), None)
    in_a_batch = gimel.track(gateway("POST", body=json.dumps([EVENT, EVENT])), None)

    assert read(alone) == (200, OK)
    assert read(in_a_batch) == (200, {"status": "ok", "events": [OK, OK]})
    assert snapshot(gimel_store) == before


def test_a_body_that_could_use_up_the_memory(gimel_store: redis.Redis) -> None:
    """A body longer than any valid one is refused before it is parsed."""
    longest = json.dumps([dict.fromkeys(EVENT, "\N{GRINNING FACE}" * 200)] * 100)

    assert read(gimel.track(rest("POST", body=longest), None))[0] == 200
    encoded = {**rest("POST", body=base64.b64encode(longest.encode()).decode())}
    assert read(gimel.track({**encoded, "isBase64Encoded": True}, None))[0] == 200
    assert read(gimel.track(rest("POST", body="[" + "[]," * 600_000 + "[]]"), None)) == (
        400,
        {"error": "the body is longer than 1700000 characters"},
    )
