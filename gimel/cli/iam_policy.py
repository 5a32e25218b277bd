"""`gimel iam-policy`"""

from __future__ import annotations

import click

from gimel.cli import Options, terminal
from gimel.deploy import policies
from gimel.deploy.desired import desire
from gimel.deploy.models import Identity, partition_of
from gimel.errors import GimelError


@click.command("iam-policy")
@click.option(
    "--account", metavar="ID", help="AWS account. [default: the one that the credentials lead to]"
)
@terminal.aws_options
@click.pass_obj
def command(options: Options, account: str | None, profile: str | None, region: str | None) -> None:
    """Print the least rights that Gimel's commands need, as an IAM policy, for this configuration.

    Make it a managed policy, or one of a group: it is longer than what a user's own may have.

    What an earlier configuration had and this one has not, as a function, tags or a URL, takes the rights of that one too to
    remove.
    """
    desired = desire(options.load_config(), b"")
    identity = (
        _of_account(account, region) if account and region else _identity(account, profile, region)
    )
    terminal.print_json(policies.of_operator(identity, desired))


def _of_account(account: str, region: str) -> Identity:
    return Identity(account, region, "", partition_of(region))


def _identity(account: str | None, profile: str | None, region: str | None) -> Identity:
    try:
        aws = terminal.connect(profile, region)
        if account:
            return _of_account(account, aws.region)
        return aws.identity()
    except GimelError as error:
        raise GimelError(
            error.message, "Or give --account and --region: then no credentials are needed."
        ) from None
