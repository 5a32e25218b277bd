"""Experiments with their statistics as data for other programs: a JSON document, a CSV table. Shares are shares of 1."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gimel.analysis.experiment import Experiment, Goal, Variant
from gimel.analysis.stats import Estimate
from gimel.analysis.verdict import Verdict

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

# A name can be chosen by whoever calls the public track URL, and a spreadsheet runs what begins like this.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def to_json(experiments: Sequence[Experiment], namespace: str, ignored: Mapping[str, int]) -> str:
    """Return a document with all figures: each experiment as `describe` has it; `ignored` are events of no known experiment."""
    document = {
        "namespace": namespace,
        "ignored": dict(ignored),
        "experiments": [describe(experiment) for experiment in experiments],
    }
    return json.dumps(document, indent=2, allow_nan=False)


def describe(experiment: Experiment) -> dict[str, Any]:
    """Return an experiment as JSON has it.

    An interval is `{"value", "low", "high"}`. What there is none of is null: the control compared with itself, a lift without
    conversions, every figure but `per_visitor` of a goal that is not unique per visitor. What is under `anytime` may be looked
    at every day. `verdicts` has one entry a goal, or one with the goal null while there is none.
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
            {"goal": goal or None, **_verdict(said)} for goal, said in experiment.verdicts
        ],
        "goals": [_goal(goal) for goal in experiment.goals],
    }


def to_csv(experiments: Sequence[Experiment]) -> str:
    """Return a table with a line for each variant of each goal; without goals, for each variant.

    A name that a spreadsheet would run as a formula gets a ' in front.
    """
    file = io.StringIO()
    table = csv.DictWriter(
        file, COLUMNS, restval="", lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC
    )
    table.writeheader()
    for experiment in experiments:
        for goal in experiment.goals:
            for variant in goal.variants:
                table.writerow({"experiment": _cell(experiment.name), **_line(goal, variant)})
        if not experiment.goals:
            for arm in experiment.arms:
                ((_, said),) = experiment.verdicts
                table.writerow(
                    {
                        "experiment": _cell(experiment.name),
                        "variant": _cell(arm.name),
                        "is_control": _cell(arm is experiment.control),
                        "visitors": arm.visitors.value,
                        "visitors_error": arm.visitors.error,
                        "verdict": said.kind.value,
                        "sentence": _cell(said.sentence),
                    }
                )
    return file.getvalue()


def _verdict(said: Verdict) -> dict[str, Any]:
    return {**asdict(said), "kind": said.kind.value, "safe_to_stop": said.safe_to_stop}


def _goal(goal: Goal) -> dict[str, Any]:
    return {
        "goal": goal.name,
        "is_conversion": goal.is_conversion,
        "counting_noise": goal.widening,
        "variants": [_variant(goal, variant) for variant in goal.variants],
    }


def _variant(goal: Goal, variant: Variant) -> dict[str, Any]:
    arm, compared = variant.arm, variant.comparison
    figures: dict[str, Any] = dict.fromkeys(
        ("rate", "difference", "lift", "p", "p_holm", "beats_control", "best", "anytime")
    )
    if goal.is_conversion:
        figures |= {"rate": _interval(variant.rate), "best": variant.best}
    if goal.is_conversion and compared:
        figures |= {
            "difference": _interval(compared.difference),
            "lift": _interval(compared.lift),
            "p": compared.p,
            "p_holm": compared.p_adjusted,
            "beats_control": variant.beats_control,
            "anytime": {
                "difference": _interval(compared.anytime_difference),
                "lift": _interval(compared.anytime_lift),
                "p": compared.anytime_p,
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
        **figures,
    }


def _interval(estimate: Estimate | None) -> dict[str, float] | None:
    return asdict(estimate) if estimate else None


def _line(goal: Goal, variant: Variant) -> dict[str, Any]:
    """Return a variant's figures by column: those of `_variant`, with each interval in three columns."""
    line: dict[str, Any] = {
        "goal": _cell(goal.name),
        "verdict": goal.verdict.kind.value,
        "sentence": _cell(goal.verdict.sentence),
    }
    for name, value in _variant(goal, variant).items():
        if isinstance(value, dict) and name != "anytime":
            line |= {
                name: value["value"],
                f"{name}_low": value["low"],
                f"{name}_high": value["high"],
            }
        elif name in COLUMNS:
            line[name] = _cell(value)
    return line


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value
