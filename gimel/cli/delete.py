"""`gimel delete`"""

from __future__ import annotations

import click

from gimel.cli import terminal
from gimel.cli.connection import api_options, find_api


@click.command()
@click.argument("experiment")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@api_options
def command(
    experiment: str, yes: bool, namespace: str, url: str | None, api_key: str | None, local: bool
) -> None:
    """Delete the counts of EXPERIMENT. This cannot be undone."""
    api = find_api(url, api_key, local)
    terminal.confirm(f"Delete the counts of {experiment!r} in {namespace!r}?", yes)
    counters = api.delete(namespace, experiment)
    if counters is None:
        click.echo(f"Deleted {experiment!r}.")
    elif counters == 0:
        click.echo(f"Nothing to delete: {namespace!r} has no experiment {experiment!r}.")
    else:
        click.echo(f"Deleted {counters} counter{'' if counters == 1 else 's'} of {experiment!r}.")
