"""Made-up experiments: their counts alone, and what the analysis makes of them."""

from __future__ import annotations

from collections.abc import Mapping

from gimel.analysis.counts import Count, ExperimentCounts
from gimel.analysis.design import Design
from gimel.analysis.experiment import Experiment, analyse
from gimel.analysis.verdict import Verdict

SECONDS_PER_DAY = 86_400

Variants = Mapping[str, tuple[float, Mapping[str, float]]]


def experiment(
    variants: Variants,
    design: Design | None = None,
    *,
    days: float | None = 14,
    precision: str = "16",
    confidence: float = 0.95,
    control: str | None = None,
) -> Experiment:
    """Return an experiment: for each variant its visitors and its conversions by goal.

    It began `days` ago; None if nobody knows when. `precision` is that of all counters, or "exact".
    """
    goals = sorted({goal for _, conversions in variants.values() for goal in conversions})
    counts = ExperimentCounts(
        "e",
        {name: Count.from_parts({precision: visitors}) for name, (visitors, _) in variants.items()},
        {
            goal: {
                name: Count.from_parts({precision: conversions.get(goal, 0)})
                for name, (_, conversions) in variants.items()
            }
            for goal in goals
        },
        None if days is None else 0,
    )
    now = (days or 0) * SECONDS_PER_DAY
    return analyse(counts, design, now=now, confidence=confidence, control=control)


def pair(
    blue: tuple[float, float], red: tuple[float, float], *, goal: str = "buy"
) -> dict[str, tuple[float, dict[str, float]]]:
    """Return two variants with one goal: visitors and conversions of each."""
    return {"blue": (blue[0], {goal: blue[1]}), "red": (red[0], {goal: red[1]})}


def verdict(variants: Variants, design: Design | None = None, **more: object) -> Verdict:
    """Return the verdict on the only goal of an experiment."""
    (goal,) = experiment(variants, design, **more).goals  # type: ignore[arg-type]
    return goal.verdict
