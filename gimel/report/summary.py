"""An experiment in a few words, for lists: its state, its verdict, the lift that matters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum

from gimel.analysis.comparison import Comparison
from gimel.analysis.experiment import Experiment
from gimel.analysis.failed import FailedVariant
from gimel.analysis.goal import Goal
from gimel.analysis.mixture import Lift
from gimel.analysis.phrases import exact_percent, pluralize, quote, quote_names
from gimel.analysis.sentences import duration
from gimel.analysis.verdict import Kind, Verdict
from gimel.report.figures import format_day, visible
from gimel.report.wording import Mark, choose_mark


class State(Enum):
    """Whether an experiment needs its owner; in the order in which they are listed."""

    ATTENTION = "attention"
    DECIDED = "decided"
    RUNNING = "running"

    @property
    def words(self) -> str:
        """What the state is called wherever a person reads it."""
        return "needs attention" if self is State.ATTENTION else self.value

    def count(self, number: int) -> str:
        """Return a number of experiments in this state: "1 needs attention", "5 need attention"."""
        words = "need attention" if self is State.ATTENTION and number != 1 else self.words
        return f"{number:,} {words}"


_STATES = {
    Mark.DOUBT: State.ATTENTION,
    Mark.DECIDED: State.DECIDED,
    Mark.UNDECIDED: State.RUNNING,
    Mark.INFO: State.RUNNING,
}

_STUCK = (Kind.SINGLE_VARIANT, Kind.TOO_NOISY)  # more visitors would not decide these
_FEW_VISITORS = 20  # up to here, all may have got the same of two variants: once in a million

PERHAPS = "perhaps"
"""Begins the time until a decision, which assumes a real difference, or none at all."""

FEW_FAILED = "few failed"
"""Ends the choice of a variant that failed for so few visitors that it can be chosen."""

_BRIEF = {
    Kind.NO_DATA: "no visitors yet",
    Kind.SPLIT_MISMATCH: "wrong split",
    Kind.NOT_A_CONVERSION: "more goals than visitors",
    Kind.NO_CONVERSIONS: "no conversions yet",
    Kind.TOO_NOISY: "unlikely to be decided",
    Kind.CONFLICT: "mixed result",
}


def state_of(experiment: Experiment) -> State:
    """Return the state of an experiment.

    It needs attention if its data or a guardrail is in doubt, if later data disagrees with what was
    decided, if a variant failed, or if it would never be decided.
    """
    return _STATES[mark_of(experiment)]


def mark_of(experiment: Experiment) -> Mark:
    """Return the mark of an experiment as a whole."""
    is_doubtful = experiment.is_doubtful or is_stuck(experiment)
    return choose_mark(experiment.headline, is_doubtful)


def is_stuck(experiment: Experiment) -> bool:
    """Whether more visitors would not decide an experiment."""
    return experiment.headline.kind in _STUCK and experiment.visitors > _FEW_VISITORS


def in_order(experiments: Iterable[Experiment]) -> list[Experiment]:
    """Return experiments by state, those of one state in the given order."""
    states = list(State)
    return sorted(experiments, key=lambda experiment: states.index(state_of(experiment)))


def brief(experiment: Experiment, shorten: Callable[[str], str] = str) -> str:
    """Return the verdict on an experiment in a few words: "choose “red”", "perhaps 3 to 12 days".

    `shorten` is applied to the names in it.
    """
    verdict = experiment.headline
    if experiment.flaws and not verdict.is_untrusted:
        return "incomplete data"
    if verdict.kind is not Kind.SPLIT_MISMATCH and any(each.matters for each in experiment.failed):
        return _failed([each for each in experiment.failed if each.matters], shorten)
    if harmed := harmed_goals(experiment):
        return f"harms {_shortened([goal.name for goal in harmed], shorten)}"
    misused = [goal.name for goal in experiment.goals if not goal.is_conversion]
    if misused and not verdict.is_untrusted:
        return f"{_shortened(misused, shorten)} is not a conversion"
    if verdict.kind in _BRIEF:
        return _BRIEF[verdict.kind]
    if verdict.kind is Kind.SINGLE_VARIANT:
        return _nothing_to_compare(experiment, shorten)
    found = _brief(verdict, exact_percent(experiment.design.lift), shorten)
    if not verdict.safe_to_stop or verdict.kind is Kind.NO_DIFFERENCE:
        return found
    if any(each.name == verdict.variant for each in experiment.failed):
        return f"{found}, {FEW_FAILED}"
    return f"{found}{_since(experiment)}"


def _since(experiment: Experiment) -> str:
    """Return the day on which the verdict was reached, in parentheses; '' if that is today."""
    reached, moments = experiment.headline.reached, experiment.moments
    if reached is None or not moments:
        return ""
    day, today = format_day(reached), format_day(moments[-1].time)
    if day == today:
        return ""
    has_year = day[-4:] != today[-4:]
    return f" ({format_day(reached, has_year)})"


def _failed(failed: Sequence[FailedVariant], shorten: Callable[[str], str]) -> str:
    """Return which variants failed; of one alone, for which share of its visitors."""
    names = _shortened([each.name for each in failed], shorten)
    return f"{names} {failed[0].brief if len(failed) == 1 else 'failed'}"


def _brief(verdict: Verdict, lift: str, shorten: Callable[[str], str]) -> str:
    name = _shortened([verdict.variant or ""], shorten)
    if verdict.disagrees:
        return "later data disagrees"
    if verdict.open_guardrails:
        found = f"{name} better" if verdict.kind is Kind.WINNER else f"under {lift}"
        return f"{found}, guardrail open"
    if verdict.kind is Kind.WINNER:
        return f"choose {name}"
    if verdict.kind is Kind.CONTROL_WINS:
        return f"keep {name}"
    if verdict.kind is Kind.AHEAD:
        return f"{name} ahead, wait {pluralize(verdict.days_left, 'day')}"
    if verdict.kind is Kind.NO_DIFFERENCE:
        return f"any difference under {lift}"
    if verdict.days_left:
        return f"under {lift} so far, wait {pluralize(verdict.days_left, 'day')}"
    forecast = verdict.forecast
    if forecast is None:
        return "too few visitors"
    found = duration(forecast)
    return f"{PERHAPS} {found}" if found else "not decided"


def _nothing_to_compare(experiment: Experiment, shorten: Callable[[str], str]) -> str:
    seen = [arm.name for arm in experiment.arms if arm.visitors.value]
    if len(seen) == 1:
        return f"only {_shortened(seen, shorten)} seen"
    if experiment.control and experiment.control.name not in seen:
        return f"control {_shortened([experiment.control.name], shorten)} not seen"
    return "nothing to compare"


def _shortened(names: Sequence[str], shorten: Callable[[str], str]) -> str:
    """Return one name shortened and in quotes; of several, the whole list is shortened."""
    if len(names) == 1:
        return quote(shorten(visible(names[0])))
    return shorten(visible(quote_names(names)))


def headline_goal(experiment: Experiment) -> Goal | None:
    """Return the goal that the headline speaks of; None if it speaks of none or of several.

    If something is harmed, that is what it speaks of: the first guardrail that is.
    """
    if harmed := harmed_goals(experiment):
        return harmed[0]
    name = experiment.headline.goal
    return next((goal for goal in experiment.all_goals if goal.name == name), None)


def harmed_goals(experiment: Experiment) -> list[Goal]:
    """Return the harmed guardrails, if the headline is about them rather than about a winner."""
    if experiment.headline.kind not in (Kind.HARMED, Kind.CONFLICT):
        return []
    return [goal for goal in experiment.all_goals if goal.verdict.kind is Kind.HARMED]


def headline_lift(experiment: Experiment) -> Lift | None:
    """Return the lift that the headline rests on; None unless it can be trusted, of one goal."""
    verdict = experiment.headline
    goal = headline_goal(experiment)
    if verdict.is_untrusted or experiment.split.is_mismatch or goal is None:
        return None
    return goal.verdict.lift if harmed_goals(experiment) else verdict.lift


def headline_comparison(experiment: Experiment, goal: str | None = None) -> Comparison | None:
    """Return the comparison that `headline_lift` is of, or that of the verdict on a `goal`."""
    found, lift = headline_goal(experiment), headline_lift(experiment)
    if goal is not None:
        found = next(each for each in experiment.all_goals if each.name == goal)
        lift = found.verdict.lift
    if found is None or lift is None:
        return None
    return next(each for each in found.case.comparisons if each.lift == lift)


def direction_word(comparison: Comparison | None) -> str:
    """Return what a decided lift is: "better" or "worse"; '' if it is not decided."""
    if comparison is None or not comparison.direction or not comparison.arm.weight:
        return ""
    return "better" if comparison.direction > 0 else "worse"


def listed_word(comparison: Comparison | None) -> str:
    """Return `direction_word` in a list, where only the lifts of some goals need it.

    A positive lift is better unless the design says that fewer conversions are.
    """
    return direction_word(comparison) if comparison and comparison.question.is_decrease else ""


def unnamed_variant(experiment: Experiment, goal: str | None = None) -> str:
    """Return the variant that a listed lift is of, unless it can only be one variant's.

    It can be another one's if there are several and `brief` names none of them, or if `brief` names
    the control. The lift is that of the headline, or of the `goal` given.
    """
    comparison = headline_comparison(experiment, goal)
    if comparison is None:
        return ""
    name = comparison.arm.name
    names_control = _names_variant(experiment) and experiment.headline.variant != name
    if len(experiment.arms) <= 2 and not names_control:
        return ""
    is_named = goal is None and experiment.headline.variant == name and _names_variant(experiment)
    return "" if is_named else name


def _names_variant(experiment: Experiment) -> bool:
    """Whether `brief` has the name of the headline's variant."""
    kinds = (Kind.WINNER, Kind.CONTROL_WINS, Kind.AHEAD)
    return experiment.headline.kind in kinds and not experiment.is_doubtful
