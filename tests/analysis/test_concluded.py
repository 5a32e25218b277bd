"""The record of a concluded experiment: it fits, keeps what matters, and is read back."""

from __future__ import annotations

import json

import pytest

from gimel.analysis.concluded import MAX_BYTES, choose_winner, read, record
from gimel.analysis.counts import Count, ExperimentCounts
from gimel.analysis.design import Design
from gimel.analysis.experiment import Experiment, NotFound, analyse

NOW = 1_790_000_000
DAY = 86_400


def experiment(
    red: float = 290, name: str = "red", goal: str = "buy", design: Design | None = None
) -> Experiment:
    """Return an experiment of 20 days, in which 180 of 1,800 visitors of "control" convert."""
    visitors = {"control": Count(1800.0), name: Count(1800.0)}
    goals = {goal: {"control": Count(180.0), name: Count(red)}}
    counts = ExperimentCounts("menu", visitors, goals, NOW - 20 * DAY)
    return analyse(counts, design or Design(control="control"), now=NOW)


def size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def test_it_is_read_back() -> None:
    """The record has the verdict, the winner, the note, and what the reader needs to trust it."""
    found = experiment()
    kept = read({**record(found, note="a\n b"), "at": NOW}, "menu")
    lift = found.headline.lift

    assert (kept.winner, kept.note, kept.kind, kept.at) == ("red", "a b", "winner", NOW)
    assert (kept.variant, kept.goal, kept.is_decided) == ("red", "buy", True)
    assert (kept.visitors, kept.days) == (3600, 20)
    assert found.headline.sentence == f"{kept.sentence} Safe to stop."
    assert kept.lift_of == "red"
    assert kept.lift is not None
    assert lift is not None
    assert kept.lift.low == pytest.approx(lift.low, rel=1e-3)
    assert kept.design == {"control": "control"}


@pytest.mark.parametrize("character", ["x", "\U0001f600", '"', "\\", "ä"])
def test_it_fits(character: str) -> None:
    """Whatever the names and the note, it fits, and the winner is never shortened."""
    long = character * 200
    names = {f"{character * 190}{n}": 1.0 for n in range(30)}
    design = Design(
        control="control",
        weights={**names, long: 1, "control": 1},
        goal=long,
        guardrails=list(names),
    )
    kept = record(experiment(name=long, goal=long, design=design), long, character * 500)

    assert size(kept) <= MAX_BYTES
    assert kept["winner"] == long
    assert kept["note"].startswith(character * 10)
    assert read(kept, "menu").kind == kept["verdict"]["kind"]


def test_the_winner_is_the_verdicts_or_chosen() -> None:
    """Without a choice it is the verdict's, none if undecided; it must be a variant."""
    assert choose_winner(experiment(), None) == "red"
    assert choose_winner(experiment(), "control") == "control"
    assert choose_winner(experiment(red=190), None) is None
    assert choose_winner(experiment(red=100), None) == "control"
    assert read(record(experiment(red=100)), "menu").lift_of == "red"
    with pytest.raises(NotFound, match="no variant 'rod'"):
        choose_winner(experiment(), "rod")


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"verdict": 5, "design": [], "winner": {}, "note": 5, "at": True},
        {"verdict": {"lift": [1], "kind": 5, "reached": "x", "decided": "yes"}},
    ],
)
def test_a_malformed_record(kept: dict[str, object]) -> None:
    """What is malformed is missing."""
    assert read(kept, "menu") == read({}, "menu")
