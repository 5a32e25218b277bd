"""Addresses of Redis as people paste them: a host, or a URL. Pure."""

from __future__ import annotations

import ipaddress
import json
import re
import unicodedata
from typing import Any
from urllib.parse import urlsplit

from gimel.config.kinds import NotAllowedError

HOST_PLACEHOLDER = "ENTER YOUR REDIS HOST"
"""The host of the template, which is not taken for one."""

_URL_FORM = "redis://[user:password@]host[:port][/db]"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_PORT = re.compile(r"(?:\[[^\]]*\]|[^:]*):(\d+)")


def check_host(host: str) -> str:
    """Return a host name or an IP address. Raises NotAllowedError, which says what to change."""
    if host == HOST_PLACEHOLDER or is_ip_address(host):
        return host
    for mistake in (_paste_mistake(host), _name_mistake(host)):
        if mistake is not None:
            raise mistake
    return host


def is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _paste_mistake(host: str) -> NotAllowedError | None:
    """Return what is around the host name that should not be."""
    if not host.strip():
        return NotAllowedError("must not be empty")
    if host != host.strip():
        return NotAllowedError("must not begin or end with spaces or line breaks", "Remove them.")
    alone = "must be a host name alone"
    if scheme := _SCHEME.match(host):
        if scheme[1].lower() in ("redis", "rediss"):
            return NotAllowedError(f"{alone}, not a URL", "Move the URL to redis.url.")
        return NotAllowedError(f"{alone}, not a URL", f'Remove "{scheme[0]}" and any path.')
    if "@" in host:
        return NotAllowedError(
            f"{alone}, without a user", "Set redis.username and redis.password, or use redis.url."
        )
    if "/" in host or "?" in host or "#" in host:
        return NotAllowedError(f"{alone}, without a path", "A database number belongs in redis.db.")
    if port := _PORT.fullmatch(host):
        return NotAllowedError(
            f"{alone}, without a port", f"Move the port {port[1]} to redis.port."
        )
    if host.startswith("[") and is_ip_address(host[1:-1]):
        return NotAllowedError("must be an IPv6 address without brackets", "Remove the brackets.")
    return None


def _name_mistake(host: str) -> NotAllowedError | None:
    """Return why a name cannot be looked up. Names with underscores can, though DNS has none."""
    hint = "Copy it from your Redis provider."
    if not re.fullmatch(r"[\w.-]+", host) or unicodedata.normalize("NFKC", host) != host:
        return NotAllowedError("must be a host name of letters, digits and . - _", hint)
    if host.rpartition(".")[2].isdigit():
        return NotAllowedError("must be a host name or a complete IP address", hint)
    try:
        host.encode("idna")  # as Python's socket module does; it refuses long and empty labels
    except UnicodeError:
        return NotAllowedError(
            "must have 1 to 63 characters before, between and after its dots", hint
        )
    return None


def parse_redis_url(url: str) -> dict[str, Any]:
    """Return the options of a redis://, rediss:// or unix:// URL, in redis-py's names.

    The values of its query are not checked. Raises NotAllowedError, which does not quote the URL:
    it may hold a password.
    """
    from redis import SSLConnection
    from redis.connection import parse_url

    if mistake := _url_mistake(url):
        raise mistake
    try:
        options: dict[str, Any] = dict(parse_url(url))  # type: ignore[no-untyped-call]
    except ValueError:
        raise _not_a_url() from None
    if issubclass(options.pop("connection_class", object), SSLConnection):
        options["ssl"] = True
    if "path" in options:
        options["unix_socket_path"] = options.pop("path")
    return options


def _url_mistake(url: str) -> NotAllowedError | None:
    """Return why something is not a URL of Redis. redis-py ignores some of this."""
    if re.search(r"\s", url):
        return NotAllowedError("must not contain spaces or line breaks", "Remove them.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return _not_a_url()
    if parts.scheme == "unix":
        return None if parts.path.strip("/") else _not_a_url()
    is_complete = parts.scheme in ("redis", "rediss") and host and port != 0 and not parts.fragment
    return None if is_complete and re.fullmatch(r"/?|/[0-9]+", parts.path) else _not_a_url()


def _not_a_url() -> NotAllowedError:
    return NotAllowedError(
        f"must be like {json.dumps(_URL_FORM)}",
        "rediss:// connects over TLS. Percent-encode special characters of the password.",
    )
