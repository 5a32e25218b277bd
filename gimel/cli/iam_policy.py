"""`gimel iam-policy`"""

from __future__ import annotations

import click

from gimel.cli import Options, terminal
from gimel.deploy.desired import desired_state
from gimel.deploy.identity import Identity, partition_of
from gimel.deploy.plan import required_permissions
from gimel.errors import GimelError


@click.command("iam-policy")
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
    desired = desired_state(options.load_config(), b"")
    terminal.print_json(required_permissions(_identity(account, profile, region), desired))


def _identity(account: str | None, profile: str | None, region: str | None) -> Identity:
    """Return the account and region that are given, as far as they are, else AWS's answer."""
    if account and region:
        return _given_identity(account, region)
    try:
        aws = terminal.connect(profile, region)
        return _given_identity(account, aws.region) if account else aws.identity()
    except GimelError as error:
        hint = "With --account and --region, no credentials are needed."
        raise GimelError(error.message, hint) from None


def _given_identity(account: str, region: str) -> Identity:
    return Identity(account, region, "", partition_of(region))
