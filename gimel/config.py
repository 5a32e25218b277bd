"""The configuration: find the file, read it, say exactly what is wrong with it, create it from the template.

A file of Gimel 1.5.0 is valid as it is. Defaults of what the runtime reads are the runtime's own (`gimel.runtime.settings`).
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from gimel.errors import GimelError
from gimel.runtime.settings import DEFAULTS, REDIS_DEFAULTS
from gimel.wiring import Wiring, wire

USUAL_PATHS = ("config.json", "~/.gimel/config.json")
VARIABLE = "GIMEL_CONFIG"

_PLACEHOLDERS = {"host": "ENTER YOUR REDIS HOST", "password": "..."}
_SECRETS = ("password", "ssl_ca_data")

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
        if not characters or not 1 <= len(key) <= 128 or len(value) > 256 or key.lower().startswith("aws:"):
            raise ValueError("must be tags that AWS takes: up to 128 and 256 letters, digits, spaces and . : / = + @ _ -")
    return tags


class _Section(BaseModel):
    """A JSON object that has these keys and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True, hide_input_in_errors=True)


class Redis(_Section):
    """How to reach Redis, under redis-py's names; those that only redis-py knows are accepted and change nothing."""

    host: str | None = Field(None, min_length=1, description="Host name or address, as AWS Lambda reaches it")
    port: Port | None = Field(None, description="Port")
    db: Annotated[int, Field(ge=0)] | None = Field(None, description="Database number")
    username: str | None = Field(None, description="User name, where Redis' access control lists are used")
    password: str | None = Field(None, description="Password")
    ssl: bool | None = Field(None, description="Connect by TLS")
    ssl_cert_reqs: Annotated[
        Literal["required", "optional", "none"] | None,
        BeforeValidator(lambda value: value.removeprefix("CERT_").lower() if isinstance(value, str) else value),
    ] = Field(None, description='"none" turns the check of the server\'s certificate off')
    ssl_check_hostname: bool | None = Field(None, description="Whether the certificate must be the host's")
    ssl_ca_certs: str | None = Field(None, description="File with the certificates to trust (PEM), read when deploying")
    ssl_ca_data: str | None = Field(None, description="The same certificates as text")
    ssl_certfile: str | None = Field(None, description="File with a client certificate (`gimel serve` only)")
    ssl_keyfile: str | None = Field(None, description="File with its key (`gimel serve` only)")
    unix_socket_path: str | None = Field(None, description="Unix socket (`gimel serve` only)")
    socket_connect_timeout: Seconds | None = Field(None, description="Seconds to connect and log in")
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


class Limits(_Section):
    """What may be created through the public endpoint, beyond which events are ignored."""

    namespaces: Limit | None = Field(None, description="Namespaces")
    experiments: Limit | None = Field(None, description="Experiments a namespace")
    counters: Limit | None = Field(None, description="Counters a namespace: one for each goal of each variant")
    counters_per_experiment: Limit | None = Field(None, description="Counters an experiment")


class Plan(_Section):
    """What an experiment was meant to be."""

    control: Name | None = Field(
        None, description="The variant that the others are compared with; else control, original or baseline, else the first"
    )
    weights: dict[Name, Weight] | None = Field(
        None, description='How visitors were meant to be split, like {"red": 2, "blue": 1}; else equally'
    )


class FunctionOptions(_Section):
    """What a Lambda function gets, beyond what the wiring says."""

    memory: Annotated[int, Field(ge=128, le=10_240)] | None = Field(None, description="Memory in MB, in place of MemorySize")
    timeout: Annotated[int, Field(ge=1, le=900)] | None = Field(None, description="Seconds, in place of Timeout")
    reserved_concurrency: Annotated[int, Field(ge=0)] | None = Field(
        None, description="How many may run at once, taken out of the account's own limit"
    )


class Vpc(_Section):
    """The network that the functions run in, where Redis can only be reached from inside it."""

    subnets: Annotated[list[Name], Field(min_length=1)] = Field(description="Ids of subnets")
    security_groups: Annotated[list[Name], Field(min_length=1)] = Field(description="Ids of security groups")


class Throttle(_Section):
    """What the API takes at most; beyond it a request is answered with 429, and the client sends it again."""

    rate: Annotated[float, Field(gt=0)] = Field(1000, description="Requests a second")
    burst: Limit = Field(2000, description="Requests at once")


class Aws(_Section):
    """How `gimel deploy` sets up what it makes on AWS."""

    runtime: Literal["python3.10", "python3.11", "python3.12", "python3.13", "python3.14"] = Field(
        "python3.13", description="Runtime of the functions"
    )
    architecture: Literal["arm64", "x86_64"] = Field("arm64", description="Processor; arm64 costs 20% less")
    functions: dict[str, FunctionOptions] = Field({}, description="Memory, timeout and reserved concurrency, by FunctionName")
    vpc: Vpc | None = Field(None, description="Subnets and security groups, where Redis is inside a VPC")
    tags: Annotated[dict[str, str], AfterValidator(_check_tags)] = Field(
        {}, description="Tags on the role, the functions, the log groups and the API"
    )
    log_retention_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731] = Field(
        30, description="Days that the functions' logs are kept"
    )
    throttle: Throttle = Field(Throttle(), description="What the API takes at most")


class Document(_Section):
    """The whole of config.json."""

    redis: Redis | None = Field(None, description="How to reach Redis")
    extra_wiring: list[Any] = Field([], description="More routes and functions: see WIRING.md")
    precision: Literal[1, 4, 16, 64, 256] | None = Field(
        None, description="HyperLogLogs a counter; the counting error is 0.7% divided by its square root"
    )
    bot_filter: bool | None = Field(None, description="Whether events of crawlers and headless browsers are ignored")
    allowed_origins: Annotated[list[Origin], Field(min_length=1)] | None = Field(
        None, description='Origins whose pages may read the answers (CORS), like "https://example.com"'
    )
    allowed_namespaces: list[Name] | None = Field(None, description="The only namespaces that are counted; null: any")
    allowed_experiments: list[Name] | None = Field(None, description="The only experiments that are counted; null: any")
    limits: Limits | None = Field(None, description="What the public endpoint can create")
    experiments: dict[Name, Plan] = Field({}, description="What the results need to know of an experiment, by its name")
    aws: Aws = Field(Aws(), description="How `gimel deploy` sets up what it makes on AWS")


@dataclass(frozen=True)
class Config:
    """A valid configuration. `path` is the file it came from, None for the defaults alone."""

    path: Path | None
    document: Document
    wiring: Wiring

    def require_redis(self) -> Redis:
        """Return how to reach Redis. Raises GimelError where it was not entered yet."""
        redis = self.document.redis or Redis()
        if redis.host in (None, _PLACEHOLDERS["host"]):
            raise GimelError(f"{self._origin}: redis.host is not entered yet.", "Run `gimel configure`.")
        if redis.password == _PLACEHOLDERS["password"]:
            raise GimelError(
                f"{self._origin}: redis.password is not entered yet.",
                "Run `gimel configure` and enter it, or remove the line if Redis needs none.",
            )
        return redis

    def runtime_settings(self, redis: Mapping[str, Any] | None = None) -> str:
        """Return GIMEL_SETTINGS, the JSON that the runtime reads: only what differs from its defaults.

        `redis` replaces the configured connection. A CA file is read and its text put in place of its path.
        Raises GimelError when it cannot be read, or no Redis is configured.
        """
        if redis is None:
            redis = self.require_redis().model_dump(exclude_none=True)
        redis = dict(redis)
        if ca_file := redis.pop("ssl_ca_certs", None):
            redis["ssl_ca_data"] = self._read_certificates(ca_file)
        settings = self.document.model_dump(exclude_none=True, exclude={"redis", "extra_wiring", "experiments", "aws"})
        settings = {key: value for key, value in settings.items() if value != DEFAULTS[key]}
        redis = {key: value for key, value in redis.items() if value != REDIS_DEFAULTS[key]}
        return json.dumps({**settings, "redis": redis}, separators=(",", ":"), sort_keys=True)

    @property
    def _origin(self) -> str:
        return str(self.path or "No configuration file")

    def _read_certificates(self, name: str) -> str:
        path = Path(name).expanduser()
        if self.path is not None:
            path = self.path.parent / path
        try:
            return path.read_text("ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise GimelError(f"{self._origin}: redis.ssl_ca_certs: {path} cannot be read: {error}.") from None


def find(given: str | None, environment: Mapping[str, str], home: Path) -> Path | None:
    """Return the configuration file: `--config`, $GIMEL_CONFIG, ./config.json or ~/.gimel/config.json; None if there is none.

    Raises GimelError where one was named and does not exist.
    """
    named, by = (given, "--config") if given else (environment.get(VARIABLE), f"${VARIABLE}")
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise GimelError(f"{by} names {path}, which is not there.", "Run `gimel configure` to create it.")
        return path
    for path in (Path("config.json"), home / ".gimel" / "config.json"):
        if path.is_file():
            return path
    return None


def place(given: str | None, environment: Mapping[str, str], home: Path) -> Path:
    """Return where `gimel configure` edits or creates the file."""
    named = given or environment.get(VARIABLE)
    if named:
        return Path(named).expanduser()
    return find(None, {}, home) or home / ".gimel" / "config.json"


def load(path: Path | None) -> Config:
    """Read and validate a file; None gives the defaults. Raises GimelError that names the file, the key and what is allowed."""
    document = {} if path is None else _read(path)
    try:
        parsed = Document.model_validate(document)
    except ValidationError as error:
        raise GimelError(f"{path}: {_explain(error, document)}", "Run `gimel configure` to mend it.") from None
    try:
        wiring = wire(parsed.extra_wiring)
    except GimelError as error:
        raise GimelError(f"{path}: {error.message}", error.hint) from None
    functions = [function.name for function in wiring.functions]
    for name in parsed.aws.functions:
        if name not in functions:
            near = difflib.get_close_matches(name, functions, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Possible: {', '.join(functions)}."
            raise GimelError(f"{path}: aws.functions: no function is called {name!r}.", hint)
    return Config(path, parsed, wiring)


def create(path: Path) -> None:
    """Write the template to a new file that only its owner may read. Raises FileExistsError rather than overwrite."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(template())


def template() -> str:
    """Return the text of config.json.template: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).parent
    shipped = package / "config.json.template"
    return (shipped if shipped.is_file() else package.parent / "config.json.template").read_text("utf-8")


def redis_of_url(url: str) -> dict[str, Any]:
    """Return the connection that a redis://, rediss:// or unix:// URL describes. Raises GimelError."""
    from redis import SSLConnection
    from redis.connection import parse_url

    try:
        parsed: dict[str, Any] = dict(parse_url(url))  # type: ignore[no-untyped-call]
    except ValueError as error:
        raise GimelError(
            f"The Redis URL cannot be read: {error}", "Write redis://[[user]:password@]host[:port][/database]."
        ) from None
    if issubclass(parsed.pop("connection_class", object), SSLConnection):
        parsed["ssl"] = True
    if "path" in parsed:
        parsed["unix_socket_path"] = parsed.pop("path")
    try:
        return Redis.model_validate(parsed).model_dump(exclude_none=True)
    except ValidationError as error:
        raise GimelError(f"The Redis URL cannot be used: {_explain(error, parsed)}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8-sig"), object_pairs_hook=_without_duplicates)
    except OSError as error:
        raise GimelError(f"{path} cannot be read: {error.strerror}.") from None
    except json.JSONDecodeError as error:
        raise GimelError(
            f"{path}, line {error.lineno}, column {error.colno}: not JSON: {error.msg}.", "Run `gimel configure` to mend it."
        ) from None
    except (UnicodeDecodeError, RecursionError):
        raise GimelError(f"{path} is not a text file of JSON in UTF-8.") from None
    except _DuplicateKeyError as error:
        raise GimelError(f"{path}: the key {error.args[0]!r} stands there twice.", "Remove one of them.") from None
    if not isinstance(document, dict):
        raise GimelError(f"{path}: expected an object, found {_show(document)}.")
    return document


_ALLOWED = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "model_type": "must be an object",
    "string_pattern_mismatch": 'must be "*" or like "https://example.com", without a path',
    "string_too_long": "must be shorter",
    "string_too_short": "must not be empty",
    "string_type": "must be text",
    "too_short": "must not be empty",
}


class _DuplicateKeyError(Exception):
    """A key that stands twice in one object; json alone would silently take the last."""


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise _DuplicateKeyError(key)
        result[key] = value
    return result


def _explain(error: ValidationError, document: Mapping[str, Any]) -> str:
    """Return one sentence a mistake: the key, what is allowed there and what was found."""
    sentences = []
    for mistake in error.errors(include_url=False):
        location = [part for part in mistake["loc"] if isinstance(part, int) or not part.startswith("function-")]
        key = ".".join(map(str, location))
        if mistake["type"] == "extra_forbidden":
            sentences.append(f"there is no key {key!r}. {_near(location)}")
            continue
        if mistake["type"] == "missing":
            sentences.append(f"{key} is missing.")
            continue
        found = _found(document, location)
        shown = "a secret" if location[-1] in _SECRETS else _show(found)
        allowed = _ALLOWED.get(mistake["type"]) or mistake["msg"].removeprefix("Value error, ").removeprefix("Input ").replace(
            "should", "must", 1
        )
        sentences.append(f"{key} {allowed}; found {shown}.")
    return " ".join(dict.fromkeys(sentences))


def _near(location: list[int | str]) -> str:
    model: type[_Section] = Document
    for part in location[:-1]:
        if part in model.model_fields:
            model = _section(model.model_fields[str(part)].annotation) or model
    keys = [name for name, field in model.model_fields.items() if not field.exclude]
    near = difflib.get_close_matches(str(location[-1]), keys, 1)
    return f"Did you mean {near[0]!r}?" if near else f"Possible: {', '.join(keys)}."


def _section(annotation: Any) -> type[_Section] | None:
    """Return the section that an annotation names, alone, as `X | None` or as a dict's values."""
    if isinstance(annotation, type) and issubclass(annotation, _Section):
        return annotation
    return next((section for part in get_args(annotation) if (section := _section(part))), None)


def _found(document: Any, location: list[int | str]) -> Any:
    for part in location:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            break
    return document


def _show(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
