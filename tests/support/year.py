"""Experiments with a history made by hand: a point per day, and what a year can bring.

Weekends have fewer visitors, a variant can be novel at first, lose visitors from some day on, and
days can be missing.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from datetime import datetime, timezone

from gimel.analysis.counts import Count, ExperimentCounts, Point

SINCE = int(datetime(2026, 1, 5, 9, 30, tzinfo=timezone.utc).timestamp())
"""The first event: on a Monday."""

_DAY = 86_400
_WEEK = (1.0, 1.05, 1.1, 1.0, 0.9, 0.55, 0.5)
_RATE = 0.08


def year(
    days: int = 365,
    *,
    lifts: Mapping[str, float] | None = None,
    goals: Collection[str] = ("buy",),
    novelty: float = 0.0,
    mismatch_from: int | None = None,
    missing: Collection[int] = (),
    per_day: float = 300,
    control: str = "control",
    name: str = "year",
) -> tuple[ExperimentCounts, float]:
    """Return the counts of an experiment that is so many days old, and that time.

    `lifts` are the true ones by variant. A `novelty` is added to them at first and halves every
    week. From the day `mismatch_from` on, all variants lose an eighth of their visitors. The
    `missing` days have no point. Points are written five minutes after midnight (UTC); `per_day` is
    the pace of each variant on a Monday. The time is the morning after the last day.
    """
    lifts = {"new": 0.08} if lifts is None else lifts
    chance = random.Random(f"{days} {sorted(lifts)}")
    visitors = dict.fromkeys([control, *lifts], 0)
    reached = {goal: dict.fromkeys(visitors, 0) for goal in goals}

    def pass_by(day: int, share: float) -> None:
        """Count the visitors of a part of a day."""
        for variant in visitors:
            size = share * per_day * _WEEK[day % 7]
            if variant != control and mismatch_from is not None and day >= mismatch_from:
                size *= 7 / 8
            new = max(0, round(chance.gauss(size, size**0.5)))
            visitors[variant] += new
            lift = 0.0 if variant == control else lifts[variant] + novelty * 0.5 ** (day / 7)
            for number, goal in enumerate(goals):
                rate = _RATE / (1 + number) * (1 + (lift if number == 0 else 0.0))
                spread = (new * rate * (1 - rate)) ** 0.5
                reached[goal][variant] += min(new, max(0, round(chance.gauss(new * rate, spread))))

    points = []
    midnight = SINCE - SINCE % _DAY
    for day in range(days):
        pass_by(day, 0.6 if day == 0 else 1.0)
        if day not in missing:
            points.append(_point(midnight + (day + 1) * _DAY + 300, visitors, reached))
    pass_by(days, 0.2)
    now = midnight + days * _DAY + _DAY // 3
    last = _point(now, visitors, reached)
    return (
        ExperimentCounts(name, last.visitors, last.goals, SINCE, precision=16, history=(*points,)),
        now,
    )


def _point(
    time: int, visitors: Mapping[str, int], reached: Mapping[str, Mapping[str, int]]
) -> Point:
    return Point(
        time,
        {name: Count.from_parts({"16": number}) for name, number in visitors.items()},
        {
            goal: {name: Count.from_parts({"16": number}) for name, number in found.items()}
            for goal, found in reached.items()
        },
    )
