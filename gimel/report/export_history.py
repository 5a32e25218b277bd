"""The history of experiments as data for other programs: arrays for JSON, rows for CSV.

Rates and lifts are shares of 1. All recorded times are included; the last one is now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from gimel.analysis.experiment import Experiment
from gimel.analysis.goal import Goal
from gimel.report import history

COLUMNS = (
    "namespace",
    "experiment",
    "date",
    "goal",
    "variant",
    "visitors",
    "conversions",
    "rate",
    "lift",
    "lift_low",
    "lift_high",
)
"""The columns of the CSV table of a history."""


def describe_visitors(experiment: Experiment) -> list[dict[str, Any]]:
    """Return the visitors of each variant until every time, in seconds since 1970.

    `per_day` are the new ones per day since the time before; null if that is unknown, or was less
    than half a day ago.
    """
    names = [arm.name for arm in experiment.arms]
    found = []
    for each in history.moments(experiment):
        paces = history.per_day(each, experiment.since)
        found.append(
            {
                "time": each.time,
                "after_gap": each.is_after_gap,
                "visitors": dict(zip(names, each.visitors, strict=True)),
                "per_day": dict(zip(names, paces, strict=True)) if paces else None,
            }
        )
    return found


def describe_goal(goal: Goal) -> list[dict[str, Any]]:
    """Return the figures of each variant until every time, in seconds since 1970.

    A rate is null without visitors, and for a goal that is not a conversion.
    """
    return [{"time": time, "variants": variants} for time, variants in _times(goal)]


def rows(experiment: Experiment) -> Iterator[dict[str, Any]]:
    """Yield a row per time, goal and variant, as values by column; `date` is in seconds since 1970.

    An experiment without goals has a row per time and variant.
    """
    for goal in experiment.goals:
        for time, variants in _times(goal):
            for each in variants:
                lift = each["lift"] or {"value": None, "low": None, "high": None}
                yield {
                    "date": time,
                    "goal": goal.name,
                    "variant": each["variant"],
                    "visitors": round(each["visitors"]),
                    "conversions": round(each["conversions"]),
                    "rate": each["rate"],
                    "lift": lift["value"],
                    "lift_low": lift["low"],
                    "lift_high": lift["high"],
                }
    if not experiment.goals:
        for moment in history.moments(experiment):
            for arm, visitors in zip(experiment.arms, moment.visitors, strict=True):
                yield {"date": moment.time, "variant": arm.name, "visitors": round(visitors)}


def _times(goal: Goal) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Yield every time with the figures of each variant until then."""
    counted = {each.time: each.arms for each in goal.past}
    for moment in history.every_moment(goal):
        variants = [
            {
                "variant": arm.name,
                "visitors": arm.visitors.value,
                "conversions": arm.conversions.value,
                "rate": arm.rate if arm.visitors.value and goal.is_conversion else None,
                "lift": asdict(lift) if lift and goal.is_conversion else None,
            }
            for arm, lift in zip(counted.get(moment.time, goal.arms), moment.lifts, strict=True)
        ]
        yield moment.time, variants
