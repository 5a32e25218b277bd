"""The domain names of a deployment: what exists of them, the record of them, and what may be done.

The record is a tag of the REST API. A deploy without `aws.domain` learns from it what an earlier
one made, without a call to a service that only domain names need. A name is recorded before
anything of it is created, and forgotten after everything of it is deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from gimel.config.domain import Domain
from gimel.deploy.desired import Desired
from gimel.deploy.identity import STAGE
from gimel.deploy.resources.base import Look, Observed, Resource, Step
from gimel.deploy.resources.observed_domain import (
    ISSUED,
    ROOT,
    ObservedDomain,
    Zone,
    listed_certificates,
    observe_domain,
    public_zones,
)
from gimel.deploy.resources.rest_api import REST_API
from gimel.deploy.resources.tag_record import TAG_RECORD
from gimel.deploy.resources.tags import Tag
from gimel.errors import GimelError

RECORD = "gimel:domain"
"""The tag of the REST API that holds the names."""


class Domains(Resource[Mapping[str, ObservedDomain]]):
    """Observed by name, the desired one first. The record goes with the REST API."""

    def observe(self, look: Look) -> Mapping[str, ObservedDomain]:
        """Ask only about names that are desired or recorded: others lack the permissions."""
        recorded = ((look.of(TAG_RECORD) or {}).get(RECORD, "")).split()
        domain = desired_domain(look.desired)
        known = [domain.name] if domain else [look.domain] if look.domain else []
        names = dict.fromkeys([*known, *recorded])
        if not names:
            return {}
        listed = listed_certificates(look.aws)
        zones = public_zones(look.aws)
        found = {}
        for name in names:
            wanted = domain if domain and domain.name == name else None
            seen = observe_domain(look, name, wanted, listed, zones)
            found[name] = replace(seen, is_recorded=name in recorded)
        return found

    def ids(self, found: Mapping[str, ObservedDomain]) -> dict[str, str]:
        ids: dict[str, str] = {}
        for name, domain in found.items():
            if domain.certificate:
                ids[certificate_id(name)] = domain.certificate.arn
            if domain.regional:
                ids[target_id(name)] = domain.regional.target
                ids[target_zone_id(name)] = domain.regional.target_zone
        return ids

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        domain, found = desired_domain(desired), observed.of(self)
        if domain and not found[domain.name].is_recorded:
            yield _record(observed, _recorded(found, domain))

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        found, gone = observed.of(self), retired_domains(desired, observed)
        if gone:
            names = _recorded(found, desired_domain(desired))
            yield _record(observed, [each for each in names if each not in gone])


DOMAINS = Domains()


def certificate_id(name: str) -> str:
    """Return under which name a run keeps the ARN of a domain name's certificate."""
    return f"certificate {name}"


def target_id(name: str) -> str:
    """Return under which name a run keeps the host that a domain name leads to."""
    return f"target of {name}"


def target_zone_id(name: str) -> str:
    """Return under which name a run keeps the hosted zone of that host."""
    return f"zone of the target of {name}"


def desired_domain(desired: Desired | None) -> Domain | None:
    """Return the domain name that a configuration asks for, None without one."""
    return desired.config.document.aws.domain if desired else None


def wanted_domain(desired: Desired, observed: Observed) -> tuple[Domain, ObservedDomain] | None:
    """Return the desired domain name and what exists of it, None where none is desired."""
    domain = desired_domain(desired)
    return (domain, observed.of(DOMAINS)[domain.name]) if domain else None


def retired_domains(desired: Desired, observed: Observed) -> tuple[str, ...]:
    """Return the recorded names that are not desired; none before the desired one works."""
    domain, found = desired_domain(desired), observed.of(DOMAINS)
    if domain and not is_mapped(found[domain.name], observed):
        return ()
    return tuple(name for name in found if not domain or name != domain.name)


def is_mapped(domain: ObservedDomain, observed: Observed) -> bool:
    """Return whether a domain name leads to the API of the deployment."""
    api = observed.of(REST_API)
    return (
        api is not None
        and domain.regional is not None
        and domain.regional.mappings.get(ROOT) == (api.id, STAGE)
    )


def mapped_domains(observed: Observed) -> tuple[str, ...]:
    """Return the domain names that lead to the API of the deployment, the desired one first."""
    return tuple(name for name, each in observed.of(DOMAINS).items() if is_mapped(each, observed))


def zone_of(domain: Domain, found: ObservedDomain) -> Zone | None:
    """Return the hosted zone for the records, None where they are to be created elsewhere.

    Raises GimelError where the configured zone does not fit, or two zones fit equally and the
    records are in neither.
    """
    if domain.zone and not found.zones:
        why = "this user may not list" if found.zones_are_hidden else "there is none in"
        raise GimelError(
            f"{domain.zone} is not known as a public hosted zone for {domain.name}: {why} the "
            "public hosted zones of this account.",
            "Correct aws.domain.zone, or remove it to create the records yourself.",
        )
    same = [each for each in found.zones if each.name == found.zones[0].name]
    used = [each for each in same if any(map(found.leads_here, found.addresses(each)))]
    if len(used) == 1:
        return used[0]
    if len(same) > 1:
        ids = ", ".join(each.id for each in same)
        raise GimelError(
            f"Several public hosted zones are named {same[0].name}: {ids}.",
            "Set aws.domain.zone to the one whose name servers the registrar lists.",
        )
    return same[0] if same else None


def can_validate(domain: Domain, found: ObservedDomain) -> bool:
    """Return whether a deploy can create the record that its certificate needs."""
    zone = zone_of(domain, found)
    if zone is None:
        return False
    record = found.certificate.validation if found.certificate else None
    there = found.at(record, zone)
    return not there or any(record and each.target == record.value for each in there)


def can_serve(domain: Domain, found: ObservedDomain) -> bool:
    """Return whether this deploy will have an issued certificate."""
    if domain.certificate:
        return True
    current = found.certificate
    return bool(current and current.status == ISSUED) or can_validate(domain, found)


def _recorded(found: Mapping[str, ObservedDomain], domain: Domain | None) -> list[str]:
    names = [name for name in found if found[name].is_recorded]
    return list(dict.fromkeys([*names, *([domain.name] if domain else [])]))


def _record(observed: Observed, names: list[str]) -> Tag:
    tags = {RECORD: " ".join(names)} if names else {}
    removed = () if names else (RECORD,)
    return Tag(f"REST API {observed.identity.name}", "apigateway", {}, tags, removed)
