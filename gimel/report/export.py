"""Experiments with their statistics as data for other programs: a JSON document, a CSV table.

Rates, shares, lifts and confidence levels are shares of 1. Both forms have the same figures under
the same names.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gimel.analysis.experiment import Experiment, Goal, Variant
from gimel.analysis.stats import Estimate
from gimel.analysis.verdict import Verdict
from gimel.report import wording

COLUMNS = (
    "experiment",
    "goal",
    "variant",
    "is_control",
    "visitors",
    "visitors_error",
    "conversions",
    "conversions_error",
    "per_visitor",
    "rate",
    "rate_low",
    "rate_high",
    "difference",
    "difference_low",
    "difference_high",
    "lift",
    "lift_low",
    "lift_high",
    "p",
    "p_holm",
    "beats_control",
    "best",
    "verdict",
    "sentence",
)
"""The columns of the CSV table."""

# Anyone who calls the public track URL can choose a name, and a spreadsheet runs these as formulas.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def to_json(experiments: Sequence[Experiment], namespace: str, ignored: Mapping[str, int]) -> str:
    """Return a JSON document with all figures, each experiment as `describe` returns it.

    `ignored` are the ignored events of experiments that do not exist, by reason. `warnings` are
    sentences for people.
    """
    warning = wording.limit_warning(experiments, ignored)
    document = {
        "namespace": namespace,
        "warnings": [warning] if warning else [],
        "ignored": dict(ignored),
        "experiments": [describe(experiment) for experiment in experiments],
    }
    return json.dumps(document, indent=2, allow_nan=False)


def describe(experiment: Experiment) -> dict[str, Any]:
    """Return an experiment as it appears in JSON.

    An interval is `{"value", "low", "high"}`. A figure that is not defined is null: a comparison of
    the control with itself, a lift without conversions, every figure but `per_visitor` of a goal
    that is not unique per visitor. The figures under `anytime` hold at every look. `verdicts` has
    one entry per goal, or a single one with the goal null if there are no goals.
    """
    split = experiment.split
    return {
        "experiment": experiment.name,
        "since": experiment.since,
        "control": experiment.control.name if experiment.control else None,
        "confidence": experiment.confidence,
        "trustworthy": not experiment.is_doubtful,
        "doubts": list(experiment.doubts),
        "ignored": dict(experiment.ignored),
        "unreadable": experiment.unreadable,
        "precision": experiment.precision,
        "counting_noise": experiment.widening,
        "split": {"checked": split.checked, "p": split.p, "mismatch": split.is_mismatch},
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
        "verdicts": [
            {"goal": goal or None, **_verdict(verdict)} for goal, verdict in experiment.verdicts
        ],
        "goals": [_goal(goal) for goal in experiment.goals],
    }


def to_csv(experiments: Sequence[Experiment]) -> str:
    """Return a CSV table with one row per variant and goal; without goals, one row per variant.

    A name that a spreadsheet would run as a formula gets a ' in front.
    """
    file = io.StringIO()
    table = csv.DictWriter(
        file, COLUMNS, restval="", lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC
    )
    table.writeheader()
    for experiment in experiments:
        for row in _rows(experiment):
            table.writerow({name: _cell(value) for name, value in row.items()})
    return file.getvalue()


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {**asdict(verdict), "kind": verdict.kind.value, "safe_to_stop": verdict.safe_to_stop}


def _goal(goal: Goal) -> dict[str, Any]:
    return {
        "goal": goal.name,
        "is_conversion": goal.is_conversion,
        "counting_noise": goal.widening,
        "variants": [_variant(goal, variant) for variant in goal.variants],
    }


def _variant(goal: Goal, variant: Variant) -> dict[str, Any]:
    arm, comparison = variant.arm, variant.comparison
    values: dict[str, Any] = dict.fromkeys(
        ("rate", "difference", "lift", "p", "p_holm", "beats_control", "best", "anytime")
    )
    if goal.is_conversion:
        values |= {"rate": _interval(variant.rate), "best": variant.best}
    if goal.is_conversion and comparison:
        values |= {
            "difference": _interval(comparison.difference),
            "lift": _interval(comparison.lift),
            "p": comparison.p,
            "p_holm": comparison.p_adjusted,
            "beats_control": variant.beats_control,
            "anytime": {
                "difference": _interval(comparison.anytime_difference),
                "lift": _interval(comparison.anytime_lift),
                "p": comparison.anytime_p,
            },
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


def _interval(estimate: Estimate | None) -> dict[str, float] | None:
    return asdict(estimate) if estimate else None


def _rows(experiment: Experiment) -> Iterator[dict[str, Any]]:
    """Yield the rows of an experiment, each as values by column."""
    for goal in experiment.goals:
        for variant in goal.variants:
            yield {"experiment": experiment.name, **_row(goal, variant)}
    if not experiment.goals:
        ((_, verdict),) = experiment.verdicts
        for arm in experiment.arms:
            yield {
                "experiment": experiment.name,
                "variant": arm.name,
                "is_control": arm is experiment.control,
                "visitors": arm.visitors.value,
                "visitors_error": arm.visitors.error,
                "verdict": verdict.kind.value,
                "sentence": verdict.sentence,
            }


def _row(goal: Goal, variant: Variant) -> dict[str, Any]:
    """Return a variant's figures by column: those of `_variant`, each interval in three columns."""
    row: dict[str, Any] = {
        "goal": goal.name,
        "verdict": goal.verdict.kind.value,
        "sentence": goal.verdict.sentence,
    }
    for name, value in _variant(goal, variant).items():
        if isinstance(value, dict) and name != "anytime":
            row |= {
                name: value["value"],
                f"{name}_low": value["low"],
                f"{name}_high": value["high"],
            }
        elif name in COLUMNS:
            row[name] = value
    return row


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value
