"""An experiment over time in tables, in lines of characters, in JSON and in CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from gimel.analysis.counts import Count
from gimel.analysis.experiment import Experiment, analyse
from gimel.report import export, history, sparklines, terminal
from gimel.report.figures import format_time
from gimel.report.layout import Screen
from tests.support.year import SINCE, year

DAY = 86_400


@pytest.fixture(scope="module")
def found() -> Experiment:
    counts, now = year(35, lifts={"new": 0.4}, goals=("buy", "look"), missing=(20, 21, 22))
    return analyse(counts, now=now)


def rows(experiment: Experiment) -> list[dict[str, str]]:
    text = export.to_csv([experiment], "shop", history=True)
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_table_has_every_time(found: Experiment) -> None:
    """The last one is now, with figures that are those of the other tables."""
    table = history.whole(found, found.goals[0], "*")

    assert table.columns == (
        *("until (UTC)", "visitors", "new per day", "control", "new"),
        "lift of new (95% interval)",
    )
    assert len(table.rows) == 35 - 3 + 1
    assert table.rows[0][:3] == ("2026-01-06 00:05", "394", "648")
    assert table.rows[-1][0] == "2026-02-09 08:00"
    assert table.rows[-1][1] == f"{found.visitors:,.0f}"
    assert table.rows[-1][2] == "-"
    reached = found.goals[0].verdict.reached
    assert reached is not None
    marked = [row[0] for row in table.rows if row[0].endswith(" *")]
    assert marked == [f"{format_time(reached)} *"]


def test_a_year_has_every_day() -> None:
    """Though the plots show fewer."""
    counts, now = year(200)
    (goal,) = analyse(counts, now=now).goals

    assert len(goal.moments) <= 120
    assert len(history.every_moment(goal)) == 201


def test_csv_has_a_row_per_day_goal_and_variant(found: Experiment) -> None:
    """Under the same names as the results of today, and the last ones are those."""
    read = rows(found)

    assert len(read) == 33 * 2 * 2
    first, last = read[0], read[65]
    assert first == {
        "namespace": "shop",
        "experiment": "year",
        "date": "2026-01-06T00:05:00Z",
        "goal": "buy",
        "variant": "control",
        "visitors": first["visitors"],
        "conversions": first["conversions"],
        "rate": first["rate"],
        "lift": "",
        "lift_low": "",
        "lift_high": "",
    }
    assert float(first["rate"]) == int(first["conversions"]) / int(first["visitors"])
    lift = found.goals[0].case.comparisons[0].lift
    assert (last["goal"], last["variant"]) == ("buy", "new")
    assert [float(last[name]) for name in ("lift", "lift_low", "lift_high")] == [
        lift.value,
        lift.low,
        lift.high,
    ]


def test_csv_of_visitors_alone(found: Experiment) -> None:
    """Before the first goal."""
    counts, now = year(3)
    bare = replace(
        counts, goals={}, history=tuple(replace(each, goals={}) for each in counts.history)
    )
    read = rows(analyse(bare, now=now))

    assert len(read) == 4 * 2
    assert {each["goal"] for each in read} == {""}
    assert all(int(each["visitors"]) > 0 for each in read)


def test_a_hostile_name_is_no_formula() -> None:
    """As in the results of today."""
    counts, now = year(2, lifts={"=1+1": 0.0})

    assert {each["variant"] for each in rows(analyse(counts, now=now))} == {"control", "'=1+1"}


def test_json_has_the_history_when_asked(found: Experiment) -> None:
    """Visitors of the experiment, figures of each goal; times as `since` is."""

    def read(asked: bool) -> Any:
        return json.loads(export.to_json([found], "shop", {}, asked))["experiments"][0]

    assert "history" not in read(False)
    assert "history" not in read(False)["goals"][0]
    document = read(True)
    first, *_, last = document["history"]
    assert first["time"] == SINCE - SINCE % DAY + DAY + 300
    assert not first["after_gap"]
    assert last["per_day"] is None
    assert last["visitors"] == {arm.name: arm.visitors.value for arm in found.arms}
    assert [each["after_gap"] for each in document["history"]].count(True) == 1
    control, new = document["goals"][0]["history"][-1]["variants"]
    assert control["lift"] is None
    assert new["lift"] == document["goals"][0]["variants"][1]["lift"]
    assert set(new) == {"variant", "visitors", "conversions", "rate", "lift"}


def test_a_sparkline_has_a_column_per_day(found: Experiment) -> None:
    """Weekends are low, missing days are empty, and today does not count yet."""
    line = sparklines.visitors(found, 40)

    assert line is not None
    assert len(line.bars) == 35
    assert line.bars[20:23] == "   "
    assert line.bars[5:7] in ("▄▄", "▅▄", "▄▅", "▅▅")
    assert (line.unit, line.scale) == ("", "up to 694")


def test_a_sparkline_has_a_column_per_week_where_days_do_not_fit() -> None:
    """With the mean of the week; one of which few days are known is empty."""
    counts, now = year(35, missing=range(14, 19))
    line = sparklines.visitors(analyse(counts, now=now), 10)

    assert line is not None
    assert len(line.bars) == 5
    assert [bar == " " for bar in line.bars] == [False, False, True, False, False]
    assert line.unit == "(a column per week)"


def test_a_sparkline_of_a_lift_begins_when_it_is_known(found: Experiment) -> None:
    """The first days would dwarf all others."""
    line = sparklines.lift(found.goals[0], 1, 40)

    assert line is not None
    assert len(line.bars) == 35
    assert line.bars.startswith(" ")
    assert "█" in line.bars
    assert "▁" in line.bars
    low, high = line.scale.split(" to ")
    assert low.startswith("+")
    assert float(high.strip("+%")) < 100


def test_a_lift_that_did_not_change_is_flat() -> None:
    """What reads the same is not drawn as a rise, and is written once."""
    counts, now = year(12)
    history = tuple(replace(each, goals=shares(each.visitors)) for each in counts.history)
    goals = shares(counts.visitors)
    found = analyse(replace(counts, goals=goals, history=history), now=now)
    line = sparklines.lift(found.goals[0], 1, 40)

    assert line is not None
    assert set(line.bars.strip()) == {"▁"}
    assert line.scale == "+20%"


def shares(visitors: Mapping[str, Count]) -> dict[str, dict[str, Count]]:
    """Return a goal that 50% of the control's visitors reach, and about 60% of the others'."""
    rates = {name: 0.5 if name == "control" else 0.6 for name in visitors}
    return {
        "buy": {name: Count(round(each.value * rates[name])) for name, each in visitors.items()}
    }


def test_ascii_sparklines(found: Experiment) -> None:
    """For a terminal that shows nothing else."""
    line = sparklines.visitors(found, 40, ascii_only=True)

    assert line is not None
    assert line.bars.isascii()


@pytest.mark.parametrize("days", [1, 2])
def test_few_days_have_no_sparkline_of_a_lift(days: int) -> None:
    """Nor has one day one of the visitors."""
    counts, now = year(days)
    experiment = analyse(counts, now=now)

    assert (sparklines.visitors(experiment, 40) is None) == (days < 2)
    if days == 1:
        assert sparklines.lift(experiment.goals[0], 1, 40) is None


def test_a_lift_that_faded_is_pointed_out() -> None:
    """In the terminal and in JSON, as on the page."""
    counts, now = year(200, lifts={"new": -0.02}, novelty=2.0)
    experiment = analyse(counts, now=now)
    novelty = experiment.goals[0].novelty
    assert novelty is not None

    (described,) = export.describe(experiment)["goals"]
    file = io.StringIO()
    console = Console(file=file, width=500)
    for part in terminal.report([experiment], {}, now, Screen(500)):
        console.print(part)

    assert described["novelty"]["sentence"] == novelty.sentence
    assert novelty.sentence in file.getvalue()
