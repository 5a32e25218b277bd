"""Redis as this machine sees it: whether it answers, suits counting, and permits it.

The connection is the one that AWS Lambda will use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from gimel.config import Config
from gimel.deploy.checks import redis_permissions
from gimel.deploy.checks.address import is_loopback
from gimel.deploy.checks.findings import Finding, failed, ok, warning
from gimel.errors import GimelError
from gimel.runtime.fields import DEFAULT_NAMESPACE

_SECONDS = 5
_FULL = 0.9  # share of maxmemory


def check_redis(config: Config) -> list[Finding]:
    """Connect to Redis from this machine and ask for what matters to counting."""
    try:
        options = _options(config)
    except GimelError as error:
        return [failed("Redis", error.message, error.hint)]
    where = f"{options['host']}:{options.get('port', 6379)}"
    client = redis.Redis(**options, decode_responses=True)
    try:
        try:
            info: Any = client.info("everything")
        except redis.exceptions.NoPermissionError as error:
            message = f"{where} is reachable, but this user may not run INFO: {error}"
            findings, info = [warning("Redis", message, "`gimel deploy` tests it.")], {}
        else:
            findings = list(redis_findings(where, info, options, _saves(client)))
        return [*findings, _check_permissions(client, config, info)]
    except redis.RedisError as error:
        return [_unusable(where, error, vpc=config.document.aws.vpc is not None)]
    finally:
        client.close()


def _check_permissions(client: Any, config: Config, info: Mapping[str, Any]) -> Finding:
    namespaces = config.document.allowed_namespaces or [DEFAULT_NAMESPACE]
    probes = redis_permissions.probes(namespaces, cluster=bool(info.get("cluster_enabled")))
    with client.client() as single:
        denied, complete = redis_permissions.ask(single.connection, probes)
    user = config.require_redis().username or "default"
    return redis_permissions.permission_finding(user, denied, complete=complete)


def redis_findings(
    where: str, info: Mapping[str, Any], options: Mapping[str, Any], saves: bool | None
) -> Iterator[Finding]:
    """Yield what the answer to INFO shows.

    `options` is the connection; `saves` says whether snapshots are made, None if not known.
    """
    version = str(info.get("valkey_version") or info.get("redis_version", "unknown"))
    server = "Valkey" if "valkey_version" in info else "Redis"
    yield ok("Redis", f"{where} answers: {server} {version}")
    yield from _connection_findings(options)
    if info.get("role") == "slave":
        message = "this is a replica, which cannot be written to"
        yield failed("Redis role", message, "Set redis.host to the primary.")
    yield eviction_finding(info)
    yield from _memory_findings(info)
    if info.get("cluster_enabled"):
        yield ok("Redis cluster", "cluster mode is on; each key is sent to its own node")
    yield _persistence_finding(info, saves)


def eviction_finding(info: Mapping[str, Any]) -> Finding:
    """Return whether Redis may delete counters when its memory is full."""
    name = "Redis maxmemory-policy"
    policy = str(info.get("maxmemory_policy") or "")
    if policy == "noeviction":
        return ok(name, policy)
    if policy.startswith("volatile-"):
        return ok(name, f"{policy}: only keys with an expiry are evicted, and Gimel sets none")
    if policy:
        hint = "Set maxmemory-policy to noeviction."
        return warning(name, f"{policy}: counters are evicted when the memory is full", hint)
    hint = "Check that the provider does not evict keys when the memory is full."
    return warning(name, "not known: the server does not say", hint)


def _memory_findings(info: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield whether the memory is nearly full; many servers have no limit, or do not say."""
    limit, used = info.get("maxmemory"), info.get("used_memory")
    if isinstance(limit, int) and isinstance(used, int) and used >= _FULL * limit > 0:
        yield warning(
            "Redis memory",
            f"{used / limit:.0%} of maxmemory is used: Redis refuses new counters, or evicts keys, "
            "when it is full",
            "Raise maxmemory, or delete experiments that you no longer need.",
        )


def _connection_findings(options: Mapping[str, Any]) -> Iterator[Finding]:
    local = is_loopback(str(options.get("host")))
    if options.get("ssl"):
        yield ok("Redis TLS", "the connection is encrypted")
    elif not local:
        hint = "Set redis.ssl to true if the server supports it, or use a VPC."
        yield warning("Redis TLS", "the connection is not encrypted", hint)
    if not options.get("password") and not local:
        hint = "Anyone who can reach the server can read and delete the counts."
        yield warning("Redis password", "no password is set", hint)


def _persistence_finding(info: Mapping[str, Any], saves: bool | None) -> Finding:
    name = "Redis persistence"
    if info.get("aof_enabled") or saves:
        return ok(name, "counts survive a restart")
    if saves is None:
        message = "not known: the server does not say"
        return warning(name, message, "Check that the provider makes backups.")
    hint = "Turn on appendonly or snapshots."
    return warning(name, "off: a restart loses the counts", hint)


def _unusable(where: str, error: redis.RedisError, *, vpc: bool) -> Finding:
    """Return why Redis cannot be asked. Inside a VPC, only the functions may be able to."""
    if isinstance(error, redis.AuthenticationError):
        hint = "Run `gimel configure` and check username and password."
        return failed("Redis", f"{where} refuses the login: {error}", hint)
    message = f"could not connect to {where} from this machine: {error}"
    if vpc:
        return warning(
            "Redis", message, "Only the VPC may be able to reach it: `gimel deploy` tests that."
        )
    return failed("Redis", message, "Run `gimel configure` and check host, port and ssl.")


def _saves(client: Any) -> bool | None:
    """Return whether snapshots are made, None where the server, as a managed one, hides it."""
    try:
        return bool(client.config_get("save").get("save"))
    except redis.RedisError:
        return None


def _options(config: Config) -> dict[str, Any]:
    """Return AWS Lambda's connection as redis-py takes it: one attempt, with short time-outs.

    Redis-py 5 would not check the host name by default, and must not if it checks no certificate.
    """
    options = config.lambda_redis()
    if options.get("ssl_cert_reqs") == "none":
        options["ssl_check_hostname"] = False
    return {
        "socket_connect_timeout": _SECONDS,
        "socket_timeout": _SECONDS,
        "ssl_check_hostname": True,
        "retry": Retry(NoBackoff(), 0),
        **options,
    }
