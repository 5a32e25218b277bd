"""`gimel serve`: the local gateway over HTTP, as API Gateway would answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gimel.api.client import TIME_HEADER
from gimel.errors import GimelError
from gimel.runtime.http import ALLOWED_HEADERS
from gimel.serve.gateway import Gateway, application
from gimel.wiring import WIRING
from tests.support.asgi import AsgiClient
from tests.support.command import gimel_here
from tests.support.served import Served, serving
from tests.support.servers import Store, free_port

EVENT = {"experiment": "e", "variant": "red", "event": "participate", "uuid": "u1"}
KEY = "k" * 20
PAGES = ("", "demo.css", "demo.js", "demo/live", "gimel.js")
"""The paths that do not answer in JSON."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("h")


@pytest.fixture(scope="module")
def extra_path(home: Path) -> str:
    """A path that the configuration adds for gimel-track."""
    function = {
        "FunctionName": "gimel-track",
        "Handler": "gimel.track",
        "MemorySize": 128,
        "Timeout": 3,
    }
    route = {"pathPart": "kcart", "method": {"httpMethod": "GET", "apiKeyRequired": False}}
    (home / "config.json").write_text(
        json.dumps({"extra_wiring": [{"lambda": function, "api_gateway": route}]})
    )
    return "/kcart"


@pytest.fixture(scope="module")
def served(home: Path, extra_path: str, session_store: Store) -> Iterator[Served]:
    with serving(home, "--redis", session_store.url, "--api-key", KEY) as running:
        yield running


@pytest.fixture
def empty(served: Served, store: redis.Redis) -> Served:
    """The running server with an empty Redis."""
    return served


def test_an_event_is_counted_and_read_back(empty: Served) -> None:
    """By GET as AlephBet sends it; the same event by POST changes nothing."""
    assert empty.http.get("/track", params=EVENT).json() == {"status": "ok"}
    assert empty.http.post("/track", json=EVENT).json() == {"status": "ok"}
    (experiment,) = empty.results()
    assert [(each["label"], each["trials"]) for each in experiment["participants"]] == [("red", 1)]


def test_names_arrive_as_they_were_sent(empty: Served) -> None:
    """Spaces as + and %20, colons, percent signs and other alphabets."""
    name = "100% größe: ä/b & c+d  א"
    assert empty.http.get("/track", params={**EVENT, "experiment": name}).status_code == 200
    assert (
        empty.http.get("/track?experiment=a+b%20c&variant=v&event=participate&uuid=1").status_code
        == 200
    )
    assert [experiment["experiment"] for experiment in empty.results()] == [name, "a b c"]


def test_an_extra_route_is_served(empty: Served, extra_path: str) -> None:
    """The path counts like /track."""
    assert empty.http.get(extra_path, params=EVENT).json() == {"status": "ok"}
    assert len(empty.results()) == 1


@pytest.mark.parametrize("key", [None, "", "wrong", KEY + "x"])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/experiments"), ("DELETE", "/delete?experiment=e")]
)
def test_reading_and_deleting_need_the_key(
    method: str, path: str, key: str | None, empty: Served
) -> None:
    """Without it the answer is API Gateway's, and nothing is deleted."""
    empty.http.get("/track", params=EVENT)
    answer = empty.http.request(method, path, headers={} if key is None else {"x-api-key": key})
    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})
    assert len(empty.results()) == 1


def test_an_experiment_is_deleted_with_the_key(empty: Served) -> None:
    """Afterwards the results are empty."""
    empty.http.get("/track", params=EVENT)
    assert empty.http.delete("/delete", params={"experiment": "e"}, headers=empty.key).json() == {
        "status": "ok",
        "deleted": 1,
    }
    assert empty.results() == []


def test_gimel_delete_deletes_through_it(empty: Served, tmp_path: Path) -> None:
    """The second time there is nothing left."""
    empty.http.get("/track", params=EVENT)
    delete = ["delete", "e", "--yes", "--url", empty.url, "--api-key", KEY]
    first, second = gimel_here(*delete, home=tmp_path), gimel_here(*delete, home=tmp_path)
    assert (first.returncode, first.stdout) == (0, "Deleted 1 counter of 'e'.\n")
    assert (second.returncode, second.stdout.split(":")[0]) == (0, "Nothing to delete")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nope"),
        ("GET", "/track/more"),
        ("GET", "/Track"),
        ("GET", "/%2Ftrack"),
        ("GET", "/track%2F"),
        ("GET", "/prod/track"),
        ("GET", "//"),
        ("HEAD", "/track"),
        ("PUT", "/track"),
        ("TRACE", "/track"),
        ("POST", "/experiments"),
        ("OPTIONS", "/nope"),
    ],
)
def test_unknown_paths_and_methods_get_api_gateways_answer(
    method: str, path: str, empty: Served
) -> None:
    """The message about a token means that the method does not exist, whatever the key."""
    answer = empty.http.request(method, f"{empty.url}{path}", headers=empty.key)
    message = None if method == "HEAD" else {"message": "Missing Authentication Token"}
    assert (answer.status_code, json.loads(answer.text or "null")) == (403, message)


def test_a_request_may_be_as_at_another_time(empty: Served) -> None:
    """The answer repeats the time. The next request without one is as at now."""
    day, key = 86_400, empty.key
    began = int(time.time()) - 3 * day
    at = [{TIME_HEADER: str(began + days * day), **key} for days in range(3)]
    for headers in at:
        event = {**EVENT, "uuid": headers[TIME_HEADER]}
        counted = empty.http.post("/e", json=[event], headers=headers)
        assert counted.headers[TIME_HEADER] == headers[TIME_HEADER]
        empty.http.get("/experiments", params={"history": "true"}, headers=headers)
    (experiment,) = empty.results(history="true")
    times = [point[0] for point in experiment["history"]["points"]]
    assert experiment["since"] == began
    assert times == [int(each[TIME_HEADER]) for each in at]
    assert TIME_HEADER not in empty.http.get("/experiments", headers=key).headers


@pytest.mark.parametrize(
    ("time", "with_key", "status"),
    [("1790000000", False, 403), ("soon", True, 400), ("-1", True, 400), ("1e9", True, 400)],
)
def test_another_time_needs_the_key_and_seconds(
    time: str, with_key: bool, status: int, empty: Served
) -> None:
    """Nothing is counted otherwise, not even by the path that needs no key."""
    headers = {TIME_HEADER: time, **(empty.key if with_key else {})}
    assert empty.http.post("/e", json=[EVENT], headers=headers).status_code == status
    assert empty.results() == []


@pytest.mark.parametrize("path", ["/track/", "//track", "///track//", "/tr%61ck"])
def test_slashes_more_or_less_lead_to_the_same_path(path: str, empty: Served) -> None:
    """API Gateway ignores empty segments, in requests and in preflights."""
    answer = empty.http.get(f"{empty.url}{path}", params=EVENT)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert empty.http.options(f"{empty.url}{path}").status_code == 200
    assert len(empty.results()) == 1


def test_slashes_do_not_get_around_the_key(empty: Served) -> None:
    """The key is required by the path that is found."""
    answer = empty.http.get(f"{empty.url}//experiments/")
    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/track", "GET,POST,OPTIONS"), ("/kcart", "GET,OPTIONS"), ("/delete", "DELETE,OPTIONS")],
)
def test_a_preflight_lists_the_methods_of_the_path(path: str, methods: str, empty: Served) -> None:
    """Without a key, as a browser sends it."""
    answer = empty.http.options(
        path, headers={"origin": "https://example.com", "access-control-request-method": "POST"}
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-methods"] == methods
    assert answer.headers["access-control-allow-headers"] == ALLOWED_HEADERS
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_body_beyond_the_limit_of_api_gateway_is_refused(empty: Served) -> None:
    """Its limit is 10 MB."""
    answer = empty.http.post("/track", content=b"x" * (10 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json()) == (413, {"message": "Request Too Long"})


def test_a_malformed_event_is_a_400(empty: Served) -> None:
    """The error names the field."""
    answer = empty.http.get("/track", params={**EVENT, "uuid": ""})
    assert (answer.status_code, answer.json()) == (400, {"error": "uuid is empty"})


@pytest.mark.parametrize("uuid", ["%ff", "%ed%a0%80", "a%c3"])
def test_invalid_utf_8_in_the_query_is_a_400(uuid: str, empty: Served) -> None:
    """Replaced by U+FFFD, all such visitors would be one."""
    answer = empty.http.get(f"/track?experiment=e&variant=v&event=participate&uuid={uuid}")
    assert (answer.status_code, "uuid" in answer.json()["error"]) == (400, True)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert empty.results() == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", json.dumps({**EVENT, "uuid": "?"}).encode().replace(b"?", b"\xff")),
        (
            "application/x-www-form-urlencoded",
            b"experiment=e&variant=v&event=participate&uuid=\xff",
        ),
        ("application/x-www-form-urlencoded", b"experiment=e&variant=v&event=participate&uuid=%ff"),
    ],
    ids=["JSON", "form", "form, escaped"],
)
def test_invalid_utf_8_in_the_body_is_a_400(kind: str, body: bytes, empty: Served) -> None:
    """For the same reason."""
    answer = empty.http.post("/track", content=body, headers={"content-type": kind})
    assert (answer.status_code, "UTF-8" in answer.json()["error"]) == (400, True)
    assert empty.results() == []


texts = st.text(max_size=250)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"]),
    path=st.sampled_from(["/track", "/experiments", "/delete", "/kcart"])
    | texts.map(lambda text: f"/{text}"),
    query=st.dictionaries(
        st.sampled_from([*EVENT, "namespace", "scope"]) | texts, texts, max_size=6
    ),
    body=st.binary(max_size=300)
    | st.lists(st.dictionaries(texts, texts), max_size=3).map(
        lambda each: json.dumps(each).encode()
    ),
    kind=st.sampled_from(
        ["application/json", "text/plain", "application/x-www-form-urlencoded", "image/png"]
    ),
)
def test_nothing_that_is_sent_breaks_it(
    empty: Served, method: str, path: str, query: dict[str, str], body: bytes, kind: str
) -> None:
    """Over real HTTP: never a 5xx, always JSON."""
    answer = empty.http.request(
        method,
        f"{quote(path)}?{urlencode(query)}",
        content=body,
        headers={"content-type": kind, **empty.key},
    )
    assert answer.status_code < 500
    is_page = method == "GET" and path.strip("/") in PAGES
    if answer.text and not is_page:
        answer.json()


def in_process(
    session_store: Store,
    monkeypatch: pytest.MonkeyPatch,
    now: Callable[[], float] = time.time,
    **settings: Any,
) -> AsgiClient:
    """Return a client of a gateway with these settings in this process."""
    redis_options = {"host": "127.0.0.1", "port": session_store.port}
    text = json.dumps({"redis": redis_options, **settings})
    monkeypatch.setenv("GIMEL_SETTINGS", "")  # which the gateway sets for its handlers
    return AsgiClient(application(Gateway(WIRING, KEY, text), None, pytest.fail, now))


@pytest.mark.parametrize("method", ["OPTIONS", "GET"])
@pytest.mark.parametrize(
    ("allowed", "origin", "answered"),
    [
        (["*"], "https://a.example", "*"),
        (["https://a.example"], "https://a.example", "https://a.example"),
        (["https://a.example"], "https://b.example", "https://a.example"),
        (["https://a.example", "https://b.example"], "https://b.example", "https://b.example"),
        (["https://a.example", "https://b.example"], "https://c.example", "https://a.example"),
    ],
    ids=["every origin", "one", "another than the one", "one of two", "none of two"],
)
def test_preflight_and_answer_allow_the_same_origins(
    method: str,
    allowed: list[str],
    origin: str,
    answered: str,
    session_store: Store,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those of `allowed_origins`; where the answer depends on the origin, caches are told so."""
    client = in_process(session_store, monkeypatch, allowed_origins=allowed)
    answer = client.request(method, "/track", params=EVENT, headers={"origin": origin})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == answered
    assert answer.headers.get("vary") == (None if allowed == ["*"] else "Origin")


def test_guessing_the_key_is_slowed_down(
    session_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After ten wrong keys even the right one is not tried before the pause is over."""
    times = [1000.0]
    client = in_process(session_store, monkeypatch, lambda: times[-1])

    def status(key: str | None) -> int:
        headers = {} if key is None else {"x-api-key": key}
        answer = client.get("/experiments", headers=headers)
        assert ("retry-after" in answer.headers) == (answer.status_code == 429)
        return answer.status_code

    assert [status(key) for key in (None,) * 20 + (KEY,) * 20] == [403] * 20 + [200] * 20
    assert [status(key) for key in ("wrong",) * 11 + (KEY, None)] == [403] * 10 + [429, 429, 403]
    times.append(1006.0)
    assert [status(key) for key in (KEY, KEY, "wrong")] == [200, 200, 403]


@pytest.mark.parametrize("key", ["", " ", "two words", "schlüssel"], ids=repr)
def test_an_invalid_key_is_refused(key: str) -> None:
    """An empty one would open the API to everybody."""
    with pytest.raises(GimelError, match="The API key is empty or contains invalid characters"):
        Gateway(WIRING, key, "{}")


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("?namespace=nowhere", 200, "<bdi>nowhere</bdi>"),
        (f"?namespace={'x' * 201}", 502, "namespace is longer than 200 characters"),
        ("/experiment?name=%00%1b%5b2J", 502, "control character"),
    ],
    ids=["empty namespace", "long", "control characters"],
)
def test_the_dashboard_reads_through_the_handlers(
    path: str,
    status: int,
    words: str,
    session_store: Store,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What they refuse is explained on the page."""
    client = in_process(session_store, monkeypatch)
    client.post("/dashboard/sign-in", data={"key": KEY})
    answer = client.get(f"/dashboard{path}")
    assert (answer.status_code, words in answer.text) == (status, True), answer.text


def test_the_dashboard_says_that_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """So does the demo page, which is there all the same."""
    nowhere = Store(free_port(), Path(), None)  # type: ignore[arg-type]
    client = in_process(nowhere, monkeypatch)
    client.post("/dashboard/sign-in", data={"key": KEY})
    page = client.get("/dashboard")
    assert page.status_code == 502
    assert "Redis cannot be reached.</strong> Check that it is running." in page.text
    assert client.get("/").status_code == 200
    answer = client.get("/demo/live")
    assert (answer.status_code, answer.text) == (
        503,
        "Redis cannot be reached. Check that it is running.",
    )
