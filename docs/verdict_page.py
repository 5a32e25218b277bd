"""The examples of verdicts.md: what Gimel says about each situation. Cog writes them.

The situations are those of `situations.py` and `situations_over_time.py`.

Nothing in the package imports this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import situations
from situations import BLUE, Situation, Variants
from situations_over_time import OVER_TIME, LaterSituation

from gimel.analysis.counts import Count, ExperimentCounts, Point
from gimel.analysis.design import LIFT_WORTH_DETECTING, Design
from gimel.analysis.experiment import Experiment, analyse
from gimel.analysis.phrases import exact_percent, join_names, pluralize, quote

SITUATIONS: Mapping[str, Sequence[Situation]] = {**situations.SITUATIONS, **OVER_TIME}

_SECONDS_PER_DAY = 86_400
_START = 1_767_225_600  # 1 January 2026
_MINUTES_PER_DAY = 1440
_USUAL_DAYS = 14
_USUAL_PRECISION = "16"


def examples() -> str:
    """Return every situation as Markdown, under the headings of their groups."""
    parts = []
    for group, members in SITUATIONS.items():
        parts.append(f"### {group}")
        parts += [_example(situation) for situation in members]
    return "\n\n".join(parts) + "\n"


def analyse_situation(situation: Situation) -> Experiment:
    """Return the experiment of a situation with its statistics."""
    earlier = situation.earlier if isinstance(situation, LaterSituation) else {}
    now = _point(situation.days or 0, situation.variants, situation.precision)
    counts = ExperimentCounts(
        situation.title,
        now.visitors,
        now.goals,
        None if situation.days is None else _START,
        history=tuple(
            _point(day, variants, situation.precision) for day, variants in earlier.items()
        ),
    )
    exact_now = _START + (situation.days or 0) * _SECONDS_PER_DAY
    return analyse(counts, situation.design, now=exact_now)


def _point(day: float, variants: Variants, precision: str) -> Point:
    """Return what was counted until a day."""

    def count(number: float) -> Count:
        return Count.from_parts({precision: number})

    goals = sorted({goal for _, conversions in variants.values() for goal in conversions})
    return Point(
        round(_START + day * _SECONDS_PER_DAY),
        {name: count(visitors) for name, (visitors, _) in variants.items()},
        {
            goal: {name: count(found.get(goal, 0)) for name, (_, found) in variants.items()}
            for goal in goals
        },
    )


def _example(situation: Situation) -> str:
    """Return a situation: title, counts, what failed, the headline, and goals that add to it."""
    experiment = analyse_situation(situation)
    headline = experiment.headline.sentence
    lines = [f"**{situation.title}**{_context(situation)}. {_counts(situation)}"]
    lines.append("")
    lines += [f"> {each.sentence}\\" for each in experiment.failed]
    lines.append(f"> {headline}")
    more = [goal for goal in experiment.goals if goal.verdict.sentence not in headline]
    if len(experiment.goals) > 1 and more:
        lines += ["", *(f"- {quote(goal.name)}: {goal.verdict.sentence}" for goal in more)]
    return "\n".join(lines)


def _counts(situation: Situation) -> str:
    """Return what was counted: "blue: 20,000 visitors, 1,000 buy; red: ...", of each day."""
    words = _counted(situation.variants)
    if not isinstance(situation, LaterSituation):
        return words
    days = [*situation.earlier.items(), (situation.days or 0, situation.variants)]
    return " ".join(f"Day {day:g}: {_counted(variants)}" for day, variants in days)


def _counted(counted: Variants) -> str:
    variants = []
    for name, (visitors, conversions) in counted.items():
        reached = "".join(f", {number:,.0f} {goal}" for goal, number in conversions.items())
        variants.append(f"{name}: {pluralize(visitors, 'visitor')}{reached}")
    return f"{'; '.join(variants) or 'No visitors'}."


def _context(situation: Situation) -> str:
    """Return what differs from the usual: " (day 3; lift worth detecting 5%)", '' if nothing."""
    parts = []
    days = situation.days
    if days is None:
        parts.append("start unknown")
    elif days < 1:
        parts.append(f"after {days * _MINUTES_PER_DAY:.0f} minutes")
    elif days != _USUAL_DAYS and not isinstance(situation, LaterSituation):
        parts.append(f"day {days:g}")
    parts += _design(situation.design)
    if situation.precision == "exact":
        parts.append("counted exactly")
    elif situation.precision != _USUAL_PRECISION:
        parts.append(f"precision {situation.precision}")
    return f" ({'; '.join(parts)})" if parts else ""


def _design(design: Design) -> Iterator[str]:
    """Yield what a design says beyond the defaults."""
    if design.control is None:
        yield "no control set"
    elif design.control != BLUE.control:
        yield f"control {design.control}"
    if design.weights:
        weights = [f"{name} {weight:g}" for name, weight in design.weights.items()]
        yield f"weights {', '.join(weights)}"
    if design.goal:
        yield f"primary goal {design.goal}"
    if design.guardrails:
        yield f"guardrails {join_names(sorted(design.guardrails))}"
    if design.decrease:
        yield f"lower is better for {join_names(sorted(design.decrease))}"
    if design.lift != LIFT_WORTH_DETECTING:
        yield f"lift worth detecting {exact_percent(design.lift)}"
    if design.visitors:
        yield f"{design.visitors:,} visitors planned"
