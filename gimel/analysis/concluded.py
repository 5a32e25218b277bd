"""The end of an experiment: the record of what was learned, and concluded experiments as values.

`record` says in at most `MAX_BYTES` what the API keeps; what is too long is shortened. The counts
are the last point of the history, which is kept beside the record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gimel.analysis.counts import Point
from gimel.analysis.decision import SAFE
from gimel.analysis.design import Design
from gimel.analysis.experiment import Experiment, NotFound
from gimel.analysis.mixture import Lift
from gimel.analysis.verdict import Kind
from gimel.errors import suggest

MAX_BYTES = 2000
"""The size of a record as JSON. The API allows 2,048 bytes, and adds the time."""

MAX_NOTE = 500
"""How many characters a note may have."""

REOPENABLE = 7 * 86_400
"""Seconds after its conclusion in which an experiment can be reopened.

Repeats `gimel.runtime.conclude.REOPENABLE`, because the analysis must not import the runtime.
"""

_CUTS = (400, 200, 100, 50)  # bytes of a text, ever shorter
_DECIDED = (Kind.WINNER, Kind.CONTROL_WINS)


@dataclass(frozen=True)
class Concluded:
    """A concluded experiment: its record, and the history that ends with its counts.

    Attributes:
        name: The experiment's name.
        at: When it was concluded, in seconds since 1970; None if unknown.
        winner: The variant that was chosen; None if none was.
        note: What the person who concluded it wrote, or "".
        kind: The kind of its last verdict, a value of `Kind`, or "".
        sentence: That verdict in words, or "".
        variant: The variant that the verdict is about, or None.
        goal: The goal that the verdict is about, or None.
        lift: The lift of the verdict, or None.
        lift_of: The variant whose lift that is, or None. If the control wins, it is not `variant`.
        reached: When the verdict was reached, in seconds since 1970; None if it never was.
        is_decided: Whether the experiment had answered its question.
        visitors: The visitors of all variants together; None if unknown.
        days: How long it ran; None if unknown.
        design: The parts of its design that are not at their default.
        since: The time of its first event; None if unknown.
        ignored: Events that were ignored, before and after the conclusion, by reason.
        history: Its counts, by time.
    """

    name: str
    at: int | None = None
    winner: str | None = None
    note: str = ""
    kind: str = ""
    sentence: str = ""
    variant: str | None = None
    goal: str | None = None
    lift: Lift | None = None
    lift_of: str | None = None
    reached: int | None = None
    is_decided: bool = False
    visitors: float | None = None
    days: float | None = None
    design: Mapping[str, Any] = field(default_factory=dict)
    since: int | None = None
    ignored: Mapping[str, int] = field(default_factory=dict)
    history: tuple[Point, ...] = ()

    def is_reopenable(self, now: float) -> bool:
        """Return whether it can still be reopened."""
        return self.at is not None and now <= self.at + REOPENABLE


def read(record: Mapping[str, Any], name: str, **more: Any) -> Concluded:
    """Return the concluded experiment of a record, whoever wrote it; what is malformed is missing.

    `more` are the fields that are not in the record.
    """
    verdict, design = record.get("verdict"), record.get("design")
    said: Mapping[str, Any] = verdict if isinstance(verdict, dict) else {}
    return Concluded(
        name,
        at=_whole(record.get("at")),
        winner=_text(record.get("winner")),
        note=_text(record.get("note")) or "",
        kind=_text(said.get("kind")) or "",
        sentence=_text(said.get("sentence")) or "",
        variant=_text(said.get("variant")),
        goal=_text(said.get("goal")),
        lift=_lift(said.get("lift")),
        lift_of=_text(said.get("lift_of")),
        reached=_whole(said.get("reached")),
        is_decided=said.get("decided") is True,
        visitors=_number(record.get("visitors")),
        days=_number(record.get("days")),
        design=design if isinstance(design, dict) else {},
        **more,
    )


def choose_winner(experiment: Experiment, winner: str | None) -> str | None:
    """Return the variant that is recorded as the winner: the given one, else the verdict's.

    Raises:
        NotFound: The variant does not exist; the hint suggests similar names.
    """
    names = [arm.name for arm in experiment.arms]
    if winner is None:
        verdict = experiment.headline
        return verdict.variant if verdict.kind in _DECIDED else None
    if winner not in names:
        raise NotFound(
            f"The experiment {experiment.name!r} has no variant {winner!r}.", suggest(winner, names)
        )
    return winner


def record(experiment: Experiment, winner: str | None = None, note: str = "") -> dict[str, Any]:
    """Return what is kept of an experiment: at most `MAX_BYTES` as JSON.

    The verdict's sentence is kept without "Safe to stop.", since it has been stopped. Raises
    NotFound if the winner is not a variant.
    """
    verdict, lift, days = experiment.headline, experiment.headline.lift, experiment.progress.days
    kept: dict[str, Any] = {
        "winner": choose_winner(experiment, winner),
        "note": " ".join(note.split()),
        "verdict": {
            "kind": verdict.kind.value,
            "decided": verdict.safe_to_stop,
            "sentence": verdict.sentence.replace(f" {SAFE}", "", 1),
            "variant": verdict.variant,
            "goal": verdict.goal,
            "lift": [_round(each) for each in (lift.value, lift.low, lift.high)] if lift else None,
            "lift_of": _lift_of(experiment),
            "reached": verdict.reached,
        },
        "design": _design(experiment.design, experiment.control.name if experiment.control else ""),
        "visitors": round(experiment.visitors),
        "days": None if days is None else round(days, 1),
    }
    return _fit(kept)


def _lift_of(experiment: Experiment) -> str | None:
    """Return the variant that the headline's lift is of; None without a lift."""
    verdict = experiment.headline
    comparisons = (
        each
        for goal in experiment.goals
        if goal.name == verdict.goal
        for each in goal.case.comparisons
    )
    found = (each.arm.name for each in comparisons if each.lift == verdict.lift)
    return next(found, None) if verdict.lift else None


def _design(design: Design, control: str) -> dict[str, Any]:
    """Return the parts of a design that are not at their default, and the control."""
    default = Design()
    parts: dict[str, Any] = {
        "goal": design.goal,
        "lift": design.lift,
        "minimum_days": design.minimum_days,
        "visitors": design.visitors,
        "guardrails": sorted(design.guardrails) or (),
        "decrease": sorted(design.decrease) or (),
        "weights": dict(design.weights) if design.weights else None,
    }
    changed = {key: value for key, value in parts.items() if value != getattr(default, key)}
    return {"control": control, **changed}


def _fit(kept: dict[str, Any]) -> dict[str, Any]:
    """Shorten what is least important first, until the record fits. The winner is never changed."""
    verdict, design = kept["verdict"], kept["design"]
    for part in ("weights", "decrease", "guardrails"):
        if _size(kept) > MAX_BYTES:
            design.pop(part, None)
    for most in _CUTS:
        for owner, key in (
            (verdict, "sentence"),
            (design, "goal"),
            (design, "control"),
            (verdict, "goal"),
            (verdict, "variant"),
            (verdict, "lift_of"),
            (kept, "note"),
        ):
            if _size(kept) > MAX_BYTES and owner.get(key):
                owner[key] = _cut(owner[key], most)
    return kept


def _size(value: object) -> int:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-8", "replace"))


def _cut(text: str, most: int) -> str:
    """Return a text of at most about this many bytes in JSON, with an ellipsis if it was cut."""
    if _size(text) <= most:
        return text
    while _size(text) > most:
        text = text[: len(text) * 9 // 10]
    return f"{text.rstrip()}\u2026"


def _round(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.4g}")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else None  # type: ignore[return-value]


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _lift(value: object) -> Lift | None:
    if not isinstance(value, list) or len(value) != 3:
        return None
    return Lift(*map(_number, value))
