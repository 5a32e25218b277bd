"""`gimel sample-size`"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import cast

import click

from gimel.analysis.sample_size import MOST_VISITORS, SampleSize, sample_size
from gimel.cli import Options
from gimel.cli.numbers import CONFIDENCE, SHARE, Number
from gimel.runtime.settings import DEFAULTS

PRECISIONS = (1, 4, 16, 64, 256)


@click.command()
@click.option("--rate", required=True, type=SHARE, help="The control's conversion rate, like 0.05.")
@click.option(
    "--lift",
    required=True,
    type=Number(-1, min_open=True),
    help="The smallest relative change worth detecting, like 0.10: from 5% to 5.5%.",
)
@click.option(
    "--power", default=0.8, show_default=True, type=SHARE, help="The chance to detect it."
)
@click.option(
    "--confidence",
    default=0.95,
    show_default=True,
    type=CONFIDENCE,
    help="How sure the verdict is to be.",
)
@click.option(
    "--visitors-per-day",
    type=Number(0, min_open=True),
    help="Of all variants together: tells the days.",
)
@click.option(
    "--variants",
    default=2,
    show_default=True,
    type=click.IntRange(2, 100),
    help="Variants, the control among them.",
)
@click.option(
    "--precision",
    type=click.Choice([str(precision) for precision in PRECISIONS]),
    help="HyperLogLogs a counter. [default: the configuration's]",
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
    """Tell how many visitors an experiment needs, and for how many days it must run."""
    lifted = rate * (1 + lift)
    if not 0 <= lifted <= 1 or lifted == rate:
        raise click.UsageError(
            f"--rate {rate:g} with --lift {lift:g} leads to {lifted:g}: no other rate between 0 and 1."
        )
    chosen = int(
        precision or options.load_config().document.precision or cast(int, DEFAULTS["precision"])
    )
    needed = sample_size(rate, lift, confidence, power, chosen, variants - 1)
    days = {kind: _days(each, variants, visitors_per_day) for kind, each in asdict(needed).items()}
    if as_json:
        asked = {
            "rate": rate,
            "lift": lift,
            "power": power,
            "confidence": confidence,
            "variants": variants,
            "precision": chosen,
        }
        figures = {
            "visitors_a_variant": asdict(needed),
            "counting_noise": needed.widening,
            "days": days,
        }
        click.echo(json.dumps({**asked, **figures}, indent=2))
        return
    click.echo(
        f"To detect a lift of {100 * lift:+.4g}% (from {100 * rate:.4g}% to {100 * lifted:.4g}%)",
        nl=False,
    )
    click.echo(f" in {100 * power:.4g}% of cases, at {100 * confidence:.4g}% confidence:\n")
    looks = (
        ("looking whenever you like", needed.anytime, "anytime"),
        ("looking once, on a day set before", needed.fixed, "fixed"),
    )
    click.echo(
        f"  {'':<34}{'a variant':>18}{'in all':>18}{'' if visitors_per_day is None else 'days':>8}".rstrip()
    )
    for words, visitors, kind in looks:
        numbers = (visitors, None if visitors is None else visitors * variants)
        shown = ["-" if number is None else f"{number:,}" for number in numbers]
        shown.append("" if days[kind] is None else f"{days[kind]:,}")
        click.echo(f"  {words:<34}{shown[0]:>18}{shown[1]:>18}{shown[2]:>8}".rstrip())
    click.echo(f"\n{_noise(needed, chosen)}")


def _days(visitors: int | None, variants: int, visitors_per_day: float | None) -> int | None:
    return (
        None
        if visitors is None or visitors_per_day is None
        else max(1, math.ceil(visitors * variants / visitors_per_day))
    )


def _noise(needed: SampleSize, precision: int) -> str:
    """Tell what counting costs."""
    counting = f"Counting at precision {precision}"
    if needed.widening is not None:
        more = f"{100 * needed.widening:.2g}%" if needed.widening >= 0.001 else "less than 0.1%"
        return f"{counting} takes {more} more visitors than exact counting would."
    if needed.fixed_exact is None:
        return f"It would take over {MOST_VISITORS:,} visitors a variant: look for a larger lift."
    return (
        f"{counting} is not exact enough to ever see it; counted exactly, {needed.fixed_exact:,} visitors\n"
        f"a variant would do for one look. Choose a higher precision, or look for a larger lift."
    )
