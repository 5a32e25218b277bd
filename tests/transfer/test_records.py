"""A record of an export: its order of counters, and that it names keys of its experiment only."""

from __future__ import annotations

from typing import Any

import pytest

from gimel.transfer.records import Record, TransferError, is_hyperloglog, read_record

SALE = "shop:counters:button:sale:red::4"
VISITORS = "shop:counters:button:participate:red::4"
RECORD = Record(
    "shop",
    "button",
    4,
    ("shop:experiments",),
    {"shop:button:counter_keys": (VISITORS, SALE)},
    (),
    {},
    {"since": "1"},
)


def test_goals_come_before_participants() -> None:
    """So that an export never shows a visitor who reached a goal and did not take part."""
    assert RECORD.counters() == [SALE, VISITORS]
    assert RECORD.stages() == (
        [f"{SALE}:{shard}" for shard in range(4)],
        [f"{VISITORS}:{shard}" for shard in range(4)],
    )


def test_an_exact_count_is_no_hyperloglog() -> None:
    """What Lamed left is in the record itself."""
    plain = "shop:counters:button:sale:red"
    record = Record("shop", "button", 1, (), {"shop:button:counter_keys": (plain,)}, (), {}, {})
    assert list(record.hyperloglogs()) == [plain]
    exact = Record(
        "shop", "button", 1, (), {"shop:button:counter_keys": (plain,)}, (), {plain: "5"}, {}
    )
    assert list(exact.hyperloglogs()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"listed": ["other:experiments"]},
        {"listed": ["gimel:namespaces"]},
        {"marks": {"shop:other:counter_keys": [SALE]}},
        {"marks": {"shop:button:counter_keys": ["shop:counters:other:sale:red::4"]}},
        {"marks": {"shop:button:counter_keys": ["shop:experiments"]}},
        {"kept": ["session:1"]},
        {"exact": {"session:1": "5"}},
        {"exact": {SALE: "5"}},
    ],
    ids=str,
)
def test_keys_of_something_else_are_refused(changes: dict[str, Any]) -> None:
    """An import writes to the keys of its experiments and to no others."""
    with pytest.raises(TransferError, match="belongs to something else"):
        read_record({**RECORD.as_json(), **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"precision": 3},
        {"precision": "4"},
        {"namespace": None},
        {"experiment": "\ud800"},
        {"listed": "shop:experiments"},
        {"marks": []},
        {"meta": {"since": 1}},
        {"exact": {SALE: "-5"}},
        {"more": 1},
    ],
    ids=ascii,
)
def test_malformed_records_are_refused(changes: dict[str, Any]) -> None:
    """With one message, as a checksum has already found accidents."""
    with pytest.raises(TransferError, match="not valid"):
        read_record({**RECORD.as_json(), **changes})


def test_names_with_colons_as_1_5_0_wrote_them() -> None:
    """Both spellings of the keys belong to the experiment."""
    raw = "a:b:counters:c:d:sale:red"
    record = Record(
        "a:b",
        "c:d",
        1,
        ("a:b:experiments", "a%3Ab:experiments"),
        {"a:b:c:d:counter_keys": (raw,)},
        (),
        {},
        {},
    )
    assert read_record(record.as_json()) == record


SPARSE, DENSE = b"HYLL\x01" + bytes(11), b"HYLL" + bytes(12)


@pytest.mark.parametrize(
    ("value", "is_valid"),
    [
        (SPARSE + b"\x7f\xff", True),
        (SPARSE + b"\x3f" * 256, True),
        (SPARSE + b"\x83" * 4096, True),
        (SPARSE + b"\x80\x84\x40\x40\x7f\xbc", True),
        (DENSE + bytes(12_288), True),
        (SPARSE + b"\x7f\xff\x00", False),
        (SPARSE + b"\x7f\xfe", False),
        (SPARSE + b"\x7f\xfe\x40", False),
        (SPARSE + b"\x7f\xff" * 5, False),
        (SPARSE + b"\x83" * 40_000, False),
        (SPARSE, False),
        (DENSE + bytes(12_287), False),
        (DENSE + bytes(12_289), False),
        (b"HYLL\x02" + bytes(12_299), False),
        (b"HYLL\x01", False),
        (b"text", False),
    ],
)
def test_only_what_redis_can_use_is_a_hyperloglog(value: bytes, is_valid: bool) -> None:
    """Its registers are exactly 16,384: others make commands fail, or a server crash."""
    assert is_hyperloglog(value) == is_valid
