"""What is said about an experiment, in the terminal and on pages alike. Knows neither of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum

from gimel.analysis.experiment import LIMIT_REACHED, Experiment
from gimel.analysis.phrases import pluralize
from gimel.analysis.verdict import Kind, Verdict
from gimel.report.figures import (
    format_count,
    format_p_value,
    format_start,
    format_widening,
    visible,
)

HOW_TO_READ = (
    "Intervals and p-values in the tables are fixed-horizon: valid for one look on a date chosen "
    "in advance. A verdict and its interval are always valid, however often you look. A counting "
    "error is one standard error."
)

_LIMIT_HELP = (
    "List your experiments under `experiments` in config.json, which keeps room for them, or raise "
    "`limits`; then run `gimel deploy`. Or make room: `gimel delete` removes experiments, and "
    "accepts a pattern."
)


class Mark(Enum):
    """The sign and colour of a verdict. They only repeat what its words say."""

    DOUBT = "doubt"
    DECIDED = "decided"
    UNDECIDED = "undecided"


def choose_mark(verdict: Verdict, is_doubtful: bool = False) -> Mark:
    """Return the mark of a verdict; `is_doubtful` if there are other problems with the data."""
    if verdict.is_untrusted or is_doubtful:
        return Mark.DOUBT
    return Mark.DECIDED if verdict.safe_to_stop else Mark.UNDECIDED


def facts(experiment: Experiment, now: float) -> str:
    """Return when an experiment started, its visitors and its control; `now` in seconds."""
    parts = [pluralize(experiment.visitors, "visitor")]
    if experiment.since is not None:
        parts.insert(0, f"started {format_start(experiment.since, now)}")
    if experiment.control and len(experiment.arms) > 1:
        parts.append(f"control: {visible(experiment.control.name)}")
    return "; ".join(parts)


def notes(experiment: Experiment) -> Iterator[str]:
    """Yield what else to know of the counts: split check, precision, noise, ignored events."""
    split = experiment.split
    if split.checked and not split.is_mismatch:
        yield f"Traffic split as expected (p = {format_p_value(split.p)})."
    elif len(experiment.arms) > 1 and not split.checked:
        yield "Too few visitors to check the traffic split."
    if experiment.precision is not None:
        yield f"Counted with precision {experiment.precision}."
    if experiment.widening:
        yield f"Counting noise widens the intervals by {format_widening(experiment.widening)}."
    if experiment.ignored:
        yield f"Ignored events: {ignored_events(experiment.ignored)}."


def unknown_events(ignored: Mapping[str, int]) -> str:
    """Return the sentence on ignored events of experiments that do not exist; '' without any."""
    return f"Ignored events from unknown experiments: {ignored_events(ignored)}." if ignored else ""


def limit_warning(experiments: Iterable[Experiment], ignored: Mapping[str, int]) -> str:
    """Return that a limit was reached and what to do; '' if none was.

    `ignored` are the ignored events of experiments that do not exist, by reason.
    """
    lost = sum(
        reasons.get(LIMIT_REACHED, 0)
        for reasons in (ignored, *(experiment.ignored for experiment in experiments))
    )
    if not lost:
        return ""
    verb = "was" if lost == 1 else "were"
    return f"A limit was reached: {pluralize(lost, 'event')} {verb} not counted. {_LIMIT_HELP}"


def kept_precisions(experiments: Iterable[Experiment], configured: int) -> str:
    """Return how many experiments have another precision than the configured one; '' if none."""
    others = sum(experiment.precision not in (configured, None) for experiment in experiments)
    return (
        f"The configured precision, {configured}, applies to new experiments:"
        f" {others} of the above began with another one and will keep it."
        if others
        else ""
    )


def ignored_events(ignored: Mapping[str, int]) -> str:
    """Return the numbers of ignored events by reason: "1,203 (bot), 2 (limit reached)"."""
    return ", ".join(
        f"{format_count(number)} ({visible(reason)})" for reason, number in ignored.items()
    )


def short_sentence(verdict: Verdict) -> str:
    """Return a verdict's sentence for use below the doubts, which have a mismatch's figures."""
    if verdict.kind is Kind.SPLIT_MISMATCH:
        return "do not trust this: traffic is not split as expected"
    return visible(verdict.sentence)
