"""Whether the caller has the permissions that deploy needs, as far as IAM answers that."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from typing import Any

from gimel.deploy.aws import Aws
from gimel.deploy.aws_errors import DENIED, NO_CREDENTIALS, Refused
from gimel.deploy.checks.findings import Finding, failed, ok, warning
from gimel.deploy.desired import Desired
from gimel.deploy.identity import Identity
from gimel.deploy.plan import required_permissions
from gimel.deploy.policies import ANY_RESOURCE, ELASTICACHE, LAMBDA, Statement
from gimel.deploy.preflight_permissions import SIDS
from gimel.deploy.resources.domain_names import DOMAIN_ROLE
from gimel.deploy.resources.validation_records import RECORDS
from gimel.deploy.watch_permissions import WATCH_SIDS

_ASSUMED = re.compile(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/.*")
_SINGLE_SIGN_ON = "AWSReservedSSO_"  # roles whose path differs between organizations
_PASSED_TO_LAMBDA = {
    "ContextKeyName": "iam:PassedToService",
    "ContextKeyValues": [LAMBDA],
    "ContextKeyType": "string",
}
_CREATE_ROLE = "iam:CreateServiceLinkedRole"
_LINKED_TO_ELASTICACHE = {
    "ContextKeyName": "iam:AWSServiceName",
    "ContextKeyValues": [ELASTICACHE],
    "ContextKeyType": "string",
}
_NAME = "permissions"

# An account that has a domain name in API Gateway has the role already. Without permissions for
# Route 53, the user creates the records.
_OPTIONAL = {DOMAIN_ROLE, *RECORDS}


def check_permissions(
    aws: Aws, identity: Identity, desired: Desired, *, before_deploy: bool
) -> Finding:
    """Ask IAM whether the caller may do what deploy does.

    If the caller may not ask, that is a warning. `before_deploy` skips the permissions to list,
    which deploy uses at once, before it creates anything. Those of the checks themselves, and those
    to read logs and metrics, are not asked about: each command says what it may not read.
    """
    if identity.arn.endswith(":root"):
        return ok(_NAME, "the root user of the account may do everything")
    skipped = SIDS | WATCH_SIDS | _OPTIONAL | ({"Find"} if before_deploy else set())
    policy = required_permissions(identity, desired)
    statements = [each for each in policy["Statement"] if each["Sid"] not in skipped]
    try:
        allowed = _allowed(aws, _principal(aws, identity), statements)
    except Refused as refusal:
        if refusal.code in NO_CREDENTIALS:
            return failed(_NAME, refusal.message, refusal.hint)
        denied = refusal.code in DENIED
        why = "this user may not simulate IAM policies" if denied else refusal.message
        hint = "If one is missing, the deploy stops and names it."
        return warning(_NAME, f"not checked: {why}", hint)
    missing = sorted({action for each in statements for action in each["Action"]} - allowed)
    if missing == [_CREATE_ROLE]:
        hint = "Only an account that has never used ElastiCache needs it."
        return warning(_NAME, f"missing: {_CREATE_ROLE}", hint)
    if missing:
        hint = "`gimel iam-policy` prints the permissions that Gimel needs."
        return failed(_NAME, f"missing: {', '.join(missing)}", hint)
    return ok(_NAME, f"all {len(allowed)} actions that deploy needs are allowed")


def _principal(aws: Aws, identity: Identity) -> str:
    """Return the ARN of the user or role whose policies apply; a session has those of its role."""
    assumed = _ASSUMED.fullmatch(identity.arn)
    if assumed is None:
        return identity.arn
    if assumed[3].startswith(_SINGLE_SIGN_ON):
        return str(aws.call("iam", "get_role", RoleName=assumed[3])["Role"]["Arn"])
    return f"arn:{assumed[1]}:iam::{assumed[2]}:role/{assumed[3]}"


def _allowed(aws: Aws, principal: str, statements: list[Statement]) -> set[str]:
    """Return the actions of the statements that are allowed on at least one of their resources.

    All that name resources are asked for at once. IAM may refuse such a mixture. Then, and about
    the actions that it did not allow, it is asked statement by statement.
    """
    allowed: set[str] = set()
    scoped = [each for each in statements if each["Resource"] != list(ANY_RESOURCE)]
    resources = {resource for each in scoped for resource in each["Resource"]}
    actions = [action for each in scoped for action in each["Action"]]
    with contextlib.suppress(_Mixed):
        allowed |= _simulate(aws, principal, actions, resources)
    for each in statements:
        actions = [action for action in each["Action"] if action not in allowed]
        try:
            allowed |= _simulate(aws, principal, actions, each["Resource"]) if actions else set()
        except _Mixed:
            for action in actions:
                allowed |= _simulate(aws, principal, [action], each["Resource"])
    return allowed


class _Mixed(Exception):
    """IAM cannot answer about these actions in one request."""


def _simulate(
    aws: Aws, principal: str, actions: Iterable[str], resources: Iterable[str]
) -> set[str]:
    """Return those of the actions that are allowed on at least one of the resources.

    Raises _Mixed, or Refused.
    """
    # Any example of a pattern will do.
    examples = sorted({resource.replace("*", "any") for resource in resources if resource != "*"})
    context = [_PASSED_TO_LAMBDA]
    if _CREATE_ROLE in actions:
        context.append(_LINKED_TO_ELASTICACHE)
    allowed: set[str] = set()
    paging: dict[str, Any] = {"MaxItems": 1000}
    while True:
        try:
            answer = aws.call(
                "iam",
                "simulate_principal_policy",
                PolicySourceArn=principal,
                ActionNames=sorted(actions),
                ContextEntries=context,
                **({"ResourceArns": examples} if examples else {}),
                **paging,
            )
        except Refused as refusal:
            if "different authorization information" in refusal.message:
                raise _Mixed from None
            raise
        for each in answer["EvaluationResults"]:
            specific = each.get("ResourceSpecificResults") or ()
            decisions = [one["EvalResourceDecision"] for one in specific]
            if "allowed" in (decisions or [each["EvalDecision"]]):
                allowed.add(each["EvalActionName"])
        if not answer.get("IsTruncated"):
            return allowed
        paging["Marker"] = answer["Marker"]
