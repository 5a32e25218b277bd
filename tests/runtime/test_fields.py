"""The fields of an event: what is malformed is a 400 that names the field, and counts nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

import gimel
from gimel.runtime.errors import BadRequest
from tests.support.events import EVENT, OK, Gateway, read, rest, url, with_each_gateway
from tests.support.redis_content import count, snapshot

FIELDS = ["experiment", "variant", "event", "uuid", "namespace"]

MALFORMED = [
    pytest.param("", "is empty", id="empty"),
    pytest.param("x" * 201, "is longer than 200 characters", id="201 characters"),
    pytest.param("é" * 201, "is longer than 200 characters", id="201 characters beyond ASCII"),
    pytest.param("a\x00b", "contains a control character", id="NUL"),
    pytest.param("a\r\nb", "contains a control character", id="CRLF"),
    pytest.param("a\x7fb", "contains a control character", id="DEL"),
    pytest.param("a\x85b", "contains a control character", id="C1"),
    pytest.param("a\ud800b", "is not valid Unicode", id="high surrogate"),
    pytest.param("a\udfffb", "is not valid Unicode", id="low surrogate"),
    pytest.param(True, "must be text", id="true"),
    pytest.param(False, "must be text", id="false"),
    pytest.param(1.5, "must be text", id="fraction"),
    pytest.param(float("nan"), "must be text", id="NaN"),
    pytest.param(10**200, "must be text", id="201 digits"),
    pytest.param([], "must be text", id="list"),
    pytest.param({"a": "b"}, "must be text", id="object"),
]
with_each_malformed_field = pytest.mark.parametrize("field", FIELDS)
with_each_malformed_value = pytest.mark.parametrize(("value", "reason"), MALFORMED)


@with_each_malformed_field
@with_each_malformed_value
class TestMalformed:
    """A malformed value, in each form of event."""

    def test_flat(self, gimel_store: redis.Redis, field: str, value: object, reason: str) -> None:
        """A flat event raises BadRequest."""
        with pytest.raises(BadRequest, match=f"^{field} {reason}$"):
            gimel.track({**EVENT, field: value}, None)
        assert snapshot(gimel_store) == {}

    @with_each_gateway
    def test_body(
        self, gimel_store: redis.Redis, gateway: Gateway, field: str, value: object, reason: str
    ) -> None:
        """A posted event is answered 400."""
        answer = gimel.track(gateway("POST", body=json.dumps({**EVENT, field: value})), None)

        assert read(answer) == (400, {"error": f"{field} {reason}"})
        assert snapshot(gimel_store) == {}

    @with_each_gateway
    def test_batch(
        self, gimel_store: redis.Redis, gateway: Gateway, field: str, value: object, reason: str
    ) -> None:
        """A posted list is answered with the error of each event."""
        answer = gimel.track(gateway("POST", body=json.dumps([{**EVENT, field: value}])), None)

        status, body = read(answer)
        assert (status, body["events"]) == (400, [{"error": f"{field} {reason}"}])
        assert snapshot(gimel_store) == {}


@with_each_malformed_field
@pytest.mark.parametrize(("value", "reason"), MALFORMED[:3])
def test_malformed_query(gimel_store: redis.Redis, field: str, value: str, reason: str) -> None:
    """A malformed value in a query is answered 400."""
    answer = gimel.track(url(query={**EVENT, field: value}), None)

    assert read(answer) == (400, {"error": f"{field} {reason}"})
    assert snapshot(gimel_store) == {}


@pytest.mark.parametrize("field", ["experiment", "variant", "event", "uuid"])
@pytest.mark.parametrize("how", ["absent", "null"])
class TestMissing:
    """A field that is absent or null is missing. Only the namespace has a default."""

    def event(self, field: str, how: str) -> dict[str, Any]:
        event: dict[str, Any] = {**EVENT, field: None}
        if how == "absent":
            del event[field]
        return event

    def test_flat(self, gimel_store: redis.Redis, field: str, how: str) -> None:
        """A flat event raises BadRequest."""
        with pytest.raises(BadRequest, match=f"^{field} is missing$"):
            gimel.track(self.event(field, how), None)
        assert snapshot(gimel_store) == {}

    @with_each_gateway
    def test_gateway(
        self, gimel_store: redis.Redis, gateway: Gateway, field: str, how: str
    ) -> None:
        """A gateway's event is answered 400."""
        answer = gimel.track(gateway("POST", body=json.dumps(self.event(field, how))), None)

        assert read(answer) == (400, {"error": f"{field} is missing"})
        assert snapshot(gimel_store) == {}


@pytest.mark.parametrize("value", ["x", "x" * 200, "é" * 200, " ", "🦄", 0, -7, 10**199, "\u2028"])
def test_allowed(gimel_store: redis.Redis, value: object) -> None:
    """1 to 200 characters of any script are a name; a whole number counts as its digits."""
    event = dict.fromkeys(EVENT, value)

    assert read(gimel.track(rest("POST", body=json.dumps(event)), None)) == (200, OK)
    assert gimel_store.smembers("alephbet:experiments") == {str(value).encode()}
    assert count(gimel_store, str(value), str(value), str(value)) == 1


def test_null_namespace(gimel_store: redis.Redis) -> None:
    """A namespace of null is the default one."""
    assert gimel.track({**EVENT, "namespace": None}, None) == OK
    assert count(gimel_store, "button", "participate", "red", namespace="alephbet") == 1
