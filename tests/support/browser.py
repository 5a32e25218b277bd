"""Chromium, pages on their own origin, and AlephBet from npm.

Playwright drives Debian's Chromium. A page names the URL that the snippet pins; Playwright answers
it with the file of the npm package, so that the browser checks the snippet's integrity hash against
the real file. Nothing else outside loopback is reached.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, Route, sync_playwright

from gimel.page.snippet import ALEPHBET
from tests.support.events import BROWSER
from tests.support.npm import package
from tests.support.programs import program

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
"""The browser that users have, by the names of its program."""

QUICK_CHROMIUM = ("chromium-headless-shell", *CHROMIUM)
"""The same engine without the browser's window, where it is installed.

A new page takes it a quarter of the processor time. It has no settings and no prerendering, and it
drops some requests of a page that ends: tests of those use CHROMIUM.
"""

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

_THE_INTERNET = re.compile(r"^https?://(?!127\.0\.0\.1[:/])")

# Random numbers are seeded, so that variants and uuids are the same in every run. Counts can then
# be compared exactly: of a few hundred random uuids two sometimes share a register of a
# HyperLogLog, which counts one less. Each page of a test, and each load of it, gets other numbers.
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
  crypto.getRandomValues = array => {
    for (let i = 0; i < array.length; i++) array[i] = next() >>> 13;
    return array;
  };
})();
"""


def start_browser(
    kind: BrowserType, *options: str, programs: tuple[str, ...] = QUICK_CHROMIUM
) -> Browser:
    """Start a headless Chromium. Its user agent says so unless the options replace it."""
    return kind.launch(executable_path=program(*programs), args=[*OPTIONS, *options])


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    """Run a Chromium with a person's user agent for the length of a with block.

    Playwright could set it for each page, but not for what a page sends while it unloads.
    """
    with sync_playwright() as playwright:
        browser = start_browser(playwright.chromium, f"--user-agent={BROWSER}")
        try:
            yield browser
        finally:
            browser.close()


class Visitors:
    """Opens pages for one test, serves them AlephBet, and records what went wrong in them."""

    def __init__(self, browser: Browser) -> None:
        self.complaints: list[str] = []
        self.alephbet: bytes | None = (
            package("alephbet", ALEPHBET.version) / "dist" / "alephbet.min.js"
        ).read_bytes()
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._numbers = itertools.count(1)

    def browser(self, intercept: bool = True, **options: Any) -> BrowserContext:
        """Return a new browser profile with an empty storage.

        A Playwright that intercepts requests answers CORS preflights itself; `intercept=False`
        leaves them to the server.
        """
        context = self._browser.new_context(**options)
        context.set_default_timeout(15_000)
        if intercept:
            context.route(_THE_INTERNET, self._answer_for_the_internet)
        self._contexts.append(context)
        return context

    def page(self, context: BrowserContext | None = None, **options: Any) -> Page:
        """Return a tab of that profile, or of a new one."""
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
    """Return the events that AlephBet keeps in the page's storage: those not answered with 200."""
    kept = page.evaluate("JSON.parse(localStorage.getItem('alephbet') || '{}')")
    queues = [json.loads(text) for name, text in kept.items() if name.endswith("_queue")]
    return [event["properties"] for events in queues for event in events]


def wait_until_sent(page: Page) -> None:
    """Wait until AlephBet's queue is empty: every event of the page was answered with 200."""
    page.evaluate(
        """async () => {
          const kept = () => Object.entries(JSON.parse(localStorage.getItem("alephbet") || "{}"));
          const started = Date.now();
          while (kept().some(([name, events]) => name.endsWith("_queue") && events !== "[]")) {
            if (Date.now() - started > 10000) {
              throw new Error("not sent in 10 s: " + JSON.stringify(kept()));
            }
            await new Promise(done => setTimeout(done, 2));
          }
        }"""
    )


@dataclass
class Site:
    """A web site on its own origin, with pages by path."""

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
            kind = "javascript" if self.path.endswith(".js") else "html"
            self.send_header("Content-Type", f"text/{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # a page that has ended
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
