"""`gimel key`"""

from __future__ import annotations

import click

from gimel.cli import Options, terminal
from gimel.cli.help import Command, Group
from gimel.deploy.apply import start
from gimel.deploy.plan import observe, plan_key_rotation
from gimel.deploy.resources.base import Look


@click.group(cls=Group, examples={"gimel key rotate": ""})
def command() -> None:
    """Manage the API key that reading and deleting require."""


@command.command(
    cls=Command,
    examples={
        "gimel key rotate": "show the steps, and ask",
        "gimel key rotate --yes --show-key": "print the new key to a program",
    },
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@terminal.show_key_option
@terminal.name_option
@terminal.aws_options
@click.pass_obj
def rotate(
    options: Options,
    yes: bool,
    show_key: bool,
    name: str | None,
    profile: str | None,
    region: str | None,
) -> None:
    """Replace the API key: create a new one, then delete the old one.

    Gimel's own commands find the new key in AWS. Other programs that use the old one need it.
    """
    console = terminal.stderr()
    aws = terminal.connect(profile, region, terminal.find_deployment(options, name))
    observed = observe(Look(aws))
    steps = plan_key_rotation(observed)
    terminal.show_place(observed.identity, console)
    terminal.show_steps(steps, console)
    terminal.confirm("Replace the API key?", yes)
    deployed = terminal.perform(start(aws, observed), steps, console)
    terminal.show_api_key(deployed.key, show_key)
