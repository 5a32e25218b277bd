"""What is said about an experiment, in the terminal and on pages alike. Knows neither of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum

from gimel.analysis.counts import Arm
from gimel.analysis.design import Role
from gimel.analysis.experiment import LIMIT_REACHED, Experiment
from gimel.analysis.goal import Goal
from gimel.analysis.phrases import join_names, pluralize, quote, quote_names
from gimel.analysis.sentences import LOWER_IS_BETTER, is_called_control
from gimel.analysis.verdict import Kind, Verdict
from gimel.report.figures import (
    format_count,
    format_start,
    format_widening,
    visible,
)

_HOW_TO_READ = (
    "A lift is the relative change of the rate over the control. Its interval contains the true "
    "lift with the confidence given, however often you look. A counting error is one standard "
    "error."
)
_ASSUMED = "Where the control is only assumed, name it in config.json, as the experiment's control."

DETAILS = "Details for statisticians (one look only; not used by the verdict)"
"""The heading of the fixed-horizon figures."""

HOW_TO_READ_DETAILS = (
    "The details for statisticians are fixed-horizon: valid for one look on a date chosen in "
    "advance. Their intervals are not that of the verdict, which holds at every look."
)

_LIMIT_HELP = (
    "List your experiments under `experiments` in config.json, which keeps room for them, or raise "
    "`limits`; then run `gimel deploy`. The last resort is `gimel delete`, which makes room by "
    "deleting what was counted."
)

_ESCAPED = {ord(character): f"%{ord(character):02x}" for character in "%&+#"}  # in an address

_NEW = "experiments that do not exist yet"
_MOST_NAMED = 5  # in the warning of a limit

_ADVICE = {
    Kind.SPLIT_MISMATCH: "Look for a redirect, for bots, or for a variant that fails before its"
    " first event. If this split is intended, set the experiment's weights in config.json.",
    Kind.NOT_A_CONVERSION: "Count the goal once per visitor, or read it as goals per visitor.",
    Kind.NO_DATA: "Check that the page sends its events, with these names.",
    Kind.SINGLE_VARIANT: "Check that the page sends the events of every variant.",
    Kind.NO_CONVERSIONS: "Check that the page sends the event of this goal.",
}

_CHANGED = (
    "Look at the results over time for the day on which something changed: a release, a campaign or"
    " the page's events. To know the lift from now on, start a new experiment."
)


class Mark(Enum):
    """The sign and colour of a verdict. They only repeat what its words say."""

    DOUBT = "doubt"
    DECIDED = "decided"
    UNDECIDED = "undecided"
    INFO = "info"


def choose_mark(verdict: Verdict, is_doubtful: bool = False) -> Mark:
    """Return the mark of a verdict; `is_doubtful` if there are other problems with the data."""
    if verdict.is_untrusted or is_doubtful or verdict.kind in (Kind.HARMED, Kind.CONFLICT):
        return Mark.DOUBT
    if verdict.kind is Kind.NO_VERDICT:
        return Mark.INFO
    if verdict.disagrees:
        return Mark.DOUBT
    is_unharmed = verdict.kind is Kind.NOT_HARMED and not verdict.failed
    is_decided = verdict.safe_to_stop or is_unharmed
    return Mark.DECIDED if is_decided else Mark.UNDECIDED


def goal_mark(verdict: Verdict) -> Mark:
    """Return the mark of one goal of several: only what is harmed is in doubt, not what is better.

    A goal whose winner harms another one is decided all the same.
    """
    if verdict.kind is Kind.CONFLICT and not verdict.worse:
        return Mark.DECIDED
    return choose_mark(verdict)


def advice(experiment: Experiment) -> str:
    """Return what to do where that is not to choose or to wait; '' if there is nothing to add."""
    parts = [_ADVICE.get(experiment.headline.kind, "")]
    if experiment.headline.disagrees:
        parts.append(_CHANGED)
    if failed := [each for each in experiment.failed if each.matters]:
        forced = f"{experiment.name}:{failed[0].name}".translate(_ESCAPED)
        address = f"?gimel={forced}"
        parts.append(
            f"With gimel.js, a page opened with {quote(visible(address))} at the end of its address"
            " shows the error in the browser's console."
        )
    return " ".join(filter(None, parts))


def facts(experiment: Experiment, now: float) -> str:
    """Return when an experiment started, its visitors and control; `now` in seconds.

    Among several goals, it says if none is primary, because then each takes longer to decide.
    """
    planned = experiment.design.visitors
    visitors = pluralize(experiment.visitors, "visitor")
    if planned is not None:
        visitors = f"{format_count(experiment.visitors)} of {pluralize(planned, 'planned visitor')}"
    parts = [visitors]
    if experiment.since is not None:
        parts.insert(0, f"started {format_start(experiment.since, now)}")
    if experiment.control and len(experiment.arms) > 1:
        assumed = " (assumed)" if experiment.control_is_guess else ""
        parts.append(f"control: {visible(experiment.control.name)}{assumed}")
    if len(experiment.all_goals) > 1 and experiment.design.goal is None:
        parts.append("no primary goal")
    return "; ".join(parts)


def how_to_read(experiments: Iterable[Experiment]) -> str:
    """Return what the figures mean, and what to do about a control that is only assumed."""
    is_assumed = any(each.control_is_guess for each in experiments)
    return f"{_HOW_TO_READ} {_ASSUMED}" if is_assumed else _HOW_TO_READ


def role(goal: Goal) -> str:
    """Return what a goal is for: "guardrail, lower is better"; '' if there is nothing to say."""
    words = [] if goal.role is Role.EQUAL else [goal.role.value]
    if goal.is_decrease:
        words.append(LOWER_IS_BETTER)
    return ", ".join(words)


def name_of(arm: Arm, arms: Sequence[Arm], is_guess: bool) -> str:
    """Return the name of one of the arms in a table; the first, the control, is marked.

    "(control?)" marks a control that is only assumed. An arm without others is not a control.
    """
    if arm.name != arms[0].name or len(arms) == 1:
        return visible(arm.name)
    if is_called_control(arm.name) and not is_guess:
        return visible(arm.name)
    return visible(f"{arm.name} (control?)" if is_guess else f"{arm.name} (control)")


def notes(experiment: Experiment) -> Iterator[str]:
    """Yield what else to know of the counts: split check, ignored events."""
    if len(experiment.arms) > 1 and not experiment.split.is_mismatch:
        yield "Traffic split as expected."
    if strays := [arm.name for arm in experiment.arms if not arm.weight]:
        names = visible(quote_names(strays))
        yield f"Without a weight in config.json, and so without a verdict: {names}."
    if experiment.ignored:
        yield f"Ignored events: {ignored_events(experiment.ignored)}."


def counting_notes(experiment: Experiment) -> Iterator[str]:
    """Yield how exactly the visitors were counted: precision, and what its noise does."""
    if experiment.precision is not None:
        yield f"Counted with precision {experiment.precision}."
    if experiment.widening:
        yield f"Counting noise widens the intervals by {format_widening(experiment.widening)}."


def unknown_events(ignored: Mapping[str, int]) -> str:
    """Return the sentence on ignored events of experiments that do not exist; '' without any."""
    if not ignored:
        return ""
    words = f"Ignored events from unknown experiments: {ignored_events(ignored)}."
    return (
        f"{words} Nothing needs to be done: bots are never counted." if _is_bots(ignored) else words
    )


def _is_bots(ignored: Mapping[str, int]) -> bool:
    return set(ignored) == {"bot"}


def limit_warning(experiments: Iterable[Experiment], ignored: Mapping[str, int]) -> str:
    """Return that a limit was reached and what to do; '' if none was.

    `ignored` are the ignored events of experiments that do not exist, by reason. A warning that
    can only be about one experiment does not name it.
    """
    found = {
        quote(visible(experiment.name)): experiment.ignored.get(LIMIT_REACHED, 0)
        for experiment in experiments
    }
    found[_NEW] = ignored.get(LIMIT_REACHED, 0)
    most = sorted((name for name in found if found[name]), key=lambda name: -found[name])
    if not most:
        return ""
    lost = sum(found.values())
    names = [f"{name} ({format_count(found[name])})" for name in most[:_MOST_NAMED]]
    if more := len(most) - len(names):
        names.append(f"{more} more")
    verb = "was" if lost == 1 else "were"
    warning = f"A limit was reached: {pluralize(lost, 'event')} {verb} not counted."
    if len(found) > 2 or found[_NEW]:
        warning += f" Affected: {join_names(names)}."
    return f"{warning} {_LIMIT_HELP}"


def assumed_control(experiment: Experiment) -> str:
    """Return that the control is only assumed, and what to do; '' if it is not."""
    if not experiment.control_is_guess or experiment.control is None:
        return ""
    name, control = (quote(visible(each.name)) for each in (experiment, experiment.control))
    return (
        f"The control of {name} is assumed to be {control}, the first by name. Name it in"
        " config.json, as the experiment's control."
    )


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
        return "Do not trust this: the traffic is not split as expected."
    return visible(verdict.sentence)
