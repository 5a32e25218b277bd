"""A deployment that is a few lines here, and a clock that only waiting moves."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gimel.api.http import NoAnswer
from gimel.deploy.checks import smoke
from gimel.deploy.checks.findings import Finding
from gimel.deploy.checks.smoke import Reply
from gimel.deploy.outputs import Endpoint, outputs
from tests.support.aws import found
from tests.support.state.cloud import API, KEY_VALUE
from tests.support.state.names import Deployed
from tests.support.state.settled import configuration

Spoil = Callable[["Request", float], "Reply | None"]


@dataclass(frozen=True)
class Request:
    """What the check sent."""

    method: str
    endpoint: Endpoint
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, str]

    @property
    def route(self) -> str:
        return f"{self.method} /{urlsplit(self.endpoint.url).path.rsplit('/', 1)[1]}"


@dataclass
class Backend:
    """Counts events, shows them to whoever has the key, and removes them. `spoil` answers first."""

    spoil: Spoil = lambda request, now: None
    counted: dict[str, set[str]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    new_hosts: bool = True
    now: float = 0.0

    def fetch(
        self, method: str, endpoint: Endpoint, headers: Mapping[str, str], body: str | None
    ) -> Reply:
        query = {key: value for key, (value,) in parse_qs(urlsplit(endpoint.url).query).items()}
        request = Request(method, endpoint, headers, query, json.loads(body or "{}"))
        self.requests.append(request)
        return self.spoil(request, self.now) or self._answer(request)

    def _answer(self, request: Request) -> Reply:
        if request.method == "OPTIONS":
            methods = {"access-control-allow-methods": "GET,POST,OPTIONS"}
            return Reply(200, None, methods)
        if request.endpoint.api_key_required and request.headers.get("x-api-key") != KEY_VALUE:
            return answer(403, message="Forbidden")
        event = {**request.query, **request.body}
        experiments = self.counted.setdefault(event["namespace"], set())
        if request.endpoint.handler == "gimel.track":
            experiments.add(event["experiment"])
        if request.endpoint.handler == "gimel.delete":
            experiments.discard(event["experiment"])
        if request.endpoint.handler == "gimel.all":
            # The first page of a large namespace has none of them, unless they are named.
            name = event.get("scope")
            rows = found(name, is_counted=name in experiments) if name else [{"meta": {}}]
            return Reply(200, rows, {})
        return answer(200, status="ok")

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def check(self, urls: Mapping[str, str] | None = None, /, **document: Any) -> list[Finding]:
        """Run the check on a deployment of this configuration."""
        config = configuration(**document)
        deployed = Deployed(API, KEY_VALUE, urls or {})
        reached = outputs(deployed, config.wiring, "eu-west-1", None, "amazonaws.com")
        return smoke.smoke_test(
            reached,
            config,
            self.fetch,
            self.sleep,
            lambda: self.now,
            on_wait=self.reasons.append,
            new_hosts=self.new_hosts,
        )


def unanswered(failure: NoAnswer) -> Reply:
    """Return what a request without an answer ends in."""
    return Reply(0, None, {}, failure)


def answer(status: int, /, **body: Any) -> Reply:
    """Return an answer with this object as its body."""
    return Reply(status, body, {})


TRACK_CHECKS = ("GET /e", "POST /e", "GET /track", "POST /track")
CHECKS = (*TRACK_CHECKS, "closed", "results", "delete", "preflight")
FINE = dict.fromkeys(CHECKS, "ok")


def statuses(findings: list[Finding]) -> dict[str, str]:
    """Return the status of each check of a deployment of the defaults."""
    return dict(zip(CHECKS, [each.status for each in findings], strict=True))
