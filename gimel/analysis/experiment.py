"""What the API answered, as experiments with their statistics.

`parse` turns the JSON of `GET /experiments` into counts, once and strictly; `analyse` puts beside them what the configuration
says about each experiment. Pure: knows neither where the answer came from nor how anything is shown. The formulas are in
`gimel.analysis.stats` and `gimel.analysis.posterior`, the verdicts in `gimel.analysis.verdict`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from gimel.analysis import posterior, stats
from gimel.analysis.counts import Arm, Count
from gimel.analysis.design import Design
from gimel.analysis.stats import Comparison, Estimate, Split
from gimel.analysis.verdict import Kind, Verdict, verdict
from gimel.errors import GimelError, suggest

CONTROL_NAMES = ("control", "original", "baseline")
LIMIT_REACHED = "limit reached"


class NotFound(GimelError):
    """What was asked for by its name is not there; the hint has the nearest names."""


@dataclass(frozen=True)
class Counted:
    """One experiment as it was counted: visitors by variant, and for every goal the conversions of every variant.

    `since` is the time of the first event in seconds since 1970, None where it is not known; `ignored` the number of events by
    reason; `unreadable` that of counters which hold something else.
    """

    name: str
    visitors: Mapping[str, Count]
    goals: Mapping[str, Mapping[str, Count]]
    since: int | None = None
    ignored: Mapping[str, int] = field(default_factory=dict)
    unreadable: int = 0


@dataclass(frozen=True)
class NamespaceCounts:
    """What a namespace holds; `ignored` are events of experiments that it does not know, by reason."""

    experiments: tuple[Counted, ...]
    ignored: Mapping[str, int]


@dataclass(frozen=True)
class Variant:
    """All that is known of one variant under one goal. `comparison` is None for the control, which is compared with nobody.

    `best` is the probability of being so among the variants that have visitors, None without another; `beats_control` is None
    too where the control has no visitors, and for the control itself.
    """

    arm: Arm
    rate: Estimate
    beats_control: float | None
    best: float | None
    comparison: Comparison | None

    @property
    def is_control(self) -> bool:
        return self.comparison is None


@dataclass(frozen=True)
class Goal:
    """One goal of an experiment; `control` is one of `arms`. The figures are worked out when they are first asked for."""

    name: str
    arms: tuple[Arm, ...]
    control: Arm
    confidence: float

    @cached_property
    def verdict(self) -> Verdict:
        return verdict(self.arms, self.control, self.confidence)

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """The figures of every variant, the control first, the others by name."""
        compared = {
            comparison.arm.name: comparison
            for comparison in stats.compare(self.arms, self.control, self.confidence)
        }
        seen = [arm for arm in self.arms if arm.visitors.value]
        # Nothing is known of a variant without visitors, which makes it the likely best of all: it is left out.
        chances = posterior.chances(seen, seen[0]) if len(seen) > 1 else ()
        chance_of = {arm.name: chance for arm, chance in zip(seen, chances, strict=False)}
        variants = []
        for arm in self.arms:
            chance, comparison = chance_of.get(arm.name), compared.get(arm.name)
            beats_control = (
                chance.beats_control
                if chance and comparison and self.control.visitors.value
                else None
            )
            rate = stats.rate(arm, self.confidence)
            variants.append(
                Variant(arm, rate, beats_control, chance.best if chance else None, comparison)
            )
        return tuple(variants)

    @property
    def is_conversion(self) -> bool:
        """False where there are more goals than visitors: then show `arm.per_visitor`, and no percentage."""
        return all(arm.is_conversion for arm in self.arms)

    @property
    def widening(self) -> float:
        """How much wider counting noise makes the widest interval of a rate: 0.05 is by 5%."""
        return max((arm.widening for arm in self.arms), default=0.0)


@dataclass(frozen=True)
class Experiment:
    """An experiment with its statistics. `arms` are its variants, the control first, the others by name, without conversions.

    `split` has its shares in the order of `arms`. `since`, `ignored` and `unreadable` are as counted.
    """

    name: str
    since: int | None
    ignored: Mapping[str, int]
    unreadable: int
    arms: tuple[Arm, ...]
    goals: tuple[Goal, ...]
    split: Split
    confidence: float

    @property
    def control(self) -> Arm | None:
        """The control, None while there is no variant at all."""
        return self.arms[0] if self.arms else None

    @property
    def visitors(self) -> float:
        """The visitors of all variants together."""
        return sum(arm.visitors.value for arm in self.arms)

    @property
    def widening(self) -> float:
        """How much wider counting noise makes the intervals, at most: 0.05 is by 5%."""
        return max((goal.widening for goal in self.goals if goal.is_conversion), default=0.0)

    @cached_property
    def verdicts(self) -> tuple[tuple[str, Verdict], ...]:
        """(goal, its verdict) for every goal. Without goals, one verdict on the visitors, whose goal is ''."""
        if self.goals:
            return tuple((goal.name, goal.verdict) for goal in self.goals)
        return (("", verdict(self.arms, self.arms[0], self.confidence) if self.arms else _NOTHING),)

    @property
    def headline(self) -> tuple[str, Verdict]:
        """The one of `verdicts` that tells most: what cannot be trusted, else a decision, else how far it is."""
        return min(self.verdicts, key=lambda pair: _WEIGHT.index(pair[1].kind))

    @cached_property
    def doubts(self) -> tuple[str, ...]:
        """What speaks against the figures as a whole, a sentence each; a mismatch of the split first."""
        found = []
        if self.split.is_mismatch:
            found.append(self.headline[1].sentence)
        if self.unreadable:
            found.append(f"incomplete: {_some(self.unreadable, 'counter')} cannot be read")
        if lost := self.ignored.get(LIMIT_REACHED):
            found.append(f"incomplete: {_some(lost, 'event')} not counted, a limit was reached")
        return tuple(found)

    @property
    def is_doubtful(self) -> bool:
        """Whether there is something that must be read before any figure."""
        return bool(self.doubts) or not all(goal.is_conversion for goal in self.goals)


_NOTHING = Verdict(Kind.NO_DATA, "no data: no visitor has been counted yet")
_WEIGHT = (
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


def analyse(
    counted: Counted,
    design: Design | None = None,
    confidence: float = 0.95,
    control: str | None = None,
) -> Experiment:
    """Return an experiment with its statistics, beside its entry in the configuration.

    `control` goes before the design's; without either it is the variant named control, original or baseline, else the first by
    name. Variants that only the design knows have no visitors; where it gives weights, a variant without one has weight 0: it is
    left out of the check of the split. Raises NotFound where there is no variant `control`.
    """
    design = design or Design()
    names = _variants(counted, design)
    if control is not None and control not in names:
        raise NotFound(
            f"The experiment {counted.name!r} has no variant {control!r}.", suggest(control, names)
        )
    first = control or design.control or usual_control(names)
    names.sort(key=lambda name: name != first)

    def arms(conversions: Mapping[str, Count]) -> tuple[Arm, ...]:
        return tuple(
            Arm(
                name,
                counted.visitors.get(name, Count()),
                conversions.get(name, Count()),
                _weight(name, design),
            )
            for name in names
        )

    variants = arms({})
    goals = [(goal, arms(conversions)) for goal, conversions in counted.goals.items() if names]
    return Experiment(
        counted.name,
        counted.since,
        counted.ignored,
        counted.unreadable,
        variants,
        tuple(Goal(goal, converted, converted[0], confidence) for goal, converted in goals),
        stats.split(variants),
        confidence,
    )


def analyse_all(
    answer: NamespaceCounts,
    designs: Mapping[str, Design],
    confidence: float = 0.95,
    control: str | None = None,
) -> tuple[Experiment, ...]:
    """Return all experiments with their statistics, those that cannot be trusted first, else in the order of the answer.

    `control` is used where there is such a variant. Raises GimelError where no experiment has it.
    """
    found, all_names = [], set()
    for counted in answer.experiments:
        design = designs.get(counted.name, Design())
        names = _variants(counted, design)
        all_names.update(names)
        found.append(analyse(counted, design, confidence, control if control in names else None))
    if control is not None and found and control not in all_names:
        raise GimelError(
            f"No experiment has a variant {control!r}.", suggest(control, sorted(all_names))
        )
    return tuple(sorted(found, key=lambda experiment: not experiment.is_doubtful))


def find(answer: NamespaceCounts, name: str, namespace: str) -> Counted:
    """Return the experiment of that name. Raises NotFound with the nearest names, or saying that the namespace is empty."""
    require_some(answer, namespace)
    for experiment in answer.experiments:
        if experiment.name == name:
            return experiment
    names = [experiment.name for experiment in answer.experiments]
    raise NotFound(
        f"There is no experiment {name!r} in the namespace {namespace!r}.", suggest(name, names)
    )


def require_some(answer: NamespaceCounts, namespace: str) -> None:
    """Raise NotFound where the namespace is empty."""
    if not answer.experiments:
        raise NotFound(
            f"There is no experiment in the namespace {namespace!r}.",
            "It is there once an event came in. Is the namespace the one that the page sends? See --namespace.",
        )


def usual_control(names: Iterable[str]) -> str | None:
    """Return the variant that is the control where nothing else is said; None without variants."""
    ordered = sorted(names)
    for usual in CONTROL_NAMES:
        for name in ordered:
            if name.casefold() == usual:
                return name
    return ordered[0] if ordered else None


def _variants(counted: Counted, design: Design) -> list[str]:
    """Return the variants by name. An experiment that nobody has seen yet has none, whatever is planned."""
    planned = (
        {*(design.weights or ()), *filter(None, [design.control])} if counted.visitors else set()
    )
    return sorted({*counted.visitors, *planned})


def _weight(variant: str, design: Design) -> float:
    return design.weights.get(variant, 0.0) if design.weights else 1.0


def _some(number: int, of: str) -> str:
    return f"{number:,} {of}" if number == 1 else f"{number:,} {of}s"
