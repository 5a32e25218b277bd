"""The sections of config.json: every key with its type, its range and its description.

A file of Gimel 1.5.0 is valid as it is. Defaults of what the runtime reads are the runtime's own
(`gimel.runtime.settings`).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=900)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Origin = Annotated[str, Field(pattern=r"^(\*|https?://[^/\s]+)$")]
Limit = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


_TAG = re.compile(r"[\w .:/=+@-]*")


def _check_tags(tags: dict[str, str]) -> dict[str, str]:
    for key, value in tags.items():
        characters = _TAG.fullmatch(key) and _TAG.fullmatch(value)
        if (
            not characters
            or not 1 <= len(key) <= 128
            or len(value) > 256
            or key.lower().startswith("aws:")
        ):
            raise ValueError(
                "must be tags that AWS takes: up to 128 and 256 letters, digits, spaces and . : / = + @ _ -"
            )
    return tags


class Section(BaseModel):
    """A JSON object that has these keys and no others."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, coerce_numbers_to_str=True, hide_input_in_errors=True
    )


class Redis(Section):
    """How to reach Redis, under redis-py's names; those that only redis-py knows are accepted and change nothing."""

    host: str | None = Field(
        None, min_length=1, description="Host name or address, as AWS Lambda reaches it"
    )
    port: Port | None = Field(None, description="Port")
    db: Annotated[int, Field(ge=0)] | None = Field(None, description="Database number")
    username: str | None = Field(
        None, description="User name, where Redis' access control lists are used"
    )
    password: str | None = Field(None, description="Password")
    ssl: bool | None = Field(None, description="Connect by TLS")
    ssl_cert_reqs: Annotated[
        Literal["required", "optional", "none"] | None,
        BeforeValidator(
            lambda value: value.removeprefix("CERT_").lower() if isinstance(value, str) else value
        ),
    ] = Field(None, description='"none" turns the check of the server\'s certificate off')
    ssl_check_hostname: bool | None = Field(
        None, description="Whether the certificate must be the host's"
    )
    ssl_ca_certs: str | None = Field(
        None, description="File with the certificates to trust (PEM), read when deploying"
    )
    ssl_ca_data: str | None = Field(None, description="The same certificates as text")
    ssl_certfile: str | None = Field(
        None, description="File with a client certificate (`gimel serve` only)"
    )
    ssl_keyfile: str | None = Field(None, description="File with its key (`gimel serve` only)")
    unix_socket_path: str | None = Field(None, description="Unix socket (`gimel serve` only)")
    socket_connect_timeout: Seconds | None = Field(
        None, description="Seconds to connect and log in"
    )
    socket_timeout: Seconds | None = Field(None, description="Seconds to wait for an answer")

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
    """What may be created through the public endpoint, beyond which events are ignored."""

    namespaces: Limit | None = Field(None, description="Namespaces")
    experiments: Limit | None = Field(None, description="Experiments a namespace")
    counters: Limit | None = Field(
        None, description="Counters a namespace: one for each goal of each variant"
    )
    counters_per_experiment: Limit | None = Field(None, description="Counters an experiment")


class Experiment(Section):
    """What an experiment was meant to be."""

    control: Name | None = Field(
        None,
        description="The variant that the others are compared with; else control, original or baseline, else the first",
    )
    weights: dict[Name, Weight] | None = Field(
        None,
        description='How visitors were meant to be split, like {"red": 2, "blue": 1}; else equally',
    )


class FunctionOptions(Section):
    """What a Lambda function gets, beyond what the wiring says."""

    memory: Annotated[int, Field(ge=128, le=10_240)] | None = Field(
        None, description="Memory in MB, in place of MemorySize"
    )
    timeout: Annotated[int, Field(ge=1, le=900)] | None = Field(
        None, description="Seconds, in place of Timeout"
    )
    reserved_concurrency: Annotated[int, Field(ge=0)] | None = Field(
        None, description="How many may run at once, taken out of the account's own limit"
    )


class Vpc(Section):
    """The network that the functions run in, where Redis can only be reached from inside it."""

    subnets: Annotated[list[Name], Field(min_length=1)] = Field(description="Ids of subnets")
    security_groups: Annotated[list[Name], Field(min_length=1)] = Field(
        description="Ids of security groups"
    )


class Throttle(Section):
    """What the API takes at most; beyond it a request is answered with 429, and the client sends it again."""

    rate: Annotated[float, Field(gt=0)] = Field(1000, description="Requests a second")
    burst: Limit = Field(2000, description="Requests at once")


class Aws(Section):
    """How `gimel deploy` sets up what it makes on AWS."""

    runtime: Literal["python3.10", "python3.11", "python3.12", "python3.13", "python3.14"] = Field(
        "python3.13", description="Runtime of the functions"
    )
    architecture: Literal["arm64", "x86_64"] = Field(
        "arm64", description="Processor; arm64 costs 20% less"
    )
    functions: dict[str, FunctionOptions] = Field(
        {}, description="Memory, timeout and reserved concurrency, by FunctionName"
    )
    vpc: Vpc | None = Field(
        None, description="Subnets and security groups, where Redis is inside a VPC"
    )
    tags: Annotated[dict[str, str], AfterValidator(_check_tags)] = Field(
        {}, description="Tags on the role, the functions, the log groups and the API"
    )
    log_retention_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731] = (
        Field(30, description="Days that the functions' logs are kept")
    )
    throttle: Throttle = Field(Throttle(), description="What the API takes at most")


class Document(Section):
    """The whole of config.json."""

    redis: Redis | None = Field(None, description="How to reach Redis")
    extra_wiring: list[Any] = Field([], description="More routes and functions: see WIRING.md")
    precision: Literal[1, 4, 16, 64, 256] | None = Field(
        None,
        description="HyperLogLogs a counter; the counting error is 0.7% divided by its square root",
    )
    bot_filter: bool | None = Field(
        None, description="Whether events of crawlers and headless browsers are ignored"
    )
    allowed_origins: Annotated[list[Origin], Field(min_length=1)] | None = Field(
        None,
        description='Origins whose pages may read the answers (CORS), like "https://example.com"',
    )
    allowed_namespaces: list[Name] | None = Field(
        None, description="The only namespaces that are counted; null: any"
    )
    allowed_experiments: list[Name] | None = Field(
        None, description="The only experiments that are counted; null: any"
    )
    limits: Limits | None = Field(None, description="What the public endpoint can create")
    experiments: dict[Name, Experiment] = Field(
        {}, description="What the results need to know of an experiment, by its name"
    )
    aws: Aws = Field(Aws(), description="How `gimel deploy` sets up what it makes on AWS")
