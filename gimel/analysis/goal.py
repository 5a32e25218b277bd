"""One goal of an experiment: its verdict, and the figures of every variant."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from gimel.analysis import posterior, stats
from gimel.analysis.case import Case
from gimel.analysis.comparison import Comparison
from gimel.analysis.counts import Arm
from gimel.analysis.decision import decide
from gimel.analysis.design import Role
from gimel.analysis.looks import Earlier
from gimel.analysis.novelty import Novelty, find_novelty
from gimel.analysis.stats import Estimate
from gimel.analysis.timeline import GoalMoment, goal_moments
from gimel.analysis.verdict import Verdict


@dataclass(frozen=True)
class Variant:
    """The figures of one variant under one goal.

    Attributes:
        arm: Its counts.
        comparison: The comparison with the control; None for the control itself.
        rate: Its conversion rate with the fixed-horizon interval; 0 to 1 without visitors.
        beats_control: The probability that its rate is better than the control's. None for the
            control itself, and while either has no visitors.
        best: The probability that its rate is the best of all variants with visitors. None while
            it has no visitors, or no other variant has any.
    """

    arm: Arm
    comparison: Comparison | None
    rate: Estimate
    beats_control: float | None
    best: float | None

    @property
    def is_control(self) -> bool:
        """Whether the other variants are compared with this one."""
        return self.comparison is None


@dataclass(frozen=True)
class Goal:
    """One goal of an experiment.

    Attributes:
        name: The goal's name.
        case: The variants under this goal, and what its verdict rests on.
        confidence: The confidence level of every interval.
        past: The variants under this goal at earlier times.
    """

    name: str
    case: Case
    confidence: float
    past: tuple[Earlier, ...] = field(default=(), repr=False)

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The variants under this goal: the control first, the others by name."""
        return self.case.arms

    @property
    def control(self) -> Arm:
        """The variant that the others are compared with."""
        return self.case.control

    @property
    def role(self) -> Role:
        """What the goal is for."""
        return self.case.role

    @property
    def is_decrease(self) -> bool:
        """Whether fewer conversions are better."""
        return bool(self.case.comparisons) and self.case.comparisons[0].question.is_decrease

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict on this goal."""
        return decide(self.case)

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """The figures of every variant, in the order of `arms`."""
        comparisons = {each.arm.name: each for each in self.case.comparisons}
        chances = self._chances()
        variants = []
        for arm in self.arms:
            chance, comparison = chances.get(arm.name), comparisons.get(arm.name)
            beats_control = chance.beats_control if chance and comparison else None
            variants.append(
                Variant(
                    arm,
                    comparison,
                    stats.rate(arm, self.confidence),
                    beats_control if self.control.visitors.value else None,
                    chance.best if chance else None,
                )
            )
        return tuple(variants)

    @cached_property
    def moments(self) -> tuple[GoalMoment, ...]:
        """What was known at each recorded time; the last one is now.

        At most 120 times are described; the first and that of the verdict are among them.
        """
        return goal_moments(self.case, self.past, self.confidence, self.verdict.reached)

    @cached_property
    def novelty(self) -> Novelty | None:
        """A clear change of a lift from the first half of the visitors to the second."""
        return find_novelty(self.case, self.past)

    def _chances(self) -> dict[str, posterior.Chance]:
        """Return the chances of the variants that have visitors, if there are at least two.

        Nothing is known of a variant without visitors. Its flat posterior would make it the likely
        best of all.
        """
        seen = [arm for arm in self.arms if arm.visitors.value]
        if len(seen) < 2:
            return {}
        found = posterior.chances(seen, seen[0], is_decrease=self.is_decrease)
        return {arm.name: chance for arm, chance in zip(seen, found, strict=True)}

    @property
    def is_conversion(self) -> bool:
        """False if there are more goals than visitors: show `arm.per_visitor` instead of a rate."""
        return self.case.is_conversion

    @property
    def widening(self) -> float:
        """How much counting noise widens the widest interval of a rate: 0.05 means by 5%."""
        return max((arm.widening for arm in self.arms), default=0.0)
