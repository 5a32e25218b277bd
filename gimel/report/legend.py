"""How to read the list of experiments: the words below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gimel.analysis.experiment import Experiment
from gimel.analysis.phrases import quote
from gimel.report.figures import visible
from gimel.report.summary import FEW_FAILED, PERHAPS, brief, unnamed_variant


def how_to_read(listed: Sequence[Experiment], goal: str | None) -> str:
    """Return what states, verdicts and lifts mean; `goal` is that of the lifts if it was chosen."""
    return " ".join(
        (
            "Needs attention: the data cannot be trusted, a variant failed, a goal is harmed, goals"
            " disagree, or waiting does not help. Decided: it is safe to stop. Running: wait.",
            *_remarks(listed),
            _lifts(listed, goal),
            f"Its interval contains the true lift with {100 * listed[0].confidence:g}% confidence,"
            " however often you look.",
        )
    )


def _remarks(listed: Sequence[Experiment]) -> Iterator[str]:
    """Yield what times and failures in verdicts mean, if there are any."""
    if any(brief(each).startswith(f"{PERHAPS} ") for each in listed):
        yield (
            "Perhaps N days: until it is decided, if the difference seen is real, or if there is"
            " none; one in five takes less or more."
        )
    if any(each.headline.days_left for each in listed):
        yield "Wait N days: until the minimum duration."
    if any(brief(each).endswith(FEW_FAILED) for each in listed):
        yield "Few failed: the variant failed for under 1% of its visitors."


def _lifts(listed: Sequence[Experiment], goal: str | None) -> str:
    lift = "the relative change of the rate over the control"
    several = any(unnamed_variant(each, goal) for each in listed)
    variant = ", for the variant named or chosen" if several else ""
    if goal is None:
        return f"The lift is {lift}, under the goal that the verdict rests on{variant}."
    return (
        f"The lift is {lift}, under the goal {quote(visible(goal))}{variant}; state and verdict are"
        " those of the whole experiment."
    )
