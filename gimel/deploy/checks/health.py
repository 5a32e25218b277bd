"""Whether a deployment works now: what is live, the store, and the public URLs from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from gimel.analysis.phrases import pluralize
from gimel.config import Config
from gimel.deploy.aws import Aws
from gimel.deploy.checks.findings import Finding, failed, ok, warning
from gimel.deploy.checks.preflight import check_store
from gimel.deploy.checks.smoke import smoke_test
from gimel.deploy.log_lines import printable
from gimel.deploy.outputs import Outputs
from gimel.deploy.resources.alarms import ALARMS
from gimel.deploy.resources.base import Observed, Step
from gimel.deploy.resources.functions import FUNCTIONS
from gimel.deploy.resources.rules import describe_snapshots

PATIENCE = 10.0
"""Seconds. Nothing is young, so that only a short disturbance is waited for."""


def check_health(
    config: Config,
    aws: Aws,
    observed: Observed,
    reached: Outputs | None,
    differences: Sequence[Step],
    on_wait: Callable[[str], None] = lambda reason: None,
) -> Iterator[Finding]:
    """Yield what each check finds. A marked event is sent, read and removed; nothing else changes.

    `reached` is how the deployment is reached, None where it has no REST API; `differences` are the
    steps of a deploy.
    """
    yield from check_live(observed, reached)
    yield _check_differences(differences)
    yield from check_alarms(observed)
    yield from check_store(config, aws)
    if reached is not None:
        yield from smoke_test(
            reached,
            config,
            patience=PATIENCE,
            on_wait=on_wait,
            new_hosts=False,
            ca_bundle=aws.ca_bundle,
        )


def check_live(observed: Observed, reached: Outputs | None) -> Iterator[Finding]:
    """Yield whether the functions are live, and whether snapshots are on."""
    for function in observed.of(FUNCTIONS):
        if function.live is None:
            yield failed(function.name, "no version is live", "Run `gimel deploy`.")
        else:
            yield ok(function.name, f"version {function.live_number} is live")
    if reached is None:
        yield failed("REST API", "it does not exist", "Run `gimel deploy`.")
    for when in describe_snapshots(observed):
        if when.startswith("off"):
            yield warning("snapshots", when, "Run `gimel deploy`.")
        else:
            yield ok("snapshots", when)


def check_alarms(observed: Observed) -> Iterator[Finding]:
    """Yield the alarms that are on, or that none is; nothing without alarms.

    The parts of another alarm do not count: a quiet hour is normal at night.
    """
    alarms = observed.of(ALARMS)
    on = {
        name: alarm
        for name, alarm in alarms.items()
        if alarm.state == "ALARM" and alarm.settings.get("AlarmActions")
    }
    for name, alarm in on.items():
        yield failed(
            f"alarm {name}",
            printable(alarm.reason) or "it is on",  # anyone who may set its state has written it
            "`gimel logs --errors` says more.",
        )
    if alarms and not on:
        yield ok("alarms", f"none of {len(alarms)} is on")


def _check_differences(differences: Sequence[Step]) -> Finding:
    name = "configuration"
    if not differences:
        return ok(name, "the deployment matches it")
    return warning(
        name,
        f"the deployment differs from it: `gimel deploy` would perform "
        f"{pluralize(len(differences), 'step')}",
        "`gimel status` lists them.",
    )
