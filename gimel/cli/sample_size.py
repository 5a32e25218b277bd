"""`gimel sample-size`: how many visitors and days an experiment needs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, cast

import click

from gimel.analysis.sample_size import MOST_VISITORS, SampleSize, sample_size
from gimel.cli import Options
from gimel.cli.numbers import CONFIDENCE, SHARE, Number
from gimel.runtime.keys import PRECISIONS
from gimel.runtime.settings import DEFAULTS

_WAYS = (
    ("always valid: look whenever you like", "anytime"),
    ("fixed horizon: look once, at the end", "fixed"),
)


@dataclass(frozen=True)
class Inputs:
    """What the sample size is calculated for. Rate, lift, power and confidence are shares of 1."""

    rate: float
    lift: float
    power: float
    confidence: float
    variants: int
    precision: int


@click.command()
@click.option("--rate", required=True, type=SHARE, help="Control's conversion rate, e.g. 0.05.")
@click.option(
    "--lift",
    required=True,
    type=Number(-1, min_open=True),
    help="Smallest relative change worth detecting, e.g. 0.10: from 5% to 5.5%.",
)
@click.option(
    "--power",
    default=0.8,
    show_default=True,
    type=SHARE,
    help="Probability of detecting that change.",
)
@click.option(
    "--confidence",
    default=0.95,
    show_default=True,
    type=CONFIDENCE,
    help="Confidence level of the verdict.",
)
@click.option(
    "--visitors-per-day",
    type=Number(0, min_open=True),
    help="Visitors per day of all variants together; adds the duration.",
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
    lift: float,
    power: float,
    confidence: float,
    visitors_per_day: float | None,
    variants: int,
    precision: str | None,
    as_json: bool,
) -> None:
    """Calculate the sample size and duration an experiment needs."""
    lifted = rate * (1 + lift)
    if not 0 <= lifted <= 1 or lifted == rate:
        raise click.UsageError(
            f"--rate {rate:g} with --lift {lift:g} gives a rate of {lifted:g}."
            " Choose a lift that gives a different rate between 0 and 1."
        )
    chosen = int(
        precision or options.load_config().document.precision or cast(int, DEFAULTS["precision"])
    )
    inputs = Inputs(rate, lift, power, confidence, variants, chosen)
    needed = sample_size(rate, lift, confidence, power, chosen, variants - 1)
    days = {
        name: _days(visitors, variants, visitors_per_day)
        for name, visitors in asdict(needed).items()
    }
    if as_json:
        click.echo(json.dumps(describe(inputs, needed, days), indent=2))
    else:
        click.echo("\n".join(lines(inputs, needed, days)))


def describe(inputs: Inputs, needed: SampleSize, days: dict[str, int | None]) -> dict[str, Any]:
    """Return the figures as they appear in JSON; those out of reach or not asked for are null."""
    return {
        **asdict(inputs),
        "visitors_per_variant": asdict(needed),
        "counting_noise": needed.widening,
        "days": days,
    }


def lines(inputs: Inputs, needed: SampleSize, days: dict[str, int | None]) -> Iterator[str]:
    """Yield the lines to print."""
    lifted = inputs.rate * (1 + inputs.lift)
    yield (
        f"To detect a lift of {100 * inputs.lift:+.4g}%"
        f" (from {100 * inputs.rate:.4g}% to {100 * lifted:.4g}%)"
        f" with {100 * inputs.power:.4g}% power at {100 * inputs.confidence:.4g}% confidence:"
    )
    yield ""
    has_days = any(number is not None for number in days.values())
    yield _row("visitors", "per variant", "total", "days" if has_days else "")
    for label, name in _WAYS:
        visitors = getattr(needed, name)
        total = None if visitors is None else visitors * inputs.variants
        duration = _format(days[name]) if has_days else ""
        yield _row(label, _format(visitors), _format(total), duration)
    yield ""
    yield _noise(needed, inputs.precision)


def _row(label: str, per_variant: str, total: str, days: str) -> str:
    return f"  {label:<37}{per_variant:>17}{total:>17}{days:>7}".rstrip()


def _format(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _days(visitors: int | None, variants: int, visitors_per_day: float | None) -> int | None:
    """Return the whole days until each variant has so many visitors."""
    if visitors is None or visitors_per_day is None:
        return None
    return max(1, math.ceil(visitors * variants / visitors_per_day))


def _noise(needed: SampleSize, precision: int) -> str:
    """Return the sentence on what counting costs, or on why no number of visitors is enough."""
    if needed.widening is not None:
        more = f"{100 * needed.widening:.2g}%" if needed.widening >= 0.001 else "less than 0.1%"
        return f"Counting at precision {precision} needs {more} more visitors than exact counting."
    if needed.fixed_exact is None:
        return (
            f"More than {MOST_VISITORS:,} visitors per variant would be needed. Choose a larger"
            " --lift."
        )
    return (
        f"Counting at precision {precision} can never detect this lift. Counted exactly, one look"
        f" needs\n{needed.fixed_exact:,} visitors per variant. Choose a higher --precision or a"
        " larger --lift."
    )
