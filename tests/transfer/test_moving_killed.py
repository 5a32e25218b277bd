"""A site moves: imports as processes that are killed, while visitors arrive at both ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from itertools import count as numbers
from pathlib import Path

import redis

from tests.support.moving import counted, export_all, import_all, process_of, results, send
from tests.support.redis_content import Contents
from tests.support.servers import Store, free_port, running_store, wait_until

EXPERIMENTS = [f"experiment {number}" for number in range(20)]
ROOT = Path(__file__).parents[2]
KILLS = (200, 700)  # after how many commands
PROGRAM = """
import itertools, os, signal, sys
from pathlib import Path
from tests.support.moving import import_all
commands = itertools.count()
def before():
    if next(commands) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
import_all(int(sys.argv[1]), Path(sys.argv[2]), before)
"""
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


def kill_import(port: int, file: Path, commands: int) -> None:
    """Import in another process, which is killed before the command of that number."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(port), str(file), str(commands)], cwd=ROOT
    )
    assert ran.returncode == -signal.SIGKILL


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
    old, new = session_store.port, cluster_nodes[0].port
    threads = [Visitors(old, 1), Visitors(cluster_nodes[1].port, 2)]
    threads[0].start()
    export_all(old, file)
    for commands in KILLS:
        kill_import(new, file, commands)
    threads[1].start()  # the site sends its events to the new store from now on
    import_all(new, file)
    wait_until(lambda: min(len(each.seen) for each in threads) > 20)
    threads[0].end()
    export_all(old, file)  # what the old store counted meanwhile
    import_all(new, file)
    threads[1].end()

    seen = [*before, *threads[0].seen, *threads[1].seen]
    (tmp_path / "all").mkdir()
    with running_store(tmp_path / "all", port=free_port()) as everything:
        sent_to(everything.port, seen)
        with everything.client() as content:
            assert permanent(counted(*cluster)) == permanent(counted(content))
        described, expected = results(cluster_nodes[2].port), results(everything.port)
    for each in (*described, *expected):
        del each["since"]
    assert described == expected
