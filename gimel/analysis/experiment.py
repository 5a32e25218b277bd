"""Experiments with their statistics: what was counted, combined with what was designed.

`analyse` turns the counts of one experiment into arms, a split and goals; `analyse_all` does so for
a namespace. Rates and other figures are calculated when they are first asked for. Knows neither
where the counts come from nor how anything is shown.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from gimel.analysis.comparison import Question, compare
from gimel.analysis.counts import Arm, Count, ExperimentCounts, NamespaceCounts
from gimel.analysis.decision import Case
from gimel.analysis.design import Design, Role, default_control
from gimel.analysis.failed import FAILED_EVENT, FailedVariant, find_failed
from gimel.analysis.forecast import Progress
from gimel.analysis.goal import Goal
from gimel.analysis.headline import summarize
from gimel.analysis.phrases import pluralize
from gimel.analysis.refusals import refuse
from gimel.analysis.shares import ShareCheck, check_shares
from gimel.analysis.timeline import Moment
from gimel.analysis.verdict import NO_DATA, Verdict
from gimel.errors import GimelError, enumerate_names, similar_first, suggest

_SECONDS_PER_DAY = 86_400
_ROLES = tuple(Role)  # in the order in which the goals are shown

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
        return (refuse(self.arms) if self.arms else None) or NO_DATA

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
        return ()

    @cached_property
    def mismatch_since(self) -> int | None:
        """The time at which a split mismatch began, in seconds since 1970; None without one."""
        return None

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

    def arms(conversions: Mapping[str, Count]) -> tuple[Arm, ...]:
        return tuple(
            Arm(
                name,
                counts.visitors.get(name, Count()),
                conversions.get(name, Count()),
                design.weight(name),
            )
            for name in names
        )

    variants = arms({})
    progress = Progress(
        math.fsum(arm.visitors.value for arm in variants),
        None if counts.since is None else max(0.0, now - counts.since) / _SECONDS_PER_DAY,
        design.minimum_days,
        design.visitors,
    )
    is_guess = is_guess and first is None and len(names) > 1
    failed = find_failed(variants, counts.goals.get(FAILED_EVENT, {}), is_guess)
    reached = {goal: found for goal, found in counts.goals.items() if goal != FAILED_EVENT}
    goals = _goals(
        {goal: arms(found) for goal, found in reached.items() if names},
        design,
        progress,
        confidence,
        is_guess,
        tuple(each.name for each in failed if each.matters),
    )
    return Experiment(
        counts.name,
        counts.since,
        counts.ignored,
        counts.unreadable,
        counts.precision or _largest(counts.visitors).precision or None,
        variants,
        goals,
        goals,
        check_shares(variants),
        confidence,
        design,
        progress,
        is_guess,
        failed,
    )


def _goals(
    arms_by_goal: Mapping[str, tuple[Arm, ...]],
    design: Design,
    progress: Progress,
    confidence: float,
    control_is_guess: bool,
    failed: tuple[str, ...],
) -> tuple[Goal, ...]:
    """Return the goals with their comparisons, by role and name; a role's goals share the error."""
    families = Counter(
        design.role(goal)
        for goal, arms in arms_by_goal.items()
        if all(arm.is_conversion for arm in arms)
    )
    cases = {}
    for goal, (control, *others) in arms_by_goal.items():
        role = design.role(goal)
        question = Question(confidence, families[role], design.lift, goal in design.decrease)
        comparisons = compare(control, others, question)
        cases[goal] = Case(control, comparisons, role, progress, control_is_guess, failed)

    def elsewhere(goal: str, direction: int, *roles: Role) -> frozenset[str]:
        return frozenset().union(
            *(
                case.decided(direction)
                for other, case in cases.items()
                if other != goal and case.role in roles and case.is_conversion
            )
        )

    goals = []
    for goal, case in cases.items():
        if case.role is Role.EQUAL:
            better = elsewhere(goal, 1, Role.EQUAL)
            worse = elsewhere(goal, -1, Role.EQUAL)
            case = replace(case, better_elsewhere=better, worse_elsewhere=worse)
        elif case.role is Role.PRIMARY:
            guardrails = {name: each for name, each in cases.items() if each.is_guardrail}
            worse = elsewhere(goal, -1, Role.GUARDRAIL)
            case = replace(case, worse_elsewhere=worse, guardrails=guardrails)
        goals.append(Goal(goal, case, confidence))
    return tuple(sorted(goals, key=lambda goal: _ROLES.index(goal.role)))


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
