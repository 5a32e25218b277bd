"""What arrives: the event that a gateway hands to Lambda, as a `Request`.

FORMATS lists the formats of events in the order in which they are tried. A format holds everything
that is particular to it: how it is recognized, how it is read, and how its answer looks. A further
gateway is a further format. What the answer says is decided elsewhere.
"""

from __future__ import annotations

import json
from binascii import a2b_base64
from collections.abc import Mapping

from gimel.runtime.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A list of 100 events with the longest names takes 1.2 million characters, 1.6 million in Base64.
# Parsing the 6 MB that Lambda takes could need more memory than the function has.
_LONGEST_BODY = 1_700_000
GATEWAYS = "API Gateway, a function URL or a load balancer"


class Request:
    """One call of a handler.

    `parameters` are those of the query. `body` is parsed JSON, a dict of form fields, or None.
    """

    __slots__ = ("body", "parameters", "user_agent")

    def __init__(
        self, parameters: Mapping[str, Any], body: Any = None, user_agent: str = ""
    ) -> None:
        self.parameters = parameters
        self.body = body
        self.user_agent = user_agent


class Format:
    """One format of events. What this class implements is common to API Gateway's formats.

    Whatever an event holds, reading it raises nothing but BadRequest.
    """

    is_gateway = True
    """False where the caller gets a plain value or an exception instead of an HTTP response."""

    def matches(self, event: Any, context: Any) -> bool:
        """Return whether the event has this format. `context` is its `requestContext`, if any."""
        return isinstance(context, dict)

    def method(self, event: Mapping[str, Any]) -> str:
        """Return the HTTP method in capitals, or "" if the event has no method."""
        return _upper(event.get("httpMethod"))

    def parameters(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the parameters of the query."""
        return _dict(event.get("queryStringParameters")) or _last_values(
            event.get("multiValueQueryStringParameters")
        )

    def header(self, event: Mapping[str, Any], name: str) -> str:
        """Return a header, or "" if it is missing. `name` is in title case, like Content-Type."""
        headers = _dict(event.get("headers")) or _last_values(event.get("multiValueHeaders"))
        value = headers.get(name)
        if value is None:  # their case is the client's, and HTTP/2 has lower case
            name = name.lower()
            value = headers.get(name)
        if value is None:
            value = next((v for key, v in headers.items() if str(key).lower() == name), "")
        return value if isinstance(value, str) else ""

    def response(self, status: int, headers: dict[str, str], body: str) -> Any:
        """Return the answer in the shape that the gateway expects."""
        return {"statusCode": status, "headers": headers, "body": body}


class RestApi(Format):
    """A REST API with Lambda proxy integration: payload format 1.0.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """

    def matches(self, event: Any, context: Any) -> bool:
        # A query cannot put a dict into a flat event.
        return isinstance(context, dict) and "httpMethod" in event and "elb" not in context


class HttpApi(Format):
    """An HTTP API or a Lambda function URL: payload format 2.0.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
    """

    def matches(self, event: Any, context: Any) -> bool:
        return isinstance(context, dict) and "http" in context

    def method(self, event: Mapping[str, Any]) -> str:
        return _upper(_dict(event["requestContext"]["http"]).get("method"))

    def parameters(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        # queryStringParameters joins the values of a repeated name with commas.
        raw = event.get("rawQueryString")
        if not isinstance(raw, str):
            return super().parameters(event)
        return _parse_form(raw) if raw else {}


class LoadBalancer(Format):
    """An Application Load Balancer, which does not decode the query.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
    """

    def matches(self, event: Any, context: Any) -> bool:
        return isinstance(context, dict) and "elb" in context

    def parameters(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        query = super().parameters(event)
        texts = [f"{name}={value}" for name, value in query.items() if isinstance(value, str)]
        return _parse_form("&".join(texts))

    def response(self, status: int, headers: dict[str, str], body: str) -> Any:
        # A target group reads one of the two kinds of headers; its setting says which.
        lists = {name: [text] for name, text in headers.items()}
        answer = super().response(status, headers, body)
        return {**answer, "multiValueHeaders": lists, "isBase64Encoded": False}


class OtherGateway(Format):
    """A gateway that Gimel does not read, such as a WebSocket API or VPC Lattice."""

    def method(self, event: Mapping[str, Any]) -> Any:
        raise BadRequest(f"the event must come from {GATEWAYS}")


class Flat(Format):
    """A dict of the parameters: `aws lambda invoke`, and the mapping template of Gimel 1.5.0."""

    is_gateway = False

    def matches(self, event: Any, context: Any) -> bool:
        # The events of queues, schedules and other services are nested.
        return isinstance(event, dict) and (
            "experiment" in event
            or "conclude" in event  # its record may be an object
            or not any(value and isinstance(value, (dict, list)) for value in event.values())
        )

    def parameters(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        return event


FORMATS = (RestApi(), HttpApi(), LoadBalancer(), OtherGateway(), Flat())
"""Most events come from a REST API, so it is the first."""


def format_of(event: Any) -> Format:
    """Return the format of an event. Raises BadRequest where it has none."""
    context = event.get("requestContext") if isinstance(event, dict) else None
    for event_format in FORMATS:
        if event_format.matches(event, context):
            return event_format
    raise BadRequest(f"the event must be a JSON object of parameters, or come from {GATEWAYS}")


def parse_request(event_format: Format, event: Mapping[str, Any], method: str) -> Request:
    """Return the request of a gateway's event. Only a POST has a body. Raises BadRequest."""
    body = None
    if method == "POST":
        body = _body(event, event_format.header(event, "Content-Type"))
    return Request(event_format.parameters(event), body, event_format.header(event, "User-Agent"))


def _upper(value: Any) -> str:
    return value.upper() if isinstance(value, str) else ""


def _dict(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _last_values(lists: Any) -> dict[Any, Any]:
    """Return the last value of each name, which is the one that a gateway chooses."""
    items = _dict(lists).items()
    return {name: values[-1] for name, values in items if values and isinstance(values, list)}


def _body(event: Mapping[str, Any], content_type: str) -> Any:
    raw = event.get("body")
    if not isinstance(raw, str):
        return None
    if len(raw) > _LONGEST_BODY:
        raise BadRequest(f"the body is longer than {_LONGEST_BODY} characters")
    if event.get("isBase64Encoded"):
        try:
            raw = a2b_base64(raw).decode()
        except ValueError:
            raise BadRequest("the body is not valid UTF-8 text") from None
    text = raw.removeprefix("\ufeff").strip()  # .NET and PowerShell write a byte order mark
    if not text:
        return None
    kind = "" if text[0] in "[{" else content_type.lower()
    if kind.startswith("application/x-www-form-urlencoded"):
        return _parse_form(text)
    if kind.startswith("multipart/form-data"):
        from gimel.runtime import multipart  # few pages send it

        return multipart.parse(text, content_type)
    try:
        # Whatever the content type: sendBeacon sends text/plain, and curl -d calls JSON a form.
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BadRequest("the body must be a JSON object, a list of them, or a form") from None


def _parse_form(text: str) -> dict[str, str]:
    from urllib.parse import parse_qsl  # takes 2 ms of a cold start, and REST APIs parse the query

    try:
        return dict(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=100))
    except ValueError:
        raise BadRequest("the parameters must be URL-encoded UTF-8, at most 100 of them") from None
