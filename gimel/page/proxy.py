"""Configurations of web servers and hosts that serve the track URL from the site itself. Pure.

Each forwards one path of the site to the track URL, whatever the method, with the query, the body
and the browser's User-Agent, which the bot filter needs. docs/proxy.md names the vendors' pages.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from markupsafe import Markup

from gimel import templating
from gimel.api.http import LOOPBACK
from gimel.errors import GimelError
from gimel.page.track_url import check_track_url

_PORTS = {"http": 80, "https": 443}

# A path of these characters means the same in each configuration language, and in a URL.
_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*/?")

# AWS's managed policies: no cache, and everything that the browser sent except the Host header.
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html
_CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
_ALL_VIEWER_EXCEPT_HOST_HEADER = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
_ALL_METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]


@dataclass(frozen=True)
class Upstream:
    """A track URL, in parts. The path is empty or begins with a slash."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The host, in brackets if it is an IPv6 address, and the port unless it is the usual."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole URL, with a path."""
        return f"{self.scheme}://{self.authority}{self.path or '/'}"


def parse_upstream(track_url: str) -> Upstream:
    """Return the parts of a track URL.

    Raises:
        GimelError: It cannot be a track URL, or no configuration can name it.
    """
    check_track_url(track_url)
    parts = urlsplit(track_url)
    host = parts.hostname or ""
    try:
        host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        raise GimelError(f"{host!r} is not the name of a host.", "Check the URL.") from None
    _check_plain(parts.path, track_url)
    return Upstream(parts.scheme, host, parts.port or _PORTS[parts.scheme], parts.path)


def check_path(path: str) -> None:
    """Raise GimelError if a site cannot forward a path to the track URL."""
    if not path.startswith("/") or path == "/":
        raise GimelError(
            f"{path!r} is not a path of your site.", "Give one that no page has, like /e."
        )
    _check_plain(path, path)


def nginx(upstream: Upstream, path: str) -> str:
    """Return the location for a server block of nginx."""
    return _render("nginx.conf.j2", upstream, path)


def caddy(upstream: Upstream, path: str) -> str:
    """Return the directive for a site block of a Caddyfile."""
    return _render("Caddyfile.j2", upstream, path)


def cloudfront(upstream: Upstream, path: str) -> str:
    """Return the origin and the cache behavior, as in the configuration of a distribution."""
    _check_public(upstream, "CloudFront")
    http, https = (
        upstream.port if upstream.scheme == scheme else port for scheme, port in _PORTS.items()
    )
    origin = {
        "Id": "gimel",
        "DomainName": upstream.host,
        "OriginPath": _origin_path(upstream, path),
        "CustomHeaders": {"Quantity": 0},
        "CustomOriginConfig": {
            "HTTPPort": http,
            "HTTPSPort": https,
            "OriginProtocolPolicy": f"{upstream.scheme}-only",
            "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
        },
    }
    behavior = {
        "PathPattern": path,
        "TargetOriginId": origin["Id"],
        "ViewerProtocolPolicy": "https-only",
        "AllowedMethods": {
            "Quantity": len(_ALL_METHODS),
            "Items": _ALL_METHODS,
            "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]},
        },
        "Compress": False,
        "SmoothStreaming": False,
        "FieldLevelEncryptionId": "",
        "LambdaFunctionAssociations": {"Quantity": 0},
        "CachePolicyId": _CACHING_DISABLED,
        "OriginRequestPolicyId": _ALL_VIEWER_EXCEPT_HOST_HEADER,
    }
    return _json({"Origin": origin, "CacheBehavior": behavior})


def vercel(upstream: Upstream, path: str) -> str:
    """Return the rewrite, as a vercel.json."""
    _check_public(upstream, "Vercel")
    return _json({"rewrites": [{"source": path, "destination": upstream.url}]})


def netlify(upstream: Upstream, path: str) -> str:
    """Return the rewrite for a netlify.toml."""
    _check_public(upstream, "Netlify")
    return (
        "[[redirects]]\n"
        f'  from = "{path}"\n'
        f'  to = "{upstream.url}"\n'
        "  status = 200\n"
        "  force = true\n"
    )


KINDS: Mapping[str, Callable[[Upstream, str], str]] = {
    each.__name__: each for each in (nginx, caddy, cloudfront, vercel, netlify)
}
"""What can forward requests, by the name of the command's argument."""


def _render(template: str, upstream: Upstream, path: str) -> str:
    return templating.render(
        "gimel.page",
        template,
        path=Markup(path),  # noqa: S704  (plain, and no HTML)
        url=Markup(upstream.url),  # noqa: S704
        upstream=upstream,
        authority=Markup(upstream.authority),  # noqa: S704
    )


def _origin_path(upstream: Upstream, path: str) -> str:
    """Return what CloudFront puts before the path of a request. Raises GimelError."""
    if ".lambda-url." in upstream.host:  # a function answers any path
        return ""
    if not upstream.path.endswith(path):
        last = upstream.path.rstrip("/").rpartition("/")[2]
        raise GimelError(
            f"CloudFront can put something before the path {path}, but not replace it: it cannot "
            f"lead to {upstream.url}.",
            f"Use --path /{last}." if last else "Use a track URL with a path.",
        )
    return upstream.path.removesuffix(path)


def _check_plain(path: str, given: str) -> None:
    if not _PLAIN_PATH.fullmatch(path):
        raise GimelError(
            f"The path of {given!r} has a character that not every configuration can hold.",
            "Use letters, digits, and . _ ~ - only.",
        )


def _check_public(upstream: Upstream, service: str) -> None:
    try:
        private = ipaddress.ip_address(upstream.host).is_private
    except ValueError:
        private = upstream.host in LOOPBACK
    if private:
        raise GimelError(
            f"{service} cannot reach {upstream.url}, which is in your own network.",
            "Pass the URL of a deployment with --track-url.",
        )


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"
