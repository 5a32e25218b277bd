"""What is moved, and the cluster that it is moved to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from gimel.runtime import conclude, snapshot
from gimel.runtime.counter import Experiment
from tests.support.moving import counted, process_of, send
from tests.support.redis_content import Contents
from tests.support.servers import Store, running_cluster

NOW = 1_800_000_000


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


@pytest.fixture
def before(session_store: Store, store: redis.Redis) -> Contents:
    """The content of a store with two namespaces: counts, histories, notes and a conclusion."""
    process = process_of(session_store.port)
    for day in range(2):
        process.at = NOW + day * 86_400
        for name in ("button", "a:b %", "kept", "new"):
            send(process, name, *(f"{each}{day}" for each in "abcb"))
        assert len(list(snapshot.take(process, NOW + day * 86_400))) == 4 + day
        send(process, "other", "a", "b", namespace="sh:op")
    store.hset("alephbet:button:meta", mapping={"ignored:bot": 7, "alerted:email": "{}"})
    store.hset("alephbet:meta", "ignored:limit reached", 3)
    conclude._conclude(process, Experiment("alephbet", "kept"), {"winner": "variant a"})
    process.redis.close()
    return counted(store)
