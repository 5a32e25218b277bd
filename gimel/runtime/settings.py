"""The settings of the handlers, from the environment variable GIMEL_SETTINGS.

It contains JSON with the key names of config.json. `gimel deploy` writes it after validating the
configuration, so that values are only read here. Every default has one home: DEFAULTS.
"""

import json
import os

from gimel.runtime.errors import SettingsError
from gimel.runtime.keys import PRECISIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

VARIABLE = "GIMEL_SETTINGS"

DEFAULTS: "dict[str, Any]" = {
    "precision": 16,
    "bot_filter": True,
    "allowed_origins": ["*"],
    "allowed_namespaces": None,
    "allowed_experiments": None,
    "limits": {
        "namespaces": 50,
        "experiments": 2000,
        "counters": 20_000,
        "counters_per_experiment": 1000,
    },
}

# A connection that died while idle costs an answer's time-out, a connection and another answer: all
# of it must fit into the 3 s of gimel-track.
REDIS_DEFAULTS: "dict[str, Any]" = {
    "host": "localhost",
    "port": 6379,
    "db": 0,
    "username": None,
    "password": None,
    "unix_socket_path": None,
    "ssl": False,
    "ssl_cert_reqs": "required",
    "ssl_check_hostname": True,
    "ssl_ca_certs": None,
    "ssl_ca_data": None,
    "ssl_certfile": None,
    "ssl_keyfile": None,
    "socket_connect_timeout": 0.8,
    "socket_timeout": 0.8,
}


class RedisOptions:
    """How to reach Redis, under redis-py's names for the options. Times are in seconds."""

    __slots__ = tuple(REDIS_DEFAULTS)

    host: str
    port: int
    db: int
    username: "str | None"
    password: "str | None"
    unix_socket_path: "str | None"
    ssl: bool
    ssl_cert_reqs: "str | None"
    ssl_check_hostname: bool
    ssl_ca_certs: "str | None"
    ssl_ca_data: "str | None"
    ssl_certfile: "str | None"
    ssl_keyfile: "str | None"
    socket_connect_timeout: float
    socket_timeout: float

    def __init__(self, options: "Mapping[str, Any]") -> None:
        """Read options. A null means the default; options that only redis-py knows are skipped."""
        for name, default in REDIS_DEFAULTS.items():
            value = options.get(name)
            setattr(self, name, default if value is None else value)


class Settings:
    """The complete settings of one process."""

    __slots__ = (
        "allowed_experiments",
        "allowed_namespaces",
        "allowed_origins",
        "bot_filter",
        "limits",
        "precision",
        "redis",
    )

    def __init__(self, document: "Mapping[str, Any]") -> None:
        """Complete the document with DEFAULTS.

        Raises KeyError, TypeError, ValueError or AttributeError if it has the wrong shape.
        """
        full = {**DEFAULTS, **document}
        namespaces, experiments = full["allowed_namespaces"], full["allowed_experiments"]
        self.redis = RedisOptions(document["redis"])
        # The id of a counter of any other precision could not be read back: its events would be
        # answered 200 and lost.
        self.precision: int = PRECISIONS[PRECISIONS.index(full["precision"])]
        self.bot_filter: bool = full["bot_filter"]
        self.allowed_origins: tuple[str, ...] = tuple(full["allowed_origins"])
        self.allowed_namespaces: frozenset[str] | None = (
            None if namespaces is None else frozenset(namespaces)
        )
        self.allowed_experiments: frozenset[str] | None = (
            None if experiments is None else frozenset(experiments)
        )
        self.limits: Mapping[str, int] = {**DEFAULTS["limits"], **full["limits"]}


_parsed: "tuple[str, Settings] | None" = None


def current() -> Settings:
    """Return the settings in the environment, parsed again only if they changed.

    Raises SettingsError.
    """
    global _parsed
    text = os.environ.get(VARIABLE, "")
    if _parsed is None or _parsed[0] != text:
        _parsed = (text, _parse(text))
    return _parsed[1]


def _parse(text: str) -> Settings:
    if not text:
        raise SettingsError(f"the environment variable {VARIABLE} is missing: run `gimel deploy`")
    try:
        return Settings(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError):
        # The message gives no reason: that could quote the password.
        raise SettingsError(
            f"the environment variable {VARIABLE} is not usable: run `gimel deploy`"
        ) from None
