"""What an import decides about an experiment and its notes, as values."""

from __future__ import annotations

import json

import pytest

from gimel.transfer.merging import (
    Changes,
    Found,
    decide,
    first_fields,
    namespace_fields,
    other_fields,
)
from gimel.transfer.records import Record

NOTHING = Found(exists=False, precision=None, meta={})
CONCLUDED = json.dumps({"at": 1, "winner": "red"})


def record(precision: int | None = 16, **meta: str) -> Record:
    return Record("shop", "button", precision, ("shop:experiments",), {}, (), {}, meta)


def found(precision: int | None = 16, **meta: str) -> Found:
    return Found(exists=True, precision=precision, meta=meta)


def history(since: int | None, *points: str) -> str:
    columns = [["participate", "red", "16"]]
    header = json.dumps({"v": 1, "since": since, "columns": columns}, separators=(",", ":"))
    return "\n".join([header, *points])


ONE, TWO = history(5, "a 1"), history(5, "a 1", "b 2")


@pytest.mark.parametrize(
    ("ours", "theirs", "refused", "skipped", "note", "merges", "concludes"),
    [
        (record(), NOTHING, "", "", "", False, False),
        (record(), found(), "", "", "", True, False),
        (record(), found(None), "", "", "", True, False),
        (record(None), found(4), "", "", "", True, False),
        (record(4), found(16), "precision 4 in the file, but 16 in", "", "", False, False),
        (record(concluded=CONCLUDED), NOTHING, "", "", "", False, True),
        (record(concluded=CONCLUDED), found(), "", "", "run `gimel conclude` there", True, False),
        (record(), found(concluded=CONCLUDED), "", "concluded in the target", "", False, False),
        (record(concluded=CONCLUDED), found(concluded=CONCLUDED), "", "", "", True, True),
        (
            record(concluded='{"at":1}'),
            found(concluded=CONCLUDED),
            "",
            "with another result",
            "",
            False,
            False,
        ),
    ],
)
def test_what_becomes_of_an_experiment(
    ours: Record,
    theirs: Found,
    refused: str,
    skipped: str,
    note: str,
    merges: bool,
    concludes: bool,
) -> None:
    """It is imported, merged or concluded; what the target has concluded stays as it is."""
    decision = decide(ours, theirs)
    for text, part in (
        (decision.refused, refused),
        (decision.skipped, skipped),
        (decision.note, note),
    ):
        assert part in text
        assert bool(part) == bool(text)
    assert (decision.merges, decision.concludes) == (merges, concludes)


def test_a_collision_is_refused_whatever_else_is_found() -> None:
    """Its keys cannot be used."""
    theirs = Found(exists=True, precision=None, meta={}, collision="the key holds a list")
    assert decide(record(), theirs).refused == "the key holds a list"


@pytest.mark.parametrize(
    ("ours", "theirs", "changes"),
    [
        ({"since": "5"}, NOTHING, Changes({"since": "5"})),
        ({"since": "5"}, found(since="9"), Changes({"since": "5"}, {"since": "5"})),
        ({"since": "9"}, found(since="5"), Changes({"since": "9"})),
        ({}, found(since="5"), Changes()),
        ({"since": "5"}, found(16), Changes({"since": "5"})),
        ({"since": "5"}, found(1), Changes()),
    ],
    ids=["new", "earlier", "later", "ours is of 1.5.0", "lost", "theirs is of 1.5.0"],
)
def test_the_time_of_the_first_event_is_the_earlier_one(
    ours: dict[str, str], theirs: Found, changes: Changes
) -> None:
    """An experiment of 1.5.0 has none, which is earlier; a repeated import restores a lost one."""
    assert first_fields(record(theirs.precision, **ours), theirs, concludes=False) == changes


def test_a_conclusion_ends_the_history() -> None:
    """Before it is listed; an experiment that continues has no such end."""
    ours = record(since="5", concluded=CONCLUDED, final=ONE)
    for concludes, changes in ((True, {"since": "5", "final": ONE}), (False, {"since": "5"})):
        assert first_fields(ours, NOTHING, concludes=concludes) == Changes(changes)


@pytest.mark.parametrize(
    ("ours", "theirs", "changes"),
    [
        (TWO, {}, Changes({"history": TWO})),
        (TWO, {"history": ONE, "since": "5"}, Changes({}, {"history": TWO})),
        (ONE, {"history": TWO, "since": "5"}, Changes()),
        (ONE, {"history": ONE, "since": "5"}, Changes()),
        (ONE, {"history": history(9, "a 1", "b 2"), "since": "9"}, Changes({}, {"history": ONE})),
        (ONE, {"history": '{"v":2}', "since": "5"}, Changes()),
        ("damaged", {"history": ONE, "since": "5"}, Changes()),
    ],
    ids=["none", "shorter", "longer", "equal", "of a later life", "of a newer Gimel", "damaged"],
)
def test_the_longer_history_is_kept(ours: str, theirs: dict[str, str], changes: Changes) -> None:
    """As far as it belongs to the life that began at the earlier time."""
    kept = other_fields(record(since="5", history=ours), found(16, **theirs), concludes=False)
    assert kept == changes


def test_numbers_of_ignored_events_grow_and_other_notes_are_kept() -> None:
    """The larger number counts: a repeated import adds nothing."""
    ours = {"ignored:bot": "9", "ignored:limit reached": "2", "ignored:new": "3", "alerted:x": "a"}
    theirs = {"ignored:bot": "7", "ignored:limit reached": "5", "alerted:x": "b"}
    assert namespace_fields(ours, theirs) == Changes({}, {}, {"ignored:bot": 2, "ignored:new": 3})
    assert namespace_fields({"alerted:y": "a"}, theirs) == Changes({"alerted:y": "a"})
    assert namespace_fields({"ignored:bot": "-"}, theirs) == Changes()
    assert namespace_fields({"ignored:bot": "9" * 19}, theirs) == Changes()  # more than 64 bits
    assert namespace_fields({"ignored:bot": "9"}, {"ignored:bot": "x"}) == Changes()
    assert namespace_fields({"ignored:bot": "9"}, {"ignored:bot": "0"}) == Changes(
        increased={"ignored:bot": 9}
    )
