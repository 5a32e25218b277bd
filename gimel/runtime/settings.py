"""The settings of the handlers, from the environment variable GIMEL_SETTINGS.

It contains JSON with the key names of config.json. `gimel deploy` writes it after validating the
configuration, so that values are only read here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from gimel.runtime.errors import SettingsError
from gimel.runtime.keys import PRECISIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VARIABLE = "GIMEL_SETTINGS"

DEFAULTS: dict[str, Any] = {
    "precision": 16,
    "bot_filter": True,
    "allowed_origins": ["*"],
    "allowed_namespaces": None,
    "allowed_experiments": None,
    "experiments": (),
    "limits": {
        "namespaces": 50,
        "experiments": 2000,
        "counters": 20_000,
        "counters_per_experiment": 1000,
    },
}


class RedisOptions:
    """How to reach Redis, under redis-py's names for the options. Times are in seconds.

    The password may be a reference to a secret on AWS; see `gimel.runtime.redis.secrets`.
    """

    host: str = "localhost"
    port: int = 6379
    db: int = 0
    username: str | None = None
    password: str | Mapping[str, str] | None = None
    unix_socket_path: str | None = None
    ssl: bool = False
    ssl_cert_reqs: str | None = "required"
    ssl_check_hostname: bool = True
    ssl_ca_certs: str | None = None
    ssl_ca_data: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    # A connection that died while idle costs an answer's time-out, a connection and another answer:
    # all of it must fit into the 3 s of gimel-track.
    socket_connect_timeout: float = 0.8
    socket_timeout: float = 0.8
    # These are not options of redis-py: the name of the serverless cache of ElastiCache that the
    # user logs in to by IAM, and whether the address leads to many nodes that answer as one server.
    iam: str | None = None
    cluster: bool = False

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Read options. A null means the default; options that only redis-py knows are skipped."""
        for name in REDIS_DEFAULTS:
            if options.get(name) is not None:
                setattr(self, name, options[name])


REDIS_DEFAULTS: dict[str, Any] = {
    name: value for name, value in vars(RedisOptions).items() if not name.startswith("_")
}


class Settings:
    """The complete settings of one process.

    The owner lists `owned_experiments` and `owned_namespaces`: the limits do not keep them out.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
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
        self.allowed_origins = tuple[str, ...](full["allowed_origins"])
        self.owned_namespaces = frozenset[str](namespaces or ())
        self.owned_experiments = frozenset[str](experiments or ()).union(full["experiments"])
        self.allowed_namespaces = None if namespaces is None else self.owned_namespaces
        self.allowed_experiments = None if experiments is None else frozenset[str](experiments)
        self.limits: Mapping[str, int] = {**DEFAULTS["limits"], **full["limits"]}


_parsed: tuple[str, Settings] | None = None


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
