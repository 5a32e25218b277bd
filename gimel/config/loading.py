"""Finding, reading, checking and creating config.json."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from gimel.analysis.design import Design
from gimel.config.address import HOST_PLACEHOLDER
from gimel.config.entries import extend
from gimel.config.kinds import NotAllowedError
from gimel.config.messages import ConfigError, explain
from gimel.config.provision import check_provision
from gimel.config.redis import LOCAL_OPTIONS, Redis, read_redis_url
from gimel.config.schema import Document
from gimel.config.secret import Secret
from gimel.errors import GimelError, suggest
from gimel.paths import expand
from gimel.runtime.settings import DEFAULTS, REDIS_DEFAULTS
from gimel.wiring import Wiring, deployed_names, store_name

VARIABLE = "GIMEL_CONFIG"

_NOT_FOR_HANDLERS = {"redis", "extra_wiring", "experiments", "snapshots", "alarms", "alerts", "aws"}
_UNSET = "..."  # the password of the template

STORE_ENDPOINT = "the-address-which-aws-gives-to-the-store.cache.amazonaws.com"
"""Stands for the address of a store that `gimel deploy` creates, until it exists."""


@dataclass(frozen=True)
class Config:
    """A valid configuration. `path` is the file it came from, None for the defaults alone."""

    path: Path | None
    document: Document
    wiring: Wiring

    @property
    def provisions(self) -> bool:
        """Whether `gimel deploy` creates the store."""
        return bool(self.document.redis and self.document.redis.provision)

    def require_redis(self) -> Redis:
        """Return the connection to Redis. Raises ConfigError if it has not been set.

        That of a store which `gimel deploy` creates has no address.
        """
        redis = self.document.redis or Redis()
        if redis.provision is not None:
            return redis
        if redis.host in (None, HOST_PLACEHOLDER):
            if self.path is None:
                raise ConfigError("redis.host is not set (no configuration file found).")
            if redis.unix_socket_path is not None:
                raise ConfigError(
                    f"{self.path}: redis.host is not set, and AWS Lambda cannot reach"
                    " redis.unix_socket_path."
                )
            raise ConfigError(f"{self.path}: redis.host is not set.")
        if redis.password == _UNSET:
            raise ConfigError(
                f"{self.path}: redis.password is not set.",
                "If Redis needs no password, remove the line.",
            )
        return redis

    @property
    def secret(self) -> Secret | None:
        """Where AWS keeps the password of Redis, None if it is elsewhere."""
        password = self.document.redis and self.document.redis.password
        return password if isinstance(password, Secret) else None

    def designs(self) -> dict[str, Design]:
        """Return the design of each configured experiment by its name."""
        return {name: section.design() for name, section in self.document.experiments.items()}

    def precision(self) -> int | None:
        """Return the precision of new experiments, None if no file says how they are counted."""
        if self.path is None:
            return None
        default: int = DEFAULTS["precision"]
        return self.document.precision or default

    def lambda_redis(self) -> dict[str, Any]:
        """Return the connection to Redis that AWS Lambda will use, as options of redis-py.

        The text of a CA file replaces its path; other files and sockets of this machine are
        omitted. A store that `gimel deploy` creates has STORE_ENDPOINT as its host. Raises
        ConfigError if the file cannot be read or no Redis is configured.
        """
        omitted = {*LOCAL_OPTIONS, "provision"}
        redis = self.require_redis().model_dump(exclude_none=True, exclude=omitted)
        if self.provisions:
            name = store_name(self.document.aws.name)
            redis |= {"host": STORE_ENDPOINT, "ssl": True, "username": name}
            redis |= {"iam": name, "cluster": True}
        return self._with_certificates(redis)

    def runtime_settings(self, redis: Mapping[str, Any] | None = None) -> str:
        """Return GIMEL_SETTINGS: JSON with what differs from the runtime's defaults.

        It is for AWS Lambda, unless `redis` replaces the configured connection. Raises ConfigError
        as `lambda_redis` does.
        """
        redis = self.lambda_redis() if redis is None else self._with_certificates(redis)
        settings = self.document.model_dump(exclude_none=True, exclude=_NOT_FOR_HANDLERS)
        settings = {key: value for key, value in settings.items() if value != DEFAULTS[key]}
        if self.document.experiments:  # the limits do not keep these out
            settings["experiments"] = sorted(self.document.experiments)
        redis = {key: value for key, value in redis.items() if value != REDIS_DEFAULTS.get(key)}
        return json.dumps({**settings, "redis": redis}, separators=(",", ":"), sort_keys=True)

    def snapshot_settings(self, redis: Mapping[str, Any] | None = None) -> str:
        """Return GIMEL_SETTINGS of the function that takes the snapshots and sends the alerts.

        Those of `runtime_settings`, with the set keys of `alerts`. Raises ConfigError likewise.
        """
        settings = json.loads(self.runtime_settings(redis))
        if self.document.alerts.is_on:
            settings["alerts"] = self.document.alerts.model_dump(exclude_none=True)
        return json.dumps(settings, separators=(",", ":"), sort_keys=True)

    def _with_certificates(self, redis: Mapping[str, Any]) -> dict[str, Any]:
        redis = dict(redis)
        if ca_file := redis.pop("ssl_ca_certs", None):
            redis["ssl_ca_data"] = self._read_certificates(ca_file)
        return redis

    def _read_certificates(self, name: str) -> str:
        path = expand(name)
        if self.path is not None:
            path = self.path.parent / path
        try:
            return path.read_text("ascii")
        except (OSError, ValueError) as error:  # ValueError: not ASCII, or a NUL in the path
            reason = getattr(error, "strerror", None) or "not a text file in ASCII"
            where = f"{self.path}: " if self.path else ""
            raise ConfigError(
                f"{where}redis.ssl_ca_certs: {path} cannot be read: {reason}."
            ) from None


def find_config(
    given: str | None, environment: Mapping[str, str], home: Path | None
) -> Path | None:
    """Return the configuration file, None if there is none.

    It is `--config`, else $GIMEL_CONFIG, else ./config.json, else ~/.gimel/config.json. Raises
    GimelError if a file was named that does not exist, or a place cannot be searched.
    """
    named, by = (given, "--config") if given else (environment.get(VARIABLE), f"${VARIABLE}")
    if named:
        path = expand(named)
        if not _exists(path):
            raise GimelError(
                f"The file {path} given by {by} does not exist.",
                "Run `gimel configure` to create it.",
            )
        return path
    usual = [Path("config.json"), *([_in_home(home)] if home else [])]
    return next((path for path in usual if _exists(path)), None)


def config_path(given: str | None, environment: Mapping[str, str], home: Path | None) -> Path:
    """Return the file for `gimel configure` to edit or create. Raises GimelError without a home."""
    named = given or environment.get(VARIABLE)
    if named:
        return expand(named)
    found = find_config(None, {}, home)
    if found is None and home is None:
        raise GimelError(
            "The home directory, where the configuration belongs, is unknown.",
            "Set $HOME, or name a file with --config.",
        )
    return found or _in_home(home or Path())


def load(path: Path | None) -> Config:
    """Read and check a file; None gives the defaults.

    Raises ConfigError, which names the file, the key, what is allowed and what was found.
    """
    content = {} if path is None else _read(path)
    try:
        document = Document.model_validate(content)
    except ValidationError as error:
        raise ConfigError(explain(str(path), error, content)) from None
    try:
        check_provision(document)
        wiring = extend(document.extra_wiring, document.aws.name)
    except NotAllowedError as error:
        raise ConfigError(f"{path}: {error.allowed}.", error.hint) from None
    functions = [function.name for function in wiring.functions]
    deployed = deployed_names(document.aws.name)
    for name in document.aws.functions:
        if name not in functions:
            raise ConfigError(
                f"{path}: aws.functions: unknown function {name!r}.",
                suggest(deployed.get(name, name), functions),
            )
    return Config(path, document, wiring if document.snapshots else wiring.unscheduled())


def create(path: Path, redis: Mapping[str, Any] | None = None) -> None:
    """Write a new file that only its owner may read: the template, or one with a `redis` section.

    Raises FileExistsError rather than overwrite a file; a failed write leaves none behind.
    """
    text = template() if redis is None else f"{json.dumps({'redis': redis}, indent=4)}\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:  # a file has the folder's name
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        path.unlink()
        raise


def template() -> str:
    """Return the text of a new configuration."""
    return (files("gimel.config") / "config.json.template").read_text("utf-8")


def redis_from_url(url: str) -> dict[str, Any]:
    """Return the connection of a redis://, rediss:// or unix:// URL. Raises GimelError."""
    try:
        return read_redis_url(url)
    except NotAllowedError as error:  # which does not quote a password
        raise GimelError(f"The Redis URL {error.allowed}.", error.hint) from None


def _in_home(home: Path) -> Path:
    return home / ".gimel" / "config.json"


def _exists(path: Path) -> bool:
    """Return whether a file or pipe exists. Raises GimelError if the path cannot be looked up."""
    try:
        return not stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:  # such as a home directory that belongs to another user
        raise GimelError(
            f"{path} cannot be read: {error.strerror}.", "Name another file with --config."
        ) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(
            path.read_text("utf-8-sig"),
            object_pairs_hook=_refuse_duplicates,
            parse_constant=_refuse_constant,
        )
        json.dumps(content, ensure_ascii=False).encode()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path}, line {error.lineno}, column {error.colno}: not valid JSON: {error.msg}."
        ) from None
    except (UnicodeDecodeError, RecursionError):
        raise ConfigError(f"{path} is not a JSON file in UTF-8.") from None
    except UnicodeEncodeError:
        raise ConfigError(f"{path} holds half of a surrogate pair, such as \\ud83d.") from None
    except _RefusedError as refused:
        raise ConfigError(f"{path}: {refused}") from None
    except ValueError:  # Python converts at most 4,300 digits
        raise ConfigError(f"{path} holds a number that is too long.") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold a JSON object.")
    return content


class _RefusedError(Exception):
    """JSON that Python would accept without a word."""


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:  # the last would win
            raise _RefusedError(f"the key {key!r} is given twice. Remove one of them.")
        result[key] = value
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise _RefusedError(f"{name} is not valid JSON.")
