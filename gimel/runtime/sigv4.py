"""Signatures of AWS, version 4: tokens that log in to ElastiCache, and signed requests.

Pure functions of the credentials and the time. Shipped only to functions that need them.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping

from gimel.runtime.errors import SettingsError

TOKEN_SECONDS = 900
"""For how long ElastiCache accepts a token for a new connection; it allows no longer time."""

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class Credentials:
    """The credentials of a Lambda function and its region."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Read what AWS Lambda sets for the function's role. Raises SettingsError without it."""
        try:
            self.access_key = environment["AWS_ACCESS_KEY_ID"]
            self.secret_key = environment["AWS_SECRET_ACCESS_KEY"]
            self.region = environment.get("AWS_REGION") or environment["AWS_DEFAULT_REGION"]
        except KeyError as missing:
            raise SettingsError(
                f"the environment variable {missing.args[0]} is missing, which AWS Lambda sets"
            ) from None
        self.session_token = environment.get("AWS_SESSION_TOKEN")


def elasticache_token(
    credentials: Credentials, cache: str, user: str, now: float | None = None
) -> str:
    """Return the password with which an IAM user of a serverless cache logs in.

    It is a presigned URL without its scheme. `now` is in seconds since 1970.
    Source: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
    """
    cache = cache.lower()  # as ElastiCache names it, whatever it was created as
    at = _at(now)
    scope = _scope(credentials, "elasticache", at)
    query = {
        "Action": "connect",
        "User": user,
        "ResourceType": "ServerlessCache",
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": at,
        "X-Amz-Expires": str(TOKEN_SECONDS),
        "X-Amz-SignedHeaders": "host",
    }
    if credentials.session_token:
        query["X-Amz-Security-Token"] = credentials.session_token
    encoded = "&".join(sorted(f"{name}={_quote(value)}" for name, value in query.items()))
    signature = _signature(credentials, scope, at, "GET", encoded, {"host": cache}, b"")
    return f"{cache}/?{encoded}&X-Amz-Signature={signature}"


def signed_headers(
    credentials: Credentials,
    service: str,
    headers: Mapping[str, str],
    body: bytes,
    now: float | None = None,
) -> dict[str, str]:
    """Return the headers of a POST to `/` with those that sign all of them and the body.

    The names in `headers` are in lower case, and `host` is among them.
    """
    at = _at(now)
    signed = {**headers, "x-amz-date": at}
    if credentials.session_token:
        signed["x-amz-security-token"] = credentials.session_token
    scope = _scope(credentials, service, at)
    signature = _signature(credentials, scope, at, "POST", "", signed, body)
    authorization = (
        f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={';'.join(sorted(signed))}, Signature={signature}"
    )
    return {**signed, "authorization": authorization}


def _signature(
    credentials: Credentials,
    scope: str,
    at: str,
    method: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
) -> str:
    names = sorted(headers)
    lines = [f"{name}:{' '.join(headers[name].split())}" for name in names]
    hashed = hashlib.sha256(body).hexdigest()
    request = "\n".join([method, "/", query, *lines, "", ";".join(names), hashed])
    to_sign = "\n".join([_ALGORITHM, at, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (*scope.split("/"), to_sign):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


def _scope(credentials: Credentials, service: str, at: str) -> str:
    return f"{at[:8]}/{credentials.region}/{service}/aws4_request"


def _at(now: float | None) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))


def _quote(text: str) -> str:
    return "".join(chr(c) if c in _UNRESERVED else f"%{c:02X}" for c in text.encode())
