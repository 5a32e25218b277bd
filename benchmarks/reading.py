"""The cost of reading and deleting: the time of `all` against 1.5.0, and memory at the limits.

The counters are written directly to Redis, with the keys that docs/architecture.md lists. Each is
read several times, as by someone who looks at results repeatedly, so Redis has kept the estimate of
each HyperLogLog (PFCOUNT stores it in the key until the next PFADD).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any
from zlib import crc32

from benchmarks.competitors import (
    OLD,
    THIS,
    Command,
    Row,
    Setup,
    Usage,
    call,
    empty_store,
    fill,
    in_words,
    ratio,
)
from tests.support.events import rest
from tests.support.servers import Store

VARIANT_NAMES = ("red", "green")
VARIANTS = len(VARIANT_NAMES)
GOALS = 4
COUNTERS = VARIANTS * (GOALS + 1)  # of one experiment, with those of its participants
VISITORS = tuple(f"visitor-{number}" for number in range(100))

SIZES = (1, 10, 100)  # experiments
CALLS = {1: 100, 10: 40, 100: 8}  # of one process, so that each measurement takes about 0.2 s

LIMIT = 20_000  # limits.counters
DELETED = 1000  # limits.counters_per_experiment
MIB = 1 << 20


@dataclass(frozen=True)
class Content:
    """A namespace with experiments of COUNTERS counters each.

    Every counter has counted the visitors, or one visitor in every shard.
    """

    namespace: str
    experiments: int
    precision: int
    visitors: tuple[str, ...] = ()

    def commands(self) -> Iterator[Command]:
        """Yield the commands that write it, each of which Redis answers with an integer."""
        goals = goal_names(GOALS)
        for number in range(self.experiments):
            name = f"experiment-{number}"
            yield from experiment(self.namespace, name, goals, self.precision, self.visitors)


def goal_names(count: int) -> list[str]:
    """Return the names of this many goals, and that of taking part."""
    return ["participate", *(f"goal-{number}" for number in range(count))]


def experiment(
    namespace: str,
    name: str,
    goals: Sequence[str],
    precision: int,
    visitors: Sequence[str] = (),
) -> Iterator[Command]:
    """Yield the commands that write one experiment of a Content."""
    yield "SADD", "gimel:namespaces", namespace
    yield "SADD", f"{namespace}:experiments", name
    facts = ("since", "1750000000", "precision", str(precision))
    yield "HSET", f"{namespace}:{name}:meta", *facts
    for goal in goals:
        for variant in VARIANT_NAMES:
            counter = f"{namespace}:counters:{name}:{goal}:{variant}"
            if precision > 1:
                counter = f"{counter}::{precision}"
            yield "SADD", f"{namespace}:counter_keys", counter
            yield "SADD", f"{namespace}:{name}:counter_keys", counter
            for shard in range(precision):
                key = counter if precision == 1 else f"{counter}:{shard}"
                counted = [each for each in visitors if crc32(each.encode()) % precision == shard]
                yield "PFADD", key, *(counted or ["visitor"] * (not visitors))


def speed_rows(setups: Sequence[Setup], rounds: int) -> list[Row]:
    """Measure `all` for SIZES of experiments, on one core and on two."""
    plain = [Content(f"of-{size}", size, 1, VISITORS) for size in SIZES]
    sharded = Content("sharded", SIZES[-1], 16, VISITORS)
    table = []
    with empty_store() as store:
        for content in (*plain, sharded):
            fill(store, content.commands())
        for setup in setups:
            times: dict[tuple[str, Content], list[float]] = {}
            for turn in range(rounds):
                print(f"all {setup.where}: round {turn + 1} of {rounds}", file=sys.stderr)
                for content in plain:
                    for version in (THIS, OLD):
                        seconds = read(version, content, store, setup)
                        times.setdefault((version, content), []).append(seconds)
                times.setdefault((THIS, sharded), []).append(read(THIS, sharded, store, setup))
            table += _compare(times, plain, setup)
            table.append(_compare_precisions(times, plain[-1], sharded, setup))
    return table


def read(version: str, content: Content, store: Store, setup: Setup) -> float:
    """Return the seconds that reading all experiments takes."""
    calls = CALLS[content.experiments] if content.precision == 1 else 2
    query = {"namespace": content.namespace}
    event: dict[str, Any] = rest(query=query) if version == THIS else query
    return call(version, "all", event, [{}] * calls, store, setup).seconds / calls


Times = Mapping[tuple[str, Content], Sequence[float]]


def _compare(times: Times, contents: Sequence[Content], setup: Setup) -> list[Row]:
    table = []
    for content in contents:
        this, old = times[THIS, content], times[OLD, content]
        noun = "experiment" if content.experiments == 1 else "experiments"
        table.append(
            Row(
                f"`all`, {content.experiments} {noun} of {VARIANTS} variants and {GOALS} goals at"
                f" precision 1, client and Redis {setup.where}: speed against 1.5.0",
                f"{ratio(old, this):.1f}x",
                f"{in_words(median(this))}; 1.5.0: {in_words(median(old))}",
            )
        )
    return table


def _compare_precisions(times: Times, plain: Content, sharded: Content, setup: Setup) -> Row:
    longer, shorter = times[THIS, sharded], times[THIS, plain]
    return Row(
        f"`all`, {plain.experiments} experiments, client and Redis {setup.where}: time at precision"
        f" {sharded.precision} against precision 1",
        f"{ratio(longer, shorter):.1f}x",
        f"{in_words(median(longer))}; precision 1: {in_words(median(shorter))}",
    )


def limit_rows(setup: Setup, rounds: int) -> list[Row]:
    """Measure `all` and `delete` at the limits: memory and time of a fresh process."""
    reading, deleting = [], []
    with empty_store() as store:
        fill(store, Content("alephbet", LIMIT // COUNTERS, 16).commands())
        for turn in range(rounds):
            print(f"all at the limits: round {turn + 1} of {rounds}", file=sys.stderr)
            event = rest(query={"namespace": "alephbet"})
            reading.append(call(THIS, "all", event, [{}], store, setup, warm=False))
    with empty_store() as store:
        for turn in range(rounds):
            print(f"delete at the limits: round {turn + 1} of {rounds}", file=sys.stderr)
            fill(store, experiment("alephbet", "large", goal_names(DELETED // VARIANTS - 1), 256))
            event = rest("DELETE", {"experiment": "large"})
            deleting.append(call(THIS, "delete", event, [{}], store, setup, warm=False))
            with store.client() as redis:
                if left := redis.dbsize():
                    sys.exit(f"delete left {left} keys")
    return [
        _row(f"`all` of {LIMIT:,} counters of precision 16", reading),
        _row(f"`delete` of {DELETED:,} counters of precision 256", deleting),
    ]


def _row(measured: str, usages: Sequence[Usage]) -> Row:
    seconds = median(usage.seconds for usage in usages)
    cpu_seconds = median(usage.cpu_seconds for usage in usages)
    return Row(
        f"{measured}: peak resident memory",
        f"{max(usage.peak_memory for usage in usages) / MIB:.0f} MiB",
        f"{in_words(seconds)} on a full core, {in_words(cpu_seconds)} of it CPU time",
    )
