"""`gimel results`: fetch the counts, analyse them and print the results."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import click

from gimel.analysis.design import Design
from gimel.analysis.experiment import (
    Experiment,
    analyse,
    analyse_all,
    require_experiments,
    select_goal,
)
from gimel.api.client import Api
from gimel.cli import Options
from gimel.cli.connection import api_options, find_api
from gimel.cli.numbers import CONFIDENCE
from gimel.errors import GimelError
from gimel.report import REFRESH_SECONDS, export


@dataclass(frozen=True)
class Query:
    """What to show.

    Attributes:
        namespace: The namespace to read.
        experiment: The only experiment to show; None for all.
        goal: The only goal to show; None for all.
        control: The control; None for the design's.
        confidence: The confidence level, a share of 1.
        designs: The designs of the experiments that have one.
        precision: The configured precision; None without a configuration.
        details: Whether to show the details for statisticians.
    """

    namespace: str
    experiment: str | None
    goal: str | None
    control: str | None
    confidence: float
    designs: Mapping[str, Design]
    precision: int | None = None
    details: bool = False


@dataclass(frozen=True)
class Results:
    """The experiments found, and the ignored events of experiments that do not exist, by reason."""

    experiments: tuple[Experiment, ...]
    ignored: Mapping[str, int]


@click.command()
@click.argument("experiment", required=False)
@click.option("--goal", metavar="GOAL", help="Show only this goal.")
@click.option(
    "--control",
    metavar="VARIANT",
    help="Variant to compare the others with. [default: the configuration's, else one with a usual"
    " name (control, original, baseline, old, current, default, off, a or 0), else the first]",
)
@click.option(
    "--confidence",
    default=0.95,
    show_default=True,
    type=CONFIDENCE,
    help="Confidence level of intervals and verdicts.",
)
@click.option("--json", "form", flag_value="json", help="Print all figures as JSON.")
@click.option("--csv", "form", flag_value="csv", help="Print one CSV row per variant and goal.")
@click.option("--details", is_flag=True, help="Add the details for statisticians.")
@click.option(
    "--watch", is_flag=True, help=f"Refresh every {REFRESH_SECONDS} seconds, until Ctrl-C."
)
@api_options
@click.pass_obj
def command(
    options: Options,
    experiment: str | None,
    goal: str | None,
    control: str | None,
    confidence: float,
    form: str | None,
    details: bool,
    watch: bool,
    namespace: str,
    url: str | None,
    api_key: str | None,
    local: bool,
) -> None:
    """Show which variant is winning, and whether the data can be trusted.

    Shows EXPERIMENT, or all experiments of the namespace; those with data-quality problems come
    first.
    """
    if watch and form:
        raise click.UsageError(f"--watch cannot be used with --{form}.")
    if details and form:
        raise click.UsageError(f"--details cannot be used with --{form}; --json has all figures.")
    config = options.load_config()
    query = Query(
        namespace,
        experiment,
        goal,
        control,
        confidence,
        config.designs(),
        config.precision(),
        details,
    )
    api = find_api(url, api_key, local)
    if watch:
        _watch(api, query, time.sleep)
    results = fetch(api, query)
    if form == "json":
        click.echo(export.to_json(results.experiments, namespace, results.ignored))
    elif form == "csv":
        click.echo(export.to_csv(results.experiments), nl=False)
    else:
        _show(results, query)


def fetch(api: Api, query: Query) -> Results:
    """Return what the query asks for.

    Raises:
        GimelError: The API cannot be read, or an experiment, goal or variant does not exist.
    """
    if query.experiment is not None:
        counts = api.experiment(query.namespace, query.experiment)
        design = query.designs.get(query.experiment)
        experiment = analyse(
            counts, design, now=time.time(), confidence=query.confidence, control=query.control
        )
        results = Results((experiment,), {})
    else:
        namespace_counts = api.experiments(query.namespace)
        require_experiments(namespace_counts, query.namespace)
        experiments = analyse_all(
            namespace_counts,
            query.designs,
            now=time.time(),
            confidence=query.confidence,
            control=query.control,
        )
        results = Results(experiments, namespace_counts.ignored)
    if query.goal is not None:
        return Results(select_goal(results.experiments, query.goal), results.ignored)
    return results


def _watch(api: Api, query: Query, sleep: Callable[[float], None]) -> None:
    """Show the results again and again; after an error, say so and try again."""
    while True:
        try:
            results = fetch(api, query)
        except GimelError as error:
            click.echo(f"Error: {error}", err=True)
        else:
            if sys.stdout.isatty():
                click.clear()
            _show(results, query)
            click.echo(f"\nUpdated {time.strftime('%H:%M:%S')}. Press Ctrl-C to stop.")
        sleep(REFRESH_SECONDS)


def _show(results: Results, query: Query) -> None:
    # Imported here: rich takes about 0.1 s, and neither --json nor --csv needs it.
    from rich.console import Console

    from gimel.report import terminal

    console = Console(highlight=False, emoji=False, markup=False)
    for part in terminal.report(
        results.experiments,
        results.ignored,
        time.time(),
        console.width,
        console.options.ascii_only,
        query.precision,
        query.details,
    ):
        console.print(part)
