"""Experiments with their statistics: what was counted, combined with what was designed.

`analyse` turns the counts of one experiment into arms, a split and goals; `analyse_all` does so for
a namespace. Rates and other figures are calculated when they are first asked for. Knows neither
where the counts come from nor how anything is shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from gimel.analysis.case import Case
from gimel.analysis.counts import Arm, Count, ExperimentCounts, NamespaceCounts
from gimel.analysis.design import Design, Role, default_control
from gimel.analysis.failed import FAILED_EVENT, FailedVariant, find_failed
from gimel.analysis.forecast import Progress, recent_pace
from gimel.analysis.goal import Goal
from gimel.analysis.goals import Lineup, analyse_goals
from gimel.analysis.headline import summarize
from gimel.analysis.looks import Earlier
from gimel.analysis.phrases import pluralize
from gimel.analysis.refusals import refuse
from gimel.analysis.shares import ShareCheck, check_shares, mismatch_onset
from gimel.analysis.timeline import Moment, moments
from gimel.analysis.verdict import NO_DATA, Verdict
from gimel.errors import GimelError, enumerate_names, similar_first, suggest

_SECONDS_PER_DAY = 86_400

LIMIT_REACHED = "limit reached"
"""The reason with which the runtime reports events that a limit kept from being counted.

Repeats `gimel.runtime.event.LIMIT_REACHED`, because the analysis must not import the runtime.
"""


class NotFound(GimelError):
    """A name that does not exist; the hint suggests similar names."""


@dataclass(frozen=True)
class Experiment:
    """An experiment with its statistics.

    Attributes:
        name: The experiment's name.
        since: The time of the first event, in seconds since 1970; None if unknown.
        ignored: The number of ignored events by reason.
        unreadable: The number of counters that could not be read.
        precision: The precision that it began with; None if unknown or exact.
        arms: The variants without conversions: the control first, the others by name.
        goals: The goals to show: the primary one, guardrails, then others, each by name.
        all_goals: All goals, on which the headline rests.
        split: The split check, with shares in the order of `arms`.
        confidence: The confidence level of every interval and verdict.
        design: How it was designed.
        progress: How far it has come.
        control_is_guess: Whether the control was chosen only because it is first by name.
        failed: The variants that failed for some visitors; those that matter come first.
        now: The time of the counts, in seconds since 1970.
        past: The variants without conversions at earlier times.
        mismatch_since: The time at which a split mismatch began, in seconds since 1970. None
            without one, and if nobody knows when the experiment began.
    """

    name: str
    since: int | None
    ignored: Mapping[str, int]
    unreadable: int
    precision: int | None
    arms: tuple[Arm, ...]
    goals: tuple[Goal, ...]
    all_goals: tuple[Goal, ...]
    split: ShareCheck
    confidence: float
    design: Design
    progress: Progress
    control_is_guess: bool
    failed: tuple[FailedVariant, ...]
    now: int
    past: tuple[Earlier, ...] = field(default=(), repr=False)
    mismatch_since: int | None = None

    @property
    def control(self) -> Arm | None:
        """The control; None while there are no variants."""
        return self.arms[0] if self.arms else None

    @property
    def visitors(self) -> float:
        """The visitors of all variants together."""
        return self.progress.visitors

    @property
    def widening(self) -> float:
        """How much counting noise widens the intervals, at most: 0.05 means by 5%."""
        return max((goal.widening for goal in self.goals if goal.is_conversion), default=0.0)

    @cached_property
    def headline(self) -> Verdict:
        """The verdict on the experiment as a whole."""
        if self.all_goals:
            return summarize(self.all_goals, self.design.goal, self.visitors)
        onset = None if self.mismatch_since == self.since else self.mismatch_since
        return (refuse(self.arms, onset) if self.arms else None) or NO_DATA

    @property
    def doubts(self) -> tuple[str, ...]:
        """Problems with the data as a whole, one sentence each: failed variants, then flaws."""
        return (*(each.sentence for each in self.failed if each.matters), *self.flaws)

    @cached_property
    def flaws(self) -> tuple[str, ...]:
        """Problems with what was counted, one sentence each; a wrong split comes first."""
        flaws = []
        if self.split.is_mismatch:
            flaws.append(self.headline.sentence)
        if self.unreadable:
            flaws.append(f"incomplete: {pluralize(self.unreadable, 'counter')} cannot be read")
        if lost := self.ignored.get(LIMIT_REACHED):
            verb = "was" if lost == 1 else "were"
            events = pluralize(lost, "event")
            flaws.append(f"incomplete: {events} {verb} not counted because a limit was reached")
        return tuple(flaws)

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        """The visitors at each recorded time; the last one is now."""
        return moments(self.past, self.arms, self.since, self.now)

    @property
    def is_doubtful(self) -> bool:
        """Whether there is a problem that the reader must know before any figure."""
        return bool(self.doubts) or not all(goal.is_conversion for goal in self.goals)


def analyse(
    counts: ExperimentCounts,
    design: Design | None = None,
    *,
    now: float,
    confidence: float = 0.95,
    control: str | None = None,
) -> Experiment:
    """Return one experiment with its statistics at the time `now`, in seconds since 1970.

    The control is `control`, else the design's, else the variant with a usual name of a control,
    else the first by name. A variant that only the design knows has no visitors. If the design has
    weights, a variant without one gets weight 0: it is excluded from the split check and from the
    verdict.

    Raises:
        NotFound: There is no variant `control`.
    """
    design = design or Design()
    names = design.variants(counts.visitors)
    if control is not None and control not in names:
        raise NotFound(
            f"The experiment {counts.name!r} has no variant {control!r}.", suggest(control, names)
        )
    usual, is_guess = default_control(names)
    first = control or design.control
    names.sort(key=lambda name: name != (first or usual))
    lineup = Lineup(tuple(names), design)
    variants = lineup.arms(counts.visitors)
    earlier = tuple(lineup.earlier(counts.history, counts.since, int(now)))
    past = tuple(each for _, each in earlier)
    split = check_shares(variants)
    onset = mismatch_onset(variants, past) if split.is_mismatch else None
    progress = Progress(
        math.fsum(arm.visitors.value for arm in variants),
        None if counts.since is None else max(0.0, now - counts.since) / _SECONDS_PER_DAY,
        design.minimum_days,
        design.visitors,
        recent_pace(past, variants, counts.since, now),
    )
    is_guess = is_guess and first is None and len(names) > 1
    failed = find_failed(variants, counts.goals.get(FAILED_EVENT, {}), is_guess)
    goals: tuple[Goal, ...] = ()
    if variants:
        frame = Case(
            variants[0],
            (),
            Role.EQUAL,
            progress,
            is_guess,
            tuple(each.name for each in failed if each.matters),
            now=int(now),
            mismatch_since=onset,
        )
        arms_by_goal = {
            goal: lineup.arms(counts.visitors, found)
            for goal, found in counts.goals.items()
            if goal != FAILED_EVENT
        }
        goals = analyse_goals(lineup, arms_by_goal, earlier, frame, confidence)
    return Experiment(
        counts.name,
        counts.since,
        counts.ignored,
        counts.unreadable,
        counts.precision or _largest(counts.visitors).precision or None,
        variants,
        goals,
        goals,
        split,
        confidence,
        design,
        progress,
        is_guess,
        failed,
        int(now),
        past,
        onset or (counts.since if split.is_mismatch else None),
    )


def _largest(visitors: Mapping[str, Count]) -> Count:
    return max(visitors.values(), key=lambda count: count.value, default=Count())


def analyse_all(
    counts: NamespaceCounts,
    designs: Mapping[str, Design],
    *,
    now: float,
    confidence: float = 0.95,
    control: str | None = None,
) -> tuple[Experiment, ...]:
    """Return all experiments with their statistics, doubtful ones first, else in the given order.

    `designs` has the design of each experiment that has one. `control` is used in every experiment
    that has such a variant. `now` is in seconds since 1970.

    Raises:
        NotFound: No experiment has a variant `control`.
    """
    experiments, all_names = [], set()
    for each in counts.experiments:
        design = designs.get(each.name, Design())
        names = design.variants(each.visitors)
        all_names.update(names)
        chosen = control if control in names else None
        experiments.append(analyse(each, design, now=now, confidence=confidence, control=chosen))
    if control is not None and experiments and control not in all_names:
        raise NotFound(
            f"No experiment has a variant {control!r}.", suggest(control, sorted(all_names))
        )
    return tuple(sorted(experiments, key=lambda experiment: not experiment.is_doubtful))


def select_goal(experiments: Sequence[Experiment], goal: str) -> tuple[Experiment, ...]:
    """Return the experiments that have a goal of this name, each with that goal alone.

    Raises:
        NotFound: None of the experiments has it.
    """
    if goal == FAILED_EVENT:
        raise NotFound(
            f"{goal!r} is not a goal: it counts the visitors for whom a variant failed.",
            "These are shown before the verdict. Choose another goal, or show all.",
        )
    selected = []
    for experiment in experiments:
        goals = tuple(each for each in experiment.goals if each.name == goal)
        if goals:
            selected.append(replace(experiment, goals=goals))
    if not selected:
        names = sorted({each.name for experiment in experiments for each in experiment.goals})
        subject = (
            f"The experiment {experiments[0].name!r} has no"
            if len(experiments) == 1
            else "No experiment has a"
        )
        raise NotFound(f"{subject} goal {goal!r}.", suggest(goal, names))
    return tuple(selected)


def get_experiment(counts: NamespaceCounts, name: str, namespace: str) -> ExperimentCounts:
    """Return the experiment of that name.

    Raises:
        NotFound: It does not exist; the hint suggests similar names, or in an empty namespace other
            namespaces.
    """
    require_experiments(counts, namespace)
    for experiment in counts.experiments:
        if experiment.name == name:
            return experiment
    names = [experiment.name for experiment in counts.experiments]
    raise NotFound(
        f"There is no experiment {name!r} in the namespace {namespace!r}.", suggest(name, names)
    )


def require_experiments(counts: NamespaceCounts, namespace: str) -> None:
    """Check that the namespace has an experiment.

    Raises:
        NotFound: It has none; the hint names the namespaces that exist, the most similar first.
    """
    if counts.experiments:
        return
    others = [name for name in counts.namespaces or () if name != namespace]
    if others:
        listed = enumerate_names(similar_first(namespace, others))
        hint = f"Namespaces that exist: {listed}. --namespace selects one of them."
    elif counts.namespaces is not None:
        hint = (
            "No other namespace exists. An experiment appears after its first event: check that the"
            " page sends its events to this API."
        )
    else:
        hint = (
            "An experiment appears after its first event. Check that the page uses this namespace;"
            " --namespace selects another."
        )
    raise NotFound(f"There is no experiment in the namespace {namespace!r}.", hint)
