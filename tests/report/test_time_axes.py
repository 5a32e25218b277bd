"""The axes of plots over time: which dates and values they name, and where."""

from __future__ import annotations

import itertools
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gimel.report.time_axes import TimeAxis, Value, ValueAxis, count_axis, lift_axis, rate_axis

DAY = 86_400


def at(date: str) -> int:
    return int(datetime.fromisoformat(date).replace(tzinfo=timezone.utc).timestamp())


@pytest.mark.parametrize(
    ("start", "end", "labels"),
    [
        ("2026-05-03 10:00", "2026-05-03 18:00", ["3 May"]),
        ("2026-05-03 10:00", "2026-05-04 18:00", ["4 May"]),
        ("2026-05-03 10:00", "2026-05-08 18:00", ["4 May", "5 May", "6 May", "7 May", "8 May"]),
        ("2026-05-01 10:00", "2026-05-15 18:00", ["2 May", "5 May", "8 May", "11 May", "14 May"]),
        ("2026-05-01 10:00", "2026-05-29 18:00", ["4 May", "11 May", "18 May", "25 May"]),
        ("2026-05-01 10:00", "2026-07-05 18:00", ["11 May", "25 May", "8 Jun", "22 Jun"]),
        ("2026-10-20 10:00", "2027-02-05 18:00", ["1 Nov", "1 Dec", "2027", "1 Feb"]),
        ("2026-05-01 10:00", "2027-04-30 18:00", ["1 Jul", "1 Sep", "1 Nov", "2027", "1 Mar"]),
        ("2026-05-01 10:00", "2029-04-30 18:00", ["2027", "2028", "2029"]),
    ],
)
def test_the_dates_are_few_and_round(start: str, end: str, labels: list[str]) -> None:
    """Days, Mondays, else the starts of months; the first of January is named by its year."""
    axis = TimeAxis(at(start), at(end))

    assert [words for _, words in axis.labels] == labels


@given(start=st.integers(0, 4 * 10**9), days=st.floats(0, 20_000))
def test_any_period_has_dates(start: int, days: float) -> None:
    """At most five, in order, inside of the plot, and far enough apart for a phone."""
    labels = TimeAxis(start, start + days * DAY).labels

    assert 1 <= len(labels) <= 5
    positions = [x for x, _ in labels]
    assert positions == sorted(positions)
    assert all(0 <= x <= 100 for x in positions)
    assert all(later - x >= 14 for x, later in itertools.pairwise(positions))


def test_an_event_beyond_the_axis_is_not_marked() -> None:
    """The words at an edge stay inside."""
    axis = TimeAxis(0, 100)

    assert axis.mark(-1, "x") is None
    assert axis.mark(101, "x") is None
    marks = [axis.mark(time, "x") for time in (0, 50, 100)]
    assert [(mark.x, mark.anchor) for mark in marks if mark] == [
        (0, "start"),
        (50, "middle"),
        (100, "end"),
    ]


def lifts(*widths: float) -> list[Value]:
    """Return intervals around a lift of 5%."""
    return [Value(time, 0.05, 0.05 - w / 2, 0.05 + w / 2) for time, w in enumerate(widths)]


def test_the_wide_intervals_of_the_first_days_are_cut_off() -> None:
    """The band that narrows fills the plot; zero is inside, with room for its words."""
    axis = lift_axis([lifts(9.0, 3.0, 0.38, 0.2, 0.1)])

    assert axis.low == pytest.approx(0.05 - 0.19 - 0.06 * 0.38)
    assert axis.high == pytest.approx(0.05 + 0.19 + 0.06 * 0.38)
    assert 10 < lift_axis([lifts(0.08)]).position(0.0) < 92


@pytest.mark.parametrize(
    "line",
    [
        [],
        [Value(0, None)],
        [Value(0, 0.0, None, None)],
        [Value(0, 0.0, 0.0, 0.0)],
        [Value(0, -1.0, None, -0.9)],
        [Value(0, 1e18, 1e17, None)],
        [Value(0, 3.0, None, None), Value(1, 4.0, None, None)],
    ],
    ids=["no day", "unknown", "no bounds", "no width", "a lower bound", "huge", "open"],
)
def test_any_lifts_have_an_axis(line: list[Value]) -> None:
    """With a few labels, of which one is 0%."""
    axis = lift_axis([line])

    labels = axis.percentages(sign=True)
    assert 1 <= len(labels) <= 7
    assert "0%" in [words for _, words in labels]


def test_rates_stay_possible() -> None:
    """No axis goes below 0% or above 100%; the first uncertain days are cut off."""
    axis = rate_axis([[Value(0, 0.9, 0.0, 0.99), Value(1, 0.1, 0.05, 0.15)]])
    assert axis.high < 0.2
    assert rate_axis([[Value(0, 0.001, 0, 0.002)]]).low >= 0
    assert rate_axis([[Value(0, 1.0, 0.9, 1.0)]]).high == 1
    assert rate_axis([]) == ValueAxis(0.0, 1.0)


@pytest.mark.parametrize(
    ("most", "labels"),
    [
        (0, ["0", "1"]),
        (3, ["0", "1", "2", "3"]),
        (348, ["0", "100", "200", "300"]),
        (2400, ["0", "1,000", "2,000"]),
        (48_000, ["0", "20k", "40k"]),
        (3.1e6, ["0", "1M", "2M", "3M"]),
    ],
)
def test_counts_begin_at_zero(most: float, labels: list[str]) -> None:
    """In whole numbers."""
    axis = count_axis([(0, 1, most)])

    assert [words for _, words in axis.counts()] == labels
    assert axis.position(0) == 100
