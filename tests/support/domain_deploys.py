"""Deploys and destroys of a domain name alone, into a `DomainAccount`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gimel.deploy.apply import perform, start
from gimel.deploy.aws import Aws
from gimel.deploy.desired import Desired
from gimel.deploy.plan import plan, plan_destroy
from gimel.deploy.resources.api_key import API_KEY
from gimel.deploy.resources.base import Look, Observed, Resource, Step
from gimel.deploy.resources.base_path_mappings import BASE_PATH_MAPPINGS
from gimel.deploy.resources.certificates import CERTIFICATES
from gimel.deploy.resources.dns_records import DNS_RECORDS
from gimel.deploy.resources.domain_names import DOMAIN_NAMES
from gimel.deploy.resources.domains import DOMAINS
from gimel.deploy.resources.functions import FUNCTIONS
from gimel.deploy.resources.permissions import PERMISSIONS
from gimel.deploy.resources.rest_api import REST_API
from gimel.deploy.resources.role import ROLE
from gimel.deploy.resources.stage import STAGE_OF_API
from gimel.deploy.resources.store import STORE
from gimel.deploy.resources.tag_record import TAG_RECORD
from gimel.deploy.resources.validation_records import VALIDATION_RECORDS
from tests.support.domain_account import DomainAccount
from tests.support.domain_contents import NAME
from tests.support.state.no_alarms import NO_ALARMS
from tests.support.state.settled import desired

PARTS: tuple[Resource[Any], ...] = (
    TAG_RECORD,
    REST_API,
    DOMAINS,
    CERTIFICATES,
    VALIDATION_RECORDS,
    DOMAIN_NAMES,
    BASE_PATH_MAPPINGS,
    DNS_RECORDS,
)
"""The resources of a domain name, in the order of a deploy."""


def wanted(name: str | None = NAME, deployment: str = "gimel", /, **domain: Any) -> Desired:
    """Return a configuration with a domain name, or without one."""
    section = {"domain": {"name": name, **domain}} if name else {}
    return desired(aws={"name": deployment, **section})


def look(aws: Aws, wanted: Desired | None, domain: str | None = None) -> Observed:
    """Return what exists, as far as a domain name needs it: there are no functions."""
    seen = Look(aws, wanted, domain=domain)
    nothing: dict[Resource[Any], Any] = {
        **NO_ALARMS,
        ROLE: None,
        FUNCTIONS: (),
        API_KEY: None,
        PERMISSIONS: {},
        STAGE_OF_API: None,
        STORE: None,
    }
    parts = {resource: seen.of(resource) for resource in PARTS}
    return Observed(seen.identity, {**parts, **nothing}, tuple(seen.foreign))


def deploy(aws: DomainAccount, wanted: Desired) -> tuple[Step, ...]:
    """Deploy as far as a domain name goes. Return the steps."""
    observed = look(aws, wanted)
    steps = plan(wanted, observed, PARTS)
    perform(start(aws, observed, PARTS), steps)
    return steps


def destroy(aws: DomainAccount, domain: str | None = None) -> tuple[Step, ...]:
    """Destroy the same, and what there is of a domain name. Return the steps."""
    observed = look(aws, None, domain)
    steps = plan_destroy(observed, PARTS)
    perform(start(aws, observed, PARTS), steps)
    return steps


def sentences(steps: Iterable[Step]) -> list[str]:
    """Return what is said about steps."""
    return [str(step) for step in steps]
