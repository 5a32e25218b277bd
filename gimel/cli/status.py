"""`gimel status`"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

import click

from gimel.cli import Options, terminal
from gimel.cli.domain import ReachedDomain, reach_domain
from gimel.cli.help import Command
from gimel.cli.last_day import as_json as last_day_as_json
from gimel.cli.last_day import lines, read_last_day
from gimel.cli.progress import working
from gimel.deploy.apply import start
from gimel.deploy.checks.ad_blockers import check_ad_blockers
from gimel.deploy.checks.findings import Finding, any_failed, findings_as_json
from gimel.deploy.checks.health import check_alarms, check_health
from gimel.deploy.deploys import PastDeploy, deploys_to_go_to, past_deploys
from gimel.deploy.desired import desired_state
from gimel.deploy.notices import kept_store
from gimel.deploy.outputs import Outputs, api_url, observed_outputs
from gimel.deploy.plan import observe, plan
from gimel.deploy.resources.alarm_topic import confirmation_notice, unconfirmed
from gimel.deploy.resources.alarms import ALARMS
from gimel.deploy.resources.base import Look, Observed, Step
from gimel.deploy.resources.functions import FUNCTIONS
from gimel.deploy.resources.observed_function import ObservedFunction
from gimel.deploy.resources.rest_api import REST_API
from gimel.deploy.resources.rules import RULES, describe_snapshots
from gimel.deploy.resources.stage import STAGE_OF_API
from gimel.deploy.resources.store import STORE, describe_stores
from gimel.deploy.throttle import CostGuard, cost_guard_at
from gimel.deploy.usage import watched
from gimel.errors import GimelError


@click.command(
    cls=Command,
    examples={
        "gimel status": "what is live",
        "gimel status --check": "is it healthy?",
        "gimel status --history": "the deploys, newest first",
        "gimel status --json --show-key": "with the API key, for a program",
    },
)
@click.option(
    "--check",
    is_flag=True,
    help="Check the store and the public URLs instead; exit with 1 if something does not work.",
)
@click.option("--history", is_flag=True, help="List the deploys, newest first.")
@click.option("--json", "as_json", is_flag=True, help="Print the status as JSON.")
@terminal.show_key_option
@terminal.aws_options
@click.pass_obj
def command(
    options: Options,
    check: bool,
    history: bool,
    as_json: bool,
    show_key: bool,
    profile: str | None,
    region: str | None,
) -> None:
    """Show what is deployed: URLs, what is live, the last day, differences to the configuration.

    With --check, prints one line per check: ok, warning or failed. A marked event is sent, read and
    removed, as after a deploy; nothing else is changed.
    """
    if check and history:
        raise click.UsageError("--check cannot be used with --history. Remove one of them.")
    config = options.load_config()
    desired = desired_state(config)
    aws = terminal.connect(profile, region, terminal.configured_deployment(config))
    observed = observe(Look(aws, desired, versions=True))
    functions = observed.of(FUNCTIONS)
    api = observed.of(REST_API)
    if api is None and not functions:
        left = f" {kept_store(aws.identity().store)}" if observed.of(STORE) else ""
        raise GimelError(
            f"{aws.deployment.describe_absence(aws.region)}{left}",
            "Run `gimel deploy`, or choose another --region or --profile.",
        )
    if history and not as_json:
        _show_history(functions)
        return
    differences = plan(desired, observed)
    reached = domain = None
    if api:
        base = api_url(api.id, aws.region, aws.endpoint, aws.dns_suffix)
        reached = observed_outputs(observed, start(aws, observed).ids, base, aws.endpoint)
        domain = reach_domain(aws, desired, observed, api.id, reached, terminal.stderr())
        reached = domain.outputs if domain else reached
    if check:
        with working("Checking the deployment", terminal.stderr()) as wait:
            found = list(check_health(config, aws, observed, reached, differences, wait))
        _show_checks((*found, *_of_domain(domain)), as_json)
        return
    warnings = tuple(check_ad_blockers(config))
    stage = observed.of(STAGE_OF_API)
    guard = cost_guard_at(desired, stage.throttle_rate, stage.throttle_burst) if stage else None
    with working("Reading the last day", terminal.stderr()):
        last_day = read_last_day(aws, watched(observed), datetime.now(timezone.utc))
    if as_json:
        document = _document(observed, functions, reached, differences, warnings, show_key)
        shown = {
            "throttle": guard.as_json() if guard else None,
            "domain": domain.as_json() if domain else None,
            "last_day": last_day_as_json(last_day),
            "alarms": [
                {"name": name, "state": alarm.state} for name, alarm in observed.of(ALARMS).items()
            ],
            "alarms_unconfirmed": unconfirmed(desired, observed),
        }
        terminal.print_json({**document, **shown})
    else:
        terminal.show_findings((*warnings, *_of_domain(domain)), terminal.stderr())
        _show(observed, reached, guard, differences, lines(last_day), show_key)
        terminal.show_lines(domain.lines() if domain else ())
        if address := unconfirmed(desired, observed):
            click.echo(confirmation_notice(address))


def _of_domain(domain: ReachedDomain | None) -> list[Finding]:
    return [] if domain is None or domain.is_reached else domain.findings


def _show_checks(found: Sequence[Finding], as_json: bool) -> None:
    """Print a line per check. Exits with 1 if one failed."""
    if as_json:
        document = {"healthy": not any_failed(found), "checks": findings_as_json(found)}
        terminal.print_json(document)
    else:
        terminal.show_findings(found, terminal.stdout())
    if any_failed(found):
        raise click.exceptions.Exit(1)


def _show(
    observed: Observed,
    reached: Outputs | None,
    guard: CostGuard | None,
    differences: tuple[Step, ...],
    watched_lines: Iterable[str],
    show_key: bool,
) -> None:
    functions = observed.of(FUNCTIONS)
    if reached:
        terminal.show_endpoints(reached, show_key=show_key)
    for function in functions:
        click.echo(f"{function.name}: {_describe(function)}")
    for store in describe_stores(observed):
        click.echo(f"Store: {store}")
    for when in describe_snapshots(observed):
        click.echo(f"Snapshots: {when}")
    for line in (*(guard.lines() if guard else ()), *watched_lines):
        click.echo(line)
    for finding in check_alarms(observed):
        click.echo(f"{finding.name[0].upper()}{finding.name[1:]}: {finding.message}")
    if reachable := _reachable(functions):
        deploys = ", ".join(map(str, reachable))
        click.echo(f"`gimel rollback` can go back to: deploy {deploys}")
    if not differences:
        click.echo("The deployment matches the configuration.")
        return
    click.echo("The deployment differs from the configuration. `gimel deploy` would:")
    terminal.list_steps(differences)


def _describe(function: ObservedFunction) -> str:
    """Return which version of a function is live, and how it is configured."""
    if function.live is None or function.live_number is None:
        return "no version is live"
    made = function.live.configuration
    gimel = "" if made.settings is not None else ", Gimel 1.5.0"
    entry = function.history.entries[0] if function.history.entries else None
    deploy = f" by deploy {entry.deploy}" if entry and entry.deploy else ""
    since = f" since {entry.since}" if entry and entry.since else ""
    return (
        f"version {function.live_number} is live{deploy}{since}; {made.runtime}, "
        f"{made.architecture}, {made.memory} MB, {made.timeout} s{gimel}"
    )


def _reachable(functions: Sequence[ObservedFunction]) -> list[int]:
    return deploys_to_go_to(functions) if functions else []


def _show_history(functions: Sequence[ObservedFunction]) -> None:
    """Print the deploys, and how to go back to those before the newest."""
    reachable = _reachable(functions)
    live = {(each.name, each.live_number) for each in functions}
    for each in past_deploys(functions):
        by = f" by {each.by}" if each.by else ""
        click.echo(f"Deploy {each.number}, {each.when or 'time not known'}{by}")
        if each.changes:
            click.echo(f"  changed: {each.changes}")
        for name, version in each.versions:
            is_live = not each.is_undone and (name, version) in live
            click.echo(f"  {name} version {version}{', live' if is_live else ''}")
        if each.is_undone:
            click.echo("  rolled back, or never went live")
        elif each.number in reachable:
            click.echo(f"  `gimel rollback --to {each.number}` goes back to it")


def _document(
    observed: Observed,
    functions: Sequence[ObservedFunction],
    reached: Outputs | None,
    differences: tuple[Step, ...],
    warnings: Sequence[Finding],
    show_key: bool,
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
                "deploy": function.history.newest or None,
                "versions": [version.number for version in function.versions],
            }
            for function in functions
        ],
        "schedules": [
            {"function": name, "schedule": rule.schedule or None, "enabled": rule.is_enabled}
            for name, rule in observed.of(RULES).items()
        ],
        "store": next(iter(describe_stores(observed)), None),
        "deploys": [_as_json(each) for each in past_deploys(functions)],
        "rollback_to": _reachable(functions),
        "differences": terminal.steps_as_json(differences),
        "warnings": findings_as_json(warnings),
    }


def _as_json(deploy: PastDeploy) -> dict[str, Any]:
    return {
        "deploy": deploy.number,
        "time": deploy.when or None,
        "by": deploy.by or None,
        "changes": deploy.changes or None,
        "functions": dict(deploy.versions),
        "live": deploy.is_current,
        "undone": deploy.is_undone,
    }
