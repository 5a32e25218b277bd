"""How far the domain name of a deployment is, and what is left to do for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gimel.deploy.desired import Desired
from gimel.deploy.resources.base import Observed
from gimel.deploy.resources.certificates import describe_failure
from gimel.deploy.resources.dns_records import missing_types
from gimel.deploy.resources.domains import can_validate, is_mapped, wanted_domain, zone_of
from gimel.deploy.resources.observed_domain import DnsRecord, ObservedDomain, Zone

_NO_CNAME = (
    "A domain itself cannot have a CNAME record: use what the DNS provider offers instead, such as "
    "ALIAS or ANAME."
)


@dataclass(frozen=True)
class DomainState:
    """The desired domain name. `is_served` says that API Gateway answers for it with the API.

    `message` says what is missing, "" where nothing is, and `hint` what to do. `records` are those
    that the user has to create.
    """

    name: str
    is_served: bool
    message: str = ""
    records: tuple[DnsRecord, ...] = ()
    hint: str = ""

    def lines(self) -> list[str]:
        """Return what to tell the user, none where nothing is missing."""
        if not self.message:
            return []
        shown = [f"  {each.type}  {each.name}  {each.value}" for each in self.records]
        return [f"Domain {self.name}: {self.message}", *shown, *([self.hint] if self.hint else [])]

    def as_json(self, *, is_reached: bool) -> dict[str, Any]:
        """Return the same for a program to read."""
        return {
            "name": self.name,
            "reached": is_reached,
            "message": self.message or None,
            "records": [
                {"type": each.type, "name": each.name, "value": each.value} for each in self.records
            ],
        }


def domain_state(desired: Desired, observed: Observed) -> DomainState | None:
    """Return how far the desired domain name is, None without one."""
    found = wanted_domain(desired, observed)
    if found is None:
        return None
    domain, there = found
    if is_mapped(there, observed):
        return _served(there, zone_of(domain, there))
    again = "Run `gimel deploy`."
    certificate = there.certificate
    if not domain.certificate and certificate is None and there.certificates:
        why, hint = describe_failure(domain.name, there.certificates[0])
        return DomainState(domain.name, False, why, (), hint or again)
    record = certificate.validation if certificate else None
    if domain.certificate or record is None or can_validate(domain, there):
        return DomainState(domain.name, False, "it is not set up yet.", (), again)
    return DomainState(
        domain.name,
        False,
        "AWS issues its certificate once this DNS record exists:",
        (record,),
        "Create it at the DNS provider of the domain, and run `gimel deploy` again some minutes "
        "later. The record has to stay: AWS looks for it at every renewal.",
    )


def _served(there: ObservedDomain, zone: Zone | None) -> DomainState:
    """Return what is missing where only DNS records may be."""
    target = there.regional.target if there.regional else ""
    others = [each for each in there.addresses(zone) if not there.leads_here(each)]
    leads = any(there.leads_here(each) for each in there.addresses(zone))
    if zone and (leads or missing_types(there, zone)):
        return DomainState(there.name, True)
    now = f" It leads to {others[0].target or 'another address'} now." if others else ""
    apex = f" {_NO_CNAME}" if there.name.count(".") == 1 else ""
    return DomainState(
        there.name,
        True,
        f"it leads to the API once this DNS record exists:{now}",
        (DnsRecord(there.name, "CNAME", target),),
        f"Create it at the DNS provider of the domain. `gimel status` shows when it works.{apex}",
    )
