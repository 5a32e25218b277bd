"""`gimel serve`: the wiring as a local gateway.

Requests become the proxy events that API Gateway would build, and go through the same handlers; what API Gateway itself answers
(no key, no such path) is answered as it does. The handlers run on one thread, as in one Lambda function that takes one event at
a time.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route as HttpRoute

import gimel
from gimel import templating
from gimel.analysis.counts import ExperimentCounts, NamespaceCounts
from gimel.analysis.design import Design
from gimel.api import answers
from gimel.api.client import find_experiment
from gimel.errors import GimelError
from gimel.page.snippet import snippet
from gimel.runtime.errors import BadRequest, RedisError
from gimel.runtime.redis.client import Client
from gimel.runtime.settings import VARIABLE, RedisOptions
from gimel.serve import dashboard
from gimel.serve.store import LocalStore
from gimel.wiring import Wiring

STAGE = "prod"
DEMO_NAMESPACE = "gimel-demo"

_LONGEST_BODY = 10 * 1024 * 1024
_SECONDS_BETWEEN_LOOKS_AT_STORE = 0.5


@dataclass(frozen=True)
class Gateway:
    """What is served: the wiring, the key that its protected routes want, and the runtime's GIMEL_SETTINGS.

    `designs` say what the dashboard needs to know of an experiment.
    """

    wiring: Wiring
    api_key: str
    settings: str
    designs: Mapping[str, Design] = field(default_factory=dict)


class Handlers:
    """The experiments as the runtime's handlers answer them, on the thread that they run on: a source for the dashboard."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self._thread = thread

    def experiments(self, namespace: str, scope: str | None = None) -> NamespaceCounts:
        """Return what a namespace holds, or of that the experiment `scope`. Raises GimelError."""
        return answers.parse(
            self._call("all", {"namespace": namespace, "scope": scope}), "gimel serve"
        )

    def experiment(self, namespace: str, name: str) -> ExperimentCounts:
        """Return one experiment. Raises GimelError with the nearest names."""
        return find_experiment(self.experiments, namespace, name)

    def delete(self, namespace: str, experiment: str) -> None:
        self._call("delete", {"namespace": namespace, "experiment": experiment})

    def _call(self, handler: str, parameters: Mapping[str, str | None]) -> Any:
        try:
            return self._thread.submit(getattr(gimel, handler), parameters).result()
        except RedisError:
            raise GimelError("The store cannot be reached now.", "Is Redis running?") from None
        except BadRequest as error:
            raise GimelError(f"This cannot be asked for: {error}.") from None


def application(
    gateway: Gateway, store: LocalStore | None, warn: Callable[[str], None]
) -> Starlette:
    """Return the ASGI application. A store given is started again when it ends; `warn` is told so."""
    # Handlers read their settings where Lambda puts them.
    os.environ[VARIABLE] = gateway.settings
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lambda")
    routes = {
        (route.path, method): route
        for route in gateway.wiring.routes
        for method in (
            gateway.wiring.methods(route.path) if route.method == "ANY" else (route.method,)
        )
    }
    methods_of = {route.path: gateway.wiring.methods(route.path) for route in gateway.wiring.routes}
    handlers = {
        function.name: getattr(gimel, function.handler.removeprefix("gimel."))
        for function in gateway.wiring.functions
    }

    all_experiments: Callable[[Any, Any], Any] = getattr(gimel, "all")  # noqa: B009 - resolved lazily, untyped

    async def run(handler: Callable[[Any, Any], Any], event: Mapping[str, Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(thread, handler, event, None)

    async def call(request: Request) -> Response:
        path, method = request.scope["path"].removeprefix("/"), request.method
        methods = methods_of.get(path, ())
        preflight = method == "OPTIONS" and bool(methods)
        route = routes.get((path, methods[0] if preflight else method))
        if route is None:
            return unknown()
        if route.api_key_required and not preflight and not _has_key(request, gateway.api_key):
            return _refusal("Forbidden", "ForbiddenException")
        body = await _body(request)
        if body is None:
            return JSONResponse({"message": "Request Too Long"}, 413)
        try:
            answer = await run(handlers[route.function], proxy_event(request, body))
            headers = dict(answer["headers"])
            if preflight:
                headers["Access-Control-Allow-Methods"] = ",".join((*methods, "OPTIONS"))
            return Response(answer["body"], answer["statusCode"], headers)
        except Exception as error:
            warn(f"The handler of {method} /{path} failed: {type(error).__name__}")
            return JSONResponse({"message": "Internal server error"}, 502)

    async def demo(request: Request) -> Response:
        if not request.headers.get(
            "host"
        ):  # what Starlette puts in its place differs from release to release
            return JSONResponse({"message": "Bad Request"}, 400)
        track_url = str(request.url.replace(path="/track", query=""))
        pasted = snippet(track_url, DEMO_NAMESPACE)
        page = templating.render(
            "gimel.serve", "demo.html.j2", snippet=pasted, version=gimel.__version__
        )
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})

    async def demo_counts(request: Request) -> Response:
        try:
            results = await run(all_experiments, {"namespace": DEMO_NAMESPACE})
        except RedisError:
            return JSONResponse({"error": "the store cannot be reached now"}, 503)
        return JSONResponse(results, headers={"Cache-Control": "no-store"})

    async def keep_store_running() -> None:
        while store is not None:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS_AT_STORE)
            if not store.running:
                warn("The store ended. Starting it again: nothing that was counted is lost.")
                try:
                    await asyncio.to_thread(store.start)
                except GimelError as error:
                    warn(error.message)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        watch = asyncio.create_task(keep_store_running())
        yield
        watch.cancel()
        thread.shutdown()

    def unknown(*_: object) -> Response:
        return _refusal("Missing Authentication Token", "MissingAuthenticationTokenException")

    everything: list[str] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return Starlette(
        lifespan=lifespan,
        exception_handlers={404: unknown, 405: unknown},  # what no route below matches
        routes=[
            HttpRoute("/", demo, methods=["GET"]),
            HttpRoute("/demo/counts", demo_counts, methods=["GET"]),
            *dashboard.routes(
                dashboard.Site(
                    Handlers(thread),
                    "counted by this gimel serve",
                    designs=gateway.designs,
                    key=gateway.api_key,
                )
            ),
            HttpRoute("/{path:path}", call, methods=everything),
        ],
    )


def proxy_event(request: Request, body: bytes) -> dict[str, Any]:
    """Return the event that a REST API with AWS_PROXY integration would hand to Lambda (payload 1.0)."""
    scope = request.scope
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
    ]
    path, method = scope["path"], scope["method"]
    now = time.time()
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": dict(headers),
        "multiValueHeaders": _grouped(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _grouped(query) or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": path,
            "path": f"/{STAGE}{path}",
            "httpMethod": method,
            "stage": STAGE,
            "protocol": f"HTTP/{scope['http_version']}",
            "apiId": "local",
            "requestId": str(uuid.uuid4()),
            "requestTimeEpoch": int(now * 1000),
            "identity": {
                "sourceIp": scope["client"][0] if scope.get("client") else None,
                "userAgent": request.headers.get("user-agent"),
            },
        },
        "body": body.decode("utf-8", "replace") if body else None,
        "isBase64Encoded": False,
    }


def check_store(redis: Mapping[str, Any]) -> None:
    """Ask the store that the runtime will use for a sign of life. Raises GimelError with what went wrong."""
    client = Client(RedisOptions(redis))
    try:
        (reply,) = client.execute([("PING",)])
        if isinstance(reply, RedisError):
            raise reply
    except RedisError as error:
        raise GimelError(
            f"The store cannot be used: {error}.", "Is it running, and is the URL right?"
        ) from None
    finally:
        client.close()


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def _has_key(request: Request, key: str) -> bool:
    return secrets.compare_digest(request.headers.get("x-api-key", "").encode(), key.encode())


def _refusal(message: str, kind: str) -> Response:
    """Return a gateway response of API Gateway's, readable by the page that asked."""
    return JSONResponse(
        {"message": message}, 403, {"x-amzn-ErrorType": kind, "Access-Control-Allow-Origin": "*"}
    )


async def _body(request: Request) -> bytes | None:
    """Return the body, None where it is longer than API Gateway takes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_BODY:
            return None
    return bytes(body)
