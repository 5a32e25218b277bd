"""The HTTP contract, the same for every handler: statuses, headers and errors.

A handler's action is a function of a `Request`. What it returns becomes a 200, what it raises an
error whose text contains no details of the server. `formats` knows how each gateway hands over its
event and takes the answer.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from gimel.runtime import process
from gimel.runtime.errors import BadRequest, RedisError
from gimel.runtime.formats import Request, format_of, parse_request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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

OK = {"status": "ok"}
"""The answer to an event that was counted: the same object each time."""

_OK_BODY = json.dumps(OK)


def answer(
    event: Any,
    context: Any,
    action: Callable[[Request, process.Process], Any],
    *,
    methods: tuple[str, ...],
    unavailable: str,
) -> Any:
    """Run a handler's action on an event and answer in the event's own format.

    `action(request, process)` returns the value of a 200, raises BadRequest for a 400 and
    RedisError for a 503 with the text `unavailable`. Other methods than `methods` are answered 405.
    A flat event is answered with the plain value, and errors are raised.
    """
    event_format = format_of(event)
    if not event_format.is_gateway:
        return action(Request(event_format.parameters(event)), process.current(context))
    method = ""
    origins: tuple[str, ...] = ("*",)
    status, value = 200, {}
    try:
        method = event_format.method(event)
        state = process.current(context)
        origins = state.settings.allowed_origins
        if method in methods:
            value = action(parse_request(event_format, event, method), state)
        elif method != "OPTIONS":
            status, value = 405, {"error": f"the method must be {' or '.join(methods)}"}
    except BadRequest as error:
        status, value = 400, {"error": str(error), **error.details}
    except RedisError as error:
        log(error)
        status, value = 503, {"error": unavailable}
    except Exception as error:  # a defect: its place goes to the log, nothing to the caller
        log(error)
        status, value = 500, {"error": "internal error"}
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": CACHE_CONTROL,
        "Content-Type": "application/json",
    }
    if "*" not in origins:
        origin = event_format.header(event, "Origin")
        headers["Access-Control-Allow-Origin"] = (
            origin if origin in origins else next(iter(origins), "")
        )
        headers["Vary"] = "Origin"
    if status == 405:
        headers["Allow"] = _allowed(methods)
    if method == "OPTIONS":
        headers.update(preflight_headers(methods))
    return event_format.response(status, headers, _OK_BODY if value is OK else json.dumps(value))


def preflight_headers(methods: tuple[str, ...]) -> dict[str, str]:
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


def _allowed(methods: tuple[str, ...]) -> str:
    return ",".join((*methods, "OPTIONS"))
