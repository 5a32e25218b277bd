"""The tables of an experiment as strings, the same in the terminal and on pages.

Knows which figures belong together and how each is written, and nothing of layout.
"""

from __future__ import annotations

from dataclasses import dataclass

from gimel.analysis.counts import EXACT, Arm
from gimel.analysis.experiment import Experiment, Goal, Variant
from gimel.analysis.stats import Comparison
from gimel.report.figures import (
    MISSING,
    decimal_places,
    format_count,
    format_interval,
    format_p_value,
    format_probability,
    visible,
)

ALWAYS_VALID_LIFT = "always-valid lift, %"


@dataclass(frozen=True)
class Table:
    """A table of strings. The first column has the names of the rows, the others have figures.

    Attributes:
        caption: What the table is about.
        columns: The headers, one per column.
        rows: The cells, as many per row as there are columns.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def drop(self, column: str) -> Table:
        """Return the table without a column."""
        index = self.columns.index(column)
        rows = tuple(row[:index] + row[index + 1 :] for row in self.rows)
        return Table(self.caption, self.columns[:index] + self.columns[index + 1 :], rows)


def participants(experiment: Experiment) -> Table:
    """Return the visitors of each variant with their counting error and the split."""
    split = experiment.split
    rows = []
    for arm, *shares in zip(experiment.arms, split.observed, split.expected, strict=True):
        formatted = [f"{100 * share:.1f}%" if arm.weight else MISSING for share in shares]
        visitors = format_count(arm.visitors.value)
        rows.append((visible(arm.name), visitors, _counting_error(arm), *formatted))
    columns = ("variant", "visitors", "counting error", "share", "expected")
    return Table("Visitors of each variant", columns, tuple(rows))


def rates(goal: Goal) -> Table:
    """Return the conversion rate of each variant, with its interval and its chance to be best."""
    seen = [variant.rate for variant in goal.variants if variant.arm.visitors.value]
    places = decimal_places(seen)
    rows = []
    for variant in goal.variants:
        arm = variant.arm
        rate = format_interval(variant.rate, places) if arm.visitors.value else (MISSING, MISSING)
        counts = format_count(arm.visitors.value), format_count(arm.conversions.value)
        rows.append((visible(arm.name), *counts, *rate, format_probability(variant.best)))
    interval = f"{100 * goal.confidence:g}% interval"
    columns = ("variant", "visitors", "conversions", "rate, %", interval, "P(best)")
    return Table(f"Rate of {visible(goal.name)}", columns, tuple(rows))


def comparisons(goal: Goal) -> Table:
    """Return the comparison of each variant with the control."""
    found = [variant.comparison for variant in goal.variants if variant.comparison]
    difference_places = decimal_places(comparison.difference for comparison in found)
    lift_places = decimal_places(comparison.lift for comparison in found if comparison.lift)
    anytime_lifts = [comparison.anytime_lift for comparison in found if comparison.anytime_lift]
    anytime_places = decimal_places(anytime_lifts)

    def cells(variant: Variant, comparison: Comparison) -> tuple[str, ...]:
        if not variant.arm.visitors.value or not goal.control.visitors.value:
            return (MISSING,) * 5
        lift, anytime_lift = MISSING, MISSING
        if comparison.lift and comparison.anytime_lift:
            lift = " ".join(format_interval(comparison.lift, lift_places, sign=True))
            _, anytime_lift = format_interval(comparison.anytime_lift, anytime_places, sign=True)
        return (
            " ".join(format_interval(comparison.difference, difference_places, sign=True)),
            lift,
            format_p_value(comparison.p_adjusted),
            format_probability(variant.beats_control),
            anytime_lift,
        )

    columns = (
        "variant",
        "difference, points",
        "lift, %",
        "p (Holm)",
        "P(beats control)",
        ALWAYS_VALID_LIFT,
    )
    caption = f"{visible(goal.name)}: comparison with {visible(goal.control.name)}"
    rows = tuple(
        (visible(variant.arm.name), *cells(variant, variant.comparison))
        for variant in goal.variants
        if variant.comparison
    )
    return Table(caption, columns, rows)


def goals_per_visitor(goal: Goal) -> Table:
    """Return how often each variant's visitors reached a goal that is not unique per visitor."""
    rows = tuple(
        (
            visible(arm.name),
            format_count(arm.visitors.value),
            format_count(arm.conversions.value),
            f"{arm.per_visitor:,.2f}" if arm.visitors.value else MISSING,
        )
        for arm in goal.arms
    )
    columns = ("variant", "visitors", "goals", "goals per visitor")
    return Table(f"Goals per visitor of {visible(goal.name)}", columns, rows)


def _counting_error(arm: Arm) -> str:
    if not arm.visitors.value:
        return MISSING
    return "exact" if arm.visitors.precision == EXACT else format_count(arm.visitors.error)
