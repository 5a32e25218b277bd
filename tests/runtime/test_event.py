"""The formats of events: each gateway's requests are read, and what cannot be read is refused."""

from __future__ import annotations

import base64
import json
from urllib.parse import urlencode

import pytest
import redis

import gimel
from tests.support.events import EVENT, OK, Gateway, read, rest, sample, url, with_each_gateway
from tests.support.redis_content import count, snapshot

FORM = "application/x-www-form-urlencoded"


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


class TestSamples:
    """The events in AWS's documentation, with the query of a Gimel event."""

    @pytest.mark.parametrize("name", ["rest_api", "http_api", "function_url"])
    def test_gateways(self, gimel_store: redis.Redis, name: str) -> None:
        """An event of each gateway is counted and answered with a proxy response.

        REST API: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
        HTTP API: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
        Function URL: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
        """
        answer = gimel.track(sample(name), None)

        assert answer == {
            "statusCode": 200,
            "headers": {
                "Access-Control-Allow-Origin": "*",
                "Cache-Control": "no-cache, no-store, must-revalidate",
                "Content-Type": "application/json",
            },
            "body": '{"status": "ok"}',
        }
        assert count(gimel_store, "button", "participate", "red") == 1

    def test_invoke(self, gimel_store: redis.Redis) -> None:
        """A flat event is counted and answered with the plain value.

        https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
        """
        assert gimel.track(sample("invoke"), None) == OK
        assert count(gimel_store, "button", "participate", "red") == 1

    @pytest.mark.parametrize("name", ["rest_api", "http_api", "function_url"])
    def test_http_api_by_its_context(self, gimel_store: redis.Redis, name: str) -> None:
        """An event without its version is recognized by its request context."""
        event = sample(name)
        event.pop("version", None)

        assert read(gimel.track(event, None)) == (200, OK)


class TestQuery:
    """An event in the query."""

    @pytest.mark.parametrize(
        ("query", "experiment"),
        [
            pytest.param("experiment=two+words", "two words", id="plus"),
            pytest.param("experiment=two%20words", "two words", id="%20"),
            pytest.param("experiment=1%2B1", "1+1", id="encoded plus"),
            pytest.param("experiment=50%25%3A%26", "50%:&", id="percent, colon, ampersand"),
            pytest.param("experiment=%C3%A9t%C3%A9", "été", id="utf-8"),
            pytest.param("experiment=one&experiment=two", "two", id="repeated: the last"),
            pytest.param("experiment=a,b", "a,b", id="comma"),
        ],
    )
    def test_raw_query(self, gimel_store: redis.Redis, query: str, experiment: str) -> None:
        """The raw query of payload 2.0 is decoded, and preferred to the parsed one."""
        event = url() | {
            "rawQueryString": f"{query}&variant=red&event=participate&uuid=1",
            "queryStringParameters": {**EVENT, "experiment": "one,two"},
        }

        assert read(gimel.track(event, None)) == (200, OK)
        assert gimel_store.smembers("alephbet:experiments") == {experiment.encode()}

    def test_parsed_query_of_payload_2(self, gimel_store: redis.Redis) -> None:
        """Without a raw query, the parsed query of payload 2.0 is used."""
        event = url(query=EVENT)
        del event["rawQueryString"]

        assert read(gimel.track(event, None)) == (200, OK)
        assert count(gimel_store, "button", "participate", "red") == 1


BODIES = [
    pytest.param(json.dumps(EVENT), "application/json", False, id="json"),
    pytest.param(
        json.dumps(EVENT), "application/json; charset=utf-8", False, id="json with charset"
    ),
    pytest.param(json.dumps(EVENT), "text/plain;charset=UTF-8", False, id="sendBeacon"),
    pytest.param(json.dumps(EVENT), FORM, False, id="json that curl -d calls a form"),
    pytest.param(f"\n {json.dumps(EVENT)}\n", "", False, id="json without a content type"),
    pytest.param(urlencode(EVENT), FORM, False, id="form"),
    pytest.param(
        urlencode(EVENT),
        "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
        False,
        id="form with charset",
    ),
    pytest.param(encoded(json.dumps(EVENT)), "application/json", True, id="base64 json"),
    pytest.param(f"\ufeff{json.dumps(EVENT)}", "application/json", False, id="byte order mark"),
    pytest.param(
        encoded(f"\ufeff {json.dumps(EVENT)}"), "text/json", True, id="base64 byte order mark"
    ),
    pytest.param(f"\ufeff{urlencode(EVENT)}", FORM, False, id="form with byte order mark"),
    pytest.param(encoded(urlencode(EVENT)), FORM, True, id="base64 form"),
]


@with_each_gateway
class TestBody:
    """An event in the body of a POST."""

    @pytest.mark.parametrize(("body", "content_type", "is_base64"), BODIES)
    def test_post(
        self,
        gimel_store: redis.Redis,
        gateway: Gateway,
        body: str,
        content_type: str,
        is_base64: bool,
    ) -> None:
        """JSON and forms are read, whatever content type a browser gives them."""
        event = gateway("POST", body=body, Content_Type=content_type)
        event["isBase64Encoded"] = is_base64

        assert read(gimel.track(event, None)) == (200, OK)
        assert count(gimel_store, "button", "participate", "red") == 1

    def test_post_with_a_query(self, gimel_store: redis.Redis, gateway: Gateway) -> None:
        """Fields may be in the query too; those of the body take precedence."""
        event = gateway(
            "POST",
            query={**EVENT, "variant": "blue"},
            body='{"variant": "red", "namespace": "shop"}',
        )

        assert read(gimel.track(event, None)) == (200, OK)
        assert count(gimel_store, "button", "participate", "red", namespace="shop") == 1

    @pytest.mark.parametrize(
        "body",
        ["", "  ", "{}", "\ufeff"],
        ids=["empty", "blank", "empty object", "byte order mark"],
    )
    def test_empty_body(self, gimel_store: redis.Redis, gateway: Gateway, body: str) -> None:
        """With an empty body, the query is the event."""
        assert read(gimel.track(gateway("POST", query=EVENT, body=body), None)) == (200, OK)
        assert count(gimel_store, "button", "participate", "red") == 1

    @pytest.mark.parametrize(
        ("body", "is_base64"),
        [
            pytest.param("{", False, id="{"),
            pytest.param("not json", False, id="words"),
            pytest.param('"text"', False, id="string"),
            pytest.param("7", False, id="number"),
            pytest.param("[" * 100_000, False, id="deep list"),
            pytest.param('{"uuid": ' * 100_000, False, id="deep object"),
            pytest.param("9" * 5000, False, id="huge number"),
            pytest.param("abcde", True, id="not base64"),
            pytest.param("é", True, id="not ASCII"),
            pytest.param(encoded(b"\xff\xfe"), True, id="not UTF-8"),
            pytest.param(encoded(json.dumps(EVENT).encode("utf-16")), True, id="UTF-16 with mark"),
            pytest.param(encoded(json.dumps(EVENT).encode("utf-16-le")), True, id="UTF-16"),
            pytest.param('\ufffd\ufffd{\0"\0e\0', False, id="UTF-16 read by API Gateway"),
            pytest.param("\ufeff\ufeff{}", False, id="two byte order marks"),
        ],
    )
    def test_unreadable_body(
        self, gimel_store: redis.Redis, gateway: Gateway, body: str, is_base64: bool
    ) -> None:
        """A body that is neither JSON object, list nor form is a 400 that says so."""
        event = gateway("POST", query=EVENT, body=body) | {"isBase64Encoded": is_base64}

        status, answer = read(gimel.track(event, None))

        assert status == 400
        assert answer["error"].startswith("the body ")
        assert snapshot(gimel_store) == {}


UNREADABLE_FORMS = pytest.mark.parametrize(
    "form",
    [
        pytest.param("uuid=%ff", id="not UTF-8"),
        pytest.param("uuid=%ed%a0%80", id="a surrogate"),
        pytest.param("&".join(f"field{n}={n}" for n in range(101)), id="101 fields"),
    ],
)
FORM_ERROR = (400, {"error": "the parameters must be URL-encoded UTF-8, at most 100 of them"})


@UNREADABLE_FORMS
@with_each_gateway
def test_unreadable_form(gimel_store: redis.Redis, gateway: Gateway, form: str) -> None:
    """A form that is not UTF-8 or has over 100 fields is a 400: nothing is guessed."""
    event = gateway("POST", query=EVENT, body=form, Content_Type=FORM)

    assert read(gimel.track(event, None)) == FORM_ERROR
    assert snapshot(gimel_store) == {}


@UNREADABLE_FORMS
def test_unreadable_query(gimel_store: redis.Redis, form: str) -> None:
    """The raw query of payload 2.0 follows the rules of a form."""
    assert read(gimel.track(url() | {"rawQueryString": form}, None)) == FORM_ERROR
    assert snapshot(gimel_store) == {}


@pytest.mark.parametrize(
    "missing", ["headers", "multiValueHeaders", "queryStringParameters", "body", "isBase64Encoded"]
)
def test_null_parts(gimel_store: redis.Redis, missing: str) -> None:
    """A part that API Gateway leaves null is empty."""
    event = rest("POST", body=json.dumps(EVENT)) | {missing: None}

    status, _ = read(gimel.track(event, None))

    assert status == (400 if missing == "body" else 200)
