"""A lift has one interval: wherever it is shown, the same."""

from __future__ import annotations

import csv
import io
import json
import re
from html import unescape

import pytest
from rich.console import Console

from gimel.analysis.experiment import Experiment
from gimel.analysis.verdict import Kind
from gimel.report import export, html, terminal
from gimel.report.figures import with_minus, with_unit
from gimel.report.html import Choices, Frame
from gimel.report.layout import Screen
from tests.support.answers import analysed, two

NOW = 1_700_000_000 + 30 * 86400.0

CASES = {
    "a winner": (two(red=(10_000, 700)), "+40", "+17 to +68"),
    "a close winner": (two(blue=(20_000, 2000), red=(20_000, 2200)), "+10", "+0.45 to +20"),
    "a loser": (two(red=(10_000, 350)), "-30", "-44 to -13"),
    "undecided": (two(), "+4.0", "-14 to +27"),
    "no difference": (two(blue=(99_000, 49_000), red=(99_000, 49_100)), "+0.20", "-1.6 to +2.1"),
    "no upper end": (two(blue=(1000, 10), red=(1000, 150)), ">999", "+456 or more"),
    "no lower end": (two(blue=(1000, 200), red=(1000, 0)), "-100", "-96 or less"),
    "neither end": (two(blue=(20, 1), red=(20, 2)), "+100", "unknown"),
    "an experiment of 1.5.0": (two(red=(10_000, 700), precision="1"), "+40", "+17 to +69"),
}
"""Experiments, and the lift of red over blue with its interval as it is written."""

by_case = pytest.mark.parametrize(
    ("experiment", "value", "interval"),
    [pytest.param(analysed(item), *shown, id=name) for name, (item, *shown) in CASES.items()],
)


@by_case
def test_the_terminal_shows_it(experiment: Experiment, value: str, interval: str) -> None:
    """In the row of the variant, with and without the details."""
    interval = with_unit(interval)
    value = with_unit(value)
    for details in (False, True):
        console = Console(file=io.StringIO(), width=100)
        screen = Screen(100, is_terminal=False)
        with console.capture() as capture:
            for part in terminal.report([experiment], {}, NOW, screen, details=details):
                console.print(part)
        assert re.search(
            rf"^  red +[\d,]+ +[\d.]+% +{re.escape(value)} +{re.escape(interval)}  ",
            capture.get(),
            re.MULTILINE,
        )


@by_case
def test_the_page_shows_it(experiment: Experiment, value: str, interval: str) -> None:
    """In the table of the lifts; the details, with other intervals, are apart."""
    page = html.experiment(experiment, Choices("n", "n"), Frame("counted here"), NOW)

    usual = page[: page.index('<details class="statistics"')]
    figures = re.findall(
        r'data-label="(?:lift, %|95% interval)"><span>([^<]*)<', usual[usual.index('="inside"') :]
    )

    assert [unescape(figure) for figure in figures] == [
        "-",
        "-",
        with_minus(value),
        with_minus(interval),
    ]


@by_case
def test_every_strip_shows_it(experiment: Experiment, value: str, interval: str) -> None:
    """Banner, row of the goal and overview write it beside the strip, with units."""
    page = html.experiment(experiment, Choices("n", "n"), Frame("counted here"), NOW)
    overview = html.overview([experiment], {}, Choices("n", "n"), Frame("counted here"), NOW)
    lift = with_minus(f"{value}%")
    with_units = re.sub(r"(\d)(?= |$)", r"\1%", with_minus(interval))

    written = r'class="(value|interval-text)">([^<]*)<'
    assert [unescape(text).rstrip() for _, text in re.findall(written, page)] == [
        lift,
        with_units,
    ] * 2
    cells = re.findall(r'<td [^>]*class="number(?: range)?">([^<]*)<', overview)
    assert [unescape(text) for text in cells[:2]] == [lift, with_units]


@by_case
def test_json_and_csv_have_it(experiment: Experiment, value: str, interval: str) -> None:
    """With all digits, of which the written ends have at least two; an open end is missing."""
    (described,) = json.loads(export.to_json([experiment], "n", {}))["experiments"]
    lift = described["goals"][0]["variants"][1]["lift"]
    _, red = csv.DictReader(io.StringIO(export.to_csv([experiment], "n")))

    columns = [red[name] for name in ("lift", "lift_low", "lift_high")]
    assert [float(cell) if cell else None for cell in columns] == [*lift.values()]
    assert described["goals"][0]["verdict"]["lift"] == lift
    assert described["headline"]["lift"] == lift
    written = [float(number) for number in re.findall(r"[-+][\d.]+", interval)]
    ends = [100 * end for end in (lift["low"], lift["high"]) if end is not None]
    assert written == [pytest.approx(end, rel=0.05) for end in ends]
    assert ("or more" in interval, "or less" in interval) == (
        lift["high"] is None and lift["low"] is not None,
        lift["low"] is None and lift["high"] is not None,
    )


@by_case
def test_the_sentence_has_it(experiment: Experiment, value: str, interval: str) -> None:
    """Wherever it gives an interval, in the goal's verdict and in the headline."""
    verdict = experiment.goals[0].verdict
    said = re.findall(r"[-+]?\d[\d.,]*%", verdict.sentence)
    if verdict.kind in (Kind.WINNER, Kind.CONTROL_WINS, Kind.NO_DIFFERENCE):
        ends = sorted(abs(float(end)) for end in re.findall(r"[-+]([\d.]+)", interval))
        assert sorted(abs(float(end.rstrip("%"))) for end in said[-len(ends) :]) == ends
    else:
        assert said in ([], ["10%"])
    assert verdict.sentence in experiment.headline.sentence
