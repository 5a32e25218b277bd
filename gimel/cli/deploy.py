"""`gimel deploy`"""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console

from gimel.analysis.phrases import pluralize
from gimel.cli import Options, terminal
from gimel.cli.domain import deployed_domain
from gimel.cli.help import Command
from gimel.cli.progress import working
from gimel.config import Config
from gimel.deploy.apply import apply_all_or_none, moves_back, start
from gimel.deploy.aws import Aws
from gimel.deploy.checks import smoke
from gimel.deploy.checks.findings import Finding, any_failed, findings_as_json
from gimel.deploy.checks.preflight import preflight
from gimel.deploy.cost import Cost, cost_per_million
from gimel.deploy.desired import Desired, desired_state
from gimel.deploy.notices import Notice, notices
from gimel.deploy.outputs import Outputs, outputs
from gimel.deploy.plan import observe, plan
from gimel.deploy.resources.aliases import MoveAlias
from gimel.deploy.resources.base import Look, Run, Step
from gimel.deploy.resources.function_urls import CreateUrl
from gimel.deploy.resources.functions import FUNCTIONS
from gimel.deploy.resources.observed_function import ObservedFunction
from gimel.deploy.resources.rest_api import CreateApi
from gimel.deploy.store_cost import describe_store_cost, store_cost_as_json
from gimel.deploy.throttle import CostGuard, cost_guard
from gimel.errors import GimelError, Interrupted
from gimel.page.snippet import snippet
from gimel.runtime.fields import DEFAULT_NAMESPACE

_PATIENCE_WITH_EMULATOR = 10.0  # seconds


@click.command(
    cls=Command,
    examples={
        "gimel deploy --dry-run": "show the plan",
        "gimel deploy": "show the plan, ask, and deploy it",
        "gimel deploy --yes --json": "as in CI: ask nothing",
        "gimel --config staging.json deploy": "with another configuration",
    },
)
@click.option("--dry-run", is_flag=True, help="Show the plan without applying it.")
@click.option("--json", "as_json", is_flag=True, help="Print the steps and the result as JSON.")
@click.option("--no-preflight", is_flag=True, help="Skip the `gimel preflight` checks.")
@click.option("--snippet", "with_snippet", is_flag=True, help="Print the snippet for the page.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@terminal.show_key_option
@terminal.aws_options
@click.pass_obj
def command(
    options: Options,
    dry_run: bool,
    as_json: bool,
    no_preflight: bool,
    with_snippet: bool,
    yes: bool,
    show_key: bool,
    profile: str | None,
    region: str | None,
) -> None:
    """Deploy the backend to AWS, or update it to match the configuration.

    Shows the plan first, changes only what differs, and tries new versions before they go live and
    the public URLs afterwards. If the URLs fail, the functions go back to what was live before.
    Without a terminal, a plan that cannot be undone needs --yes.
    """
    began = time.monotonic()
    console = terminal.stderr()
    config = options.load_config()
    desired = desired_state(config)
    aws = terminal.connect(profile, region, terminal.configured_deployment(config))
    if not no_preflight:
        _check_first(config, aws, console, warnings_only=as_json)
    observed = observe(Look(aws, desired))
    steps = plan(desired, observed)
    warned = tuple(notices(desired, observed))
    guard = cost_guard(desired)
    if dry_run:
        _show_plan(steps, warned, guard, as_json)
        return
    if steps:
        terminal.show_place(observed.identity, console)
        terminal.show_steps(steps, console)
        terminal.show_notices((each.text for each in warned), console)
        terminal.show_below_plan(guard.lines(), console)
        _confirm(steps, warned, yes)
    run = start(aws, observed)
    deployed = terminal.perform(run, steps, console)
    reached = outputs(deployed, config.wiring, aws.region, aws.endpoint, aws.dns_suffix)
    patience = _PATIENCE_WITH_EMULATOR if aws.endpoint else smoke.PATIENCE
    try:
        if domain := deployed_domain(aws, desired, steps, deployed.api, reached, console):
            reached = domain.outputs
        with working("Checking the public URLs", console) as wait:
            findings = smoke.smoke_test(
                reached,
                config,
                patience=patience,
                on_wait=wait,
                new_hosts=any(isinstance(step, CreateApi | CreateUrl) for step in steps),
                ca_bundle=aws.ca_bundle,
            )
    except KeyboardInterrupt:
        raise Interrupted(
            "Interrupted while the public URLs were checked. Everything is deployed.",
            "Run `gimel deploy` again to check it.",
        ) from None
    findings = [*(domain.findings if domain else ()), *findings]
    if as_json:
        document = _document(steps, warned, reached, desired, findings, show_key)
        terminal.print_json({**document, "domain": domain.as_json() if domain else None})
    else:
        terminal.show_findings(findings, console)
    if any_failed(findings):
        functions = observed.of(FUNCTIONS)
        _go_back(run, steps, functions, findings)
    if not as_json:
        _show_result(reached, desired, show_key=show_key, with_snippet=with_snippet)
        terminal.show_lines(domain.lines() if domain else ())
        _show_summary(steps, findings, time.monotonic() - began)


def _check_first(config: Config, aws: Aws, console: Console, *, warnings_only: bool) -> None:
    found = preflight(config, aws, datetime.date.today(), before_deploy=True)
    shown = [each for each in found if not warnings_only or each.status != "ok"]
    terminal.show_findings(shown, console)
    if any_failed(found):
        raise GimelError(
            "Nothing was deployed: a check failed.",
            "Fix it, or skip the checks with --no-preflight.",
        )


def _show_plan(
    steps: tuple[Step, ...], warned: Sequence[Notice], guard: CostGuard, as_json: bool
) -> None:
    if as_json:
        terminal.print_json(_plan_document(steps, warned, guard))
        return
    terminal.list_steps(steps, [*(each.text for each in warned), *guard.lines()])


def _confirm(steps: tuple[Step, ...], warned: Sequence[Notice], yes: bool) -> None:
    """Ask before the first step; without a terminal, only what cannot be undone needs consent."""
    if terminal.can_ask():
        terminal.confirm("Apply this plan?", yes)
        return
    reasons = [f"{step}." for step in steps if step.destructive]
    reasons += [notice.text for notice in warned if notice.asks]
    if reasons and not yes:
        raise GimelError(
            f"The plan needs consent, and there is no terminal to ask: {' '.join(reasons)}",
            "Pass --yes to apply it.",
        )


def _go_back(
    run: Run,
    steps: tuple[Step, ...],
    functions: Sequence[ObservedFunction],
    findings: Sequence[Finding],
) -> None:
    """Make live again what was live before this deploy, if AWS answered. Raises GimelError."""
    failures = [each for each in findings if each.status == "failed"]
    message = f"The deployment does not work: {len(failures)} of {len(findings)} checks failed."
    if not smoke.is_answered(failures):
        raise GimelError(
            f"Deployed, but not checked: {len(failures)} of {len(findings)} checks could not "
            "connect.",
            "Check the network of this machine and run `gimel deploy` again.",
        )
    moves = moves_back(run, steps, functions)
    if not moves:
        raise GimelError(message, _why_nothing_goes_back(steps, functions))
    try:
        apply_all_or_none(run, moves, completes="")
    except GimelError as error:
        kind = Interrupted if isinstance(error, Interrupted) else GimelError
        raise kind(
            f"{message} The functions could not go back: {error.message}",
            f"{error.hint} `gimel rollback` goes back to what was live before.".lstrip(),
        ) from None
    raise GimelError(
        f"{message} The functions went back to what was live before.",
        "Fix the cause and run `gimel deploy` again.",
    )


def _why_nothing_goes_back(steps: Sequence[Step], functions: Sequence[ObservedFunction]) -> str:
    if not steps:
        return "The deployment stays as it is."
    if any(isinstance(step, MoveAlias) for step in steps):
        return "The new versions stay live: what was live before cannot be restored."
    if any(function.live for function in functions):
        return "No function goes back, because this deploy replaced no version."
    return "Nothing was live before."


def _plan_document(
    steps: tuple[Step, ...], warned: Sequence[Notice], guard: CostGuard
) -> dict[str, Any]:
    return {
        "steps": terminal.steps_as_json(steps),
        "notices": [notice.text for notice in warned],
        "throttle": guard.as_json(),
    }


def _document(
    steps: tuple[Step, ...],
    warned: Sequence[Notice],
    reached: Outputs,
    desired: Desired,
    findings: list[Finding],
    show_key: bool,
) -> dict[str, Any]:
    cost = _cost(desired)
    return {
        **_plan_document(steps, warned, cost_guard(desired)),
        "endpoints": terminal.endpoints_as_json(reached),
        "api_key": reached.key if show_key else None,
        "cost_per_million_events": {
            "through_api": cost.through_api,
            "through_url": cost.through_url,
        },
        "store_cost": store_cost_as_json() if desired.config.provisions else None,
        "checks": findings_as_json(findings),
    }


def _show_result(reached: Outputs, desired: Desired, *, show_key: bool, with_snippet: bool) -> None:
    terminal.show_endpoints(reached, show_key=show_key)
    cost = _cost(desired)
    click.echo(
        f"A million events cost about ${cost.through_api:.2f} through the API, "
        f"${cost.through_url:.2f} through a function URL (see WIRING.md), without Redis."
    )
    if desired.config.provisions:
        click.echo(f"The store costs {describe_store_cost()}.")
    if reached.track and with_snippet:
        click.echo(f"\n{snippet(reached.track.url, DEFAULT_NAMESPACE)}")


def _show_summary(steps: Sequence[Step], findings: Sequence[Finding], seconds: float) -> None:
    passed = pluralize(sum(each.status == "ok" for each in findings), "check")
    if steps:
        click.echo(
            f"Deployed in {seconds:.0f} s: {pluralize(len(steps), 'step')}, {passed} passed."
        )
    else:
        click.echo(f"Nothing to do: the deployment matches the configuration; {passed} passed.")


def _cost(desired: Desired) -> Cost:
    configurations = [function.configuration for function in desired.functions]
    track = next(each for each in configurations if each.handler == "gimel.track")
    return cost_per_million(track.memory, track.architecture)
