"""`gimel destroy`"""

from __future__ import annotations

import click

from gimel.cli import Options, terminal
from gimel.cli.help import Command
from gimel.deploy.apply import start
from gimel.deploy.notices import destroy_notices
from gimel.deploy.plan import observe, plan_destroy
from gimel.deploy.resources.base import Look


@click.command(
    cls=Command,
    examples={
        "gimel destroy": "show what it is, and ask",
        "gimel destroy --name staging --region eu-west-1": "without config.json",
    },
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@terminal.name_option
@terminal.aws_options
@click.pass_obj
def command(
    options: Options, yes: bool, name: str | None, profile: str | None, region: str | None
) -> None:
    """Delete everything that `gimel deploy` created, and nothing else. Redis is not touched."""
    console = terminal.stderr()
    aws = terminal.connect(profile, region, terminal.find_deployment(options, name))
    observed = observe(Look(aws))
    steps = plan_destroy(observed)
    terminal.show_notices(destroy_notices(observed), console)
    if not steps:
        click.echo(aws.deployment.describe_absence(aws.region))
        return
    terminal.show_place(observed.identity, console)
    terminal.show_steps(steps, console)
    terminal.show_notices(["Redis and the counts in it are not touched."], console)
    terminal.confirm("Delete all of this?", yes)
    terminal.perform(start(aws, observed), steps, console)
    click.echo("Deleted. Redis and the counts in it are unchanged.")
