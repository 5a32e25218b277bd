"""The page at / of `gimel serve`: an experiment to take part in, and what was counted of it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

import gimel
from gimel import templating
from gimel.page.snippet import snippet
from gimel.runtime.errors import RedisError
from gimel.serve.handlers import Handlers, find_handler
from gimel.wiring import TRACK_PATH

NAMESPACE = "gimel-demo"

_NO_STORE = {"Cache-Control": "no-store"}


def routes(handlers: Handlers) -> list[Route]:
    """Return the routes of the page and of its counts, which need no key."""

    async def counts(_: Request) -> Response:
        try:
            experiments = await handlers.call(find_handler("gimel.all"), {"namespace": NAMESPACE})
        except RedisError:
            return JSONResponse({"error": "Redis cannot be reached"}, 503)
        return JSONResponse(experiments, headers=_NO_STORE)

    return [
        Route("/", _page, methods=["GET"]),
        Route("/demo/counts", counts, methods=["GET"]),
    ]


async def _page(request: Request) -> Response:
    # Without a Host header the URL below depends on the release of Starlette.
    if not request.headers.get("host"):
        return JSONResponse({"message": "Bad Request"}, 400)
    track_url = str(request.url.replace(path=f"/{TRACK_PATH}", query=""))
    page = templating.render(
        "gimel.serve",
        "demo.html.j2",
        snippet=snippet(track_url, NAMESPACE),
        version=gimel.__version__,
    )
    return HTMLResponse(page, headers=_NO_STORE)
