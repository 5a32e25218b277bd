"""`gimel iam-policy`"""

from __future__ import annotations

import click

from gimel.analysis.phrases import join_names
from gimel.cli import Options, terminal
from gimel.cli.help import Command
from gimel.deploy.aws import partition_of
from gimel.deploy.ci_policy import ci_trust_policy, parse_subject
from gimel.deploy.desired import desired_state
from gimel.deploy.identity import Deployment, Identity
from gimel.deploy.plan import required_permissions
from gimel.deploy.policies import (
    MANAGED_POLICY_SIZE,
    ROLE_POLICIES_SIZE,
    Policy,
    policy_size,
    split_policy,
)
from gimel.errors import GimelError


@click.command(
    cls=Command,
    name="iam-policy",
    examples={
        "gimel iam-policy > policy.json": "",
        "gimel iam-policy --account 123456789012 --region eu-west-1": "no credentials",
        "gimel iam-policy --part 2": "the rest of a long one",
        "gimel iam-policy --ci github:acme/shop:environment:production": "",
    },
)
@click.option("--account", metavar="ID", help="AWS account. [default: that of the credentials]")
@click.option(
    "--ci",
    "workflow",
    metavar="github:OWNER/REPO",
    help="Print the trust policy of a role for GitHub Actions, too. Jobs of the branch main may "
    "assume it, or those that :ref:refs/heads/BRANCH or :environment:NAME after it names.",
)
@click.option(
    "--part",
    type=click.IntRange(min=1),
    metavar="NUMBER",
    help="Print one of the parts of a policy that exceeds the size limit of a managed policy.",
)
@terminal.aws_options
@click.pass_obj
def command(
    options: Options,
    account: str | None,
    workflow: str | None,
    part: int | None,
    profile: str | None,
    region: str | None,
) -> None:
    """Print the least-privilege IAM policy for Gimel's commands with this configuration.

    Create a managed policy from it, or an inline policy of a role. It exceeds the size limit of a
    user's inline policies. With several features, it also exceeds that of a managed policy: it then
    consists of parts, which you attach together.

    To remove something that only a previous configuration had (a function, tags, a URL), you also
    need the permissions of that configuration.

    With --ci, the JSON has a "trust_policy" and a "permission_policy" for a role. Repositories that
    were created since July 2026 are named github:OWNER@ID/REPO@ID: see docs/ci.md.
    """
    subject = None if workflow is None else parse_subject(workflow)
    config = options.load_config()
    desired = desired_state(config, b"")
    identity = _identity(account, profile, region, terminal.configured_deployment(config))
    policy = required_permissions(identity, desired)
    allowed = MANAGED_POLICY_SIZE if subject is None else ROLE_POLICIES_SIZE
    if part is not None:
        policy = _part(policy, part)
    elif policy_size(policy) > allowed:
        _show_size(policy)
    if subject is None:
        terminal.print_json(policy)
    else:
        trust = ci_trust_policy(identity, subject)
        terminal.print_json({"trust_policy": trust, "permission_policy": policy})


def _show_size(policy: Policy) -> None:
    """Say what to do with a policy that is too long for one managed policy."""
    size, parts = policy_size(policy), split_policy(policy)
    options = join_names([f"`--part {number}`" for number in range(1, len(parts) + 1)])
    whole = (
        f" As an inline policy of a role, it fits as it is: {ROLE_POLICIES_SIZE:,} are allowed."
        if size <= ROLE_POLICIES_SIZE
        else ""
    )
    terminal.show_notices(
        [
            f"The policy has {size:,} characters without white space, and a managed policy may "
            f"have {MANAGED_POLICY_SIZE:,}. Create {len(parts)} managed policies, from {options}, "
            f"and attach all of them.{whole}"
        ],
        terminal.stderr(),
    )


def _part(policy: Policy, number: int) -> Policy:
    parts = split_policy(policy)
    if number > len(parts):
        known = "one part" if len(parts) == 1 else f"{len(parts)} parts"
        raise GimelError(f"The policy has {known}.", "Choose another --part, or omit it.")
    return parts[number - 1]


def _identity(
    account: str | None, profile: str | None, region: str | None, deployment: Deployment
) -> Identity:
    """Return the account and region: those given, and AWS's answer for the others."""
    partition = partition_of(region) if region else None
    if account and region and partition:
        return Identity(account, region, "", partition.name, deployment)
    try:
        aws = terminal.connect(profile, region, deployment)
        if account:
            return Identity(account, aws.region, "", partition_of(aws.region).name, deployment)
        return aws.identity()
    except GimelError as error:
        hint = f"{error.hint} With --account and --region, no credentials are needed."
        raise GimelError(error.message, hint.strip()) from None
