"""Which API a command reads: its options, and the one place that finds the deployed API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gimel.api.client import Api
from gimel.errors import GimelError

LOCAL_URL = "http://127.0.0.1:8000"
LOCAL_KEY = Path("~/.gimel/data/api-key")

_PROFILE, _REGION = "gimel.profile", "gimel.region"

Command = TypeVar("Command", bound=Callable[..., Any])


def api_options(command: Command) -> Command:
    """Add --namespace, --url, --api-key and --local to a command, and --profile and --region for the deployed API."""
    for option in (
        click.option(
            "--region",
            expose_value=False,
            callback=_keep(_REGION),
            help="AWS region. [default: $AWS_REGION, or the profile's]",
        ),
        click.option(
            "--profile",
            expose_value=False,
            callback=_keep(_PROFILE),
            help="Profile in ~/.aws. [default: $AWS_PROFILE, or the default one]",
        ),
        click.option(
            "--local",
            is_flag=True,
            help="Read `gimel serve` on this machine, with the key that it keeps.",
        ),
        click.option(
            "--api-key",
            metavar="KEY",
            envvar="GIMEL_API_KEY",
            show_envvar=True,
            help="The API's key. [default: found in AWS]",
        ),
        click.option(
            "--url",
            metavar="URL",
            envvar="GIMEL_URL",
            show_envvar=True,
            help="The API's address. [default: found in AWS]",
        ),
        click.option(
            "--namespace",
            default="alephbet",
            show_default=True,
            help="Where the page puts its experiments.",
        ),
    ):
        command = option(command)
    return command


def find_api(url: str | None, api_key: str | None, local: bool) -> Api:
    """Return the API that the options name; without them, the deployed one. Raises GimelError."""
    if local:
        return Api(url or LOCAL_URL, api_key or _local_key())
    if url is None:
        return deployed_api(api_key)
    if api_key is None:
        raise GimelError(
            f"The API at {url} wants its key.", "Give it with --api-key or $GIMEL_API_KEY."
        )
    return Api(url, api_key)


def deployed_api(api_key: str | None) -> Api:
    """Return the API that `gimel deploy` made in the AWS account; a given key is used instead of its own. Raises GimelError."""
    from gimel.cli import terminal
    from gimel.deploy.deployed import find_deployed
    from gimel.deploy.outputs import api_url

    given = click.get_current_context().meta
    try:
        aws = terminal.connect(given.get(_PROFILE), given.get(_REGION))
        found = find_deployed(aws)
    except GimelError as error:
        raise GimelError(
            error.message,
            f"{error.hint} Or read `gimel serve` on this machine with --local.".strip(),
        ) from None
    return Api(api_url(found.api, aws.region, aws.endpoint), api_key or found.key)


def _keep(name: str) -> Callable[[click.Context, click.Parameter, str | None], None]:
    """Return a callback that keeps an option where `deployed_api` finds it: no command needs it otherwise."""

    def keep(context: click.Context, _: click.Parameter, value: str | None) -> None:
        context.meta[name] = value

    return keep


def _local_key() -> str:
    path = LOCAL_KEY.expanduser()
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        raise GimelError(
            f"{path} is not there.", "Run `gimel serve` first, or give its key with --api-key."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise GimelError(
            f"{path} cannot be read: {error}.", "Give the key with --api-key."
        ) from None
