"""The stores that counters are moved between: that of all tests, another one, and a cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from tests.support.servers import Store, running_cluster, running_store


@pytest.fixture(scope="session")
def other_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with running_store(tmp_path_factory.mktemp("other")) as store:
        yield store


@pytest.fixture(scope="session")
def cluster_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Store]]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as nodes:
        yield nodes


@pytest.fixture
def target(other_store: Store) -> Iterator[redis.Redis]:
    """A redis-py client of the other store, emptied."""
    with other_store.client() as client:
        client.flushall()
        yield client


@pytest.fixture
def cluster(cluster_nodes: list[Store]) -> Iterator[list[redis.Redis]]:
    """A redis-py client of each node of the cluster, all of them empty."""
    clients = [node.client() for node in cluster_nodes]
    for client in clients:
        client.flushall()
    yield clients
    for client in clients:
        client.close()
