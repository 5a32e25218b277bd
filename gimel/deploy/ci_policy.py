"""The role with which GitHub Actions runs Gimel's commands: who may assume it. Pure.

A job proves what it is with a token of GitHub (OpenID Connect), so that no key is stored there.
Source: https://docs.github.com/en/actions/reference/security/oidc
"""

from __future__ import annotations

import re

from gimel.deploy.identity import Identity
from gimel.deploy.policies import VERSION, Policy
from gimel.errors import GimelError

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"

_OWNER = r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?"
_ID = "(?:@[0-9]+)?"
_WORKFLOW = re.compile(
    rf"github:(?P<repository>{_OWNER}{_ID}/[A-Za-z0-9._-]+{_ID})"
    r"(?P<context>:ref:refs/(?:heads|tags)/[^\s:*?]+|:environment:[^:*?\x00-\x1f]+)?"
)
_FORM = "github:OWNER/REPO, perhaps with :ref:refs/heads/BRANCH or :environment:NAME"


def parse_subject(workflow: str) -> str:
    """Return the subject (`sub`) of the tokens of a workflow, such as github:OWNER/REPO.

    By default, these are the jobs of the branch main without an environment. Raises GimelError.
    """
    found = _WORKFLOW.fullmatch(workflow)
    if found is None:
        raise GimelError(
            f"--ci must be {_FORM}; found {workflow!r}.",
            "A wildcard would let other branches, or pull requests, deploy.",
        )
    id_count = found["repository"].count("@")
    if id_count == 1:
        raise GimelError(
            "--ci must have the ids of both the owner and the repository, or none.",
            "Write github:OWNER@ID/REPO@ID.",
        )
    return f"repo:{found['repository']}{found['context'] or ':ref:refs/heads/main'}"


def ci_trust_policy(identity: Identity, subject: str) -> Policy:
    """Return the trust policy of a role that only jobs with this subject may assume."""
    provider = f"arn:{identity.partition}:iam::{identity.account}:oidc-provider/{ISSUER}"
    return {
        "Version": VERSION,
        "Statement": [
            {
                "Sid": "GitHubActions",
                "Effect": "Allow",
                "Principal": {"Federated": provider},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subject}
                },
            }
        ],
    }
