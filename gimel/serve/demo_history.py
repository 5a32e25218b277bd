"""How the made-up experiments of the demo came about: their counts at the end of every day.

The same experiment has the same history in every run.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

from gimel.analysis.counts import Count, ExperimentCounts, Point

_DAY = 86400
_WEEK = (1.0, 1.05, 1.1, 1.05, 0.95, 0.6, 0.55)  # from Monday
_THURSDAY = 3  # 1970-01-01
_AFTER_MIDNIGHT = 300  # seconds
_CALM = 0.4  # of the usual spread: with more, chance could decide an experiment on its way


def with_history(counts: ExperimentCounts, now: int) -> ExperimentCounts:
    """Return an experiment with a point after every midnight (UTC) since it began.

    Each count grows from 0 to what it is now, with fewer visitors at weekends and some chance.
    """
    if counts.since is None or now <= counts.since:
        return counts
    midnights = range(counts.since // _DAY + 1, now // _DAY + 1)
    shares = [
        (time, _share(counts.since, time, now))
        for time in (day * _DAY + _AFTER_MIDNIGHT for day in midnights)
        if time < now
    ]
    visitors = {
        name: _grow(count, shares, f"{counts.name} {name}")
        for name, count in counts.visitors.items()
    }
    goals = {
        goal: {
            name: _grow(count, shares, f"{counts.name} {name} {goal}")
            for name, count in found.items()
        }
        for goal, found in counts.goals.items()
    }
    history = tuple(
        Point(
            time, _at(visitors, number), {goal: _at(each, number) for goal, each in goals.items()}
        )
        for number, (time, _) in enumerate(shares)
    )
    return replace(counts, history=history)


def _share(since: int, time: int, now: int) -> float:
    return _work(since, time) / _work(since, now)


def _work(start: int, end: int) -> float:
    """Return the visitors between two times, relative to those of a Monday."""
    found, at = 0.0, start
    while at < end:
        day = at // _DAY
        until = min(end, (day + 1) * _DAY)
        found += (until - at) / _DAY * _WEEK[(day + _THURSDAY) % 7]
        at = until
    return found


def _grow(count: Count, shares: list[tuple[int, float]], seed: str) -> list[Count]:
    """Return a count at each time: a bridge from 0 to the count that never falls."""
    chance = random.Random(seed)  # noqa: S311 - not for cryptography
    found, before, at = [], 0.0, 0.0
    for _, share in shares:
        rest = (1 - share) / (1 - before) if before < 1 else 0.0
        mean = count.value - (count.value - at) * rest
        spread = _CALM * (max(0.0, count.value - at) * rest * (1 - rest)) ** 0.5
        at = min(count.value, max(at, round(chance.gauss(mean, spread))))
        before = share
        kind = str(count.precision) if count.precision else "exact"
        found.append(Count.from_parts({kind: at}))
    return found


def _at(grown: Mapping[str, list[Count]], number: int) -> dict[str, Count]:
    return {name: counts[number] for name, counts in grown.items()}
