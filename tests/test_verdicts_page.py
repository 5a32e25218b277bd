"""docs/verdicts.md shows every kind of verdict. Cog checks that it shows what the code says."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from gimel.analysis.experiment import Experiment
from gimel.analysis.verdict import Kind

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def experiments(monkeypatch: pytest.MonkeyPatch) -> list[Experiment]:
    """The situations of the page with their statistics."""
    monkeypatch.syspath_prepend(DOCS)
    page = importlib.import_module("verdict_page")
    return [
        page.analyse_situation(situation)
        for group in page.SITUATIONS.values()
        for situation in group
    ]


def test_every_kind_of_verdict_has_an_example(experiments: list[Experiment]) -> None:
    """Only guardrails and secondary goals have kinds that no experiment as a whole has."""
    shown = {each.headline.kind for each in experiments}
    of_goals = {goal.verdict.kind for each in experiments for goal in each.goals}

    assert shown | of_goals == set(Kind)
    assert set(Kind) - shown == {Kind.NOT_HARMED, Kind.NO_VERDICT}


def test_the_page_explains_how_each_headline_begins(experiments: list[Experiment]) -> None:
    """A reader finds the first words of a verdict in the table of what to do."""
    page = (DOCS / "verdicts.md").read_text("utf-8")
    table = page.partition("| --- | --- |\n")[2].partition("\n\n")[0]
    cells = [line.split("|")[1].strip() for line in table.splitlines()]
    starts = [
        re.compile(rf"(.+: )?{re.escape(start).replace(re.escape('...'), '.+')}")
        for cell in cells
        for start in cell.split("; ")
    ]
    for experiment in experiments:
        sentence = experiment.headline.sentence
        assert any(start.match(sentence) for start in starts), sentence
