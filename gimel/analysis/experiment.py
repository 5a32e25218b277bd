"""Experiments with their statistics: what was counted, combined with what was designed.

`analyse` turns the counts of one experiment into arms, a split and goals; `analyse_all` does so for
a namespace. Rates and other figures are calculated when they are first asked for. Knows neither
where the counts come from nor how anything is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from gimel.analysis import posterior, stats
from gimel.analysis.counts import Arm, Count, ExperimentCounts, NamespaceCounts
from gimel.analysis.design import Design, default_control
from gimel.analysis.phrases import pluralize
from gimel.analysis.split import Split, check_split
from gimel.analysis.stats import Comparison, Estimate
from gimel.analysis.verdict import NO_DATA, Kind, Verdict, decide
from gimel.errors import GimelError, suggest

LIMIT_REACHED = "limit reached"
"""The reason with which the runtime reports events that a limit kept from being counted.

Repeats `gimel.runtime.event.LIMIT_REACHED`, because the analysis must not import the runtime.
"""

_HEADLINE_ORDER = (
    Kind.SPLIT_MISMATCH,
    Kind.WINNER,
    Kind.CONTROL_WINS,
    Kind.NO_DIFFERENCE,
    Kind.TOO_EARLY,
    Kind.TOO_NOISY,
    Kind.NO_CONVERSIONS,
    Kind.NOT_A_CONVERSION,
    Kind.SINGLE_VARIANT,
    Kind.NO_DATA,
)


class NotFound(GimelError):
    """A name that does not exist; the hint suggests similar names."""


@dataclass(frozen=True)
class Variant:
    """The figures of one variant under one goal.

    Attributes:
        arm: Its counts.
        rate: Its conversion rate with the Wilson interval; 0 to 1 without visitors.
        beats_control: The probability that its rate is above the control's. None for the control
            itself, and while either has no visitors.
        best: The probability that its rate is the highest of all variants with visitors. None
            while it has no visitors, or no other variant has any.
        comparison: The comparison with the control; None for the control itself.
    """

    arm: Arm
    rate: Estimate
    beats_control: float | None
    best: float | None
    comparison: Comparison | None

    @property
    def is_control(self) -> bool:
        """Whether the other variants are compared with this one."""
        return self.comparison is None


@dataclass(frozen=True)
class Goal:
    """One goal of an experiment.

    Attributes:
        name: The goal's name.
        arms: The variants under this goal: the control first, the others by name.
        control: The first of `arms`.
        confidence: The confidence level of every interval.
    """

    name: str
    arms: tuple[Arm, ...]
    control: Arm
    confidence: float

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict on this goal."""
        return decide(self.arms, self.control, self.confidence)

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """The figures of every variant, in the order of `arms`."""
        comparisons = {
            comparison.arm.name: comparison
            for comparison in stats.compare(self.arms, self.control, self.confidence)
        }
        chances = self._chances()
        variants = []
        for arm in self.arms:
            chance, comparison = chances.get(arm.name), comparisons.get(arm.name)
            knows_control = bool(comparison and self.control.visitors.value)
            variants.append(
                Variant(
                    arm,
                    stats.rate(arm, self.confidence),
                    chance.beats_control if chance and knows_control else None,
                    chance.best if chance else None,
                    comparison,
                )
            )
        return tuple(variants)

    def _chances(self) -> dict[str, posterior.Chance]:
        """Return the chances of the variants that have visitors, if there are at least two.

        Nothing is known of a variant without visitors. Its flat posterior would make it the likely
        best of all.
        """
        seen = [arm for arm in self.arms if arm.visitors.value]
        if len(seen) < 2:
            return {}
        found = posterior.chances(seen, seen[0])
        return {arm.name: chance for arm, chance in zip(seen, found, strict=True)}

    @property
    def is_conversion(self) -> bool:
        """False if there are more goals than visitors: show `arm.per_visitor` instead of a rate."""
        return all(arm.is_conversion for arm in self.arms)

    @property
    def widening(self) -> float:
        """How much counting noise widens the widest interval of a rate: 0.05 means by 5%."""
        return max((arm.widening for arm in self.arms), default=0.0)


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
        goals: The goals, by name.
        split: The split check, with shares in the order of `arms`.
        confidence: The confidence level of every interval and verdict.
    """

    name: str
    since: int | None
    ignored: Mapping[str, int]
    unreadable: int
    precision: int | None
    arms: tuple[Arm, ...]
    goals: tuple[Goal, ...]
    split: Split
    confidence: float

    @property
    def control(self) -> Arm | None:
        """The control; None while there are no variants."""
        return self.arms[0] if self.arms else None

    @property
    def visitors(self) -> float:
        """The visitors of all variants together."""
        return sum(arm.visitors.value for arm in self.arms)

    @property
    def widening(self) -> float:
        """How much counting noise widens the intervals, at most: 0.05 means by 5%."""
        return max((goal.widening for goal in self.goals if goal.is_conversion), default=0.0)

    @cached_property
    def verdicts(self) -> tuple[tuple[str, Verdict], ...]:
        """Every goal's name with its verdict.

        Without goals there is one verdict on the visitors, for the goal ''.
        """
        if self.goals:
            return tuple((goal.name, goal.verdict) for goal in self.goals)
        if self.control is None:
            return (("", NO_DATA),)
        return (("", decide(self.arms, self.control, self.confidence)),)

    @property
    def headline(self) -> tuple[str, Verdict]:
        """The most important of `verdicts`: a wrong split, else a decision, else the progress."""
        return min(self.verdicts, key=lambda pair: _HEADLINE_ORDER.index(pair[1].kind))

    @cached_property
    def doubts(self) -> tuple[str, ...]:
        """Problems with the data as a whole, one sentence each; a wrong split comes first."""
        doubts = []
        if self.split.is_mismatch:
            doubts.append(self.headline[1].sentence)
        if self.unreadable:
            doubts.append(f"incomplete: {pluralize(self.unreadable, 'counter')} cannot be read")
        if lost := self.ignored.get(LIMIT_REACHED):
            verb = "was" if lost == 1 else "were"
            events = pluralize(lost, "event")
            doubts.append(f"incomplete: {events} {verb} not counted because a limit was reached")
        return tuple(doubts)

    @property
    def is_doubtful(self) -> bool:
        """Whether there is a problem that the reader must know before any figure."""
        return bool(self.doubts) or not all(goal.is_conversion for goal in self.goals)


def analyse(
    counts: ExperimentCounts,
    design: Design | None = None,
    confidence: float = 0.95,
    control: str | None = None,
) -> Experiment:
    """Return one experiment with its statistics.

    The control is `control`, else the design's, else the variant named control, original or
    baseline, else the first by name. A variant that only the design knows has no visitors. If the
    design has weights, a variant without one gets weight 0: it is excluded from the split check.

    Raises:
        NotFound: There is no variant `control`.
    """
    design = design or Design()
    names = design.variants(counts.visitors)
    if control is not None and control not in names:
        raise NotFound(
            f"The experiment {counts.name!r} has no variant {control!r}.", suggest(control, names)
        )
    first = control or design.control or default_control(names)[0]
    names.sort(key=lambda name: name != first)

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
    goals = [(goal, arms(conversions)) for goal, conversions in counts.goals.items() if names]
    return Experiment(
        counts.name,
        counts.since,
        counts.ignored,
        counts.unreadable,
        counts.precision or _largest(counts.visitors).precision or None,
        variants,
        tuple(Goal(goal, goal_arms, goal_arms[0], confidence) for goal, goal_arms in goals),
        check_split(variants),
        confidence,
    )


def _largest(visitors: Mapping[str, Count]) -> Count:
    return max(visitors.values(), key=lambda count: count.value, default=Count())


def analyse_all(
    counts: NamespaceCounts,
    designs: Mapping[str, Design],
    confidence: float = 0.95,
    control: str | None = None,
) -> tuple[Experiment, ...]:
    """Return all experiments with their statistics, doubtful ones first, else in the given order.

    `designs` has the design of each experiment that has one. `control` is used in every experiment
    that has such a variant.

    Raises:
        NotFound: No experiment has a variant `control`.
    """
    experiments, all_names = [], set()
    for each in counts.experiments:
        design = designs.get(each.name, Design())
        names = design.variants(each.visitors)
        all_names.update(names)
        experiments.append(analyse(each, design, confidence, control if control in names else None))
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
        NotFound: It does not exist; the hint suggests similar names, or says that the namespace is
            empty.
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
        NotFound: It has none.
    """
    if not counts.experiments:
        raise NotFound(
            f"There is no experiment in the namespace {namespace!r}.",
            "An experiment appears after its first event. Check that the page uses this namespace;"
            " --namespace selects another.",
        )
