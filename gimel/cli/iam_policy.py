"""`gimel iam-policy`"""

from __future__ import annotations

import click

from gimel.cli import Options, terminal
from gimel.cli.help import Command
from gimel.deploy.aws import partition_of
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
    },
)
@click.option("--account", metavar="ID", help="AWS account. [default: that of the credentials]")
@terminal.aws_options
@click.pass_obj
def command(options: Options, account: str | None, profile: str | None, region: str | None) -> None:
    """Print the least-privilege IAM policy for Gimel's commands with this configuration.

    Create a managed policy from it, or an inline policy of a group: it exceeds the size limit of a
    user's inline policies.

    To remove something that only a previous configuration had (a function, tags, a URL), you also
    need the permissions of that configuration.
    """
    config = options.load_config()
    desired = desired_state(config, b"")
    identity = _identity(account, profile, region, terminal.configured_deployment(config))
    terminal.print_json(required_permissions(identity, desired))


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
