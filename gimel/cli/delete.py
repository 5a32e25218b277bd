"""`gimel delete`: one experiment by its name, or every one that matches a pattern."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

import click

from gimel.analysis.counts import ExperimentCounts
from gimel.analysis.phrases import pluralize
from gimel.api.client import Api, Unavailable
from gimel.cli import conclude, terminal
from gimel.cli.connection import api_options, complete_experiments, find_api
from gimel.cli.help import Command
from gimel.errors import GimelError
from gimel.report import past
from gimel.report.figures import visible

WAITS = (1, 2, 4)
"""Seconds before each further attempt, if the API is unavailable."""

_WILDCARDS = "*?["
_PREVIEWED = 50
_NAMED = 10  # in an error


@click.command(
    cls=Command,
    examples={
        'gimel delete "signup button"': "ask, then delete it",
        'gimel delete --dry-run "old-*"': "show what would be deleted",
        "gimel delete --yes --local simulation": "of `gimel serve`, without asking",
    },
)
@click.argument("experiment", shell_complete=complete_experiments)
@click.option("--dry-run", is_flag=True, help="Print what would be deleted, and delete nothing.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@api_options
def command(
    experiment: str,
    dry_run: bool,
    yes: bool,
    namespace: str,
    url: str | None,
    api_key: str | None,
    local: bool,
) -> None:
    """Delete the counts of EXPERIMENT. This cannot be undone.

    EXPERIMENT may be a pattern in quotes: "old-*" deletes all experiments whose names begin with
    old-. In a pattern, * stands for any characters, ? for one, and [ab] for a or b. If an
    experiment has exactly this name, only that one is deleted.
    """
    api = find_api(url, api_key, local)
    if not dry_run and not any(wildcard in experiment for wildcard in _WILDCARDS):
        _delete_one(api, namespace, experiment, yes)
        return
    found = _select(api.experiments(namespace).experiments, experiment)
    if not found and dry_run and (ended := conclude.concluded(api, namespace, experiment)):
        click.echo(f"{visible(experiment)} (concluded; its record): {past.outcome(ended)}")
    elif not found:
        click.echo(f"Nothing to delete: {namespace!r} has no experiment {experiment!r}.")
    elif dry_run:
        for each in found:
            click.echo(_describe(each))
    elif found[0].name == experiment:
        _delete_one(api, namespace, experiment, yes)
    else:
        if not yes:
            _preview(found)
        number = pluralize(len(found), "experiment")
        terminal.confirm(f"Delete the counts of {number} in {namespace!r}?", yes)
        _delete_all(api, namespace, [each.name for each in found])


def _select(experiments: Sequence[ExperimentCounts], pattern: str) -> list[ExperimentCounts]:
    """Return the experiment of exactly this name, else those that match it as a pattern."""
    exact = [each for each in experiments if each.name == pattern]
    return exact or [each for each in experiments if fnmatchcase(each.name, pattern)]


def _preview(found: Sequence[ExperimentCounts]) -> None:
    for each in found[:_PREVIEWED]:
        click.echo(f"  {_describe(each)}", err=True)
    if len(found) > _PREVIEWED:
        more = len(found) - _PREVIEWED
        click.echo(f"  and {more:,} more; --dry-run shows all of them", err=True)


def _describe(experiment: ExperimentCounts) -> str:
    visitors = sum(count.value for count in experiment.visitors.values())
    return f"{visible(experiment.name)} ({pluralize(visitors, 'visitor')})"


def _delete_one(api: Api, namespace: str, name: str, yes: bool) -> None:
    if not yes and terminal.can_ask() and _offer(api, namespace, name):
        return
    terminal.confirm(f"Delete the counts of {name!r} in {namespace!r}?", yes)
    click.echo(_delete(api, namespace, name, WAITS, time.sleep))


def _offer(api: Api, namespace: str, name: str) -> bool:
    """Offer to conclude an undecided experiment instead. Return whether that was done."""
    if ended := conclude.concluded(api, namespace, name):
        to_stderr = terminal.asks_on_stderr()
        click.echo(f"{visible(name)} was concluded. Its record is deleted too.", err=to_stderr)
        click.echo(f"  {past.outcome(ended)} {past.learned(ended)}", err=to_stderr)
        return False
    try:
        found = conclude.find(api, namespace, name)
    except GimelError:
        return False  # the deletion says what is wrong
    if found.headline.safe_to_stop or not found.visitors:
        return False
    conclude.show(found, None)
    question = "Conclude it instead? That ends it too, but keeps its result."
    if not click.confirm(question, err=terminal.asks_on_stderr()):
        return False
    click.echo(conclude.conclude(api, namespace, found, None, ""))
    return True


def _delete_all(api: Api, namespace: str, names: Sequence[str]) -> None:
    """Delete experiments one by one. Raises GimelError at the end if some were not deleted."""
    failed: list[str] = []
    for name in names:
        try:
            # After one that failed in spite of waiting, the others are not waited for.
            click.echo(_delete(api, namespace, name, () if failed else WAITS, time.sleep))
        except GimelError as error:
            failed.append(name)
            click.echo(f"Did not delete {name!r}: {error.message}", err=True)
    if failed:
        listed = ", ".join(map(repr, failed[:_NAMED]))
        more = f" and {len(failed) - _NAMED:,} more" if len(failed) > _NAMED else ""
        raise GimelError(
            f"{len(failed):,} of {pluralize(len(names), 'experiment')} could not be deleted:"
            f" {listed}{more}.",
            "Run the command again: it also finishes a deletion that was interrupted.",
        )


def _delete(
    api: Api, namespace: str, name: str, waits: Sequence[float], sleep: Callable[[float], None]
) -> str:
    """Delete an experiment and return what was done. Raises GimelError."""
    for wait in waits:
        try:
            return _done(namespace, name, api.delete(namespace, name))
        except Unavailable as error:
            click.echo(f"{error.message} Trying again in {wait} s.", err=True)
            sleep(wait)
    return _done(namespace, name, api.delete(namespace, name))


def _done(namespace: str, name: str, counters: int | None) -> str:
    if counters is None:
        return f"Deleted {name!r}."
    if counters == 0:
        return f"Nothing to delete: {namespace!r} has no experiment {name!r}."
    return f"Deleted {pluralize(counters, 'counter')} of {name!r}."
