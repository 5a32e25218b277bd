"""`gimel status`"""

from __future__ import annotations

from typing import Any

import click

from gimel.cli import Options, terminal
from gimel.deploy.apply import start
from gimel.deploy.deployed import deployed_from_ids
from gimel.deploy.desired import desired_state
from gimel.deploy.outputs import Outputs, outputs
from gimel.deploy.plan import observe, plan
from gimel.deploy.resources.base import Look, Observed, Step
from gimel.deploy.resources.functions import FUNCTIONS
from gimel.deploy.resources.rest_api import REST_API
from gimel.errors import GimelError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the status as JSON.")
@terminal.show_key_option
@terminal.aws_options
@click.pass_obj
def command(
    options: Options, as_json: bool, show_key: bool, profile: str | None, region: str | None
) -> None:
    """Show what is deployed: URLs, versions, last change, and differences to the configuration."""
    config = options.load_config()
    desired = desired_state(config)
    aws = terminal.connect(profile, region)
    observed = observe(Look(aws, desired, versions=True))
    if observed.of(REST_API) is None and not observed.of(FUNCTIONS):
        raise GimelError(
            f"No Gimel deployment found in {aws.region}.",
            "Run `gimel deploy`, or choose another --region or --profile.",
        )
    differences = plan(desired, observed)
    reached = None
    if observed.of(REST_API):
        ids = start(aws, observed).ids
        reached = outputs(
            deployed_from_ids(ids), config.wiring, aws.region, aws.endpoint, aws.dns_suffix
        )
    if as_json:
        terminal.print_json(_document(observed, reached, differences, show_key))
    else:
        _show(observed, reached, differences, show_key)


def _show(
    observed: Observed, reached: Outputs | None, differences: tuple[Step, ...], show_key: bool
) -> None:
    if reached:
        terminal.show_endpoints(reached, show_key=show_key)
    for function in observed.of(FUNCTIONS):
        number = function.live_number
        live = "no version is live" if number is None else f"version {number} is live"
        kept = ", ".join(str(version.number) for version in function.versions)
        changed = function.last_modified
        click.echo(f"{function.name}: {live} (kept: {kept}), last changed {changed}")
    if not differences:
        click.echo("The deployment matches the configuration.")
        return
    click.echo("The deployment differs from the configuration. `gimel deploy` would:")
    click.echo("\n".join(terminal.numbered(differences)))


def _document(
    observed: Observed, reached: Outputs | None, differences: tuple[Step, ...], show_key: bool
) -> dict[str, Any]:
    return {
        "account": observed.identity.account,
        "region": observed.identity.region,
        "endpoints": terminal.endpoints_as_json(reached),
        "api_key": reached.key if reached and show_key else None,
        "functions": [
            {
                "name": function.name,
                "live": function.live_number,
                "versions": [version.number for version in function.versions],
                "last_modified": function.last_modified,
            }
            for function in observed.of(FUNCTIONS)
        ],
        "differences": terminal.steps_as_json(differences),
    }
