"""Which Redis `gimel export` and `gimel import` use: their options, and how it is opened."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from gimel import config
from gimel.analysis.phrases import join_names
from gimel.cli import Options, terminal
from gimel.config.secret import Secret
from gimel.errors import GimelError
from gimel.runtime import keys
from gimel.runtime.errors import AuthenticationError, RedisError, ServerError
from gimel.runtime.redis.client import Client
from gimel.runtime.settings import RedisOptions
from gimel.serve import datadir
from gimel.transfer.function import RemoteClient

Command = TypeVar("Command", bound=Callable[..., Any])

_VARIABLE = "GIMEL_REDIS_URL"
_SECONDS = 30  # for an answer, as much is asked at a time
_SECONDS_TO_CONNECT = 10


@dataclass(frozen=True)
class Store:
    """An open Redis, and how messages name it: without the password."""

    redis: Client
    name: str


@dataclass(frozen=True)
class Where:
    """The values of `store_options`, and the number of an earlier deploy that used the store."""

    redis_url: str | None
    local: bool
    profile: str | None
    region: str | None
    deploy: int | None = None


def store_options(command: Command) -> Command:
    """Add --redis and --local, and --profile and --region for a store that AWS has."""
    local = click.option(
        "--local", is_flag=True, help="Use the private Redis of `gimel serve` on this machine."
    )
    redis = click.option(
        "--redis",
        "redis_url",
        metavar="URL",
        envvar=_VARIABLE,
        show_envvar=True,
        help="Use the Redis at this URL. [default: that of config.json]",
    )
    return redis(local(terminal.aws_options(command)))


@contextlib.contextmanager
def open_store(options: Options, where: Where) -> Iterator[Store]:
    """Open the Redis that the options name, that of the configuration by default.

    Raises GimelError; so it does for any RedisError in the block.
    """
    given = {
        _url_option(): where.redis_url is not None,
        "--local": where.local,
        "--deploy": where.deploy is not None,
    }
    if sum(given.values()) > 1:
        names = join_names([name for name, is_given in given.items() if is_given])
        raise click.UsageError(f"{names} exclude each other.")
    client, name = _client(options, where)
    try:
        client.run([("SISMEMBER", keys.NAMESPACES, "")])  # a user may not be allowed to PING
        yield Store(client, name)
    except RedisError as error:
        raise GimelError(
            f"The Redis at {name} failed: {str(error).rstrip('.')}.",
            f"{_what_to_do(error)}, and run the same command again.",
        ) from None
    finally:
        client.close()


def _what_to_do(error: RedisError) -> str:
    if isinstance(error, AuthenticationError):
        return "Check the user, the password and the permissions"
    if isinstance(error, ServerError):
        return "Fix what Redis says"
    return "Check that this machine can reach it"


def _url_option() -> str:
    """Return what gives the URL: an option, or a variable that may have been forgotten."""
    source = click.get_current_context().get_parameter_source("redis_url")
    return f"${_VARIABLE}" if source is ParameterSource.ENVIRONMENT else "--redis"


def _client(options: Options, where: Where) -> tuple[Client, str]:
    """Return a client that is not connected yet, and how messages name its store."""
    if where.deploy is not None:
        return _earlier(options, where, where.deploy)
    if where.redis_url is None and not where.local:
        configured = options.load_config()
        if configured.provisions:
            from gimel.deploy import store_access

            deployment = terminal.configured_deployment(configured)
            aws = terminal.connect(where.profile, where.region, deployment)
            ask = store_access.asking(aws, configured)
            return RemoteClient(ask), f"{deployment.name} in {aws.region}"
    redis = _options(options, where)
    times = {"socket_timeout": _SECONDS, "socket_connect_timeout": _SECONDS_TO_CONNECT}
    return Client(RedisOptions({**redis, **times})), _name(redis)


def _earlier(options: Options, where: Where, deploy: int) -> tuple[Client, str]:
    """Return a client of the store that an earlier deploy used."""
    from gimel.deploy import store_access
    from gimel.deploy.deploys import live_functions
    from gimel.deploy.earlier_store import snapshot_version
    from gimel.deploy.plan import observe
    from gimel.deploy.resources.base import Look

    deployment = terminal.find_deployment(options)
    aws = terminal.connect(where.profile, where.region, deployment)
    functions = live_functions(observe(Look(aws, versions=True)))
    ask = store_access.asking_version(aws, *snapshot_version(functions, deploy))
    return RemoteClient(ask), f"{deployment.name} in {aws.region} before deploy {deploy + 1}"


def _options(options: Options, where: Where) -> Mapping[str, Any]:
    if where.redis_url is not None:
        return config.redis_from_url(where.redis_url)
    if where.local:
        directory = datadir.expand(datadir.DEFAULT, "use --redis unix://PATH")
        socket = directory / "store.sock"
        if not socket.exists():
            raise GimelError(
                f"{socket} does not exist.",
                "Start `gimel serve`, or name another Redis with --redis.",
            )
        return {"unix_socket_path": str(socket)}
    configured = options.load_config()
    if isinstance(configured.require_redis().password, Secret):
        configured = _with_password(configured, where)
    return configured.lambda_redis()


def _with_password(configured: config.Config, where: Where) -> config.Config:
    """Return the configuration with the password that AWS keeps. Raises GimelError."""
    from gimel.deploy.checks.secrets import with_password

    aws = terminal.connect(where.profile, where.region, terminal.configured_deployment(configured))
    usable, found = with_password(configured, aws)
    if usable is None:
        raise GimelError(
            f"The password of Redis is missing: {found[0].message}.",
            "Fix that, or pass the URL of the Redis with its password in $GIMEL_REDIS_URL.",
        )
    return usable


def _name(redis: Mapping[str, Any]) -> str:
    if path := redis.get("unix_socket_path"):
        return str(path)
    defaults = RedisOptions({})
    host, port = redis.get("host", defaults.host), redis.get("port", defaults.port)
    database = f"/{redis['db']}" if redis.get("db") else ""
    return f"{host}:{port}{database}"
