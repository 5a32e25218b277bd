"""The file of an export: what is written is read again, and nothing else is accepted."""

from __future__ import annotations

import gzip
import io
import json
import os
import zlib
from base64 import b64encode
from pathlib import Path

import pytest

from gimel.transfer import files
from gimel.transfer.files import NamespaceNotes, Values
from gimel.transfer.records import Record, TransferError

COUNTER = "shop:counters:button:participate:red::4"
HYPERLOGLOG = b"HYLL\x01" + bytes(11) + b"\x7f\xff"
LINES: list[Record | Values | NamespaceNotes] = [
    Record(
        "shop",
        "button",
        4,
        ("shop:experiments",),
        {"shop:button:counter_keys": (COUNTER, "shop:counters:button:sale:red")},
        (),
        {"shop:counters:button:sale:red": "12"},
        {"since": "1750000000", "precision": "4", "note": "é \u2028"},
    ),
    Values({f"{COUNTER}:0": HYPERLOGLOG}),
    NamespaceNotes("shop", {"ignored:bot": "7"}),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "counters.json"
    with path.open("wb") as stream:
        files.write(stream, LINES, 1_800_000_000)
    return path


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gzipped"])
def test_what_is_written_is_read_again(path: Path, compress: bool) -> None:
    """With its totals, whether it is compressed or not, and whatever its name is."""
    if compress:
        path.write_bytes(gzip.compress(path.read_bytes()))
    assert files.check(path) == files.Totals(1_800_000_000, ("shop",), 1, 2)
    assert list(files.read(path)) == LINES


def test_an_export_is_plain_ascii(path: Path) -> None:
    """One JSON object per line, so that other tools can read it."""
    lines = path.read_bytes().decode("ascii").splitlines()
    assert [next(iter(json.loads(line))) for line in lines] == [
        "gimel",
        "experiment",
        "values",
        "namespace",
        "end",
    ]


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gzipped"])
def test_a_truncated_file_is_recognised(path: Path, compress: bool) -> None:
    """Wherever it ends, except that the last line break may be missing."""
    content = gzip.compress(path.read_bytes()) if compress else path.read_bytes()
    for length in range(0, len(content) - 1, 3):
        path.write_bytes(content[:length])
        with pytest.raises(TransferError, match=r"not complete|not a file of"):
            files.check(path)


def test_a_changed_file_is_recognised(path: Path) -> None:
    """Whatever is changed: every line is part of the checksum."""
    content = path.read_bytes()
    values = b64encode(HYPERLOGLOG), b64encode(HYPERLOGLOG[:15] + b"\x80" + HYPERLOGLOG[16:])
    for old, new in ((b"1750000000", b"1750000001"), (b'"7"', b'"8"'), values):
        assert old in content
        path.write_bytes(content.replace(old, new))
        with pytest.raises(TransferError, match="was changed"):
            files.check(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not complete"),
        (b"\xff\xfe\n", "is not a file of `gimel export`"),
        (b"[1]\n", "is not a file of `gimel export`"),
        (b'{"experiment": "a"}\n', "is not a file of `gimel export`"),
        (b'{"gimel":"export","version":2,"written":1}\n', "was written by a newer Gimel"),
        (
            b'{"gimel":"export","version":1,"written":1}\n{"values":{"a":"SFlMTA=="}}\n',
            "line 2.*valid",
        ),
        (b'{"gimel":"export","version":1,"written":1}\n{"values":{"a":"!"}}\n', "line 2"),
        (b'{"gimel":"export","version":1,"written":1}\n{"experiment":{}}\n', "line 2"),
        (b'{"gimel":"export","version":1,"written":1}\n{"end":[]}\n', "was changed"),
        (b"[" * 100_000, "not a file of"),
        (b'{"gimel":"export","version":1,"written":1}\n' + b" " * 2000, "line 2"),
        (
            b'{"gimel":"export","version":1,"written":1}\n'
            b'{"end":{"experiments":0,"counters":0,"crc32":%d}}\n'
            % zlib.crc32(b'{"gimel":"export","version":1,"written":1}\n'),
            "was changed",
        ),
    ],
    ids=lambda value: value[:60] if isinstance(value, bytes) else "",
)
def test_other_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str
) -> None:
    """With what is wrong with them. A line that is too long is not read as a whole."""
    monkeypatch.setattr(files, "LONGEST", 1000)
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(TransferError, match=message):
        files.check(path)


def test_a_line_that_could_not_be_read_again_is_not_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The export fails instead."""
    monkeypatch.setattr(files, "LONGEST", 100)
    with pytest.raises(TransferError, match="longer than 100 bytes"):
        files.write(io.BytesIO(), LINES, 1_800_000_000)


def test_too_many_experiments_together_are_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would be kept in memory: an import waits for their values."""
    monkeypatch.setattr(files, "MOST_TOGETHER", 2)
    for number in (2, 3):
        with path.open("wb") as stream:
            files.write(stream, [*[LINES[0]] * number, *LINES[1:]] * 2, 1_800_000_000)
        if number == 2:
            assert files.check(path).experiments == 4
    with pytest.raises(TransferError, match="line 4 "):
        files.check(path)


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    """The message names it."""
    with pytest.raises(TransferError, match=r"missing\.json cannot be read: No such file"):
        files.check(tmp_path / "missing.json")


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    """A file is read twice: it is checked first."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(TransferError, match="is not a file"):
            files.check(path)


def test_an_export_without_experiments_is_complete() -> None:
    """It has a header and an end."""
    stream = io.BytesIO()
    assert files.write(stream, [], 1) == files.Totals(1, (), 0, 0)
    assert len(stream.getvalue().splitlines()) == 2
