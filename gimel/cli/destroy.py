"""`gimel destroy`"""

from __future__ import annotations

import click

from gimel.cli import Options, terminal
from gimel.cli.help import Command
from gimel.deploy.apply import start
from gimel.deploy.notices import destroy_notices
from gimel.deploy.plan import observe, plan_destroy
from gimel.deploy.resources.base import Look
from gimel.deploy.resources.store import STORE
from gimel.deploy.store_cost import SNAPSHOT_GB_MONTH


@click.command(
    cls=Command,
    examples={
        "gimel destroy": "show what it is, and ask",
        "gimel destroy --with-data": "with the store that Gimel created, and all counts",
        "gimel destroy --name staging --region eu-west-1": "without config.json",
    },
)
@click.option(
    "--with-data",
    is_flag=True,
    help="Also delete the store that `gimel deploy` created on ElastiCache, after a snapshot.",
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@terminal.name_option
@terminal.aws_options
@click.pass_obj
def command(
    options: Options,
    with_data: bool,
    yes: bool,
    name: str | None,
    profile: str | None,
    region: str | None,
) -> None:
    """Delete everything that `gimel deploy` created, except a store, and nothing else.

    A store that `gimel deploy` created on ElastiCache is deleted only with --with-data. Another
    Redis is never touched.
    """
    console = terminal.stderr()
    aws = terminal.connect(profile, region, terminal.find_deployment(options, name))
    # Without its role or its API, a deployment has no record of its store or its domain name.
    config = None if name else options.load_config()
    domain = config.document.aws.domain if config else None
    look = Look(
        aws,
        store=config is not None and config.provisions,
        with_data=with_data,
        domain=domain.name if domain else None,
    )
    observed = observe(look)
    steps = plan_destroy(observed)
    terminal.show_notices(destroy_notices(observed), console)
    if not steps:
        click.echo(aws.deployment.describe_absence(aws.region))
        return
    terminal.show_place(observed.identity, console)
    terminal.show_steps(steps, console)
    store = observed.of(STORE)
    if store is None:
        terminal.show_notices(["Redis and the counts in it are not touched."], console)
    terminal.confirm("Delete all of this?", yes)
    run = start(aws, observed)
    terminal.perform(run, steps, console)
    if store is None:
        click.echo("Deleted. Redis and the counts in it are unchanged.")
    elif snapshot := run.ids.get("final snapshot"):
        click.echo(
            f"Deleted. The counts are in the snapshot {snapshot} of ElastiCache, which costs about "
            f"${SNAPSHOT_GB_MONTH} per GB and month until you delete it."
        )
    else:
        click.echo("Deleted." if with_data else "Deleted, except the store and its counts.")
