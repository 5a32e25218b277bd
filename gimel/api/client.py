"""Gimel's API over HTTP: read the experiments of a namespace, list namespaces, delete experiments.

This module knows the routes, explains their failures and returns parsed answers. The API key is
sent in a header and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

from gimel.analysis.concluded import Concluded
from gimel.analysis.counts import ExperimentCounts, NamespaceCounts
from gimel.analysis.experiment import get_experiment
from gimel.api import answers, concluded
from gimel.api.http import Session
from gimel.errors import GimelError
from gimel.wiring import WIRING

TIME_HEADER = "x-gimel-time"
"""With it, `gimel serve` answers as at another time (seconds since 1970), and repeats it."""

_UNAVAILABLE = (502, 503, 504)  # a function that ran out of time is answered 502 or 504
_ROUTES = tuple(dict.fromkeys(route.path for route in WIRING.routes))
_NO_EXPERIMENT = "gimel namespaces"
"""The scope of a request that is not about experiments, so that none is counted for it."""

_CHECK_URL = "Check that the URL is that of Gimel's API."


class Unavailable(GimelError):
    """The API cannot answer at the moment: trying again later can help."""


def check_key(key: str) -> None:
    """Raise GimelError unless the key can be sent in a header: printable ASCII without spaces."""
    if not key or not all("!" <= character <= "~" for character in key):
        raise GimelError(
            "The API key is empty or contains invalid characters.",
            "A key consists of letters, digits and punctuation, without spaces.",
        )


@dataclass(frozen=True)
class Api:
    """A deployed API, or `gimel serve`.

    `url` is its address without the route; the address of a route is accepted too. `ca_bundle`
    replaces the environment's. `time` (seconds since 1970) asks `gimel serve` to answer as at that
    time, None as now.
    """

    url: str
    key: str = field(repr=False)
    ca_bundle: str | None = None
    time: int | None = None

    def __post_init__(self) -> None:
        """Raises GimelError for a URL that is not complete, or an invalid key."""
        object.__setattr__(self, "url", base_url(self.url))
        check_key(self.key)

    @property
    def headers(self) -> dict[str, str]:
        """What every request has: the key, and the time if it is not now."""
        time = {} if self.time is None else {TIME_HEADER: str(self.time)}
        return {"x-api-key": self.key, **time}

    def experiments(
        self, namespace: str, scope: str | None = None, *, history: bool = False
    ) -> NamespaceCounts:
        """Return the counts of a namespace, or of its experiment `scope`. Raises GimelError.

        With `history`, earlier counts as well, if the API has a history.
        """

        def fetch(page: str | None) -> object:
            given = {"namespace": namespace, "scope": scope, "page": page}
            given["history"] = "true" if history else None
            parameters = {name: value for name, value in given.items() if value is not None}
            return self._call("GET", "experiments", parameters)

        return answers.read(fetch, self.url)

    def experiment(self, namespace: str, name: str, *, history: bool = False) -> ExperimentCounts:
        """Return one experiment without having the API count all others.

        Raises GimelError with the most similar names.
        """
        return find_experiment(partial(self.experiments, history=history), namespace, name)

    def namespaces(self) -> tuple[tuple[str, ...], bool]:
        """Return the namespaces that exist, by name, and whether there are more.

        Raises GimelError, also if the API does not list them.
        """
        answer = self._call("GET", "experiments", {"scope": _NO_EXPERIMENT})
        counts = answers.parse(answer, self.url)
        if counts.namespaces is None:
            raise GimelError(
                f"{self.url} does not list its namespaces.",
                "Update it with `gimel deploy`, and check that its Redis user may read"
                " gimel:namespaces.",
            )
        return counts.namespaces, counts.more_namespaces

    def delete(self, namespace: str, experiment: str) -> int | None:
        """Delete all counts of an experiment and return the number of counters deleted.

        That is 0 if the experiment does not exist, and None from the API of Gimel 1.5.0.
        Raises GimelError; after `Unavailable`, the next call finishes the deletion.
        """
        answer = self._call("DELETE", "delete", {"namespace": namespace, "experiment": experiment})
        counters = answer.get("deleted") if isinstance(answer, dict) else None
        return counters if isinstance(counters, int) else None

    def conclude(self, namespace: str, experiment: str, record: Mapping[str, Any]) -> int:
        """Conclude an experiment with a record and return its number of counters.

        That is 0 if the experiment does not exist. Raises GimelError; after `Unavailable`, the next
        call with the same record finishes the conclusion.
        """
        # Not `experiment`: an API that cannot conclude would delete it.
        parameters = {
            "namespace": namespace,
            "conclude": experiment,
            "record": json.dumps(record, ensure_ascii=False, separators=(",", ":")),
        }
        return self._end("concluded", parameters)

    def reopen(self, namespace: str, experiment: str) -> int:
        """Undo a conclusion and return the number of counters. Raises GimelError."""
        return self._end("reopened", {"namespace": namespace, "reopen": experiment})

    def concluded(self, namespace: str, scope: str | None = None) -> tuple[Concluded, ...]:
        """Return the concluded experiments of a namespace, the latest first, or one of them.

        Raises GimelError, also if the API does not keep any.
        """

        def fetch(page: str | None) -> object:
            given = {"namespace": namespace, "scope": scope, "page": page, "concluded": "true"}
            parameters = {name: value for name, value in given.items() if value is not None}
            return self._call("GET", "experiments", parameters)

        return concluded.read(fetch, self.url)

    def _end(self, what: str, parameters: dict[str, str]) -> int:
        try:
            answer = self._call("DELETE", "delete", parameters)
        except GimelError as error:
            if "experiment is missing" in error.message:
                raise GimelError(
                    f"{self.url} cannot conclude experiments.", "Update it with `gimel deploy`."
                ) from None
            raise
        counters = answer.get(what) if isinstance(answer, dict) else None
        if not isinstance(counters, int):
            raise GimelError(
                f"{self.url} cannot conclude experiments.", "Update it with `gimel deploy`."
            )
        return counters

    def _call(self, method: str, route: str, parameters: dict[str, str]) -> Any:
        address = f"{self.url}/{route}"
        with Session(address, ca_bundle=self.ca_bundle) as session:
            answer = session.send(method, f"{address}?{urlencode(parameters)}", self.headers)
        if answer.status != 200:
            raise self._failure(address, answer.status, answer.body)
        if self.time is not None and answer.headers.get(TIME_HEADER) != str(self.time):
            raise GimelError(
                f"{self.url} does not simulate earlier days.", "Only `gimel serve` does."
            )
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            raise GimelError(f"{address} did not return JSON.", _CHECK_URL) from None

    def _failure(self, address: str, status: int, body: bytes) -> GimelError:
        # API Gateway's answer for a path that does not exist.
        if status == 403 and b"Missing Authentication Token" in body:
            return GimelError(
                f"{address} was not found.",
                "Check that the URL is that of Gimel's API, with its stage.",
            )
        if status in (401, 403):
            return GimelError(
                f"{self.url} rejected the API key.",
                "Pass the correct one with --api-key or $GIMEL_API_KEY.",
            )
        if status == 429:
            return GimelError(f"Too many requests to {self.url}.", "Try again in a minute.")
        if status == 503:
            return Unavailable(
                f"{self.url} cannot reach Redis.",
                "Check that Redis is running and that the API can connect to it.",
            )
        if status >= 500:
            kind = Unavailable if status in _UNAVAILABLE else GimelError
            return kind(f"{address} failed with status {status}.", "Check its log.")
        if status == 400:
            return GimelError(f"{address} rejected the request: {_error(body)}.")
        return GimelError(f"{address} returned status {status}.", _CHECK_URL)


def find_experiment(
    experiments: Callable[[str, str | None], NamespaceCounts], namespace: str, name: str
) -> ExperimentCounts:
    """Return an experiment from `experiments(namespace, scope)`.

    The whole namespace is read only when the scope does not return the experiment with visitors.
    Raises GimelError with the most similar names.
    """
    if name and "," not in name:  # a comma separates the names of a scope
        for experiment in experiments(namespace, name).experiments:
            if experiment.name == name and experiment.visitors:
                return experiment
    return get_experiment(experiments(namespace, None), name, namespace)


def base_url(url: str) -> str:
    """Return an API's address without a final slash or route. Raises GimelError."""
    base = whole_url(url, "the address of an API", "https://host/stage").rstrip("/")
    for route in _ROUTES:
        base = base.removesuffix(f"/{route}")
    return base


def whole_url(url: str, wanted: str, example: str) -> str:
    """Return the URL. Raises GimelError unless it is http(s) with a host and without a query."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole or "@" in url or "?" in url or "#" in url:
        # The part before an @ can be a password, which must not be repeated.
        shown = "The URL" if "@" in url else repr(url)
        raise GimelError(f"{shown} is not {wanted}.", f"Enter the complete URL, like {example}.")
    return url


def _error(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return "no reason given"
