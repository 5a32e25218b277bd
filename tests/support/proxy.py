"""A proxy between boto3 and the emulated account, which recognises each call and can spoil it.

The faults are real: an HTTP answer as AWS or a load balancer gives it, a TCP reset, the client
killed while it waits.
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
import select
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, TypeAlias
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

import botocore.session

from tests.support.recorded_calls import mutating
from tests.support.servers import Listener

_SIGNED_FOR = re.compile(r"Credential=[^/]+/\d+/[\w-]+/([\w-]+)/aws4_request")


@dataclass(frozen=True)
class Call:
    """A call: its number, from 1, since the proxy began to count, and its HTTP request."""

    number: int
    service: str
    operation: str
    line: str
    body: bytes

    @property
    def mutating(self) -> bool:
        return bool(mutating([self.operation]))


@dataclass(frozen=True)
class Refuse:
    """Answer with an error instead of making the call. Without a code, as a load balancer does."""

    status: int
    code: str = ""
    message: str = ""


@dataclass(frozen=True)
class Reset:
    """Make the call, then reset the connection instead of answering."""


class Client(Protocol):
    """A process that can be killed."""

    def kill(self) -> None: ...

    def wait(self) -> object: ...


@dataclass(frozen=True)
class Kill:
    """Make the call, then kill the client before it has the answer."""

    client: Callable[[], Client]


@dataclass(frozen=True)
class Edit:
    """Make the call, then change its JSON answer."""

    change: Callable[[dict[str, Any]], None]


Spoiled: TypeAlias = Refuse | Reset | Kill | Edit
Fault = Callable[[Call], Spoiled | None]


class AwsProxy(Listener):
    """Passes every call on to the emulator at `target`, unless `fault` spoils it.

    Unsigned requests, such as those to a deployed API, are passed on and not counted.
    """

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        self.calls: list[Call] = []
        self._fault: Fault | None = None
        super().__init__(self._serve_client)
        self.url = f"http://127.0.0.1:{self.port}"

    def begin(self, fault: Fault | None = None) -> None:
        """Count calls from 1 again, and from now on ask `fault` about each."""
        self.calls = []
        self._fault = fault

    @property
    def operations(self) -> list[str]:
        """The operations of the calls."""
        return [call.operation for call in self.calls]

    @property
    def mutating(self) -> list[str]:
        """The operations that change something."""
        return mutating(self.operations)

    def _serve_client(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        upstream = _Upstream(self.target.hostname or "", self.target.port or 80)
        with connection.makefile("rb") as incoming, contextlib.closing(upstream):
            while request := _read(incoming):
                fault = self._fault_for(request)
                if isinstance(fault, Refuse):
                    connection.sendall(_error(fault, _service(request)))
                    continue
                answer = upstream.ask(request)
                if isinstance(fault, Edit):
                    edited = json.loads(answer.body)
                    fault.change(edited)
                    answer = answer.with_body(json.dumps(edited).encode())
                elif fault is not None:
                    if isinstance(fault, Kill):
                        client = fault.client()
                        client.kill()
                        client.wait()
                    linger = struct.pack("ii", 1, 0)  # closing sends RST
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    return
                connection.sendall(answer.head + answer.body)
                if answer.headers.get("connection", "").lower() == "close":
                    return

    def _fault_for(self, request: _Message) -> Spoiled | None:
        service = _service(request)
        if not service:
            return None
        operation = _operation(service, request)
        line = request.head.decode("latin-1").partition("\r\n")[0]
        call = Call(len(self.calls) + 1, service, operation, line, request.body)
        self.calls.append(call)
        return self._fault(call) if self._fault else None


@dataclass(frozen=True)
class _Message:
    """A request or an answer of HTTP/1.1 as it was sent."""

    head: bytes
    headers: dict[str, str]
    body: bytes

    def with_body(self, body: bytes) -> _Message:
        length = f"content-length: {len(body)}".encode()
        head = re.sub(rb"(?i)content-length: \d+", length, self.head)
        return _Message(head, self.headers, body)


def _read(stream: BinaryIO) -> _Message | None:
    """Return the next message of a connection, None at its end."""
    lines = []
    while (line := stream.readline()) not in (b"", b"\r\n"):
        lines.append(line)
    if not lines:
        return None
    pairs = (header.decode("latin-1").partition(":") for header in lines[1:])
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    assert "transfer-encoding" not in headers, headers
    body = stream.read(int(headers.get("content-length", 0)))
    return _Message(b"".join([*lines, b"\r\n"]), headers, body)


class _Upstream:
    """A connection to the emulator, reopened when the emulator has closed it."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._socket: socket.socket | None = None

    def ask(self, request: _Message) -> _Message:
        if self._socket and select.select([self._socket], [], [], 0)[0]:
            self.close()  # nothing was asked: what can be read is the end
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=60)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._incoming = self._socket.makefile("rb")
        self._socket.sendall(request.head + request.body)
        answer = _read(self._incoming)
        assert answer, "the emulator closed the connection"
        return answer

    def close(self) -> None:
        if self._socket is not None:
            self._incoming.close()
            self._socket.close()
            self._socket = None


def _service(request: _Message) -> str:
    """Return the service that a request is signed for, an empty string where it is not signed."""
    signed = _SIGNED_FOR.search(request.headers.get("authorization", ""))
    return signed[1] if signed else ""


def _operation(service: str, request: _Message) -> str:
    if target := request.headers.get("x-amz-target"):
        return target.split(".")[-1]
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return parse_qs(request.body.decode())["Action"][0]
    method, address, _ = request.head.decode("latin-1").split(" ", 2)
    path = urlsplit(address).path
    return next(
        name
        for wanted, pattern, name in _routes(service)
        if wanted == method and pattern.fullmatch(path)
    )


def _error(fault: Refuse, service: str) -> bytes:
    """Return an error in the protocol of its service."""
    kind, text = "application/json", json.dumps({"__type": fault.code, "message": fault.message})
    if not fault.code:
        kind, text = "text/html", "<html><body><h1>Service Unavailable</h1></body></html>"
    elif service in ("iam", "sts"):
        kind = "text/xml"
        inside = f"<Code>{fault.code}</Code><Message>{escape(fault.message)}</Message>"
        text = f"<ErrorResponse><Error><Type>Sender</Type>{inside}</Error></ErrorResponse>"
    body = text.encode()
    head = [
        f"HTTP/1.1 {fault.status} Refused",
        f"Content-Type: {kind}",
        *([f"x-amzn-ErrorType: {fault.code}"] if fault.code else []),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


@functools.cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    """Return (method, path pattern, operation) of a service's calls, fewest variables first."""
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
