"""What `gimel deploy` and `gimel status` show of the domain name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from rich.console import Console

from gimel.cli.progress import working
from gimel.deploy.aws import Aws
from gimel.deploy.checks import smoke
from gimel.deploy.checks.domain import check_domain
from gimel.deploy.checks.findings import Finding
from gimel.deploy.desired import Desired
from gimel.deploy.domain import DomainState, domain_state
from gimel.deploy.outputs import Outputs, api_url
from gimel.deploy.resources.base import Look, Observed, Resource, Step
from gimel.deploy.resources.base_path_mappings import CreateMapping
from gimel.deploy.resources.dns_records import CreateAliases
from gimel.deploy.resources.domains import DOMAINS, desired_domain
from gimel.deploy.resources.rest_api import REST_API

_PATIENCE_WITH_EMULATOR = 10.0  # seconds


@dataclass(frozen=True)
class ReachedDomain:
    """How far the domain name is. `outputs` begin with its URLs if it leads to the API.

    `finding` is the check of that, None where API Gateway does not answer for it yet.
    """

    state: DomainState
    outputs: Outputs
    finding: Finding | None = None

    @property
    def is_reached(self) -> bool:
        """Whether the domain name leads to the API."""
        return self.finding is not None and self.finding.status == "ok"

    @property
    def findings(self) -> list[Finding]:
        """The check as a list. What the user has to do yet is not a finding."""
        is_expected = bool(self.state.records) and not self.is_reached
        return [] if self.finding is None or is_expected else [self.finding]

    def lines(self) -> list[str]:
        """Return what to tell the user."""
        return [] if self.is_reached else self.state.lines()

    def as_json(self) -> dict[str, Any]:
        """Return the same for a program to read."""
        state = DomainState(self.state.name, True) if self.is_reached else self.state
        return state.as_json(is_reached=self.is_reached)


def deployed_domain(
    aws: Aws, desired: Desired, steps: Sequence[Step], api: str, outputs: Outputs, console: Console
) -> ReachedDomain | None:
    """Return how far the desired domain name is after these steps, None without one.

    Only a name that they have changed is waited for.
    """
    if desired_domain(desired) is None:
        return None
    look = Look(aws, desired)
    parts: dict[Resource[Any], Any] = {REST_API: look.of(REST_API), DOMAINS: look.of(DOMAINS)}
    observed = Observed(look.identity, parts)
    is_new = any(isinstance(step, CreateAliases | CreateMapping) for step in steps)
    patience = _PATIENCE_WITH_EMULATOR if aws.endpoint else smoke.PATIENCE
    return reach_domain(aws, desired, observed, api, outputs, console, patience * is_new)


def reach_domain(
    aws: Aws,
    desired: Desired,
    observed: Observed,
    api: str,
    outputs: Outputs,
    console: Console,
    patience: float = 0.0,
) -> ReachedDomain | None:
    """Return how far the desired domain name is, None without one.

    Where nothing but the user's DNS record is missing, it is asked once.
    """
    state = domain_state(desired, observed)
    if state is None:
        return None
    base = api_url(api, aws.region, aws.endpoint, aws.dns_suffix)
    moved = outputs.at_domain(state.name, base, aws.endpoint)
    if not state.is_served or moved.track is None:
        return ReachedDomain(state, outputs)
    fetch = partial(smoke.request, ca_bundle=aws.ca_bundle)
    with working(f"Looking for {state.name}", console) as wait:
        finding = check_domain(
            state.name, moved.track, fetch, 0.0 if state.records else patience, on_wait=wait
        )
    return ReachedDomain(state, moved if finding.status == "ok" else outputs, finding)
