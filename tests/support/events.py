"""Gateway events as AWS builds them, and reading their answers."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

EVENT = {"experiment": "button", "variant": "red", "event": "participate", "uuid": "visitor-1"}
"""A valid event; tests add to it or change it."""

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"


def rest(
    method: str = "GET",
    query: dict[str, str] | None = None,
    body: str | None = None,
    **headers: str,
) -> dict[str, Any]:
    """An API Gateway REST proxy event (payload 1.0). Header names take underscores for dashes."""
    return {
        "resource": "/track",
        "path": "/track",
        "httpMethod": method,
        "headers": {
            "User-Agent": BROWSER,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        "queryStringParameters": query,
        "multiValueQueryStringParameters": None
        if query is None
        else {name: [value] for name, value in query.items()},
        "pathParameters": None,
        "requestContext": {"resourcePath": "/track", "httpMethod": method, "stage": "prod"},
        "body": body,
        "isBase64Encoded": False,
    }


def url(
    method: str = "GET",
    query: dict[str, str] | None = None,
    body: str | None = None,
    **headers: str,
) -> dict[str, Any]:
    """An event of an HTTP API or a Lambda Function URL (payload 2.0)."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/track",
        "rawQueryString": urlencode(query or {}),
        "headers": {
            "user-agent": BROWSER,
            **{name.replace("_", "-").lower(): value for name, value in headers.items()},
        },
        **({"queryStringParameters": query} if query else {}),
        "requestContext": {
            "http": {"method": method, "path": "/track", "userAgent": BROWSER},
            "stage": "$default",
        },
        **({"body": body} if body is not None else {}),
        "isBase64Encoded": False,
    }


def read(answer: dict[str, Any]) -> tuple[int, Any]:
    """Return status and parsed body of a gateway answer."""
    return answer["statusCode"], json.loads(answer["body"])
