"""Whatever a handler is given, it answers by the contract and writes to no other namespaces."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any
from urllib.parse import urlencode

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gimel
from gimel.runtime.errors import BadRequest
from tests.support.events import EVENT, balancer, rest, url
from tests.support.redis_content import snapshot

HANDLERS = ["track", "all", "experiment", "delete"]
FIELDS = ["experiment", "variant", "event", "uuid", "namespace", "scope"]

with_the_store = settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
with_each_handler = pytest.mark.parametrize("handler", HANDLERS)


def nested(depth: int) -> Any:
    value: Any = "x"
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


# Any names, and names that look like parts of keys.
TEXTS = st.text(st.characters(), max_size=12) | st.sampled_from(
    [
        "",
        "a",
        ":",
        "%3A",
        "::16",
        "a::16:3",
        "counters",
        "counter_keys",
        "experiments",
        "meta",
        "gimel",
        "namespaces",
        "a:counters:b:c:d",
        "{a}",
        "*",
        "\r\nFLUSHALL\r\n",
        "\x00",
        "\ud800",
        "x" * 200,
        "x" * 201,
        "🦄" * 200,
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(
        [10**199, 10**200, -(10**4000), float("nan"), float("inf"), float("-inf"), 1e308]
    )
    | st.floats()
    | TEXTS
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
ANYTHING |= st.sampled_from([900, 5000]).map(nested)
SOME_FIELDS = st.dictionaries(st.sampled_from(FIELDS), ANYTHING | TEXTS, max_size=6)
ONE_CHANGED = st.tuples(st.sampled_from(FIELDS), TEXTS | ANYTHING).map(
    lambda change: {**EVENT, change[0]: change[1]}
)
PARAMETERS = (
    st.just(EVENT)
    | ONE_CHANGED
    | SOME_FIELDS
    | SOME_FIELDS.map(lambda fields: {**EVENT, **fields})
    | st.dictionaries(TEXTS, ANYTHING, max_size=4)
)


def as_json(value: Any) -> str:
    try:
        return json.dumps(value)
    except RecursionError:  # too deep for Python to write, but not for other programs
        return '{"a":' * 5000 + "1" + "}" * 5000


BODIES = (
    ANYTHING
    | TEXTS
    | (PARAMETERS | st.lists(PARAMETERS | ANYTHING, max_size=5)).map(as_json)
    | st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=12), max_size=6).map(
        lambda form: urlencode(form, errors="replace")
    )
    | st.binary(max_size=30).map(lambda data: base64.b64encode(data).decode())
    | st.sampled_from(
        [
            "[" * 100_000,
            '{"a":' * 100_000,
            "9" * 5000,
            "NaN",
            '{"uuid": NaN}',
            "[1e999]",
            '"\\ud800"',
            "%ff=%ff",
            "&" * 500,
        ]
    )
)
METHODS = st.sampled_from(["GET", "POST", "DELETE"]) | st.sampled_from(
    ["PUT", "OPTIONS", "HEAD", "PATCH", "post"]
)
CONTENT_TYPES = st.sampled_from(
    ["application/json", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded"]
)
HEADERS = st.dictionaries(
    st.sampled_from(["User-Agent", "user-agent", "Content-Type", "Origin", "origin", "X"]),
    st.sampled_from(["a\r\nSet-Cookie: b", "https://shop.example", "bot"]) | TEXTS | ANYTHING,
    max_size=3,
)
PARTS = [
    "version",
    "httpMethod",
    "rawQueryString",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "headers",
    "multiValueHeaders",
    "requestContext",
    "body",
    "isBase64Encoded",
]
"""The parts of an event that are read."""
BALANCER_PARTS = {"multiValueHeaders", "isBase64Encoded"}
"""What the answer to a load balancer has besides."""
CONTEXTS = st.dictionaries(
    st.sampled_from(["http", "elb", "httpMethod", "stage"]), ANYTHING, max_size=3
)


@st.composite
def gateway_events(draw: st.DrawFn) -> dict[str, Any]:
    """A gateway's event with any parameters and body, and up to two other parts replaced."""
    parameters = draw(PARAMETERS)
    gateway = draw(st.sampled_from([rest, url, balancer]))
    event: dict[str, Any] = gateway(
        draw(METHODS), body=draw(BODIES), Content_Type=draw(CONTENT_TYPES)
    )
    event["queryStringParameters"] = parameters
    if gateway is url:
        texts = {name: value for name, value in parameters.items() if isinstance(value, str)}
        event["rawQueryString"] = urlencode(texts, errors="replace")
    event["headers"] |= draw(HEADERS)
    for name in draw(st.lists(st.sampled_from(PARTS), max_size=2)):
        event[name] = draw(CONTEXTS if name == "requestContext" else ANYTHING)
    return event


def strictly(text: str) -> Any:
    """Parse JSON as a browser does, which does not know NaN."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def assert_by_the_contract(answer: Any) -> None:
    """Assert that a gateway accepts the answer, and a browser its body."""
    assert answer.keys() - BALANCER_PARTS == {"statusCode", "headers", "body"}
    assert answer["statusCode"] in {200, 400, 405}
    assert all(
        isinstance(name, str) and isinstance(value, str)
        for name, value in answer["headers"].items()
    )
    assert not any(control in value for value in answer["headers"].values() for control in "\r\n\0")
    assert answer["headers"].keys() >= {
        "Access-Control-Allow-Origin",
        "Cache-Control",
        "Content-Type",
    }
    body = strictly(answer["body"])
    if answer["statusCode"] != 200:
        assert isinstance(body["error"], str)
    strictly(json.dumps(answer))


class Bystanders:
    """Data in the same store that no event of these tests names."""

    def __init__(self, store: redis.Redis) -> None:
        store.flushall()
        gimel.track({**EVENT, "namespace": "bystander"}, None)
        store.set("session:42", "another application's")
        self._store = store
        self._before = snapshot(store)

    def assert_untouched(self) -> None:
        """Assert that it is unchanged, and that other keys are in namespaces that events named."""
        after = snapshot(self._store)
        namespaces = after.pop("gimel:namespaces")
        assert isinstance(namespaces, set)
        mine = {key: content for key, content in self._before.items() if key != "gimel:namespaces"}
        assert {key: after.pop(key) for key in mine} == mine
        prefixes = tuple(
            name.decode().replace("%", "%25").replace(":", "%3A") + ":"
            for name in namespaces - {b"bystander"}
        )
        assert [key for key in after if not key.startswith(prefixes)] == []


@with_each_handler
@with_the_store
@given(event=gateway_events())
def test_gateway_events(gimel_store: redis.Redis, handler: str, event: dict[str, Any]) -> None:
    """Any gateway event is answered by the contract: no exception, no 5xx, valid JSON."""
    bystanders = Bystanders(gimel_store)

    assert_by_the_contract(getattr(gimel, handler)(event, None))

    bystanders.assert_untouched()


@with_each_handler
@with_the_store
@given(event=PARAMETERS | ANYTHING)
def test_flat_events(gimel_store: redis.Redis, handler: str, event: Any) -> None:
    """Any flat event is answered with a JSON value, or refused by a BadRequest."""
    bystanders = Bystanders(gimel_store)

    try:
        answer = getattr(gimel, handler)(event, None)
    except BadRequest as refused:
        assert str(refused)  # noqa: PT017 - many events are refused, but not all
    else:
        strictly(json.dumps(answer))

    bystanders.assert_untouched()


@pytest.mark.parametrize("gateway", [rest, url], ids=["rest", "url"])
@pytest.mark.parametrize("precision", [1, 16])
@with_the_store
@given(
    junk=st.lists(PARAMETERS.map(lambda item: {**item, "uuid": ""}) | ANYTHING, max_size=20),
    valid=st.lists(
        st.fixed_dictionaries(
            dict.fromkeys(
                EVENT,
                st.text(
                    st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=20
                ),
            ),
            optional={"namespace": st.sampled_from(["a", "b:c"])},
        ),
        min_size=1,
        max_size=20,
    ),
    order=st.randoms(use_true_random=False),
)
def test_valid_events_of_a_batch(
    gimel_store: redis.Redis,
    configure: Any,
    gateway: Any,
    precision: int,
    junk: list[Any],
    valid: list[dict[str, str]],
    order: Any,
) -> None:
    """Each valid event of a batch is counted and answered in its place, whatever the others."""
    configure(precision=precision)
    bystanders = Bystanders(gimel_store)
    batch = [(item, False) for item in junk if writable(item)] + [(item, True) for item in valid]
    order.shuffle(batch)

    answer = gimel.track(gateway("POST", body=json.dumps([item for item, _ in batch])), None)

    assert_by_the_contract(answer)
    assert answer["statusCode"] == 200
    for (event, is_valid), outcome in zip(batch, strictly(answer["body"])["events"], strict=True):
        assert (outcome == {"status": "ok"}) is is_valid
        if is_valid:
            assert is_counted(gimel_store, event, precision)
    bystanders.assert_untouched()


def writable(value: Any) -> bool:
    """Return whether a batch with the value can be parsed: deep nesting is refused as a whole."""
    try:
        json.loads(json.dumps(value))
    except RecursionError:
        return False
    return True


def is_counted(store: redis.Redis, event: dict[str, str], precision: int) -> bool:
    """Return whether the HyperLogLog that is documented for the event contains its uuid."""
    names = [
        event.get("namespace", "alephbet"),
        event["experiment"],
        event["event"],
        event["variant"],
    ]
    namespace, *others = (name.replace("%", "%25").replace(":", "%3A") for name in names)
    key = ":".join([namespace, "counters", *others])
    if precision > 1:
        key += f"::{precision}:{zlib.crc32(event['uuid'].encode()) % precision}"
    return bool(store.exists(key)) and store.pfadd(key, event["uuid"]) == 0
