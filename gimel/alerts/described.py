"""The runtime's own description of an experiment as counts.

`gimel.api.answers` does the same with an answer that it does not trust, by means of pydantic, which
does not ship to Lambda.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gimel.analysis.counts import Count, ExperimentCounts, Point
from gimel.runtime.event import PARTICIPATE

_DAILY = 30  # points that are all used
_WEEK = 7 * 86_400  # seconds
_WEEKS = 52  # from which one point each is used


def parse(described: Mapping[str, Any]) -> ExperimentCounts:
    """Return the counts of an experiment as `gimel.all` describes it, with or without history.

    Before the newest 30 points, the history has one point per week, and before the last year one
    per four weeks: the snapshot's function has a seventh of a processor for thousands of
    experiments. A decision of a day that is skipped was reported on that day.
    """
    return ExperimentCounts(
        described["experiment"],
        {
            each["label"]: Count.from_parts(each["trials_by_precision"])
            for each in described["participants"]
        },
        {
            goal["goal"]: {
                each["label"]: Count.from_parts(each["successes_by_precision"])
                for each in goal["results"]
            }
            for goal in described["goals"]
        },
        described["since"],
        described["ignored"],
        described["unreadable"],
        described["precision"],
        tuple(_points(described.get("history") or {})),
    )


def used(times: Sequence[int]) -> Iterator[int]:
    """Yield the indexes of the points of these times that are used."""
    last = None
    for index, time in enumerate(times):
        week = time // _WEEK
        # The first week of each four is also one of those that were used before.
        period = week if week > times[-1] // _WEEK - _WEEKS else week // 4 * 4
        if period != last or index >= len(times) - _DAILY:
            last = period
            yield index


def _points(history: Mapping[str, Any]) -> Iterator[Point]:
    points = history.get("points", ())
    for index in used([point[0] for point in points]):
        time, *numbers = points[index]
        parts: dict[tuple[str, str], dict[str, float]] = {}
        for (goal, variant, precision), number in zip(history["columns"], numbers, strict=True):
            if number is not None:
                parts.setdefault((goal, variant), {})[precision] = number
        visitors: dict[str, Count] = {}
        goals: dict[str, dict[str, Count]] = {}
        for (goal, variant), found in parts.items():
            counts = visitors if goal == PARTICIPATE else goals.setdefault(goal, {})
            counts[variant] = Count.from_parts(found)
        yield Point(time, visitors, goals)
