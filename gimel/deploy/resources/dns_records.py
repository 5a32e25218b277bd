"""The DNS records by which a domain name leads to the API, in a hosted zone of the account.

Records that lead elsewhere are never changed: whoever made them changes them when it suits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gimel.deploy.desired import Desired
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.domains import (
    DOMAINS,
    can_serve,
    retired_domains,
    target_id,
    target_zone_id,
    wanted_domain,
    zone_of,
)
from gimel.deploy.resources.observed_domain import ObservedDomain, Zone
from gimel.deploy.resources.record_changes import DeleteRecord, create_records

_TYPES = ("A", "AAAA")


class DnsRecords(Resource[None]):
    """See the module. What exists is observed by `domains`.

    The permissions are those of the validation records.
    """

    def observe(self, look: Look) -> None:
        """See `domains`."""

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        found = wanted_domain(desired, observed)
        zone = zone_of(*found) if found else None
        if found is None or zone is None:
            return
        domain, there = found
        if there.regional is None and not can_serve(domain, there):
            return
        missing = missing_types(there, zone)
        if missing:
            yield CreateAliases(domain.name, missing, zone.id, zone.name)

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        for name in retired_domains(desired, observed):
            yield from _deletions(observed.of(DOMAINS)[name])

    def remove(self, observed: Observed) -> Iterator[Step]:
        for there in observed.of(DOMAINS).values():
            yield from _deletions(there)


DNS_RECORDS = DnsRecords()


def missing_types(there: ObservedDomain, zone: Zone) -> tuple[str, ...]:
    """Return the types of records to create: none beside one that somebody else made."""
    existing = there.addresses(zone)
    if any(not each.is_alias or each.is_routed or not there.leads_here(each) for each in existing):
        return ()
    return tuple(each for each in _TYPES if each not in {record.type for record in existing})


def _deletions(there: ObservedDomain) -> Iterator[Step]:
    if there.is_used_by_others:
        return
    for each in there.addresses():
        if each.is_alias and not each.is_routed and there.leads_here(each):
            yield DeleteRecord(each)


@dataclass(frozen=True)
class CreateAliases(Step):
    domain: str
    types: tuple[str, ...]
    zone: str
    zone_name: str

    def __str__(self) -> str:
        plural = "s" if len(self.types) > 1 else ""
        types = " and ".join(self.types)
        return f"Create the DNS record{plural} {types} of {self.domain} in {self.zone_name}"

    def perform(self, run: Run) -> None:
        target = run.ids[target_id(self.domain)]
        alias = {
            "HostedZoneId": run.ids[target_zone_id(self.domain)],
            "DNSName": target,
            "EvaluateTargetHealth": False,
        }
        created = [{"Name": self.domain, "Type": each, "AliasTarget": alias} for each in self.types]
        create_records(run, self.zone, target, created)
