"""The security group of the functions and the store: what reaches the store's ports.

The functions and the store are its members, and it admits nothing but its members. It is in the VPC
of aws.vpc, or else in the default VPC of the region.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gimel.deploy.aws import Answer
from gimel.deploy.aws_errors import Refused
from gimel.deploy.desired import Desired
from gimel.deploy.identity import Identity
from gimel.deploy.policies import ANY_RESOURCE, Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.tag_record import tags_to_give
from gimel.deploy.resources.tags import MARK, as_pairs, marked, retag
from gimel.deploy.resources.waiting import wait_until
from gimel.errors import GimelError

PORTS = (6379, 6380)
"""Those of a serverless cache: 6379, and 6380 for reading from replicas."""

# Lambda deletes the network interfaces of a deleted function up to 20 minutes later.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
_PATIENCE = 25 * 60.0


@dataclass(frozen=True)
class ObservedNetwork:
    """The network of the store. `group` is the id of Gimel's group, None if it does not exist.

    `vpc` is the VPC that the group is in, or is to be in, None if there is none; `chosen` is the
    one that aws.vpc names. `zones` are the availability zones of the subnets of aws.vpc. `rules`
    are the inbound rules of the group, as EC2 answers them.
    """

    group: str | None = None
    vpc: str | None = None
    chosen: str | None = None
    zones: Mapping[str, str] = field(default_factory=dict)
    rules: Sequence[Answer] = ()

    @property
    def wrong_rules(self) -> list[Answer]:
        """The rules that admit anything but the members to the ports of the store."""
        return [rule for rule in self.rules if not _is_right(rule, self.group)]

    @property
    def admits_members(self) -> bool:
        """Whether the members reach the store."""
        return any(_is_right(rule, self.group) for rule in self.rules)


class SecurityGroup(Resource[ObservedNetwork | None]):
    """Observed is None where no store is to be created or deleted."""

    def observe(self, look: Look) -> ObservedNetwork | None:
        desired = look.desired if look.desired and look.desired.config.provisions else None
        if desired is None and not look.with_data:
            return None
        name = look.identity.name
        found = _described(look, "security_groups", "group-name", name)
        ours = [each for each in found if {"Key": MARK, "Value": name} in each.get("Tags", [])]
        group = ours[0] if ours else None
        given = desired.config.document.aws.vpc if desired else None
        zones, chosen = _look_up_subnets(look, given.subnets) if given else ({}, None)
        vpc = group["VpcId"] if group else chosen
        if desired and vpc is None:
            defaults = _described(look, "vpcs", "is-default", "true")
            vpc = next((each["VpcId"] for each in defaults), None)
        if desired and group is None:
            for each in found:
                if each["VpcId"] == vpc:
                    arn = look.identity.security_group(each["GroupId"])
                    look.foreign.append(f"the security group {arn}, named {name}")
        return ObservedNetwork(
            group=group["GroupId"] if group else None,
            vpc=vpc,
            chosen=chosen,
            zones=zones,
            rules=group["IpPermissions"] if group else (),
        )

    def ids(self, found: ObservedNetwork | None) -> dict[str, str]:
        return {"security group": found.group} if found and found.group else {}

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        network = observed.of(self)
        if network is None or not desired.config.provisions:
            return
        name = observed.identity.name
        if network.vpc is None:
            raise no_default_vpc(observed.identity.region)
        if network.chosen not in (None, network.vpc):
            raise GimelError(
                f"The store {observed.identity.store} is in {network.vpc} and cannot move, but the "
                f"subnets of aws.vpc are in {network.chosen}.",
                f"Set aws.vpc to subnets of {network.vpc}, or delete the store with "
                "`gimel destroy --with-data`.",
            )
        if network.group is None:
            yield CreateGroup(name, network.vpc, marked(name, desired.tags))
        if network.group is None or not network.admits_members:
            yield AdmitMembers(name)
        if network.wrong_rules:
            yield RevokeOthers(name, tuple(network.wrong_rules))

    def tag(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        network, name = observed.of(self), observed.identity.name
        if network is not None and network.group is not None and desired.config.provisions:
            tags, before = tags_to_give(desired, observed)
            target = {"Resources": network.group}
            yield from retag(f"security group {name}", "ec2", target, tags, before)

    def remove(self, observed: Observed) -> Iterator[Step]:
        network = observed.of(self)
        if observed.with_data and network is not None and network.group is not None:
            yield DeleteGroup(observed.identity.name)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        if not desired.config.provisions:
            return
        described = ("SecurityGroups", "Subnets", "Vpcs")
        actions = tuple(f"ec2:Describe{name}" for name in described)
        yield Permission("Network", actions, ANY_RESOURCE)
        actions = ("AuthorizeSecurityGroupIngress", "CreateSecurityGroup", "CreateTags")
        actions += ("DeleteSecurityGroup", "DeleteTags", "RevokeSecurityGroupIngress")
        yield network_permission(identity, *actions)


SECURITY_GROUP = SecurityGroup()


def network_permission(identity: Identity, *actions: str) -> Permission:
    """Return the permission for actions of EC2 on what the network of a store consists of."""
    ec2 = f"arn:{identity.partition}:ec2:{identity.region}:{identity.account}"
    kinds = ("security-group", "subnet", "vpc", "vpc-endpoint")
    resources = tuple(f"{ec2}:{kind}/*" for kind in kinds)
    return Permission("StoreNetwork", tuple(f"ec2:{name}" for name in actions), resources)


def no_default_vpc(region: str) -> GimelError:
    """Return what to say where neither aws.vpc nor a default VPC exists."""
    return GimelError(
        f"There is no default VPC in {region}, in which the store could be created.",
        "Create it with `aws ec2 create-default-vpc`, or set aws.vpc.",
    )


def _look_up_subnets(look: Look, subnets: Sequence[str]) -> tuple[dict[str, str], str | None]:
    """Return the availability zone of each subnet, and the VPC of all. Raises GimelError."""
    found = look.aws.pages("ec2", "describe_subnets", SubnetIds=list(subnets))
    vpcs = sorted({each["VpcId"] for each in found})
    if len(vpcs) > 1:
        raise GimelError(
            f"The subnets of aws.vpc are in several VPCs: {', '.join(vpcs)}.",
            "Set aws.vpc.subnets to subnets of one VPC.",
        )
    zones = {each["SubnetId"]: each["AvailabilityZone"] for each in found}
    return zones, next(iter(vpcs), None)


def _described(look: Look, what: str, name: str, value: str) -> list[Answer]:
    filters = [{"Name": name, "Values": [value]}]
    return look.aws.pages("ec2", f"describe_{what}", Filters=filters)


def _rule(group: str) -> dict[str, Any]:
    first, last = PORTS
    members = [{"GroupId": group}]
    return {"IpProtocol": "tcp", "FromPort": first, "ToPort": last, "UserIdGroupPairs": members}


def _is_right(rule: Answer, group: str | None) -> bool:
    members = [each.get("GroupId") for each in rule.get("UserIdGroupPairs", [])]
    others = [rule.get(name) for name in ("IpRanges", "Ipv6Ranges", "PrefixListIds")]
    ports = (rule.get("FromPort"), rule.get("ToPort"))
    return rule["IpProtocol"] == "tcp" and ports == PORTS and members == [group] and not any(others)


@dataclass(frozen=True)
class CreateGroup(Step):
    name: str
    vpc: str
    tags: Mapping[str, str]

    def __str__(self) -> str:
        return f"Create the security group {self.name} in {self.vpc}"

    def perform(self, run: Run) -> None:
        def created() -> Answer | None:
            filters = [
                {"Name": "group-name", "Values": [self.name]},
                {"Name": f"tag:{MARK}", "Values": [run.identity.name]},
            ]
            answer = run.aws.call("ec2", "describe_security_groups", Filters=filters)
            return next(iter(answer["SecurityGroups"]), None)

        answer = run.aws.create(
            "ec2",
            "create_security_group",
            created,
            GroupName=self.name,
            Description="The functions and the store of Gimel",
            VpcId=self.vpc,
            TagSpecifications=[{"ResourceType": "security-group", "Tags": as_pairs(self.tags)}],
        )
        run.ids["security group"] = answer["GroupId"]


@dataclass(frozen=True)
class AdmitMembers(Step):
    name: str

    def __str__(self) -> str:
        ports = " and ".join(map(str, PORTS))
        return f"Admit only members of the security group {self.name} to ports {ports}"

    def perform(self, run: Run) -> None:
        group = run.ids["security group"]
        which = {"GroupId": group, "IpPermissions": [_rule(group)]}
        try:
            run.aws.call("ec2", "authorize_security_group_ingress", **which)
        except Refused as refused:
            if refused.code != "InvalidPermission.Duplicate":  # an earlier attempt was done
                raise


@dataclass(frozen=True)
class RevokeOthers(Step):
    """Remove the rules that were added by hand."""

    name: str
    rules: tuple[Answer, ...]

    def __str__(self) -> str:
        return f"Remove the other inbound rules of the security group {self.name}"

    def perform(self, run: Run) -> None:
        which = {"GroupId": run.ids["security group"], "IpPermissions": list(self.rules)}
        run.aws.find("ec2", "revoke_security_group_ingress", **which)


@dataclass(frozen=True)
class DeleteGroup(Step):
    """Delete the group, once Lambda no longer has network interfaces in it."""

    destructive = True

    name: str

    def __str__(self) -> str:
        return f"Delete the security group {self.name}"

    def perform(self, run: Run) -> None:
        wait_until(
            run.aws,
            lambda: self._is_deleted(run),
            "AWS Lambda still uses the security group",
            _PATIENCE,
            GimelError(
                f"AWS Lambda still uses the security group {self.name}.",
                "This can take AWS half an hour, and costs nothing. If it takes longer, the role "
                "of the functions was deleted before, which Lambda needs for that: delete the "
                "network interfaces of the group in the EC2 console.",
            ),
        )

    def _is_deleted(self, run: Run) -> bool:
        try:
            run.aws.find("ec2", "delete_security_group", GroupId=run.ids["security group"])
        except Refused as refused:
            if refused.code != "DependencyViolation":
                raise
            return False
        return True
