"""The runtime's description as counts: what the API's client makes of the same answer."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from gimel.alerts.described import parse
from gimel.api import answers
from tests.support.answers import SINCE, answer, row

DAY = 86_400
COLUMNS = [
    ["buy", "red", "16"],
    ["participate", "blue", "1"],
    ["participate", "blue", "exact"],
    ["participate", "red", "16"],
]


def described(points: Sequence[Sequence[int | None]]) -> dict[str, Any]:
    variants = {"blue": (1000, {"buy": 0}), "red": (900, {"buy": 70})}
    history = {"columns": COLUMNS, "points": list(map(list, points))}
    return row("e", variants, ignored={"bot": 2}, precision="16", unreadable=1, history=history)


@pytest.mark.parametrize(
    "points",
    [[], [[SINCE + 1, None, 5, None, None]], [[SINCE + day, day, day, 1, 2] for day in range(30)]],
    ids=["no history", "one point", "30 points"],
)
def test_it_is_what_the_client_reads(points: Sequence[Sequence[int | None]]) -> None:
    """Two parsers of one format, of which one ships to Lambda."""
    item = {**described(points), "precision": 16}
    (expected,) = answers.parse(answer(item)).experiments
    assert parse(item) == expected
    assert parse({**item, "history": None}).history == ()


def test_of_a_long_history_old_weeks_have_one_point() -> None:
    """The same ones on each following day, and the newest 30."""
    days = [[SINCE + day * DAY, day, day, 1, 2] for day in range(366)]
    today, tomorrow = (
        [point.time for point in parse({**described(some), "precision": 16}).history]
        for some in (days[:365], days)
    )
    assert today[-30:] == [time for time, *_ in days[335:365]]
    assert len(today) == 30 + 49
    assert max(b - a for a, b in itertools.pairwise(today)) == 7 * DAY
    assert set(today[:-30]) <= set(tomorrow)


def test_of_many_years_old_months_have_one_point() -> None:
    """They are some of those that were used when they were younger."""
    days = [[SINCE + day * DAY, day, day, 1, 2] for day in range(5 * 365)]
    early, late = (
        [point.time for point in parse({**described(some), "precision": 16}).history]
        for some in (days[: 4 * 365], days)
    )
    assert len(late) < 30 + 53 + 4 * 13
    assert max(b - a for a, b in itertools.pairwise(late)) == 28 * DAY
    assert {time for time in late if time < early[-30]} <= set(early)
