"""`gimel destroy`"""

from __future__ import annotations

import click

from gimel.cli import terminal
from gimel.deploy.plan import observe, plan_destroy
from gimel.deploy.resources.base import Look


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@terminal.aws_options
def command(yes: bool, profile: str | None, region: str | None) -> None:
    """Delete everything that `gimel deploy` created, and nothing else. Redis is not touched."""
    console = terminal.stderr()
    aws = terminal.connect(profile, region)
    observed = observe(Look(aws))
    steps = plan_destroy(observed)
    if not steps:
        click.echo(f"No Gimel deployment found in {aws.region}.")
        return
    console.print(f"Region {aws.region}, account {observed.identity.account}:")
    terminal.show_steps(steps, console)
    console.print("Redis and the counts in it are not touched.")
    terminal.confirm("Delete all of this?", yes)
    terminal.perform(aws, steps, observed, console)
    click.echo("Deleted. Redis and the counts in it are unchanged.")
