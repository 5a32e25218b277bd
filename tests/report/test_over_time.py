"""The plots of an experiment over time: what they show, of few days and of many."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from gimel.analysis.counts import Point
from gimel.analysis.design import Design
from gimel.analysis.experiment import Experiment, analyse
from gimel.report import html
from gimel.report.html import Choices, Frame
from gimel.report.over_time import OverTime, over_time
from tests.support.pages import text_of
from tests.support.year import year

CHOICES = Choices("alephbet", "alephbet")
FRAME = Frame("counted by https://host/prod")


def experiment(days: int, design: Design | None = None, **more: Any) -> Experiment:
    counts, now = year(days, **more)
    return analyse(counts, design, now=now)


def shown(found: Experiment) -> OverTime:
    result = over_time(found)
    assert result is not None
    return result


def page(found: Experiment) -> str:
    return html.experiment(found, CHOICES, FRAME, found.moments[-1].time)


@pytest.fixture(scope="module")
def decided() -> Experiment:
    """35 days, of which three are missing, with two goals and a clear winner."""
    more: dict[str, Any] = {"lifts": {"new": 0.4}, "goals": ("buy", "look")}
    return experiment(35, missing=(20, 21, 22), **more)


def test_the_first_point_has_nothing_to_plot() -> None:
    """Which is said; from the second one on there are plots."""
    counts, now = year(1)
    alone = analyse(replace(counts, history=()), now=now)

    assert shown(alone).groups == ()
    assert "There is nothing to plot yet: one point is recorded per day." in text_of(page(alone))
    (goal, visitors) = shown(analyse(counts, now=now)).groups
    assert (len(goal.table.rows), len(visitors.table.rows)) == (2, 2)


def test_the_first_look_at_an_old_experiment_has_nothing_to_plot() -> None:
    """It recorded the first point, a minute ago."""
    counts, now = year(30)
    last = Point(int(now) - 60, counts.visitors, counts.goals)
    found = analyse(replace(counts, history=(last,)), now=now)

    assert shown(found).groups == ()
    assert shown(found).note


def test_the_goal_of_the_headline_is_open(decided: Experiment) -> None:
    """With its lift, its rates and the visitors; other goals open on click."""
    buy, look, visitors = shown(decided).groups

    assert [(each.name, each.is_open) for each in (buy, look, visitors)] == [
        ("buy", True),
        ("look", False),
        ("", True),
    ]
    assert [plot.title for plot in (*buy.plots, *visitors.plots)] == [
        "Lift over “control” with 95% interval",
        "Conversion rate until then",
        "New visitors per day",
    ]


def test_the_day_of_the_verdict_is_marked(decided: Experiment) -> None:
    """On the plot, in the label for those who do not see it, and in the table."""
    buy, look, _ = shown(decided).groups
    reached = decided.headline.reached
    assert reached is not None

    marked = buy.plots[0].plot.marked
    assert marked is not None
    assert re.fullmatch(r"decided \d+ Jan", marked.words)
    assert buy.plots[0].label.endswith(f" {marked.words}.")
    assert buy.decided is not None
    assert decided.goals[0].moments[buy.decided].time == reached
    assert look.plots[0].plot.marked is None


def test_the_control_is_named_at_zero(decided: Experiment) -> None:
    """On the side of its line where the lift is not."""
    plot = shown(decided).groups[0].plots[0]

    assert plot.zero_words == "0%: same as “control”"
    assert plot.plot.is_zero_label_below
    assert plot.plot.zero is not None
    assert plot.plot.zero > 50


def test_missing_days_are_gaps(decided: Experiment) -> None:
    """In every line of every plot, and in the band."""
    for group in shown(decided).groups:
        for view in group.plots:
            for series in view.plot.series:
                assert series.path.count("M") == 2
                assert series.band.count("M") in (0, 2)


def test_days_without_visitors_are_no_gap() -> None:
    """Their point was moved because nothing had changed."""
    counts, now = year(10)
    last = counts.history[-1]
    still = replace(last, time=last.time + 5 * 86_400)
    ended = replace(
        counts, visitors=last.visitors, goals=last.goals, history=(*counts.history, still)
    )
    found = analyse(ended, now=now + 5 * 86_400)

    _, visitors = shown(found).groups
    for series in visitors.plots[0].plot.series:
        assert series.path.count("M") == 1
        assert series.path.count("H") == len(visitors.table.rows) - 1
    assert visitors.table.rows[-2][1:3] == ("0", "0")


def test_today_is_no_drop(decided: Experiment) -> None:
    """The last third of a day has no visitors per day; the legend has those of yesterday."""
    *_, visitors = shown(decided).groups

    assert visitors.table.rows[-1][1:3] == ("-", "-")
    legend = [entry.figure for entry in visitors.plots[0].legend]
    assert legend == list(visitors.table.rows[-2][1:3])
    assert visitors.until == visitors.table.rows[-2][0] == "9 Feb 2026, 00:05"
    assert all(int(figure) > 100 for figure in legend)


def test_a_figure_of_a_legend_is_in_its_column(decided: Experiment) -> None:
    """From which the script reads those of other days."""
    for group in shown(decided).groups:
        row = next(row for row in group.table.rows if row[0] == group.until)
        for view in group.plots:
            assert [row[entry.column] for entry in view.legend] == [
                entry.figure for entry in view.legend
            ]
        assert len(group.xs.split()) == len(group.table.rows)


def test_a_wrong_split_begins_on_a_day() -> None:
    """The visitors come first, with that day; the goals are closed and grey."""
    found = experiment(60, mismatch_from=30)
    visitors, goal = shown(found).groups

    assert visitors.name == ""
    mark = visitors.plots[0].plot.marked
    assert mark is not None
    assert re.fullmatch(r"wrong split since about \d+ Feb", mark.words)
    assert not goal.is_open
    assert 'class="over-time untrusted"' in page(found)


def test_many_days_are_smoothed() -> None:
    """Single days stay visible behind the means of seven days."""
    *_, visitors = shown(experiment(90)).groups

    assert visitors.plots[0].title == "New visitors per day: days (thin), and means of 7 days"
    assert all(series.faint for series in visitors.plots[0].plot.series)


def test_many_variants_have_no_bands() -> None:
    """They would hide each other; each has a style, which repeats after the sixth."""
    found = experiment(9, lifts={f"v{number}": 0.0 for number in range(7)})
    lifts, rates = shown(found).groups[0].plots

    assert not any(series.band for series in lifts.plot.series)
    assert [entry.style for entry in rates.legend] == [0, 1, 2, 3, 4, 5, 1, 2]


def test_a_history_that_began_later_says_so() -> None:
    """The plots begin with it, and not with a mean of unknown days."""
    counts, now = year(30)
    found = analyse(replace(counts, history=counts.history[20:]), now=now)

    assert shown(found).note == (
        "The experiment started on 5 Jan 2026; what was counted is recorded since 26 Jan 2026."
    )
    *_, visitors = shown(found).groups
    assert visitors.plots[0].plot.series[0].path.startswith("M0 ")
    assert len(visitors.plots[0].plot.series[0].markers) == 9


def test_no_name_can_run() -> None:
    """Names are text in titles, legends, labels and tables."""
    names = {"<script>alert(1)</script>": 0.0, "a\u202eb": 0.1}
    text = page(experiment(9, lifts=names, control='"><img src=x>', goals=("<b>",)))
    found = text[text.index('<section class="over-time') : text.index('<form class="choices"')]

    assert not re.search(r"<script>alert|<img|<b>|\u202e", found)
    assert "&lt;script&gt;alert(1)" in found
    assert "a\\u202eb" in found


def test_every_figure_has_a_row(decided: Experiment) -> None:
    """The tables need no script, and the plots have words for those who do not see them."""
    text = page(decided)

    assert text.count('<svg class="field" role="img" aria-label="') == 5
    shown_text = text_of(text)
    assert "until (UTC) control new lift of new (95% interval)" in shown_text
    assert re.search(r"1[3-9] Jan 2026, 00:05 decided \d", shown_text)
    assert "14 Jan 2026, 00:05" in shown_text
    assert not re.search(r' style="', text)


def test_a_report_has_the_plots(decided: Experiment) -> None:
    """Without a script."""
    text = html.report([decided], {}, CHOICES, FRAME, decided.moments[-1].time)

    assert text.count('<svg class="field"') == 5
    assert "<script" not in text


def test_what_changed_later_is_said_beside_the_plot() -> None:
    """A lift of the first days that later data disagrees with, and a lift that faded."""
    found = experiment(200, lifts={"new": -0.02}, novelty=2.0)
    (goal, _) = shown(found).groups

    assert found.goals[0].novelty is not None
    assert found.goals[0].novelty.sentence in goal.hints
    if found.headline.disagrees:
        assert any("later data disagrees" in hint for hint in goal.hints)
