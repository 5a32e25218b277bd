"""The custom domain name of API Gateway: which certificate it has, and the host that it answers on.

What it leads to is in `base_path_mappings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gimel.deploy.aws import Answer
from gimel.deploy.desired import Desired
from gimel.deploy.identity import Identity
from gimel.deploy.policies import Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.certificates import WaitForCertificate
from gimel.deploy.resources.domains import (
    DOMAINS,
    can_serve,
    certificate_id,
    desired_domain,
    retired_domains,
    target_id,
    target_zone_id,
    wanted_domain,
)
from gimel.deploy.resources.observed_domain import ISSUED, ObservedDomain, plain_name
from gimel.deploy.resources.rest_api import api_gateway_permission, is_marked
from gimel.deploy.resources.tag_record import tags_of_region
from gimel.deploy.resources.tags import marked, retag

TLS = "TLS_1_2"
DOMAIN_ROLE = "DomainRole"
"""The statement about the role of API Gateway's own, which its first domain name creates."""

_TOO_OLD = "TLS_1_0"
_SERVICE = "ops.apigateway.amazonaws.com"


class DomainNames(Resource[None]):
    """See the module. What exists is observed by `domains`."""

    def observe(self, look: Look) -> None:
        """See `domains`."""

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        found = wanted_domain(desired, observed)
        if found is None or not can_serve(*found):
            return
        domain, there = found
        current = there.given if domain.certificate else there.certificate
        if current is None or current.status != ISSUED:
            yield WaitForCertificate(domain.name)
        if there.regional is None:
            tags = marked(observed.identity.name, desired.tags)
            yield CreateDomainName(domain.name, domain.certificate, tags)
            return
        is_same = current is not None and current.arn == there.regional.certificate
        if not is_same:
            yield SetCertificate(domain.name, domain.certificate)
        if there.regional.security_policy == _TOO_OLD:
            yield SetTls(domain.name)

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        for name in retired_domains(desired, observed):
            yield from _deletions(observed.of(DOMAINS)[name])

    def tag(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        found = wanted_domain(desired, observed)
        if found and found[1].regional:
            name, identity = found[0].name, observed.identity
            arn = f"arn:{identity.partition}:apigateway:{identity.region}::/domainnames/{name}"
            tags, before = marked(identity.name, desired.tags), tags_of_region(observed)
            target = {"resourceArn": arn}
            yield from retag(f"domain name {name}", "apigateway", target, tags, before)

    def remove(self, observed: Observed) -> Iterator[Step]:
        for there in observed.of(DOMAINS).values():
            yield from _deletions(there)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        domain = desired_domain(desired)
        if domain is None:
            return
        name = f"domainnames/{domain.name}"
        yield api_gateway_permission(identity, "domainnames", name, f"{name}/*")
        # The first domain name of an account: https://docs.aws.amazon.com/apigateway/latest/
        # developerguide/apigateway-regional-api-custom-domain-create.html
        role = f"role/aws-service-role/{_SERVICE}/AWSServiceRoleForAPIGateway"
        yield Permission(
            DOMAIN_ROLE,
            ("iam:CreateServiceLinkedRole",),
            (f"arn:{identity.partition}:iam::{identity.account}:{role}",),
            {"StringLike": {"iam:AWSServiceName": _SERVICE}},
        )


DOMAIN_NAMES = DomainNames()


def _deletions(there: ObservedDomain) -> Iterator[Step]:
    if there.regional and not there.is_used_by_others:
        yield DeleteDomainName(there.name)


@dataclass(frozen=True)
class CreateDomainName(Step):
    """Create the domain name. `certificate` is the ARN of one that Gimel did not request."""

    domain: str
    certificate: str | None
    tags: Mapping[str, str]

    def __str__(self) -> str:
        return f"Create the domain name {self.domain} in API Gateway"

    def perform(self, run: Run) -> None:
        def created() -> Answer | None:
            answer = run.aws.find("apigateway", "get_domain_name", domainName=self.domain)
            return answer if answer and is_marked(answer, run.identity.deployment) else None

        answer = run.aws.create(
            "apigateway",
            "create_domain_name",
            created,
            domainName=self.domain,
            regionalCertificateArn=self.certificate or run.ids[certificate_id(self.domain)],
            endpointConfiguration={"types": ["REGIONAL"], "ipAddressType": "dualstack"},
            securityPolicy=TLS,
            tags=dict(self.tags),
        )
        run.ids[target_id(self.domain)] = plain_name(answer["regionalDomainName"])
        run.ids[target_zone_id(self.domain)] = answer["regionalHostedZoneId"]


@dataclass(frozen=True)
class SetCertificate(Step):
    """Replace the certificate. The ARN is that of one that Gimel did not request."""

    domain: str
    certificate: str | None

    def __str__(self) -> str:
        return f"Replace the certificate of the domain name {self.domain}"

    def perform(self, run: Run) -> None:
        arn = self.certificate or run.ids[certificate_id(self.domain)]
        _update(run, self.domain, "/regionalCertificateArn", arn)


@dataclass(frozen=True)
class SetTls(Step):
    domain: str

    def __str__(self) -> str:
        return f"Require TLS 1.2 or later for the domain name {self.domain}"

    def perform(self, run: Run) -> None:
        _update(run, self.domain, "/securityPolicy", TLS)


@dataclass(frozen=True)
class DeleteDomainName(Step):
    destructive = True

    domain: str

    def __str__(self) -> str:
        return f"Delete the domain name {self.domain} from API Gateway"

    def perform(self, run: Run) -> None:
        run.aws.find("apigateway", "delete_domain_name", domainName=self.domain)


def _update(run: Run, domain: str, path: str, value: str) -> None:
    patch = [{"op": "replace", "path": path, "value": value}]
    run.aws.call("apigateway", "update_domain_name", domainName=domain, patchOperations=patch)
