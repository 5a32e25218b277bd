"""Gateway event in, gateway answer out: the HTTP contract, the same for every handler.

Three forms of event are understood: API Gateway's REST proxy (payload 1.0), its HTTP API and Lambda's Function URLs (payload
2.0), and a flat dict of the parameters (`aws lambda invoke`, and the mapping template of Gimel 1.5.0), which is answered with
the plain value and an exception instead of a status. Everything is parsed here, once: a handler sees a `Request`.
"""

import json
import sys
from binascii import a2b_base64

from gimel.runtime import settings
from gimel.runtime.errors import BadRequest, RedisError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from gimel.runtime.settings import Settings

    Action: TypeAlias = Callable[["Request", Settings, Any], Any]


class Request:
    """One call of a handler: the query's parameters, and the body as parsed JSON, a dict of form fields or None."""

    __slots__ = ("body", "parameters", "user_agent")

    def __init__(
        self, parameters: "Mapping[str, Any]", body: "Any" = None, user_agent: str = ""
    ) -> None:
        self.parameters = parameters
        self.body = body
        self.user_agent = user_agent


def answer(event: "Any", context: "Any", methods: "tuple[str, ...]", action: "Action") -> "Any":
    """Run a handler's action on an event and answer in the event's own form.

    `action(request, settings, context)` returns the value of a 200, raises BadRequest for a 400, RedisError for a 503.
    """
    form = _form(event)
    if form is None:
        if not isinstance(event, dict):
            raise BadRequest("the event must be an object that holds the parameters")
        return action(Request(event), settings.current(), context)
    method, origin = "", ""
    origins: tuple[str, ...] = ("*",)
    value: Any
    try:
        headers = _headers(event)
        origin = headers.get("origin", "")
        method = _method(event, form)
        configured = settings.current()
        origins = configured.allowed_origins
        if method == "OPTIONS":
            status, value = 200, {}
        elif form == "2.0" and method not in methods:  # a REST API has its wiring decide
            status, value = 405, {"error": f"the method must be {' or '.join(methods)}"}
        else:
            status, value = 200, action(_request(event, form, method, headers), configured, context)
    except BadRequest as error:
        status, value = 400, {"error": str(error), **error.details}
    except RedisError as error:
        log(error)
        status, value = (
            503,
            {"error": "the store cannot be reached now; send the event again later"},
        )
    except (
        Exception
    ) as error:  # the last line of defence: no stack trace in an answer, and its place in the log
        log(error)
        status, value = 500, {"error": "internal error"}
    return {
        "statusCode": status,
        "headers": _answer_headers(status, method, methods, origin, origins),
        "body": json.dumps(value),
    }


def log(error: BaseException) -> None:
    """Write what failed and where as one JSON line. No values but those that our own errors chose to hold."""
    line: dict[str, Any] = {"level": "ERROR", "error": type(error).__name__}
    if isinstance(error, RedisError):
        line["message"] = str(error)
    else:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is not None:
            line["where"] = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
    print(json.dumps(line), file=sys.stderr)  # noqa: T201 - Lambda's log is its standard error


def _form(event: "Any") -> "str | None":
    """Return the payload version of a gateway's event, None for a flat one. A query can put no dict into a flat event."""
    if not isinstance(event, dict) or not isinstance(event.get("requestContext"), dict):
        return None
    if event.get("version") == "2.0" or "http" in event["requestContext"]:
        return "2.0"
    return "1.0"


def _method(event: "Mapping[str, Any]", form: str) -> str:
    method = event.get("httpMethod")
    if form == "2.0":
        http = event["requestContext"].get("http")
        method = http.get("method") if isinstance(http, dict) else None
    return method.upper() if isinstance(method, str) else ""


def _headers(event: "Mapping[str, Any]") -> "dict[str, str]":
    headers = event.get("headers")
    if not isinstance(headers, dict):
        return {}
    return {
        name.lower(): value
        for name, value in headers.items()
        if isinstance(name, str) and isinstance(value, str)
    }


def _request(
    event: "Mapping[str, Any]", form: str, method: str, headers: "Mapping[str, str]"
) -> Request:
    if form == "2.0" and isinstance(event.get("rawQueryString"), str):
        # The parsed parameters of 2.0 join a repeated name with commas; the raw string has the truth.
        parameters: Mapping[str, Any] = (
            _parse_form(event["rawQueryString"]) if event["rawQueryString"] else {}
        )
    else:
        given = event.get("queryStringParameters")
        parameters = given if isinstance(given, dict) else {}
    body = _body(event, headers.get("content-type", "")) if method in ("POST", "PUT") else None
    return Request(parameters, body, headers.get("user-agent", ""))


def _body(event: "Mapping[str, Any]", content_type: str) -> "Any":
    raw = event.get("body")
    if not isinstance(raw, str):
        return None
    if event.get("isBase64Encoded"):
        try:
            raw = a2b_base64(raw).decode()
        except ValueError:
            raise BadRequest("the body is not valid UTF-8 text") from None
    text = raw.strip()
    if not text:
        return None
    if text[0] not in "[{" and content_type.lower().startswith("application/x-www-form-urlencoded"):
        return _parse_form(text)
    try:
        # Whatever the content type: sendBeacon says text/plain, and curl -d calls JSON a form.
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BadRequest("the body must be a JSON object, a list of them, or a form") from None


def _parse_form(text: str) -> "dict[str, str]":
    from urllib.parse import parse_qsl  # costs a cold start 2 ms, and REST proxies come parsed

    try:
        return dict(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=100))
    except ValueError:
        raise BadRequest("the parameters must be URL-encoded UTF-8, at most 100 of them") from None


def _answer_headers(
    status: int, method: str, methods: "tuple[str, ...]", origin: str, origins: "tuple[str, ...]"
) -> "dict[str, str]":
    headers = {
        "Access-Control-Allow-Origin": "*"
        if "*" in origins
        else origin
        if origin in origins
        else next(iter(origins), ""),
        "Cache-Control": "no-cache, no-store, must-revalidate",
        "Content-Type": "application/json",
    }
    if "*" not in origins:
        headers["Vary"] = "Origin"
    if status == 405:
        headers["Allow"] = ",".join((*methods, "OPTIONS"))
    if method == "OPTIONS":
        headers["Access-Control-Allow-Methods"] = ",".join((*methods, "OPTIONS"))
        headers["Access-Control-Allow-Headers"] = "Content-Type,X-Api-Key"
        headers["Access-Control-Max-Age"] = "86400"
    return headers
