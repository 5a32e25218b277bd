"""What a client costs a page: bytes, requests and main-thread time.

    python -m benchmarks.client_size [--visits 20]

The size is that of the file that a page loads, Optimizely's without its two dependencies. In
Chromium, each visit has an empty storage: the client is loaded, an experiment starts, and the
visitor reaches three goals at once. The time is that of the page's main thread until then, the
median of the visits. GrowthBook and Optimizely have other backends, so only their size is compared.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import Browser

from gimel.page.client import script
from gimel.page.snippet import ALEPHBET
from tests.support.browser import running_browser, running_site
from tests.support.npm import package

OTHERS = {
    "GrowthBook": ("@growthbook/growthbook", "1.8.0", "dist/bundles/index.min.js"),
    "Optimizely": ("@optimizely/optimizely-sdk", "6.6.1", "dist/index.browser.min.js"),
}
VARIANTS = "{ blue: { activate: function () {} }, red: { activate: function () {} } }"
STARTS = {
    "gimel.js": f"""
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
}


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


def visit(browser: Browser, origin: str, source: str, start: str) -> float:
    """Load a client in a new profile and use it; return the milliseconds of the main thread."""
    context = browser.new_context()
    page = context.new_page()
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
    return float(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=20)
    visits = parser.parse_args().visits
    alephbet = package("alephbet", ALEPHBET.version) / "dist" / "alephbet.min.js"
    sources = {"gimel.js": script(), "AlephBet": alephbet.read_text("utf-8")}
    for name, (package_name, version, file) in OTHERS.items():
        sources[name] = (package(package_name, version) / file).read_text("utf-8")
    print("| client | bytes | gzipped | requests per visit | main thread |")
    print("| --- | --- | --- | --- | --- |")
    with running_browser() as browser, running_site() as site:
        site.pages["/page"] = '<!doctype html><link rel="icon" href="data:,"><title>Page</title>'
        for name, source in sources.items():
            size = len(source.encode())
            compressed = len(gzip.compress(source.encode(), 9, mtime=0))
            requests = taken = ""
            if name in STARTS:
                backend = Backend()
                start = STARTS[name].replace("URL_TO_TRACK", json.dumps(backend.url))
                times = [visit(browser, site.origin, source, start) for _ in range(visits)]
                backend.shutdown()
                requests = f"{backend.requests / visits:.1f}"
                taken = f"{statistics.median(times):.1f} ms"
            print(f"| {name} | {size:,} | {compressed:,} | {requests} | {taken} |")


if __name__ == "__main__":
    main()
