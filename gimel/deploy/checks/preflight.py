"""What can be known before a deploy: configuration, AWS, rights, Redis. Every check ends in a Finding, and changes nothing."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

import redis

from gimel.config import Config
from gimel.deploy.aws import Aws
from gimel.deploy.checks.findings import Finding, failed, ok, warning
from gimel.deploy.checks.permissions import rights
from gimel.deploy.desired import desire
from gimel.errors import GimelError

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html: after it, functions no longer get security patches.
END_OF_LIFE = {
    "python3.10": datetime.date(2026, 10, 31),
    "python3.11": datetime.date(2027, 6, 30),
    "python3.12": datetime.date(2028, 10, 31),
    "python3.13": datetime.date(2029, 6, 30),
    "python3.14": datetime.date(2029, 6, 30),
}
_SOON = datetime.timedelta(days=180)


def preflight(
    config: Config, aws: Aws | None, today: datetime.date, *, before_deploy: bool = False
) -> list[Finding]:
    """Run every check and return what they found. Without `aws` those of AWS are left out, and without a file those of it.

    Before a deploy the rights to list are left out: it uses them at once, before it makes anything.
    """
    findings = [_configuration(config), runtime(config.document.aws.runtime, today)]
    if config.path is not None:
        findings += [*_settings(config), *_open_routes(config)]
    if aws is not None:
        findings += _aws(aws, config, before_deploy)
    return findings if config.path is None else [*findings, *store(config)]


def _configuration(config: Config) -> Finding:
    if config.path is None:
        return failed("configuration", "there is no config.json", "Run `gimel configure`.")
    return ok("configuration", f"{config.path} is valid")


def _open_routes(config: Config) -> Iterable[Finding]:
    """The wiring of Gimel itself closes what reads and deletes; extra_wiring may leave it open."""
    for route in config.wiring.routes:
        if (
            not route.api_key_required
            and config.wiring.function(route.function).handler != "gimel.track"
        ):
            yield warning(
                f"{route.method} /{route.path}",
                "is open: whoever knows the address reads the results, or deletes them",
                'Add "apiKeyRequired": true to its method in extra_wiring, unless this is meant.',
            )


def _settings(config: Config) -> list[Finding]:
    try:
        desire(config, b"")
    except GimelError as error:
        return [failed("settings", error.message, error.hint)]
    return []


def runtime(name: str, today: datetime.date) -> Finding:
    """Return how long a Lambda runtime is still looked after."""
    end = END_OF_LIFE[name]
    hint = f'Set aws.runtime to "{max(END_OF_LIFE, key=lambda each: (END_OF_LIFE[each], each == "python3.13"))}".'
    if end < today:
        # AWS goes on taking such a function for a while, and running it.
        return warning(
            "runtime", f"{name} is out of support since {end} and gets no security patches", hint
        )
    if end - today < _SOON:
        return warning("runtime", f"{name} is out of support from {end} on", hint)
    return ok("runtime", f"{name} is supported until {end}")


def _aws(aws: Aws, config: Config, before_deploy: bool) -> Iterable[Finding]:
    try:
        identity = aws.identity()
    except GimelError as error:
        yield failed("AWS", error.message, error.hint)
        return
    yield ok("AWS", f"{identity.arn}, account {identity.account}, region {identity.region}")
    try:
        desired = desire(config, b"")
    except GimelError:
        return  # said above
    yield rights(aws, identity, desired, before_deploy)


def store(config: Config) -> list[Finding]:
    """Ask Redis, from this machine, for what matters to counting."""
    try:
        options = _options(config)
    except GimelError as error:
        return [failed("Redis", error.message, error.hint)]
    where = options.get("unix_socket_path") or f"{options.get('host')}:{options.get('port', 6379)}"
    client = redis.Redis(**options, decode_responses=True)
    try:
        info: Any = client.info("everything")
        saves = _saves(client)
    except redis.exceptions.NoPermissionError as error:
        return [
            warning(
                "Redis",
                f"{where} answers, and does not let this user ask more: {error}",
                "Deploy tries it.",
            )
        ]
    except redis.AuthenticationError as error:
        return [
            failed(
                "Redis",
                f"{where} refuses the login: {error}",
                "Run `gimel configure` and check username and password.",
            )
        ]
    except redis.RedisError as error:
        if config.document.aws.vpc:
            return [
                warning(
                    "Redis",
                    f"{where} cannot be reached from here: {error}",
                    "Inside the VPC it may be: deploy tries it.",
                )
            ]
        return [
            failed(
                "Redis",
                f"{where} cannot be reached: {error}",
                "Run `gimel configure` and check host, port and ssl.",
            )
        ]
    finally:
        client.close()
    return list(_store_findings(where, info, options, saves))


def _saves(client: Any) -> bool | None:
    """Return whether snapshots are made, None where the server does not say, as a managed one."""
    try:
        return bool(client.config_get("save").get("save"))
    except redis.RedisError:
        return None


def _options(config: Config) -> dict[str, Any]:
    """Return the connection as redis-py takes it, short in its patience."""
    given = config.require_redis().model_dump(exclude_none=True)
    if given.get("ssl_ca_certs") and config.path is not None:
        given["ssl_ca_certs"] = str(config.path.parent / given["ssl_ca_certs"])
    return {"socket_connect_timeout": 5, "socket_timeout": 5, **given}


def _store_findings(
    where: str, info: Mapping[str, Any], options: Mapping[str, Any], saves: bool | None
) -> Iterable[Finding]:
    version = str(info.get("valkey_version") or info.get("redis_version", "unknown"))
    server = "Valkey" if "valkey_version" in info else "Redis"
    yield ok("Redis", f"{where} answers: {server} {version}")
    local = options.get("host") in ("localhost", "127.0.0.1", "::1")
    if options.get("ssl"):
        yield ok("Redis TLS", "the connection is encrypted")
    elif not local:
        yield warning(
            "Redis TLS",
            "the connection is not encrypted",
            "Set redis.ssl to true if the server can, or keep to a VPC.",
        )
    if not options.get("password") and not local:
        yield warning(
            "Redis password",
            "the server asks for none",
            "Anybody who reaches it can read and delete the counts.",
        )
    if info.get("role") == "slave":
        yield failed(
            "Redis role",
            "this is a replica, which cannot be written to",
            "Set redis.host to the primary.",
        )
    policy = str(info.get("maxmemory_policy", "unknown"))
    if policy == "noeviction":
        yield ok("Redis maxmemory-policy", policy)
    else:
        yield warning(
            "Redis maxmemory-policy",
            f"{policy}: counters can be dropped",
            "Set maxmemory-policy to noeviction.",
        )
    if info.get("cluster_enabled"):
        yield ok("Redis cluster", "cluster mode is on; keys are followed to their nodes")
    if info.get("aof_enabled") or saves:
        yield ok("Redis persistence", "counts survive a restart")
    elif saves is None:
        yield warning(
            "Redis persistence",
            "not known: the server does not say",
            "See that the provider backs it up.",
        )
    else:
        yield warning(
            "Redis persistence",
            "off: a restart loses the counts",
            "Turn on appendonly or snapshots.",
        )
