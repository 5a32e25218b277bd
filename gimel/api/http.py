"""HTTP for every request that Gimel makes outside the AWS SDK.

Proxies and the CA bundle come from where the AWS SDK takes them, so that a network that lets one
through lets the other through too. Redirects are not followed: they would carry the API key to
another host. This module knows nothing about Gimel's API.
"""

from __future__ import annotations

import base64
import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from typing_extensions import Self
from urllib3 import exceptions as errors

import gimel
from gimel.errors import GimelError

USER_AGENT = f"gimel/{gimel.__version__}"
SECONDS_TO_CONNECT = 5
SECONDS_TO_ANSWER = 35  # API Gateway ends a request after 29 s, and its answer says so
LOOPBACK = ("localhost", "127.0.0.1", "::1")

_BUNDLE_VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")  # in botocore's order

_NO_RETRIES = urllib3.Retry(0, redirect=False, raise_on_redirect=False)
_TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: (\d+) ?(.*)")
_LOGIN_HINT = (
    "Write it like http://user:password@host:port, with special characters percent-encoded."
)


class NoAnswer(GimelError):
    """No answer arrived. `passes` says whether the cause may pass by itself within minutes."""

    def __init__(self, message: str, hint: str = "", *, passes: bool = False) -> None:
        super().__init__(message, hint)
        self.passes = passes


class UnknownHost(NoAnswer):
    """The name of the host is not in the DNS, which passes where the host is new."""


@dataclass(frozen=True)
class Answer:
    """What a URL answered. The names of the headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Proxy:
    """A proxy. `url` is without the login, which is "" or "user:password", decoded.

    `source` is where the proxy is set, as shown to the user.
    """

    url: str
    source: str
    login: str = field(default="", repr=False)

    @property
    def address(self) -> str:
        """The host and port."""
        return urlsplit(self.url).netloc

    @property
    def headers(self) -> dict[str, str]:
        """The headers that log in to the proxy."""
        if not self.login:
            return {}
        return {"Proxy-Authorization": f"Basic {base64.b64encode(self.login.encode()).decode()}"}


class Session:
    """Connections to the host of a URL. Use it in a `with` block.

    `ca_bundle` replaces the environment's. Raises GimelError if the environment's proxy or the CA
    bundle cannot be used.
    """

    def __init__(
        self, url: str, *, ca_bundle: str | None = None, retries: urllib3.Retry = _NO_RETRIES
    ) -> None:
        settings: dict[str, Any] = {
            "timeout": urllib3.Timeout(connect=SECONDS_TO_CONNECT, read=SECONDS_TO_ANSWER),
            "retries": retries,
        }
        self._proxy = proxy = None if urlsplit(url).hostname in LOOPBACK else proxy_for(url)
        if "https" in (urlsplit(url).scheme, urlsplit(proxy.url).scheme if proxy else ""):
            settings["ssl_context"] = _trust(ca_bundle or environment_ca_bundle())
        self._pool: urllib3.PoolManager
        if proxy is None:
            self._pool = urllib3.PoolManager(**settings)
        else:
            self._pool = urllib3.ProxyManager(
                proxy.url,
                proxy_headers=proxy.headers,
                proxy_ssl_context=settings.get("ssl_context"),
                **settings,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.clear()

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Return the answer to a request. Raises NoAnswer."""
        given = {"User-Agent": USER_AGENT, **(headers or {})}
        try:
            answer = self._pool.request(method, url, headers=given, body=body)
        except errors.MaxRetryError as error:
            raise _no_answer(url, error.reason, self._proxy) from None
        except errors.HTTPError as error:
            raise _no_answer(url, error, self._proxy) from None
        if answer.status == 407 and self._proxy:
            raise proxy_refusal(self._proxy, url, 407, "")
        found = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status, found, answer.data)


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy that the environment names for a URL, as botocore reads it.

    Raises GimelError for one that cannot be used.
    """
    parts = urlsplit(url)
    value = getproxies().get(parts.scheme)
    if not value or proxy_bypass(parts.netloc):
        return None
    source = _source(parts.scheme, value)
    if "://" in value:
        scheme = value.partition("://")[0].lower()
        if scheme not in ("http", "https"):
            raise GimelError(
                f"The proxy of {source} has the scheme {scheme!r}, which is not supported.",
                "Set it to an HTTP proxy, like http://host:port, or unset it. Hosts in $NO_PROXY"
                " are reached without it.",
            )
    else:
        value = f"http://{value.removeprefix('//')}"
    try:
        proxy = urlsplit(value)
        port = proxy.port
    except ValueError:
        raise _invalid_proxy(source) from None
    if not proxy.hostname or port == 0:
        raise _invalid_proxy(source)
    login, _, netloc = proxy.netloc.rpartition("@")
    user, _, password = login.partition(":")
    return Proxy(
        f"{proxy.scheme}://{netloc}",
        source,
        f"{unquote(user)}:{unquote(password)}" if login else "",
    )


def proxy_refusal(proxy: Proxy, url: str, status: int, reason: str) -> NoAnswer:
    """Return what to say where a proxy answers for itself instead of connecting to the URL."""
    if status == 407:
        did = "rejected the login" if proxy.login else "requires a login"
        return NoAnswer(
            f"The proxy {proxy.address} {did}.", f"Check the proxy of {proxy.source}. {_LOGIN_HINT}"
        )
    said = f"{status} {reason}".strip()
    return NoAnswer(
        f"The proxy {proxy.address} did not connect to {urlsplit(url).hostname}: {said}.",
        f"Check the proxy of {proxy.source}, or add the host to $NO_PROXY.",
        passes=status >= 500,  # as where it does not find a new host yet
    )


def proxy_unreachable(proxy: Proxy) -> NoAnswer:
    """Return what to say where a proxy cannot be connected to."""
    return NoAnswer(
        f"Could not connect to the proxy {proxy.address}.", f"Check the proxy of {proxy.source}."
    )


def tunnel_refusal(error: object) -> tuple[int, str] | None:
    """Return the status and reason with which a proxy refused, from the text of an error."""
    found = _TUNNEL_REFUSED.search(str(error))
    return (int(found[1]), found[2].rstrip("')")) if found else None


def untrusted(name: str, error: BaseException) -> NoAnswer:
    """Return what to say about a certificate that the verification of TLS refuses."""
    why = certificate_problem(error)
    if "not yet valid" in why or "has expired" in why:
        hint = "Check the clock of this machine. If it is right, the server's certificate is not."
    else:
        hint = (
            "If a proxy or firewall opens TLS, set $AWS_CA_BUNDLE to a file with the certificate"
            " of its authority."
        )
    return NoAnswer(f"The certificate of {name} is not trusted: {why}.", hint)


def certificate_problem(error: BaseException) -> str:
    """Return why a certificate is refused, "" if the error is not about one."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message).rstrip(".")
    found = re.search(r"certificate verify failed: ([^(]*)", str(error))
    if found:
        return found[1].strip(" .'")
    mismatch = re.search(r"(hostname|IP address) .* doesn't match .*", str(error))
    return mismatch[0] if mismatch else ""


def environment_ca_bundle() -> str | None:
    """Return the path of the environment's CA bundle, None if there is none. Not checked."""
    return next((os.environ[name] for name in _BUNDLE_VARIABLES if name in os.environ), None)


def check_ca_bundle(path: str) -> None:
    """Raise GimelError unless the file of a CA bundle can be used."""
    _trust(path)


def _trust(ca_bundle: str | None) -> ssl.SSLContext:
    """Return a context that trusts a CA bundle, or the system's authorities.

    Python 3.13 makes its default context reject authorities without certain extensions. The AWS
    SDK accepts them, and companies use them.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_bundle is None:
        context.load_default_certs()
        return context
    hint = (
        "Set $AWS_CA_BUNDLE, $REQUESTS_CA_BUNDLE, or `ca_bundle` in ~/.aws/config, to the path of a"
        " PEM file."
    )
    if not ca_bundle.strip():
        raise GimelError("The path of the CA bundle is empty.", hint)
    try:
        context.load_verify_locations(cafile=ca_bundle)
    except ssl.SSLError:
        raise GimelError(f"The CA bundle {ca_bundle} contains no certificates.", hint) from None
    except OSError as error:
        raise GimelError(
            f"The CA bundle {ca_bundle} cannot be read: {error.strerror}.", hint
        ) from None
    return context


def _source(scheme: str, value: str) -> str:
    """Return the variable that names a proxy, as shown to the user."""
    for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
        if os.environ.get(name) == value:
            return f"${name}"
    return "the system's settings"


def _invalid_proxy(source: str) -> GimelError:
    return GimelError(f"The proxy of {source} is not a valid URL.", _LOGIN_HINT)


def _no_answer(url: str, reason: BaseException | None, proxy: Proxy | None) -> NoAnswer:
    """Return what to say about a failure of urllib3."""
    if isinstance(reason, errors.ProxyError) and proxy:
        return _proxy_failure(url, reason.original_error, proxy)
    parts = urlsplit(url)
    base = url.split("?")[0]
    if isinstance(reason, errors.NameResolutionError):
        return UnknownHost(
            f"Could not find the host {parts.hostname}.",
            "Check the URL and the network connection.",
            passes=True,
        )
    if isinstance(reason, errors.NewConnectionError):
        return NoAnswer(f"Could not connect to {base}.", _how_to_connect(parts))
    if isinstance(reason, errors.TimeoutError):
        return NoAnswer(
            f"{base} did not answer in time.", "Try again, or check its log.", passes=True
        )
    if isinstance(reason, errors.SSLError):
        if certificate_problem(reason):
            return untrusted(base, reason)
        return NoAnswer(
            f"Could not connect to {base} with TLS: {_plain(reason)}.", "Check the URL."
        )
    return NoAnswer(
        f"The connection to {base} was lost: {type(reason).__name__}.", "Try again.", passes=True
    )


def _proxy_failure(url: str, reason: BaseException, proxy: Proxy) -> NoAnswer:
    if refusal := tunnel_refusal(reason):
        return proxy_refusal(proxy, url, *refusal)
    if isinstance(reason, errors.SSLError) and certificate_problem(reason):
        return untrusted(f"the proxy {proxy.address}", reason)
    return proxy_unreachable(proxy)


def _how_to_connect(parts: SplitResult) -> str:
    hint = "Check that it is running and that the URL is right."
    local = " `gimel serve` starts a local API."
    return f"{hint}{local}" if parts.hostname in LOOPBACK else hint


def _plain(error: BaseException) -> str:
    """Return OpenSSL's words without the codes around them."""
    found = re.search(r"\] ([^(]+)", str(error))
    return found[1].strip() if found else type(error).__name__
