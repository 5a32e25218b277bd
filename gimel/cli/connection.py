"""Which API a command reads: its options, and the one place that finds the deployed API."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from gimel.api.client import Api
from gimel.cli import Options, completion
from gimel.errors import GimelError
from gimel.runtime.fields import DEFAULT_NAMESPACE
from gimel.serve import addresses, datadir
from gimel.wiring import TRACK_PATH

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

LOCAL_URL = addresses.LOCAL_URL
LOCAL_TRACK_URL = f"{LOCAL_URL}/{TRACK_PATH}"

_PROFILE, _REGION = "gimel.profile", "gimel.region"
_REPEATED = ("namespace", "url", "local", "profile", "region", "control", "lift", "confidence")

Command = TypeVar("Command", bound=Callable[..., Any])


def api_options(command: Command) -> Command:
    """Add --namespace, and the options of `connection_options`."""
    return click.option(
        "--namespace",
        default=DEFAULT_NAMESPACE,
        show_default=True,
        shell_complete=_complete_namespaces,
        help="Namespace that the page uses.",
    )(connection_options(command))


def connection_options(command: Command) -> Command:
    """Add the options that name an API: --url, --api-key, --local, --profile and --region.

    `find_api` reads --profile and --region itself.
    """
    for option in (
        click.option(
            "--region",
            expose_value=False,
            callback=_store_in_context(_REGION),
            help="AWS region. [default: $AWS_REGION, or the profile's]",
        ),
        click.option(
            "--profile",
            expose_value=False,
            callback=_store_in_context(_PROFILE),
            help="Profile in ~/.aws. [default: $AWS_PROFILE, or the default one]",
        ),
        click.option(
            "--local",
            is_flag=True,
            help="Use `gimel serve` on this machine, and the key in its data directory.",
        ),
        click.option(
            "--api-key",
            metavar="KEY",
            envvar="GIMEL_API_KEY",
            show_envvar=True,
            help="Key of the API. [default: found in AWS]",
        ),
        click.option(
            "--url",
            metavar="URL",
            envvar="GIMEL_URL",
            show_envvar=True,
            help="URL of the API. [default: found in AWS]",
        ),
    ):
        command = option(command)
    return command


def complete_experiments(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the name of an experiment for the shell: those counted, else those configured.

    Only an API with a known address is asked. To find one in AWS takes seconds, and credentials
    may require a sign-in.
    """

    def find(found: list[str]) -> None:
        with contextlib.suppress(GimelError):
            options = Options(context.find_root().params["config_file"])
            document = options.load_config().document
            found[:] = {*document.experiments, *(document.allowed_experiments or ())}
        if api := _api_with_known_address(context):
            namespace = context.params["namespace"] or DEFAULT_NAMESPACE
            found[:] = [each.name for each in api.experiments(namespace).experiments]

    return completion.complete_names(find, incomplete)


def _complete_namespaces(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    def find(found: list[str]) -> None:
        if api := _api_with_known_address(context):
            found[:] = api.namespaces()[0]

    return completion.complete_names(find, incomplete)


def _api_with_known_address(context: click.Context) -> Api | None:
    given = context.params
    if not (given["local"] or given["url"]):
        return None
    return find_api(given["url"], given["api_key"], given["local"])


def find_api(url: str | None, api_key: str | None, local: bool) -> Api:
    """Return the API that the options name, the deployed one by default. Raises GimelError."""
    if local:
        return Api(url or LOCAL_URL, _local_key() if api_key is None else api_key)
    if url is None:
        return deployed_api(api_key)
    if api_key is None:
        raise GimelError(f"{url} requires an API key.", "Pass it with --api-key or $GIMEL_API_KEY.")
    return Api(url, api_key)


def deployed_api(api_key: str | None) -> Api:
    """Return the API that `gimel deploy` created in the AWS account. Raises GimelError.

    `api_key` replaces the key found there.
    """
    from gimel.cli import terminal
    from gimel.deploy.deployed import find_deployed
    from gimel.deploy.outputs import api_url

    given = click.get_current_context().meta
    try:
        deployment = terminal.find_deployment(click.get_current_context().obj)
        aws = terminal.connect(given.get(_PROFILE), given.get(_REGION), deployment)
        found = find_deployed(aws)
    except GimelError as error:
        raise GimelError(
            error.message,
            f"{error.hint} To read `gimel serve` on this machine, use --local.".strip(),
        ) from None
    return Api(
        api_url(found.api, aws.region, aws.endpoint, aws.dns_suffix),
        found.key if api_key is None else api_key,
        aws.ca_bundle,
    )


def repeat(context: click.Context, *words: str) -> str:
    """Return a command that reads the same API with the same options; the key is a secret.

    The `words` are the command's name, its own options, and at last its argument.
    """
    *words_before, last = words
    given = ["gimel"]
    if context.obj.config_file:
        given += ["--config", context.obj.config_file]
    given += words_before
    for parameter in context.command.params:
        name = parameter.name or ""
        if context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        if name == "api_key":
            given += ["--api-key", "KEY"]
        elif name in _REPEATED:
            given.append(parameter.opts[0])
            if name != "local":
                given.append(str(context.params.get(name) or context.meta.get(f"gimel.{name}")))
    return shlex.join([*given, last])


def _store_in_context(
    name: str,
) -> Callable[[click.Context, click.Parameter, str | None], None]:
    """Return a callback that stores an option where `deployed_api` reads it.

    Commands themselves do not need it.
    """

    def store(context: click.Context, _: click.Parameter, value: str | None) -> None:
        context.meta[name] = value

    return store


def _local_key() -> str:
    """Return the key that `gimel serve` keeps in its default data directory. Raises GimelError."""
    path = datadir.key_file(datadir.expand(datadir.DEFAULT, "pass the key with --api-key"))
    try:
        return datadir.read_key(path)
    except FileNotFoundError:
        raise GimelError(
            f"{path} does not exist.", "Run `gimel serve` first, or pass its key with --api-key."
        ) from None
