"""A proxy between boto3 and the emulated account. It knows each call by the name that AWS gives it, and can spoil it.

The faults are real ones: an HTTP answer of AWS's or of a load balancer's, a TCP reset, the client killed while it waits.
"""

from __future__ import annotations

import functools
import http.client
import http.server
import json
import os
import re
import socket
import struct
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

import botocore.session

from tests.support.account import READING

_SIGNED_FOR = re.compile(r"Credential=[^/]+/\d+/[\w-]+/([\w-]+)/aws4_request")
_OF_ONE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Call:
    """A call: its number from 1 since the proxy began to count, and what it asks for."""

    number: int
    service: str
    operation: str
    body: bytes

    @property
    def mutating(self) -> bool:
        return not self.operation.startswith(READING)


@dataclass(frozen=True)
class Refuse:
    """Answer with an error, without a code as a load balancer does. The call is not made."""

    status: int
    code: str = ""
    message: str = ""


@dataclass(frozen=True)
class Reset:
    """Make the call, and reset the connection in place of its answer."""


@dataclass(frozen=True)
class Kill:
    """Make the call, and end the client with SIGKILL before it has the answer."""

    client: Callable[[], subprocess.Popen[Any]]


@dataclass(frozen=True)
class Edit:
    """Make the call, and change its answer, which is JSON."""

    change: Callable[[dict[str, Any]], None]


Spoiled: TypeAlias = Refuse | Reset | Kill | Edit
Fault = Callable[[Call], Spoiled | None]
_Proxy = TypeVar("_Proxy", bound="AwsProxy")


class AwsProxy:
    """Passes every call on to the emulator at `target`, unless `fault` has something for it.

    What is not signed, as the requests to a deployed API, is passed on and not counted.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.calls: list[Call] = []
        self._fault: Fault | None = None
        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(_Handler, self)
        )
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self: _Proxy) -> _Proxy:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def begin(self, fault: Fault | None = None) -> None:
        """Count calls anew, and from now on ask `fault` about each."""
        self.calls = []
        self._fault = fault

    @property
    def mutating(self) -> list[str]:
        """The operations that change something, among the calls."""
        return [call.operation for call in self.calls if call.mutating]

    def seen(self, service: str, operation: str, body: bytes) -> Spoiled | None:
        call = Call(len(self.calls) + 1, service, operation, body)
        self.calls.append(call)
        return self._fault(call) if self._fault else None


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, proxy: AwsProxy, *arguments: Any) -> None:
        self.proxy = proxy
        super().__init__(*arguments)

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        signed = _SIGNED_FOR.search(self.headers.get("Authorization", ""))
        fault = (
            self.proxy.seen(signed[1], self._operation(signed[1], body), body) if signed else None
        )
        if isinstance(fault, Refuse):
            self._send(fault.status, *_error(signed[1] if signed else "", fault))
            return
        status, headers, text = self._pass_on(body)
        if isinstance(fault, Edit):
            answer = json.loads(text)
            fault.change(answer)
            self._send(status, headers, json.dumps(answer).encode())
            return
        if isinstance(fault, Kill):
            client = fault.client()
            client.kill()
            client.wait()
        if fault is not None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())
            self.close_connection = True
            return
        self._send(status, headers, text)

    def _operation(self, service: str, body: bytes) -> str:
        if target := self.headers.get("X-Amz-Target"):
            return target.split(".")[-1]
        if self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            return parse_qs(body.decode())["Action"][0]
        path = urlsplit(self.path).path
        return next(
            name
            for method, pattern, name in _routes(service)
            if method == self.command and pattern.fullmatch(path)
        )

    def _pass_on(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        place = urlsplit(self.proxy.target)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
        try:
            headers = {
                name: value
                for name, value in self.headers.items()
                if name.lower() not in _OF_ONE_CONNECTION
            }
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _send(self, status: int, headers: list[tuple[str, str]], text: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _OF_ONE_CONNECTION:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def _error(service: str, fault: Refuse) -> tuple[list[tuple[str, str]], bytes]:
    """Return an error in the protocol of its service."""
    if not fault.code:
        return [
            ("Content-Type", "text/html")
        ], b"<html><body><h1>Service Unavailable</h1></body></html>"
    if service in ("iam", "sts"):
        inside = f"<Type>Sender</Type><Code>{fault.code}</Code><Message>{escape(fault.message)}</Message>"
        return [
            ("Content-Type", "text/xml")
        ], f"<ErrorResponse><Error>{inside}</Error></ErrorResponse>".encode()
    told = {"__type": fault.code, "message": fault.message}
    return [("Content-Type", "application/json"), ("x-amzn-ErrorType", fault.code)], json.dumps(
        told
    ).encode()


@functools.cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    """Return (method, pattern of the path, operation) of a service's calls, those with the fewest variables first."""
    model = botocore.session.get_session().get_service_model(service)
    routes = []
    for name in model.operation_names:
        asked = model.operation_model(name).http
        if "?" in asked["requestUri"]:
            continue
        pattern = re.sub(r"\\\{\w+\\\+\\\}", ".+", re.escape(asked["requestUri"].rstrip("/")))
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", pattern)
        routes.append((asked["method"], re.compile(f"{pattern}/?"), str(name)))
    return sorted(routes, key=lambda route: route[1].pattern.count("+"))
