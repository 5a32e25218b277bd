"""The HTTP contract, the same for every handler: statuses, headers and errors.

A handler is a function of a `Request`. What it returns becomes a 200, what it raises an error
whose text contains no details of the server. `event` knows how each gateway hands over its event
and takes the answer.
"""

import json
import sys

from gimel.runtime import settings
from gimel.runtime.errors import BadRequest, RedisError
from gimel.runtime.event import Request, format_of, parse_request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from gimel.runtime.settings import Settings

    Action: TypeAlias = Callable[[Request, Settings, Any], Any]

CACHE_CONTROL = "no-cache, no-store, must-revalidate"
ALLOWED_HEADERS = (
    "*,Authorization,Content-Type,X-Api-Key,X-Requested-With,baggage,traceparent,tracestate,"
    "sentry-trace,b3,x-b3-flags,x-b3-parentspanid,x-b3-sampled,x-b3-spanid,x-b3-traceid,"
    "x-datadog-origin,x-datadog-parent-id,x-datadog-sampling-priority,x-datadog-trace-id,"
    "newrelic,x-amzn-trace-id"
)
"""What pages may send: `*` is everything but Authorization, except in old versions of Safari.

Tracing tools add the others to all requests of a page.
"""


def answer(
    event: "Any",
    context: "Any",
    action: "Action",
    *,
    methods: "tuple[str, ...]",
    unavailable: str,
) -> "Any":
    """Run a handler's action on an event and answer in the event's own format.

    `action(request, settings, context)` returns the value of a 200, raises BadRequest for a 400 and
    RedisError for a 503 with the text `unavailable`. Other methods than `methods` are answered 405.
    A flat event is answered with the plain value, and errors are raised.
    """
    event_format = format_of(event)
    if not event_format.is_gateway:
        return action(Request(event_format.parameters(event)), settings.current(), context)
    method, origin = "", ""
    origins: tuple[str, ...] = ("*",)
    value: Any
    try:
        headers = event_format.headers(event)
        origin = headers.get("origin", "")
        method = _method(event_format.method(event))
        configured = settings.current()
        origins = configured.allowed_origins
        if method == "OPTIONS":
            status, value = 200, {}
        elif method not in methods:
            status, value = 405, {"error": f"the method must be {' or '.join(methods)}"}
        else:
            request = parse_request(event_format, event, method, headers)
            status, value = 200, action(request, configured, context)
    except BadRequest as error:
        status, value = 400, {"error": str(error), **error.details}
    except RedisError as error:
        log(error)
        status, value = 503, {"error": unavailable}
    except Exception as error:  # a defect: its place goes to the log, nothing to the caller
        log(error)
        status, value = 500, {"error": "internal error"}
    return event_format.response(status, _headers(status, method, methods, origin, origins), value)


def preflight_headers(methods: "tuple[str, ...]") -> "dict[str, str]":
    """Return what the answer to a CORS preflight request allows, apart from the origin."""
    return {
        "Access-Control-Allow-Methods": _allowed(methods),
        "Access-Control-Allow-Headers": ALLOWED_HEADERS,
        "Access-Control-Max-Age": "86400",
    }


def log(error: BaseException) -> None:
    """Write what failed and where as one line of JSON.

    The only message that it contains is that of Gimel's own errors, which hold no secret.
    """
    line: dict[str, Any] = {"level": "ERROR", "error": type(error).__name__}
    if isinstance(error, RedisError):
        line["message"] = str(error)
    else:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is not None:
            code = trace.tb_frame.f_code
            file = code.co_filename.rpartition("/")[2]
            line["where"] = f"{file}:{code.co_name}:{trace.tb_lineno}"
    print(json.dumps(line), file=sys.stderr)  # noqa: T201 - Lambda's log is its standard error


def _method(given: "Any") -> str:
    return given.upper() if isinstance(given, str) else ""


def _allowed(methods: "tuple[str, ...]") -> str:
    return ",".join((*methods, "OPTIONS"))


def _headers(
    status: int, method: str, methods: "tuple[str, ...]", origin: str, origins: "tuple[str, ...]"
) -> "dict[str, str]":
    headers = {
        "Access-Control-Allow-Origin": _allowed_origin(origin, origins),
        "Cache-Control": CACHE_CONTROL,
        "Content-Type": "application/json",
    }
    if "*" not in origins:
        headers["Vary"] = "Origin"
    if status == 405:
        headers["Allow"] = _allowed(methods)
    if method == "OPTIONS":
        headers.update(preflight_headers(methods))
    return headers


def _allowed_origin(origin: str, origins: "tuple[str, ...]") -> str:
    if "*" in origins:
        return "*"
    return origin if origin in origins else next(iter(origins), "")
