"""The pages about the end of experiments: conclude, reopen, and what was learned in the past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gimel.analysis.concluded import MAX_NOTE, Concluded, choose_winner
from gimel.analysis.experiment import Experiment
from gimel.report import past
from gimel.report.figures import shorten, visible
from gimel.report.html import BASE, Choices, Frame, Option, page

_LONGEST_OPTION = 60


def conclude(found: Experiment, choices: Choices, frame: Frame, now: float) -> str:
    """Return the page that asks for the winner and a note, and whether to conclude."""
    winner = choose_winner(found, None)
    names = [arm.name for arm in found.arms]
    winners = [Option("", "none", winner is None)]
    winners += [
        Option(name, shorten(visible(name), _LONGEST_OPTION), name == winner) for name in names
    ]
    return page(
        "conclude",
        f"Conclude {visible(found.name)}?",
        frame,
        choices,
        now,
        name=visible(found.name),
        raw_name=found.name,
        warning=past.warning(found),
        sentence=visible(found.headline.sentence),
        winners=winners,
        most=MAX_NOTE,
        back=choices.address("/experiment", name=found.name),
    )


def concluded(
    found: Sequence[Concluded],
    choices: Choices,
    frame: Frame,
    now: float,
    only: str | None = None,
    done: str = "",
) -> str:
    """Return the page of the concluded experiments, the latest first, or of the one named `only`.

    `done` says what was just done.
    """
    return page(
        "concluded",
        "Concluded experiments" if only is None else visible(only),
        frame,
        choices,
        now,
        single=None if only is None else visible(only),
        list=choices.address("/concluded"),
        found=[_view(each, choices, now) for each in found],
        done=visible(done),
    )


def reopen(found: Concluded, choices: Choices, frame: Frame, now: float) -> str:
    """Return the page that asks whether to reopen an experiment."""
    return page(
        "reopen",
        f"Reopen {visible(found.name)}?",
        frame,
        choices,
        now,
        sentence="Its events are counted again, and it continues with its exact counts. "
        "The winner and the note are removed.",
        raw_name=found.name,
        action=f"{BASE}/reopen",
        button="Reopen",
        danger=False,
        back=choices.address("/concluded"),
    )


def delete(found: Concluded, choices: Choices, frame: Frame, now: float) -> str:
    """Return the page that asks whether to delete the record of an experiment."""
    return page(
        "reopen",
        f"Delete {visible(found.name)}?",
        frame,
        choices,
        now,
        sentence="This permanently deletes what was learned: its record, history and counts. "
        "If pages keep sending events, the experiment will be recreated.",
        raw_name=found.name,
        action=f"{BASE}/delete",
        button="Delete permanently",
        danger=True,
        back=choices.address("/concluded"),
    )


def _view(found: Concluded, choices: Choices, now: float) -> dict[str, Any]:
    return {
        "name": visible(found.name),
        "decided": found.is_decided,
        "outcome": past.outcome(found),
        "learned": past.learned(found),
        "certainty": past.certainty(found),
        "note": visible(found.note),
        "when": past.when(found, now),
        "later": past.later_events(found),
        "counts": past.counts(found),
        "reopen": choices.address("/reopen", name=found.name) if found.is_reopenable(now) else None,
        "page": choices.address("/experiment", name=found.name),
        "delete": choices.address("/delete", name=found.name),
    }
