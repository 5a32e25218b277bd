"""What an import decides: what becomes of an experiment, and of the fields of its meta hash.

Pure: this module does not use Redis. Everything is decided so that the same file may be imported
again, and that what was counted in the target since is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gimel.runtime import keys
from gimel.runtime.conclude import parse_record
from gimel.runtime.counts import HISTORY
from gimel.runtime.history import parse
from gimel.runtime.refusals import FIELD
from gimel.runtime.snapshot import FINAL
from gimel.transfer.records import Record

SINCE, PRECISION = "since", "precision"

_DECIDED = (SINCE, PRECISION, HISTORY, FINAL, keys.CONCLUDED)
_ENDED = (FINAL, keys.CONCLUDED)


@dataclass(frozen=True)
class Found:
    """What a target has under the names of an experiment.

    `exists` is whether it is counting, and `collision` why its keys cannot be used, if so.
    """

    exists: bool
    precision: int | None
    meta: Mapping[str, str]
    collision: str = ""

    @property
    def is_concluded(self) -> bool:
        return keys.CONCLUDED in self.meta


@dataclass(frozen=True)
class Decision:
    """What becomes of an experiment.

    `refused` says why it cannot be imported, `skipped` why it is not, and `note` what else should
    be known. `concludes` is whether it is a concluded experiment in the target afterwards.
    """

    refused: str = ""
    skipped: str = ""
    note: str = ""
    concludes: bool = False
    merges: bool = False


def decide(record: Record, found: Found) -> Decision:
    """Return what becomes of the experiment of a record."""
    if found.collision:
        return Decision(refused=found.collision)
    if found.is_concluded:
        if not record.is_concluded:
            return Decision(skipped="it is concluded in the target, and stays as it is there")
        ours, theirs = (parse_record(m[keys.CONCLUDED]) for m in (record.meta, found.meta))
        if ours != theirs:
            return Decision(skipped="it was concluded in the target too, with another result")
        return Decision(concludes=True, merges=True)
    if refused := other_precision(record, found.precision):
        return Decision(refused=refused)
    if record.is_concluded and not found.exists:
        return Decision(concludes=True)
    note = ""
    if record.is_concluded:
        note = "it is concluded in the file, but not in the target: run `gimel conclude` there"
    return Decision(note=note, merges=found.exists)


def other_precision(record: Record, found: int | None) -> str:
    """Return why an experiment of this precision in the target cannot be merged, if so."""
    if record.precision is None or found is None or record.precision == found:
        return ""
    return (
        f"it has precision {record.precision} in the file, but {found} in the target, so that its"
        " counts cannot be merged"
    )


def noted_precision(text: str) -> int | None:
    """Return the precision that a field notes, None if it is missing or damaged."""
    return int(text) if text in map(str, keys.PRECISIONS) else None


@dataclass
class Changes:
    """What to do to the fields of a hash: set those that are absent, replace, or increase some."""

    absent: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)
    increased: dict[str, int] = field(default_factory=dict)


def first_fields(record: Record, found: Found, *, concludes: bool) -> Changes:
    """Return what must be noted before events can find the experiment: the earlier time.

    Its precision was noted before. An experiment of 1.5.0 has no time, which is earlier than any.
    """
    changes = Changes()
    ours, theirs = record.meta.get(SINCE), found.meta.get(SINCE)
    is_older = found.exists and theirs is None and record.precision == 1
    if ours is not None and not is_older:
        changes.absent[SINCE] = ours
        if theirs is not None and _is_earlier(ours, theirs):
            changes.replaced[SINCE] = ours
    if concludes and FINAL in record.meta:
        changes.absent[FINAL] = record.meta[FINAL]
    return changes


def other_fields(record: Record, found: Found, *, concludes: bool) -> Changes:
    """Return what is noted at the end: the longer history, and what the target lacks."""
    changes = namespace_fields(
        {name: value for name, value in record.meta.items() if name not in _DECIDED}, found.meta
    )
    ours = record.meta.get(HISTORY) or ("" if concludes else record.meta.get(FINAL, ""))
    theirs = found.meta.get(HISTORY)
    if ours and theirs is None:
        changes.absent[HISTORY] = ours
    since = _since(record, found)
    if ours and theirs is not None and _points(ours, since) > _points(theirs, since):
        changes.replaced[HISTORY] = ours
    return changes


def namespace_fields(ours: Mapping[str, str], theirs: Mapping[str, str]) -> Changes:
    """Return what the notes in a file add: numbers of ignored events only grow."""
    changes = Changes()
    for name, value in ours.items():
        if not name.startswith(FIELD):
            if name not in theirs:
                changes.absent[name] = value
        elif not _is_number(theirs.get(name, "0")):
            continue  # Redis could not increase it
        elif (more := _number(value) - _number(theirs.get(name, "0"))) > 0:
            changes.increased[name] = more
    return changes


def _since(record: Record, found: Found) -> int | None:
    """Return the time that is noted of the experiment after `first_fields`."""
    changes = first_fields(record, found, concludes=False)
    theirs = found.meta.get(SINCE, changes.absent.get(SINCE))
    text = changes.replaced.get(SINCE, theirs)
    return None if text is None else _number(text)


def _points(text: str, since: int | None) -> float:
    history = parse(text, since)
    return len(history.points) if history.is_known else float("inf")


def _is_earlier(ours: str, theirs: str) -> bool:
    return 0 < _number(ours) < _number(theirs)


def _number(text: str) -> int:
    return int(text) if _is_number(text) else 0


def _is_number(text: str) -> bool:
    """Return whether Redis could increase a number: it counts in 64 bits."""
    return text.isdecimal() and text.isascii() and len(text) < 19
