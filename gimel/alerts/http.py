"""One POST request with a limit on all of its time, whatever the other side does.

A timeout of Python's HTTP clients begins again with each byte, so that a server which answers one
byte at a time could hold a run for hours. It follows no redirect: the alerts are for one URL.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from gimel import __version__

SECONDS = 5.0
"""For the whole request, except looking up the host's address."""

_MOST = 64 * 1024  # bytes of an answer that are read


class NotSent(Exception):
    """The receiver did not accept a message. The text says why, without any secret."""


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """Send a POST request, and return the status and the beginning of the answer.

    Raises NotSent unless the answer is HTTP and in time.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    path = parts.path or "/"
    if parts.query:
        path += f"?{parts.query}"
    head = {
        "Host": parts.netloc,
        "User-Agent": f"gimel/{__version__}",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **headers,
    }
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    request = "\r\n".join([*lines, "", ""]).encode("ascii") + body
    deadline = time.monotonic() + SECONDS
    try:
        with _connected(host, port, parts.scheme == "https", deadline) as connection:
            connection.settimeout(_left(deadline))
            connection.sendall(request)
            return _read(connection, deadline)
    except ssl.SSLCertVerificationError as error:
        raise NotSent(f"its certificate is not trusted: {error.verify_message}") from None
    except TimeoutError:
        raise NotSent(f"it did not answer within {SECONDS:g} seconds") from None
    except socket.gaierror:
        raise NotSent("its host was not found") from None
    except OSError as error:
        raise NotSent(f"the connection failed: {error.strerror or type(error).__name__}") from None


@contextlib.contextmanager
def _connected(host: str, port: int, encrypt: bool, deadline: float) -> Iterator[socket.socket]:
    with contextlib.closing(_connect(host, port, deadline)) as plain:
        if not encrypt:
            yield plain
            return
        context = ssl.create_default_context()
        plain.settimeout(_left(deadline))
        with contextlib.closing(context.wrap_socket(plain, server_hostname=host)) as encrypted:
            yield encrypted


def _connect(host: str, port: int, deadline: float) -> socket.socket:
    """Return a connection to the first address that takes one. All of them share the time."""
    failure: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(_left(deadline))
            connection.connect(address)
        except TimeoutError:
            connection.close()
            raise
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure or OSError("the host has no address")


def _read(connection: socket.socket, deadline: float) -> tuple[int, str]:
    """Return the status and, unless it is 2xx, the beginning of the body.

    An accepted message needs no body, and some servers keep the connection open.
    """
    data = _receive_head(connection, deadline)
    status, said = _parse(data)
    if status is None:
        raise NotSent("its answer is not HTTP" if data else "it closed the connection")
    if not 200 <= status < 300:
        with contextlib.suppress(OSError):  # the status says enough
            while len(data) < _MOST and (more := _receive(connection, deadline)):
                data += more
                _, said = _parse(data)
    return status, said


def _receive_head(connection: socket.socket, deadline: float) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and len(data) < _MOST:
        more = _receive(connection, deadline)
        if not more:
            break
        data += more
    return data


def _receive(connection: socket.socket, deadline: float) -> bytes:
    connection.settimeout(_left(deadline))
    return connection.recv(4096)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _parse(data: bytes) -> tuple[int | None, str]:
    """Return the status of an answer, None if it is not one, and what has arrived of its body."""
    answer = http.client.HTTPResponse(_Received(data))  # type: ignore[arg-type]
    try:
        answer.begin()
        said = answer.read()
    except http.client.IncompleteRead as error:
        said = error.partial
    except (http.client.HTTPException, ValueError, OSError):
        return None, ""
    return answer.status, said.decode("utf-8", "replace")


class _Received:
    """What `http.client` needs of a socket, with bytes that have arrived."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)
