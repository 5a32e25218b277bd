"""The HTTP contract of `gimel.track`, row by row, in all three forms of event and against a real store."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import redis

import gimel
from gimel.runtime.errors import BadRequest, RedisError
from tests.support.events import EVENT, read, rest, url
from tests.support.redis_content import count, snapshot
from tests.support.servers import Store, running_store

Configure = Callable[..., None]
Gateway = Callable[..., dict[str, Any]]

in_both_gateway_forms = pytest.mark.parametrize("gateway", [rest, url], ids=["rest", "url"])
OK = {"status": "ok"}
HANDLERS = {
    "track": "GET,POST,OPTIONS",
    "all": "GET,OPTIONS",
    "experiment": "GET,OPTIONS",
    "delete": "DELETE,OPTIONS",
}


def handle(name: str, event: Any) -> Any:
    return getattr(gimel, name)(event, None)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class TestCounted:
    """An event that is understood is counted and answered 200 `{"status": "ok"}`."""

    @in_both_gateway_forms
    def test_get(self, gimel_store: redis.Redis, gateway: Gateway) -> None:
        """A GET's query is an event."""
        answer = gimel.track(gateway(query=EVENT), None)

        assert read(answer) == (200, OK)
        assert count(gimel_store, "button", "participate", "red") == 1

    def test_flat(self, gimel_store: redis.Redis) -> None:
        """A flat dict is answered with the plain value."""
        assert gimel.track(EVENT, None) == OK
        assert count(gimel_store, "button", "participate", "red") == 1

    @in_both_gateway_forms
    @pytest.mark.parametrize(
        ("body", "content_type", "is_base64"),
        [
            pytest.param(json.dumps(EVENT), "application/json", False, id="json"),
            pytest.param(
                json.dumps(EVENT), "application/json; charset=utf-8", False, id="json with charset"
            ),
            pytest.param(json.dumps(EVENT), "text/plain;charset=UTF-8", False, id="sendBeacon"),
            pytest.param(
                json.dumps(EVENT),
                "application/x-www-form-urlencoded",
                False,
                id="json that curl -d calls a form",
            ),
            pytest.param(f"\n {json.dumps(EVENT)}\n", "", False, id="json without a content type"),
            pytest.param(urlencode(EVENT), "application/x-www-form-urlencoded", False, id="form"),
            pytest.param(
                urlencode(EVENT),
                "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
                False,
                id="form with charset",
            ),
            pytest.param(encoded(json.dumps(EVENT)), "application/json", True, id="base64 json"),
            pytest.param(
                encoded(urlencode(EVENT)),
                "application/x-www-form-urlencoded",
                True,
                id="base64 form",
            ),
        ],
    )
    def test_post(
        self,
        gimel_store: redis.Redis,
        gateway: Gateway,
        body: str,
        content_type: str,
        is_base64: bool,
    ) -> None:
        """A POST's body is an event, whatever a browser calls its type."""
        event = gateway("POST", body=body, Content_Type=content_type) | {
            "isBase64Encoded": is_base64
        }

        assert read(gimel.track(event, None)) == (200, OK)
        assert count(gimel_store, "button", "participate", "red") == 1

    @in_both_gateway_forms
    def test_post_with_a_query(self, gimel_store: redis.Redis, gateway: Gateway) -> None:
        """A POST takes from the query what its body does not say, and the body wins."""
        event = gateway(
            "POST",
            query={**EVENT, "variant": "blue"},
            body='{"variant": "red", "namespace": "shop"}',
        )

        assert read(gimel.track(event, None)) == (200, OK)
        assert count(gimel_store, "button", "participate", "red", namespace="shop") == 1

    @in_both_gateway_forms
    @pytest.mark.parametrize("body", ["", "  ", "{}"], ids=["empty", "blank", "empty object"])
    def test_post_of_nothing(self, gimel_store: redis.Redis, gateway: Gateway, body: str) -> None:
        """A POST with nothing in its body is its query."""
        assert read(gimel.track(gateway("POST", query=EVENT, body=body), None)) == (200, OK)
        assert count(gimel_store, "button", "participate", "red") == 1

    @pytest.mark.parametrize(
        ("query", "experiment"),
        [
            pytest.param("experiment=two+words", "two words", id="plus"),
            pytest.param("experiment=two%20words", "two words", id="%20"),
            pytest.param("experiment=1%2B1", "1+1", id="encoded plus"),
            pytest.param("experiment=50%25%3A%26", "50%:&", id="percent, colon, ampersand"),
            pytest.param("experiment=%C3%A9t%C3%A9", "été", id="utf-8"),
            pytest.param("experiment=one&experiment=two", "two", id="repeated: the last"),
            pytest.param("experiment=a,b", "a,b", id="comma"),
        ],
    )
    def test_raw_query(self, gimel_store: redis.Redis, query: str, experiment: str) -> None:
        """Payload 2.0's raw query is decoded as browsers encode it, and trusted before the parsed one."""
        event = url() | {
            "rawQueryString": f"{query}&variant=red&event=participate&uuid=1",
            "queryStringParameters": {**EVENT, "experiment": "one,two"},
        }

        assert read(gimel.track(event, None)) == (200, OK)
        assert gimel_store.smembers("alephbet:experiments") == {experiment.encode()}

    def test_parsed_query_of_payload_2(self, gimel_store: redis.Redis) -> None:
        """Payload 2.0 without a raw query is read from the parsed one."""
        event = url(query=EVENT)
        del event["rawQueryString"]

        assert read(gimel.track(event, None)) == (200, OK)
        assert count(gimel_store, "button", "participate", "red") == 1

    @pytest.mark.parametrize("precision", [1, 4, 16, 64, 256])
    def test_keys(self, gimel_store: redis.Redis, configure: Configure, precision: int) -> None:
        """An event writes the keys of DESIGN's table and no other; `:` and `%` are encoded in names, nothing else."""
        configure(precision=precision)

        gimel.track(
            {
                "experiment": "a:b",
                "variant": "50%",
                "event": "été",
                "uuid": "visitor-1",
                "namespace": "my shop",
            },
            None,
        )

        counter = "my shop:counters:a%3Ab:été:50%25" + ("" if precision == 1 else f"::{precision}")
        shard = counter if precision == 1 else f"{counter}:{zlib.crc32(b'visitor-1') % precision}"
        keys = snapshot(gimel_store)
        since = keys.pop("my shop:a%3Ab:meta")
        assert gimel_store.pfcount(shard) == 1
        del keys[shard]
        assert keys == {
            "gimel:namespaces": {b"my shop"},
            "my shop:experiments": {b"a:b"},
            "my shop:counter_keys": {counter.encode()},
            "my shop:a%3Ab:counter_keys": {counter.encode()},
        }
        assert isinstance(since, dict)
        assert since.keys() == {b"since"}

    @in_both_gateway_forms
    def test_repeated(self, gimel_store: redis.Redis, gateway: Gateway) -> None:
        """An event that is sent again is answered the same and changes nothing."""
        gimel.track(gateway(query=EVENT), None)
        before = snapshot(gimel_store)

        assert read(gimel.track(gateway(query=EVENT), None)) == (200, OK)
        assert read(gimel.track(gateway("POST", body=json.dumps([EVENT, EVENT])), None)) == (
            200,
            {"status": "ok", "events": [OK, OK]},
        )
        assert snapshot(gimel_store) == before


class TestBatch:
    """A POST may hold a list of events; each has an answer of its own."""

    @in_both_gateway_forms
    @pytest.mark.parametrize("size", [1, 100])
    def test_sizes(self, gimel_store: redis.Redis, gateway: Gateway, size: int) -> None:
        """1 to 100 events are all counted."""
        batch = [{**EVENT, "uuid": f"visitor-{n}"} for n in range(size)]

        status, body = read(gimel.track(gateway("POST", body=json.dumps(batch)), None))

        assert (status, body) == (200, {"status": "ok", "events": [OK] * size})
        assert count(gimel_store, "button", "participate", "red") == size

    @in_both_gateway_forms
    @pytest.mark.parametrize("size", [0, 101])
    def test_wrong_sizes(self, gimel_store: redis.Redis, gateway: Gateway, size: int) -> None:
        """An empty list and one of 101 are refused whole, saying how many may be sent."""
        status, body = read(gimel.track(gateway("POST", body=json.dumps([EVENT] * size)), None))

        assert (status, body) == (
            400,
            {"error": f"the list holds {size} events; it may hold 1 to 100"},
        )
        assert snapshot(gimel_store) == {}

    @in_both_gateway_forms
    def test_answers_in_order(
        self, gimel_store: redis.Redis, configure: Configure, gateway: Gateway
    ) -> None:
        """Valid events are counted beside bad and refused ones, and the answers stand in the events' order."""
        configure(allowed_experiments=["button"])
        batch = [
            {**EVENT, "variant": ""},
            EVENT,
            "no event",
            {**EVENT, "experiment": "other"},
            {**EVENT, "uuid": "visitor-2", "event": "buy"},
        ]

        status, body = read(gimel.track(gateway("POST", body=json.dumps(batch)), None))

        assert status == 200
        assert body == {
            "status": "partial",
            "events": [
                {"error": "variant is empty"},
                OK,
                {"error": "an event must be a JSON object"},
                {"status": "ignored", "reason": "experiment not allowed"},
                OK,
            ],
        }
        assert count(gimel_store, "button", "participate", "red") == 1
        assert count(gimel_store, "button", "buy", "red") == 1

    @in_both_gateway_forms
    def test_all_bad(self, gimel_store: redis.Redis, gateway: Gateway) -> None:
        """A list without a single valid event is a 400 that still answers for each."""
        status, body = read(gimel.track(gateway("POST", body=json.dumps([{}, None])), None))

        assert status == 400
        assert body == {
            "error": "no event of the list is valid",
            "events": [
                {"error": "experiment is missing"},
                {"error": "an event must be a JSON object"},
            ],
        }
        assert snapshot(gimel_store) == {}

    @in_both_gateway_forms
    def test_common_fields_in_the_query(self, gimel_store: redis.Redis, gateway: Gateway) -> None:
        """What the query says holds for each event of a list that does not say otherwise."""
        events = [
            {"variant": "red", "event": "participate", "uuid": "1"},
            {**EVENT, "namespace": "other"},
        ]
        query = {"experiment": "common", "namespace": "shop"}

        status, _ = read(gimel.track(gateway("POST", query=query, body=json.dumps(events)), None))

        assert status == 200
        assert count(gimel_store, "common", "participate", "red", namespace="shop") == 1
        assert count(gimel_store, "button", "participate", "red", namespace="other") == 1


class TestMalformed:
    """What is malformed is a 400 that names the field, and nothing is written."""

    @pytest.mark.parametrize("field", ["experiment", "variant", "event", "uuid", "namespace"])
    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            pytest.param("", "is empty", id="empty"),
            pytest.param("x" * 201, "is longer than 200 characters", id="201 characters"),
            pytest.param(
                "é" * 201, "is longer than 200 characters", id="201 characters beyond ASCII"
            ),
            pytest.param("a\x00b", "holds a control character", id="NUL"),
            pytest.param("a\r\nb", "holds a control character", id="CRLF"),
            pytest.param("a\x7fb", "holds a control character", id="DEL"),
            pytest.param("a\x85b", "holds a control character", id="C1"),
            pytest.param("a\ud800b", "holds a control character", id="lone surrogate"),
            pytest.param(True, "must be text", id="true"),
            pytest.param(False, "must be text", id="false"),
            pytest.param(1.5, "must be text", id="fraction"),
            pytest.param(float("nan"), "must be text", id="NaN"),
            pytest.param(10**200, "must be text", id="201 digits"),
            pytest.param([], "must be text", id="list"),
            pytest.param({"a": "b"}, "must be text", id="object"),
        ],
    )
    def test_fields(self, gimel_store: redis.Redis, field: str, value: object, reason: str) -> None:
        """Each field's rule holds in each form, and in a batch."""
        event: dict[str, Any] = {**EVENT, field: value}
        expected = {"error": f"{field} {reason}"}

        with pytest.raises(BadRequest, match=f"^{field} {reason}$"):
            gimel.track(event, None)
        for gateway in (rest, url):
            assert read(gimel.track(gateway("POST", body=json.dumps(event)), None)) == (
                400,
                expected,
            )
            status, body = read(gimel.track(gateway("POST", body=json.dumps([event])), None))
            assert (status, body["events"]) == (400, [expected])
        if isinstance(value, str) and value.isprintable():
            assert read(gimel.track(url(query=event), None)) == (400, expected)
        assert snapshot(gimel_store) == {}

    @in_both_gateway_forms
    @pytest.mark.parametrize("field", ["experiment", "variant", "event", "uuid"])
    @pytest.mark.parametrize("how", ["absent", "null"])
    def test_missing(
        self, gimel_store: redis.Redis, gateway: Gateway, field: str, how: str
    ) -> None:
        """A field that is absent or null is missing; only the namespace has a default."""
        event: dict[str, object] = {**EVENT, field: None}
        if how == "absent":
            del event[field]

        with pytest.raises(BadRequest, match=f"^{field} is missing$"):
            gimel.track(event, None)
        answer = gimel.track(gateway("POST", body=json.dumps(event)), None)
        assert read(answer) == (400, {"error": f"{field} is missing"})
        assert snapshot(gimel_store) == {}

    @pytest.mark.parametrize(
        "value", ["x", "x" * 200, "é" * 200, " ", "🦄", 0, -7, 10**199, "\u2028"]
    )
    def test_allowed(self, gimel_store: redis.Redis, value: object) -> None:
        """1 to 200 characters of any script are a name, and a whole number is its digits."""
        event = dict.fromkeys(EVENT, value)

        status, body = read(gimel.track(rest("POST", body=json.dumps(event)), None))

        assert (status, body) == (200, OK)
        assert gimel_store.smembers("alephbet:experiments") == {str(value).encode()}
        assert count(gimel_store, str(value), str(value), str(value)) == 1

    def test_null_namespace(self, gimel_store: redis.Redis) -> None:
        """A namespace of null is the default one."""
        assert gimel.track({**EVENT, "namespace": None}, None) == OK
        assert count(gimel_store, "button", "participate", "red", namespace="alephbet") == 1

    @in_both_gateway_forms
    @pytest.mark.parametrize(
        ("body", "is_base64"),
        [
            ("{", False),
            ("not json", False),
            ('"text"', False),
            ("7", False),
            ("[" * 100_000, False),
            ('{"uuid": ' * 100_000, False),
            ("9" * 5000, False),
            ("abcde", True),
            ("é", True),
            (base64.b64encode(b"\xff\xfe").decode(), True),
        ],
        ids=[
            "{",
            "words",
            "string",
            "number",
            "deep list",
            "deep object",
            "huge number",
            "no base64",
            "no ASCII",
            "no UTF-8",
        ],
    )
    def test_bodies(
        self, gimel_store: redis.Redis, gateway: Gateway, body: str, is_base64: bool
    ) -> None:
        """A body that is no JSON object, list or form is a 400 that says so."""
        event = gateway("POST", query=EVENT, body=body) | {"isBase64Encoded": is_base64}

        status, answer = read(gimel.track(event, None))

        assert status == 400
        assert answer["error"].startswith("the body ")
        assert snapshot(gimel_store) == {}

    @in_both_gateway_forms
    @pytest.mark.parametrize(
        "form",
        ["uuid=%ff", "&".join(f"field{n}={n}" for n in range(101))],
        ids=["not UTF-8", "101 fields"],
    )
    def test_forms(self, gimel_store: redis.Redis, gateway: Gateway, form: str) -> None:
        """A form that is no UTF-8 or has over 100 fields is a 400, as a body and as payload 2.0's query."""
        post = gateway(
            "POST", query=EVENT, body=form, Content_Type="application/x-www-form-urlencoded"
        )
        error = {"error": "the parameters must be URL-encoded UTF-8, at most 100 of them"}

        assert read(gimel.track(post, None)) == (400, error)
        assert read(gimel.track(url() | {"rawQueryString": form}, None)) == (400, error)
        assert snapshot(gimel_store) == {}

    @pytest.mark.parametrize("event", [None, [], "text", 7], ids=repr)
    def test_no_event_at_all(self, gimel_store: redis.Redis, event: object) -> None:
        """What is no object is refused."""
        with pytest.raises(BadRequest, match="must be an object"):
            gimel.track(event, None)


class TestHeaders:
    """What every answer carries."""

    @in_both_gateway_forms
    @pytest.mark.parametrize("query", [EVENT, None], ids=["200", "400"])
    def test_any_origin(
        self, gimel_store: redis.Redis, gateway: Gateway, query: dict[str, str] | None
    ) -> None:
        """By default any page may read any answer, and nothing is kept by a cache."""
        answer = gimel.track(gateway(query=query, Origin="https://shop.example"), None)

        assert answer["headers"] == {
            "Access-Control-Allow-Origin": "*",
            "Cache-Control": "no-cache, no-store, must-revalidate",
            "Content-Type": "application/json",
        }

    @in_both_gateway_forms
    @pytest.mark.parametrize("name", HANDLERS)
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
        origin: str,
        allowed: str,
    ) -> None:
        """A page of a configured origin is told its own, any other the first one; caches are told that it varies."""
        configure(allowed_origins=["https://a.example", "https://b.example"])
        methods = HANDLERS[name].split(",")

        for method in methods:
            answer = handle(name, gateway(method, Origin=origin))
            assert answer["headers"]["Access-Control-Allow-Origin"] == allowed
            assert answer["headers"]["Vary"] == "Origin"

    def test_no_origin_allowed(self, gimel_store: redis.Redis, configure: Configure) -> None:
        """With an empty list no page is allowed, nor a sandboxed frame, whose origin is `null`."""
        configure(allowed_origins=[])

        assert (
            gimel.track(rest(query=EVENT, Origin="null"), None)["headers"][
                "Access-Control-Allow-Origin"
            ]
            == ""
        )

    @in_both_gateway_forms
    @pytest.mark.parametrize(("name", "methods"), HANDLERS.items(), ids=HANDLERS)
    def test_preflight(
        self, gimel_store: redis.Redis, gateway: Gateway, name: str, methods: str
    ) -> None:
        """A preflight is answered with the methods of its route and the headers that a page may send, and does nothing."""
        answer = handle(name, gateway("OPTIONS", query=EVENT, Origin="https://shop.example"))

        assert read(answer) == (200, {})
        assert answer["headers"] == {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": methods,
            "Access-Control-Allow-Headers": "Content-Type,X-Api-Key",
            "Access-Control-Max-Age": "86400",
            "Cache-Control": "no-cache, no-store, must-revalidate",
            "Content-Type": "application/json",
        }
        assert snapshot(gimel_store) == {}

    @pytest.mark.parametrize(("name", "methods"), HANDLERS.items(), ids=HANDLERS)
    def test_wrong_method(self, gimel_store: redis.Redis, name: str, methods: str) -> None:
        """A Function URL, which passes every method on, is answered 405 with those that are allowed."""
        for method in {"GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "get_"} - set(
            methods.split(",")
        ):
            answer = handle(name, url(method, query=EVENT))
            assert answer["statusCode"] == 405
            assert answer["headers"]["Allow"] == methods
            assert "method" in json.loads(answer["body"])["error"]
        assert snapshot(gimel_store) == {}


SECRET = "correct horse battery staple"
UNAVAILABLE = {"error": "the store cannot be reached now; send the event again later"}

Admin = Callable[[redis.Redis], object]
FAULTS: dict[str, tuple[Admin, Admin]] = {
    "read-only": (
        lambda admin: admin.replicaof("127.0.0.1", "1"),
        lambda admin: admin.replicaof("NO", "ONE"),
    ),
    "out of memory": (
        lambda admin: admin.config_set("maxmemory", 1),
        lambda admin: admin.config_set("maxmemory", 0),
    ),
    "slow": (
        lambda admin: admin.client_pause(60_000, all=False),
        lambda admin: admin.client_unpause(),
    ),
    "password changed": (
        lambda admin: (
            admin.config_set("requirepass", "another"),
            admin.client_kill_filter(_type="normal", skipme=True),
        ),
        lambda admin: admin.config_set("requirepass", SECRET),
    ),
}


@pytest.fixture
def own_server(tmp_path: Path, configure: Configure) -> Iterator[Store]:
    """A store of the test's own, with a password, that it may break; the runtime is configured to use it."""
    with running_store(tmp_path, "--requirepass", SECRET) as server:
        configure(
            redis={
                "host": "127.0.0.1",
                "port": server.port,
                "password": SECRET,
                "socket_timeout": 0.3,
            }
        )
        yield server


def assert_unavailable(
    answer: dict[str, Any], server: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer is a 503 that pages may read and that tells nothing; the log tells the operator why, and no secret."""
    assert read(answer) == (503, UNAVAILABLE)
    assert answer["headers"]["Access-Control-Allow-Origin"] == "*"
    assert not any(
        detail in str(answer) for detail in ("127.0.0.1", str(server.port), SECRET, "visitor-1")
    )
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert json.loads(line)["level"] == "ERROR"
    assert not any(secret in line for secret in (SECRET, "visitor-1", "Traceback", "File "))


class TestUnavailable:
    """While the store cannot count, the answer is a 503; the event is counted when it is sent again."""

    @in_both_gateway_forms
    @pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
    @pytest.mark.parametrize(("harm", "heal"), FAULTS.values(), ids=FAULTS)
    def test_faults(
        self,
        own_server: Store,
        gateway: Gateway,
        warm: bool,
        harm: Admin,
        heal: Admin,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """A store that answers with an error, or too late."""
        with own_server.client(password=SECRET) as admin:
            if warm:
                assert read(gimel.track(gateway(query={**EVENT, "uuid": "earlier"}), None)) == (
                    200,
                    OK,
                )
            harm(admin)

            assert_unavailable(gimel.track(gateway(query=EVENT), None), own_server, capsys)
            with pytest.raises(RedisError):
                gimel.track(EVENT, None)

            heal(admin)
            assert read(gimel.track(gateway(query=EVENT), None)) == (200, OK)
            assert count(admin, "button", "participate", "red") == 1 + warm

    @in_both_gateway_forms
    @pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
    def test_down(
        self,
        own_server: Store,
        gateway: Gateway,
        warm: bool,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """A store that is gone, and comes back at the same address."""
        if warm:
            assert read(gimel.track(gateway(query=EVENT), None)) == (200, OK)
        own_server.kill()

        assert_unavailable(gimel.track(gateway(query=EVENT), None), own_server, capsys)
        with pytest.raises(RedisError):
            gimel.track(EVENT, None)

        with (
            running_store(tmp_path, "--requirepass", SECRET, port=own_server.port) as again,
            again.client(password=SECRET) as admin,
        ):
            assert read(gimel.track(gateway(query=EVENT), None)) == (200, OK)
            assert count(admin, "button", "participate", "red") == 1

    @pytest.mark.parametrize("name", ["all", "experiment", "delete"])
    def test_other_handlers(
        self, own_server: Store, name: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The other handlers answer a store that is gone in the same way."""
        own_server.kill()

        event = rest(HANDLERS[name].split(",")[0], query={"experiment": "button"})
        assert_unavailable(handle(name, event), own_server, capsys)

    def test_batch(self, own_server: Store, capsys: pytest.CaptureFixture[str]) -> None:
        """A batch with one valid event is a 503 too: the client keeps it whole."""
        own_server.kill()

        answer = gimel.track(rest("POST", body=json.dumps([EVENT, {}])), None)

        assert_unavailable(answer, own_server, capsys)

    def test_little_time_left(self, own_server: Store, capsys: pytest.CaptureFixture[str]) -> None:
        """A Lambda about to be ended answers while it can."""

        class Context:
            def get_remaining_time_in_millis(self) -> int:
                return 150

        with own_server.client(password=SECRET) as admin:
            admin.client_pause(60_000, all=False)
            answer = gimel.track(rest(query=EVENT), Context())
            admin.client_unpause()

        assert_unavailable(answer, own_server, capsys)

    @pytest.mark.parametrize("command", ["PFADD", "AUTH"])
    def test_unknown_command(
        self, tmp_path: Path, configure: Configure, command: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A server that does not know a command quotes its arguments, uuid or password: they are not logged."""
        with running_store(tmp_path, "--rename-command", command, "") as server:
            password = {"password": SECRET} if command == "AUTH" else {}
            configure(redis={"host": "127.0.0.1", "port": server.port, **password})

            assert_unavailable(gimel.track(rest(query=EVENT), None), server, capsys)

    @in_both_gateway_forms
    @pytest.mark.parametrize(
        "settings",
        [
            "",
            "{",
            "[]",
            '{"precision": 16}',
            f'{{"redis": {{}}, "limits": 7, "was": "{SECRET}"}}',
            '{"redis": {"port": PORT}, "precision": "16"}',
            '{"redis": {"port": PORT}, "precision": 3}',
        ],
        ids=[
            "missing",
            "no JSON",
            "no object",
            "no redis",
            "wrong type",
            "precision as text",
            "no such precision",
        ],
    )
    def test_settings(
        self,
        monkeypatch: pytest.MonkeyPatch,
        session_store: Store,
        gateway: Gateway,
        settings: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Settings that are missing or wrong are a 503, and the log says what to do."""
        monkeypatch.setenv("GIMEL_SETTINGS", settings.replace("PORT", str(session_store.port)))

        assert read(gimel.track(gateway(query=EVENT), None)) == (503, UNAVAILABLE)
        log = capsys.readouterr().err
        assert "GIMEL_SETTINGS" in log
        assert "gimel deploy" in log
        assert SECRET not in log

    @in_both_gateway_forms
    def test_defect(
        self,
        gimel_store: redis.Redis,
        monkeypatch: pytest.MonkeyPatch,
        gateway: Gateway,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """A defect of our own is a 500 without detail, and the log says where it is, not what it held."""

        def broken(*_: object) -> None:
            raise ValueError(f"visitor-1 {SECRET}")

        monkeypatch.setattr("gimel.runtime.track.count", broken)

        assert read(gimel.track(gateway(query=EVENT), None)) == (500, {"error": "internal error"})
        out, err = capsys.readouterr()
        assert out == ""
        line = json.loads(err)
        assert line.keys() == {"level", "error", "where"}
        assert line["error"] == "ValueError"
        assert line["where"].startswith("broken:")
