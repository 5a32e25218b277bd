"""Servers for the tests of the Redis client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.support.servers import Proxy, Store, running_cluster, running_store


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[Store]:
    """A server that the test may reconfigure, freeze or end."""
    with running_store(tmp_path, "--unixsocket", str(tmp_path / "s")) as running:
        yield running


@pytest.fixture
def locked_store(own_store: Store) -> Store:
    """A server with a password, and a user who may only use the keys `app:*`."""
    with own_store.client() as admin:
        admin.execute_command("ACL SETUSER", "app", "on", ">for app", "~app:*", "+@all")
        admin.config_set("requirepass", "s3cret")
    return own_store


@pytest.fixture
def proxy(session_store: Store, store: redis.Redis) -> Iterator[Proxy]:
    """A proxy in front of the empty store."""
    with Proxy(session_store.port) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Store]]:
    """The three nodes of a cluster."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as stores:
        yield stores


@pytest.fixture
def cluster(nodes: list[Store]) -> Iterator[list[redis.Redis]]:
    """A redis-py client of each node, all of them empty."""
    admins = [node.client() for node in nodes]
    for admin in admins:
        admin.flushall()
        admin.config_resetstat()
    yield admins
    for admin in admins:
        admin.close()
