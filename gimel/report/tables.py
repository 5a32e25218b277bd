"""The tables of an experiment as strings, the same in the terminal and on pages.

Knows which figures belong together and how each is written, and nothing of layout.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gimel.analysis.counts import EXACT, Arm
from gimel.analysis.experiment import Experiment
from gimel.analysis.goal import Goal, Variant
from gimel.analysis.mixture import Lift
from gimel.analysis.stats import Estimate
from gimel.report.figures import (
    MISSING,
    decimal_places,
    decimal_places_of_lifts,
    format_count,
    format_interval,
    format_lift,
    format_p_value,
    format_percent,
    format_probability,
    visible,
    with_unit,
)
from gimel.report.wording import name_of

_PERCENT, _INTERVAL = ", %", "% interval"  # end the headers of percentages


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

    def with_units(self) -> Table:
        """Return the table with "%" in the cells of percentages rather than in their headers."""
        are_percent = [header.endswith((_PERCENT, _INTERVAL)) for header in self.columns]
        rows = tuple(
            tuple(
                with_unit(cell) if is_percent else cell
                for is_percent, cell in zip(are_percent, row, strict=True)
            )
            for row in self.rows
        )
        columns = tuple(header.removesuffix(_PERCENT) for header in self.columns)
        return Table(self.caption, columns, rows)


def participants(experiment: Experiment) -> Table:
    """Return the visitors of each variant with their counting error and the split.

    One variant alone has no split.
    """
    split = experiment.split
    rows = []
    for arm, *shares in zip(experiment.arms, split.observed, split.expected, strict=True):
        formatted = [f"{100 * share:.1f}%" if arm.weight else MISSING for share in shares]
        visitors = format_count(arm.visitors.value)
        name = name_of(arm, experiment.arms, experiment.control_is_guess)
        rows.append((name, visitors, _counting_error(arm), *formatted))
    columns = ("variant", "visitors", "counting error", "share", "expected split")
    table = Table("Visitors of each variant", columns, tuple(rows))
    return table if len(rows) > 1 else table.drop("share").drop("expected split")


def lifts(goal: Goal) -> Table:
    """Return the rate of each variant, and its lift over the control with the interval."""
    rate_places = decimal_places(_seen_rates(goal))
    places = decimal_places_of_lifts(
        variant.comparison.lift for variant in goal.variants if variant.comparison
    )
    rows = []
    for variant in goal.variants:
        arm, comparison = variant.arm, variant.comparison
        cells = [MISSING, MISSING, MISSING]
        if arm.visitors.value:
            cells[0] = format_percent(arm.rate, rate_places)
        if comparison and comparison.has_visitors:
            cells[1:] = format_lift(comparison.lift, places)
        counts = format_count(arm.visitors.value), format_count(arm.conversions.value)
        rows.append((_name(goal, arm), *counts, *cells))
    columns = ("variant", "visitors", "conversions", "rate, %", "lift, %", _interval(goal))
    return Table(
        f"{visible(goal.name)}: lift over {visible(goal.control.name)}", columns, tuple(rows)
    )


def rates_alone(goal: Goal) -> Table:
    """Return the counts and the rate of each variant, of data that allow no comparison."""
    table = lifts(goal)
    for column in ("visitors", "lift, %", _interval(goal)):
        table = table.drop(column)
    return table


def rate_words(goal: Goal, arms: Iterable[Arm]) -> list[str]:
    """Return the rates of some variants in percent, with the decimal places of `lifts`."""
    places = decimal_places(_seen_rates(goal))
    return [f"{format_percent(arm.rate, places)}%" for arm in arms]


def rates(goal: Goal) -> Table:
    """Return the fixed-horizon interval of each rate, and the chance of each variant to be best."""
    places = decimal_places(_seen_rates(goal))
    rows = []
    for variant in goal.variants:
        rate = format_interval(variant.rate, places)
        cells = rate if variant.arm.visitors.value else (MISSING, MISSING)
        rows.append((_name(goal, variant.arm), *cells, format_probability(variant.best)))
    columns = ("variant", "rate, %", _interval(goal), "chance to be best")
    return Table(f"{visible(goal.name)}: rates, for one look", columns, tuple(rows))


def comparisons(goal: Goal) -> Table:
    """Return the fixed-horizon comparison of each variant with the control."""
    found = [variant.comparison.details for variant in goal.variants if variant.comparison]
    difference_places = decimal_places(details.difference for details in found)
    lift_places = decimal_places(details.lift for details in found if details.lift)

    def cells(variant: Variant) -> tuple[str, ...]:
        if not variant.comparison or not variant.comparison.has_visitors:
            return (MISSING,) * 4
        details = variant.comparison.details
        lift = MISSING
        if details.lift:
            found = details.lift
            lift = _joined(*format_lift(Lift(found.value, found.low, found.high), lift_places))
        return (
            _joined(*format_interval(details.difference, difference_places, sign=True)),
            lift,
            format_p_value(details.p_adjusted),
            format_probability(variant.beats_control),
        )

    columns = (
        "variant",
        "difference, percentage points",
        "lift, %",
        "p (Holm)",
        "chance to beat control",
    )
    caption = f"{visible(goal.name)}: comparison with {visible(goal.control.name)}, for one look"
    rows = tuple(
        (visible(variant.arm.name), *cells(variant))
        for variant in goal.variants
        if variant.comparison
    )
    return Table(caption, columns, rows)


def goals_per_visitor(goal: Goal) -> Table:
    """Return how often each variant's visitors reached a goal that is not unique per visitor."""
    rows = tuple(
        (
            _name(goal, arm),
            format_count(arm.visitors.value),
            format_count(arm.conversions.value),
            f"{arm.per_visitor:,.2f}" if arm.visitors.value else MISSING,
        )
        for arm in goal.arms
    )
    columns = ("variant", "visitors", "goals", "goals per visitor")
    return Table(f"Goals per visitor of {visible(goal.name)}", columns, rows)


def _joined(value: str, interval: str) -> str:
    return f"{value} ({interval})"


def _name(goal: Goal, arm: Arm) -> str:
    return name_of(arm, goal.arms, goal.case.control_is_guess)


def _seen_rates(goal: Goal) -> list[Estimate]:
    return [variant.rate for variant in goal.variants if variant.arm.visitors.value]


def _interval(goal: Goal) -> str:
    return f"{100 * goal.confidence:g}{_INTERVAL}"


def _counting_error(arm: Arm) -> str:
    if not arm.visitors.value:
        return MISSING
    return (
        "exact" if arm.visitors.precision == EXACT else f"\u00b1{format_count(arm.visitors.error)}"
    )
