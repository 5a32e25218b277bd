"""What a verdict on one goal rests on: its comparisons, and what is true beside them.

Decides nothing: `gimel.analysis.decision` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from gimel.analysis import sentences
from gimel.analysis.comparison import Comparison
from gimel.analysis.counts import Arm
from gimel.analysis.design import Role
from gimel.analysis.forecast import Progress
from gimel.analysis.phrases import quote


@dataclass(frozen=True)
class Case:
    """What a verdict on one goal rests on.

    Attributes:
        control: The control.
        comparisons: The comparison of every other variant with it.
        role: What the goal is for.
        progress: How far the experiment has come.
        control_is_guess: Whether the control was chosen only because it is first by name.
        failed: The variants that failed for many visitors, who saw the control instead.
        better_elsewhere: The variants that are better under another goal of the same importance,
            with the time since which that is known.
        worse_elsewhere: Likewise, those that are worse under another goal that may decide.
        guardrails: What the verdicts on the guardrails of a primary goal rest on, by name.
        now: The time of the counts, in seconds since 1970.
        mismatch_since: The time at which a split mismatch began; None if it was always there.
    """

    control: Arm
    comparisons: tuple[Comparison, ...]
    role: Role
    progress: Progress
    control_is_guess: bool = False
    failed: tuple[str, ...] = ()
    better_elsewhere: Mapping[str, int] = field(default_factory=dict)
    worse_elsewhere: Mapping[str, int] = field(default_factory=dict)
    guardrails: Mapping[str, Case] = field(default_factory=dict)
    now: int = 0
    mismatch_since: int | None = None

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The variants: the control first."""
        return (self.control, *(comparison.arm for comparison in self.comparisons))

    @cached_property
    def judged(self) -> tuple[Comparison, ...]:
        """The comparisons that the verdict is about: of variants with visitors and a weight."""
        return tuple(each for each in self.comparisons if each.has_visitors and each.arm.weight)

    @property
    def is_conversion(self) -> bool:
        """Whether the goal can be a conversion: no variant has more goals than visitors."""
        return all(arm.is_conversion for arm in self.arms)

    @property
    def is_guardrail(self) -> bool:
        """Whether the goal must not get worse."""
        return self.role is Role.GUARDRAIL

    def decided(self, direction: int) -> dict[str, int]:
        """Return the variants that are better (1) or worse (-1) than the control.

        The values are the times since which that is known.
        """
        return {
            each.arm.name: self.now if each.decided_at is None else each.decided_at
            for each in self.judged
            if each.direction == direction
        }

    @property
    def lift(self) -> float:
        """The lift worth detecting."""
        return self.comparisons[0].question.lift

    @property
    def over(self) -> str:
        """The control as it is called in a comparison."""
        guess = ", the assumed control" if self.control_is_guess else ""
        return f"{quote(self.control.name)}{guess}"


def describe(case: Case, direction: int) -> str:
    """Return which variants are better (1) or worse (-1) than the control, and by how much."""
    return "; ".join(
        f"{quote(each.arm.name)} {sentences.effect(each, case.over)}"
        for each in case.judged
        if each.direction == direction
    )
