"""Whose events are read: load balancers are, services that Gimel does not know are refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import redis

import gimel
from gimel.runtime.errors import BadRequest
from tests.support.events import (
    BROWSER,
    EVENT,
    GOOGLEBOT,
    OK,
    balancer,
    balancer_lists,
    ignored,
    read,
    rest,
    sample,
)
from tests.support.redis_content import count, snapshot

CONTENT = {"Access-Control-Allow-Origin", "Cache-Control", "Content-Type"}


class TestLoadBalancer:
    """An Application Load Balancer, with and without multi-value headers."""

    @pytest.mark.parametrize("event", [sample("load_balancer"), balancer_lists(query=EVENT)])
    def test_answer(self, gimel_store: redis.Redis, event: dict[str, Any]) -> None:
        """The answer has both kinds of headers: a target group reads only one of them."""
        answer = gimel.track(event, None)

        assert read(answer) == (200, OK)
        assert answer["isBase64Encoded"] is False
        assert answer["headers"].keys() == CONTENT
        assert answer["multiValueHeaders"] == {
            name: [value] for name, value in answer["headers"].items()
        }
        assert count(gimel_store, "button", "participate", "red") == 1

    @pytest.mark.parametrize(
        ("raw", "experiment"),
        [
            pytest.param("buy%20button", "buy button", id="%20"),
            pytest.param("buy+button", "buy button", id="plus"),
            pytest.param("1%2B1", "1+1", id="encoded plus"),
            pytest.param("50%25%3A%26%3D", "50%:&=", id="percent, colon, ampersand, equals"),
            pytest.param("100%2520", "100%20", id="decoded once"),
            pytest.param("a=b", "a=b", id="equals sign"),
            pytest.param("%C3%A9t%C3%A9", "été", id="utf-8"),
        ],
    )
    def test_query(self, gimel_store: redis.Redis, raw: str, experiment: str) -> None:
        """Names and values of the query arrive encoded; both are decoded, in both forms."""
        query = {"%65xperiment": raw, "variant": "red", "event": "participate", "uuid": "1"}
        lists = balancer() | {
            "queryStringParameters": None,
            "multiValueQueryStringParameters": {
                name: ["another", value] for name, value in query.items()
            },
        }

        assert read(gimel.track(balancer() | {"queryStringParameters": query}, None)) == (200, OK)
        assert read(gimel.track(lists, None)) == (200, OK)
        assert gimel_store.smembers("alephbet:experiments") == {experiment.encode()}

    @pytest.mark.parametrize("value", ["%ff", "%ed%a0%80", 7, ["red"], {"a": "b"}, None], ids=repr)
    def test_unreadable_query(self, gimel_store: redis.Redis, value: Any) -> None:
        """A value that is not encoded UTF-8 text is a 400."""
        query = {**EVENT, "variant": value}

        status, answer = read(gimel.track(balancer() | {"queryStringParameters": query}, None))

        assert status == 400
        assert answer["error"] in (
            "variant is missing",
            "the parameters must be URL-encoded UTF-8, at most 100 of them",
        )
        assert snapshot(gimel_store) == {}

    @pytest.mark.parametrize("event", [balancer, balancer_lists])
    def test_bot(self, gimel_store: redis.Redis, event: Any) -> None:
        """Crawlers are recognized in both forms."""
        assert read(gimel.track(event(query=EVENT, User_Agent=GOOGLEBOT), None)) == (
            200,
            ignored("bot"),
        )

    @pytest.mark.parametrize("event", [balancer, balancer_lists])
    def test_form(self, gimel_store: redis.Redis, event: Any) -> None:
        """A load balancer encodes forms in Base64, as it does with all but text and JSON."""
        body = base64.b64encode(b"experiment=button&variant=red&event=participate&uuid=1").decode()
        posted = event("POST", body=body, Content_Type="application/x-www-form-urlencoded")

        assert read(gimel.track(posted | {"isBase64Encoded": True}, None)) == (200, OK)
        assert count(gimel_store, "button", "participate", "red") == 1


def test_lists_of_a_rest_api(gimel_store: redis.Redis) -> None:
    """An event with lists alone is read like one with single values: parameters and headers."""
    event = rest("POST", body="namespace=shop", Content_Type="application/x-www-form-urlencoded")
    lists = event | {
        "queryStringParameters": None,
        "headers": None,
        "multiValueQueryStringParameters": {
            name: ["another", value] for name, value in EVENT.items()
        },
    }
    bot = lists | {"multiValueHeaders": {"User-Agent": [BROWSER, GOOGLEBOT], "X": [], "Y": None}}

    assert read(gimel.track(lists, None)) == (200, OK)
    assert count(gimel_store, "button", "participate", "red", namespace="shop") == 1
    assert read(gimel.track({**bot, "body": None}, None)) == (200, ignored("bot"))


GATEWAYS = "API Gateway, a function URL or a load balancer"

LATTICE_2 = {
    "version": "2.0",
    "path": "/track?experiment=button",
    "method": "GET",
    "headers": {"user-agent": [BROWSER]},
    "queryStringParameters": {name: [value] for name, value in EVENT.items()},
    "requestContext": {"serviceNetworkArn": "arn:aws:vpc-lattice:us-east-1:1:servicenetwork/sn-1"},
}
WEB_SOCKET = {
    "headers": {"User-Agent": BROWSER},
    "queryStringParameters": EVENT,
    "requestContext": {"eventType": "CONNECT", "routeKey": "$connect", "connectionId": "a="},
    "isBase64Encoded": False,
}


@pytest.mark.parametrize("handler", ["track", "all", "experiment", "delete"])
@pytest.mark.parametrize(
    "event",
    [
        pytest.param(LATTICE_2, id="VPC Lattice 2.0"),
        pytest.param(WEB_SOCKET, id="WebSocket API"),
        pytest.param(WEB_SOCKET | {"body": json.dumps(EVENT)}, id="WebSocket message"),
        pytest.param({**EVENT, "requestContext": {}}, id="empty context"),
    ],
)
def test_other_gateways(gimel_store: redis.Redis, handler: str, event: dict[str, Any]) -> None:
    """A gateway that Gimel does not read gets a 400 that says so, in a gateway's shape."""
    gimel.track(EVENT, None)
    before = snapshot(gimel_store)

    answer = getattr(gimel, handler)(event, None)

    assert read(answer) == (400, {"error": f"the event must come from {GATEWAYS}"})
    assert snapshot(gimel_store) == before


@pytest.mark.parametrize("handler", ["track", "all", "experiment", "delete"])
@pytest.mark.parametrize(
    "event",
    [
        pytest.param(
            {
                "raw_path": "/track?experiment=button",
                "method": "GET",
                "headers": {"user-agent": BROWSER},
                "query_string_parameters": EVENT,
                "is_base64_encoded": False,
            },
            id="VPC Lattice 1.0",
        ),
        pytest.param(
            {"Records": [{"cf": {"request": {"uri": "/track", "method": "GET"}}}]}, id="Lambda@Edge"
        ),
        pytest.param(
            {"Records": [{"eventSource": "aws:sqs", "body": json.dumps(EVENT)}]}, id="SQS"
        ),
        pytest.param(
            {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(EVENT)}}]},
            id="SNS",
        ),
        pytest.param(
            {"Records": [{"eventSource": "aws:kinesis", "kinesis": {"data": "e30="}}]}, id="Kinesis"
        ),
        pytest.param({"eventSource": "aws:kafka", "records": {"topic-0": [{}]}}, id="Kafka"),
        pytest.param(
            {
                "version": "0",
                "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
                "detail-type": "Scheduled Event",
                "source": "aws.events",
                "resources": ["arn:aws:events:us-east-1:123456789012:rule/every-minute"],
                "detail": {},
            },
            id="schedule",
        ),
        pytest.param({"awslogs": {"data": "H4sI"}}, id="CloudWatch Logs"),
        pytest.param([EVENT], id="list"),
        pytest.param(None, id="null"),
        pytest.param("text", id="text"),
        pytest.param(7, id="number"),
    ],
)
def test_other_services(gimel_store: redis.Redis, handler: str, event: Any) -> None:
    """What another service sends is refused, and nothing is counted, read or deleted."""
    gimel.track(EVENT, None)
    before = snapshot(gimel_store)

    with pytest.raises(BadRequest, match=f"a JSON object of parameters, or come from {GATEWAYS}"):
        getattr(gimel, handler)(event, None)

    assert snapshot(gimel_store) == before


@pytest.mark.parametrize("context", [None, [], "http", 7, True], ids=repr)
def test_flat_with_a_request_context(gimel_store: redis.Redis, context: Any) -> None:
    """A parameter called requestContext does not make a flat event a gateway's."""
    assert gimel.track({**EVENT, "requestContext": context}, None) == OK


def test_flat_with_more(gimel_store: redis.Redis) -> None:
    """What a direct call contains besides its parameters is not read."""
    assert gimel.track({**EVENT, "page": {"path": "/"}, "tags": ["a"]}, None) == OK
