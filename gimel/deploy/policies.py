"""IAM policies as dicts: reading, comparing and merging them, and the operator's own policy.

Pure functions; someone else sends the policies to AWS.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Policy: TypeAlias = Mapping[str, Any]
Statement: TypeAlias = Mapping[str, Any]

VERSION = "2012-10-17"
MANAGED_POLICY_SIZE, ROLE_POLICIES_SIZE = 6_144, 10_240
"""The most characters of a managed policy, and of all inline policies of a role.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

LAMBDA = "lambda.amazonaws.com"
ELASTICACHE = "elasticache.amazonaws.com"

TRUST_LAMBDA: Policy = {
    "Version": VERSION,
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": LAMBDA}, "Action": "sts:AssumeRole"}
    ],
}
"""The trust policy of the functions' role: Lambda, and nobody else, may assume it."""


POLICY_OF_1_5_0: Policy = {
    "Version": VERSION,
    "Statement": [
        {"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": ["*"]},
        {
            "Effect": "Allow",
            "Action": [
                "kinesis:PutRecord",
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:PutLogEvents",
            ],
            "Resource": "*",
        },
    ],
}
"""What Gimel 1.5.0 let its role do, among other things: by this its role is recognized."""


@dataclass(frozen=True)
class Permission:
    """Actions that the operator needs, on resources; equal `sid`s are merged into one statement."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Mapping[str, Any] | None = None


ANY_RESOURCE = ("*",)
"""For actions that cannot be limited to a resource."""


def operator_policy(permissions: Iterable[Permission]) -> Policy:
    """Return the least-privilege policy that grants the permissions, one statement per `sid`."""
    merged: dict[str, Permission] = {}
    for permission in permissions:
        known = merged.get(permission.sid, Permission(permission.sid, (), ()))
        merged[permission.sid] = Permission(
            permission.sid,
            tuple(sorted({*known.actions, *permission.actions})),
            tuple(dict.fromkeys((*known.resources, *permission.resources))),
            permission.condition or known.condition,
        )
    return {"Version": VERSION, "Statement": [_statement(each) for each in merged.values()]}


def policy_size(policy: Policy) -> int:
    """Return the number of characters that IAM counts: all but white space."""
    return len(json.dumps(policy, separators=(",", ":")))


def split_policy(policy: Policy, limit: int = MANAGED_POLICY_SIZE) -> list[Policy]:
    """Return policies that together allow the same, each within the limit if possible.

    A statement is not divided.
    """
    parts: list[list[Statement]] = []
    for statement in sorted(statements(policy), key=lambda each: -len(json.dumps(each))):
        fits = (part for part in parts if policy_size(_of([*part, statement])) <= limit)
        part = next(fits, None)
        if part is None:
            parts.append(part := [])
        part.append(statement)
    return [_of(part) for part in parts]


def trusted_services(policy: Policy) -> frozenset[str]:
    """Return the services that a trust policy allows to assume the role."""
    services: set[str] = set()
    for statement in statements(policy):
        services.update(as_list(statement.get("Principal", {}).get("Service", [])))
    return frozenset(services)


def allows(policy: Policy | None, wanted: Policy) -> bool:
    """Return whether a policy allows everything that another allows, by name or by wildcard."""
    allowed = _grants(policy or {})
    return all(
        (action, resource) in allowed or (action, "*") in allowed
        for action, resource in _grants(wanted)
    )


def merge_policies(earlier: Policy | None, later: Policy) -> Policy:
    """Return a policy that allows everything that either of two policies allows."""
    renamed = [
        {**statement, "Sid": f"Before{index}"}  # a Sid may occur only once in a policy
        for index, statement in enumerate(statements(earlier or {}))
    ]
    return {"Version": VERSION, "Statement": [*renamed, *statements(later)]}


def statements(policy: Policy) -> list[Statement]:
    """Return the statements of a policy. IAM accepts a single one without a list."""
    return as_list(policy.get("Statement", []))


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, and any other value as a list of one: IAM accepts both."""
    return value if isinstance(value, list) else [value]


def _of(statements: list[Statement]) -> Policy:
    return {"Version": VERSION, "Statement": statements}


def _statement(permission: Permission) -> Statement:
    condition = {"Condition": dict(permission.condition)} if permission.condition else {}
    return {
        "Sid": permission.sid,
        "Effect": "Allow",
        "Action": list(permission.actions),
        "Resource": list(permission.resources),
        **condition,
    }


def _grants(policy: Policy) -> set[tuple[str, str]]:
    return {
        (action, resource)
        for statement in statements(policy)
        if statement.get("Effect") == "Allow"
        for action in as_list(statement.get("Action", []))
        for resource in as_list(statement.get("Resource", []))
    }
