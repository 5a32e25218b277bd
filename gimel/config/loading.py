"""Finding, reading, checking and creating config.json."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gimel.analysis.design import Design
from gimel.config.messages import explain, show
from gimel.config.schema import Document, Redis
from gimel.errors import GimelError, suggest
from gimel.runtime.settings import DEFAULTS, REDIS_DEFAULTS
from gimel.wiring import Wiring, wire

VARIABLE = "GIMEL_CONFIG"

_PLACEHOLDERS = {"host": "ENTER YOUR REDIS HOST", "password": "..."}


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
            raise GimelError(
                f"{self._origin}: redis.host is not entered yet.", "Run `gimel configure`."
            )
        if redis.password == _PLACEHOLDERS["password"]:
            raise GimelError(
                f"{self._origin}: redis.password is not entered yet.",
                "Run `gimel configure` and enter it, or remove the line if Redis needs none.",
            )
        return redis

    def designs(self) -> dict[str, Design]:
        """Return the design of each configured experiment by its name."""
        return {
            name: Design(section.control, section.weights)
            for name, section in self.document.experiments.items()
        }

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
        settings = self.document.model_dump(
            exclude_none=True, exclude={"redis", "extra_wiring", "experiments", "aws"}
        )
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
            raise GimelError(
                f"{self._origin}: redis.ssl_ca_certs: {path} cannot be read: {error}."
            ) from None


def find_config(given: str | None, environment: Mapping[str, str], home: Path) -> Path | None:
    """Return the configuration file: `--config`, $GIMEL_CONFIG, ./config.json or ~/.gimel/config.json; None if there is none.

    Raises GimelError where one was named and does not exist.
    """
    named, by = (given, "--config") if given else (environment.get(VARIABLE), f"${VARIABLE}")
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise GimelError(
                f"{by} names {path}, which is not there.", "Run `gimel configure` to create it."
            )
        return path
    for path in (Path("config.json"), home / ".gimel" / "config.json"):
        if path.is_file():
            return path
    return None


def config_path(given: str | None, environment: Mapping[str, str], home: Path) -> Path:
    """Return where `gimel configure` edits or creates the file."""
    named = given or environment.get(VARIABLE)
    if named:
        return Path(named).expanduser()
    return find_config(None, {}, home) or home / ".gimel" / "config.json"


def load(path: Path | None) -> Config:
    """Read and validate a file; None gives the defaults. Raises GimelError that names the file, the key and what is allowed."""
    document = {} if path is None else _read(path)
    try:
        parsed = Document.model_validate(document)
    except ValidationError as error:
        raise GimelError(
            f"{path}: {explain(error, document)}", "Run `gimel configure` to mend it."
        ) from None
    try:
        wiring = wire(parsed.extra_wiring)
    except GimelError as error:
        raise GimelError(f"{path}: {error.message}", error.hint) from None
    functions = [function.name for function in wiring.functions]
    for name in parsed.aws.functions:
        if name not in functions:
            raise GimelError(
                f"{path}: aws.functions: there is no function {name!r}.", suggest(name, functions)
            )
    return Config(path, parsed, wiring)


def create(path: Path) -> None:
    """Write the template to a new file that only its owner may read. Raises FileExistsError rather than overwrite."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(template())


def template() -> str:
    """Return the text of config.json.template: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).parents[1]
    shipped = package / "config.json.template"
    return (shipped if shipped.is_file() else package.parent / "config.json.template").read_text(
        "utf-8"
    )


def redis_from_url(url: str) -> dict[str, Any]:
    """Return the connection that a redis://, rediss:// or unix:// URL describes. Raises GimelError."""
    from redis import SSLConnection
    from redis.connection import parse_url

    try:
        parsed: dict[str, Any] = dict(parse_url(url))  # type: ignore[no-untyped-call]
    except ValueError as error:
        raise GimelError(
            f"The Redis URL cannot be read: {error}",
            "Write redis://[[user]:password@]host[:port][/database].",
        ) from None
    if issubclass(parsed.pop("connection_class", object), SSLConnection):
        parsed["ssl"] = True
    if "path" in parsed:
        parsed["unix_socket_path"] = parsed.pop("path")
    try:
        return Redis.model_validate(parsed).model_dump(exclude_none=True)
    except ValidationError as error:
        raise GimelError(f"The Redis URL cannot be used: {explain(error, parsed)}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8-sig"), object_pairs_hook=_without_duplicates)
    except OSError as error:
        raise GimelError(f"{path} cannot be read: {error.strerror}.") from None
    except json.JSONDecodeError as error:
        raise GimelError(
            f"{path}, line {error.lineno}, column {error.colno}: not JSON: {error.msg}.",
            "Run `gimel configure` to mend it.",
        ) from None
    except (UnicodeDecodeError, RecursionError):
        raise GimelError(f"{path} is not a text file of JSON in UTF-8.") from None
    except _DuplicateKeyError as error:
        raise GimelError(
            f"{path}: the key {error.args[0]!r} stands there twice.", "Remove one of them."
        ) from None
    if not isinstance(document, dict):
        raise GimelError(f"{path}: expected an object, found {show(document)}.")
    return document


class _DuplicateKeyError(Exception):
    """A key that stands twice in one object; json alone would silently take the last."""


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise _DuplicateKeyError(key)
        result[key] = value
    return result
