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
from gimel.deploy.resources.domains import DOMAINS, desired_domain, mapped_domains
from gimel.deploy.resources.rest_api import REST_API

_PATIENCE_WITH_EMULATOR = 10.0  # seconds


@dataclass(frozen=True)
class ReachedDomain:
    """How far the domain name is, and the URLs, which begin with those of a name that works.

    `state` is None where the configuration has none: an earlier one then works until the next
    deploy. `finding` is the check of the desired name, None where API Gateway does not answer for
    it yet.
    """

    state: DomainState | None
    outputs: Outputs
    finding: Finding | None = None

    @property
    def is_reached(self) -> bool:
        """Whether the desired name leads to the API."""
        return self.finding is not None and self.finding.status == "ok"

    @property
    def findings(self) -> list[Finding]:
        """The check as a list. What the user has to do yet is not a finding."""
        is_expected = self.state is not None and bool(self.state.records) and not self.is_reached
        return [] if self.finding is None or is_expected else [self.finding]

    def lines(self) -> list[str]:
        """Return what to tell the user."""
        return [] if self.state is None or self.is_reached else self.state.lines()

    def as_json(self) -> dict[str, Any] | None:
        """Return the same for a program to read."""
        if self.state is None:
            return None
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
    """Return how far the desired domain name is, None where there is none at all.

    Where nothing but the user's DNS record is missing, it is asked once. While the desired name
    does not work, the URLs are those of the one before.
    """
    if not observed.of(DOMAINS):
        return None
    state = domain_state(desired, observed)
    base = api_url(api, aws.region, aws.endpoint, aws.dns_suffix)
    finding = None
    for name in mapped_domains(observed):
        is_desired = state is not None and name == state.name
        moved = outputs.at_domain(name, base, aws.endpoint)
        waits = is_desired and state is not None and not state.records
        found = _check(name, moved, aws, patience if waits else 0.0, console)
        finding = found if is_desired else finding
        if found is not None and found.status == "ok":
            return ReachedDomain(state, moved, finding)
    return ReachedDomain(state, outputs, finding)


def _check(
    name: str, moved: Outputs, aws: Aws, patience: float, console: Console
) -> Finding | None:
    """Return whether a domain name leads to the API, None without a URL to ask."""
    if moved.track is None:
        return None
    fetch = partial(smoke.request, ca_bundle=aws.ca_bundle)
    with working(f"Looking for {name}", console) as wait:
        return check_domain(name, moved.track, fetch, patience, on_wait=wait)
