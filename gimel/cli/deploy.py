"""`gimel deploy`"""

from __future__ import annotations

import datetime
from typing import Any

import click

from gimel.cli import Options, terminal
from gimel.deploy import cost, steps
from gimel.deploy.checks import findings, smoke
from gimel.deploy.desired import desire
from gimel.deploy.models import Desired
from gimel.deploy.outputs import Outputs, outputs
from gimel.errors import GimelError
from gimel.page.snippet import snippet


@click.command()
@click.option("--dry-run", is_flag=True, help="Print the steps, and perform none.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the steps and what they lead to as JSON."
)
@click.option("--no-preflight", is_flag=True, help="Leave the checks of `gimel preflight` out.")
@click.option("--yes", is_flag=True, help="Do not ask before the first step.")
@terminal.aws_options
@click.pass_obj
def command(
    options: Options,
    dry_run: bool,
    as_json: bool,
    no_preflight: bool,
    yes: bool,
    profile: str | None,
    region: str | None,
) -> None:
    """Put the backend on AWS, or bring what is there up to the configuration.

    Says what it will do first; does nothing where nothing changed; tries the result through its public URLs.
    """
    from gimel.deploy import observe, plan
    from gimel.deploy.checks.preflight import preflight

    console = terminal.stderr()
    config = options.load_config()
    desired = desire(config)
    aws = terminal.connect(profile, region)
    if not no_preflight:
        found = preflight(config, aws, datetime.date.today(), before_deploy=True)
        terminal.show_findings(
            [each for each in found if as_json is False or each.status != "ok"], console
        )
        if findings.any_failed(found):
            raise GimelError(
                "Nothing was deployed: a check failed.",
                "Put it right, or leave the checks out with --no-preflight.",
            )
    observed = observe.observe(aws, desired)
    planned = plan.plan(desired, observed)
    if dry_run:
        if as_json:
            terminal.print_json({"steps": steps.as_json(planned)})
        else:
            click.echo(
                "\n".join(f"{number:3}. {step}" for number, step in enumerate(planned, 1))
                or "Nothing to do."
            )
        return
    if planned:
        console.print(f"Region {aws.region}, account {observed.identity.account}:")
        terminal.show_steps(planned, console)
        if not yes and terminal.can_ask():
            terminal.confirm("Do this?", yes)
        deployed = terminal.perform(aws, planned, observed, console)
    else:
        console.print("Nothing to do: what is on AWS is what the configuration asks for.")
        deployed = terminal.perform(aws, planned, observed, console)
    reached = outputs(deployed, config.wiring, aws.region, aws.endpoint)
    patience = 10.0 if aws.endpoint else smoke.PATIENCE
    seen = smoke.check(reached, config, patience=patience)
    if as_json:
        terminal.print_json(
            {
                "steps": steps.as_json(planned),
                **_document(reached, desired),
                "checks": findings.as_json(seen),
            }
        )
    else:
        terminal.show_findings(seen, console)
        _print(reached, desired)
    if findings.any_failed(seen):
        failed = "; ".join(
            f"{each.name}: {each.message}" for each in seen if each.status == "failed"
        )
        raise GimelError(
            f"It is deployed, and does not work: {failed}.",
            "What is deployed stays. `gimel rollback` undoes a change.",
        )


def _document(reached: Outputs, desired: Desired) -> dict[str, Any]:
    million = _cost(desired)
    return {
        "endpoints": [
            {
                "method": each.method,
                "url": each.url,
                "handler": each.handler,
                "api_key_required": each.api_key_required,
            }
            for each in reached.endpoints
        ],
        "api_key": reached.key,
        "cost_of_a_million_events": {
            "through_api": million.through_api,
            "through_url": million.through_url,
        },
    }


def _print(reached: Outputs, desired: Desired) -> None:
    for endpoint in reached.endpoints:
        click.echo(
            f"{endpoint.method:7} {endpoint.url}{'  (API key)' if endpoint.api_key_required else ''}"
        )
    million = _cost(desired)
    click.echo(f"API key {reached.key}")
    click.echo(
        f"A million events cost about ${million.through_api:.2f} through the API, "
        f"${million.through_url:.2f} through a function URL (see WIRING.md), Redis aside."
    )
    track = reached.endpoint("gimel.track")
    if track:
        click.echo(f"\n{snippet(track.url, 'alephbet')}", nl=False)


def _cost(desired: Desired) -> cost.Cost:
    track = next(
        each.configuration
        for each in desired.functions
        if each.configuration.handler == "gimel.track"
    )
    return cost.of_a_million(track.memory, track.architecture)
