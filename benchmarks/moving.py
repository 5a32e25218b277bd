"""How long it takes to move 1,000 experiments between servers and a cluster, while events arrive.

    python -m benchmarks.moving [--experiments 1000] [--server redis-server]

Each experiment has 2 variants and 3 goals, at precision 16, with 10,000 visitors per counter. They
are moved from Valkey to the other server, from there into a Valkey cluster, and back into Valkey.
Meanwhile visitors arrive at both ends. At the end of each move, both ends have the same counts.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from zlib import crc32

import redis

from tests.support import servers
from tests.support.moving import export_all, import_all, process_of, results, send
from tests.support.servers import Store, running_cluster, running_store

PRECISION = 16
VISITORS = 10_000
GOALS = ("participate", "cart", "sale", "signup")
_PAUSE = 0.01  # seconds between visitors


def fill(store: redis.Redis, number: int) -> None:
    """Write experiments as if they had been counted: with the same visitors in each of them."""
    shards: dict[int, list[bytes]] = {}
    for each in range(VISITORS):
        visitor = b"visitor %d" % each
        shards.setdefault(crc32(visitor) % PRECISION, []).append(visitor)
    values: list[bytes] = []
    for shard in range(PRECISION):
        store.pfadd("shard", *shards[shard])
        value = store.get("shard")
        assert isinstance(value, bytes)
        values.append(value)
        store.delete("shard")
    for each in range(number):
        name = f"experiment {each}"
        ids = [
            f"alephbet:counters:{name}:{goal}:{variant}::{PRECISION}"
            for goal in GOALS
            for variant in ("variant a", "variant b")
        ]
        with store.pipeline(transaction=False) as pipeline:
            for counter in ids:
                pipeline.mset({f"{counter}:{shard}": v for shard, v in enumerate(values)})
            pipeline.hset(f"alephbet:{name}:meta", mapping={"since": 1, "precision": PRECISION})
            pipeline.sadd("alephbet:counter_keys", *ids)
            pipeline.sadd("alephbet:experiments", name)
            pipeline.sadd("gimel:namespaces", "alephbet")
            pipeline.sadd(f"alephbet:{name}:counter_keys", *ids)
            pipeline.execute()


class Visitors(threading.Thread):
    """Visitors of 100 experiments, one after the other, until the end."""

    def __init__(self, port: int, name: str) -> None:
        super().__init__()
        self.port = port
        self.seen: list[tuple[str, str]] = []
        self._name = name
        self._ended = threading.Event()

    def run(self) -> None:
        process = process_of(self.port, PRECISION)
        for number in count():
            if self._ended.wait(_PAUSE):
                break
            self.seen.append(
                (f"experiment {number % 100}", f"{'ab'[number % 2]} {self._name} {number}")
            )
            send(process, *self.seen[-1])
        process.redis.close()

    def end(self) -> None:
        self._ended.set()
        self.join()


def move(source: int, target: int, file: Path) -> Iterator[str]:
    """Move everything while visitors arrive at both ends, and yield how long it took."""
    visitors = [Visitors(source, "old"), Visitors(target, "new")]
    visitors[0].start()
    for turn in ("first", "second"):
        began = time.perf_counter()
        export_all(source, file)
        exported = time.perf_counter()
        import_all(target, file)
        yield (
            f"  {turn} time: exported in {exported - began:.1f} s"
            f" ({file.stat().st_size / 1e6:.0f} MB), imported in"
            f" {time.perf_counter() - exported:.1f} s"
        )
        if turn == "first":
            visitors[1].start()
            time.sleep(1)
            visitors[0].end()
    visitors[1].end()
    process = process_of(source, PRECISION)
    for each in visitors[1].seen:  # then both ends have seen everybody
        send(process, *each)
    process.redis.close()
    ours, theirs = results(source), results(target)
    assert ours == theirs, "the counts differ"
    number = sum(len(each.seen) for each in visitors)
    yield f"  {len(ours):,} experiments have the same counts; {number:,} visitors arrived meanwhile"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--experiments", type=int, default=1000)
    parser.add_argument("--server", help="The other server's program, such as redis-server.")
    arguments = parser.parse_args()
    valkey = servers.store_binary
    with tempfile.TemporaryDirectory() as directory:
        homes = [Path(directory) / name for name in ("valkey", "other", "cluster")]
        for home in homes:
            home.mkdir()
        with running_store(homes[0]) as first, running_cluster(homes[2]) as nodes:
            if arguments.server:
                servers.store_binary = lambda: arguments.server
            with running_store(homes[1]) as second:
                servers.store_binary = valkey
                with first.client() as client:
                    fill(client, arguments.experiments)
                stores: list[Store] = [first, second, nodes[0]]
                for source, target in zip(stores, [*stores[1:], first], strict=True):
                    print(f"{_version(source)} to {_version(target)}")
                    if target is first:
                        with first.client() as client:
                            client.flushall()
                    for line in move(source.port, target.port, Path(directory) / "file"):
                        print(line, flush=True)


def _version(store: Store) -> str:
    with store.client() as client:
        info = client.info()
    server = "Valkey" if "valkey_version" in info else "Redis"
    mode = " cluster" if info.get("cluster_enabled") else ""
    return f"{server} {info.get('valkey_version') or info['redis_version']}{mode}"


if __name__ == "__main__":
    main()
