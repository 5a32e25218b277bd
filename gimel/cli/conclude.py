"""`gimel conclude`: end an experiment and keep what was learned, or undo that."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import click

from gimel.analysis.concluded import MAX_NOTE, Concluded, record
from gimel.analysis.experiment import Experiment, NotFound, analyse
from gimel.analysis.phrases import day
from gimel.api.client import Api, Unavailable
from gimel.cli import Options, terminal
from gimel.cli.connection import api_options, complete_experiments, find_api, repeat
from gimel.cli.help import Command
from gimel.errors import GimelError, suggest
from gimel.report import past
from gimel.report.figures import visible
from gimel.serve.demo_experiment import with_demo

WAITS = (1, 2, 4)
"""Seconds before each further attempt, if the API is unavailable."""


@click.command(
    cls=Command,
    examples={
        'gimel conclude "signup button"': "keep the verdict's winner",
        "gimel conclude menu --winner icons --note 'Support likes it.'": "choose it yourself",
        "gimel conclude --reopen menu": "undo it within 7 days",
    },
)
@click.argument("experiment", shell_complete=complete_experiments)
@click.option("--winner", metavar="VARIANT", help="Variant to keep. [default: the verdict's]")
@click.option("--note", default="", metavar="TEXT", help="What to remember, in your words.")
@click.option("--reopen", is_flag=True, help="Undo the conclusion: count its events again.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@api_options
def command(
    experiment: str,
    winner: str | None,
    note: str,
    reopen: bool,
    yes: bool,
    namespace: str,
    url: str | None,
    api_key: str | None,
    local: bool,
) -> None:
    """End EXPERIMENT and keep its result: verdict, winner, note, design and history.

    Later events of it are ignored. `gimel results --concluded` lists what was learned. For 7 days,
    --reopen continues the experiment with its exact counts.
    """
    if reopen and (winner is not None or note):
        raise click.UsageError("--reopen takes neither --winner nor --note.")
    if len(note) > MAX_NOTE:
        raise click.UsageError(f"--note has {len(note)} characters; it may have {MAX_NOTE}.")
    api = find_api(url, api_key, local)
    if reopen:
        require(api, namespace, experiment)
        terminal.confirm(f"Reopen {experiment!r} in {namespace!r}?", yes)
        retry(lambda: api.reopen(namespace, experiment))
        click.echo(f"Reopened {experiment!r}: its events are counted again.")
        return
    found = find(api, namespace, experiment)
    kept = record(found, winner, note)
    if not yes:
        show(found, kept["winner"])
    terminal.confirm(f"Conclude {experiment!r} in {namespace!r}?", yes)
    click.echo(conclude(api, namespace, found, winner, note))


def find(api: Api, namespace: str, name: str) -> Experiment:
    """Return a running experiment as it is now, with the configured design. Raises GimelError."""
    context = click.get_current_context()
    options: Options = context.obj
    designs = options.load_config().designs()
    if context.params["local"]:
        designs = with_demo(designs)
    try:
        counts = api.experiment(namespace, name, history=True)
    except NotFound:
        if ended := concluded(api, namespace, name):
            at = f" on {day(ended.at)}" if ended.at else ""
            raise GimelError(
                f"{name!r} was already concluded{at}.",
                f"`{repeat(context, 'results', name)}` shows its record.\n{_undo(name)}",
            ) from None
        raise
    return analyse(counts, designs.get(name), now=time.time())


def require(api: Api, namespace: str, name: str) -> Concluded:
    """Return the concluded experiment of that name. Raises GimelError."""
    found = api.concluded(namespace)
    for each in found:
        if each.name == name:
            return each
    raise NotFound(
        f"The namespace {namespace!r} has no concluded experiment {name!r}.",
        suggest(name, [each.name for each in found]),
    )


def concluded(api: Api, namespace: str, name: str) -> Concluded | None:
    """Return the concluded experiment of that name; None without one, or if the API keeps none."""
    with contextlib.suppress(GimelError):
        scope = None if "," in name else name  # a comma separates the names of a scope
        for each in api.concluded(namespace, scope):
            if each.name == name:
                return each
    return None


def show(experiment: Experiment, winner: str | None) -> None:
    """Print what is about to be recorded, where a question about it is seen."""
    verdict = experiment.headline
    chosen = "No winner." if winner is None else f"Winner: {visible(winner)}."
    for each in filter(None, (past.warning(experiment), visible(verdict.sentence), chosen)):
        click.echo(each, err=terminal.asks_on_stderr())


def conclude(
    api: Api, namespace: str, experiment: Experiment, winner: str | None, note: str
) -> str:
    """Conclude an experiment and return what was done. Raises GimelError."""
    kept, name = record(experiment, winner, note), experiment.name
    if not retry(lambda: api.conclude(namespace, name, kept)):
        raise NotFound(f"There is no experiment {name!r} in the namespace {namespace!r}.")
    words = "no winner" if kept["winner"] is None else f"winner {kept['winner']!r}"
    lines = [f"Concluded {name!r}: {words}. Later events are ignored."]
    if kept["note"] != " ".join(note.split()):
        lines.append("The note was shortened to fit.")
    lines.append(_undo(name))
    return "\n".join(lines)


def retry(call: Callable[[], int]) -> int:
    """Return what a call returns that is repeated while the API is unavailable."""
    for wait in WAITS:
        try:
            return call()
        except Unavailable as error:
            click.echo(f"{error.message} Trying again in {wait} s.", err=True)
            time.sleep(wait)
    return call()


def _undo(name: str) -> str:
    command = repeat(click.get_current_context(), "conclude", "--reopen", name)
    return f"`{command}` undoes it within 7 days."
