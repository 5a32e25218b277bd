"""An HTTP request as the event that a REST API with AWS_PROXY integration hands to Lambda.

The format is payload 1.0:
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

STAGE = "prod"


def proxy_event(request: Request, body: bytes, resource: str) -> dict[str, Any]:
    """Return the event of a request that led to `resource`, such as "/track".

    Invalid UTF-8 is passed on in a form that the handlers refuse: in the query as surrogates, in
    the body as Base64. Replacing it by U+FFFD would make one visitor of all such uuids.
    """
    scope = request.scope
    query = parse_qsl(
        scope["query_string"].decode("utf-8", "surrogateescape"),
        keep_blank_values=True,
        errors="surrogateescape",
    )
    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
    ]
    path, method = scope["path"], scope["method"]
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": dict(headers),
        "multiValueHeaders": _grouped(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _grouped(query) or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": resource,
            "path": f"/{STAGE}{path}",
            "httpMethod": method,
            "stage": STAGE,
            "protocol": f"HTTP/{scope['http_version']}",
            "apiId": "local",
            "requestId": str(uuid.uuid4()),
            "requestTimeEpoch": int(time.time() * 1000),
            "identity": {
                "sourceIp": scope["client"][0] if scope.get("client") else None,
                "userAgent": request.headers.get("user-agent"),
            },
        },
        **_body(body),
    }


def _body(body: bytes) -> dict[str, Any]:
    try:
        return {"body": body.decode() or None, "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped
