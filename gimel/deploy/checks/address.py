"""Whether AWS Lambda can reach an address of Redis, as far as the address itself shows it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import TypeAlias

from gimel.deploy.checks.findings import Finding, failed

Resolve: TypeAlias = Callable[[str], Sequence[str]]

_NAME = "Redis address"

# Only the machine itself uses these, or its own network segment.
_LOCAL = (
    *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16"),
    *("::/128", "::1/128", "fe80::/10"),
)
# https://www.rfc-editor.org/rfc/rfc1918, https://www.rfc-editor.org/rfc/rfc6598 and
# https://www.rfc-editor.org/rfc/rfc4193
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")


def resolve(host: str) -> list[str]:
    """Return the IP addresses of a host, none if they are not known on this machine."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine by its name or number."""
    return _is_localhost(host) or _all_within([host], ("127.0.0.0/8", "::1/128"))


def check_address(host: str, *, vpc: bool, resolve: Resolve = resolve) -> Finding | None:
    """Return a failure if AWS Lambda cannot reach a host. `vpc` says whether it runs in a VPC.

    A name that this machine cannot resolve does not fail: only the VPC may know it.
    """
    addresses = ["127.0.0.1"] if _is_localhost(host) else resolve(host)
    shown = host if [host] == list(addresses) else f"{host} ({', '.join(addresses)})"
    if _all_within(addresses, _LOCAL):
        return failed(
            _NAME,
            f"AWS Lambda cannot reach {shown}: the address is only valid on a single machine",
            "Use a Redis server with a public address, or with a private one in aws.vpc. `gimel "
            "serve` runs everything on this machine.",
        )
    if not vpc and _all_within(addresses, (*_LOCAL, *_PRIVATE)):
        return failed(
            _NAME,
            f"AWS Lambda cannot reach {shown}: the address is private, and aws.vpc is not set",
            "Set aws.vpc to the subnets and security groups that reach Redis, or use a public "
            "address.",
        )
    return None


def _is_localhost(host: str) -> bool:
    name = host.lower().removesuffix(".")
    return name == "localhost" or name.endswith(".localhost")


def _all_within(addresses: Sequence[str], networks: Sequence[str]) -> bool:
    found = [each for text in addresses if (each := _parse(text)) is not None]
    known = [ipaddress.ip_network(each) for each in networks]
    return bool(found) and all(any(each in network for network in known) for each in found)


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
