"""The certificate of a domain name, which AWS Certificate Manager issues and renews.

AWS issues it once the record of `validation_records` exists. A certificate that the configuration
names is used as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gimel.config.domain import Domain
from gimel.deploy.aws import Answer
from gimel.deploy.aws_errors import Refused
from gimel.deploy.desired import Desired
from gimel.deploy.identity import Identity
from gimel.deploy.policies import ANY_RESOURCE, Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.domains import (
    DOMAINS,
    certificate_id,
    desired_domain,
    retired_domains,
    wanted_domain,
)
from gimel.deploy.resources.observed_domain import (
    ISSUED,
    Certificate,
    DnsRecord,
    ObservedDomain,
    describe_certificate,
)
from gimel.deploy.resources.tag_record import tags_of_region
from gimel.deploy.resources.tags import MARK, as_pairs, marked, retag
from gimel.errors import GimelError

_FIRST_WAIT, _LONGEST_WAIT = 1.0, 10.0  # seconds
_TO_CHOOSE_RECORD = 60.0  # seconds; AWS takes a few
_TO_ISSUE = 15 * 60.0  # seconds; AWS takes minutes once the record exists
_TO_RELEASE = 5 * 60.0  # seconds that API Gateway may still hold a certificate after its domain

_REASONS = {
    "CAA_ERROR": (
        "a CAA record in the DNS does not permit Amazon to issue certificates for it",
        'Add the CAA record 0 issue "amazon.com", or remove the existing ones.',
    ),
    "DOMAIN_NOT_ALLOWED": (
        "a list of harmful sites contains the name",
        "See the troubleshooting of AWS Certificate Manager about domains that are not allowed.",
    ),
    "INVALID_PUBLIC_DOMAIN": ("it is not a public domain name", "Correct aws.domain.name."),
    "ADDITIONAL_VERIFICATION_REQUIRED": (
        "AWS has to verify the request",
        "Contact AWS Support, or set aws.domain.certificate to your own certificate.",
    ),
}


class Certificates(Resource[None]):
    """See the module. What exists is observed by `domains`."""

    def observe(self, look: Look) -> None:
        """See `domains`."""

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        found = wanted_domain(desired, observed)
        if found is None:
            return
        domain, there = found
        if domain.certificate:
            check_given(domain, there.given, observed.identity)
        elif there.certificate is None:
            yield RequestCertificate(domain.name, marked(observed.identity.name, desired.tags))

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        """Also those that failed, or have been replaced."""
        domain, gone = desired_domain(desired), retired_domains(desired, observed)
        for name, there in observed.of(DOMAINS).items():
            if name in gone:
                yield from _deletions(there)
            elif domain and name == domain.name:
                yield from _superfluous(domain, there)

    def tag(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        found = wanted_domain(desired, observed)
        if found is None or found[0].certificate or found[1].certificate is None:
            return
        current, tags = found[1].certificate, marked(observed.identity.name, desired.tags)
        arn, ours = {"CertificateArn": current.arn}, {*tags_of_region(observed), *tags}
        before = {key: current.tags[key] for key in current.tags if key in ours}
        yield from retag(f"certificate of {found[0].name}", "acm", arn, tags, before)

    def remove(self, observed: Observed) -> Iterator[Step]:
        for there in observed.of(DOMAINS).values():
            yield from _deletions(there)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        domain = desired_domain(desired)
        if domain is None:
            return
        arn = f"arn:{identity.partition}:acm:{identity.region}:{identity.account}:certificate/*"
        actions = ["AddTagsToCertificate", "DeleteCertificate", "DescribeCertificate"]
        actions += ["ListTagsForCertificate", "RemoveTagsFromCertificate"]
        yield Permission("Certificate", tuple(f"acm:{name}" for name in actions), (arn,))
        yield Permission("FindCertificate", ("acm:ListCertificates",), ANY_RESOURCE)
        yield Permission(
            "RequestCertificate",
            ("acm:RequestCertificate",),
            ANY_RESOURCE,
            {"ForAllValues:StringEquals": {"acm:DomainNames": [domain.name]}},
        )


CERTIFICATES = Certificates()


def describe_failure(name: str, certificate: Certificate) -> tuple[str, str]:
    """Return why AWS issued no certificate, and what to do about it."""
    words = certificate.status.replace("_", " ").lower()
    if certificate.status == "VALIDATION_TIMED_OUT":
        return (
            f"AWS did not find the DNS record for the certificate of {name} within 72 hours.",
            "The next deploy requests another one.",
        )
    why, hint = _REASONS.get(certificate.reason, (certificate.reason or words, ""))
    return f"AWS has not issued the certificate for {name}: {why}.", hint


def check_given(domain: Domain, given: Certificate | None, identity: Identity) -> None:
    """Raise GimelError where the configured certificate cannot be used."""
    arn = domain.certificate or ""
    if arn.split(":")[3] != identity.region:
        raise GimelError(
            f"The certificate of aws.domain is in {arn.split(':')[3]}, and the API in "
            f"{identity.region}.",
            f"Set aws.domain.certificate to one in {identity.region}, or remove it.",
        )
    if given is None or given.status != ISSUED:
        state = given.status.replace("_", " ").lower() if given else "it does not exist"
        raise GimelError(
            f"The certificate of aws.domain cannot be used: {state}.",
            "Correct aws.domain.certificate, or remove it: Gimel then requests one.",
        )
    if not given.covers(domain.name):
        names = ", ".join(dict.fromkeys(given.names))
        raise GimelError(
            f"The certificate of aws.domain is for {names}, and not for {domain.name}.",
            "Correct aws.domain.certificate, or remove it: Gimel then requests one.",
        )


def _superfluous(domain: Domain, there: ObservedDomain) -> Iterator[Step]:
    """Yield the deletion of certificates that a desired name does not use."""
    current = None if domain.certificate else there.certificate
    is_pending = not domain.certificate and (current is None or current.status != ISSUED)
    for each in there.certificates:
        is_used = there.regional is not None and there.regional.certificate == each.arn
        if each != current and not (is_used and is_pending):
            yield DeleteCertificate(there.name, each.arn)


def _deletions(there: ObservedDomain) -> Iterator[Step]:
    if not there.is_used_by_others:
        for each in there.certificates:
            yield DeleteCertificate(there.name, each.arn)


@dataclass(frozen=True)
class RequestCertificate(Step):
    """Request a certificate, and learn by which record AWS validates the name."""

    domain: str
    tags: Mapping[str, str]

    def __str__(self) -> str:
        return f"Request a certificate for {self.domain}"

    def perform(self, run: Run) -> None:
        def created() -> Answer | None:
            listed = run.aws.pages("acm", "list_certificates")
            for each in listed:
                arn = each["CertificateArn"]
                if each.get("DomainName") == self.domain and _is_ours(run, arn):
                    return {"CertificateArn": arn}
            return None

        moment = f"{run.identity.name} {self.domain} {run.now}"
        answer = run.aws.create(
            "acm",
            "request_certificate",
            created,
            DomainName=self.domain,
            ValidationMethod="DNS",
            IdempotencyToken=hashlib.sha256(moment.encode()).hexdigest()[:32],
            Tags=as_pairs(self.tags),
        )
        run.ids[certificate_id(self.domain)] = answer["CertificateArn"]
        validation_record(run, self.domain)


@dataclass(frozen=True)
class WaitForCertificate(Step):
    """Wait until AWS has found the record and issued the certificate."""

    domain: str

    def __str__(self) -> str:
        return f"Wait until AWS has issued the certificate for {self.domain}"

    def perform(self, run: Run) -> None:
        started, wait = run.aws.clock(), _FIRST_WAIT
        arn = run.ids[certificate_id(self.domain)]
        while True:
            certificate = describe_certificate(run.aws, arn)
            if certificate is None:
                raise GimelError(f"The certificate {arn} no longer exists.")
            if certificate.status == ISSUED:
                return
            if not certificate.is_usable:
                raise GimelError(*describe_failure(self.domain, certificate))
            waited = run.aws.clock() - started
            if waited + wait > _TO_ISSUE:
                raise GimelError(
                    f"AWS has not issued the certificate within {_TO_ISSUE / 60:.0f} min.",
                    "Check that the registrar of the domain lists the name servers of the hosted "
                    "zone: otherwise nobody sees its records.",
                )
            run.aws.on_wait(f"no certificate yet, after {waited // 60:.0f} min")
            run.aws.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)


@dataclass(frozen=True)
class DeleteCertificate(Step):
    """Delete a certificate, which API Gateway releases some time after its domain name."""

    domain: str
    arn: str

    def __str__(self) -> str:
        return f"Delete the certificate of {self.domain} {self.arn.rpartition('/')[2]}"

    def perform(self, run: Run) -> None:
        started, wait = run.aws.clock(), _FIRST_WAIT
        while True:
            try:
                run.aws.find("acm", "delete_certificate", CertificateArn=self.arn)
            except Refused as refused:
                if refused.code != "ResourceInUseException":
                    raise
            else:
                return
            if run.aws.clock() - started + wait > _TO_RELEASE:
                raise GimelError(
                    f"The certificate {self.arn} is still in use.",
                    "It costs nothing. Its page in the console of AWS Certificate Manager says "
                    "what uses it.",
                )
            run.aws.on_wait("API Gateway still uses the certificate")
            run.aws.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)


def validation_record(run: Run, domain: str) -> DnsRecord:
    """Return the record by which AWS validates a name.

    It takes AWS seconds to know a new certificate everywhere, and to choose the record. Raises
    GimelError.
    """
    started, wait = run.aws.clock(), _FIRST_WAIT
    while True:
        certificate = describe_certificate(run.aws, run.ids[certificate_id(domain)])
        if certificate is not None and certificate.validation is not None:
            return certificate.validation
        if certificate is not None and not certificate.is_usable:
            raise GimelError(*describe_failure(domain, certificate))
        if run.aws.clock() - started + wait > _TO_CHOOSE_RECORD:
            raise GimelError(
                f"AWS does not say by which record it validates {domain}.", "Try again later."
            )
        run.aws.on_wait("AWS chooses the record for the certificate")
        run.aws.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT)


def _is_ours(run: Run, arn: str) -> bool:
    answer = run.aws.find("acm", "list_tags_for_certificate", CertificateArn=arn)
    tags = (answer or {}).get("Tags", [])
    return {"Key": MARK, "Value": run.identity.name} in tags
