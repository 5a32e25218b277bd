"""Whether the caller may do what deploy does, as far as IAM lets that be asked."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from typing import Any

from gimel.deploy import policies
from gimel.deploy.aws import NO_CREDENTIALS, Aws, Refused
from gimel.deploy.checks.findings import Finding, failed, ok, warning
from gimel.deploy.models import Desired, Identity, Policy

_ASSUMED = re.compile(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/.*")
_SINGLE_SIGN_ON = "AWSReservedSSO_"  # begins the names of roles whose path differs from one organization to the next
_PASSED_TO_LAMBDA = {
    "ContextKeyName": "iam:PassedToService",
    "ContextKeyValues": [policies.LAMBDA],
    "ContextKeyType": "string",
}
_DENIED = ("AccessDenied", "AccessDeniedException")


def rights(aws: Aws, identity: Identity, desired: Desired, before_deploy: bool) -> Finding:
    """Ask IAM whether the caller may do what deploy does. Who may not ask is told so, which is no failure."""
    name = "rights"
    if identity.arn.endswith(":root"):
        return ok(name, "the account's root user may do everything")
    statements = [
        each
        for each in policies.of_operator(identity, desired)["Statement"]
        if not (before_deploy and each["Sid"] == "Find")
    ]
    try:
        allowed = _allowed(aws, _principal(aws, identity), statements)
    except Refused as refusal:
        if refusal.code in NO_CREDENTIALS:
            return failed(name, refusal.message, refusal.hint)
        why = "IAM does not let them be asked" if refusal.code in _DENIED else refusal.message
        return warning(name, f"not known: {why}", "A missing right stops the deploy with its name.")
    missing = sorted({action for each in statements for action in each["Action"]} - allowed)
    if missing:
        return failed(
            name,
            f"missing: {', '.join(missing)}",
            "`gimel iam-policy` prints the rights that Gimel needs.",
        )
    return ok(name, f"all {len(allowed)} actions that deploy needs are allowed")


def _principal(aws: Aws, identity: Identity) -> str:
    """Return the user or role that the rights are those of: of a session, its role."""
    assumed = _ASSUMED.fullmatch(identity.arn)
    if assumed is None:
        return identity.arn
    if assumed[3].startswith(_SINGLE_SIGN_ON):
        return str(aws.call("iam", "get_role", RoleName=assumed[3])["Role"]["Arn"])
    return f"arn:{assumed[1]}:iam::{assumed[2]}:role/{assumed[3]}"


def _allowed(aws: Aws, principal: str, statements: list[Policy]) -> set[str]:
    """Return the actions of the statements that are allowed on one of their resources at least.

    All that name resources are asked for at once. IAM may refuse such a mixture: then, and about what it did not allow,
    it is asked statement by statement.
    """
    allowed: set[str] = set()
    scoped = [each for each in statements if each["Sid"] not in policies.UNSCOPED]
    resources = {resource for each in scoped for resource in each["Resource"]}
    with contextlib.suppress(_Mixed):
        allowed |= _simulate(
            aws, principal, [action for each in scoped for action in each["Action"]], resources
        )
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
    """Return those of the actions that are allowed on one of the resources at least. Raises _Mixed, or Refused."""
    # Of a pattern, any one that it stands for will do.
    examples = sorted({resource.replace("*", "any") for resource in resources if resource != "*"})
    allowed: set[str] = set()
    given: dict[str, Any] = {"ResourceArns": examples} if examples else {}
    while True:
        try:
            answer = aws.call(
                "iam",
                "simulate_principal_policy",
                PolicySourceArn=principal,
                ActionNames=sorted(actions),
                ContextEntries=[_PASSED_TO_LAMBDA],
                MaxItems=1000,
                **given,
            )
        except Refused as refusal:
            if "different authorization information" in refusal.message:
                raise _Mixed from None
            raise
        for each in answer["EvaluationResults"]:
            decisions = [
                one["EvalResourceDecision"] for one in each.get("ResourceSpecificResults") or ()
            ]
            if "allowed" in (decisions or [each["EvalDecision"]]):
                allowed.add(each["EvalActionName"])
        if not answer.get("IsTruncated"):
            return allowed
        given["Marker"] = answer["Marker"]
