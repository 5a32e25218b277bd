"""`gimel simulate`: send visitors whose behaviour is known, and say how to see the result.

`gimel.cli.traffic` parses the options that describe the visitors.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gimel.analysis.phrases import pluralize
from gimel.api.client import base_url, whole_url
from gimel.api.http import LOOPBACK, Session
from gimel.api.past import Past
from gimel.api.simulation import Traffic, Visitor, batches, by_day, visitors
from gimel.api.tracking import RETRIES, post_events
from gimel.cli import Options
from gimel.cli.connection import LOCAL_TRACK_URL, LOCAL_URL, find_api
from gimel.cli.help import Command
from gimel.cli.traffic import (
    DEFAULT_GOAL,
    DEFAULT_RATES,
    Goal,
    Rates,
    combine_goals,
    combine_weights,
    parse_goals,
    parse_name,
    parse_rates,
    parse_weights,
)
from gimel.errors import GimelError
from gimel.runtime.fields import DEFAULT_NAMESPACE

_AWS_HOST = re.compile(
    r"\.(?:execute-api|lambda-url)\.([a-z0-9-]+)\.(?:amazonaws\.[a-z.]+|on\.aws)$"
)


@dataclass(frozen=True)
class Simulation:
    """What to send, and where it belongs."""

    namespace: str
    experiment: str
    traffic: Traffic


@dataclass
class Sent:
    """What was sent so far.

    Attributes:
        visitors: Visitors by variant.
        conversions: Visitors by variant and goal.
        events: Events by the reason why they were not counted, "" for those that were.
    """

    visitors: Counter[str] = field(default_factory=Counter)
    conversions: Counter[tuple[str, str]] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)

    @property
    def counted(self) -> int:
        return self.events[""]

    @property
    def not_counted(self) -> dict[str, int]:
        return {reason: number for reason, number in self.events.items() if reason}

    def add(self, group: list[Visitor], outcomes: list[str]) -> None:
        self.events.update(outcomes)
        for visitor in group:
            self.visitors[visitor.variant] += 1
            self.conversions.update((visitor.variant, goal) for goal in visitor.goals)


@click.command(
    cls=Command,
    examples={
        "gimel simulate --rates old=0.05,new=0.055": "two variants, sent to `gimel serve`",
        "gimel simulate --goal cart:red=0.3,blue=0.33 --goal buy:red=0.05,blue=0.06": (
            "several goals of the same visitors"
        ),
        "gimel simulate --weights red=11,blue=9": "a split that is not the expected one",
        "gimel simulate --rates old=0.05,new=0.09..0.05": "a novelty effect",
        "gimel simulate --rates old=0.05,new=0.05/0": "a page that breaks halfway",
        "gimel simulate --days 30": "an experiment that began 30 days ago, with its history",
    },
)
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
    metavar="RATES",
    callback=parse_rates,
    help=f"Conversion rate of each variant, from 0 to 1. [default: {DEFAULT_RATES}]",
)
@click.option(
    "--weights",
    metavar="WEIGHTS",
    callback=parse_weights,
    help="Split of the visitors, in any unit, like red=2,blue=1. [default: equal]",
)
@click.option(
    "--goal",
    "goals",
    metavar="NAME[:RATES]",
    multiple=True,
    callback=parse_goals,
    help="Goal with its own rates, or with those of --rates. Repeat it for several goals."
    f" [default: {DEFAULT_GOAL}]",
)
@click.option(
    "--experiment",
    default="simulation",
    show_default=True,
    callback=parse_name,
    help="Name of the experiment.",
)
@click.option(
    "--namespace",
    default=DEFAULT_NAMESPACE,
    show_default=True,
    callback=parse_name,
    help="Keeps experiments separate, e.g. one namespace per site.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    help="The same seed makes the same visitors. [default: random]",
)
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    help="Spread the visitors over the last days, with fewer at weekends, as if the experiment had"
    " begun then. Only `gimel serve` can do that.",
)
@click.option(
    "--api-key",
    metavar="KEY",
    envvar="GIMEL_API_KEY",
    show_envvar=True,
    help="Key of `gimel serve`, needed for --days. [default: that in its data directory]",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was sent as JSON.")
@click.pass_obj
def command(
    options: Options,
    url: str,
    number: int,
    rates: Rates,
    weights: dict[str, float],
    goals: tuple[Goal, ...],
    experiment: str,
    namespace: str,
    seed: int | None,
    days: int | None,
    api_key: str | None,
    as_json: bool,
) -> None:
    """Send simulated visitors to a track URL.

    Each visitor sees one variant and reaches each goal at the rate of that variant. Afterwards,
    the command that shows the result is printed.

    RATES lists the variants: red=0.05,blue=0.055. A rate may change during the run: 0.09..0.05
    moves evenly from the first visitor to the last. Slashes divide the run into equal parts:
    0.05/0 changes halfway.

    With --days, `gimel serve` counts each day's visitors and records its history as at that day's
    end, so that results over time can be seen at once.

    Use `gimel delete` to remove the experiment.
    """
    whole_url(url, "a track URL", "https://host/path")
    rates_of_goals = combine_goals(goals, rates)
    variants = list(next(iter(rates_of_goals.values())))
    traffic = Traffic(
        number,
        combine_weights(weights, variants),
        rates_of_goals,
        secrets.randbelow(2**32) if seed is None else seed,
    )
    simulation = Simulation(namespace, experiment, traffic)
    past = None if days is None else _past(simulation, url, api_key, days)
    sent = Sent()
    try:
        _send(simulation, url, sent, past)
    except GimelError as error:
        hint = f"{error.hint} {_how_to_complete(traffic, sent)}".strip()
        raise GimelError(error.message, hint) from None
    except KeyboardInterrupt:
        if remark := _how_to_complete(traffic, sent):
            click.echo(remark, err=True)
        raise
    if as_json:
        click.echo(json.dumps(_facts(simulation, sent), indent=2))
    else:
        _print(simulation, sent)
    for reason, events in sent.not_counted.items():
        click.echo(f"Not counted: {pluralize(events, 'event')}: {reason}", err=True)
    if not sent.counted:
        raise GimelError("Nothing was counted.", "See the reasons above.")
    for line in next_steps(simulation, url, options.config_file, os.environ):
        click.echo(line, err=True)


def _past(simulation: Simulation, url: str, api_key: str | None, days: int) -> Past:
    """Return the days to simulate. Raises GimelError if the experiment exists already."""
    past = Past(find_api(base_url(url), api_key, local=True), days, int(time.time()))
    if past.has_begun(simulation.namespace, simulation.experiment):
        raise GimelError(
            f"The experiment {simulation.experiment!r} exists, so that it cannot begin earlier.",
            "Choose another name with --experiment, or delete it with `gimel delete`.",
        )
    return past


def _send(simulation: Simulation, url: str, sent: Sent, past: Past | None) -> None:
    """Send everything and record it in `sent`, with a progress bar on a terminal."""
    traffic = simulation.traffic
    console = Console(stderr=True)
    columns = (TextColumn("visitors"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        ) as progress,
        Session(url, retries=RETRIES) as session,
    ):
        task = progress.add_task("visitors", total=traffic.number)

        def send(crowd: Iterable[Visitor], headers: Mapping[str, str]) -> None:
            for group, events in batches(crowd, simulation.namespace, simulation.experiment):
                sent.add(group, post_events(session, url, events, headers))
                progress.advance(task, len(group))

        if past is None:
            send(visitors(traffic), {})
            return
        for day, crowd in enumerate(by_day(visitors(traffic), traffic.number, past.weekdays)):
            send(crowd, past.during(day))
            past.record(simulation.namespace, simulation.experiment, day)


def _how_to_complete(traffic: Traffic, sent: Sent) -> str:
    """Return how to send the rest; "" if nothing was sent. Counting again changes nothing."""
    number = sent.visitors.total()
    if not number:
        return ""
    return (
        f"{number:,} of {traffic.number:,} visitors were sent; run the command again with"
        f" `--seed {traffic.seed}` to complete them."
    )


def _facts(simulation: Simulation, sent: Sent) -> dict[str, object]:
    traffic = simulation.traffic
    return {
        "namespace": simulation.namespace,
        "experiment": simulation.experiment,
        "seed": traffic.seed,
        "counted_events": sent.counted,
        "refused_events": sent.not_counted,
        "variants": {
            variant: {
                "visitors": sent.visitors[variant],
                "goals": {goal: sent.conversions[variant, goal] for goal in traffic.goals},
            }
            for variant in traffic.weights
        },
    }


def _print(simulation: Simulation, sent: Sent) -> None:
    traffic = simulation.traffic
    were = "event was" if sent.counted == 1 else "events were"
    click.echo(
        f"Sent {pluralize(traffic.number, 'visitor')} to {simulation.experiment!r};"
        f" {sent.counted:,} {were} counted (seed {traffic.seed}):"
    )
    for variant in traffic.weights:
        reached = ", ".join(
            f"{sent.conversions[variant, goal]:,} reached {goal!r}" for goal in traffic.goals
        )
        click.echo(f"  {variant!r}: {pluralize(sent.visitors[variant], 'visitor')}, {reached}")


def next_steps(
    simulation: Simulation, url: str, config_file: str | None, environ: Mapping[str, str]
) -> Iterator[str]:
    """Yield the lines to print at the end: a design if one is needed, and how to see the result."""
    weights = simulation.traffic.weights
    if len(set(weights.values())) > 1:
        design = {"experiments": {simulation.experiment: {"weights": _plain(weights)}}}
        yield "The split is unequal: the verdict reports a mismatch unless config.json has"
        yield f"  {json.dumps(design, ensure_ascii=False)[1:-1]}"
    api = _api_options(url, environ)
    command = ["gimel", *(("--config", config_file) if config_file else ()), "results", *api]
    if simulation.namespace != DEFAULT_NAMESPACE:
        command += ["--namespace", simulation.namespace]
    if simulation.experiment.startswith("-"):
        command.append("--")
    command.append(simulation.experiment)
    needs_key = api[0] == "--url" and not environ.get("GIMEL_API_KEY")
    yield "Set GIMEL_API_KEY, then show the result:" if needs_key else "Show the result:"
    yield f"  {shlex.join(command)}"


def _api_options(url: str, environ: Mapping[str, str]) -> list[str]:
    """Return the options of `gimel results` for the API that a track URL belongs to."""
    host = urlsplit(url).hostname or ""
    address = ["--url", base_url(url)]
    if host in LOOPBACK:
        is_default = address[1] == LOCAL_URL and not environ.get("GIMEL_URL")
        return ["--local", *([] if is_default else address)]
    on_aws = _AWS_HOST.search(host)
    # With --region, the key is found in AWS. $GIMEL_URL would take precedence over it.
    return ["--region", on_aws[1]] if on_aws and not environ.get("GIMEL_URL") else address


def _plain(weights: Mapping[str, float]) -> dict[str, float]:
    """Return the weights as people write them: 2 instead of 2.0."""
    return {
        variant: int(weight) if weight.is_integer() else weight
        for variant, weight in weights.items()
    }
