"""Experiments with their statistics as data for other programs: a JSON document, a CSV table.

Rates, shares, lifts and confidence levels are shares of 1. Both forms have the same figures under
the same names.
"""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from gimel.analysis.counts import Count
from gimel.analysis.experiment import Experiment
from gimel.analysis.goal import Goal, Variant
from gimel.analysis.verdict import Verdict
from gimel.report import export_history, wording

COLUMNS = (
    "namespace",
    "experiment",
    "since",
    "goal",
    "role",
    "variant",
    "is_control",
    "control_is_guess",
    "visitors",
    "visitors_error",
    "failed",
    "failed_error",
    "conversions",
    "conversions_error",
    "per_visitor",
    "rate",
    "lift",
    "lift_low",
    "lift_high",
    "verdict",
    "sentence",
)
"""The columns of the CSV table."""

# Anyone who calls the public track URL can choose a name, and a spreadsheet runs what begins with
# one of these as a formula. Excel in Japanese also takes the full-width ones.
_FORMULAS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_SKIPPED = ("Cc", "Cf", "Zs", "Zl", "Zp")  # what it may skip to find one: spaces, controls, marks


def to_json(
    experiments: Sequence[Experiment],
    namespace: str,
    ignored: Mapping[str, int],
    history: bool = False,
) -> str:
    """Return a JSON document with all figures, each experiment as `describe` returns it.

    `ignored` are the ignored events of experiments that do not exist, by reason. `warnings` are
    sentences for people.
    """
    warnings = [wording.limit_warning(experiments, ignored)]
    warnings += [wording.assumed_control(experiment) for experiment in experiments]
    document = {
        "namespace": namespace,
        "warnings": [warning for warning in warnings if warning],
        "ignored": dict(ignored),
        "experiments": [describe(experiment, history) for experiment in experiments],
    }
    return json.dumps(document, indent=2, allow_nan=False)


def describe(experiment: Experiment, history: bool = False) -> dict[str, Any]:
    """Return an experiment as it appears in JSON.

    An interval is `{"value", "low", "high"}`; an end that is null is open. A figure that is not
    defined is null: a comparison of the control with itself, the value of a lift while the control
    has no conversions, every figure but `per_visitor` of a goal that is not unique per visitor. A
    `lift` is valid at every look; the figures under `details` are fixed-horizon. `headline` is the
    verdict on the experiment, `verdict` that on a goal. With `history`, the experiment has its
    visitors, and each goal its figures, at every recorded time.
    """
    split, design = experiment.split, experiment.design
    return {
        "experiment": experiment.name,
        "since": experiment.since,
        "control": experiment.control.name if experiment.control else None,
        "control_is_guess": experiment.control_is_guess,
        "design": {
            "control": design.control,
            "weights": design.weights,
            "goal": design.goal,
            "guardrails": list(design.guardrails),
            "decrease": sorted(design.decrease),
            "lift": design.lift,
            "minimum_days": design.minimum_days,
            "visitors": design.visitors,
        },
        "days": experiment.progress.days,
        "confidence": experiment.confidence,
        "trustworthy": not experiment.is_doubtful,
        "doubts": list(experiment.doubts),
        "failed": [
            {
                "variant": each.name,
                "is_control": each.is_control,
                "visitors": each.arm.visitors.value,
                "failed": each.arm.conversions.value,
                "failed_error": each.arm.conversions.error,
                "share": each.share,
                "sentence": each.sentence,
            }
            for each in experiment.failed
        ],
        "ignored": dict(experiment.ignored),
        "unreadable": experiment.unreadable,
        "precision": experiment.precision,
        "counting_noise": experiment.widening,
        "split": {
            "p": split.p,
            "mismatch": split.is_mismatch,
            "mismatch_since": experiment.mismatch_since,
        },
        "participants": [
            {
                "variant": arm.name,
                "visitors": arm.visitors.value,
                "visitors_error": arm.visitors.error,
                "share": observed,
                "expected_share": expected if arm.weight else None,
            }
            for arm, observed, expected in zip(
                experiment.arms, split.observed, split.expected, strict=True
            )
        ],
        "headline": _verdict(experiment.headline),
        "goals": [
            _goal(goal) | ({"history": export_history.describe_goal(goal)} if history else {})
            for goal in experiment.goals
        ],
        **({"history": export_history.describe_visitors(experiment)} if history else {}),
    }


def to_csv(experiments: Sequence[Experiment], namespace: str, history: bool = False) -> str:
    """Return a CSV table with one row per variant and goal; without goals, one row per variant.

    `failed` are the visitors for whom the variant failed; they are among its visitors.
    `since` is a date and time in ISO 8601, in UTC. Visitors and conversions are rounded. A name
    that a spreadsheet would run as a formula gets a ' in front.

    With `history` it has one row per recorded time, goal and variant instead, with the columns
    `export_history.COLUMNS`.
    """
    return _to_csv(experiments, namespace, "\n", history)


def to_excel(experiments: Sequence[Experiment], namespace: str, history: bool = False) -> bytes:
    """Return the table of `to_csv` such that Excel on Windows reads its names.

    Without the byte order mark it takes the file for the code page of the country.
    """
    return _to_csv(experiments, namespace, "\r\n", history).encode("utf-8-sig")


def _to_csv(experiments: Sequence[Experiment], namespace: str, line_end: str, history: bool) -> str:
    file = io.StringIO()
    columns = export_history.COLUMNS if history else COLUMNS
    table = csv.DictWriter(
        file, columns, restval="", lineterminator=line_end, quoting=csv.QUOTE_NONNUMERIC
    )
    table.writeheader()
    for row in _past(experiments, namespace) if history else _now(experiments, namespace):
        table.writerow({name: cell(value) for name, value in row.items()})
    return file.getvalue()


def _past(experiments: Sequence[Experiment], namespace: str) -> Iterator[dict[str, Any]]:
    for experiment in experiments:
        shared = {"namespace": namespace, "experiment": experiment.name}
        for row in export_history.rows(experiment):
            yield shared | row | {"date": date_time(row["date"])}


def _now(experiments: Sequence[Experiment], namespace: str) -> Iterator[dict[str, Any]]:
    for experiment in experiments:
        shared = {
            "namespace": namespace,
            "experiment": experiment.name,
            "since": date_time(experiment.since),
            "control_is_guess": experiment.control_is_guess,
        }
        failed = {each.name: each.arm.conversions for each in experiment.failed}
        for row in _rows(experiment):
            count = failed.get(row["variant"], Count())
            row |= {"failed": round(count.value), "failed_error": count.error}
            yield shared | row


def date_time(seconds: int | None) -> str:
    """Return a time since 1970 in ISO 8601, in UTC; '' if it is unknown or beyond all calendars."""
    if seconds is None:
        return ""
    try:
        return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return ""


def _verdict(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict. `goal` is that of a headline, and null if it speaks of several or none."""
    return {**asdict(verdict), "kind": verdict.kind.value, "safe_to_stop": verdict.safe_to_stop}


def _goal(goal: Goal) -> dict[str, Any]:
    return {
        "goal": goal.name,
        "role": goal.role.value,
        "is_conversion": goal.is_conversion,
        "verdict": {**_verdict(goal.verdict), "goal": goal.name},
        "counting_noise": goal.widening,
        "novelty": asdict(goal.novelty) if goal.novelty else None,
        "variants": [_variant(goal, variant) for variant in goal.variants],
    }


def _variant(goal: Goal, variant: Variant) -> dict[str, Any]:
    arm, comparison = variant.arm, variant.comparison
    values: dict[str, Any] = dict.fromkeys(("rate", "lift", "failures", "details"))
    if goal.is_conversion:
        values["rate"] = arm.rate
        values["details"] = {"rate": asdict(variant.rate), "best": variant.best}
    if goal.is_conversion and comparison:
        details = comparison.details
        values["lift"] = asdict(comparison.lift)
        values["failures"] = asdict(comparison.failures) if comparison.failures else None
        values["details"] |= {
            "difference": asdict(details.difference),
            "lift": asdict(details.lift) if details.lift else None,
            "p": details.p,
            "p_holm": details.p_adjusted,
            "beats_control": variant.beats_control,
        }
    return {
        "variant": arm.name,
        "is_control": variant.is_control,
        "visitors": arm.visitors.value,
        "visitors_error": arm.visitors.error,
        "conversions": arm.conversions.value,
        "conversions_error": arm.conversions.error,
        "per_visitor": arm.per_visitor,
        **values,
    }


def _rows(experiment: Experiment) -> Iterator[dict[str, Any]]:
    """Yield the rows of an experiment, each as values by column, without what they share."""
    for goal in experiment.goals:
        for variant in goal.variants:
            yield _row(goal, variant)
    if not experiment.goals:
        verdict = experiment.headline
        for arm in experiment.arms:
            yield {
                "variant": arm.name,
                "is_control": arm is experiment.control,
                "visitors": round(arm.visitors.value),
                "visitors_error": arm.visitors.error,
                "verdict": verdict.kind.value,
                "sentence": verdict.sentence,
            }


def _row(goal: Goal, variant: Variant) -> dict[str, Any]:
    """Return a variant's figures by column: those of `_variant`, the lift in three columns."""
    figures = _variant(goal, variant)
    row = {name: value for name, value in figures.items() if name in COLUMNS}
    lift = figures["lift"] or {"value": None, "low": None, "high": None}
    row |= {"lift": lift["value"], "lift_low": lift["low"], "lift_high": lift["high"]}
    row |= {name: round(figures[name]) for name in ("visitors", "conversions")}
    return {
        "goal": goal.name,
        "role": goal.role.value,
        "verdict": goal.verdict.kind.value,
        "sentence": goal.verdict.sentence,
        **row,
    }


def cell(value: object) -> object:
    """Return a value of a CSV table: a text that might run as a formula gets a ' in front."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and _is_formula(value) else value


def _is_formula(text: str) -> bool:
    """Return whether a spreadsheet might run a text, or hide what it begins with."""
    return text.startswith(_FORMULAS) or unicodedata.category(text[:1] or "x") in _SKIPPED
