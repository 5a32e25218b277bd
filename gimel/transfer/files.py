"""The file of an export: JSON lines, gzipped on request, with a mark at the end.

The first line is `{"gimel": "export", "version": 1, ...}`. Then come experiments, in groups: a line
`{"experiment": ...}` for each of them, and lines `{"values": {key: base64}}` with their
HyperLogLogs. A line `{"namespace": ..., "meta": ...}` follows the experiments of a namespace. The
last line has totals and a checksum of all lines before it: a file without it is not complete.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from gimel.transfer.records import (
    HYPERLOGLOG,
    Record,
    TransferError,
    is_hyperloglog,
    read_fields,
    read_record,
)

VERSION = 1

_GZIP = b"\x1f\x8b"

MOST_TOGETHER = 1000
"""Experiments before their values, which are kept in memory. An export writes far fewer."""

LONGEST = 64_000_000
"""Bytes of a line. The longest have the ids of all counters of an experiment."""


@dataclass(frozen=True)
class Values:
    """HyperLogLogs, by key."""

    content: Mapping[str, bytes]


@dataclass(frozen=True)
class NamespaceNotes:
    """The fields of the meta hash of a namespace, whose experiments came before."""

    namespace: str
    meta: Mapping[str, str]


@dataclass(frozen=True)
class Totals:
    """What a complete file holds, and when it was begun (seconds since 1970)."""

    written: int
    namespaces: tuple[str, ...]
    experiments: int
    counters: int


def write(stream: IO[bytes], lines: Iterable[Record | Values | NamespaceNotes], now: int) -> Totals:
    """Write a file, and return what it holds. Raises what `lines` raises, and OSError."""
    checksum = _write_line(stream, {"gimel": "export", "version": VERSION, "written": now}, 0)
    namespaces: dict[str, None] = {}
    experiments = counters = 0
    for each in lines:
        checksum = _write_line(stream, _content(each), checksum)
        if isinstance(each, Record):
            namespaces[each.namespace] = None
            experiments += 1
            counters += len(each.counters())
    totals = Totals(now, tuple(namespaces), experiments, counters)
    end = {"experiments": experiments, "counters": counters, "namespaces": [*namespaces]}
    _write_line(stream, {"end": {**end, "crc32": checksum}}, 0)
    return totals


def _content(line: Record | Values | NamespaceNotes) -> dict[str, Any]:
    if isinstance(line, Record):
        return {"experiment": line.as_json()}
    if isinstance(line, NamespaceNotes):
        return {"namespace": line.namespace, "meta": dict(line.meta)}
    encoded = {key: base64.b64encode(value).decode() for key, value in line.content.items()}
    return {"values": encoded}


def _write_line(stream: IO[bytes], content: dict[str, Any], checksum: int) -> int:
    line = json.dumps(content, separators=(",", ":")).encode() + b"\n"
    if len(line) > LONGEST:
        raise TransferError(f"A line of the export would be longer than {LONGEST:,} bytes.")
    stream.write(line)
    return zlib.crc32(line, checksum)


def check(path: Path) -> Totals:
    """Return what a file holds. Raises TransferError unless it is complete and undamaged."""
    written, checksum, together = 0, 0, 0
    experiments = counters = 0
    totals: Totals | None = None
    for number, line, content in _parsed(path):
        if totals is not None:
            raise _damaged(path, number)
        if number == 1:
            written = _check_header(path, content)
        elif "end" in content:
            totals = _totals(path, written, content["end"], (experiments, counters, checksum))
        else:
            each = _read(path, number, content)
            together = together + 1 if isinstance(each, Record) else 0
            if together > MOST_TOGETHER:
                raise _damaged(path, number)
            if isinstance(each, Record):
                experiments += 1
                counters += len(each.counters())
            elif isinstance(each, Values):
                _check_values(path, number, each)
        checksum = zlib.crc32(line, checksum)
    if totals is None:
        raise TransferError(
            f"{path} is not complete: its end is missing.", "Run `gimel export` again."
        )
    return totals


def read(path: Path) -> Iterator[Record | Values | NamespaceNotes]:
    """Yield the lines of a file that `check` accepts, without the first and the last."""
    for number, _, content in _parsed(path):
        if number > 1 and "end" not in content:
            yield _read(path, number, content)


def _parsed(path: Path) -> Iterator[tuple[int, bytes, dict[str, Any]]]:
    """Yield each line: its number, its bytes and its content."""
    number = 0
    try:
        if path.exists() and not path.is_file():  # a pipe could not be read a second time
            raise TransferError(f"{path} is not a file.", "Save the export in a file first.")
        with path.open("rb") as probe:
            is_gzipped = probe.read(2) == _GZIP
        with gzip.open(path) if is_gzipped else path.open("rb") as stream:
            # Not more: a small compressed file may hold a line that fills the memory.
            lines = iter(lambda: stream.readline(LONGEST + 1), b"")
            for number, line in enumerate(lines, 1):
                if len(line) > LONGEST:
                    raise _damaged(path, number)
                content = json.loads(line)
                if not isinstance(content, dict):
                    raise _damaged(path, number)
                yield number, line, content
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise TransferError(
            f"{path} is not complete, or damaged.", "Run `gimel export` again."
        ) from None
    except OSError as error:
        raise TransferError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise _damaged(path, number) from None


def _damaged(path: Path, number: int) -> TransferError:
    if number == 1:
        return TransferError(f"{path} is not a file of `gimel export`.")
    return TransferError(
        f"{path} is not complete, or damaged: line {number:,} cannot be read.",
        "Run `gimel export` again.",
    )


def _check_values(path: Path, number: int, values: Values) -> None:
    """Raise TransferError for a value that Redis cannot use. It takes up to 0.1 ms for each."""
    for key, value in values.content.items():
        if not is_hyperloglog(value):
            raise TransferError(
                f"{path}, line {number:,}: the value of {key!r} is not a valid HyperLogLog.",
                "Delete that key in the Redis that was exported, and run `gimel export` again.",
            )


def _check_header(path: Path, header: Mapping[str, Any]) -> int:
    written = header.get("written")
    if header.get("gimel") != "export" or not isinstance(written, int):
        raise TransferError(f"{path} is not a file of `gimel export`.")
    if header.get("version") != VERSION:
        raise TransferError(
            f"{path} was written by a newer Gimel.", "Update Gimel, then import it."
        )
    return written


def _totals(path: Path, written: int, end: Any, found: tuple[int, int, int]) -> Totals:
    names = ("experiments", "counters", "crc32")
    content = end if isinstance(end, dict) else {}
    namespaces = content.get("namespaces")
    if tuple(map(content.get, names)) != found or not isinstance(namespaces, list):
        raise TransferError(f"{path} was changed, or is damaged.", "Run `gimel export` again.")
    return Totals(written, tuple(map(str, namespaces)), found[0], found[1])


def _read(path: Path, number: int, content: Mapping[str, Any]) -> Record | Values | NamespaceNotes:
    try:
        if "experiment" in content:
            return read_record(content["experiment"])
        if "values" in content:
            return Values({key: _decoded(text) for key, text in content["values"].items()})
        return NamespaceNotes(str(content["namespace"]), read_fields(content["meta"]))
    except TransferError as error:
        raise TransferError(f"{path}, line {number:,}: {error.message}.") from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _damaged(path, number) from None


def _decoded(text: str) -> bytes:
    value = base64.b64decode(text, validate=True)
    if not value.startswith(HYPERLOGLOG):
        raise ValueError
    return value
