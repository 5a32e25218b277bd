"""The IAM role that the functions run as: who may assume it. All regions of an account share it.

What the role may do is in `role_policy`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from gimel.deploy.desired import Desired
from gimel.deploy.identity import Identity
from gimel.deploy.policies import (
    LAMBDA,
    POLICY_OF_1_5_0,
    TRUST_LAMBDA,
    Permission,
    Policy,
    allows,
    trusted_services,
)
from gimel.deploy.record import Record, read_record, recorded_regions
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.tags import MARK, as_pairs, given, marked, retag


@dataclass(frozen=True)
class ObservedRole:
    """The role as it is.

    `trusted` are the services that may assume it, `policy` is its inline policy of Gimel's name,
    None where it has none, and `tags` are without those that AWS sets. `boundary` is the ARN of its
    permissions boundary.
    """

    arn: str
    trusted: frozenset[str]
    policy: Policy | None
    tags: Mapping[str, str]
    boundary: str | None = None

    @property
    def is_of_1_5_0(self) -> bool:
        """Whether Gimel 1.5.0 made it, and no later version has been deployed since."""
        return MARK not in self.tags and allows(self.policy, POLICY_OF_1_5_0)


class Role(Resource[ObservedRole | None]):
    """See the module. Observed is None if the functions run as a role that Gimel did not make."""

    def observe(self, look: Look) -> ObservedRole | None:
        name = look.identity.name
        if look.identity.deployment.role is not None:
            return None
        answer = look.aws.find("iam", "get_role", RoleName=name)
        if answer is None:
            return None
        policy = look.aws.find("iam", "get_role_policy", RoleName=name, PolicyName=name)
        tags = {tag["Key"]: tag["Value"] for tag in answer["Role"].get("Tags", [])}
        role = ObservedRole(
            arn=answer["Role"]["Arn"],
            trusted=trusted_services(_document(answer["Role"].get("AssumeRolePolicyDocument", {}))),
            policy=_document(policy["PolicyDocument"]) if policy else None,
            tags={key: tags[key] for key in tags if not key.startswith("aws:")},
            boundary=answer["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        )
        if not _is_ours(role, look.identity):
            look.foreign.append(f"the role {role.arn}")
            return None
        return role

    def ids(self, found: ObservedRole | None) -> dict[str, str]:
        return {"role": found.arn} if found else {}

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        """The mark comes first: what else shows that the role is Gimel's changes on the way."""
        name, role = observed.identity.name, observed.of(self)
        if observed.identity.deployment.role is not None:
            return
        boundary = desired.config.document.aws.permissions_boundary
        if role is None:
            yield CreateRole(name, marked(name, desired.tags), boundary)
            return
        if MARK not in role.tags:
            yield from retag(f"role {name}", "iam", {"RoleName": name}, {MARK: name}, {})
        if boundary and role.boundary != boundary:
            yield SetBoundary(name, boundary)
        if LAMBDA not in role.trusted:
            yield TrustLambda(name)

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        """The API of 1.5.0 calls the functions by this role, so other trust ends last."""
        role = observed.of(self)
        if role and LAMBDA in role.trusted and role.trusted != {LAMBDA}:
            yield TrustLambda(observed.identity.name)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        if identity.deployment.role is not None:
            return
        actions = ["CreateRole", "DeleteRole", "GetRole", "UpdateAssumeRolePolicy"]
        actions += ["TagRole", "UntagRole"]
        if desired.config.document.aws.permissions_boundary:
            actions.append("PutRolePermissionsBoundary")
        yield Permission("Role", tuple(f"iam:{name}" for name in actions), (identity.role,))


ROLE = Role()


def recorded(observed: Observed | Look) -> Record:
    """Return what the role's policy records of this region."""
    role = observed.of(ROLE)
    return read_record(role.policy if role else None, observed.identity.region)


def _is_ours(role: ObservedRole, identity: Identity) -> bool:
    """Return whether Gimel made a role: by its mark, or by the policy that Gimel gives it.

    The policy is that of 1.5.0, or names log groups of Gimel's functions.
    """
    if MARK in role.tags or role.policy is None:
        return role.tags.get(MARK) == identity.name
    of_1_5_0 = identity.deployment.is_default and role.is_of_1_5_0
    return of_1_5_0 or bool(recorded_regions(role.policy))


@dataclass(frozen=True)
class CreateRole(Step):
    name: str
    tags: Mapping[str, str]
    boundary: str | None = None

    def __str__(self) -> str:
        return f"Create the role {self.name}, which the functions run as"

    def perform(self, run: Run) -> None:
        run.aws.call(
            "iam",
            "create_role",
            RoleName=self.name,
            AssumeRolePolicyDocument=json.dumps(TRUST_LAMBDA),
            **given(Tags=as_pairs(self.tags), PermissionsBoundary=self.boundary),
        )


@dataclass(frozen=True)
class SetBoundary(Step):
    name: str
    boundary: str

    def __str__(self) -> str:
        return f"Set the permissions boundary of the role {self.name}: {self.boundary}"

    def perform(self, run: Run) -> None:
        which = {"RoleName": self.name, "PermissionsBoundary": self.boundary}
        run.aws.call("iam", "put_role_permissions_boundary", **which)


@dataclass(frozen=True)
class TrustLambda(Step):
    """Allow Lambda, and no other service, to assume the role."""

    name: str

    def __str__(self) -> str:
        return f"Allow only AWS Lambda to assume the role {self.name}"

    def perform(self, run: Run) -> None:
        which = {"RoleName": self.name, "PolicyDocument": json.dumps(TRUST_LAMBDA)}
        run.aws.call("iam", "update_assume_role_policy", **which)


@dataclass(frozen=True)
class DeleteRole(Step):
    destructive = True

    name: str

    def __str__(self) -> str:
        return f"Delete the role {self.name}"

    def perform(self, run: Run) -> None:
        run.aws.find("iam", "delete_role", RoleName=self.name)


def _document(policy: Policy | str) -> Policy:
    """Return a policy as IAM answers it: parsed by botocore, or as URL-encoded JSON."""
    parsed: Policy = json.loads(unquote(policy)) if isinstance(policy, str) else policy
    return parsed
