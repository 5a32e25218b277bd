"""The headline: the verdict on an experiment as a whole, from those on its goals.

It speaks of the primary goal. What is harmed comes before any praise, and the goals that it does
not speak of are counted by state, so that none is hidden.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from gimel.analysis.case import describe
from gimel.analysis.decision import SAFE
from gimel.analysis.design import Role
from gimel.analysis.goal import Goal
from gimel.analysis.phrases import exact_percent, pluralize, quote, quote_names
from gimel.analysis.verdict import Kind, Verdict

_SHARED = (Kind.SPLIT_MISMATCH, Kind.SINGLE_VARIANT)  # true of an experiment as a whole

_ORDER = (
    Kind.WINNER,
    Kind.CONFLICT,
    Kind.CONTROL_WINS,
    Kind.AHEAD,
    Kind.SMALL_DIFFERENCE,
    Kind.TOO_EARLY,
    Kind.TOO_NOISY,
    Kind.NO_DIFFERENCE,  # last: the experiment is not over while another goal is undecided
    Kind.NO_CONVERSIONS,
    Kind.NOT_A_CONVERSION,
    Kind.NO_DATA,
)

_UNDECIDED = "could be better or worse"
_OPEN = "harm not ruled out yet"


def summarize(goals: Sequence[Goal], primary: str | None, visitors: float) -> Verdict:
    """Return the verdict on an experiment with these goals, at least one.

    `primary` is the name of the primary goal, None if all are equal; `visitors` are those of all
    variants together.
    """
    for goal in goals:
        if goal.verdict.kind in _SHARED:
            return goal.verdict
    if all(goal.verdict.kind is Kind.NO_DATA for goal in goals):
        return goals[0].verdict
    if primary is None:
        return _of_equals(goals)
    return _of_primary(primary, goals, visitors)


def _of_primary(name: str, goals: Sequence[Goal], visitors: float) -> Verdict:
    primary = next((goal for goal in goals if goal.role is Role.PRIMARY), None)
    verdict = primary.verdict if primary else _not_counted(goals, visitors)
    sentence = f"{quote(name)}: {verdict.sentence}"
    harmed = [goal for goal in goals if goal.verdict.kind is Kind.HARMED]
    if primary and verdict.kind is Kind.CONFLICT:
        found = describe(primary.case, 1)
        sentence = f"On {quote(name)}, {found}. Weigh these against each other before you choose."
    elif harmed and verdict.kind not in (Kind.WINNER, Kind.CONTROL_WINS):
        reached = [goal.verdict.reached for goal in harmed if goal.verdict.reached is not None]
        verdict = replace(verdict, kind=Kind.HARMED, reached=min(reached, default=None))
        sentence = sentence.removesuffix(f" {SAFE}")
    warning = "".join(
        f"Guardrail {quote(goal.name)} is harmed: {describe(goal.case, -1)}. " for goal in harmed
    )
    is_open = verdict.open_guardrails
    others = [goal for goal in goals if goal not in (primary, *harmed) and goal.name not in is_open]
    more = _count(others, bool(harmed or is_open))
    return replace(verdict, goal=name, sentence=f"{warning}{sentence}{more}")


def _not_counted(goals: Sequence[Goal], visitors: float) -> Verdict:
    """Return the verdict on a primary goal that nobody reached: its name may be wrong."""
    counted = quote_names(goal.name for goal in goals)
    sentence = (
        f"No conversions yet among {pluralize(visitors, 'visitor')}. Check that the page and"
        f" config.json use the same name for the primary goal (counted: {counted})."
    )
    return Verdict(Kind.NO_CONVERSIONS, sentence)


def _of_equals(goals: Sequence[Goal]) -> Verdict:
    """Return the verdict if no goal is primary: any of them may decide, and any may be harmed."""
    chosen = min(goals, key=lambda goal: _ORDER.index(goal.verdict.kind))
    verdict = chosen.verdict
    if verdict.kind is Kind.CONFLICT:
        return replace(verdict, sentence=_conflict(goals))
    harmed = [goal for goal in goals if goal.verdict.worse and goal is not chosen]
    warning = "".join(f"On {quote(goal.name)}, {describe(goal.case, -1)}. " for goal in harmed)
    others = [goal for goal in goals if goal is not chosen and goal not in harmed]
    sentence = f"{warning}{quote(chosen.name)}: {verdict.sentence}{_count(others)}"
    return replace(verdict, goal=chosen.name, sentence=sentence)


def _conflict(goals: Sequence[Goal]) -> str:
    """Return that every winner loses under another goal; what is worse comes first."""
    worse = [goal for goal in goals if goal.verdict.worse]
    better = [goal for goal in goals if goal.verdict.better]
    found = [f"on {quote(goal.name)}, {describe(goal.case, -1)}" for goal in worse]
    found += [f"on {quote(goal.name)}, {describe(goal.case, 1)}" for goal in better]
    others = [goal for goal in goals if goal not in worse and goal not in better]
    return (
        f"Mixed result: {'; '.join(found)}. Choose the goal that decides: name it in"
        f" config.json, as the goal of this experiment.{_count(others)}"
    )


def _count(goals: Sequence[Goal], has_named: bool = False) -> str:
    """Return how many other goals there are and in which state; '' without any.

    `has_named` if a guardrail was named before.
    """
    parts = []
    for noun, roles in (
        ("other guardrail" if has_named else "guardrail", (Role.GUARDRAIL,)),
        ("secondary goal", (Role.SECONDARY,)),
        ("other goal", (Role.PRIMARY, Role.EQUAL)),
    ):
        group = [goal for goal in goals if goal.role in roles]
        if group:
            counts = Counter(map(_state, group))
            states = ", ".join(f"{number} {_in_list(state)}" for state, number in counts.items())
            if len(counts) == 1:
                (states,) = counts
            parts.append(f" {pluralize(len(group), noun)}: {states}.")
    return "".join(parts)


def _in_list(state: str) -> str:
    """Return a state after a number: "1 better", "1 with harm not ruled out yet"."""
    return f"with {state}" if state.startswith(("harm ", "no ", "later ")) else state


def _state(goal: Goal) -> str:
    verdict, lift = goal.verdict, exact_percent(goal.case.lift) if goal.case.comparisons else ""
    if verdict.disagrees and verdict.kind is not Kind.NO_VERDICT:
        return "later data that disagrees"
    if verdict.better and verdict.worse:
        return "mixed"
    if verdict.better:
        return "better"
    if verdict.worse:
        return "worse"
    states = {
        Kind.NO_DATA: "no visitors",
        Kind.NO_CONVERSIONS: "no conversions",
        Kind.NOT_A_CONVERSION: "not a conversion",
        Kind.NO_DIFFERENCE: f"no difference of {lift} or more",
        Kind.NOT_HARMED: f"no harm of {lift} or more",
    }
    if goal.role is Role.GUARDRAIL:
        states[Kind.SMALL_DIFFERENCE] = f"leaning worse by under {lift}"
        states[Kind.TOO_EARLY] = _OPEN
    return states.get(verdict.kind, _UNDECIDED)
