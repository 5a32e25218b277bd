"""What is said about an experiment in words and figures, the same in the terminal and on pages. Knows of neither."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gimel.analysis.experiment import Experiment, Goal, Variant
from gimel.analysis.stats import Estimate
from gimel.analysis.verdict import Kind, Verdict
from gimel.report import figures
from gimel.report.figures import NONE, visible

HOW_TO_READ = (
    "Intervals and p-values in the tables are for one look, on a day chosen beforehand. "
    "A verdict and its interval hold however often you look. A counting error is one standard error."
)


def notes(experiment: Experiment) -> Iterator[str]:
    """Yield what else there is to know of the counts: the check of the split, the counting noise, what was ignored."""
    split = experiment.split
    if split.checked and not split.is_mismatch:
        yield f"Split as meant (p = {figures.p_value(split.p)})."
    elif len(experiment.arms) > 1 and not split.checked:
        yield "Too few visitors to check the split."
    if experiment.widening:
        yield f"Counting noise widens the intervals by {figures.widening(experiment.widening)}."
    if experiment.ignored:
        yield f"Ignored events: {reasons(experiment.ignored)}."


def reasons(ignored: Mapping[str, int]) -> str:
    return ", ".join(
        f"{figures.count(number)} {visible(reason)}" for reason, number in ignored.items()
    )


def below_doubts(verdict: Verdict) -> str:
    """Return the sentence as it stands below the doubts, which have the figures of a mismatch."""
    if verdict.kind is Kind.SPLIT_MISMATCH:
        return "do not trust this: visitors are not split as meant"
    return visible(verdict.sentence)


def compared(variant: Variant, goal: Goal) -> tuple[str, str, str, str]:
    """Return a variant's difference in points and lift in percent, each with its interval, Holm's p and the chance to win."""
    comparison = variant.comparison
    if not comparison or not variant.arm.visitors.value or not goal.control.visitors.value:
        return NONE, NONE, NONE, NONE
    others = [each.comparison for each in goal.variants if each.comparison]
    places = figures.digits(each.difference for each in others)
    lifts = figures.digits(each.lift for each in others if each.lift)
    return (
        " ".join(interval(comparison.difference, places, sign=True)),
        " ".join(interval(comparison.lift, lifts, sign=True)) if comparison.lift else NONE,
        figures.p_value(comparison.p_adjusted),
        figures.chance(variant.beats_control),
    )


def interval(estimate: Estimate, places: int, sign: bool = False) -> tuple[str, str]:
    """Return a value and its interval, in percent: 5.0 and [4.6, 5.4]."""
    value, low, high = (
        figures.percent(share, places, sign)
        for share in (estimate.value, estimate.low, estimate.high)
    )
    return value, f"[{low}, {high}]"
