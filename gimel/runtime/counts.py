"""What was counted of an experiment: found and read in Redis, and described as the API answers it.

Reading is pipelined. This module knows nothing of requests or pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from gimel.runtime import keys, parsing
from gimel.runtime.event import PARTICIPATE
from gimel.runtime.hyperloglog import unrounded
from gimel.runtime.refusals import ignored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gimel.runtime.history import Column
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command, Reply

EXACT = "exact"
"""Stands for the precision of a count without counting error: an integer that Lamed left."""

HISTORY = "history"
"""The field of the meta hash that holds the text of the history."""

_MAX_DIGITS = 20  # of such an integer
_ROW = 400  # bytes of a row at most, apart from its label
_BYTES_OF_CHARACTER = 14  # at most, if it is not ASCII: two escapes, their backslashes escaped


def find(redis: Client, namespace: str, wanted: Sequence[str] | None) -> list[ExperimentCounts]:
    """Return the wanted experiments with their counters; None means all, sorted by name."""
    spaces = parsing.namespace_spellings(namespace)
    lists = [keys.experiments_key(space) for space in spaces]
    owners = _owners(spaces, wanted)
    known: set[str] = set()
    counters: dict[str, list[str | None]] = {}
    for key, members in redis.members([*lists, *owners]):
        if key not in owners:
            known.update(members)
            continue
        for counter in members:
            counters[counter] = owners[key] + counters.get(counter, [])
    names = sorted(known) if wanted is None else dict.fromkeys(wanted)
    found = {name: ExperimentCounts(namespace, name) for name in names}
    parser = parsing.Parser(namespace, known.union(found))
    for counter, possible in counters.items():
        for owner in possible:
            parsed = parser.parse(counter, owner)
            if parsed is not None:
                name, goal, variant = parsed
                found[name].counters[counter] = goal, variant, keys.shards(counter)
    return list(found.values())


def _owners(spaces: Sequence[str], wanted: Sequence[str] | None) -> dict[str, list[str | None]]:
    """Return the indexes to read, each with the experiments that it may belong to, if to any."""
    if wanted is None:
        return {keys.counters_key(space): [None] for space in spaces}
    owners: dict[str, list[str | None]] = {}
    for experiment in wanted:
        for space in spaces:
            for name in parsing.spellings(experiment):
                index = keys.experiment_counters_key(space, name)
                owners.setdefault(index, []).append(experiment)
    return owners


class ExperimentCounts:
    """The counts of one experiment: per goal and variant the parts of the count, by precision."""

    def __init__(self, namespace: str, name: str) -> None:
        self.namespace = namespace
        self.name = name
        self.meta_key = keys.meta_key(keys.encode(namespace), keys.encode(name))
        self.counters: dict[str, tuple[str, str, int | None]] = {}
        """The ids of its counters, each with its goal, its variant and how many shards it has."""
        self.first_goal = ""
        """The goal that its part of a page begins with."""
        self.fields: dict[str, str] = {}
        """The fields of its meta hash."""
        self._unreadable = 0
        self._has_meta = True
        self._counts: dict[tuple[str, str], dict[str, int]] = {}
        self._variants: list[str] = []

    @property
    def since(self) -> int | None:
        """The time of its first event (seconds since 1970), None if that is not known."""
        return _number(self.fields.get("since"))

    @property
    def is_complete(self) -> bool:
        """Whether its meta hash and all of its counters could be read."""
        return self._has_meta and not self._unreadable

    def meta_command(self) -> Command:
        """Return the command that reads its meta hash."""
        return "HGETALL", self.meta_key

    def read_meta(self, reply: Reply) -> None:
        """Take the reply to `meta_command`."""
        self._has_meta = isinstance(reply, list)
        self.fields = meta_fields(reply)

    def commands(self) -> Iterator[Command]:
        """Yield the commands that read its counters."""
        for counter, (_, _, shards) in self.counters.items():
            for key in (counter,) if shards is None else keys.shard_keys(counter):
                encoded = key.encode()
                yield b"*2\r\n$7\r\nPFCOUNT\r\n$%d\r\n%b\r\n" % (len(encoded), encoded)

    def read(self, redis: Client, replies: Iterator[Reply]) -> None:
        """Take the replies to `commands`."""
        occupied = []  # plain keys that hold something else: an integer that Lamed left?
        for counter, (goal, variant, shards) in self.counters.items():
            counts = [n for n in islice(replies, shards or 1) if isinstance(n, int)]
            if len(counts) < (shards or 1):
                self._unreadable += 1
                if shards is None:
                    occupied.append(counter)
            elif len(counts) == 1:
                self._add(goal, variant, "1", counts[0])
            else:
                self._add(goal, variant, str(shards), round(sum(map(unrounded, counts))))
        contents = redis.read([("GETRANGE", counter, 0, _MAX_DIGITS) for counter in occupied])
        for counter, content in zip(occupied, contents, strict=True):
            if isinstance(content, bytes) and content.isdigit() and len(content) <= _MAX_DIGITS:
                self._add(*self.counters[counter][:2], EXACT, int(content))
                self._unreadable -= 1
        self._variants = sorted({variant for _, variant in self._counts})

    def add(self, parts: Mapping[Column, int]) -> None:
        """Add these parts of counts, instead of reading them."""
        for (goal, variant, precision), number in parts.items():
            self._add(goal, variant, precision, number)
        self._variants = sorted({variant for _, variant in self._counts})

    def parts(self) -> dict[Column, int]:
        """Return the parts of its counts: by goal, variant and precision."""
        return {
            (goal, variant, precision): number
            for (goal, variant), parts in self._counts.items()
            for precision, number in parts.items()
        }

    def take_history(self) -> str:
        """Return the text of its history, and forget it: it may have 100 KB."""
        return self.fields.pop(HISTORY, "")

    def goals(self) -> list[str]:
        """Return the names of its goals, from the first of this page on."""
        goals = {goal for goal, _ in self._counts} - {PARTICIPATE}
        return sorted(goal for goal in goals if goal >= self.first_goal)

    def size(self, goal: str) -> int:
        """Return how many bytes the goal takes at most in Lambda's answer."""
        labels = (goal, *self._variants)
        return _ROW * len(labels) + size("".join(labels))

    def described(self, goals: Iterable[str]) -> dict[str, Any]:
        """Return the experiment with these goals as the API answers it.

        `goals` and its `results` are those of 1.5.0. `participants` are the trials, even before
        any goal was reached. `successes_by_precision` and `trials_by_precision` show the counting
        error: {"16": n} is a sum of 16 HyperLogLogs, {"exact": n} has no error. `since` is the
        time of the first event (seconds since 1970) or null, `precision` the one that it began
        with or null, `ignored` is {reason: events}, and `unreadable` the number of counters whose
        keys hold something that is not a count.
        """
        participants = [
            {"label": variant, **self._figure("trials", PARTICIPATE, variant)}
            for variant in self._variants
        ]
        return {
            "experiment": self.name,
            "goals": [
                {
                    "goal": goal,
                    "results": [
                        {**each, **self._figure("successes", goal, variant)}
                        for each, variant in zip(participants, self._variants, strict=True)
                    ],
                }
                for goal in goals
            ],
            "participants": participants,
            "since": self.since,
            "precision": _number(self.fields.get("precision")),
            "ignored": ignored(self.fields),
            "unreadable": self._unreadable,
        }

    def _add(self, goal: str, variant: str, precision: str, number: int) -> None:
        parts = self._counts.setdefault((goal, variant), {})
        parts[precision] = parts.get(precision, 0) + number

    def _figure(self, name: str, goal: str, variant: str) -> dict[str, Any]:
        parts = self._counts.get((goal, variant), {})
        if len(parts) > 1:
            parts = dict(sorted(parts.items()))
        return {name: sum(parts.values()), f"{name}_by_precision": parts}


def size(text: str) -> int:
    """Return how many bytes a text takes at most in Lambda's answer."""
    return len(text) * (4 if text.isascii() else _BYTES_OF_CHARACTER)


def meta_fields(meta: Reply) -> dict[str, str]:
    """Return the fields of a meta hash, which are text if Gimel wrote them."""
    members = meta if isinstance(meta, list) else []
    values = [each.decode("utf-8", "replace") for each in members if isinstance(each, bytes)]
    return dict(zip(values[::2], values[1::2], strict=False))


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) <= _MAX_DIGITS else None
