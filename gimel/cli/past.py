"""What `gimel results` prints of concluded experiments."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import click

from gimel.analysis.concluded import Concluded
from gimel.analysis.experiment import NotFound
from gimel.api.client import Api
from gimel.cli import conclude
from gimel.errors import suggest
from gimel.report import past

Found = TypeVar("Found")


concluded_option = click.option(
    "--concluded",
    "show_concluded",
    is_flag=True,
    help="Show the experiments that were concluded: what was learned, when, and how sure.",
)


def show(api: Api, namespace: str, name: str | None, form: str | None) -> None:
    """Print the concluded experiments of a namespace, or one of them. Raises GimelError."""
    found = api.concluded(namespace)
    if name is not None:
        chosen = tuple(each for each in found if each.name == name)
        if not chosen:
            raise NotFound(
                f"The namespace {namespace!r} has no concluded experiment {name!r}.",
                suggest(name, [each.name for each in found]),
            )
        found = chosen
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


def _print(found: Sequence[Concluded], namespace: str, form: str | None) -> None:
    if form is None:
        click.echo(past.text(found, namespace, time.time()))
    elif form == "json":
        click.echo(past.to_json(found, namespace))
    elif form == "csv":  # as bytes, so that it is UTF-8 everywhere
        click.echo(past.to_csv(found, namespace).encode(), nl=False)
    else:
        click.echo(
            past.to_csv(found, namespace).replace("\n", "\r\n").encode("utf-8-sig"), nl=False
        )
