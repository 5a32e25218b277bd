"""The runtime's Redis client as the tests use it: made with given options, closed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import pytest

from gimel.runtime.redis.client import Client
from gimel.runtime.settings import RedisOptions


class MakeClient(Protocol):
    def __call__(self, port: int, **options: Any) -> Client: ...


@pytest.fixture
def client() -> Iterator[MakeClient]:
    """Make a client of a loopback port. Time-outs are long unless the test sets them."""
    made: list[Client] = []

    def make(port: int, **options: Any) -> Client:
        defaults = {
            "host": "127.0.0.1",
            "port": port,
            "socket_timeout": 10,
            "socket_connect_timeout": 10,
        }
        made.append(Client(RedisOptions({**defaults, **options})))
        return made[-1]

    yield make
    for each in made:
        each.close()
