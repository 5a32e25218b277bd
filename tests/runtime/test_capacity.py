"""Reading, deleting and snapshots at the default limits, in the memory of the functions."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
import redis

from benchmarks.competitors import THIS, Command, Usage, call, empty_store, fill, setups
from benchmarks.reading import MIB, VARIANT_NAMES, Content, goal_names
from gimel.runtime.history import parse
from tests.support.command import REPOSITORY
from tests.support.events import rest
from tests.support.servers import Store

COUNTERS = 20_000
LONGEST = "\N{GRINNING FACE}" * 195  # and a number of five digits


def ordinary_names() -> Iterator[Command]:
    """List COUNTERS counters of precision 16 in one namespace."""
    for command in Content("alephbet", COUNTERS // 10, 16).commands():
        if command[0] != "PFADD":  # a missing key is read as 0, like any other
            yield command


def longest_names() -> Iterator[Command]:
    """List COUNTERS counters whose names are as long as an event's may be."""
    for number in range(COUNTERS):
        experiment = f"{LONGEST}{number // 1000:05}"
        counter = (
            f"alephbet:counters:{experiment}:{LONGEST}{number:05}:{LONGEST}{number % 2:05}::16"
        )
        yield "SADD", "alephbet:experiments", experiment
        yield "SADD", "alephbet:counter_keys", counter
        yield "SADD", f"alephbet:{experiment}:counter_keys", counter


@pytest.mark.parametrize(
    ("commands", "experiment", "most"),
    [
        pytest.param(ordinary_names, "experiment-0", 100 * MIB, id="ordinary names"),
        # Half of what the functions have by default, for awslambdaric and the answer's copies.
        pytest.param(longest_names, f"{LONGEST}00000", 128 * MIB, id="longest names"),
    ],
)
def test_memory(commands: Callable[[], Iterator[Command]], experiment: str, most: int) -> None:
    """A process that reads everything once, or deletes an experiment, stays small."""
    setup = setups()[-1]

    def usage(handler: str, method: str, **query: str) -> Usage:
        return call(THIS, handler, rest(method, query), [{}], store, setup, warm=False)

    with empty_store() as store:
        fill(store, commands())
        assert usage("all", "GET", namespace="alephbet").peak_memory < most
        assert usage("delete", "DELETE", experiment=experiment).peak_memory < most


TAKE = """
import sys, time
sys.path.insert(0, sys.argv[1])
from gimel.runtime import process, snapshot
taken = snapshot.take(process.current(), int(time.time()))
points = [len(each.described["history"]["points"]) for each in taken]
with open("/proc/self/status") as status:
    (peak,) = [line.split()[1] for line in status if line.startswith("VmHWM:")]
print(len(points), sum(points), int(peak) * 1024)
"""


def test_memory_of_a_snapshot(store: redis.Redis, session_store: Store) -> None:
    """A run stays small: 2,000 experiments of 10 counters, 100 of them with a year's history.

    A history is read with 19 others, so that more of them need no more memory.
    """
    fill(session_store, ordinary_names())
    columns = [(goal, variant, "16") for goal in goal_names(4) for variant in VARIANT_NAMES]
    now, text = int(time.time()), ""
    for day in range(365, 0, -1):
        counts = dict.fromkeys(columns, 1_000_000 - day)
        text = parse(text, 1_750_000_000).with_point(counts, now - day * 86_400) or ""
    text = re.sub(" [0-9a-z]+", " 0000", text)  # what is counted: the keys are missing
    for number in range(100):
        store.hset(f"alephbet:experiment-{number}:meta", "history", text)
    settings = {"redis": {"host": "127.0.0.1", "port": session_store.port}}

    output = subprocess.run(
        [sys.executable, "-I", "-S", "-c", TAKE, str(REPOSITORY)],
        env={"GIMEL_SETTINGS": json.dumps(settings)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    experiments, points, peak_memory = map(int, output.split())
    assert (experiments, points) == (2000, 36_500)
    assert peak_memory < 100 * MIB
