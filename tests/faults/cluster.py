"""A Redis Cluster whose primaries have a replica each, and what happens to it under load.

It answers a write only while a replica is connected (`min-replicas-to-write`).
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import redis
from redis.crc import key_slot

from tests.faults.traffic import LIMITS
from tests.support.servers import (
    Store,
    bus_port,
    cluster_is_whole,
    running_cluster,
    start_cluster_node,
    wait_until,
)

PRIMARIES = 3
MOVED_SLOTS = 24
_BUSY_KEYS = (b"gimel:", b"alephbet:experiments", b"alephbet:counter_keys", b"alephbet:experiment-")
_OPTIONS = (
    *("--cluster-node-timeout", "1500"),
    *("--min-replicas-to-write", "1"),
    *("--repl-diskless-sync-delay", "0"),
    *("--cluster-allow-replica-migration", "no"),
)


class Cluster:
    """The nodes, of which any may be a primary at the moment."""

    def __init__(self, nodes: list[Store]) -> None:
        self.nodes = nodes

    @property
    def settings(self) -> dict[str, Any]:
        """What `gimel deploy` would put into GIMEL_SETTINGS: they name the first primary."""
        port = self.primaries()[0].port
        return {"redis": {"host": "127.0.0.1", "port": port}, "limits": LIMITS}

    @contextlib.contextmanager
    def admins(self) -> Iterator[list[redis.Redis]]:
        """A redis-py client of each primary."""
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(node.client()) for node in self.primaries()]

    def primaries(self) -> list[Store]:
        return [node for node in self.nodes if self.is_primary(node)]

    def is_primary(self, node: Store) -> bool:
        with node.client() as client:
            return bool(client.info("replication")["role"] == "master")

    def replica_of(self, primary: Store) -> Store:
        for node in self.nodes:
            with node.client() as client:
                if client.info("replication").get("master_port") == primary.port:
                    return node
        raise LookupError(f"the node with port {primary.port} has no replica")

    def start_again(self, node: Store) -> None:
        place = self.nodes.index(node)
        self.nodes[place] = start_cluster_node(node.directory, node.port, bus_port(node), *_OPTIONS)

    def wait_until_whole(self) -> None:
        """Wait until every primary has a replica, and accepts writes."""
        wait_until(lambda: all(self._is_whole(node) for node in self.nodes), 30)

    def flush(self) -> None:
        with self.admins() as admins:
            for admin in admins:
                admin.flushall()

    def _is_whole(self, node: Store) -> bool:
        if not cluster_is_whole(node, PRIMARIES, len(self.nodes)):
            return False
        with node.client() as client:
            info = client.info("replication")
        if info["role"] == "master":
            return bool(info.get("min_slaves_good_slaves"))
        return bool(info["master_link_status"] == "up")


@contextlib.contextmanager
def cluster_with_replicas(directory: Path) -> Iterator[Cluster]:
    """Run the cluster during a with block."""
    with running_cluster(directory, PRIMARIES, *_OPTIONS, replicas=True) as nodes:
        cluster = Cluster(nodes)
        cluster.wait_until_whole()
        yield cluster


class Change:
    """Something that happens to a cluster. It is over when the cluster is whole again."""

    name = ""
    may_refuse = True
    """Whether calls may be answered 503 meanwhile."""
    must_refuse = False
    """Whether some must be. Otherwise it had no effect."""

    def perform(self, cluster: Cluster) -> None:
        raise NotImplementedError

    def may_be_lost(self, key: str, answered: float) -> bool:
        """Return whether Redis may lose what it wrote to a key, and answered at that time."""
        return False


class PrimaryKilled(Change):
    """The node that the settings name dies. It comes back later, as a replica.

    Redis answers a write before the replica has it. So what a primary answered in the last moment
    may be lost with it.
    """

    name = "a primary killed (SIGKILL), its replica promoted"
    must_refuse = True
    _LAST_MOMENT = 1.0  # seconds

    def perform(self, cluster: Cluster) -> None:
        primary = cluster.primaries()[0]
        replica = cluster.replica_of(primary)
        self._slots = slots_of(primary)
        self._died = time.monotonic()
        primary.kill()
        wait_until(lambda: cluster.is_primary(replica))
        time.sleep(0.5)  # it refuses writes while it has no replica
        cluster.start_again(primary)
        cluster.wait_until_whole()

    def may_be_lost(self, key: str, answered: float) -> bool:
        # An answer may be read a little later. Nobody else serves the slots that soon.
        recently = -self._LAST_MOMENT < answered - self._died < self._LAST_MOMENT / 2
        return recently and any(key_slot(key.encode()) in each for each in self._slots)


class PrimaryReplaced(Change):
    """A failover as in maintenance: the replica takes over when it has everything."""

    name = "a planned failover (`CLUSTER FAILOVER`)"

    def perform(self, cluster: Cluster) -> None:
        for primary in cluster.primaries():
            replica = cluster.replica_of(primary)
            with replica.client() as client:
                client.execute_command("CLUSTER FAILOVER")
            wait_until(partial(cluster.is_primary, replica))
            cluster.wait_until_whole()


class SlotsMoved(Change):
    """Slots move from node to node with their keys, as in a resharding.

    Those of the indexes, which most calls read, stay half moved for longer than a call takes.
    """

    name = f"{MOVED_SLOTS} slots moved with their keys (`MIGRATE`)"
    may_refuse = False

    def perform(self, cluster: Cluster) -> None:
        with cluster.admins() as admins:
            places = {key: each for each in admins for key in each.scan_iter(count=1000)}
            busy = [key for key in places if key.startswith(_BUSY_KEYS)]
            chosen = {key_slot(key): places[key] for key in [*busy, *places][: 5 * MOVED_SLOTS]}
            for slot, source in list(chosen.items())[:MOVED_SLOTS]:
                target = admins[(admins.index(source) + 1) % PRIMARIES]
                move(slot, source, target, admins)


def slots_of(primary: Store) -> list[range]:
    """Return the slots that a primary serves."""
    with primary.client() as client:
        found = client.cluster("SLOTS")
    return [
        range(first, last + 1) for first, last, served, *_ in found if served[1] == primary.port
    ]


def move(
    slot: int, source: redis.Redis, target: redis.Redis, primaries: Sequence[redis.Redis]
) -> None:
    """Move a slot with its keys. For a moment some of them are on one node, some on the other."""
    port = target.connection_pool.connection_kwargs["port"]
    source_id, target_id = (ask(node, "CLUSTER MYID") for node in (source, target))
    ask(target, "CLUSTER SETSLOT", slot, "IMPORTING", source_id)
    ask(source, "CLUSTER SETSLOT", slot, "MIGRATING", target_id)
    time.sleep(0.01)
    while keys := ask(source, "CLUSTER GETKEYSINSLOT", slot, 2):
        ask(source, "MIGRATE", "127.0.0.1", port, "", 0, 5000, "KEYS", *keys)
        time.sleep(0.05)
    for node in (target, source, *primaries):
        ask(node, "CLUSTER SETSLOT", slot, "NODE", target_id)


def ask(admin: redis.Redis, command: str, *arguments: object) -> Any:
    return admin.execute_command(command, *arguments)  # type: ignore[no-untyped-call]


class Performing(threading.Thread):
    """A change that is being performed. `over` is when it was, or None if it failed."""

    def __init__(self, change: Change, cluster: Cluster) -> None:
        super().__init__(daemon=True)
        self._change, self._cluster = change, cluster
        self.over: float | None = None

    def run(self) -> None:
        self._change.perform(self._cluster)
        self.over = time.monotonic()


CHANGES: tuple[type[Change], ...] = (SlotsMoved, PrimaryReplaced, PrimaryKilled)
