"""The permissions that the checks before a deploy need. A deploy itself works without them."""

from __future__ import annotations

from collections.abc import Iterator

from gimel.deploy.identity import Identity
from gimel.deploy.policies import ANY_RESOURCE, Permission

SIDS = frozenset({"PreflightQuotas", "PreflightSimulate", "PreflightSingleSignOn"})
"""The statements that `preflight_permissions` adds to the policy."""


def preflight_permissions(identity: Identity) -> Iterator[Permission]:
    """Yield the permissions of `gimel.deploy.checks`. All of them only read.

    Whoever prints the policy is often not the user or role that it is for, so that simulating is
    allowed for any user and role of the account.
    """
    iam = f"arn:{identity.partition}:iam::{identity.account}"
    yield Permission("PreflightQuotas", ("lambda:GetAccountSettings",), ANY_RESOURCE)
    yield Permission(
        "PreflightSimulate", ("iam:SimulatePrincipalPolicy",), (f"{iam}:role/*", f"{iam}:user/*")
    )
    # A session of IAM Identity Center does not show the path of its role.
    yield Permission(
        "PreflightSingleSignOn",
        ("iam:GetRole",),
        (f"{iam}:role/aws-reserved/sso.amazonaws.com/*",),
    )
