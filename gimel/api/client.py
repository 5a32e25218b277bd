"""Gimel's API over HTTP: read the experiments of a namespace, delete one.

Speaks HTTP and says what went wrong, and hands on what it read as `gimel.NamespaceCounts`. The key goes into a header and
nowhere else; no redirection is followed, since it would carry the key to another host.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

import gimel
from gimel.analysis.counts import ExperimentCounts, NamespaceCounts
from gimel.analysis.experiment import get_experiment
from gimel.api import answers
from gimel.errors import GimelError

USER_AGENT = f"gimel/{gimel.__version__}"
SECONDS_TO_CONNECT = 5
SECONDS_TO_ANSWER = 65  # gimel-all-experiments may take 60

_ROUTES = ("track", "experiments", "delete")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Api:
    """A deployed API, or `gimel serve`. `url` is its address without the route; that of a route is understood too."""

    url: str
    key: str = field(repr=False)

    def __post_init__(self) -> None:
        """Raises GimelError where the URL is not a whole one, or the key cannot be one."""
        object.__setattr__(self, "url", base_url(self.url))
        if not self.key or not all("!" <= character <= "~" for character in self.key):
            raise GimelError(
                "The API key is empty, or holds what no key does.", "Copy it once more."
            )

    def experiments(self, namespace: str, scope: str | None = None) -> NamespaceCounts:
        """Return what a namespace holds, or of that the experiment `scope`. Raises GimelError."""
        parameters = {"namespace": namespace, **({} if scope is None else {"scope": scope})}
        return answers.parse(self._call("GET", "experiments", parameters), self.url)

    def experiment(self, namespace: str, name: str) -> ExperimentCounts:
        """Return one experiment, without having the API count all others. Raises GimelError with the nearest names."""
        return find_experiment(self.experiments, namespace, name)

    def delete(self, namespace: str, experiment: str) -> int | None:
        """Delete an experiment with everything that was counted; return how many counters that were, None from 1.5.0's API.

        An experiment that is not there has none: that is no error. Raises GimelError.
        """
        answer = self._call("DELETE", "delete", {"namespace": namespace, "experiment": experiment})
        counters = answer.get("deleted") if isinstance(answer, dict) else None
        return counters if isinstance(counters, int) else None

    def _call(self, method: str, route: str, parameters: dict[str, str]) -> Any:
        address = f"{self.url}/{route}"
        with pool_for(address) as pool:
            status, body = send(
                pool, method, f"{address}?{urlencode(parameters)}", headers={"x-api-key": self.key}
            )
        if (
            status == 403 and b"Missing Authentication Token" in body
        ):  # what API Gateway says of a path that is not there
            raise GimelError(
                f"There is no {address}.", "Is it the address of Gimel's API, with its stage?"
            )
        if status in (401, 403):
            raise GimelError(
                f"{self.url} refused the API key.",
                "Give the right one with --api-key or $GIMEL_API_KEY.",
            )
        if status == 429:
            raise GimelError(f"{self.url} is asked too often.", "Try again in a minute.")
        if status == 503:
            raise GimelError(
                f"{self.url} cannot reach its store now.",
                "Is Redis running, and may the function reach it?",
            )
        if status >= 500:
            raise GimelError(f"{address} failed with status {status}.", "Its log says why.")
        if status == 400:
            raise GimelError(f"{address} refused the request: {_error(body)}.")
        if status != 200:
            raise GimelError(
                f"{address} answered with status {status}.", "Is it the address of Gimel's API?"
            )
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise GimelError(
                f"What {address} answers is no JSON.", "Is it the address of Gimel's API?"
            ) from None


def find_experiment(
    experiments: Callable[[str, str | None], NamespaceCounts], namespace: str, name: str
) -> ExperimentCounts:
    """Return an experiment of what `experiments(namespace, scope)` reads; all of it only where the scope does not tell."""
    if name and "," not in name:  # which divides the names of a scope
        for experiment in experiments(namespace, name).experiments:
            if experiment.name == name and experiment.visitors:
                return experiment
    return get_experiment(experiments(namespace, None), name, namespace)


def base_url(url: str) -> str:
    """Return an API's address without a final slash or the route. Raises GimelError where it is not a whole http(s) one."""
    base = whole_url(url, "the address of an API", "https://host/stage").rstrip("/")
    for route in _ROUTES:
        base = base.removesuffix(f"/{route}")
    return base


def whole_url(url: str, wanted: str, example: str) -> str:
    """Return the URL. Raises GimelError where it is not an http(s) one with a host and without a query."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole or "@" in url or "?" in url or "#" in url:
        shown = "What was given" if "@" in url else repr(url)  # it could hold a password
        raise GimelError(f"{shown} is not {wanted}.", f"Write it whole: {example}.")
    return url


def pool_for(url: str, retries: urllib3.Retry | None = None) -> urllib3.PoolManager:
    """Return connections to a URL: through the proxy that the environment names, except to this machine itself."""
    settings: dict[str, Any] = {
        "timeout": urllib3.Timeout(connect=SECONDS_TO_CONNECT, read=SECONDS_TO_ANSWER),
        "retries": retries or urllib3.Retry(0, redirect=False, raise_on_redirect=False),
    }
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    if proxy and parts.hostname not in _LOOPBACK and not proxy_bypass(parts.hostname or ""):
        return urllib3.ProxyManager(proxy if "://" in proxy else f"http://{proxy}", **settings)
    return urllib3.PoolManager(**settings)


def send(
    pool: urllib3.PoolManager,
    method: str,
    url: str,
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
) -> tuple[int, bytes]:
    """Return the status and the body of the answer. Raises GimelError where there is none."""
    base = url.split("?")[0]
    try:
        answer = pool.request(
            method, url, headers={"User-Agent": USER_AGENT, **(headers or {})}, body=body
        )
        return answer.status, answer.data
    except urllib3.exceptions.MaxRetryError as error:
        reason: BaseException | None = error.reason
    except urllib3.exceptions.HTTPError as error:
        reason = error
    if isinstance(reason, urllib3.exceptions.NameResolutionError):
        raise GimelError(
            f"There is no host {urlsplit(url).hostname}.",
            "Is the address right, and is there a network?",
        )
    if isinstance(reason, urllib3.exceptions.NewConnectionError):
        raise GimelError(
            f"Nothing answers at {base}.",
            "Is it running, and is the address right? `gimel serve` runs one here.",
        )
    if isinstance(reason, urllib3.exceptions.TimeoutError):
        raise GimelError(f"{base} did not answer in time.", "Try again; its log may say why.")
    if isinstance(reason, urllib3.exceptions.SSLError):
        raise GimelError(f"{base} has no certificate that this machine trusts: {reason}.")
    raise GimelError(f"The connection to {base} broke: {type(reason).__name__}.", "Try again.")


def _error(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return "no reason given"
