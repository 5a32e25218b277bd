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

from gimel.analysis.experiment import Experiment
from gimel.analysis.goal import Goal, Variant
from gimel.analysis.verdict import Verdict
from gimel.report import wording

COLUMNS = (
    "experiment",
    "goal",
    "role",
    "variant",
    "is_control",
    "control_is_guess",
    "visitors",
    "visitors_error",
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

# Anyone who calls the public track URL can choose a name, and a spreadsheet runs these as formulas.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def to_json(experiments: Sequence[Experiment], namespace: str, ignored: Mapping[str, int]) -> str:
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
        "experiments": [describe(experiment) for experiment in experiments],
    }
    return json.dumps(document, indent=2, allow_nan=False)


def describe(experiment: Experiment) -> dict[str, Any]:
    """Return an experiment as it appears in JSON.

    An interval is `{"value", "low", "high"}`; an end that is null is open. A figure that is not
    defined is null: a comparison of the control with itself, the value of a lift while the control
    has no conversions, every figure but `per_visitor` of a goal that is not unique per visitor. A
    `lift` is valid at every look; the figures under `details` are fixed-horizon. `headline` is the
    verdict on the experiment, `verdict` that on a goal.
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
        "ignored": dict(experiment.ignored),
        "unreadable": experiment.unreadable,
        "precision": experiment.precision,
        "counting_noise": experiment.widening,
        "split": {"p": split.p, "mismatch": split.is_mismatch},
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
        "role": goal.role.value,
        "is_conversion": goal.is_conversion,
        "verdict": _verdict(goal.verdict),
        "counting_noise": goal.widening,
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
    """Yield the rows of an experiment, each as values by column."""
    for goal in experiment.goals:
        for variant in goal.variants:
            yield {
                "experiment": experiment.name,
                "control_is_guess": experiment.control_is_guess,
                **_row(goal, variant),
            }
    if not experiment.goals:
        verdict = experiment.headline
        for arm in experiment.arms:
            yield {
                "experiment": experiment.name,
                "variant": arm.name,
                "is_control": arm is experiment.control,
                "control_is_guess": experiment.control_is_guess,
                "visitors": arm.visitors.value,
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
    return {
        "goal": goal.name,
        "role": goal.role.value,
        "verdict": goal.verdict.kind.value,
        "sentence": goal.verdict.sentence,
        **row,
    }


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value
