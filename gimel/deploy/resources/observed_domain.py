"""A domain name as it is: its certificates, its name in API Gateway, and its DNS records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gimel.config.domain import Domain
from gimel.deploy.aws import Answer, Aws
from gimel.deploy.aws_errors import DENIED, Refused
from gimel.deploy.resources.base import Look
from gimel.deploy.resources.tags import MARK

PENDING, ISSUED = "PENDING_VALIDATION", "ISSUED"

ROOT = "(none)"
"""API Gateway's name of the empty base path."""

ADDRESS_TYPES = ("A", "AAAA", "CNAME")
"""The types of records that decide where a name leads."""

_KEYS = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096"]
_KEYS += ["EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]
"""All kinds of keys: by default, ACM only lists certificates with the first two."""

_MOST_RECORDS = "100"  # at one name; Route 53 takes the number as text


@dataclass(frozen=True)
class DnsRecord:
    """A record to create. Names are in lower case and without the dot at the end."""

    name: str
    type: str
    value: str


@dataclass(frozen=True)
class Certificate:
    """A certificate of ACM. `status` and `reason`, why it failed, are AWS's words.

    `validation` is the record that AWS looks for before it issues the certificate, None where it
    has not been chosen yet. `names` are those that it covers.
    """

    arn: str
    status: str
    reason: str = ""
    validation: DnsRecord | None = None
    names: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_usable(self) -> bool:
        """Whether it is issued, or may still be."""
        return self.status in (ISSUED, PENDING)

    def covers(self, name: str) -> bool:
        """Return whether it is for a name, by itself or by a wildcard."""
        return name in self.names or f"*.{name.partition('.')[2]}" in self.names


@dataclass(frozen=True)
class RegionalDomain:
    """A custom domain name of API Gateway.

    `target` is the host that DNS records lead to, in the hosted zone `target_zone` of AWS's own.
    `mappings` are {base path: (id of the API, stage)}.
    """

    certificate: str
    target: str
    target_zone: str
    security_policy: str
    tags: Mapping[str, str]
    mappings: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Zone:
    """A public hosted zone. `name` is without the dot at the end."""

    id: str
    name: str


@dataclass(frozen=True)
class RecordSet:
    """A record set of a zone.

    `target` is the host that it leads to, "" where that is not a single one. `is_alias` says that
    it is an alias of Route 53, `is_routed` that it is one of several which a policy chooses from.
    `answer` is AWS's own description, which a deletion has to repeat.
    """

    zone: str
    name: str
    type: str
    target: str
    is_alias: bool
    is_routed: bool
    answer: Answer = field(repr=False)


@dataclass(frozen=True)
class ObservedDomain:
    """A domain name of the deployment, desired or recorded, whatever of it exists.

    `certificates` are Gimel's own, the best one first. `is_shared` says that others have a
    certificate that is validated by the same record. `zones` are those that may hold its records,
    the one with the longest name first; `zones_are_hidden` where this user may not list them.
    `records` are all at the name itself, and those at the names that certificates are validated by.
    """

    name: str
    is_recorded: bool = False
    certificates: tuple[Certificate, ...] = ()
    given: Certificate | None = None
    is_shared: bool = False
    regional: RegionalDomain | None = None
    zones: tuple[Zone, ...] = ()
    zones_are_hidden: bool = False
    records: tuple[RecordSet, ...] = ()

    @property
    def certificate(self) -> Certificate | None:
        """Gimel's own certificate that is issued or may still be, None without one."""
        return next((each for each in self.certificates if each.is_usable), None)

    @property
    def is_used_by_others(self) -> bool:
        """Whether other APIs are mapped to the name, so that it has to stay."""
        return self.regional is not None and any(each != ROOT for each in self.regional.mappings)

    def addresses(self, zone: Zone | None = None) -> tuple[RecordSet, ...]:
        """Return the record sets, of one zone if given, that decide where the name leads."""
        return tuple(
            each
            for each in self.records
            if each.name == self.name
            and each.type in ADDRESS_TYPES
            and (zone is None or each.zone == zone.id)
        )

    def leads_here(self, record: RecordSet) -> bool:
        """Return whether a record set leads to the API."""
        return self.regional is not None and record.target == self.regional.target

    def at(self, record: DnsRecord | None, zone: Zone | None = None) -> tuple[RecordSet, ...]:
        """Return the record sets, of one zone if given, that have the name of a record."""
        return tuple(
            each
            for each in self.records
            if record and each.name == record.name and (zone is None or each.zone == zone.id)
        )


def observe_domain(
    look: Look, name: str, wanted: Domain | None, listed: list[Answer], zones: list[Zone] | None
) -> ObservedDomain:
    """Return a domain name as it is. `wanted` is what the configuration says of it.

    `listed` are ACM's certificates, `zones` the account's public zones, None where they are hidden.
    """
    named = [each for each in listed if each.get("DomainName", "").lower() == name]
    regional = _regional_domain(look, name, is_desired=wanted is not None)
    own = [found for each in named if (found := _own_certificate(look, each)) is not None]
    ours = {each.arn for each in own}
    in_use = regional.certificate if regional else ""
    own.sort(key=lambda each: (each.status != ISSUED, each.arn != in_use, not each.is_usable))
    given = wanted.certificate if wanted else None
    matching = [each for each in zones or () if f".{name}".endswith(f".{each.name}")]
    if wanted and wanted.zone:
        matching = [each for each in matching if each.id == wanted.zone]
    matching.sort(key=lambda each: -len(each.name))
    validated = {each.validation.name for each in own if each.validation}
    return ObservedDomain(
        name=name,
        certificates=tuple(own),
        given=describe_certificate(look.aws, given) if given else None,
        is_shared=any(
            each["CertificateArn"] not in ours and _is_validated_by(each, name) for each in listed
        ),
        regional=regional,
        zones=tuple(matching),
        zones_are_hidden=zones is None,
        records=tuple(
            record
            for zone in matching
            for each in (name, *sorted(validated))
            for record in records_at(look.aws, zone.id, each)
        ),
    )


def listed_certificates(aws: Aws) -> list[Answer]:
    """Return ACM's summaries of all certificates of the region."""
    return aws.pages("acm", "list_certificates", Includes={"keyTypes": _KEYS})


def _is_validated_by(listed: Answer, name: str) -> bool:
    """Return whether a certificate has a name, or its wildcard: ACM has one record for both."""
    names = [listed.get("DomainName", ""), *listed.get("SubjectAlternativeNameSummaries", [])]
    return name in (each.lower().removeprefix("*.") for each in names)


def public_zones(aws: Aws) -> list[Zone] | None:
    """Return the public hosted zones that records can be put into, None without permission.

    The DNS of a company is often not up to whoever deploys.
    """
    try:
        answers = aws.pages("route53", "list_hosted_zones")
    except Refused as refusal:
        if refusal.code not in DENIED:
            raise
        return None
    return [
        Zone(each["Id"].rpartition("/")[2], plain_name(each["Name"]))
        for each in answers
        if not each.get("Config", {}).get("PrivateZone") and "LinkedService" not in each
    ]


def records_at(aws: Aws, zone: str, name: str) -> Iterator[RecordSet]:
    """Yield the record sets of a name."""
    answer = aws.find(
        "route53",
        "list_resource_record_sets",
        HostedZoneId=zone,
        StartRecordName=name,
        MaxItems=_MOST_RECORDS,
    )
    for each in (answer or {}).get("ResourceRecordSets", []):
        if plain_name(each["Name"]) == name:
            alias = each.get("AliasTarget", {}).get("DNSName")
            values = [value["Value"] for value in each.get("ResourceRecords", [])]
            host = alias or (values[0] if each["Type"] == "CNAME" and len(values) == 1 else "")
            target, is_routed = plain_name(host), "SetIdentifier" in each
            yield RecordSet(zone, name, each["Type"], target, alias is not None, is_routed, each)


def describe_certificate(aws: Aws, arn: str) -> Certificate | None:
    """Return a certificate, None where it does not exist."""
    found = aws.find("acm", "describe_certificate", CertificateArn=arn)
    if found is None:
        return None
    answer = found["Certificate"]
    validations = [each.get("ResourceRecord") for each in answer.get("DomainValidationOptions", [])]
    chosen = next(filter(None, validations), None)
    return Certificate(
        arn=arn,
        status=answer["Status"],
        reason=answer.get("FailureReason", ""),
        validation=DnsRecord(
            plain_name(chosen["Name"]), chosen["Type"], plain_name(chosen["Value"])
        )
        if chosen
        else None,
        names=tuple(
            each.lower()
            for each in (answer.get("DomainName", ""), *answer.get("SubjectAlternativeNames", []))
        ),
    )


def plain_name(name: str) -> str:
    """Return the name of a host in lower case, without the dot at the end."""
    return name.lower().removesuffix(".")


def _own_certificate(look: Look, listed: Answer) -> Certificate | None:
    arn = listed["CertificateArn"]
    answer = look.aws.find("acm", "list_tags_for_certificate", CertificateArn=arn)
    tags = {each["Key"]: each.get("Value", "") for each in (answer or {}).get("Tags", [])}
    found = describe_certificate(look.aws, arn) if tags.get(MARK) == look.identity.name else None
    if found is None:
        return None
    named = {key: tags[key] for key in tags if not key.startswith("aws:")}
    return Certificate(found.arn, found.status, found.reason, found.validation, found.names, named)


def _regional_domain(look: Look, name: str, *, is_desired: bool) -> RegionalDomain | None:
    """Return API Gateway's domain name, None where it does not exist or is not Gimel's."""
    answer = look.aws.find("apigateway", "get_domain_name", domainName=name)
    if answer is None:
        return None
    tags = answer.get("tags") or {}
    if tags.get(MARK) != look.identity.name:
        if is_desired or look.desired is None:
            look.foreign.append(f"the domain name {name} of API Gateway")
        return None
    mappings = look.aws.pages("apigateway", "get_base_path_mappings", domainName=name)
    return RegionalDomain(
        certificate=answer.get("regionalCertificateArn", ""),
        target=plain_name(answer.get("regionalDomainName", "")),
        target_zone=answer.get("regionalHostedZoneId", ""),
        security_policy=answer.get("securityPolicy", ""),
        tags={key: tags[key] for key in tags if not key.startswith("aws:")},
        mappings={
            each.get("basePath") or ROOT: (each["restApiId"], each.get("stage", ""))
            for each in mappings
        },
    )
