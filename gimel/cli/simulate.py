"""`gimel simulate`"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gimel.api.client import pool_for, whole_url
from gimel.api.simulation import Visitor, batches, visitors
from gimel.api.tracking import RETRIES, post_events
from gimel.cli.connection import LOCAL_TRACK_URL
from gimel.errors import GimelError
from gimel.runtime.fields import DEFAULT_NAMESPACE


@dataclass(frozen=True)
class Simulation:
    """What to send: `number` visitors who convert at `rates`, {variant: share of 1}."""

    namespace: str
    experiment: str
    goal: str
    number: int
    rates: dict[str, float]
    seed: int


@dataclass
class Sent:
    """What was sent so far: visitors and conversions by variant, events by why they were ignored.

    The reason "" marks the events that were counted.
    """

    visitors: Counter[str] = field(default_factory=Counter)
    conversions: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)

    @property
    def counted(self) -> int:
        return self.events[""]

    @property
    def not_counted(self) -> dict[str, int]:
        return {reason: number for reason, number in self.events.items() if reason}

    def add(self, group: list[Visitor], outcomes: list[str]) -> None:
        self.events.update(outcomes)
        self.visitors.update(visitor.variant for visitor in group)
        self.conversions.update(visitor.variant for visitor in group if visitor.converted)


def _rates(_context: click.Context, _option: click.Parameter, text: str) -> dict[str, float]:
    """Return red=0.05,blue=0.055 as {variant: rate}."""
    rates: dict[str, float] = {}
    for item in text.split(","):
        variant, _equals, number = item.rpartition("=")
        variant = variant.strip()
        try:
            rate = float(number)
        except ValueError:
            rate = -1.0
        if not variant or not 0 <= rate <= 1:
            raise click.BadParameter(
                f"expected VARIANT=RATE with a rate from 0 to 1, like red=0.05; got {item!r}."
            )
        if variant in rates:
            raise click.BadParameter(f"{variant!r} is given twice.")
        rates[variant] = rate
    return rates


@click.command()
@click.option("--url", default=LOCAL_TRACK_URL, show_default=True, help="The track URL.")
@click.option(
    "--visitors",
    "number",
    default=10_000,
    show_default=True,
    type=click.IntRange(1, 100_000_000),
    help="Number of visitors.",
)
@click.option(
    "--rates",
    default="red=0.05,blue=0.055",
    show_default=True,
    callback=_rates,
    help="Variants and their conversion rates.",
)
@click.option(
    "--experiment", default="simulation", show_default=True, help="Name of the experiment."
)
@click.option("--goal", default="conversion", show_default=True, help="Name of the goal.")
@click.option(
    "--namespace",
    default=DEFAULT_NAMESPACE,
    show_default=True,
    help="Keeps experiments separate, e.g. one namespace per site.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    help="The same seed makes the same visitors. [default: random]",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was sent as JSON.")
def command(
    url: str,
    number: int,
    rates: dict[str, float],
    experiment: str,
    goal: str,
    namespace: str,
    seed: int | None,
    as_json: bool,
) -> None:
    """Send simulated visitors to a track URL.

    Each visitor sees one of the variants, all equally likely, and converts at its rate. Use
    `gimel delete` to remove the experiment afterwards.
    """
    whole_url(url, "a track URL", "https://host/path")
    if seed is None:
        seed = secrets.randbelow(2**32)
    simulation = Simulation(namespace, experiment, goal, number, rates, seed)
    console = Console(stderr=True)
    columns = (TextColumn("visitors"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("visitors", total=number)
        sent = _send(simulation, url, lambda visitors: progress.advance(task, visitors))
    if as_json:
        click.echo(json.dumps(_facts(simulation, sent), indent=2))
    else:
        _print(simulation, sent)
    for reason, events in sent.not_counted.items():
        click.echo(f"Not counted: {events:,} events: {reason}", err=True)
    if not sent.counted:
        raise GimelError("Nothing was counted.", "See the reasons above.")


def _send(simulation: Simulation, url: str, advance: Callable[[int], None]) -> Sent:
    """Send everything, calling `advance` with the number of visitors sent by each call."""
    sent = Sent()
    crowd = visitors(simulation.number, simulation.rates, simulation.seed)
    with pool_for(url, RETRIES) as pool:
        for group, events in batches(
            crowd, simulation.namespace, simulation.experiment, simulation.goal
        ):
            try:
                outcomes = post_events(pool, url, events)
            except GimelError as error:
                raise GimelError(error.message, _resume(error.hint, simulation, sent)) from None
            sent.add(group, outcomes)
            advance(len(group))
    return sent


def _resume(hint: str, simulation: Simulation, sent: Sent) -> str:
    """Return the hint, with how to continue if a part was sent: counting again changes nothing."""
    number = sent.visitors.total()
    if not number:
        return hint
    return (
        f"{hint} {number:,} of {simulation.number:,} visitors were sent; run the command again with"
        f" `--seed {simulation.seed}` to complete them."
    ).strip()


def _facts(simulation: Simulation, sent: Sent) -> dict[str, object]:
    return {
        "namespace": simulation.namespace,
        "experiment": simulation.experiment,
        "goal": simulation.goal,
        "seed": simulation.seed,
        "counted_events": sent.counted,
        "refused_events": sent.not_counted,
        "variants": {
            variant: {"visitors": sent.visitors[variant], "conversions": sent.conversions[variant]}
            for variant in simulation.rates
        },
    }


def _print(simulation: Simulation, sent: Sent) -> None:
    click.echo(
        f"Sent {simulation.number:,} visitors to {simulation.experiment!r};"
        f" {sent.counted:,} events were counted (seed {simulation.seed}):"
    )
    for variant in simulation.rates:
        seen, converted = sent.visitors[variant], sent.conversions[variant]
        click.echo(f"  {variant!r}: {seen:,} visitors, {converted:,} converted")
