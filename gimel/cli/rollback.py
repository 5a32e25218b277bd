"""`gimel rollback`"""

from __future__ import annotations

import click

from gimel.cli import terminal


@click.command()
@click.option(
    "--to",
    metavar="VERSION",
    type=click.IntRange(1),
    help="The version to go back to. [default: the one before]",
)
@terminal.aws_options
def command(to: int | None, profile: str | None, region: str | None) -> None:
    """Point every function to its previous version, all of them or none. Redis data is not touched.

    The next `gimel deploy` goes forward again.
    """
    from gimel.deploy import observe, plan
    from gimel.deploy.apply import apply_all_or_none

    console = terminal.stderr()
    aws = terminal.connect(profile, region)
    observed = observe.observe(aws, versions=True)
    planned = plan.plan_rollback(observed, to)
    terminal.show_steps(planned, console)
    apply_all_or_none(aws, planned, observed)
    click.echo("Rolled back." if planned else "Nothing to do: that version is live.")
