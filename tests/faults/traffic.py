"""The events of a drill, chosen so that each of them can be found in the store afterwards.

A HyperLogLog hides most of what is added to it: a uuid changes one of 16,384 registers, and only
where no other uuid has raised that register higher. Here every event of a drill has a register
that no other event uses, in whichever counter it is counted. So the registers of a store show
exactly which events it holds, and where. The server itself shows the register of each uuid.
"""

from __future__ import annotations

import dataclasses
import itertools
from zlib import crc32

import redis

from tests.support.redis_content import counter_id

NAMESPACE = "alephbet"
PRECISION = 16
EXPERIMENTS = 10
VARIANTS = ("red", "blue")
GOALS = ("participate", "buy")
LIMITS = {
    "experiments": 100_000,
    "counters": 100_000,
    "counters_per_experiment": len(VARIANTS) * len(GOALS),
}
"""The experiments that exist before a drill are full: another variant of them is ignored."""


@dataclasses.dataclass(frozen=True)
class Event:
    """An event, and the register of its counter's shard that it sets to `rank`."""

    experiment: str
    variant: str
    goal: str
    uuid: str
    register: int
    rank: int
    counted: bool = True
    """False if the event exceeds a limit, so that it must be ignored."""

    @property
    def query(self) -> dict[str, str]:
        return {
            "experiment": self.experiment,
            "variant": self.variant,
            "event": self.goal,
            "uuid": self.uuid,
        }

    @property
    def counter(self) -> str:
        return counter_id(self.experiment, self.goal, self.variant, PRECISION, NAMESPACE)

    @property
    def slot(self) -> tuple[str, int]:
        """The key and the register that show whether the store holds the event."""
        return f"{self.counter}:{_shard(self.uuid)}", self.register

    @property
    def answer(self) -> dict[str, str]:
        """The body of the 200 that the event must get."""
        if self.counted:
            return {"status": "ok"}
        return {"status": "ignored", "reason": "limit reached"}


@dataclasses.dataclass(frozen=True)
class Traffic:
    """`first` fills the experiments to their limit; `events` are sent while the store fails."""

    first: list[Event]
    events: list[Event]


def traffic(number: int, scratch: redis.Redis) -> Traffic:
    """Return this many events. `scratch` is an empty server; it is empty again afterwards.

    Half of them go to counters that exist, a quarter begins new experiments, and a quarter is for
    new variants of full experiments.
    """
    first = [
        (f"experiment-{experiment}", variant, goal, True)
        for experiment in range(EXPERIMENTS)
        for variant in VARIANTS
        for goal in GOALS
    ]
    names = [_names(index) for index in range(number)]
    visitors = _visitors(len(first) + number, scratch)
    events = [
        Event(experiment, variant, goal, *visitor, counted)
        for (experiment, variant, goal, counted), visitor in zip(
            [*first, *names], visitors, strict=True
        )
    ]
    return Traffic(events[: len(first)], events[len(first) :])


def registers(hyperloglog: bytes) -> dict[int, int]:
    """Return the registers that are not 0 of a HyperLogLog in Redis' sparse encoding.

    A drill adds at most a few dozen elements to each, so that none of them becomes dense. Source:
    the comment at the top of hyperloglog.c in Redis.
    """
    assert hyperloglog[:5] == b"HYLL\x01", hyperloglog[:16]
    found: dict[int, int] = {}
    register = 0
    codes = iter(hyperloglog[16:])
    for code in codes:
        if code & 0x80:
            length = (code & 0x03) + 1
            rank = (code >> 2 & 0x1F) + 1
            found.update(dict.fromkeys(range(register, register + length), rank))
        elif code & 0x40:
            length = ((code & 0x3F) << 8 | next(codes)) + 1
        else:
            length = (code & 0x3F) + 1
        register += length
    return found


def _names(index: int) -> tuple[str, str, str, bool]:
    """Return experiment, variant and goal of an event, and whether it must be counted."""
    known = f"experiment-{index // 4 % EXPERIMENTS}"
    variant = VARIANTS[index // 8 % len(VARIANTS)]
    goal = GOALS[index // 16 % len(GOALS)]
    if index % 4 == 1:
        return f"new-{index}", variant, goal, True
    if index % 4 == 3:
        return known, f"late-{index}", goal, False
    return known, variant, goal, True


def _visitors(number: int, scratch: redis.Redis) -> list[tuple[str, int, int]]:
    """Return uuids with their registers and ranks.

    No two of them have the same register of shards with the same number.
    """
    chosen: list[tuple[str, int, int]] = []
    taken: set[tuple[int, int]] = set()
    for start in itertools.count(0, 1000):
        uuids = [f"visitor-{start + offset}" for offset in range(1000)]
        with scratch.pipeline(transaction=False) as pipeline:
            for uuid in uuids:
                pipeline.pfadd(uuid, uuid)
                pipeline.get(uuid)
                pipeline.delete(uuid)
            replies = pipeline.execute()
        for uuid, hyperloglog in zip(uuids, replies[1::3], strict=True):
            ((register, rank),) = registers(hyperloglog).items()
            slot = _shard(uuid), register
            if slot not in taken:
                taken.add(slot)
                chosen.append((uuid, register, rank))
        if len(chosen) >= number:
            return chosen[:number]
    raise AssertionError("unreachable")


def _shard(uuid: str) -> int:
    return crc32(uuid.encode()) % PRECISION
