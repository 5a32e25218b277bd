"""`gimel client`"""

from __future__ import annotations

import click

from gimel.cli.help import Command
from gimel.page.client import declarations, script


@click.command(
    cls=Command,
    examples={
        "gimel client > gimel.js": "a file for your site",
        "gimel client --readable --module > gimel.mjs": "an ES module, not minified",
        "gimel client --types > gimel.d.ts": "for TypeScript",
    },
)
@click.option("--module", is_flag=True, help="As an ES module, with a default export.")
@click.option("--readable", is_flag=True, help="The source with its comments, not minified.")
@click.option("--types", is_flag=True, help="The TypeScript declarations instead of the script.")
def command(module: bool, readable: bool, types: bool) -> None:
    """Print gimel.js, the client to put on your site: `gimel client > gimel.js`."""
    if types and (module or readable):
        raise click.UsageError("--types cannot be combined with another option.")
    click.echo(declarations() if types else script(module=module, readable=readable), nl=False)
