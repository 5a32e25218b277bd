"""`gimel snippet`"""

from __future__ import annotations

import click

from gimel.page.snippet import snippet


@click.command()
@click.option(
    "--namespace",
    default="alephbet",
    show_default=True,
    help="Keeps experiments apart, as of two sites.",
)
@click.option(
    "--url", default="http://127.0.0.1:8000/track", show_default=True, help="Where events are sent."
)
def command(namespace: str, url: str) -> None:
    """Print the HTML to paste into a page: AlephBet, an experiment, a goal."""
    click.echo(snippet(url, namespace), nl=False)
