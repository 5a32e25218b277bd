"""`gimel deploy`"""

from __future__ import annotations

import datetime
from typing import Any

import click
from rich.console import Console

from gimel.cli import Options, terminal
from gimel.config import Config
from gimel.deploy.aws import Aws
from gimel.deploy.checks import smoke
from gimel.deploy.checks.findings import Finding, any_failed, findings_as_json
from gimel.deploy.checks.preflight import preflight
from gimel.deploy.cost import Cost, cost_per_million
from gimel.deploy.desired import Desired, desired_state
from gimel.deploy.outputs import Outputs, outputs
from gimel.deploy.plan import observe, plan
from gimel.deploy.resources.base import Look, Observed, Step
from gimel.errors import GimelError
from gimel.page.snippet import snippet
from gimel.runtime.fields import DEFAULT_NAMESPACE

_PATIENCE_WITH_EMULATOR = 10.0  # seconds


@click.command()
@click.option("--dry-run", is_flag=True, help="Show the plan without applying it.")
@click.option("--json", "as_json", is_flag=True, help="Print the steps and the result as JSON.")
@click.option("--no-preflight", is_flag=True, help="Skip the `gimel preflight` checks.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@terminal.show_key_option
@terminal.aws_options
@click.pass_obj
def command(
    options: Options,
    dry_run: bool,
    as_json: bool,
    no_preflight: bool,
    yes: bool,
    show_key: bool,
    profile: str | None,
    region: str | None,
) -> None:
    """Deploy the backend to AWS, or update it to match the configuration.

    Shows the plan first, changes only what differs, and tests the result through its public URLs.
    Without a terminal, a plan that deletes something needs --yes.
    """
    console = terminal.stderr()
    config = options.load_config()
    desired = desired_state(config)
    aws = terminal.connect(profile, region)
    if not no_preflight:
        _check_first(config, aws, console, warnings_only=as_json)
    observed = observe(Look(aws, desired))
    steps = plan(desired, observed)
    if dry_run:
        _show_plan(steps, as_json)
        return
    if steps:
        console.print(f"Region {aws.region}, account {observed.identity.account}:")
        terminal.show_steps(steps, console)
        _confirm(steps, yes)
    else:
        console.print("Nothing to do: the deployment matches the configuration.")
    reached = _apply(aws, steps, observed, config, console)
    patience = _PATIENCE_WITH_EMULATOR if aws.endpoint else smoke.PATIENCE
    findings = smoke.smoke_test(reached, config, patience=patience, ca_bundle=aws.ca_bundle)
    if as_json:
        document = _document(steps, reached, desired, findings, show_key)
        terminal.print_json(document)
    else:
        terminal.show_findings(findings, console)
        _show_result(reached, desired, show_key)
    if any_failed(findings):
        failures = [f"{each.name}: {each.message}" for each in findings if each.status == "failed"]
        raise GimelError(
            f"Deployed, but the smoke test failed: {'; '.join(failures)}.",
            "The deployment stays as it is. `gimel rollback` undoes a change.",
        )


def _check_first(config: Config, aws: Aws, console: Console, *, warnings_only: bool) -> None:
    found = preflight(config, aws, datetime.date.today(), before_deploy=True)
    shown = [each for each in found if not warnings_only or each.status != "ok"]
    terminal.show_findings(shown, console)
    if any_failed(found):
        raise GimelError(
            "Nothing was deployed: a check failed.",
            "Fix it, or skip the checks with --no-preflight.",
        )


def _show_plan(steps: tuple[Step, ...], as_json: bool) -> None:
    if as_json:
        terminal.print_json({"steps": terminal.steps_as_json(steps)})
    else:
        click.echo("\n".join(terminal.numbered(steps)) or "Nothing to do.")


def _confirm(steps: tuple[Step, ...], yes: bool) -> None:
    """Ask before the first step; without a terminal, only deletions need consent."""
    if terminal.can_ask():
        terminal.confirm("Apply this plan?", yes)
    elif not yes and (deletions := [str(step) for step in steps if step.destructive]):
        raise GimelError(
            f"The plan deletes something, and there is no terminal to ask: {'; '.join(deletions)}.",
            "Pass --yes to apply it.",
        )


def _apply(
    aws: Aws, steps: tuple[Step, ...], observed: Observed, config: Config, console: Console
) -> Outputs:
    deployed = terminal.perform(aws, steps, observed, console)
    return outputs(deployed, config.wiring, aws.region, aws.endpoint, aws.dns_suffix)


def _document(
    steps: tuple[Step, ...],
    reached: Outputs,
    desired: Desired,
    findings: list[Finding],
    show_key: bool,
) -> dict[str, Any]:
    cost = _cost(desired)
    return {
        "steps": terminal.steps_as_json(steps),
        "endpoints": terminal.endpoints_as_json(reached),
        "api_key": reached.key if show_key else None,
        "cost_per_million_events": {
            "through_api": cost.through_api,
            "through_url": cost.through_url,
        },
        "checks": findings_as_json(findings),
    }


def _show_result(reached: Outputs, desired: Desired, show_key: bool) -> None:
    terminal.show_endpoints(reached, show_key=show_key)
    cost = _cost(desired)
    click.echo(
        f"A million events cost about ${cost.through_api:.2f} through the API, "
        f"${cost.through_url:.2f} through a function URL (see WIRING.md), without Redis."
    )
    if track := reached.endpoint("gimel.track"):
        click.echo(f"\n{snippet(track.url, DEFAULT_NAMESPACE)}", nl=False)


def _cost(desired: Desired) -> Cost:
    configurations = [function.configuration for function in desired.functions]
    track = next(each for each in configurations if each.handler == "gimel.track")
    return cost_per_million(track.memory, track.architecture)
