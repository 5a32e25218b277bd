"""`gimel rollback`"""

from __future__ import annotations

import click

from gimel.cli import Options, terminal
from gimel.cli.help import Command
from gimel.deploy.apply import apply_all_or_none, start
from gimel.deploy.deploys import live_functions
from gimel.deploy.notices import rollback_notices
from gimel.deploy.plan import observe
from gimel.deploy.resources.base import Look
from gimel.deploy.rollback import plan_rollback


@click.command(
    cls=Command,
    examples={
        "gimel rollback --dry-run": "show the plan",
        "gimel rollback": "undo the newest deploy",
        "gimel rollback --to 3": "a number from `gimel status --history`",
    },
)
@click.option(
    "--to",
    metavar="DEPLOY",
    type=click.IntRange(1),
    help="Number of the deploy to go back to. [default: the one before the newest]",
)
@click.option("--dry-run", is_flag=True, help="Show the plan without applying it.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@terminal.name_option
@terminal.aws_options
@click.pass_obj
def command(
    options: Options,
    to: int | None,
    dry_run: bool,
    yes: bool,
    name: str | None,
    profile: str | None,
    region: str | None,
) -> None:
    """Undo the newest deploy: its functions go back to what was live before.

    Functions that it did not change are not touched. Either all move or none. The versions are
    tried first. Only functions go back, not the API, and Redis is not touched. Asks only if they
    would count in another Redis. `gimel status --history` lists the deploys. The next `gimel
    deploy` makes the configuration live again.
    """
    console = terminal.stderr()
    aws = terminal.connect(profile, region, terminal.find_deployment(options, name))
    observed = observe(Look(aws, versions=True))
    steps = plan_rollback(observed, to)
    warned = [notice.text for notice in rollback_notices(observed, steps)]
    if dry_run:
        terminal.list_steps(steps, warned)
        return
    if not steps:
        click.echo(f"Nothing to do: deploy {to} is live.")
        return
    terminal.show_place(observed.identity, console)
    terminal.show_steps(steps, console)
    terminal.show_notices(warned, console)
    if warned:
        terminal.confirm("Roll back to another Redis?", yes)
    run = start(aws, observed)
    apply_all_or_none(run, steps)
    live = {each.name: each.history for each in live_functions(observed)} | run.live
    newest = max(history.newest for history in live.values())
    click.echo(f"Rolled back. Deploy {newest} is live.")
