"""How an experiment was designed: what the counts alone do not say.

The design decides which goals the headline looks at and how they share the error. It does not
assign visitors to variants: the page does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

LIFT_WORTH_DETECTING = 0.1
MINIMUM_DAYS = 7

_CONTROL_NAMES = (
    *("control", "original", "baseline", "old", "current", "default", "off"),
    *("a", "0"),
)


class Role(Enum):
    """What a goal is for.

    Without a primary goal every goal is an `EQUAL`, and all of them share the error.
    """

    PRIMARY = "primary"
    GUARDRAIL = "guardrail"
    SECONDARY = "secondary"
    EQUAL = "equal"


@dataclass(frozen=True)
class Design:
    """The design of one experiment.

    Attributes:
        control: The variant that the others are compared with. None: it is chosen by its name.
        weights: The expected split, in any unit. None: equal shares.
        goal: The primary goal, which decides. None: all goals are equal.
        guardrails: Goals that must not get worse.
        decrease: Goals of which fewer are better.
        lift: The lift worth detecting, a share of 1. Above a rate of 50%, that of the failures.
        minimum_days: Days before which no variant is declared the winner.
        visitors: Planned visitors of all variants together; None if there is no plan.
    """

    control: str | None = None
    weights: Mapping[str, float] | None = None
    goal: str | None = None
    guardrails: Collection[str] = ()
    decrease: Collection[str] = ()
    lift: float = LIFT_WORTH_DETECTING
    minimum_days: int = MINIMUM_DAYS
    visitors: int | None = None

    def variants(self, counted: Collection[str]) -> list[str]:
        """Return the names of all variants, those counted and those designed, in order.

        Before the first visitor the list is empty, whatever the design says.
        """
        if not counted:
            return []
        return sorted({*counted, *(self.weights or ()), *filter(None, [self.control])})

    def weight(self, variant: str) -> float:
        """Return the weight of a variant: 1 without weights, 0 for a variant without one."""
        return self.weights.get(variant, 0.0) if self.weights else 1.0

    def role(self, goal: str) -> Role:
        """Return what a goal is for."""
        if self.goal is None:
            return Role.EQUAL
        if goal == self.goal:
            return Role.PRIMARY
        return Role.GUARDRAIL if goal in self.guardrails else Role.SECONDARY


def default_control(names: Iterable[str]) -> tuple[str | None, bool]:
    """Return the variant that is the control by its name, and whether that is only a guess.

    It is the first of control, original, baseline, old, current, default, off, a and 0, in any
    case. Without one of these it is the first by name: a guess. None without variants.
    """
    ordered = sorted(names)
    for usual in _CONTROL_NAMES:
        for name in ordered:
            if name.casefold() == usual:
                return name, False
    return (ordered[0], True) if ordered else (None, False)
