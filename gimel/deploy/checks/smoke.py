"""Whether what was deployed does its work, seen from outside: a marked event goes in, is read back, and is removed."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from gimel.config import Config
from gimel.deploy.checks.findings import Finding, failed, ok, warning
from gimel.deploy.outputs import Endpoint, Outputs

NAMESPACE = "gimel-check"
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
PATIENCE = 90.0  # seconds: a new stage, key or function takes a while to be everywhere
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0


@dataclass(frozen=True)
class Answer:
    """What a URL answered. `body` is None where it is not JSON."""

    status: int
    body: Any
    headers: Mapping[str, str]


Fetch = Callable[[str, Endpoint, Mapping[str, str], str | None], Answer]


def check(
    outputs: Outputs,
    config: Config,
    fetch: Fetch | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    patience: float = PATIENCE,
) -> list[Finding]:
    """Try the public URLs. A failure is repeated for a while first, for AWS takes its time to tell all its parts."""
    return list(_Checker(outputs, config, fetch or request, sleep, clock, patience).run())


class _Checker:
    def __init__(
        self,
        outputs: Outputs,
        config: Config,
        fetch: Fetch,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
        patience: float,
    ) -> None:
        self.outputs = outputs
        self.fetch = fetch
        self.sleep = sleep
        self.deadline = clock() + patience
        self.clock = clock
        document = config.document
        self.namespace = (document.allowed_namespaces or [NAMESPACE])[0]
        self.counted = document.allowed_experiments is None
        self.experiment = f"gimel-check-{secrets.token_hex(8)}"

    def run(self) -> list[Finding]:
        outputs = self.outputs
        findings = []
        for endpoint in outputs.endpoints:
            if endpoint.handler == "gimel.track" and endpoint.method in ("GET", "POST"):
                findings.append(self._track(endpoint))
        results = outputs.endpoint("gimel.all", "GET")
        if results:
            if results.api_key_required:
                findings.append(self._locked(results))
            findings.append(self._results(results))
        remove = outputs.endpoint("gimel.delete", "DELETE")
        if remove:
            findings.append(self._remove(remove))
        track = outputs.endpoint("gimel.track")
        if track:
            findings.append(self._preflight(track))
        return findings

    def _track(self, endpoint: Endpoint) -> Finding:
        event = {
            "namespace": self.namespace,
            "experiment": self.experiment,
            "variant": "marked",
            "event": "participate",
            "uuid": secrets.token_hex(8),
        }
        name = f"{endpoint.method} {endpoint.url}"
        posted = endpoint.method == "POST"
        answer = self._ask(
            "POST" if posted else "GET",
            endpoint,
            {} if posted else event,
            json.dumps(event) if posted else None,
            wanted=200,
        )
        if answer.status != 200 or not isinstance(answer.body, dict):
            return _unexpected(name, answer, "a marked event was not counted")
        if answer.body.get("status") == "ok":
            return ok(name, "a marked event was counted")
        reason = answer.body.get("reason", "no reason given")
        if self.counted:
            return warning(name, f"a marked event was ignored: {reason}")
        return ok(name, f"a marked event was refused, as the configuration wants it: {reason}")

    def _locked(self, endpoint: Endpoint) -> Finding:
        name = f"{endpoint.method} {endpoint.url}"
        answer = self._ask("GET", endpoint, {}, None, wanted=403, key=False)
        if answer.status == 403:
            return ok(name, "is closed without the API key")
        return _unexpected(name, answer, "is not closed without the API key")

    def _results(self, endpoint: Endpoint) -> Finding:
        name = f"{endpoint.method} {endpoint.url}"
        answer = self._ask("GET", endpoint, {"namespace": self.namespace}, None, wanted=200)
        if answer.status != 200 or not isinstance(answer.body, list):
            return _unexpected(name, answer, "the results cannot be read with the API key")
        names = [row.get("experiment") for row in answer.body if isinstance(row, dict)]
        if self.counted and self.experiment not in names:
            return failed(
                name,
                "the marked event cannot be read back",
                "Is the Redis that the functions reach the right one?",
            )
        return ok(
            name,
            "the marked event was read back"
            if self.counted
            else "the results can be read with the API key",
        )

    def _remove(self, endpoint: Endpoint) -> Finding:
        name = f"{endpoint.method} {endpoint.url}"
        answer = self._ask(
            "DELETE",
            endpoint,
            {"namespace": self.namespace, "experiment": self.experiment},
            None,
            wanted=200,
        )
        if answer.status == 200:
            return ok(name, "the marked event was removed")
        return _unexpected(name, answer, "the marked event was not removed")

    def _preflight(self, endpoint: Endpoint) -> Finding:
        name = f"OPTIONS {endpoint.url}"
        answer = self._ask("OPTIONS", endpoint, {}, None, wanted=200)
        methods = answer.headers.get("access-control-allow-methods", "")
        if answer.status == 200 and endpoint.method in methods:
            return ok(name, f"pages may send {methods}")
        return _unexpected(name, answer, "pages of other origins cannot send events")

    def _ask(
        self,
        method: str,
        endpoint: Endpoint,
        query: Mapping[str, str],
        body: str | None,
        *,
        wanted: int,
        key: bool = True,
    ) -> Answer:
        headers = {"User-Agent": _BROWSER}
        if key and endpoint.api_key_required:
            headers["x-api-key"] = self.outputs.key
        target = Endpoint(
            method,
            f"{endpoint.url}?{urlencode(query)}" if query else endpoint.url,
            endpoint.handler,
            endpoint.api_key_required,
            endpoint.via,
        )
        wait = _FIRST_WAIT
        while True:
            answer = self.fetch(method, target, headers, body)
            # What the backend itself answers is settled; only the way to it needs time.
            settled = answer.status in (wanted, 400, 503) or (
                isinstance(answer.body, dict) and "error" in answer.body
            )
            if settled or self.clock() + wait > self.deadline:
                return answer
            self.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)


def _unexpected(name: str, answer: Answer, what: str) -> Finding:
    said = ""
    if isinstance(answer.body, dict):
        said = f": {answer.body.get('error') or answer.body.get('message') or answer.body}"
    if answer.status == 0:
        return failed(name, f"{what}: it cannot be reached{said}", "Is the network up?")
    hint = (
        "`gimel preflight` checks Redis; the function's log says more."
        if answer.status in (500, 502, 503, 504)
        else ""
    )
    return failed(name, f"{what}: it answered {answer.status}{said}", hint)


def request(
    method: str, endpoint: Endpoint, headers: Mapping[str, str], body: str | None
) -> Answer:
    """Ask a URL once. A status of 0 means that nothing answered."""
    parts = urlsplit(endpoint.url)
    place = urlsplit(endpoint.via or endpoint.url)
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = kind(place.hostname or "", place.port, timeout=65)
    headers = {**headers, "Host": parts.netloc}
    try:
        connection.request(
            method, f"{parts.path or '/'}?{parts.query}".rstrip("?"), body, dict(headers)
        )
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        found = {name.lower(): value for name, value in response.getheaders()}
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, {"error": str(error) or type(error).__name__}, {})
    finally:
        connection.close()
    try:
        return Answer(response.status, json.loads(text), found)
    except ValueError:
        return Answer(response.status, None, found)
