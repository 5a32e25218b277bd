"""Requests as the events of a REST API with AWS_PROXY integration."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, quote_from_bytes

from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request

from gimel.serve.proxy_event import proxy_event


def event(query: bytes = b"", body: bytes = b"", method: str = "GET") -> dict[str, Any]:
    headers = [(b"user-agent", b"Mozilla"), (b"x-twice", b"1"), (b"x-twice", b"2")]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": "/track/",
        "query_string": query,
        "headers": headers,
        "client": ("192.0.2.1", 50_000),
    }
    return proxy_event(Request(scope), body, "/track")


def test_an_event_looks_like_api_gateways() -> None:
    """Repeated names keep all values beside the last; there is nothing where there is nothing."""
    found = event(b"a=1&a=2&b=", b"{}", "POST")
    assert (found["resource"], found["path"]) == ("/track", "/track/")
    assert found["requestContext"]["resourcePath"] == "/track"
    assert (found["requestContext"]["path"], found["httpMethod"]) == ("/prod/track/", "POST")
    assert found["queryStringParameters"] == {"a": "2", "b": ""}
    assert found["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": [""]}
    assert found["multiValueHeaders"]["x-twice"] == ["1", "2"]
    assert found["headers"]["x-twice"] == "2"
    assert found["requestContext"]["identity"]["sourceIp"] == "192.0.2.1"
    assert (found["body"], found["isBase64Encoded"]) == ("{}", False)
    assert json.loads(json.dumps(found)) == found
    empty = event()
    assert empty["queryStringParameters"] is empty["multiValueQueryStringParameters"] is None
    assert empty["body"] is None


@given(value=st.text())
def test_valid_text_arrives_as_it_was_sent(value: str) -> None:
    """Percent-encoded, or as plain UTF-8 bytes."""
    encoded = f"uuid={quote(value, errors='surrogatepass')}".encode()
    if not any("\ud800" <= character <= "\udfff" for character in value):
        assert event(encoded)["queryStringParameters"] == {"uuid": value}
    plain = "größe".encode()
    assert event(b"uuid=" + plain)["queryStringParameters"] == {"uuid": "größe"}


@example(one=b"\xff", other=b"\xfe")
@example(one=b"\xed\xa0\x80", other=b"\xed\xa0\x81")
@given(one=st.binary(min_size=1, max_size=8), other=st.binary(min_size=1, max_size=8))
def test_different_bytes_are_different_uuids(one: bytes, other: bytes) -> None:
    """Also those that are not UTF-8: replaced by U+FFFD they would be one visitor."""
    uuids = [
        event(f"uuid={quote_from_bytes(each)}".encode())["queryStringParameters"]["uuid"]
        for each in (one, other)
    ]
    assert (uuids[0] == uuids[1]) == (one == other)
