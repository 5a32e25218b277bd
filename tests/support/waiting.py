"""How long an action of the Redis client takes, and servers that make it wait."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest
import redis

PING = [("ECHO", "ping")]
SOON = 0.15
"""A time-out, in seconds, that a test waits for."""
LONG = 10
"""More seconds than any wait that SOON bounds takes, on however slow a machine."""


def seconds_until(failure: type[Exception], action: Callable[[], object]) -> float:
    """Return how long the action took until it failed as expected."""
    begin = time.monotonic()
    with pytest.raises(failure):
        action()
    return time.monotonic() - begin


def stay_silent(connection: socket.socket) -> None:
    """Read what the client sends, and answer nothing."""
    while connection.recv(65536):
        pass


def connections_made(admin: redis.Redis) -> int:
    """Return how many connections the server has accepted until now."""
    return int(admin.info("stats")["total_connections_received"])
