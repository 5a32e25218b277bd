"""`gimel rollback`"""

from __future__ import annotations

import click

from gimel.cli import terminal
from gimel.deploy.apply import apply_all_or_none
from gimel.deploy.plan import observe, plan_rollback
from gimel.deploy.resources.base import Look


@click.command()
@click.option(
    "--to",
    metavar="VERSION",
    type=click.IntRange(1),
    help="Version to go back to. [default: the previous one]",
)
@terminal.aws_options
def command(to: int | None, profile: str | None, region: str | None) -> None:
    """Point every function to its previous version: all of them or none. Redis is not touched.

    The next `gimel deploy` makes the configuration live again.
    """
    console = terminal.stderr()
    aws = terminal.connect(profile, region)
    observed = observe(Look(aws, versions=True))
    moves = plan_rollback(observed, to)
    terminal.show_steps(moves, console)
    apply_all_or_none(aws, moves, observed)
    click.echo("Rolled back." if moves else "Nothing to do: that version is live.")
