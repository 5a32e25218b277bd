"""`gimel results`: fetch the counts, analyse them and print the results."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

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
from gimel.cli import Options, past
from gimel.cli.connection import api_options, complete_experiments, find_api, repeat
from gimel.cli.fail_on import check, fail_on_option
from gimel.cli.help import Command
from gimel.cli.numbers import CONFIDENCE, LIFT_WORTH_DETECTING
from gimel.errors import GimelError
from gimel.report import REFRESH_SECONDS, export
from gimel.report.summary import State, in_order, state_of
from gimel.serve.demo_experiment import with_demo


@dataclass(frozen=True)
class Query:
    """What to show, and of which analysis.

    Attributes:
        namespace: The namespace to read.
        experiment: The only experiment to show; None for all.
        goal: The only goal to show; None for all.
        control: The control; None for the design's.
        confidence: The confidence level, a share of 1.
        designs: The designs of the experiments that have one.
        precision: The configured precision; None without a configuration.
        details: Whether to show the details for statisticians.
        history: Whether to show the figures of every day.
        lift: The lift worth detecting of every design; None for the design's.
        states: The only states to show; all if empty.
        is_full: Whether to show experiments in full rather than as a list.
        command: The command that shows one experiment in full.
    """

    namespace: str
    experiment: str | None
    goal: str | None
    control: str | None
    confidence: float
    designs: Mapping[str, Design]
    precision: int | None = None
    details: bool = False
    history: bool = False
    lift: float | None = None
    states: tuple[State, ...] = ()
    is_full: bool = False
    command: str = "gimel results NAME"

    def design(self, experiment: str) -> Design:
        """Return the design of an experiment."""
        design = self.designs.get(experiment, Design())
        return design if self.lift is None else replace(design, lift=self.lift)


@dataclass(frozen=True)
class Results:
    """The experiments found, and the ignored events of experiments that do not exist, by reason."""

    experiments: tuple[Experiment, ...]
    ignored: Mapping[str, int]


@click.command(
    cls=Command,
    examples={
        "gimel results": "every experiment",
        'gimel results "signup button"': "one experiment in full",
        "gimel results --local --watch": "the results of `gimel serve`",
        'gimel results "signup button" --history': "day by day",
        "gimel results --csv > results.csv": "for a spreadsheet",
        "gimel results --fail-on broken": "for cron",
    },
)
@click.argument("experiment", required=False, shell_complete=complete_experiments)
@click.option("--all", "show_all", is_flag=True, help="Show every experiment in full.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in State]),
    help="Show only experiments in this state. May be repeated.",
)
@past.concluded_option
@click.option("--goal", metavar="GOAL", help="Show only this goal.")
@click.option(
    "--control",
    metavar="VARIANT",
    help="Variant to compare the others with. [default: the configuration's, else one with a usual"
    " name (control, original, baseline, old, current, default, off, a or 0), else the first]",
)
@click.option(
    "--lift",
    type=LIFT_WORTH_DETECTING,
    help="Lift worth detecting, e.g. 0.1 for 10%. Choose it before the experiment, not by its"
    " results. [default: the configuration's, else 0.1]",
)
@click.option(
    "--confidence",
    default=0.95,
    show_default=True,
    type=CONFIDENCE,
    help="Confidence level of intervals and verdicts.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print one CSV row per variant and goal.")
@click.option("--excel", is_flag=True, help="Print the CSV table in the form that Excel reads.")
@click.option(
    "--details",
    is_flag=True,
    help="Add the details for statisticians. Without EXPERIMENT, this implies --all.",
)
@click.option(
    "--history",
    is_flag=True,
    help="Add the figures of every day. Without EXPERIMENT, this implies --all. With --csv, print"
    " one row per day, goal and variant instead.",
)
@click.option(
    "--watch", is_flag=True, help=f"Refresh every {REFRESH_SECONDS} seconds, until Ctrl-C."
)
@fail_on_option
@api_options
@click.pass_context
def command(
    context: click.Context,
    experiment: str | None,
    show_all: bool,
    states: tuple[str, ...],
    show_concluded: bool,
    goal: str | None,
    control: str | None,
    lift: float | None,
    confidence: float,
    as_json: bool,
    as_csv: bool,
    excel: bool,
    details: bool,
    history: bool,
    watch: bool,
    fail_on: tuple[str, ...],
    namespace: str,
    url: str | None,
    api_key: str | None,
    local: bool,
) -> None:
    """Show which variant is winning, and whether the data can be trusted.

    Lists the experiments of the namespace: first those that need attention, then those that are
    decided, then those that are running. With EXPERIMENT, shows that experiment in full, or the
    record of one that was concluded.
    """
    form = _form(as_json, as_csv, excel)
    _check(experiment, show_all, states, form, details, watch)
    if show_concluded:
        past.check(context)
    if watch and fail_on:
        raise click.UsageError("--watch cannot be used with --fail-on. Remove one of them.")
    options: Options = context.obj
    config = options.load_config()
    query = Query(
        namespace,
        experiment,
        goal,
        control,
        confidence,
        with_demo(config.designs()) if local else config.designs(),
        config.precision(),
        details,
        history,
        lift,
        tuple(map(State, states)),
        show_all or details or history or experiment is not None,
        repeat(context, "results", "NAME"),
    )
    api = find_api(url, api_key, local)
    if show_concluded:
        past.show(api, namespace, experiment, form)
        return
    if watch:
        _watch(api, query, time.sleep)
        return
    results = past.or_concluded(lambda: fetch(api, query), api, namespace, experiment, form)
    if results is None:
        return
    if form is None:
        _show(results, query)
        check(results.experiments, fail_on)
        return
    experiments = _in_states(results.experiments, query)
    if form == "json":
        click.echo(export.to_json(experiments, namespace, results.ignored, history))
    elif form == "csv":  # as bytes, so that it is UTF-8 everywhere
        click.echo(export.to_csv(experiments, namespace, history).encode(), nl=False)
    else:
        click.echo(export.to_excel(experiments, namespace, history), nl=False)
    check(results.experiments, fail_on)


def _form(as_json: bool, as_csv: bool, excel: bool) -> str | None:
    """Return the form for programs, None for people; --excel is a form of --csv."""
    if as_json and (as_csv or excel):
        other = "--excel" if excel else "--csv"
        raise click.UsageError(f"--json and {other} cannot be combined. Remove one of them.")
    return "json" if as_json else "excel" if excel else "csv" if as_csv else None


def _check(
    experiment: str | None,
    show_all: bool,
    states: tuple[str, ...],
    form: str | None,
    details: bool,
    watch: bool,
) -> None:
    """Raise a UsageError for options that contradict each other."""
    if watch and form:
        raise click.UsageError(f"--watch cannot be used with --{form}. Remove one of them.")
    if details and form:
        raise click.UsageError(
            f"--details cannot be used with --{form}. Remove it: --json has all figures."
        )
    if show_all and form:
        raise click.UsageError(
            f"--all cannot be used with --{form}. Remove it: --{form} has all experiments."
        )
    if experiment is not None and show_all:
        raise click.UsageError("--all shows every experiment. Remove it, or the name.")
    if experiment is not None and states:
        raise click.UsageError("--state chooses among all experiments. Remove it, or the name.")


def fetch(api: Api, query: Query) -> Results:
    """Return what the query asks for: no experiment if all of the namespace were concluded.

    Raises:
        GimelError: The API cannot be read, or an experiment, goal or variant does not exist.
    """
    if query.experiment is not None:
        counts = api.experiment(query.namespace, query.experiment, history=True)
        experiment = analyse(
            counts,
            query.design(query.experiment),
            now=time.time(),
            confidence=query.confidence,
            control=query.control,
        )
        results = Results((experiment,), {})
    else:
        namespace_counts = api.experiments(query.namespace, history=True)
        if not namespace_counts.experiments and past.exists(api, query.namespace):
            return Results((), namespace_counts.ignored)
        require_experiments(namespace_counts, query.namespace)
        experiments = analyse_all(
            namespace_counts,
            {each.name: query.design(each.name) for each in namespace_counts.experiments},
            now=time.time(),
            confidence=query.confidence,
            control=query.control,
        )
        results = Results(experiments, namespace_counts.ignored)
    if query.goal is not None:
        return Results(select_goal(results.experiments, query.goal), results.ignored)
    return results


def _watch(api: Api, query: Query, sleep: Callable[[float], None]) -> None:
    """Show the results again and again; after an error, say so and try again.

    Ends with the record of an experiment that was concluded.
    """
    while True:
        try:
            results = past.or_concluded(
                lambda: fetch(api, query), api, query.namespace, query.experiment, None
            )
        except GimelError as error:
            click.echo(f"Error: {error}", err=True)
        else:
            if results is None:
                return
            if sys.stdout.isatty():
                click.clear()
            _show(results, query)
            click.echo(f"\nUpdated {time.strftime('%H:%M:%S')}. Press Ctrl-C to stop.")
        sleep(REFRESH_SECONDS)


def _in_states(experiments: Sequence[Experiment], query: Query) -> tuple[Experiment, ...]:
    return tuple(each for each in experiments if not query.states or state_of(each) in query.states)


def _show(results: Results, query: Query) -> None:
    # Imported here: rich takes about 0.1 s, and no form for programs needs it.
    from rich.console import Console

    from gimel.report import listing, terminal
    from gimel.report.layout import Screen

    if not results.experiments:
        click.echo(past.all_concluded(query.namespace))
        return
    console = Console(highlight=False, emoji=False, markup=False)
    screen = Screen(console.width, console.options.ascii_only, console.is_terminal)
    listed = _in_states(results.experiments, query)
    if query.is_full and listed:
        parts = terminal.report(
            in_order(listed),
            results.ignored,
            time.time(),
            screen,
            query.precision,
            query.details,
            query.history,
        )
    else:
        parts = listing.overview(
            results.experiments,
            results.ignored,
            screen,
            listing.Query(query.states, query.goal, query.command),
            query.precision,
        )
    for part in parts:
        console.print(part, crop=False)
