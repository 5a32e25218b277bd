"""The IAM role that the functions run as: who may assume it. All regions of an account share it.

What the role may do is in `role_policy`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from gimel.deploy.desired import Desired
from gimel.deploy.identity import NAME, Identity
from gimel.deploy.policies import LAMBDA, TRUST_LAMBDA, Permission, Policy, trusted_services
from gimel.deploy.record import Record, other_regions, read_record
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.tags import as_pairs, given, retag


@dataclass(frozen=True)
class ObservedRole:
    """The role as it is.

    `trusted` are the services that may assume it, `policy` is its inline policy of Gimel's name,
    None where it has none, and `tags` are without those that AWS sets.
    """

    arn: str
    trusted: frozenset[str]
    policy: Policy | None
    tags: Mapping[str, str]


class Role(Resource[ObservedRole | None]):
    """See the module."""

    def observe(self, look: Look) -> ObservedRole | None:
        answer = look.aws.find("iam", "get_role", RoleName=NAME)
        if answer is None:
            return None
        role = answer["Role"]
        policy = look.aws.find("iam", "get_role_policy", RoleName=NAME, PolicyName=NAME)
        tags = {tag["Key"]: tag["Value"] for tag in role.get("Tags", [])}
        return ObservedRole(
            arn=role["Arn"],
            trusted=trusted_services(_document(role.get("AssumeRolePolicyDocument", {}))),
            policy=_document(policy["PolicyDocument"]) if policy else None,
            tags={key: tags[key] for key in tags if not key.startswith("aws:")},
        )

    def ids(self, found: ObservedRole | None) -> dict[str, str]:
        return {"role": found.arn} if found else {}

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        role = observed.of(self)
        if role is None:
            yield CreateRole(desired.tags)
        elif LAMBDA not in role.trusted:
            yield TrustLambda()

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        """The API of 1.5.0 calls the functions by this role, so other trust ends last."""
        role = observed.of(self)
        if role and LAMBDA in role.trusted and role.trusted != {LAMBDA}:
            yield TrustLambda()

    def tag(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        target = {"RoleName": NAME}
        return retag(f"role {NAME}", "iam", target, desired.tags, recorded_tags(observed))

    def remove(self, observed: Observed) -> Iterator[Step]:
        role = observed.of(self)
        if role and other_regions(role.policy, observed.identity.region) is None:
            yield DeleteRole()

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        actions = ["CreateRole", "DeleteRole", "GetRole", "UpdateAssumeRolePolicy"]
        actions += ["TagRole", "UntagRole"] if desired.tags else []
        yield Permission("Role", tuple(f"iam:{name}" for name in actions), (identity.role,))


ROLE = Role()


def recorded(observed: Observed | Look) -> Record:
    """Return what the role's policy records of this region."""
    role = observed.of(ROLE)
    return read_record(role.policy if role else None, observed.identity.region)


def recorded_tags(observed: Observed) -> Mapping[str, str] | None:
    """Return the tags that everything was given when the role was tagged, None without a role."""
    role = observed.of(ROLE)
    return role.tags if role else None


@dataclass(frozen=True)
class CreateRole(Step):
    tags: Mapping[str, str]

    def __str__(self) -> str:
        return f"Create the role {NAME}, which the functions run as"

    def perform(self, run: Run) -> None:
        run.aws.call(
            "iam",
            "create_role",
            RoleName=NAME,
            AssumeRolePolicyDocument=json.dumps(TRUST_LAMBDA),
            **given(Tags=as_pairs(self.tags)),
        )


@dataclass(frozen=True)
class TrustLambda(Step):
    """Allow Lambda, and no other service, to assume the role."""

    def __str__(self) -> str:
        return f"Allow only AWS Lambda to assume the role {NAME}"

    def perform(self, run: Run) -> None:
        trust = json.dumps(TRUST_LAMBDA)
        run.aws.call("iam", "update_assume_role_policy", RoleName=NAME, PolicyDocument=trust)


@dataclass(frozen=True)
class DeleteRole(Step):
    destructive = True

    def __str__(self) -> str:
        return f"Delete the role {NAME}"

    def perform(self, run: Run) -> None:
        run.aws.find("iam", "delete_role", RoleName=NAME)


def _document(policy: Policy | str) -> Policy:
    """Return a policy as IAM answers it: parsed by botocore, or as URL-encoded JSON."""
    parsed: Policy = json.loads(unquote(policy)) if isinstance(policy, str) else policy
    return parsed
