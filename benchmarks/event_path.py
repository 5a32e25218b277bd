"""The cost of one event: of a warm `track`, against 1.5.0 and against a blocking C client.

This version gets the event of a REST API with proxy integration, as a browser causes it. 1.5.0 gets
the flat dict that its mapping template makes of the same request. The C client does nothing but
send commands and wait: those for a known counter in this version's design (PFADD, SISMEMBER), and
1.5.0's four. Each event has its own uuid, and each run begins with an empty store.
"""

from __future__ import annotations

import random
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any
from zlib import crc32

from benchmarks.competitors import (
    OLD,
    THIS,
    Command,
    Row,
    Setup,
    call,
    compile_client,
    empty_store,
    fill,
    in_words,
    ratio,
    send_blocking,
)
from tests.support.events import sample
from tests.support.servers import Store

PRECISION = 16  # the default, which this version uses
NAMES = {"experiment": "checkout-button", "variant": "green", "event": "participate"}
FIRST = {**NAMES, "uuid": "the-first-visitor"}

EXPERIMENTS, NAMESPACE_INDEX = "alephbet:experiments", "alephbet:counter_keys"
EXPERIMENT_INDEX = f"alephbet:{NAMES['experiment']}:counter_keys"
COUNTER = (
    f"alephbet:counters:{NAMES['experiment']}:{NAMES['event']}:{NAMES['variant']}::{PRECISION}"
)

TWO, FOUR = "PFADD, SISMEMBER", "3 SADD, PFADD"


def gateway_event() -> dict[str, Any]:
    """Return what this version gets for the first visitor's event."""
    event = sample("rest_api")
    event["queryStringParameters"] = dict(FIRST)
    event["multiValueQueryStringParameters"] = {name: [value] for name, value in FIRST.items()}
    return event


EVENTS: Mapping[str, Mapping[str, Any]] = {THIS: gateway_event(), OLD: FIRST}


def visitors(count: int, seed: int = 1) -> list[str]:
    """Return uuids, the same ones on each call."""
    numbers = random.Random(seed)
    return [str(uuid.UUID(int=numbers.getrandbits(128), version=4)) for _ in range(count)]


def count_visitor(visitor: str) -> Command:
    return "PFADD", f"{COUNTER}:{crc32(visitor.encode()) % PRECISION}", visitor


def two_commands(visitor: str) -> list[Command]:
    """Return what counts an event of a known counter, and checks that it is still listed."""
    return [count_visitor(visitor), ("SISMEMBER", EXPERIMENT_INDEX, COUNTER)]


def four_commands(visitor: str) -> list[Command]:
    """Return what lists the experiment and its counter, and counts an event."""
    return [
        ("SADD", EXPERIMENTS, NAMES["experiment"]),
        ("SADD", NAMESPACE_INDEX, COUNTER),
        ("SADD", EXPERIMENT_INDEX, COUNTER),
        count_visitor(visitor),
    ]


C_CLIENTS = {TWO: two_commands, FOUR: four_commands}


def rows(setups: Sequence[Setup], rounds: int, events: int) -> list[Row]:
    """Measure in rounds of this many events per competitor."""
    table = []
    with tempfile.TemporaryDirectory() as folder, empty_store() as store:
        client = compile_client(Path(folder))
        for setup in setups:
            times: dict[str, list[float]] = {name: [] for name in (THIS, OLD, TWO, FOUR)}
            for turn in range(rounds):
                print(f"track {setup.where}: round {turn + 1} of {rounds}", file=sys.stderr)
                for version in (THIS, OLD):
                    times[version].append(track(version, visitors(events), store, setup) / events)
                for commands in C_CLIENTS:
                    seconds = track_in_c(client, commands, visitors(events), store, setup)
                    times[commands].append(seconds / events)
            table += _compare(times, setup)
        table.append(_commands_per_event(store, setups[0], events))
    return table


def track(version: str, uuids: Sequence[str], store: Store, setup: Setup) -> float:
    """Count one event of each visitor on the emptied store. Return the seconds that took."""
    with store.client() as redis:
        redis.flushall()
    calls = [{"uuid": visitor} for visitor in uuids]
    seconds = call(version, "track", EVENTS[version], calls, store, setup).seconds
    _check(store, len(uuids))
    return seconds


def track_in_c(
    client: Path, commands: str, uuids: Sequence[str], store: Store, setup: Setup
) -> float:
    """Do the same with the C client."""
    with store.client() as redis:
        redis.flushall()
    fill(store, four_commands(FIRST["uuid"]))
    requests = [C_CLIENTS[commands](visitor) for visitor in uuids]
    seconds = send_blocking(client, requests, store, setup)
    _check(store, len(uuids))
    return seconds


def _check(store: Store, visitors: int) -> None:
    """Stop if the store did not count as many visitors, give or take the counting error."""
    with store.client() as redis:
        counted = sum(redis.pfcount(key) for key in redis.scan_iter("alephbet:counters:*"))
    if abs(counted / visitors - 1) > 0.05:
        sys.exit(f"{counted} visitors of {visitors} were counted")


def _compare(times: Mapping[str, Sequence[float]], setup: Setup) -> list[Row]:
    middle = {name: in_words(median(found)) for name, found in times.items()}
    table = [
        Row(
            f"warm `track`, client and Redis {setup.where}: speed against 1.5.0",
            f"{ratio(times[OLD], times[THIS]):.2f}x",
            f"{middle[THIS]}; 1.5.0: {middle[OLD]}",
        )
    ]
    for commands in C_CLIENTS:
        table.append(
            Row(
                f"the same, as a share of the rate of a C client that sends {commands}",
                f"{ratio(times[commands], times[THIS]):.0%}",
                f"C client: {middle[commands]},"
                f" {ratio(times[OLD], times[commands]):.2f}x against 1.5.0",
            )
        )
    return table


def _commands_per_event(store: Store, setup: Setup, events: int) -> Row:
    """Count the commands of a process that tracks this many events more than another one."""
    uuids = visitors(events + 1)
    few, many = (_commands(uuids[:count], store, setup) for count in (1, events + 1))
    per_event = {name: (many[name] - few[name]) / events for name in many}
    sent = {name: number for name, number in per_event.items() if number}
    return Row(
        "commands per event of a known counter, from `INFO commandstats`",
        f"{sum(sent.values()):g}",
        ", ".join(f"{number:g} {name.upper()}" for name, number in sorted(sent.items())),
    )


def _commands(uuids: Sequence[str], store: Store, setup: Setup) -> Counter[str]:
    with store.client() as redis:
        redis.flushall()
        redis.config_resetstat()
        call(THIS, "track", EVENTS[THIS], [{"uuid": each} for each in uuids], store, setup)
        statistics: Any = redis.info("commandstats")
    return Counter(
        {name.removeprefix("cmdstat_"): each["calls"] for name, each in statistics.items()}
    )
