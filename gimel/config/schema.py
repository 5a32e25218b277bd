"""The sections of config.json: every key with its type, its range and its description.

A file of Gimel 1.5.0 is valid as it is. What the runtime reads has its defaults there
(`gimel.runtime.settings`).
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from gimel.analysis.design import LIFT_WORTH_DETECTING, MINIMUM_DAYS, Design
from gimel.analysis.duration import MOST_VISITORS
from gimel.config.entries import Entry
from gimel.config.kinds import (
    MAX_INT32,
    Days,
    Goal,
    Goals,
    Lift,
    Limit,
    Memory,
    Name,
    NotAllowedError,
    Origin,
    RedisCertificateCheck,
    RedisDatabase,
    RedisFlag,
    RedisPort,
    RedisText,
    Seconds,
    Section,
    SecurityGroupId,
    SubnetId,
    Tags,
    Timeout,
    Weights,
    one_of,
)
from gimel.errors import suggest
from gimel.runtime.keys import PRECISIONS
from gimel.wiring import GATEWAY_SECONDS

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


class Redis(Section):
    """The connection to Redis, in redis-py's names; those that change nothing are accepted."""

    host: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Host name or IP address, as AWS Lambda reaches it"
    )
    port: RedisPort | None = Field(None, description="Port")
    db: RedisDatabase | None = Field(None, description="Database number")
    username: RedisText | None = Field(None, description="User name, if Redis uses ACLs")
    password: RedisText | None = Field(None, description="Password")
    ssl: RedisFlag | None = Field(None, description="Connect over TLS")
    ssl_cert_reqs: RedisCertificateCheck = Field(
        None, description='"none" disables verification of the server\'s certificate'
    )
    ssl_check_hostname: RedisFlag | None = Field(
        None, description="Verify that the certificate matches the host name"
    )
    ssl_ca_certs: str | None = Field(
        None, description="File with the CA certificates to trust (PEM), read when deploying"
    )
    ssl_ca_data: str | None = Field(None, description="The CA certificates as text")
    ssl_certfile: str | None = Field(
        None, description="File with a client certificate (`gimel serve` only)"
    )
    ssl_keyfile: str | None = Field(
        None, description="File with the client certificate's key (`gimel serve` only)"
    )
    unix_socket_path: str | None = Field(None, description="Unix socket (`gimel serve` only)")
    socket_connect_timeout: Seconds | None = Field(
        None, description="Seconds to wait for a connection and login"
    )
    socket_timeout: Seconds | None = Field(None, description="Seconds to wait for a reply")

    charset: Any = Field(None, exclude=True)
    client_name: Any = Field(None, exclude=True)
    decode_responses: Any = Field(None, exclude=True)
    encoding: Any = Field(None, exclude=True)
    encoding_errors: Any = Field(None, exclude=True)
    errors: Any = Field(None, exclude=True)
    health_check_interval: Any = Field(None, exclude=True)
    max_connections: Any = Field(None, exclude=True)
    retry_on_timeout: Any = Field(None, exclude=True)
    single_connection_client: Any = Field(None, exclude=True)
    socket_keepalive: Any = Field(None, exclude=True)
    socket_keepalive_options: Any = Field(None, exclude=True)


class Limits(Section):
    """The most that the public endpoint may create; events that would create more are ignored."""

    namespaces: Limit | None = Field(None, description="Maximum namespaces")
    experiments: Limit | None = Field(None, description="Maximum experiments per namespace")
    counters: Limit | None = Field(
        None, description="Maximum counters per namespace: one for each goal of each variant"
    )
    counters_per_experiment: Limit | None = Field(
        None, description="Maximum counters per experiment"
    )


class Experiment(Section):
    """The design of an experiment; the runtime reads none of it."""

    control: Name | None = Field(
        None,
        description="Variant that the others are compared with; by default chosen by its name",
    )
    weights: Weights | None = Field(
        None,
        description='Expected split, like {"red": 2, "blue": 1}; by default equal. It does not '
        "change which variant the page shows",
    )
    goal: Goal | None = Field(
        None, description="Primary goal, which decides; by default all goals count equally"
    )
    guardrails: Goals = Field([], description="Goals that must not get worse; they require `goal`")
    decrease: Goals = Field([], description="Goals where fewer conversions are better")
    lift: Lift = Field(
        LIFT_WORTH_DETECTING,
        description="Lift worth detecting, as a share of 1; above a rate of 50%, that of the "
        "failures",
    )
    minimum_days: Days = Field(
        MINIMUM_DAYS, description="Days before which a variant is ahead at most, not the winner"
    )
    visitors: Annotated[int, Field(ge=1, le=int(MOST_VISITORS))] | None = Field(
        None, description="Planned visitors of all variants together"
    )

    @model_validator(mode="after")
    def _check_goals(self) -> Self:
        if self.goal is None:
            if self.guardrails:
                raise NotAllowedError("must have a goal, because it has guardrails")
        elif self.goal in self.guardrails:
            raise NotAllowedError(f"must not list its goal {_quoted(self.goal)} in guardrails")
        return self

    @model_validator(mode="after")
    def _check_control(self) -> Self:
        if self.control and self.weights and not self.weights.get(self.control):
            raise NotAllowedError(
                f"must give its control {_quoted(self.control)} a weight above 0",
                suggest(self.control, [name for name in self.weights if self.weights[name]]),
            )
        return self

    def design(self) -> Design:
        """Return the design as the analysis takes it."""
        return Design(
            control=self.control,
            weights=self.weights,
            goal=self.goal,
            guardrails=tuple(self.guardrails),
            decrease=tuple(self.decrease),
            lift=self.lift,
            minimum_days=self.minimum_days,
            visitors=self.visitors,
        )


class FunctionOptions(Section):
    """Options of a Lambda function, beyond the wiring."""

    memory: Memory | None = Field(None, description="Memory in MB, overriding MemorySize")
    timeout: Timeout | None = Field(
        None,
        description="Timeout in seconds, overriding Timeout; API Gateway waits for at most "
        f"{GATEWAY_SECONDS}",
    )
    reserved_concurrency: Annotated[int, Field(ge=0)] | None = Field(
        None, description="Reserved concurrency, taken from the account's limit"
    )


class Vpc(Section):
    """The network in which the functions run, if Redis can only be reached from inside it."""

    subnets: Annotated[list[SubnetId], Field(min_length=1, max_length=16)] = Field(
        description="Subnet IDs"
    )
    security_groups: Annotated[list[SecurityGroupId], Field(min_length=1, max_length=5)] = Field(
        description="Security group IDs"
    )


class Throttle(Section):
    """The API's request limits; beyond them it answers 429, and clients retry."""

    rate: Annotated[float, Field(gt=0, le=MAX_INT32)] = Field(
        1000, description="Maximum requests per second"
    )
    burst: Annotated[int, Field(ge=1, le=MAX_INT32)] = Field(
        2000, description="Maximum burst of requests"
    )


class Aws(Section):
    """How `gimel deploy` sets up its AWS resources."""

    runtime: Literal["python3.10", "python3.11", "python3.12", "python3.13", "python3.14"] = Field(
        "python3.13", description="Lambda runtime"
    )
    architecture: Literal["arm64", "x86_64"] = Field(
        "arm64", description="Processor architecture; arm64 costs 20% less"
    )
    functions: dict[str, FunctionOptions] = Field(
        {}, description="Memory, timeout and reserved concurrency per FunctionName"
    )
    vpc: Vpc | None = Field(
        None, description="Subnets and security groups, if Redis is inside a VPC"
    )
    tags: Tags = Field(
        {}, description="Tags for the role, the functions, the log groups and the API"
    )
    log_retention_days: Annotated[int, one_of(_RETENTION_DAYS)] = Field(
        30, description="Days to keep the functions' logs"
    )
    throttle: Throttle = Field(Throttle(), description="The API's request limits")


class Document(Section):
    """The whole of config.json."""

    redis: Redis | None = Field(None, description="The connection to Redis")
    extra_wiring: list[Entry] = Field(
        [], description="Additional routes and functions: see WIRING.md"
    )
    precision: Annotated[int, one_of(PRECISIONS)] | None = Field(
        None,
        description="HyperLogLogs per counter; "
        "the counting error is 0.7% divided by the square root of this number. A change applies to "
        "new experiments",
    )
    bot_filter: bool | None = Field(
        None, description="Ignore events from crawlers and headless browsers"
    )
    allowed_origins: Annotated[list[Origin], Field(min_length=1)] | None = Field(
        None,
        description='Origins whose pages may read the responses (CORS), like "https://example.com"',
    )
    allowed_namespaces: Annotated[list[Name], Field(min_length=1)] | None = Field(
        None,
        description="The only namespaces to count; null allows any. The limit on namespaces does "
        "not apply to those listed",
    )
    allowed_experiments: Annotated[list[Name], Field(min_length=1)] | None = Field(
        None,
        description="The only experiments to count; null allows any. No limit but "
        "counters_per_experiment applies to those listed",
    )
    limits: Limits | None = Field(None, description="The most that the public endpoint may create")
    experiments: dict[Name, Experiment] = Field(
        {},
        description="Designs of experiments, by name. No limit but counters_per_experiment "
        "applies to them",
    )
    aws: Aws = Field(Aws(), description="How `gimel deploy` sets up its AWS resources")


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)
