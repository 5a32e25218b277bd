"""`gimel preflight`"""

from __future__ import annotations

import datetime

import click
from rich.console import Console

from gimel.cli import Options, terminal
from gimel.deploy.checks import findings
from gimel.errors import GimelError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@terminal.aws_options
@click.pass_obj
def command(options: Options, as_json: bool, profile: str | None, region: str | None) -> None:
    """Check configuration, AWS credentials and rights, and Redis; change nothing.

    A line a check: ok, warning or failed, and what to do. Exits with 1 when one failed.
    """
    from gimel.deploy.checks import preflight

    try:
        config = options.load_config()
    except GimelError as error:
        found = [findings.failed("configuration", error.message, error.hint)]
    else:
        today = datetime.date.today()
        try:
            found = preflight.preflight(config, terminal.connect(profile, region), today)
        except GimelError as error:
            found = [
                *preflight.preflight(config, None, today),
                findings.failed("AWS", error.message, error.hint),
            ]
    if as_json:
        terminal.print_json(findings.as_json(found))
    else:
        terminal.show_findings(found, Console(soft_wrap=True, highlight=False))
    if findings.any_failed(found):
        raise click.exceptions.Exit(1)
