"""The goals of an experiment, each with what its verdict rests on, from the counts of its variants.

The goals of one role share the error, and a goal that may decide needs to know the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gimel.analysis.case import Case
from gimel.analysis.comparison import Question, compare
from gimel.analysis.counts import Arm, Count, Point
from gimel.analysis.design import Design, Role
from gimel.analysis.goal import Goal
from gimel.analysis.looks import Earlier, Look
from gimel.analysis.shares import is_mismatch

_ROLES = tuple(Role)  # in the order in which the goals are shown
_SECONDS_PER_DAY = 86_400


@dataclass(frozen=True)
class Lineup:
    """The variants of an experiment: the control first, the others by name.

    Attributes:
        names: Their names.
        design: The design, which has their weights.
    """

    names: tuple[str, ...]
    design: Design

    def arms(
        self, visitors: Mapping[str, Count], conversions: Mapping[str, Count] | None = None
    ) -> tuple[Arm, ...]:
        """Return the variants with their counts; one that was not counted has none."""
        found = conversions or {}
        return tuple(
            Arm(
                name,
                visitors.get(name, Count()),
                found.get(name, Count()),
                self.design.weight(name),
            )
            for name in self.names
        )

    def earlier(
        self, history: Sequence[Point], since: int | None, now: int
    ) -> Iterator[tuple[Point, Earlier]]:
        """Yield the points of a history from `since` until now, with the arms of each."""
        minimum = self.design.minimum_days * _SECONDS_PER_DAY
        for point in history:
            if point.time >= now or (since is not None and point.time < since):
                continue
            arms = self.arms(point.visitors)
            is_trusted = not is_mismatch(arms)
            is_young = since is not None and point.time - since < minimum
            yield point, Earlier(point.time, arms, is_trusted, is_young)


def analyse_goals(
    lineup: Lineup,
    arms_by_goal: Mapping[str, tuple[Arm, ...]],
    earlier: Sequence[tuple[Point, Earlier]],
    frame: Case,
    confidence: float,
) -> tuple[Goal, ...]:
    """Return the goals with their comparisons, by role and name; a role's goals share the error.

    `frame` has what is true under every goal.
    """
    design = lineup.design
    families = Counter(
        design.role(goal)
        for goal, arms in arms_by_goal.items()
        if all(arm.is_conversion for arm in arms)
    )
    cases: dict[str, Case] = {}
    past: dict[str, tuple[Earlier, ...]] = {}
    for goal, arms in arms_by_goal.items():
        role = design.role(goal)
        question = Question(
            confidence,
            families[role],
            design.lift,
            goal in design.decrease,
            role is Role.GUARDRAIL,
        )
        past[goal] = tuple(
            replace(each, arms=lineup.arms(point.visitors, point.goals.get(goal)))
            for point, each in earlier
        )
        looks = _looks(arms, past[goal], role, frame.now)
        comparisons = compare(arms[0], arms[1:], question, looks)
        cases[goal] = replace(frame, control=arms[0], comparisons=comparisons, role=role)
    goals = [Goal(goal, _among(goal, cases), confidence, past[goal]) for goal in cases]
    return tuple(sorted(goals, key=lambda goal: _ROLES.index(goal.role)))


def _looks(
    arms: Sequence[Arm], past: Sequence[Earlier], role: Role, now: int
) -> list[tuple[Look, ...]]:
    """Return the looks at each variant beside the control, by time; the last one is now.

    Looks before the minimum days count for guardrails alone, since harm is reported at once: other
    verdicts wait, because the visitors of a few days differ from those of a whole week. A look that
    could not be trusted does not count.
    """
    counted = [each for each in past if each.counts(is_guardrail=role is Role.GUARDRAIL)]
    stages = [*((each.time, each.arms) for each in counted), (now, tuple(arms))]
    return [
        tuple(
            Look(time, control, others[index])
            for time, (control, *others) in stages
            if control.visitors.value and others[index].visitors.value
        )
        for index in range(len(arms) - 1)
    ]


def _among(goal: str, cases: Mapping[str, Case]) -> Case:
    """Return the case of a goal with what it must know of the others."""
    case = cases[goal]
    others = {name: each for name, each in cases.items() if name != goal and each.is_conversion}
    if case.role is Role.EQUAL:
        equals = [each for each in others.values() if each.role is Role.EQUAL]
        return replace(
            case, better_elsewhere=_decided(equals, 1), worse_elsewhere=_decided(equals, -1)
        )
    if case.role is Role.PRIMARY:
        guardrails = {name: each for name, each in cases.items() if each.is_guardrail}
        harmed = [each for each in others.values() if each.is_guardrail]
        return replace(case, worse_elsewhere=_decided(harmed, -1), guardrails=guardrails)
    return case


def _decided(cases: Sequence[Case], direction: int) -> dict[str, int]:
    """Return the variants that are better or worse under any goal, with the time of the first."""
    found: dict[str, int] = {}
    for case in cases:
        for name, time in case.decided(direction).items():
            found[name] = min(time, found.get(name, time))
    return found
