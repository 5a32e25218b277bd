"""`gimel preflight`"""

from __future__ import annotations

import datetime

import click

from gimel.cli import Options, terminal
from gimel.cli.help import Command
from gimel.cli.progress import working
from gimel.deploy.checks.findings import any_failed, failed, findings_as_json
from gimel.deploy.checks.preflight import preflight
from gimel.errors import GimelError


@click.command(
    cls=Command,
    examples={
        "gimel preflight": "",
        "gimel preflight --region eu-west-1 --json": "",
    },
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@terminal.aws_options
@click.pass_obj
def command(options: Options, as_json: bool, profile: str | None, region: str | None) -> None:
    """Check the configuration, AWS (credentials, permissions, quotas) and Redis. Changes nothing.

    Prints one line per check: ok, warning or failed, and what to do. Exits with 1 if one failed.
    """
    try:
        config = options.load_config()
    except GimelError as error:
        found = [failed("configuration", error.message, error.hint)]
    else:
        today = datetime.date.today()
        with working("Checking AWS and Redis", terminal.stderr()):
            try:
                deployment = terminal.configured_deployment(config)
                found = preflight(config, terminal.connect(profile, region, deployment), today)
            except GimelError as error:
                no_aws = failed("AWS", error.message, error.hint)
                found = [*preflight(config, None, today), no_aws]
    if as_json:
        terminal.print_json(findings_as_json(found))
    else:
        terminal.show_findings(found, terminal.stdout())
    if any_failed(found):
        raise click.exceptions.Exit(1)
