"""One POST request with a limit on all of its time, whatever the other side does.

It follows no redirect: the alerts are for one URL. Proxies are those of the environment.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError, URLError

from gimel import __version__

SECONDS = 5.0
"""For the whole request."""

_MOST = 2000  # bytes of a refusal that are read


class NotSent(Exception):
    """The receiver did not accept a message. The text says why, without any secret."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """Send a POST request, and return the status and the beginning of a refusal.

    Raises NotSent unless the answer is HTTP and in time.
    """
    given = {"User-Agent": f"gimel/{__version__}", **headers}
    request = urllib.request.Request(url, body, given, method="POST")  # noqa: S310 - http(s)
    answers: list[tuple[int, str] | NotSent] = []

    def ask() -> None:
        try:
            answers.append(_ask(request))
        except Exception as error:
            answers.append(NotSent(_reason(error)))

    # The timeout of a connection begins again with each byte, so that a server which sends one byte
    # at a time could hold a run for hours.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(SECONDS)
    answer = answers[0] if answers else NotSent(_reason(TimeoutError()))
    if isinstance(answer, NotSent):
        raise answer
    return answer


def _ask(request: urllib.request.Request) -> tuple[int, str]:
    tls = urllib.request.HTTPSHandler(context=ssl.create_default_context())
    opener = urllib.request.build_opener(_NoRedirects, tls)
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            return answer.status, ""  # some servers keep the connection open, without a body
    except HTTPError as refusal:
        said = b""
        with contextlib.suppress(OSError, http.client.HTTPException), refusal:
            said = refusal.read(_MOST)
        return refusal.code, said.decode("utf-8", "replace")


def _reason(error: Exception) -> str:
    if isinstance(error, URLError) and isinstance(error.reason, Exception):
        error = error.reason
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return f"it did not answer within {SECONDS:g} seconds"
    if isinstance(error, socket.gaierror):
        return "its host was not found"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return "it closed the connection"
    if isinstance(error, http.client.HTTPException):
        return "its answer is not HTTP"
    detail = getattr(error, "strerror", None) or type(error).__name__
    return f"the connection failed: {detail}"
