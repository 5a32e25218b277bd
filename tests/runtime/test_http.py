"""The HTTP contract that all handlers share: methods, headers, and Gimel's own errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

import gimel
from gimel.runtime import http
from gimel.runtime.errors import ConnectionFailed
from tests.support.events import EVENT, Configure, Gateway, read, rest, with_each_gateway
from tests.support.redis_content import snapshot

HANDLERS = {
    "track": ("GET", "POST"),
    "all": ("GET",),
    "experiment": ("GET",),
    "delete": ("DELETE",),
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")

with_each_handler = pytest.mark.parametrize("name", HANDLERS)


def handle(name: str, event: Any) -> Any:
    return getattr(gimel, name)(event, None)


class TestMethods:
    """A handler answers its own methods and no others."""

    @with_each_gateway
    @pytest.mark.parametrize(
        ("name", "method"),
        [
            (name, method)
            for name, methods in HANDLERS.items()
            for method in (*METHODS, "get_", "")
            if method not in methods
        ],
    )
    def test_other_methods(
        self, gimel_store: redis.Redis, gateway: Gateway, name: str, method: str
    ) -> None:
        """Another method is a 405 with the allowed ones, even where the wiring routes it here."""
        gimel.track(EVENT, None)
        before = snapshot(gimel_store)
        methods = HANDLERS[name]

        answer = handle(name, gateway(method, query={**EVENT, "uuid": "another"}))

        assert read(answer) == (405, {"error": f"the method must be {' or '.join(methods)}"})
        assert answer["headers"]["Allow"] == ",".join((*methods, "OPTIONS"))
        assert snapshot(gimel_store) == before

    @with_each_gateway
    @pytest.mark.parametrize("body", [json.dumps(EVENT), "{"], ids=["an event", "malformed"])
    def test_patch(self, gimel_store: redis.Redis, gateway: Gateway, body: str) -> None:
        """The body of a PATCH is not read: the method is what is wrong."""
        answer = gimel.track(gateway("PATCH", body=body), None)

        assert read(answer) == (405, {"error": "the method must be GET or POST"})
        assert snapshot(gimel_store) == {}

    @with_each_gateway
    @pytest.mark.parametrize(
        ("name", "method"),
        [(name, method) for name, methods in HANDLERS.items() for method in methods],
    )
    def test_own_methods(
        self, gimel_store: redis.Redis, gateway: Gateway, name: str, method: str
    ) -> None:
        """A handler's own methods are answered 200, in any case of letters."""
        assert handle(name, gateway(method.lower(), query=EVENT))["statusCode"] == 200

    @with_each_gateway
    @with_each_handler
    def test_preflight(self, gimel_store: redis.Redis, gateway: Gateway, name: str) -> None:
        """A CORS preflight is answered with what a page may send, and has no effect."""
        answer = handle(name, gateway("OPTIONS", query=EVENT, Origin="https://shop.example"))

        assert read(answer) == (200, {})
        assert answer["headers"] == {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": ",".join((*HANDLERS[name], "OPTIONS")),
            "Access-Control-Allow-Headers": http.ALLOWED_HEADERS,
            "Access-Control-Max-Age": "86400",
            "Cache-Control": "no-cache, no-store, must-revalidate",
            "Content-Type": "application/json",
        }
        assert snapshot(gimel_store) == {}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(["*"], id="any"),
        pytest.param(["authorization"], id="not covered by the wildcard"),
        pytest.param(["content-type", "x-api-key"], id="Gimel's own"),
        pytest.param(["sentry-trace", "baggage", "traceparent"], id="Sentry"),
        pytest.param(["traceparent", "tracestate", "baggage", "b3"], id="OpenTelemetry"),
        pytest.param(
            [
                f"x-datadog-{name}"
                for name in ("origin", "parent-id", "sampling-priority", "trace-id")
            ],
            id="Datadog",
        ),
        pytest.param(["newrelic", "traceparent", "tracestate"], id="New Relic"),
        pytest.param(["x-amzn-trace-id"], id="X-Ray"),
    ],
)
def test_allowed_headers(headers: list[str]) -> None:
    """The headers that tracing tools add are named, for browsers that do not know the wildcard."""
    allowed = http.preflight_headers(("GET",))["Access-Control-Allow-Headers"].lower().split(",")

    assert set(headers) <= set(allowed)
    assert len(set(allowed)) == len(allowed)


class TestOrigins:
    """Which pages may read an answer."""

    @with_each_gateway
    @pytest.mark.parametrize("query", [EVENT, None], ids=["200", "400"])
    def test_any_origin(
        self, gimel_store: redis.Redis, gateway: Gateway, query: dict[str, str] | None
    ) -> None:
        """By default any page may read any answer, and no cache keeps it."""
        answer = gimel.track(gateway(query=query, Origin="https://shop.example"), None)

        assert answer["headers"] == {
            "Access-Control-Allow-Origin": "*",
            "Cache-Control": "no-cache, no-store, must-revalidate",
            "Content-Type": "application/json",
        }

    @with_each_gateway
    @pytest.mark.parametrize(
        ("name", "method"),
        [(name, method) for name, methods in HANDLERS.items() for method in (*methods, "OPTIONS")],
    )
    @pytest.mark.parametrize(
        ("origin", "allowed"),
        [
            ("https://a.example", "https://a.example"),
            ("https://b.example", "https://b.example"),
            ("https://evil.example", "https://a.example"),
            ("null", "https://a.example"),
            ("*", "https://a.example"),
            ("", "https://a.example"),
        ],
    )
    def test_configured_origins(
        self,
        gimel_store: redis.Redis,
        configure: Configure,
        gateway: Gateway,
        name: str,
        method: str,
        origin: str,
        allowed: str,
    ) -> None:
        """A configured origin is allowed, else the first one is; caches keep them apart."""
        configure(allowed_origins=["https://a.example", "https://b.example"])

        answer = handle(name, gateway(method, Origin=origin))

        assert answer["headers"]["Access-Control-Allow-Origin"] == allowed
        assert answer["headers"]["Vary"] == "Origin"

    def test_no_origin_allowed(self, gimel_store: redis.Redis, configure: Configure) -> None:
        """An empty list allows no page, not even a sandboxed frame, whose origin is `null`."""
        configure(allowed_origins=[])

        answer = gimel.track(rest(query=EVENT, Origin="null"), None)

        assert answer["headers"]["Access-Control-Allow-Origin"] == ""


class TestDefects:
    """An error that nobody expected."""

    @with_each_gateway
    def test_answer(
        self,
        gimel_store: redis.Redis,
        monkeypatch: pytest.MonkeyPatch,
        gateway: Gateway,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """It is a 500 without details; the log says where it happened, not what was processed."""

        def broken(*_: object) -> None:
            raise ValueError("visitor-1 and a password")

        monkeypatch.setattr("gimel.runtime.track.count", broken)

        assert read(gimel.track(gateway(query=EVENT), None)) == (500, {"error": "internal error"})
        out, err = capsys.readouterr()
        assert out == ""
        line = json.loads(err)
        assert line.keys() == {"level", "error", "where"}
        assert line["error"] == "ValueError"
        assert line["where"].startswith("test_http.py:broken:")

    def test_place(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The log names the file, the function and the line of the innermost frame."""

        def divide() -> float:
            return 1 / 0

        try:
            divide()
        except ZeroDivisionError as error:
            http.log(error)

        assert json.loads(capsys.readouterr().err) == {
            "level": "ERROR",
            "error": "ZeroDivisionError",
            "where": f"test_http.py:divide:{divide.__code__.co_firstlineno + 1}",
        }

    def test_own_errors(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Gimel's own errors are logged with their message, which contains no secret."""
        http.log(ConnectionFailed("no connection"))

        assert json.loads(capsys.readouterr().err) == {
            "level": "ERROR",
            "error": "ConnectionFailed",
            "message": "no connection",
        }

    def test_without_a_trace(self, capsys: pytest.CaptureFixture[str]) -> None:
        """An error that was never raised has no place."""
        http.log(ValueError("visitor-1"))

        assert json.loads(capsys.readouterr().err) == {"level": "ERROR", "error": "ValueError"}
