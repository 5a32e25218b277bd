"""`gimel iam-policy`"""

from __future__ import annotations

import click

from gimel.cli import Options, terminal
from gimel.cli.help import Command
from gimel.deploy.aws import partition_of
from gimel.deploy.ci_policy import ci_trust_policy, parse_subject
from gimel.deploy.desired import desired_state
from gimel.deploy.identity import Deployment, Identity
from gimel.deploy.plan import required_permissions
from gimel.errors import GimelError


@click.command(
    cls=Command,
    name="iam-policy",
    examples={
        "gimel iam-policy > policy.json": "",
        "gimel iam-policy --account 123456789012 --region eu-west-1": "no credentials",
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
@terminal.aws_options
@click.pass_obj
def command(
    options: Options,
    account: str | None,
    workflow: str | None,
    profile: str | None,
    region: str | None,
) -> None:
    """Print the least-privilege IAM policy for Gimel's commands with this configuration.

    Create a managed policy from it, or an inline policy of a group: it exceeds the size limit of a
    user's inline policies.

    To remove something that only a previous configuration had (a function, tags, a URL), you also
    need the permissions of that configuration.

    With --ci, the JSON has a "trust_policy" and a "permission_policy" for a role. Repositories that
    were created since July 2026 are named github:OWNER@ID/REPO@ID: see docs/ci.md.
    """
    subject = None if workflow is None else parse_subject(workflow)
    config = options.load_config()
    desired = desired_state(config, b"")
    identity = _identity(account, profile, region, terminal.configured_deployment(config))
    permissions = required_permissions(identity, desired)
    if subject is None:
        terminal.print_json(permissions)
    else:
        trust = ci_trust_policy(identity, subject)
        terminal.print_json({"trust_policy": trust, "permission_policy": permissions})


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
