"""Concluded experiments in words, and as JSON and CSV: what was learned, when, and how sure.

Values come in, text goes out.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gimel.analysis.concluded import REOPENABLE, Concluded
from gimel.analysis.experiment import Experiment
from gimel.analysis.phrases import day, pluralize, quote
from gimel.report import export
from gimel.report.figures import format_count, format_lift_with_unit, visible, with_minus
from gimel.report.tables import Table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gimel.report.layout import Screen

CONCLUDED = "experiment concluded"
"""The reason with which the runtime reports events of concluded experiments."""

_COLUMNS = (
    *("namespace", "experiment", "since", "concluded", "winner", "note", "verdict", "sentence"),
    *("goal", "variant", "lift_of", "lift", "lift_low", "lift_high", "reached", "decided"),
    *("visitors", "days"),
)


def outcome(found: Concluded) -> str:
    """Return what was chosen: "Kept “red”." """
    if found.winner is None:
        return "No winner chosen."
    chosen = f"Kept {visible(quote(found.winner))}"
    if found.is_decided and found.variant not in (None, found.winner):
        return f"{chosen}, although the verdict was for {visible(quote(found.variant or ''))}."
    return f"{chosen}."


def learned(found: Concluded) -> str:
    """Return what was learned: the last verdict. One that decided nothing speaks of its time."""
    if not found.sentence:
        return "No verdict was recorded."
    words = visible(found.sentence)
    return words if found.is_decided else f"Last verdict: {words}"


def certainty(found: Concluded) -> str:
    """Return how sure that is: the interval of the lift, or that nothing was decided."""
    parts = []
    if found.lift and found.lift.value is not None:
        value, interval = map(with_minus, format_lift_with_unit(found.lift))
        subject = f" of {visible(quote(found.lift_of))}" if found.lift_of else ""
        parts.append(f"lift{subject} {value}, 95% interval {interval}")
    if found.reached is not None:
        unsafe = "" if found.is_decided else ", but not safe to stop when it was concluded"
        parts.append(f"decided on {day(found.reached)}{unsafe}")
    elif not found.is_decided:
        parts.append("not decided when it was concluded")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def warning(experiment: Experiment) -> str:
    """Return what to know before an experiment is ended; "" if it is safe to stop."""
    verdict = experiment.headline
    if verdict.safe_to_stop:
        return ""
    if verdict.reached is None:
        return "This experiment is undecided."
    return "It is not safe to stop this experiment."


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


def counts(found: Concluded) -> Table | None:
    """Return the counts of each variant, the control first; None without any."""
    if not found.history:
        return None
    last = found.history[-1]
    control = found.design.get("control")
    goals = sorted(last.goals)
    rows = []
    for variant in sorted(last.visitors, key=lambda name: (name != control, name)):
        given = [last.visitors[variant], *(last.goals[goal].get(variant) for goal in goals)]
        cells = (format_count(count.value) if count else "0" for count in given)
        rows.append((visible(variant), *cells))
    return Table(
        "Counts when it was concluded", ("variant", "visitors", *map(visible, goals)), tuple(rows)
    )


def text(
    found: Sequence[Concluded], namespace: str, now: float, screen: Screen
) -> Iterator[RenderableType]:
    """Yield the concluded experiments for a terminal, the latest first."""
    # Imported here: rich takes about 0.1 s, and no form for programs needs it.
    from rich.text import Text

    if not found:
        yield Text(f"No experiment was concluded in the namespace {namespace!r}.")
    for number, each in enumerate(found):
        if number:
            yield ""
        yield from _described_in_words(each, now, screen)


def _described_in_words(found: Concluded, now: float, screen: Screen) -> Iterator[RenderableType]:
    from rich.text import Text

    from gimel.report.layout import indent, lay_out

    yield Text.assemble((visible(found.name), "bold underline"), f": {screen.text(outcome(found))}")
    note = f"Note: {visible(found.note)}" if found.note else ""
    for line in (learned(found), certainty(found), when(found, now), note, later_events(found)):
        if line:
            yield indent(Text(screen.text(line)))
    if table := counts(found):
        yield lay_out(table, screen)


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
            "lift_of": found.lift_of,
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
    """Return the concluded experiments as a CSV table, one row each.

    Times are in ISO 8601, in UTC. A name that a spreadsheet would run as a formula gets a ' in
    front.
    """
    return _to_csv(found, namespace, "\n")


def to_excel(found: Sequence[Concluded], namespace: str) -> bytes:
    """Return the table of `to_csv` such that Excel on Windows reads its names."""
    return _to_csv(found, namespace, "\r\n").encode("utf-8-sig")


def _to_csv(found: Sequence[Concluded], namespace: str, line_end: str) -> str:
    file = io.StringIO()
    table = csv.writer(file, lineterminator=line_end, quoting=csv.QUOTE_NONNUMERIC)
    table.writerow(_COLUMNS)
    for each in found:
        lift = (each.lift.value, each.lift.low, each.lift.high) if each.lift else (None,) * 3
        since, at, reached = map(export.date_time, (each.since, each.at, each.reached))
        row = [
            *(namespace, each.name, since, at, each.winner, each.note, each.kind, each.sentence),
            *(each.goal, each.variant, each.lift_of, *lift, reached, each.is_decided),
            *(each.visitors, each.days),
        ]
        table.writerow(map(export.cell, row))
    return file.getvalue()
