"""The record that shows AWS that a domain name may have a certificate.

It stays, because AWS looks for it at every renewal. Other certificates for the name, in other
regions too, have the same one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gimel.deploy.desired import Desired
from gimel.deploy.identity import Identity
from gimel.deploy.policies import ANY_RESOURCE, Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.certificates import validation_record
from gimel.deploy.resources.domains import (
    DOMAINS,
    can_validate,
    desired_domain,
    retired_domains,
    wanted_domain,
    zone_of,
)
from gimel.deploy.resources.observed_domain import ObservedDomain
from gimel.deploy.resources.record_changes import DeleteRecord, create_records

RECORDS = ("Zones", "ReadRecords", "Changes", "Records")
"""The statements about Route 53 in the operator's policy."""

_SECONDS_TO_LIVE = 300


class ValidationRecords(Resource[None]):
    """See the module. What exists is observed by `domains`."""

    def observe(self, look: Look) -> None:
        """See `domains`."""

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        found = wanted_domain(desired, observed)
        if found is None or found[0].certificate:
            return
        domain, there = found
        zone = zone_of(domain, there)
        record = there.certificate.validation if there.certificate else None
        if zone and can_validate(domain, there) and not there.at(record, zone):
            yield CreateValidationRecord(domain.name, zone.id, zone.name)

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        for name in retired_domains(desired, observed):
            yield from _deletions(observed.of(DOMAINS)[name])

    def remove(self, observed: Observed) -> Iterator[Step]:
        for there in observed.of(DOMAINS).values():
            yield from _deletions(there)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        domain = desired_domain(desired)
        if domain is None:
            return
        arn = f"arn:{identity.partition}:route53:::"
        zone = f"{arn}hostedzone/{domain.zone or '*'}"
        names = {
            "route53:ChangeResourceRecordSetsNormalizedRecordNames": [
                domain.name,
                f"_*.{domain.name}",
            ]
        }
        list_zones, read, changes, write = RECORDS
        yield Permission(list_zones, ("route53:ListHostedZones",), ANY_RESOURCE)
        yield Permission(read, ("route53:ListResourceRecordSets",), (zone,))
        yield Permission(changes, ("route53:GetChange",), (f"{arn}change/*",))
        condition = {"ForAllValues:StringLike": names}
        yield Permission(write, ("route53:ChangeResourceRecordSets",), (zone,), condition)


VALIDATION_RECORDS = ValidationRecords()


def is_validation_kept(there: ObservedDomain) -> bool:
    """Return whether other certificates may need the record of a name.

    They exist, or the name also leads elsewhere, for example to the same API in another region.
    """
    return (
        there.is_shared
        or there.is_used_by_others
        or any(
            not each.is_alias or each.is_routed or not there.leads_here(each)
            for each in there.addresses()
        )
    )


def _deletions(there: ObservedDomain) -> Iterator[Step]:
    if is_validation_kept(there):
        return
    for certificate in there.certificates:
        record = certificate.validation
        for each in there.at(record):
            if record and each.target == record.value:
                yield DeleteRecord(each)


@dataclass(frozen=True)
class CreateValidationRecord(Step):
    domain: str
    zone: str
    zone_name: str

    def __str__(self) -> str:
        return f"Create the record for the certificate of {self.domain} in {self.zone_name}"

    def perform(self, run: Run) -> None:
        record = validation_record(run, self.domain)
        values = {"TTL": _SECONDS_TO_LIVE, "ResourceRecords": [{"Value": record.value}]}
        created = {"Name": record.name, "Type": record.type, **values}
        create_records(run, self.zone, record.value, [created])
