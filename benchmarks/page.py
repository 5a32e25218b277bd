"""What a client costs a page: requests and main-thread time; writes a table of docs/performance.md.

    python -m benchmarks.page [--visits 20]

In Chromium, each visit has an empty storage: the client is loaded, an experiment starts, and the
visitor reaches three goals at once. The time is that of the page's main thread until then, the
median of the visits; the clients take turns. GrowthBook assigns a variant without its server, and
tells a callback, which sends nothing here. PostHog needs its server to begin, so that only loading
its file is measured. benchmarks/comparison.py measures the sizes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import Browser

from benchmarks.comparison import CLIENTS
from benchmarks.marked_tables import fill, markdown
from gimel.page.client import script
from tests.support.browser import running_browser, running_site
from tests.support.command import REPOSITORY
from tests.support.npm import package

PAGE = REPOSITORY / "docs" / "performance.md"
TABLE = "page"
VARIANTS = "{ blue: { activate: function () {} }, red: { activate: function () {} } }"
STARTS = {
    "Gimel": f"""
        var client = gimel({{ url: URL_TO_TRACK }});
        client.experiment({{ name: "e", variants: {VARIANTS} }});
        ["a", "b", "c"].forEach(function (goal) {{ client.goal(goal); }});""",
    "AlephBet": f"""
        var adapter = new AlephBet.GimelAdapter(URL_TO_TRACK, "alephbet");
        var experiment = new AlephBet.Experiment({{
          name: "e", tracking_adapter: adapter, variants: {VARIANTS} }});
        ["a", "b", "c"].forEach(function (name) {{
          var goal = new AlephBet.Goal(name);
          experiment.add_goal(goal);
          goal.complete();
        }});""",
    "GrowthBook": """
        var growthbook = new window.growthbook.GrowthBook({
          attributes: { id: String(Math.random()) }, trackingCallback: function () {} });
        growthbook.run({ key: "e", variations: ["blue", "red"] });""",
    "PostHog, as its snippet loads it": "",
}
SENDS = ("Gimel", "AlephBet")


class Backend(ThreadingHTTPServer):
    """Answers 200 to everything, and counts the requests, without preflights."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests = 0
        self.url = f"http://127.0.0.1:{self.server_port}/e"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Backend)
        self.server.requests += 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, *_: object) -> None:
        pass


def sources() -> dict[str, str]:
    """Return the source of each client."""
    found = {"Gimel": script()}
    for client in CLIENTS:
        if client.project in STARTS:
            folder = package(client.package, client.version)
            found[client.project] = (folder / client.file).read_text("utf-8")
    return found


def visit(browser: Browser, origin: str, source: str, start: str) -> float:
    """Load a client in a new profile and use it; return the milliseconds of the main thread."""
    context = browser.new_context()
    page = context.new_page()
    errors: list[object] = []
    page.on("pageerror", lambda error: errors.append(error))
    page.goto(f"{origin}/page")
    taken = page.evaluate(
        """source => {
          const element = document.createElement("script");
          element.textContent = source;
          const begin = performance.now();
          document.head.append(element);
          return performance.now() - begin;
        }""",
        f"{source}\n{start}",
    )
    page.wait_for_timeout(500)
    context.close()
    assert not errors, errors
    return float(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=20)
    visits = parser.parse_args().visits
    clients = sources()
    backends = {name: Backend() for name in clients}
    times: dict[str, list[float]] = {name: [] for name in clients}
    with running_browser() as browser, running_site() as site:
        site.pages["/page"] = '<!doctype html><link rel="icon" href="data:,"><title>Page</title>'
        for _ in range(visits):
            for name, source in clients.items():
                start = STARTS[name].replace("URL_TO_TRACK", json.dumps(backends[name].url))
                times[name].append(visit(browser, site.origin, source, start))
    own = statistics.median(times["Gimel"])
    rows = []
    for name in clients:
        taken = statistics.median(times[name])
        requests = f"{backends[name].requests / visits:.0f}" if name in SENDS else "—"
        rows.append((name, requests, f"{taken:.1f} ms", f"{taken / own:.1f}x"))
        backends[name].shutdown()
    head = ("client", "requests per visit", "main thread", "compared with gimel.js")
    fill(PAGE, TABLE, markdown(head, rows))


if __name__ == "__main__":
    main()
