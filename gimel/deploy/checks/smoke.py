"""Check a deployment from outside: a marked event is counted, read and removed.

While a deployment is young, some failures pass by themselves: AWS has not passed a change on yet.
Those are waited for. All others are final at once.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

from gimel.api.http import NoAnswer, Session, UnknownHost
from gimel.config import Config
from gimel.deploy.checks.findings import Finding, failed, ok, warning
from gimel.deploy.outputs import Endpoint, Outputs
from gimel.deploy.resources.trials import NAMESPACE, is_counted
from gimel.errors import GimelError

PATIENCE = 90.0  # seconds: a new stage, key or function is not known everywhere at once
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0
_BROWSER = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36"
)


@dataclass(frozen=True)
class Reply:
    """What a URL answered.

    `status` is 0 and `failure` says why if there is no answer. `body` is None if it is not JSON.
    The names of the headers are in lower case.
    """

    status: int
    body: Any
    headers: Mapping[str, str]
    failure: NoAnswer | None = None

    @property
    def by_backend(self) -> bool:
        """Whether Gimel's own functions answered, which say "error" where AWS says "message"."""
        return isinstance(self.body, dict) and "error" in self.body

    def describe(self) -> str:
        """Return what was answered, in words."""
        if self.failure:
            return self.failure.message.rstrip(".")
        said = ""
        if isinstance(self.body, dict):
            # API Gateway says "message", function URLs say "Message".
            reasons = (self.body.get(name) for name in ("error", "message", "Message"))
            said = f": {next(filter(None, reasons), self.body)}"
        return f"it answered {self.status}{said}"


Fetch = Callable[[str, Endpoint, Mapping[str, str], str | None], Reply]


def smoke_test(
    outputs: Outputs,
    config: Config,
    fetch: Fetch | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    patience: float = PATIENCE,
    *,
    on_wait: Callable[[str], None] = lambda reason: None,
    new_hosts: bool = True,
    ca_bundle: str | None = None,
) -> list[Finding]:
    """Try the public URLs.

    Failures that may pass by themselves are waited for, for a total of `patience` seconds, and
    `on_wait` is called with each. `new_hosts` says that the URLs are new, so that their hosts may
    be missing from the DNS for a while. `ca_bundle` replaces the environment's.
    """
    fetch = fetch or partial(request, ca_bundle=ca_bundle)
    test = _SmokeTest(outputs, config, fetch, sleep, clock, patience, on_wait, new_hosts)
    return test.run()


class _SmokeTest:
    def __init__(
        self,
        outputs: Outputs,
        config: Config,
        fetch: Fetch,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
        patience: float,
        on_wait: Callable[[str], None],
        new_hosts: bool,
    ) -> None:
        self.outputs = outputs
        self.fetch = fetch
        self.sleep = sleep
        self.on_wait = on_wait
        self.new_hosts = new_hosts
        self.deadline = clock() + patience
        self.clock = clock
        document = config.document
        self.namespace = (document.allowed_namespaces or [NAMESPACE])[0]
        self.counted = document.allowed_experiments is None
        self.accepted = self.ignored = 0  # marked events
        self.experiment = f"gimel-check-{secrets.token_hex(8)}"

    def run(self) -> list[Finding]:
        outputs = self.outputs
        findings = [
            self.check_track(each)
            for each in outputs.endpoints
            if each.handler == "gimel.track" and each.method in ("GET", "POST")
        ]
        if results := outputs.endpoint("gimel.all", "GET"):
            if results.api_key_required:
                findings.append(self.check_key_required(results))
            findings.append(self.check_results(results))
        if delete := outputs.endpoint("gimel.delete", "DELETE"):
            findings.append(self.check_delete(delete))
        if track := outputs.track:
            findings.append(self.check_cors(track))
        return findings

    def check_track(self, endpoint: Endpoint) -> Finding:
        """Send a marked event, from a visitor that does not look like a bot."""
        event = {
            "namespace": self.namespace,
            "experiment": self.experiment,
            "variant": "marked",
            "event": "participate",
            "uuid": secrets.token_hex(8),
        }
        name = f"{endpoint.method} {endpoint.url}"
        if endpoint.method == "POST":
            reply = self.ask("POST", endpoint, body=json.dumps(event), wanted=200)
        else:
            reply = self.ask("GET", endpoint, event, wanted=200)
        if reply.status != 200 or not isinstance(reply.body, dict):
            return _unexpected(name, reply, "a marked event was not counted")
        if reply.body.get("status") == "ok":
            self.accepted += 1
            return ok(name, "a marked event was counted")
        self.ignored += 1
        reason = reply.body.get("reason", "no reason given")
        if self.counted:
            return warning(name, f"a marked event was ignored: {reason}")
        return ok(name, f"a marked event was refused, as configured: {reason}")

    def check_key_required(self, endpoint: Endpoint) -> Finding:
        name = f"{endpoint.method} {endpoint.url}"
        reply = self.ask("GET", endpoint, wanted=403, key=False)
        if reply.status == 403:
            return ok(name, "rejects requests without the API key")
        return _unexpected(name, reply, "does not reject requests without the API key")

    def check_results(self, endpoint: Endpoint) -> Finding:
        name = f"{endpoint.method} {endpoint.url}"
        # The whole namespace may have several pages.
        query = {"namespace": self.namespace, "scope": self.experiment}
        reply = self.ask("GET", endpoint, query, wanted=200)
        if reply.status != 200 or not isinstance(reply.body, list):
            return _unexpected(name, reply, "the results cannot be read with the API key")
        if not self.counted or (self.ignored and not self.accepted):
            return ok(name, "the results can be read with the API key")
        if not is_counted(reply.body, self.experiment):
            hint = "Check that the functions reach the Redis that you meant."
            return failed(name, "the marked event cannot be read back", hint)
        return ok(name, "the marked event was read back")

    def check_delete(self, endpoint: Endpoint) -> Finding:
        name = f"{endpoint.method} {endpoint.url}"
        query = {"namespace": self.namespace, "experiment": self.experiment}
        reply = self.ask("DELETE", endpoint, query, wanted=200)
        if reply.status == 200:
            return ok(name, "the marked event was removed")
        return _unexpected(name, reply, "the marked event was not removed")

    def check_cors(self, endpoint: Endpoint) -> Finding:
        name = f"OPTIONS {endpoint.url}"
        reply = self.ask("OPTIONS", endpoint, wanted=200)
        methods = reply.headers.get("access-control-allow-methods", "")
        if reply.status == 200 and endpoint.method in methods:
            return ok(name, f"pages may send {methods}")
        return _unexpected(name, reply, "pages of other origins cannot send events")

    def ask(
        self,
        method: str,
        endpoint: Endpoint,
        query: Mapping[str, str] | None = None,
        body: str | None = None,
        *,
        wanted: int,
        key: bool = True,
    ) -> Reply:
        """Ask until the status is the wanted one, a failure is final, or patience ends."""
        headers = {"User-Agent": _BROWSER}
        if key and endpoint.api_key_required:
            headers["x-api-key"] = self.outputs.key
        name = f"{method} {endpoint.url}"
        if query:
            endpoint = replace(endpoint, url=f"{endpoint.url}?{urlencode(query)}")
        wait = _FIRST_WAIT
        while True:
            reply = self.fetch(method, endpoint, headers, body)
            passes = may_pass(reply, wanted, new_hosts=self.new_hosts)
            if not passes or self.clock() + wait > self.deadline:
                return reply
            self.on_wait(f"{name}: {reply.describe()}")
            self.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)


def may_pass(reply: Reply, wanted: int, *, new_hosts: bool) -> bool:
    """Return whether waiting may turn a reply into one of the wanted status."""
    if reply.status == wanted or reply.by_backend:
        return False
    if isinstance(reply.failure, UnknownHost):
        return new_hosts
    if reply.failure:
        return reply.failure.passes
    # A 200 where 403 is wanted is that of the previous stage, which needed no key.
    return reply.status in (200, 403, 404, 429) or reply.status >= 500


def _unexpected(name: str, reply: Reply, what: str) -> Finding:
    if reply.failure:
        message = f"{what}: {reply.describe()}"
        return Finding("failed", name, message, reply.failure.hint, is_unreached=True)
    hint = ""
    if reply.status >= 500:
        hint = "`gimel preflight` checks Redis; the function's log says more."
    return failed(name, f"{what}: {reply.describe()}", hint)


def request(
    method: str,
    endpoint: Endpoint,
    headers: Mapping[str, str],
    body: str | None,
    ca_bundle: str | None = None,
) -> Reply:
    """Ask a URL once, or the emulator that answers for it."""
    url = endpoint.url
    if endpoint.via:
        via, parts = urlsplit(endpoint.via), urlsplit(url)
        url = parts._replace(scheme=via.scheme, netloc=via.netloc).geturl()
        headers = {**headers, "Host": parts.netloc}
    try:
        with Session(url, ca_bundle=ca_bundle) as session:
            answer = session.send(method, url, headers, body.encode() if body else None)
    except NoAnswer as failure:
        return Reply(0, None, {}, failure)
    except GimelError as unusable:  # a proxy or a CA bundle
        return Reply(0, None, {}, NoAnswer(unusable.message, unusable.hint))
    try:
        return Reply(answer.status, json.loads(answer.body), answer.headers)
    except ValueError:
        return Reply(answer.status, None, answer.headers)


def is_answered(failures: Iterable[Finding]) -> bool:
    """Return whether at least one failure is an answer, and not a lack of one."""
    return any(not each.is_unreached for each in failures)
