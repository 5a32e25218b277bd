"""What an export holds of one experiment, as a value, and how it is written as JSON.

A record has the names and notes of the experiment, but not the counts: the bytes of its
HyperLogLogs follow on other lines. Reading checks that a record contains only keys of its
experiment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from itertools import chain
from typing import Any

from gimel.errors import GimelError
from gimel.runtime import keys, parsing
from gimel.runtime.counter import Experiment
from gimel.runtime.event import PARTICIPATE
from gimel.runtime.hyperloglog import REGISTERS

HYPERLOGLOG = b"HYLL"
"""How the value of a key begins that is a HyperLogLog."""

_HEADER = 16  # bytes
_DENSE, _SPARSE = 0, 1
_DENSE_BYTES = _HEADER + REGISTERS * 6 // 8
_LONG_RUNS = range(0x40, 0x80)  # the first of their two bytes
_RUNS = bytes(
    0 if byte in _LONG_RUNS else byte + 1 if byte < 0x40 else (byte & 3) + 1 for byte in range(256)
)
"""How many registers each byte of a sparse HyperLogLog stands for, apart from long runs."""
_IS_LONG = bytes(byte in _LONG_RUNS for byte in range(256))

MAX_DIGITS = 20
"""How long an exact count may be: an integer that Lamed left in place of a HyperLogLog."""


def is_hyperloglog(value: bytes) -> bool:
    """Return whether Redis can use a value as a HyperLogLog.

    Redis itself looks at the first bytes, fails later, and has crashed: CVE-2019-10192,
    CVE-2025-32023. Its hyperloglog.c describes both encodings.
    """
    if not value.startswith(HYPERLOGLOG) or len(value) < _HEADER:
        return False
    if value[4] == _DENSE:
        return len(value) == _DENSE_BYTES
    if value[4] != _SPARSE or len(value) > _HEADER + 2 * REGISTERS:
        return False
    # Byte by byte, this would take longer than the transfer.
    runs = value[_HEADER:]
    registers = sum(runs.translate(_RUNS))
    is_long = runs.translate(_IS_LONG)
    at = is_long.find(1)
    while at >= 0:
        if at + 1 == len(runs):
            return False
        second = runs[at + 1]
        registers += ((runs[at] & 0x3F) << 8 | second) + 1 - _RUNS[second]
        at = is_long.find(1, at + 2)
    return registers == REGISTERS


class TransferError(GimelError):
    """A file that is not a complete export, or a store that cannot be exported or imported."""


@dataclass(frozen=True)
class Record:
    """The names and notes of one experiment.

    `precision` is the one that it began with, None if it has no counters yet. `listed` are the
    sets that contain its name. `marks` are its indexes, each with the ids of its counters, and
    `kept` are the ids of a concluded experiment that may be reopened. `exact` are the integers that
    Lamed left in place of HyperLogLogs, as digits, by the counter's id.
    """

    namespace: str
    experiment: str
    precision: int | None
    listed: tuple[str, ...]
    marks: Mapping[str, tuple[str, ...]]
    kept: tuple[str, ...]
    exact: Mapping[str, str]
    meta: Mapping[str, str]

    @property
    def names(self) -> tuple[str, str]:
        return self.namespace, self.experiment

    @property
    def is_concluded(self) -> bool:
        return keys.CONCLUDED in self.meta

    def counters(self) -> list[str]:
        """Return the ids of its counters, those of goals before those of participants."""
        marked = (counter for ids in self.marks.values() for counter in ids)
        counters = dict.fromkeys([*marked, *self.kept])
        parser = parsing.Parser(self.namespace, [self.experiment])
        return sorted(counters, key=lambda counter: _is_of_participants(parser, counter))

    def hyperloglogs(self) -> Iterator[str]:
        """Yield the keys of its HyperLogLogs, which need not all exist."""
        return chain(*self.stages())

    def stages(self) -> tuple[list[str], list[str]]:
        """Return the keys of its HyperLogLogs: those of goals, and those of participants.

        A visitor takes part before a goal is reached. So what is read in this order never shows
        a visitor who reached a goal without taking part.
        """
        parser = parsing.Parser(self.namespace, [self.experiment])
        goals: list[str] = []
        participants: list[str] = []
        for counter in self.counters():
            if counter not in self.exact:
                stage = participants if _is_of_participants(parser, counter) else goals
                stage += keys.shard_keys(counter)
        return goals, participants

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _is_of_participants(parser: parsing.Parser, counter: str) -> bool:
    names = parser.parse(counter)
    return names is not None and names[1] == PARTICIPATE


def read_record(content: Any) -> Record:
    """Return the record in an object of an export. Raises TransferError if it is not valid."""
    try:
        record = _record(content)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise TransferError("a record of the file is not valid") from None
    _check_keys(record)
    return record


def _record(content: Any) -> Record:
    if content.keys() != {field.name for field in fields(Record)}:
        raise ValueError
    precision = content["precision"]
    if precision is not None:
        precision = keys.PRECISIONS[keys.PRECISIONS.index(precision)]
    return Record(
        _text(content["namespace"]),
        _text(content["experiment"]),
        precision,
        _texts(content["listed"]),
        {_text(key): _texts(ids) for key, ids in content["marks"].items()},
        _texts(content["kept"]),
        {_text(key): _digits(value) for key, value in content["exact"].items()},
        read_fields(content["meta"]),
    )


def read_fields(content: Any) -> dict[str, str]:
    """Return the fields of a hash. Raises ValueError or AttributeError if they are not text."""
    return {_text(name): _text(value) for name, value in content.items()}


def _check_keys(record: Record) -> None:
    """Raise TransferError for a key of something else: it would be written to."""
    experiment = Experiment(*record.names)
    parser = parsing.Parser(record.namespace, [record.experiment])
    counters = set(record.counters())
    foreign = [
        *({*record.listed} - {*name_lists(record.namespace)}),
        *({*record.marks} - {*indexes(experiment)}),
        *(each for each in counters if not parser.parse(each, owner=record.experiment)),
        *({*record.exact} - {each for each in counters if keys.shards(each) is None}),
    ]
    if foreign:
        raise TransferError(
            f"{described(record.names)}: the key {foreign[0]!r} in the file belongs to"
            " something else"
        )


def name_lists(namespace: str) -> list[str]:
    """Return the keys that may list the experiments of a namespace, the usual one first."""
    return [keys.experiments_key(space) for space in parsing.namespace_spellings(namespace)]


def indexes(experiment: Experiment) -> list[str]:
    """Return the keys that may list the counters of an experiment, the usual one first."""
    return [
        keys.experiment_counters_key(space, name)
        for space in parsing.namespace_spellings(experiment.namespace)
        for name in parsing.spellings(experiment.name)
    ]


def described(names: tuple[str, str]) -> str:
    """Return how a message names an experiment."""
    namespace, experiment = names
    return f"experiment {experiment!r} of {namespace!r}"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    value.encode()  # raises UnicodeEncodeError, a ValueError, for a surrogate
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError
    return tuple(map(_text, value))


def _digits(value: Any) -> str:
    if not (value.isdecimal() and value.isascii() and len(value) <= MAX_DIGITS):
        raise ValueError
    return _text(value)
