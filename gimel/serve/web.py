"""A web server on this machine: a listening socket, and an application that runs on it.

This module does not know what the pages are.
"""

from __future__ import annotations

import errno
import signal
import socket
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from gimel.errors import GimelError


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises GimelError."""
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
                f"Port {port} of {host} is already in use.", "Choose another port with --port."
            ) from None
        raise GimelError(
            f"Cannot listen on port {port} of {host}: {error.strerror}.",
            "Choose another --host or --port.",
        ) from None
    return listening


def address(listening: socket.socket) -> str:
    """Return the URL by which this machine reaches a listening socket, without a path.

    Browsers do not open the address that stands for all addresses of the machine.
    """
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound here
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def is_everywhere(listening: socket.socket) -> bool:
    """Whether a socket listens on all addresses of this machine."""
    return listening.getsockname()[0] in ("0.0.0.0", "::")  # noqa: S104 - not bound here


def exit_on_signals() -> None:
    """Let Ctrl-C and SIGTERM end this process cleanly, so that it stops what it started.

    For the main thread.
    """

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    # A background job of a script starts with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def run(app: Starlette, listening: socket.socket) -> None:
    """Serve until interrupted, and answer open requests first.

    Ends with KeyboardInterrupt on Ctrl-C.
    """
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(
        sockets=[listening]
    )
