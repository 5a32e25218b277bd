"""Concluded experiments in words, and as JSON and CSV: what was learned, when, and how sure.

Values come in, text goes out.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from gimel.analysis.concluded import REOPENABLE, Concluded
from gimel.analysis.counts import Count
from gimel.analysis.phrases import pluralize, quote, signed_percent
from gimel.report import export
from gimel.report.figures import visible

CONCLUDED = "experiment concluded"
"""The reason with which the runtime reports events of concluded experiments."""

_COLUMNS = (
    *("namespace", "experiment", "concluded", "winner", "note", "verdict", "sentence", "goal"),
    *("variant", "lift", "lift_low", "lift_high", "reached", "decided", "visitors", "days"),
)


def day(seconds: float) -> str:
    """Return a day in UTC: "12 May 2026"."""
    return time.strftime("%d %b %Y", time.gmtime(seconds)).lstrip("0")


def outcome(found: Concluded) -> str:
    """Return what was chosen: "Kept “red”." """
    if found.winner is None:
        return "No winner chosen."
    chosen = f"Kept {visible(quote(found.winner))}"
    if found.is_decided and found.variant not in (None, found.winner):
        return f"{chosen}, although the verdict was for {visible(quote(found.variant or ''))}."
    return f"{chosen}."


def learned(found: Concluded) -> str:
    """Return what was learned: the last verdict."""
    return visible(found.sentence) or "No verdict was recorded."


def certainty(found: Concluded) -> str:
    """Return how sure that is: the interval of the lift, or that nothing was decided."""
    parts = []
    if found.lift and found.lift.value is not None:
        low = "-100%" if found.lift.low is None else signed_percent(found.lift.low)
        high = "no upper limit" if found.lift.high is None else signed_percent(found.lift.high)
        low = low.replace("-", "\u2212")
        parts.append(f"lift {signed_percent(found.lift.value)}, interval {low} to {high}")
    if not found.is_decided:
        parts.append("not decided when it was concluded")
    elif found.reached is not None:
        parts.append(f"decided on {day(found.reached)}")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def when(found: Concluded, now: float) -> str:
    """Return when it ran and ended, and until when it can be reopened."""
    parts = []
    if found.at is not None:
        parts.append(f"concluded on {day(found.at)}")
    if found.days is not None:
        parts.append(f"after {pluralize(found.days, 'day')}")
    text = " ".join(parts) or "concluded"
    if found.visitors is not None:
        text += f" with {pluralize(found.visitors, 'visitor')}"
    if found.at is not None and found.is_reopenable(now):
        text += f"; can be reopened until {day(found.at + REOPENABLE)}"
    return f"{text[:1].upper()}{text[1:]}."


def later_events(found: Concluded) -> str:
    """Return how many events were ignored since, or ""."""
    events = found.ignored.get(CONCLUDED, 0)
    verb = "was" if events == 1 else "were"
    return f"{pluralize(events, 'event')} {verb} ignored since." if events else ""


def text(found: Sequence[Concluded], namespace: str, now: float) -> str:
    """Return the concluded experiments for a terminal, the latest first."""
    if not found:
        return f"No experiment was concluded in the namespace {namespace!r}."
    return "\n\n".join("\n".join(_lines(each, now)) for each in found)


def _lines(found: Concluded, now: float) -> Iterator[str]:
    yield f"{visible(found.name)}: {outcome(found)}"
    note = f"Note: {visible(found.note)}" if found.note else ""
    for line in (learned(found), certainty(found), when(found, now), note, later_events(found)):
        if line:
            yield f"  {line}"
    if found.history:
        last = found.history[-1]
        for variant, count in sorted(last.visitors.items()):
            goals = [
                f"{visible(goal)} {_number(counts.get(variant))}"
                for goal, counts in sorted(last.goals.items())
            ]
            yield f"  {visible(variant)}: {', '.join([pluralize(count.value, 'visitor'), *goals])}"


def _number(count: Count | None) -> str:
    return f"{count.value if count else 0:,.0f}"


def to_json(found: Sequence[Concluded], namespace: str) -> str:
    """Return the concluded experiments as JSON, with their counts and histories."""
    document = {"namespace": namespace, "concluded": [_described(each) for each in found]}
    return json.dumps(document, indent=2, ensure_ascii=False)


def _described(found: Concluded) -> dict[str, Any]:
    lift = found.lift
    return {
        "experiment": found.name,
        "since": found.since,
        "concluded": found.at,
        "winner": found.winner,
        "note": found.note,
        "verdict": {
            "kind": found.kind,
            "decided": found.is_decided,
            "reached": found.reached,
            "sentence": found.sentence,
            "goal": found.goal,
            "variant": found.variant,
            "lift": {"value": lift.value, "low": lift.low, "high": lift.high} if lift else None,
        },
        "design": dict(found.design),
        "visitors": found.visitors,
        "days": found.days,
        "ignored": dict(found.ignored),
        "history": [
            {
                "time": point.time,
                "visitors": {name: count.value for name, count in point.visitors.items()},
                "goals": {
                    goal: {name: count.value for name, count in counts.items()}
                    for goal, counts in point.goals.items()
                },
            }
            for point in found.history
        ],
    }


def to_csv(found: Sequence[Concluded], namespace: str) -> str:
    """Return the concluded experiments as a CSV table, one row each."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for each in found:
        lift = (each.lift.value, each.lift.low, each.lift.high) if each.lift else (None,) * 3
        writer.writerow(
            export.cell(value)
            for value in [
                *(namespace, each.name, each.at, each.winner, each.note, each.kind, each.sentence),
                *(each.goal, each.variant, *lift, each.reached, each.is_decided),
                *(each.visitors, each.days),
            ]
        )
    return table.getvalue()
