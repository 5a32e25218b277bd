"""`gimel serve`: the wiring as a local gateway, with the dashboard and a demo page.

Requests become the proxy events that API Gateway would build, and go through the same handlers.
What API Gateway answers itself (no key, no such path) is answered in its words.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as HttpRoute

from gimel.alerts.receivers import Receiver
from gimel.analysis.design import Design
from gimel.api.client import TIME_HEADER, check_key
from gimel.errors import GimelError
from gimel.runtime.errors import RedisError
from gimel.runtime.redis.client import Client
from gimel.runtime.settings import RedisOptions, Settings
from gimel.serve import dashboard, demo_experiment
from gimel.serve.daily import Daily
from gimel.serve.demo_page import DemoPage
from gimel.serve.gate import HOME, sign_in_path
from gimel.serve.handlers import Handlers, find_handler
from gimel.serve.proxy_event import proxy_event
from gimel.serve.sessions import Throttle, Tickets
from gimel.serve.store import LocalStore, keep_running
from gimel.wiring import Route, Wiring

_LONGEST_BODY = 10 * 1024 * 1024  # bytes, the limit of API Gateway
_TIME = re.compile("[0-9]{1,10}")  # seconds since 1970
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@dataclass(frozen=True)
class Gateway:
    """What is served: the wiring, the key of its protected routes, the runtime's GIMEL_SETTINGS.

    `designs` are those of the configured experiments, for the dashboard and the alerts, and
    `tickets` sign browsers in to the dashboard. `receivers` get the alerts, if there are daily
    `snapshots`. Raises GimelError for an invalid key.
    """

    wiring: Wiring
    api_key: str = field(repr=False)
    settings: str = field(repr=False)
    designs: Mapping[str, Design] = field(default_factory=dict)
    tickets: Tickets = field(default_factory=Tickets, repr=False)
    snapshots: bool = True
    receivers: tuple[Receiver, ...] = ()

    def __post_init__(self) -> None:
        check_key(self.api_key)


def application(
    gateway: Gateway,
    store: LocalStore | None,
    warn: Callable[[str], None],
    now: Callable[[], float] = time.time,
) -> Starlette:
    """Return the ASGI application. A given store is restarted whenever it exits."""
    handlers = Handlers(gateway.settings)
    api = _Api(gateway, handlers, warn, Throttle(now))
    designs = demo_experiment.with_demo(gateway.designs)
    pages = dashboard.Dashboard(
        handlers,
        "counted by this gimel serve",
        designs=designs,
        key=gateway.api_key,
        tickets=gateway.tickets,
    )
    settings = Settings(json.loads(gateway.settings))
    demo = DemoPage(handlers, settings, designs[demo_experiment.NAME], now)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        stopping = asyncio.Event()
        daily = Daily(handlers, designs, gateway.receivers, warn, now)
        schedule = asyncio.create_task(daily.run(stopping)) if gateway.snapshots else None
        watch = asyncio.create_task(keep_running(store, warn)) if store is not None else None
        yield
        stopping.set()
        if schedule is not None:
            await schedule
        if watch is not None:
            watch.cancel()
        handlers.close()

    return Starlette(
        lifespan=lifespan,
        exception_handlers={404: _unknown, 405: _unknown},  # what no route below matches
        routes=[
            *demo.routes(),
            *dashboard.routes(pages),
            HttpRoute("/{path:path}", api.answer, methods=_METHODS),
        ],
    )


def sign_in_links(gateway: Gateway, base: str) -> tuple[str, str]:
    """Return the demo page's and the dashboard's address; each signs one browser in, once."""
    demo, board = gateway.tickets.issue(), gateway.tickets.issue()
    return f"{base}{HOME}?ticket={demo}", f"{base}{sign_in_path(board)}"


class _Api:
    """The routes of the wiring."""

    def __init__(
        self,
        gateway: Gateway,
        handlers: Handlers,
        warn: Callable[[str], None],
        throttle: Throttle,
    ) -> None:
        wiring = gateway.wiring
        self._key = gateway.api_key.encode()
        self._handlers = handlers
        self._warn = warn
        self._throttle = throttle
        self._methods = {route.path: wiring.methods(route.path) for route in wiring.routes}
        self._routes = {
            (route.path, method): route
            for route in wiring.routes
            for method in (self._methods[route.path] if route.method == "ANY" else [route.method])
        }
        self._functions = {
            function.name: find_handler(function.handler) for function in wiring.functions
        }

    async def answer(self, request: Request) -> Response:
        """Return what API Gateway would answer."""
        path, method = _resource(request.scope["raw_path"]), request.method
        methods = self._methods.get(path, ())
        is_preflight = method == "OPTIONS" and bool(methods)
        route = self._routes.get((path, methods[0] if is_preflight else method))
        if route is None:
            return _unknown()
        earlier = request.headers.get(TIME_HEADER)
        needs_key = route.api_key_required or earlier is not None
        if needs_key and not is_preflight and (refusal := self._check_key(request)):
            return refusal
        if earlier is not None and not _TIME.fullmatch(earlier):
            return JSONResponse({"message": f"{TIME_HEADER} must be seconds since 1970"}, 400)
        body = await _read_body(request)
        if body is None:
            return JSONResponse({"message": "Request Too Long"}, 413)
        at = None if earlier is None else int(earlier)
        answer = await self._call(route, proxy_event(request, body, f"/{path}"), at)
        if answer is None:
            return JSONResponse({"message": "Internal server error"}, 502)
        headers = dict(answer["headers"])
        if earlier is not None:
            headers[TIME_HEADER] = earlier
        if is_preflight:
            # A handler knows its own methods; a path can lead to several functions.
            headers["Access-Control-Allow-Methods"] = ",".join((*methods, "OPTIONS"))
        return Response(answer["body"], answer["statusCode"], headers)

    async def _call(
        self, route: Route, event: Mapping[str, Any], at: int | None
    ) -> Mapping[str, Any] | None:
        """Return the answer of the route's function at a time, None if it failed."""
        try:
            answer: Mapping[str, Any] = await self._handlers.call(
                self._functions[route.function], event, at
            )
        except Exception as error:
            self._warn(
                f"The handler of {event['httpMethod']} {event['path']} failed:"
                f" {type(error).__name__}"
            )
            return None
        return answer

    def _check_key(self, request: Request) -> Response | None:
        """Return why the key is refused; None if it is the right one.

        A request without a key cannot guess it, and so does not count as an attempt.
        """
        given = request.headers.get("x-api-key", "").encode()
        address = request.client.host if request.client else ""
        if given and (wait := self._throttle.attempt(address)):
            refusal = _refusal("Too Many Requests", "TooManyRequestsException", 429)
            refusal.headers["Retry-After"] = str(wait)
            return refusal
        if not secrets.compare_digest(given, self._key):
            return _refusal("Forbidden", "ForbiddenException")
        self._throttle.succeeded(address)
        return None


def check_redis(redis: Mapping[str, Any]) -> None:
    """Ping the Redis that the runtime will use. Raises GimelError with what went wrong."""
    client = Client(RedisOptions(redis))
    try:
        (reply,) = client.execute([("PING",)])
        if isinstance(reply, RedisError):
            raise reply
    except RedisError as error:
        raise GimelError(
            f"Redis cannot be used: {error}.", "Check that it is running and that --redis is right."
        ) from None
    finally:
        client.close()


def _resource(raw_path: bytes) -> str:
    """Return the path that API Gateway looks for, without its first slash.

    API Gateway ignores empty segments, so /track/ and //track are /track. An encoded slash does not
    separate segments.
    """
    segments = raw_path.decode("latin-1").split("/")
    return "/".join(unquote(segment) for segment in segments if segment)


def _unknown(*_: object) -> Response:
    return _refusal("Missing Authentication Token", "MissingAuthenticationTokenException")


def _refusal(message: str, kind: str, status: int = 403) -> Response:
    """Return one of API Gateway's own answers; `gimel deploy` makes them readable to every page."""
    headers = {"x-amzn-ErrorType": kind, "Access-Control-Allow-Origin": "*"}
    return JSONResponse({"message": message}, status, headers)


async def _read_body(request: Request) -> bytes | None:
    """Return the body, None if it is longer than API Gateway accepts."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_BODY:
            return None
    return bytes(body)
