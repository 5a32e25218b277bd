"""`gimel status`"""

from __future__ import annotations

from typing import Any

import click

from gimel.cli import Options, terminal
from gimel.config import Config
from gimel.deploy import steps
from gimel.deploy.desired import desire
from gimel.deploy.models import Deployed, Observed
from gimel.deploy.outputs import Outputs, outputs
from gimel.errors import GimelError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@terminal.aws_options
@click.pass_obj
def command(options: Options, as_json: bool, profile: str | None, region: str | None) -> None:
    """Show what is deployed: URLs, versions, last change, and how it differs from the configuration."""
    from gimel.deploy import observe, plan

    config = options.load_config()
    desired = desire(config)
    aws = terminal.connect(profile, region)
    observed = observe.observe(aws, desired, versions=True)
    if observed.api is None and not observed.functions:
        raise GimelError(
            f"Nothing is deployed in {aws.region}.",
            "Run `gimel deploy`, or give another --region or --profile.",
        )
    differences = plan.plan(desired, observed)
    reached = _reached(observed, config, aws.region, aws.endpoint)
    if as_json:
        terminal.print_json(_document(observed, reached, differences))
        return
    for endpoint in reached.endpoints if reached else ():
        click.echo(
            f"{endpoint.method:7} {endpoint.url}{'  (API key)' if endpoint.api_key_required else ''}"
        )
    if reached and reached.key:
        click.echo(f"API key {reached.key}")
    for function in observed.functions:
        live = (
            "no version is live"
            if function.live_number is None
            else f"version {function.live_number} is live"
        )
        kept = ", ".join(str(version.number) for version in function.versions)
        click.echo(f"{function.name}: {live} (kept: {kept}), changed {function.last_modified}")
    if not differences:
        click.echo("It is what the configuration asks for.")
        return
    click.echo("It differs from the configuration; `gimel deploy` would:")
    for number, step in enumerate(differences, 1):
        click.echo(f"{number:3}. {step}")


def _reached(
    observed: Observed, config: Config, region: str, emulator: str | None
) -> Outputs | None:
    if observed.api is None:
        return None
    urls = {function.name: function.url for function in observed.functions if function.url}
    return outputs(
        Deployed(observed.api.id, observed.key.value if observed.key else "", urls),
        config.wiring,
        region,
        emulator,
    )


def _document(
    observed: Observed, reached: Outputs | None, differences: tuple[steps.Step, ...]
) -> dict[str, Any]:
    return {
        "account": observed.identity.account,
        "region": observed.identity.region,
        "endpoints": [
            {
                "method": each.method,
                "url": each.url,
                "handler": each.handler,
                "api_key_required": each.api_key_required,
            }
            for each in (reached.endpoints if reached else ())
        ],
        "api_key": reached.key if reached else None,
        "functions": [
            {
                "name": function.name,
                "live": function.live_number,
                "versions": [version.number for version in function.versions],
                "last_modified": function.last_modified,
            }
            for function in observed.functions
        ],
        "differences": steps.as_json(differences),
    }
