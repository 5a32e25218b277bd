"""The page at / of `gimel serve`: an experiment to take part in, and the verdict on it.

Whoever reaches `gimel serve` can read the page, without the API key. So it shows the demo's own
experiment and nothing else, and contains no key and no ticket. It loads nothing from other hosts,
and its Content-Security-Policy allows nothing else.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

import gimel
from gimel import templating
from gimel.analysis.counts import ExperimentCounts
from gimel.analysis.design import Design
from gimel.analysis.experiment import LIMIT_REACHED, analyse
from gimel.api.http import LOOPBACK
from gimel.errors import GimelError
from gimel.page.client import script
from gimel.page.snippet import snippet
from gimel.report import live
from gimel.report.html import BASE
from gimel.runtime.bots import is_bot
from gimel.runtime.fields import DEFAULT_NAMESPACE
from gimel.runtime.settings import Settings
from gimel.runtime.track import MAX_EVENTS
from gimel.serve import addresses
from gimel.serve.demo_experiment import GOAL, NAME, RATES
from gimel.serve.gate import HOME, sign_in_path
from gimel.serve.handlers import Handlers
from gimel.wiring import TRACK_PATH

CLIENT = "/gimel.js"
"""The path of the client."""

VISITORS = 1000
"""How many visitors one click sends."""

_FEW = 50  # visitors: without a click on the button nobody has more
_WORDS = {1 / 5: "1 in 5", 1 / 3: "1 in 3"}  # of RATES

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class DemoPage:
    """What the page needs: the counts, the runtime's settings, the design of its experiment."""

    handlers: Handlers
    settings: Settings
    design: Design
    now: Callable[[], float] = time.time

    def routes(self) -> list[Route]:
        """Return the routes of the page and of what it loads; none of them needs a key."""
        style = live.style() + templating.source("gimel.serve", "demo.css")
        return [
            Route(HOME, self._page, methods=["GET"]),
            Route("/demo/live", self._live, methods=["GET"]),
            _file("/demo.css", "text/css", style),
            _file("/demo.js", "text/javascript", templating.source("gimel.serve", "demo.js")),
            _file(CLIENT, "text/javascript", script()),
        ]

    def _page(self, request: Request) -> Response:
        if ticket := request.query_params.get("ticket"):
            return RedirectResponse(sign_in_path(ticket, to_home=True), 303)
        base = str(request.url.replace(path="", query=""))
        try:
            html = snippet(f"{base}/{TRACK_PATH}", file=f"{base}{CLIENT}")
        except GimelError:
            html = ""
        # Without a Host header the URL depends on the release of Starlette.
        if not (html and request.headers.get("host")):
            return JSONResponse({"message": "Bad Request"}, 400)
        is_here = request.url.hostname in LOOPBACK
        try:
            shown, trouble = self._figures(request), ""
        except GimelError as error:
            shown, trouble = "", f"{error.message} {error.hint}"
        page = templating.render(
            "gimel.serve",
            "demo.html.j2",
            anchor=live.anchor(NAME),
            figures=shown,
            trouble=trouble,
            rates={variant: _WORDS[rate] for variant, rate in RATES.items()},
            visitors=VISITORS,
            options={
                "url": f"/{TRACK_PATH}",
                "namespace": DEFAULT_NAMESPACE,
                "experiment": NAME,
                "goal": GOAL,
                "rates": RATES,
                "visitors": VISITORS,
                "perRequest": MAX_EVENTS,
            },
            name=NAME,
            base=BASE,
            results=addresses.command("results", base, NAME) if is_here else None,
            delete=addresses.command("delete", base, NAME) if is_here else None,
            snippet=html,
            version=gimel.__version__,
        )
        return HTMLResponse(page, headers=_HEADERS)

    def _live(self, request: Request) -> Response:
        """Return the part of the page that changes, or a 503 with the reason as text."""
        try:
            return HTMLResponse(self._figures(request), headers=_HEADERS)
        except GimelError as error:
            return Response(f"{error.message} {error.hint}", 503, _HEADERS, media_type="text/plain")

    def _figures(self, request: Request) -> str:
        """Return the verdict as HTML. Raises GimelError."""
        answer = self.handlers.experiments(DEFAULT_NAMESPACE, NAME, history=True)
        counted = next(
            (each for each in answer.experiments if each.name == NAME),
            ExperimentCounts(NAME, {}, {}),
        )
        now = self.now()
        found = analyse(counted, self.design, now=now)
        refused = self._refusal(request)
        if not counted.visitors and LIMIT_REACHED in answer.ignored:
            refused = refused or "limit"  # the verdict's part explains it
        return templating.render(
            "gimel.serve",
            "figures.html.j2",
            refused=refused,
            names={"experiment": NAME, "namespace": DEFAULT_NAMESPACE},
            is_counted=bool(counted.visitors),
            is_small=found.visitors < _FEW,
            verdict=live.verdict(found, answer.ignored, now),
        )

    def _refusal(self, request: Request) -> str:
        """Return why the events of this browser are not counted; "" if they are."""
        settings = self.settings
        namespaces, experiments = settings.allowed_namespaces, settings.allowed_experiments
        if settings.bot_filter and is_bot(request.headers.get("user-agent", "")):
            return "bot"
        if namespaces is not None and DEFAULT_NAMESPACE not in namespaces:
            return "namespace"
        if experiments is not None and NAME not in experiments:
            return "experiment"
        return ""


def _file(path: str, kind: str, text: str) -> Route:
    """Return the route of a file that browsers keep, and load again when it has changed.

    Pages of other origins may load it: gimel.js is for them.
    """
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": "no-cache",
        "Content-Type": f"{kind}; charset=utf-8",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "ETag": tag,
        "X-Content-Type-Options": "nosniff",
    }

    def endpoint(request: Request) -> Response:
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(text, headers=headers)

    return Route(path, endpoint, methods=["GET"])
