"""`gimel destroy`"""

from __future__ import annotations

import click

from gimel.cli import terminal


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@terminal.aws_options
def command(yes: bool, profile: str | None, region: str | None) -> None:
    """Remove all that `gimel deploy` made, and nothing else. Redis, and the counts in it, stay."""
    from gimel.deploy import observe, plan

    console = terminal.stderr()
    aws = terminal.connect(profile, region)
    observed = observe.observe(aws)
    planned = plan.plan_destroy(observed)
    if not planned:
        click.echo(f"Nothing of Gimel's is in {aws.region}.")
        return
    console.print(f"Region {aws.region}, account {observed.identity.account}:")
    terminal.show_steps(planned, console)
    console.print("Redis, and the counts in it, are not touched.")
    terminal.confirm("Remove all this?", yes)
    terminal.perform(aws, planned, observed, console)
    click.echo("Removed. Redis, and the counts in it, are as they were.")
