"""The values that deploying is decided with: what should be on AWS, and what was seen there.

Nothing here knows a client. Secrets and code are left out of every `repr`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gimel.wiring import Route

NAME = (
    "gimel"  # of the REST API, the role, its policy, the API key and the usage plan: 1.5.0's names
)
DESCRIPTION = "Gimel API"  # 1.5.0's too: together they tell Gimel's API from another of that name
ALIAS = "live"
STAGE = "prod"
KEPT_VERSIONS = 5
API_STATEMENT = "gimel-api"
UNPUBLISHED = 0  # stands for $LATEST, which an alias may be pointed to by hand
URL_STATEMENTS = ("gimel-url", "gimel-url-invoke")
SETTINGS_VARIABLE = "GIMEL_SETTINGS"

Policy = Mapping[str, Any]


def partition_of(region: str) -> str:
    """Return the part of AWS that a region is in, which its ARNs begin with."""
    others = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    return next(
        (partition for prefix, partition in others.items() if region.startswith(prefix)), "aws"
    )


@dataclass(frozen=True)
class Identity:
    """Whose account it is, and where. `arn` is the caller's, `partition` mostly "aws"."""

    account: str
    region: str
    arn: str
    partition: str = "aws"

    def role(self) -> str:
        return f"arn:{self.partition}:iam::{self.account}:role/{NAME}"

    def function(self, name: str) -> str:
        return f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{name}"

    def alias(self, function: str) -> str:
        return f"{self.function(function)}:{ALIAS}"

    def integration_uri(self, function: str) -> str:
        """Return what API Gateway calls a function's live version by."""
        path = f"path/2015-03-31/functions/{self.alias(function)}/invocations"
        return f"arn:{self.partition}:apigateway:{self.region}:lambda:{path}"

    def log_group(self, function: str) -> str:
        return f"arn:{self.partition}:logs:{self.region}:{self.account}:log-group:{log_group(function)}"

    def callers(self, api_id: str) -> str:
        """Return the pattern of everything in an API that may call a function."""
        return f"arn:{self.partition}:execute-api:{self.region}:{self.account}:{api_id}/*"


def log_group(function: str) -> str:
    """Return the log group that Lambda writes a function's log to."""
    return f"/aws/lambda/{function}"


def is_ours(role: str) -> bool:
    """Return whether an ARN is that of Gimel's role, whatever path an account's rules gave it: names are unique there."""
    return re.fullmatch(rf"arn:[^:]*:iam::\d*:role/(.*/)?{NAME}", role) is not None


@dataclass(frozen=True)
class Configuration:
    """All that decides how one version of a function behaves. `settings` is GIMEL_SETTINGS, None where there is none."""

    handler: str
    runtime: str
    architecture: str
    memory: int
    timeout: int
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    settings: str | None = field(repr=False)
    code_sha256: str

    def changes(self, wanted: Configuration) -> list[str]:
        """Return how it differs from the configuration that is wanted, in words that show no secret."""
        said = []
        for name, unit in (
            ("handler", ""),
            ("runtime", ""),
            ("architecture", ""),
            ("memory", " MB"),
            ("timeout", " s"),
        ):
            here, there = getattr(self, name), getattr(wanted, name)
            if here != there:
                said.append(f"{name} {here} -> {there}{unit}")
        if (self.subnets, self.security_groups) != (wanted.subnets, wanted.security_groups):
            said.append(
                f"VPC {', '.join(self.subnets) or 'none'} -> {', '.join(wanted.subnets) or 'none'}"
            )
        if self.settings != wanted.settings:
            said.append("settings")
        if self.code_sha256 != wanted.code_sha256:
            said.append("code")
        return said

    def needs_code(self, wanted: Configuration) -> bool:
        """Return whether the wanted one needs UpdateFunctionCode, which is where Lambda lets the architecture change."""
        return (self.code_sha256, self.architecture) != (wanted.code_sha256, wanted.architecture)

    def needs_configuration(self, wanted: Configuration) -> bool:
        """Return whether the wanted one needs UpdateFunctionConfiguration."""
        return any(
            change != "code" and not change.startswith("architecture")
            for change in self.changes(wanted)
        )


@dataclass(frozen=True)
class DesiredFunction:
    """A function as it should be."""

    name: str
    configuration: Configuration
    code: bytes = field(repr=False)
    reserved_concurrency: int | None = None
    url: bool = False


@dataclass(frozen=True)
class Preflight:
    """The answer to a CORS preflight request for a path: the methods that it really has."""

    path: str
    methods: tuple[str, ...]

    def headers(self) -> dict[str, str]:
        return {
            "Access-Control-Allow-Headers": "Content-Type,X-Api-Key",
            "Access-Control-Allow-Methods": ",".join((*self.methods, "OPTIONS")),
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Max-Age": "86400",
        }

    def response_parameters(self) -> dict[str, str]:
        """Return the headers as API Gateway maps them."""
        return {
            f"method.response.header.{name}": f"'{value}'" for name, value in self.headers().items()
        }


# 403 and 429 inherit from the first, every 5xx from the second.
GATEWAY_RESPONSES = ("DEFAULT_4XX", "DEFAULT_5XX")
GATEWAY_RESPONSE_PARAMETERS = {
    "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
    "gatewayresponse.header.Cache-Control": "'no-cache, no-store, must-revalidate'",
}


@dataclass(frozen=True)
class Desired:
    """All that should be on AWS."""

    functions: tuple[DesiredFunction, ...]
    routes: tuple[Route, ...]
    preflights: tuple[Preflight, ...]
    tags: Mapping[str, str]
    log_retention_days: int
    throttle_rate: float
    throttle_burst: int
    vpc: bool

    def function(self, name: str) -> DesiredFunction | None:
        return next((function for function in self.functions if function.name == name), None)


@dataclass(frozen=True)
class Version:
    """A published version of a function; `number` UNPUBLISHED for its code and configuration as they are now."""

    number: int
    configuration: Configuration


@dataclass(frozen=True)
class ObservedFunction:
    """A function as it is.

    `versions`, `latest` (what is not published yet) and `aliased` (the versions that any alias points to) are only read where a
    change needs them: they are empty and None for a function whose live version is as it should be. `callers` is the pattern
    that the API's permission holds.
    """

    name: str
    role: str
    live: Version | None
    versions: tuple[Version, ...] = ()
    latest: Configuration | None = None
    aliased: frozenset[int] = frozenset()
    last_modified: str = ""
    reserved_concurrency: int | None = None
    callers: str | None = None
    url_statements: frozenset[str] = frozenset()
    url: str | None = None

    @property
    def live_number(self) -> int | None:
        """The published version that is live, None where none is."""
        return self.live.number if self.live and self.live.number != UNPUBLISHED else None


@dataclass(frozen=True)
class ObservedMethod:
    """A method of the API. `proxies` is the URI of a plain Lambda proxy, `calls` the name of whatever function it calls."""

    path: str
    method: str
    api_key_required: bool
    parameters: tuple[tuple[str, bool], ...]
    proxies: str | None
    calls: str | None
    preflight: Mapping[str, str] | None


@dataclass(frozen=True)
class ObservedApi:
    """The REST API. `resources` are ids by path; `deployed` is the description of the deployment that the stage serves."""

    id: str
    root: str
    resources: Mapping[str, str]
    methods: tuple[ObservedMethod, ...]
    gateway_responses: Mapping[str, Mapping[str, str]]
    deployed: str | None
    stage: bool
    throttle_rate: float | None
    throttle_burst: int | None

    def method(self, path: str, method: str) -> ObservedMethod | None:
        return next(
            (each for each in self.methods if (each.path, each.method) == (path, method)), None
        )


@dataclass(frozen=True)
class ObservedKey:
    """The API key. `value` is what a caller sends."""

    id: str
    value: str = field(repr=False)
    enabled: bool


@dataclass(frozen=True)
class ObservedPlan:
    """A usage plan. `ours` says that Gimel made it, `stages` are "api:stage", `keys` ids."""

    id: str
    ours: bool
    stages: tuple[str, ...]
    keys: tuple[str, ...]


@dataclass(frozen=True)
class ObservedRole:
    """The role that the functions run as. `policy` is None where it has none of Gimel's name."""

    arn: str
    trusted: frozenset[str]
    policy: Policy | None
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Observed:
    """All of Gimel's that is on AWS. `log_groups` are days of retention by name, None where logs are kept for ever."""

    identity: Identity
    role: ObservedRole | None
    functions: tuple[ObservedFunction, ...]
    log_groups: Mapping[str, int | None]
    api: ObservedApi | None
    key: ObservedKey | None
    plan: ObservedPlan | None

    def function(self, name: str) -> ObservedFunction | None:
        return next((function for function in self.functions if function.name == name), None)


@dataclass(frozen=True)
class Deployed:
    """What a deployment is reached by: the API's id, the key's value, and the functions' own URLs by name."""

    api: str
    key: str = field(repr=False)
    urls: Mapping[str, str]


def canonical(value: Any) -> str:
    """Return JSON that is equal for equal values, whatever the order of their keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
