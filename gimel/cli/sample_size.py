"""`gimel sample-size`: the visitors and days that detect a lift, or the lift that days detect."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, cast

import click

from gimel.analysis.design import MINIMUM_DAYS
from gimel.analysis.duration import MOST_VISITORS
from gimel.analysis.phrases import pluralize
from gimel.analysis.plan import Assumptions, Plan, half, make_plan
from gimel.analysis.sample_size import (
    always_valid,
    detectable_lift,
    fixed_horizon,
    lifted,
    possible_lifts,
    visitors_needed,
)
from gimel.cli import Options
from gimel.cli.help import Command
from gimel.cli.numbers import CONFIDENCE, Number
from gimel.runtime.keys import PRECISIONS
from gimel.runtime.settings import DEFAULTS

_METHODS = {"always_valid": always_valid, "fixed_horizon": fixed_horizon}
_LABELS = {
    "always_valid": "always valid: look whenever you like",
    "fixed_horizon": "fixed horizon: look once, at the end",
}
_TEN_YEARS = 3650
_WIDTH = 80


@click.command(
    cls=Command,
    examples={
        "gimel sample-size --rate 0.05 --lift 0.1 --visitors-per-day 2000": (
            "the days that a lift of 10% needs"
        ),
        "gimel sample-size --rate 0.05 --days 14 --visitors-per-day 2000": (
            "the lift that 14 days can detect"
        ),
    },
)
@click.option(
    "--rate",
    required=True,
    type=Number(1e-6, 1 - 1e-6),
    help="Control's conversion rate, e.g. 0.05.",
)
@click.option(
    "--lift",
    type=float,
    help="Smallest relative change worth detecting. At a rate of 0.05, 0.1 is a rise from 5% to"
    " 5.5%. Above a rate of 0.5 it is the change in failures: at 0.9, 0.1 is 10% fewer failures,"
    " from 90% to 91%.",
)
@click.option(
    "--days",
    type=click.IntRange(1, _TEN_YEARS),
    help="Instead of --lift: calculate the smallest lift that can be detected in this many days.",
)
@click.option(
    "--visitors-per-day",
    type=Number(1),
    help="Visitors per day of all variants together. With --lift, adds the days.",
)
@click.option(
    "--power",
    default=0.8,
    show_default=True,
    type=Number(0.5, 0.9999),
    help="Probability of detecting the lift, for each variant.",
)
@click.option(
    "--confidence",
    default=0.95,
    show_default=True,
    type=CONFIDENCE,
    help="Confidence level of the verdict.",
)
@click.option(
    "--variants",
    default=2,
    show_default=True,
    type=click.IntRange(2, 100),
    help="Number of variants, including the control.",
)
@click.option(
    "--precision",
    type=click.Choice([str(precision) for precision in PRECISIONS]),
    help="HyperLogLogs per counter. [default: the configuration's]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.pass_obj
def command(
    options: Options,
    rate: float,
    lift: float | None,
    days: int | None,
    visitors_per_day: float | None,
    power: float,
    confidence: float,
    variants: int,
    precision: str | None,
    as_json: bool,
) -> None:
    """Calculate how long an experiment takes, or what it can detect.

    Give --lift to calculate the visitors and days that detect it, or --days to calculate the
    smallest lift that they detect.

    "Always valid" is the plan for Gimel's verdict with daily looks. It assumes that all variants
    get equal traffic, and that config.json has a primary goal for the experiment and this lift as
    the one worth detecting. "Fixed horizon" is the textbook's sample size: look once, on a date
    chosen in advance.
    """
    _check(rate, lift, days, visitors_per_day)
    chosen = int(
        precision or options.load_config().document.precision or cast(int, DEFAULTS["precision"])
    )
    assumed = Assumptions(rate, lift, days, visitors_per_day, power, confidence, variants, chosen)
    plans = {name: make_plan(assumed, method) for name, method in _METHODS.items()}
    if as_json:
        click.echo(json.dumps(describe(assumed, plans), indent=2))
    else:
        click.echo("\n".join(lines(assumed, plans)))


def _check(
    rate: float, lift: float | None, days: int | None, visitors_per_day: float | None
) -> None:
    """Raise a UsageError for a combination of options that makes no plan."""
    if lift is None and days is None:
        raise click.UsageError(
            "Give --lift to calculate the visitors it needs, or --days and --visitors-per-day to"
            " calculate the smallest lift that can be detected."
        )
    if lift is not None and days is not None:
        raise click.UsageError(
            "--lift and --days cannot be combined: each is calculated from the other. Remove one."
        )
    if lift is not None:
        least, most = possible_lifts(rate)
        if not least <= lift <= most:
            raise click.UsageError(
                f"--lift {lift:g} is not possible. At --rate {rate:g}, choose a lift between"
                f" {least:.6g} (a rate of 0) and {most:.6g} (a rate of 1)."
            )
        if lifted(rate, lift) == rate:
            raise click.UsageError(
                f"--lift {lift:g} does not change the rate. Choose a lift above or below 0."
            )
    if days is not None:
        if visitors_per_day is None:
            raise click.UsageError(
                "--days needs --visitors-per-day, the visitors of all variants together."
            )
        if days * visitors_per_day > MOST_VISITORS:
            raise click.UsageError(
                f"--days {days} with --visitors-per-day {visitors_per_day:g} gives more than"
                f" {MOST_VISITORS:,.0f} visitors. Choose fewer."
            )


def describe(assumed: Assumptions, plans: Mapping[str, Plan]) -> dict[str, Any]:
    """Return the figures as they appear in JSON; those out of reach or not asked for are null."""
    return {**asdict(assumed), **{name: asdict(plan) for name, plan in plans.items()}}


def lines(assumed: Assumptions, plans: Mapping[str, Plan]) -> Iterator[str]:
    """Yield the lines to print, at most 80 columns wide."""
    level = f"with {_percent(assumed.power)} power at {_percent(assumed.confidence)} confidence:"
    yield from _wrap(f"{_subject(assumed)} {level}")
    yield ""
    yield from _visitor_rows(assumed, plans) if assumed.lift else _lift_rows(assumed, plans)
    remarks = [_counting(assumed, plans["always_valid"])]
    if assumed.rate > 0.5:
        remarks.insert(0, "Failures are the visitors who do not convert.")
    if any(plan.days is not None and plan.days < MINIMUM_DAYS for plan in plans.values()):
        remarks.append(
            f"Run the experiment for at least {MINIMUM_DAYS} days, so that each day of the week"
            " counts. Before that, the verdict names no winner (by default: see minimum_days in"
            " config.json)."
        )
    for remark in remarks:
        yield ""
        yield from _wrap(remark)


def _subject(assumed: Assumptions) -> str:
    if assumed.lift is None:
        visitors = pluralize(assumed.visitors_per_variant, "visitor")
        return f"Detectable in {pluralize(assumed.days or 0, 'day')} ({visitors} per variant)"
    rates = f"from {_rates(assumed.rate, assumed.lift)}"
    if assumed.rate > 0.5:
        change = "fewer" if assumed.lift > 0 else "more"
        return f"To detect {_percent(abs(assumed.lift))} {change} failures (a rate {rates})"
    sign = "+" if assumed.lift > 0 else "-"
    return f"To detect a lift of {sign}{_percent(abs(assumed.lift))} ({rates})"


def _visitor_rows(assumed: Assumptions, plans: Mapping[str, Plan]) -> Iterator[str]:
    has_days = assumed.visitors_per_day is not None
    yield _visitor_row("visitors", "per variant", "total", "days" if has_days else "")
    for name, plan in plans.items():
        yield _visitor_row(
            _LABELS[name],
            _number(plan.visitors_per_variant),
            _number(plan.visitors),
            _number(plan.days) if has_days else "",
        )


def _visitor_row(label: str, per_variant: str, total: str, days: str) -> str:
    return f"  {label:<36}  {per_variant:>12}  {total:>14}  {days:>7}".rstrip()


def _lift_rows(assumed: Assumptions, plans: Mapping[str, Plan]) -> Iterator[str]:
    """Yield the smallest lifts, rounded up so that they are detected."""
    failures = assumed.rate > 0.5
    yield _lift_row("", "fewer failures" if failures else "smallest lift", "rate")
    for name, plan in plans.items():
        lift, rates = "-", "-"
        if plan.lift is not None:
            rounded = min(_round_up(plan.lift), possible_lifts(assumed.rate)[1])
            lift = f"{'' if failures else '+'}{_percent(rounded)}"
            rates = _rates(assumed.rate, rounded)
        yield _lift_row(_LABELS[name], lift, rates)


def _lift_row(label: str, lift: str, rates: str) -> str:
    return f"  {label:<36}  {lift:>14}  {rates:>23}".rstrip()


def _counting(assumed: Assumptions, plan: Plan) -> str:
    """Return the sentence on what counting costs, or on why a plan is out of reach."""
    counting = f"Counting at precision {assumed.precision}"
    can_be_finer = assumed.precision < PRECISIONS[-1]
    if plan.lift is None:
        visitors = 2 * assumed.visitors_per_variant
        if detectable_lift(always_valid, assumed.exact_comparison, visitors) is None:
            return (
                "These are too few visitors for the verdict: not even a rate of 100% would be"
                " detected. Choose more --days."
            )
        return (
            f"{counting} hides every lift from the verdict, even one to a rate of 100%."
            f"{' Choose a higher --precision.' if can_be_finer else ''}"
        )
    exact = visitors_needed(always_valid, assumed.exact_comparison, plan.lift)
    if exact is None:
        return f"The verdict needs more than {MOST_VISITORS:,.0f} visitors. Choose a larger --lift."
    counted = visitors_needed(always_valid, assumed.comparison, plan.lift)
    if counted is None:
        return (
            f"{counting} hides this lift from the verdict, however many visitors come. Counted"
            f" exactly, it would need {half(exact):,} per variant. Choose a larger --lift"
            f"{' or a higher --precision' if can_be_finer else ''}."
        )
    cost = counted / exact - 1
    if cost >= 1:
        more = f"{cost + 1:,.1f} times the visitors of"
    else:
        more = f"{f'{100 * cost:.2g}%' if cost >= 0.001 else 'less than 0.1%'} more visitors than"
    advice = " A higher --precision needs fewer." if cost >= 0.1 and can_be_finer else ""
    return f"{counting} needs {more} exact counting.{advice}"


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH)


def _number(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _rates(rate: float, lift: float) -> str:
    """Return "5% to 5.5%", with enough digits to see the difference, also close to 100%."""
    after = lifted(rate, lift)
    smallest = min(rate, 1 - rate, abs(after - rate))
    return f"{_percent(rate, smallest)} to {_percent(after, smallest)}"


def _percent(share: float, smallest: float | None = None) -> str:
    """Return a share of 1 in percent, with four significant digits of `smallest`, or of itself."""
    places = min(max(0, 1 - math.floor(math.log10(smallest or share))), 15)
    text = f"{100 * share:,.{places}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}%"


def _round_up(lift: float) -> float:
    """Return a lift rounded up to three significant digits."""
    unit = 10.0 ** (math.floor(math.log10(lift)) - 2)
    return math.ceil(lift / unit) * unit
