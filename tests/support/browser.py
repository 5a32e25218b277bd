"""Chromium and what it talks to: a page on an origin of its own, AlephBet from npm, and `gimel serve` as a process.

Debian's Chromium is driven by Playwright. The page names the URL that the snippet pins; Playwright answers that URL with the
file of the npm package, so that the browser checks the snippet's integrity hash against the real file. Nothing else outside
loopback is reached.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, Route, sync_playwright

from gimel.page.snippet import ALEPHBET
from tests.support.events import BROWSER
from tests.support.npm import package
from tests.support.programs import program

REPOSITORY = Path(__file__).parents[2]
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)

_THE_INTERNET = re.compile(r"^https?://(?!127\.0\.0\.1[:/])")

# Chance is taken out of the browser: which variant a visitor is given and which uuids are made is the same in every run. Counts
# can then be compared exactly: a HyperLogLog whose uuids happen to meet in one register, which among a few hundred is rare but
# does happen, would count one less. Each page of a test, and each load in it, has numbers of its own.
_SEED = """
(() => {
  if (!location.protocol.startsWith("http")) return;
  const load = Number(sessionStorage.getItem("load of the test") || 0) + 1;
  sessionStorage.setItem("load of the test", load);
  let state = Math.imul(PAGE * 100003 + load, 2654435761);
  const next = () => {  // mulberry32
    state = (state + 0x6D2B79F5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  Math.random = () => next() / 4294967296;
  crypto.getRandomValues = array => { for (let i = 0; i < array.length; i++) array[i] = next() >>> 13; return array; };
})();
"""


def start_browser(kind: BrowserType, *options: str) -> Browser:
    """Start a headless Chromium, which says that it is one unless the options say otherwise."""
    return kind.launch(
        executable_path=program("chromium", "chromium-browser", "google-chrome"),
        args=[*OPTIONS.split(), *options],
    )


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    """Run a Chromium for the length of a with block, with the user agent of a browser that a person uses.

    Not set by Playwright, page by page: what a page sends while it is left would again be a headless browser's.
    """
    with sync_playwright() as playwright:
        browser = start_browser(playwright.chromium, f"--user-agent={BROWSER}")
        try:
            yield browser
        finally:
            browser.close()


class Visitors:
    """Opens pages for one test, with AlephBet in reach, and notes what went wrong in them."""

    def __init__(self, browser: Browser) -> None:
        self.complaints: list[str] = []
        self.alephbet: bytes | None = (
            package("alephbet", ALEPHBET.version) / "dist" / "alephbet.min.js"
        ).read_bytes()
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._numbers = itertools.count(1)

    def browser(self, intercept: bool = True, **options: Any) -> BrowserContext:
        """Return a browser profile of its own, with a fresh storage.

        Where Playwright intercepts requests it answers preflights itself; `intercept=False` leaves them to the server.
        """
        context = self._browser.new_context(**options)
        context.set_default_timeout(15_000)
        if intercept:
            context.route(_THE_INTERNET, self._answer_for_the_internet)
        self._contexts.append(context)
        return context

    def page(self, context: BrowserContext | None = None, **options: Any) -> Page:
        """Return a tab of that browser, or of a new one."""
        page = (context or self.browser(**options)).new_page()
        page.add_init_script(_SEED.replace("PAGE", str(next(self._numbers))))
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        page.on(
            "console",
            lambda line: (
                self.complaints.append(f"console: {line.text}") if line.type == "error" else None
            ),
        )
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _answer_for_the_internet(self, route: Route) -> None:
        if (
            route.request.url
            != f"https://unpkg.com/alephbet@{ALEPHBET.version}/dist/alephbet.min.js"
        ):
            self.complaints.append(f"asked for {route.request.url}")
        if self.alephbet is None:
            route.abort()
        else:
            headers = {"Access-Control-Allow-Origin": "*"}
            route.fulfill(
                body=self.alephbet, content_type="application/javascript", headers=headers
            )


def queue(page: Page) -> list[dict[str, str]]:
    """Return the events that AlephBet keeps in the page's storage because they were not answered with 200."""
    kept = page.evaluate("JSON.parse(localStorage.getItem('alephbet') || '{}')")
    queues = [json.loads(text) for name, text in kept.items() if name.endswith("_queue")]
    return [event["properties"] for events in queues for event in events]


def wait_until_sent(page: Page) -> None:
    """Wait until AlephBet's queue is empty: everything that the page did was answered with 200."""
    page.evaluate(
        """async () => {
          const kept = () => Object.entries(JSON.parse(localStorage.getItem("alephbet") || "{}"));
          const started = Date.now();
          while (kept().some(([name, events]) => name.endsWith("_queue") && events !== "[]")) {
            if (Date.now() - started > 10000) throw new Error("not sent in 10 s: " + JSON.stringify(kept()));
            await new Promise(done => setTimeout(done, 2));
          }
        }"""
    )


@dataclass
class Site:
    """A web site of its own origin, with pages by path."""

    origin: str
    pages: dict[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def running_site() -> Iterator[Site]:
    """Serve pages on loopback for the length of a with block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = site.pages.get(urlsplit(self.path).path)
            body = (page or "").encode()
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class Gimel:
    """A running `gimel serve`, by what it printed; `log` is its standard error."""

    url: str
    api_key: str
    log: Path
    data: Path

    @property
    def track_url(self) -> str:
        return f"{self.url}track"

    def experiments(self, namespace: str) -> list[dict[str, Any]]:
        """Return what GET /experiments answers: `meta` first."""
        request = Request(
            f"{self.url}experiments?{urlencode({'namespace': namespace})}",
            headers={"X-Api-Key": self.api_key},
        )
        with urlopen(request, timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def counts(self, namespace: str) -> dict[str, dict[str, int]]:
        """Return {`participate` or goal: {variant: uuids}} of the namespace's only experiment, {} where there is none."""
        experiments = self.experiments(namespace)[1:]
        if not experiments:
            return {}
        (experiment,) = experiments
        counts = {
            "participate": {row["label"]: row["trials"] for row in experiment["participants"]}
        }
        for goal in experiment["goals"]:
            counts[goal["goal"]] = {row["label"]: row["successes"] for row in goal["results"]}
        return counts

    def track(self, namespace: str, **event: str) -> None:
        """Have an event counted as a page would."""
        request = Request(
            f"{self.track_url}?{urlencode({'namespace': namespace, **event})}",
            headers={"User-Agent": BROWSER},
        )
        with urlopen(request, timeout=10) as answer:
            assert answer.status == 200


@contextlib.contextmanager
def running_gimel(
    directory: Path, *options: str, configuration: dict[str, Any] | None = None
) -> Iterator[Gimel]:
    """Run `python -m gimel serve` on a free port for the length of a with block, at home in an empty directory."""
    home, data, log = directory / "home", directory / "data", directory / "gimel.log"
    home.mkdir(parents=True)
    command = [sys.executable, "-m", "gimel"]
    if configuration is not None:
        (home / "gimel.json").write_text(json.dumps(configuration))
        command += ["--config", str(home / "gimel.json")]
    command += ["serve", "--port", "0", "--data-dir", str(data), *options]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("GIMEL_")
    }
    environment |= {"HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, cwd=home, env=environment, text=True
        )
    try:
        yield Gimel(
            _printed(process, log, "Gimel listens on"), _printed(process, log, "API key"), log, data
        )
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def _printed(process: subprocess.Popen[str], log: Path, label: str) -> str:
    """Return the word after a label at the start of a line that the process prints."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(label):
            return line.removeprefix(label).split()[0]
    raise AssertionError(f"gimel serve ended with {process.wait()}: {log.read_text()}")
