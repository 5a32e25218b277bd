"""Concluded experiments in words and as CSV: nothing in them contradicts the other reports."""

from __future__ import annotations

import csv
import io

import pytest
from rich.console import Console

from gimel.analysis.concluded import Concluded, read, record
from gimel.analysis.counts import Count, Point
from gimel.analysis.experiment import analyse
from gimel.analysis.mixture import Lift
from gimel.report import past
from gimel.report.layout import Screen
from tests.support.year import year

AT = 1_795_723_101  # 26 November 2026
DAY = 86_400
FOUND = Concluded(
    "menu",
    AT,
    "plain",
    "Support likes it, and so do all the others who had to explain the old one for years.",
    "control-wins",
    "Keep “plain”: “icons” converts 47% worse (28% to 60% worse). Known since 14 November 2026.",
    "plain",
    "buy",
    Lift(-0.47, -0.6, -0.28),
    "icons",
    1_794_686_125,
    True,
    3003,
    20.0,
    {"control": "plain"},
    AT - 20 * DAY,
    {past.CONCLUDED: 1},
    (Point(AT, {"icons": Count(1501), "plain": Count(1502)}, {"buy": {"plain": Count(294)}}),),
)


def printed(found: Concluded, width: int, is_terminal: bool) -> list[str]:
    """Return the lines that a terminal or a file of this width gets."""
    file = io.StringIO()
    console = Console(file=file, width=width, markup=False, emoji=False, highlight=False)
    for part in past.text([found], "shop", AT + DAY, Screen(width, is_terminal=is_terminal)):
        console.print(part, crop=False)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_it_fits_a_terminal() -> None:
    """Sentences are wrapped and stay indented; the control is the first in the table."""
    lines = printed(FOUND, 60, is_terminal=True)

    assert max(map(len, lines)) <= 60
    assert lines[0] == "menu: Kept “plain”."
    assert all(line.startswith("  ") for line in lines[1:])
    assert [line.split() for line in lines[-3:]] == [
        ["variant", "visitors", "buy"],
        ["plain", "1,502", "294"],
        ["icons", "1,501", "0"],
    ]


def test_a_file_gets_characters_to_search_for() -> None:
    """As in the other reports: straight quotes and hyphens."""
    text = " ".join(printed(FOUND, 200, is_terminal=False))

    assert 'Lift of "icons" -47%, 95% interval -60% to -28%; decided on 14 November 2026.' in text
    assert "can be reopened until 3 December 2026. " in text
    assert "1 event was ignored since." in text


def test_what_was_not_decided_speaks_of_its_time() -> None:
    """A sentence such as "wait 6 more days" is called the last verdict."""
    undecided = Concluded("menu", AT, sentence="“b” is ahead. Wait 6 more days.")

    assert past.learned(undecided) == "Last verdict: “b” is ahead. Wait 6 more days."
    assert past.learned(Concluded("menu")) == "No verdict was recorded."


def test_what_was_decided_and_not_safe_to_stop() -> None:
    """Such as a winner with which later data disagrees: neither decided nor undecided alone."""
    counts, now = year(60, lifts={"new": 0.05}, novelty=4.0)
    found = analyse(counts, now=now)
    assert found.headline.disagrees
    kept = read({**record(found), "at": now}, "year")

    assert kept.winner == "new"
    assert not kept.is_decided
    assert past.warning(found) == "It is not safe to stop this experiment."
    assert past.certainty(kept).endswith("2026, but not safe to stop when it was concluded.")


@pytest.mark.parametrize("form", ["csv", "excel"])
def test_times_in_csv_are_those_of_the_other_tables(form: str) -> None:
    """ISO 8601 in UTC, names in quotes, and the variant that the lift is of."""
    excel = past.to_excel([FOUND], "shop").decode("utf-8-sig")
    text = past.to_csv([FOUND], "shop") if form == "csv" else excel
    (row,) = csv.DictReader(io.StringIO(text, newline=""))

    assert text.startswith('"namespace","experiment",')
    assert text.endswith("\r\n" if form == "excel" else "20.0\n")
    assert (row["since"], row["concluded"]) == ("2026-11-06T19:58:21Z", "2026-11-26T19:58:21Z")
    assert (row["reached"], row["lift_of"], row["lift"]) == (
        "2026-11-14T19:55:25Z",
        "icons",
        "-0.47",
    )
