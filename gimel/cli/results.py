"""`gimel results`"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import click

from gimel.analysis.design import Design
from gimel.analysis.experiment import Experiment, analyse, analyse_all, require_experiments
from gimel.api.client import Api
from gimel.cli import Options
from gimel.cli.connection import api_options, find_api
from gimel.cli.numbers import CONFIDENCE
from gimel.errors import GimelError, suggest
from gimel.report import export

SECONDS_BETWEEN_LOOKS = 10


@dataclass(frozen=True)
class Question:
    """What is asked for: an experiment or all of them, a goal or all of them, against which control, how sure."""

    namespace: str
    experiment: str | None
    goal: str | None
    control: str | None
    confidence: float
    designs: Mapping[str, Design]


@dataclass(frozen=True)
class Found:
    """What was asked for, and the events of no known experiment that were ignored, by reason."""

    experiments: tuple[Experiment, ...]
    ignored: Mapping[str, int]


@click.command()
@click.argument("experiment", required=False)
@click.option("--goal", metavar="GOAL", help="Show this goal only.")
@click.option(
    "--control",
    metavar="VARIANT",
    help="Compare with this variant. [default: the configuration's, else control, original or baseline, else the first]",
)
@click.option(
    "--confidence",
    default=0.95,
    show_default=True,
    type=CONFIDENCE,
    help="How sure an interval or a verdict is.",
)
@click.option("--json", "form", flag_value="json", help="Print all figures as JSON.")
@click.option("--csv", "form", flag_value="csv", help="Print a line for each variant of each goal.")
@click.option(
    "--watch", is_flag=True, help=f"Look again every {SECONDS_BETWEEN_LOOKS} seconds, until Ctrl-C."
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
    watch: bool,
    namespace: str,
    url: str | None,
    api_key: str | None,
    local: bool,
) -> None:
    """Tell which variant wins, and whether that can be trusted.

    Shows EXPERIMENT, or all experiments of the namespace, those that cannot be trusted first.
    """
    if watch and form:
        raise click.UsageError(f"--watch cannot be used with --{form}.")
    config = options.load_config()
    question = Question(namespace, experiment, goal, control, confidence, config.designs())
    api = find_api(url, api_key, local)
    if watch:
        _watch(api, question, time.sleep)
    found = ask(api, question)
    if form == "json":
        click.echo(export.to_json(found.experiments, namespace, found.ignored))
    elif form == "csv":
        click.echo(export.to_csv(found.experiments), nl=False)
    else:
        _show(found)


def ask(api: Api, question: Question) -> Found:
    """Return what was asked for. Raises GimelError, as for an experiment, goal or variant that is not there."""
    namespace, name = question.namespace, question.experiment
    if name is not None:
        counted = api.experiment(namespace, name)
        experiment = analyse(
            counted, question.designs.get(name), question.confidence, question.control
        )
        return Found(_with_goal([experiment], question.goal), {})
    answer = api.experiments(namespace)
    require_experiments(answer, namespace)
    experiments = analyse_all(answer, question.designs, question.confidence, question.control)
    return Found(_with_goal(experiments, question.goal), answer.ignored)


def _with_goal(experiments: Sequence[Experiment], name: str | None) -> tuple[Experiment, ...]:
    """Return those experiments that have the goal, with it alone; all of them as they are where no goal is named."""
    if name is None:
        return tuple(experiments)
    goals = sorted({goal.name for experiment in experiments for goal in experiment.goals})
    if name not in goals:
        raise GimelError(f"There is no goal {name!r}.", suggest(name, goals))
    chosen = [
        replace(each, goals=tuple(goal for goal in each.goals if goal.name == name))
        for each in experiments
    ]
    return tuple(each for each in chosen if each.goals)


def _watch(api: Api, question: Question, sleep: Callable[[float], None]) -> None:
    """Show the results again and again; what goes wrong meanwhile is told, and asked for again."""
    while True:
        try:
            found = ask(api, question)
        except GimelError as error:
            click.echo(f"Error: {error}", err=True)
        else:
            if sys.stdout.isatty():
                click.clear()
            _show(found)
            click.echo(f"\nAs of {time.strftime('%H:%M:%S')}. Ctrl-C ends it.")
        sleep(SECONDS_BETWEEN_LOOKS)


def _show(found: Found) -> None:
    from rich.console import Console

    from gimel.report import terminal

    console = Console(highlight=False, emoji=False, markup=False)
    for part in terminal.report(
        found.experiments, found.ignored, time.time(), console.width, console.options.ascii_only
    ):
        console.print(part)
