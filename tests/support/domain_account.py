"""The parts of an AWS account that a domain name is made of, in memory.

It behaves as AWS does where the emulator is more lenient: a certificate is issued only after its
record exists, API Gateway takes no other certificate and releases one late, and what is in use
cannot be deleted. botocore's own models check the parameters of every call.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import botocore.session
from botocore.validate import validate_parameters

from gimel.deploy.aws import Aws
from gimel.deploy.aws_errors import Refused
from gimel.deploy.identity import Deployment, Identity
from tests.support.domain_contents import ACCOUNT, NAME, ZONE, State

_READING = ("get_", "list_", "describe_")


class Killed(Exception):
    """The process ended."""


class DomainAccount(Aws):
    """One account and region. `made` are the changing calls; `kill_at` ends at one of them.

    It ends before the call is done, or after that with `is_done`.
    """

    def __init__(self, region: str = "us-east-1", name: str = "gimel") -> None:
        self.region = region
        self.deployment = Deployment(name)
        self.state = State()
        self.made: list[str] = []
        self.asked: list[str] = []
        self.refused: dict[str, Refused] = {}
        self.kill_at, self.is_done = 0, False
        self.held = 0  # more refusals to delete a certificate
        self.reasons: list[str] = []
        self.now = 0.0
        self.issue_after = 0.0  # seconds
        self.on_wait = self.reasons.append
        self.clock = lambda: self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def named(self, name: str) -> DomainAccount:
        """Return another deployment's way to the same account."""
        other = DomainAccount(self.region, name)
        other.state = self.state
        return other

    def identity(self) -> Identity:
        arn = f"arn:aws:iam::{ACCOUNT}:user/me"
        return Identity(ACCOUNT, self.region, arn, deployment=self.deployment)

    def add_zone(self, zone: str = ZONE, name: str = "example.com", **config: Any) -> None:
        """Add a hosted zone, public by default."""
        self.state.zones[zone] = {
            "Id": f"/hostedzone/{zone}",
            "Name": f"{name}.",
            "CallerReference": zone,
            "Config": config,
        }
        self.state.records[zone] = []

    def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        _check(service, operation, parameters)
        self.asked.append(operation)
        if operation in self.refused:
            raise self.refused[operation]
        answer: Callable[..., Any] = getattr(self, f"_{operation}")
        if operation.startswith(_READING):
            return copy.deepcopy(answer(**parameters) or {})
        self.made.append(operation)
        if len(self.made) == self.kill_at and not self.is_done:
            raise Killed
        done = copy.deepcopy(answer(**parameters) or {})
        if len(self.made) == self.kill_at:
            raise Killed
        return done

    def create(
        self, service: str, operation: str, find_created: Any, /, **parameters: Any
    ) -> dict[str, Any]:
        return self.call(service, operation, **parameters)

    def pages(self, service: str, operation: str, /, **parameters: Any) -> list[dict[str, Any]]:
        answer = self.call(service, operation, **parameters)
        (items,) = (each for each in answer.values() if isinstance(each, list))
        return list(items)

    # API Gateway

    def _get_rest_apis(self, **_: Any) -> Any:
        return {"items": list(self.state.apis.values())}

    def _create_rest_api(self, name: str, tags: dict[str, str], **_: Any) -> Any:
        api = f"api{len(self.made)}of{name}"
        self.state.apis[api] = {"id": api, "name": name, "rootResourceId": "root", "tags": tags}
        return self.state.apis[api]

    def _delete_rest_api(self, restApiId: str) -> None:  # noqa: N803 - boto3's name
        for name, mappings in self.state.mappings.items():
            if any(each["restApiId"] == restApiId for each in mappings.values()):
                raise Refused("BadRequestException", f"remove the base path mapping of {name}")
        del self.state.apis[restApiId]

    def _get_tags(self, resourceArn: str) -> Any:  # noqa: N803
        return {"tags": self._tagged(resourceArn)["tags"]}

    def _tag_resource(self, resourceArn: str, tags: dict[str, str]) -> None:  # noqa: N803
        self._tagged(resourceArn)["tags"].update(tags)

    def _untag_resource(self, resourceArn: str, tagKeys: list[str]) -> None:  # noqa: N803
        for key in tagKeys:
            self._tagged(resourceArn)["tags"].pop(key, None)

    def _tagged(self, arn: str) -> dict[str, Any]:
        kind, name = arn.rpartition("::/")[2].split("/")
        return {"restapis": self.state.apis, "domainnames": self.state.domains}[kind][name]

    def _get_domain_name(self, domainName: str) -> Any:  # noqa: N803
        return _existing(self.state.domains, domainName)

    def _create_domain_name(self, **given: Any) -> Any:
        name, certificate = given["domainName"], given["regionalCertificateArn"]
        if name in self.state.domains:
            raise Refused("BadRequestException", "The domain name you provided already exists.")
        self._check_issued(certificate)
        host = f"d-{name.replace('.', '')}{len(self.made)}"
        self.state.domains[name] = {
            **given,
            "regionalDomainName": f"{host}.execute-api.{self.region}.amazonaws.com",
            "regionalHostedZoneId": "ZTARGET",
        }
        self.state.mappings[name] = {}
        return self.state.domains[name]

    def _update_domain_name(self, domainName: str, patchOperations: Any) -> Any:  # noqa: N803
        domain = _existing(self.state.domains, domainName)
        for each in patchOperations:
            domain[each["path"].removeprefix("/")] = each["value"]
        self._check_issued(domain["regionalCertificateArn"])
        return domain

    def _delete_domain_name(self, domainName: str) -> None:  # noqa: N803
        _existing(self.state.domains, domainName)
        del self.state.domains[domainName], self.state.mappings[domainName]

    def _check_issued(self, arn: str) -> None:
        found = self._describe_certificate(arn)["Certificate"]
        if found["Status"] != "ISSUED":
            raise Refused("BadRequestException", f"The certificate is {found['Status']}")

    def _get_base_path_mappings(self, domainName: str, **_: Any) -> Any:  # noqa: N803
        return {"items": list(_existing(self.state.mappings, domainName).values())}

    def _create_base_path_mapping(self, domainName: str, **given: str) -> None:  # noqa: N803
        mappings = _existing(self.state.mappings, domainName)
        if given["basePath"] in mappings:
            raise Refused("ConflictException", "Base path already exists for this domain name")
        mappings[given["basePath"]] = given

    def _update_base_path_mapping(
        self,
        domainName: str,  # noqa: N803
        basePath: str,  # noqa: N803
        patchOperations: Any,  # noqa: N803
    ) -> None:
        mapping = _existing(_existing(self.state.mappings, domainName), basePath)
        for each in patchOperations:
            mapping[each["path"].removeprefix("/").replace("api", "Api")] = each["value"]

    def _delete_base_path_mapping(self, domainName: str, basePath: str) -> None:  # noqa: N803
        _existing(_existing(self.state.mappings, domainName), basePath)
        del self.state.mappings[domainName][basePath]

    # Certificate Manager

    def _list_certificates(self, Includes: Any = None) -> Any:  # noqa: N803
        keys = (Includes or {}).get("keyTypes", ["RSA_1024", "RSA_2048"])
        summaries = [
            {name: each[name] for name in ("CertificateArn", "DomainName", "Status")}
            | {"SubjectAlternativeNameSummaries": each["SubjectAlternativeNames"]}
            for each in self.state.certificates.values()
            if each.get("KeyAlgorithm", "RSA_2048") in keys
        ]
        return {"CertificateSummaryList": summaries}

    def add_certificate(self, name: str = NAME, **given: Any) -> str:
        """Add a certificate, issued to somebody else by default. Returns its ARN."""
        number = len(self.state.certificates)
        arn = f"arn:aws:acm:{self.region}:{ACCOUNT}:certificate/{number}"
        record = {"Name": f"_x.{name}.", "Type": "CNAME", "Value": "_y.acm-validations.aws."}
        self.state.certificates[arn] = {
            "CertificateArn": arn,
            "DomainName": name,
            "SubjectAlternativeNames": [name],
            "Status": "ISSUED",
            "DomainValidationOptions": [{"DomainName": name, "ResourceRecord": record}],
            "tags": {},
            **given,
        }
        return arn

    def _request_certificate(self, DomainName: str, Tags: Any, **_: Any) -> Any:  # noqa: N803
        tags = {each["Key"]: each["Value"] for each in Tags}
        arn = self.add_certificate(DomainName, Status="PENDING_VALIDATION", tags=tags)
        self.state.certificates[arn]["requested"] = self.now
        return {"CertificateArn": arn}

    def _describe_certificate(self, CertificateArn: str) -> Any:  # noqa: N803
        found = _existing(self.state.certificates, CertificateArn)
        option = found["DomainValidationOptions"][0]["ResourceRecord"]
        waited = self.now - found.get("requested", self.now) >= self.issue_after
        is_public = self._resolve(option["Name"].rstrip(".")) == option["Value"].rstrip(".")
        if found["Status"] == "PENDING_VALIDATION" and is_public and waited:
            found["Status"] = "ISSUED"
        hidden = ("tags", "requested")
        return {"Certificate": {key: found[key] for key in found if key not in hidden}}

    def _resolve(self, name: str) -> str:
        """Return what a CNAME record of the public DNS leads to, "" without one."""
        for zone, records in self.state.records.items():
            for each in records:
                is_public = not self.state.zones[zone]["Config"].get("PrivateZone")
                if is_public and each["Type"] == "CNAME" and each["Name"] == f"{name}.":
                    return str(each["ResourceRecords"][0]["Value"].rstrip("."))
        return self.state.elsewhere.get(name, "")

    def _delete_certificate(self, CertificateArn: str) -> None:  # noqa: N803
        _existing(self.state.certificates, CertificateArn)
        users = [each["regionalCertificateArn"] for each in self.state.domains.values()]
        if CertificateArn in users or self.held:
            self.held = max(self.held - 1, 0)
            raise Refused("ResourceInUseException", "in use")
        del self.state.certificates[CertificateArn]

    def _list_tags_for_certificate(self, CertificateArn: str) -> Any:  # noqa: N803
        tags = _existing(self.state.certificates, CertificateArn)["tags"]
        return {"Tags": [{"Key": key, "Value": tags[key]} for key in tags]}

    def _add_tags_to_certificate(self, CertificateArn: str, Tags: Any) -> None:  # noqa: N803
        tags = _existing(self.state.certificates, CertificateArn)["tags"]
        tags.update({each["Key"]: each["Value"] for each in Tags})

    def _remove_tags_from_certificate(self, CertificateArn: str, Tags: Any) -> None:  # noqa: N803
        for each in Tags:
            _existing(self.state.certificates, CertificateArn)["tags"].pop(each["Key"], None)

    # Route 53

    def _list_hosted_zones(self) -> Any:
        return {"HostedZones": list(self.state.zones.values())}

    def _list_resource_record_sets(
        self,
        HostedZoneId: str,  # noqa: N803
        StartRecordName: str,  # noqa: N803
        **_: Any,
    ) -> Any:
        records = _existing(self.state.records, HostedZoneId)
        first = f"{StartRecordName}."
        found = [each for each in records if each["Name"] >= first]
        return {"ResourceRecordSets": sorted(found, key=lambda each: str(each["Name"]))}

    def add_record(self, name: str, kind: str, value: str, zone: str = ZONE, **more: Any) -> None:
        """Add a record that somebody made by hand."""
        values = {"TTL": 60, "ResourceRecords": [{"Value": value}]}
        self.state.records[zone].append({"Name": f"{name}.", "Type": kind, **values, **more})

    def _change_resource_record_sets(self, HostedZoneId: str, ChangeBatch: Any) -> Any:  # noqa: N803
        records = copy.deepcopy(_existing(self.state.records, HostedZoneId))
        for change in ChangeBatch["Changes"]:
            given = _normal(change["ResourceRecordSet"])
            if change["Action"] == "DELETE":
                if given not in records:
                    raise Refused("InvalidChangeBatch", "it was not found")
                records.remove(given)
                continue
            types = {each["Type"] for each in records if each["Name"] == given["Name"]}
            if given["Type"] in types or "CNAME" in types or (types and given["Type"] == "CNAME"):
                raise Refused("InvalidChangeBatch", "it already exists, or a CNAME does")
            records.append(given)
        self.state.records[HostedZoneId] = records
        return {"ChangeInfo": {"Id": "/change/C1", "Status": "PENDING", "SubmittedAt": "now"}}

    def _get_change(self, Id: str) -> Any:  # noqa: N803
        return {"ChangeInfo": {"Id": f"/change/{Id}", "Status": "INSYNC"}}


def _existing(things: dict[str, Any], name: str) -> Any:
    if name not in things:
        raise Refused("NotFoundException", f"{name} does not exist")
    return things[name]


def _normal(given: dict[str, Any]) -> dict[str, Any]:
    """Return a record as Route 53 holds it, with a dot at the end of every name."""
    record = {**given, "Name": f"{given['Name'].rstrip('.')}."}
    if "AliasTarget" in record:
        host = record["AliasTarget"]["DNSName"].rstrip(".")
        record["AliasTarget"] = {**record["AliasTarget"], "DNSName": f"{host}."}
    return record


@functools.cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def _check(service: str, operation: str, parameters: dict[str, Any]) -> None:
    name = "".join(part.capitalize() for part in operation.split("_"))
    validate_parameters(parameters, _model(service).operation_model(name).input_shape)
