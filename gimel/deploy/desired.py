"""What should exist on AWS: the configuration, and the functions that follow from it. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, field, fields, replace

from gimel.config import Config
from gimel.config.loading import STORE_ENDPOINT
from gimel.deploy import bundle
from gimel.errors import GimelError
from gimel.runtime.settings import REDIS_DEFAULTS
from gimel.wiring import SNAPSHOT

SETTINGS_VARIABLE = "GIMEL_SETTINGS"

STORE_IDS = ("store endpoint", "store subnets", "security group")
"""Under which names the ids of a run hold what AWS chose of the store: see `Run`."""

# What the configuration of a function has in place of the last two until they are known.
_STORE_SUBNETS, _SECURITY_GROUP = "the subnets of the store", "the security group of the store"

# Bytes of all variables as JSON, in which quotation marks are escaped: so AWS measures them.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_ENVIRONMENT = 4096


@dataclass(frozen=True)
class FunctionConfiguration:
    """Everything that decides how one version of a function behaves.

    `memory` is in MB, `timeout` in seconds. `settings` is the value of GIMEL_SETTINGS, None where
    the variable is missing. `role` is the ARN of an existing role, None for the one that Gimel
    makes.
    """

    handler: str
    runtime: str
    architecture: str
    memory: int
    timeout: int
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    settings: str | None = field(repr=False)
    code_sha256: str
    role: str | None = None

    def reaching(self, ids: Mapping[str, str]) -> FunctionConfiguration:
        """Return the configuration with the address and the network of the store, if known."""
        endpoint, subnets, group = (ids.get(name) for name in STORE_IDS)
        return replace(
            self,
            settings=_with_endpoint(self.settings, endpoint),
            subnets=_filled(self.subnets, _STORE_SUBNETS, subnets),
            security_groups=_filled(self.security_groups, _SECURITY_GROUP, group),
        )

    def changed_fields(self, after: FunctionConfiguration) -> list[str]:
        """Return the names of the fields that differ from another configuration."""
        names = [each.name for each in fields(self)]
        return [name for name in names if getattr(self, name) != getattr(after, name)]

    def describe_changes(self, after: FunctionConfiguration) -> list[str]:
        """Return what differs from another configuration in words, each field once."""
        return [self.describe_change(name, after) for name in self.changed_fields(after)]

    def describe_change(self, name: str, after: FunctionConfiguration) -> str:
        """Return a change of one field in words: of the settings their names, never a value."""
        if name == "settings":
            return ", ".join(_changed_settings(self.settings, after.settings)) or name
        if name == "code_sha256":
            return "code"
        unit = {"memory": " MB", "timeout": " s"}.get(name, "")
        before, now = (_in_words(getattr(each, name)) for each in (self, after))
        return f"{name.replace('_', ' ')} {before} -> {now}{unit}"


@dataclass(frozen=True)
class DesiredFunction:
    """A function as it should be. `routed` says whether a path of the REST API leads to it.

    `schedule` is the expression of the rule that calls it, None without one.
    """

    name: str
    configuration: FunctionConfiguration
    code: bytes = field(repr=False)
    reserved_concurrency: int | None = None
    url: bool = False
    routed: bool = True
    schedule: str | None = None


@dataclass(frozen=True)
class Desired:
    """What a configuration asks for. Each resource reads from it what concerns that resource.

    `fingerprint` is a short hash that differs when any function is to be different.
    """

    config: Config
    functions: tuple[DesiredFunction, ...]
    fingerprint: str

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags of the role, the functions, the log groups and the REST API."""
        return self.config.document.aws.tags

    @property
    def function_names(self) -> tuple[str, ...]:
        """The names of the functions, in the order of the wiring."""
        return tuple(function.name for function in self.functions)

    def reaching(self, ids: Mapping[str, str]) -> Desired:
        """Return the same with the address and the network of the store, as far as they are known.

        The fingerprint stays: a deploy that was interrupted before the store existed asks for the
        same when it is run again.
        """
        if not self.config.provisions:
            return self
        functions = (
            replace(each, configuration=each.configuration.reaching(ids)) for each in self.functions
        )
        return replace(self, functions=tuple(functions))


def desired_state(config: Config, archive: bytes | None = None) -> Desired:
    """Return what a configuration asks for, with `archive` as the code of all functions.

    Without it, each function gets the code that its handler needs. Raises GimelError where no Redis
    is configured, or where the settings are too long for Lambda.
    """
    handlers = {function.handler for function in config.wiring.functions}
    settings = {
        each: config.snapshot_settings() if each == SNAPSHOT else config.runtime_settings()
        for each in handlers
    }
    _check_size(max(settings.values(), key=len), config)
    archives = dict.fromkeys(handlers, archive or b"")
    if archive is None:
        modules = bundle.needed_modules(next(iter(settings.values())))
        archives = dict.fromkeys(handlers, bundle.build(modules=modules))
        if SNAPSHOT in handlers:
            archives[SNAPSHOT] = bundle.build_snapshot(
                config.designs(), modules=modules, transfers=config.provisions
            )
    aws = config.document.aws
    routed = {route.function for route in config.wiring.routes}
    subnets, security_groups = _network(config)
    functions = []
    for function in config.wiring.functions:
        options = aws.functions.get(function.name)
        configuration = FunctionConfiguration(
            handler=function.handler,
            runtime=aws.runtime,
            architecture=aws.architecture,
            memory=(options and options.memory) or function.memory,
            timeout=(options and options.timeout) or function.timeout,
            subnets=subnets,
            security_groups=security_groups,
            settings=settings[function.handler],
            code_sha256=bundle.code_sha256(archives[function.handler]),
            role=aws.role,
        )
        functions.append(
            DesiredFunction(
                name=function.name,
                configuration=configuration,
                code=archives[function.handler],
                reserved_concurrency=options.reserved_concurrency if options else None,
                url=function.url,
                routed=function.name in routed,
                schedule=function.schedule,
            )
        )
    return Desired(config, tuple(functions), _fingerprint(functions))


def _fingerprint(functions: Iterable[DesiredFunction]) -> str:
    content = [(each.name, astuple(each.configuration)) for each in functions]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:8]


def _network(config: Config) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the subnets and the security groups of the functions."""
    vpc = config.document.aws.vpc
    subnets = tuple(sorted(vpc.subnets)) if vpc else ()
    groups = tuple(sorted(vpc.security_groups)) if vpc else ()
    if config.provisions:
        return subnets or (_STORE_SUBNETS,), (*groups, _SECURITY_GROUP)
    return subnets, groups


def _with_endpoint(settings: str | None, endpoint: str | None) -> str | None:
    """Return settings with the endpoint of the store, like "HOST:6379", if it is known."""
    if endpoint is None or settings is None:
        return settings
    document = json.loads(settings)
    host, _, port = endpoint.rpartition(":")
    if document["redis"].get("host") == STORE_ENDPOINT:
        document["redis"]["host"] = host
        if int(port) != REDIS_DEFAULTS["port"]:
            document["redis"]["port"] = int(port)
    return json.dumps(document, separators=(",", ":"), sort_keys=True)


def _filled(values: tuple[str, ...], placeholder: str, found: str | None) -> tuple[str, ...]:
    """Return the values with those that were `found`, separated by commas, for the placeholder."""
    if found is None or placeholder not in values:
        return values
    return tuple(sorted({*values, *found.split(",")} - {placeholder, ""}))


def _check_size(settings: str, config: Config) -> None:
    variables = json.dumps({SETTINGS_VARIABLE: settings}, ensure_ascii=False, separators=(",", ":"))
    size = len(variables.encode("utf-8"))
    if size > MAX_ENVIRONMENT:
        raise GimelError(
            f"The settings take {size} of the {MAX_ENVIRONMENT} bytes that AWS Lambda allows. "
            f"The longest setting is {_longest_setting(settings, config)}.",
            "Shorten it. `experiments` only needs those that still run, and a CA file only the "
            "certificate that signed the server's.",
        )


def _longest_setting(settings: str, config: Config) -> str:
    values = dict(_flat(json.loads(settings)))
    longest = max(values, key=lambda name: len(json.dumps(values[name])))
    if longest == "redis.ssl_ca_data" and config.require_redis().ssl_ca_certs:
        return "redis.ssl_ca_certs"  # whose path its text replaces
    return longest


def _changed_settings(before: str | None, after: str | None) -> list[str]:
    """Return the names of the settings that differ, like "redis.host". Gimel 1.5.0 has none."""
    if before is None or after is None:
        return ["settings"]
    earlier, later = (dict(_flat(json.loads(each))) for each in (before, after))
    changed = (name for name in {**earlier, **later} if earlier.get(name) != later.get(name))
    return sorted(changed)


def _flat(settings: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _in_words(value: object) -> str:
    return ", ".join(value) or "none" if isinstance(value, tuple) else str(value)
