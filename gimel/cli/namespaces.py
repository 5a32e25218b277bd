"""`gimel namespaces`: which namespaces exist."""

from __future__ import annotations

import json

import click

from gimel.cli.connection import connection_options, find_api
from gimel.cli.help import Command
from gimel.report.figures import visible


@click.command(
    cls=Command,
    examples={
        "gimel namespaces": "",
        "gimel namespaces --local --json": "those of `gimel serve`",
    },
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connection_options
def command(as_json: bool, url: str | None, api_key: str | None, local: bool) -> None:
    """List the namespaces that have experiments, one per line.

    A namespace is listed from its first event on. One that Gimel 1.5.0 counted is listed from its
    first event after the upgrade.
    """
    names, has_more = find_api(url, api_key, local).namespaces()
    if as_json:
        click.echo(json.dumps({"namespaces": names, "more": has_more}, indent=2))
        return
    for name in names:
        click.echo(visible(name))
    if has_more:
        click.echo(f"There are more: only the first {len(names)} are listed.", err=True)
    if not names:
        click.echo("There is no namespace yet: one appears after its first event.", err=True)
