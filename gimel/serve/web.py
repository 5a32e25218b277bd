"""A web server on this machine: a socket that listens, and an application that is run on it. Knows of no page."""

from __future__ import annotations

import errno
import signal
import socket
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from gimel.errors import GimelError


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; port 0 takes a free one. Raises GimelError, as when the port is in use."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(address)
            listening.listen(2048)
        except BaseException:
            listening.close()
            raise
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise GimelError(
                f"Port {port} of {host} is in use.", "Choose another with --port."
            ) from None
        raise GimelError(
            f"Cannot listen on port {port} of {host}: {error.strerror}.",
            "Choose others with --host and --port.",
        ) from None
    return listening


def end_on_signals() -> None:
    """Have Ctrl-C and SIGTERM end this process in order: what it started is ended too. For the main thread."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a script's background job is started deaf to it


def run(app: Starlette, listening: socket.socket) -> None:
    """Serve until interrupted; requests under way are answered first. Ends with KeyboardInterrupt on Ctrl-C."""
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(
        sockets=[listening]
    )
