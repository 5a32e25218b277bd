"""The cluster that counters are moved to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from tests.support.servers import Store, running_cluster


@pytest.fixture(scope="session")
def cluster_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Store]]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as nodes:
        yield nodes


@pytest.fixture
def cluster(cluster_nodes: list[Store]) -> Iterator[list[redis.Redis]]:
    """A redis-py client of each node of the cluster, all of them empty."""
    clients = [node.client() for node in cluster_nodes]
    for client in clients:
        client.flushall()
    yield clients
    for client in clients:
        client.close()
