"""What `gimel results` prints of concluded experiments."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import click
from click.core import ParameterSource

from gimel.analysis.concluded import Concluded
from gimel.analysis.experiment import NotFound
from gimel.api.client import Api
from gimel.cli import conclude
from gimel.cli.connection import repeat
from gimel.errors import GimelError
from gimel.report import past

Found = TypeVar("Found")


concluded_option = click.option(
    "--concluded",
    "show_concluded",
    is_flag=True,
    help="Show the experiments that were concluded: what was learned, when, and how sure.",
)


_OF_RUNNING_ONES = (
    *("show_all", "states", "goal", "control", "lift", "confidence", "details", "history"),
    *("watch", "fail_on"),
)


def check(context: click.Context) -> None:
    """Raise a UsageError for an option of `gimel results` that `--concluded` would ignore."""
    for parameter in context.command.params:
        name = parameter.name or ""
        is_given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if is_given and name in _OF_RUNNING_ONES:
            raise click.UsageError(
                f"--concluded cannot be used with {parameter.opts[0]}. Remove one of them."
            )


def show(api: Api, namespace: str, name: str | None, form: str | None) -> None:
    """Print the concluded experiments of a namespace, or one of them. Raises GimelError."""
    found = api.concluded(namespace) if name is None else [conclude.require(api, namespace, name)]
    _print(found, namespace, form)


def or_concluded(
    fetch: Callable[[], Found], api: Api, namespace: str, name: str | None, form: str | None
) -> Found | None:
    """Return what is fetched; None after printing the record if the experiment was concluded."""
    try:
        return fetch()
    except NotFound:
        ended = conclude.concluded(api, namespace, name) if name is not None else None
        if ended is None:
            raise
    _print([ended], namespace, form)
    return None


def exists(api: Api, namespace: str) -> bool:
    """Return whether an experiment of the namespace was concluded; False if the API keeps none."""
    with contextlib.suppress(GimelError):
        return bool(api.concluded(namespace))
    return False


def all_concluded(namespace: str) -> str:
    """Return what is said of a namespace in which no experiment runs any more."""
    command = repeat(click.get_current_context(), "results", "--concluded")
    return (
        f"No experiment is running in the namespace {namespace!r}.\n"
        f"`{command}` lists those that were concluded."
    )


def _print(found: Sequence[Concluded], namespace: str, form: str | None) -> None:
    if form is None:
        _show(found, namespace)
    elif form == "json":
        click.echo(past.to_json(found, namespace))
    elif form == "csv":  # as bytes, so that it is UTF-8 everywhere
        click.echo(past.to_csv(found, namespace).encode(), nl=False)
    else:
        click.echo(past.to_excel(found, namespace), nl=False)


def _show(found: Sequence[Concluded], namespace: str) -> None:
    # Imported here: rich takes about 0.1 s, and no form for programs needs it.
    from rich.console import Console

    from gimel.report.layout import Screen

    console = Console(highlight=False, emoji=False, markup=False)
    screen = Screen(console.width, console.options.ascii_only, console.is_terminal)
    for part in past.text(found, namespace, time.time(), screen):
        console.print(part, crop=False)
