"""Whether the domain name of the configuration can be set up, before anything is created."""

from __future__ import annotations

from collections.abc import Iterator

from gimel.deploy.aws import Aws
from gimel.deploy.checks.findings import Finding, failed, ok, warning
from gimel.deploy.desired import Desired
from gimel.deploy.resources.base import Look
from gimel.deploy.resources.certificates import check_given
from gimel.deploy.resources.domains import DOMAINS, desired_domain, zone_of
from gimel.errors import GimelError


def check_domain_setup(aws: Aws, desired: Desired) -> Iterator[Finding]:
    """Yield in which zone the records are created, or why that is not possible."""
    domain = desired_domain(desired)
    if domain is None:
        return
    name = f"domain {domain.name}"
    look = Look(aws, desired)
    try:
        there = look.of(DOMAINS)[domain.name]
        zone = zone_of(domain, there)
        if domain.certificate:
            check_given(domain, there.given, look.identity)
    except GimelError as error:
        yield failed(name, error.message, error.hint)
        return
    if look.foreign:
        hint = "Set another aws.domain.name. A domain name can only be in one deployment."
        yield failed(name, f"not created by Gimel: {'; '.join(look.foreign)}", hint)
    elif zone is None:
        yield ok(name, "no hosted zone for it is known: `gimel deploy` prints the DNS records")
    elif others := [each for each in there.addresses(zone) if not there.leads_here(each)]:
        leads = others[0].target or "another address"
        hint = "Gimel leaves its DNS records alone. `gimel deploy` says what to change."
        yield warning(name, f"it leads to {leads}", hint)
    else:
        yield ok(name, f"its DNS records are in the hosted zone {zone.name}")
