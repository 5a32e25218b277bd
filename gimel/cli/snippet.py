"""`gimel snippet`"""

from __future__ import annotations

import click

from gimel.cli.connection import LOCAL_TRACK_URL
from gimel.cli.help import Command
from gimel.page.snippet import snippet
from gimel.runtime.fields import DEFAULT_NAMESPACE


@click.command(
    cls=Command,
    examples={
        "gimel snippet": "for `gimel serve`",
        "gimel snippet --url https://example.com/track": "for a deployed track URL",
        "gimel snippet --namespace shop": "",
    },
)
@click.option(
    "--namespace",
    default=DEFAULT_NAMESPACE,
    show_default=True,
    help="Keeps experiments separate, e.g. one namespace per site.",
)
@click.option(
    "--url", default=LOCAL_TRACK_URL, show_default=True, help="The track URL that gets the events."
)
def command(namespace: str, url: str) -> None:
    """Print the HTML to paste into a page: AlephBet, an experiment and a goal."""
    click.echo(snippet(url, namespace), nl=False)
