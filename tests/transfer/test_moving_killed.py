"""`gimel import` as a process that is killed again and again, while visitors arrive everywhere."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from itertools import count as numbers
from pathlib import Path

import redis

from tests.support.moving import counted, process_of, results, send
from tests.support.redis_content import Contents
from tests.support.servers import Store, free_port, running_store

EXPERIMENTS = [f"experiment {number}" for number in range(30)]
KILLS = 2
_PAUSE = 0.01  # seconds between visitors: there is one processor for all of this


class Visitors(threading.Thread):
    """Visitors of the first experiments, who arrive at a store until they are stopped."""

    def __init__(self, port: int, number: int) -> None:
        super().__init__()
        self.seen: list[tuple[str, str]] = []
        self._process = process_of(port)
        self._number = number
        self._ended = threading.Event()

    def run(self) -> None:
        for number in numbers():
            if self._ended.wait(_PAUSE):
                break
            visitor = "ab"[number % 2] + f"{self._number} {number // 2}"
            experiment = EXPERIMENTS[number % 10]
            send(self._process, experiment, visitor)
            self.seen.append((experiment, visitor))

    def end(self) -> None:
        self._ended.set()
        self.join()
        self._process.redis.close()


def gimel(*arguments: str, until: Callable[[], bool] | None = None) -> None:
    """Run a command to its end, or kill it at a moment."""
    command = [sys.executable, "-m", "gimel", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        if until is None:
            _, stderr = process.communicate()
            assert process.returncode == 0, stderr
            return
        while process.poll() is None and not until():
            time.sleep(0.001)
        assert process.poll() is None, "it ended before it was killed"
        process.kill()


def has_keys(nodes: list[redis.Redis], number: int) -> bool:
    return sum(node.dbsize() for node in nodes) > number


def sent_to(port: int, seen: list[tuple[str, str]]) -> None:
    process = process_of(port)
    for experiment, visitor in seen:
        send(process, experiment, visitor)
    process.redis.close()


def permanent(contents: Contents) -> Contents:
    """Return the content without times, and without what a killed import leaves for a minute."""
    return {
        key: each
        for key, each in contents.items()
        if not key.endswith(":meta") and ":import-" not in key
    }


def test_nothing_is_lost_while_visitors_arrive_and_the_import_is_killed(
    session_store: Store,
    store: redis.Redis,
    cluster_nodes: list[Store],
    cluster: list[redis.Redis],
    tmp_path: Path,
) -> None:
    """From a server to a cluster, as when a site moves: in the end all visitors are in the cluster.

    The expected content is that of a store that saw all of them.
    """
    before = [(name, f"{variant}{name[-1]}") for name in EXPERIMENTS for variant in "ab"]
    sent_to(session_store.port, before)
    file = tmp_path / "counters.json.gz"
    old = ("--redis", session_store.url, str(file))
    new = ("--redis", cluster_nodes[0].url, str(file))
    threads = [Visitors(session_store.port, 1), Visitors(cluster_nodes[1].port, 2)]
    threads[0].start()
    gimel("export", *old)
    keys = store.dbsize()
    for kill in range(1, KILLS + 1):
        gimel("import", *new, until=partial(has_keys, cluster, keys * kill // (KILLS + 2)))
    threads[1].start()  # the site sends its events to the new store from now on
    gimel("import", *new)
    threads[0].end()
    gimel("export", *old)  # what the old store counted meanwhile
    gimel("import", *new)
    threads[1].end()

    seen = [*before, *threads[0].seen, *threads[1].seen]
    assert min(len(each.seen) for each in threads) > 20
    (tmp_path / "all").mkdir()
    with running_store(tmp_path / "all", port=free_port()) as everything:
        sent_to(everything.port, seen)
        with everything.client() as content:
            assert permanent(counted(*cluster)) == permanent(counted(content))
        described, expected = results(cluster_nodes[2].port), results(everything.port)
    for each in (*described, *expected):
        del each["since"]
    assert described == expected
