"""The functions that `gimel deploy` uploads, run by AWS Lambda's own runtime client."""

from __future__ import annotations

import dataclasses
import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

import gimel
from gimel import config
from gimel.deploy.desired import DesiredFunction, desired_state
from gimel.wiring import HANDLERS
from tests.support.events import EVENT, rest, url
from tests.support.redis_content import count, snapshot
from tests.support.sandbox import running
from tests.support.servers import Store, free_port

Function = Callable[..., DesiredFunction]

OPTIONAL = [
    {
        "lambda": {"FunctionName": "gimel-experiment", "Handler": "gimel.experiment"},
        "api_gateway": {
            "pathPart": "experiment",
            "method": {"httpMethod": "GET", "apiKeyRequired": True},
        },
    },
    {"lambda": {"FunctionName": "gimel-track", "Handler": "gimel.track"}, "function_url": True},
]
METHOD = {"gimel.delete": "DELETE"}  # of the others it is GET
BOUGHT = rest("POST", body=json.dumps([EVENT, {**EVENT, "event": "bought"}]))
COUNTED = (200, {"status": "ok"})


@pytest.fixture
def function(tmp_path: Path, session_store: Store, store: redis.Redis) -> Function:
    """Return a handler's function as `gimel deploy` makes it. By default `redis` is the store."""

    def function(
        handler: str, redis: dict[str, Any] | None = None, **changes: Any
    ) -> DesiredFunction:
        file = tmp_path / "config.json"
        redis = redis or {"host": "127.0.0.1", "port": session_store.port}
        file.write_text(json.dumps({"redis": redis, "extra_wiring": OPTIONAL}))
        (found,) = [
            each
            for each in desired_state(config.load(file)).functions
            if each.configuration.handler == handler
        ]
        return dataclasses.replace(
            found, configuration=dataclasses.replace(found.configuration, **changes)
        )

    return function


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(rest(query=EVENT), id="API, GET"),
        pytest.param(rest("POST", body=json.dumps(EVENT)), id="API, POST"),
        pytest.param(url(query=EVENT), id="function URL, GET"),
        pytest.param(url("POST", body=json.dumps(EVENT)), id="function URL, POST"),
    ],
)
def test_an_event_is_counted(
    function: Function, store: redis.Redis, tmp_path: Path, event: dict[str, Any]
) -> None:
    """Each gateway's event is answered 200 and counted once, and nothing is logged."""
    with running(function("gimel.track"), tmp_path) as track:
        assert [track.answer(event), track.answer(event)] == [COUNTED, COUNTED]
        assert track.log == ""

    assert count(store, "button", "participate", "red") == 1


@pytest.mark.parametrize(
    ("handler", "goals"),
    [
        pytest.param("gimel.all", lambda body: body[1]["goals"], id="all"),
        pytest.param("gimel.experiment", lambda body: body, id="experiment"),
    ],
)
def test_counts_are_read(
    function: Function,
    gimel_store: redis.Redis,
    tmp_path: Path,
    handler: str,
    goals: Callable[[Any], Any],
) -> None:
    """The reading functions answer what was counted."""
    gimel.track(BOUGHT)

    with running(function(handler), tmp_path) as reading:
        status, body = reading.answer(rest(query={"experiment": "button"}))

    (goal,) = goals(body)
    (red,) = goal["results"]
    assert (status, goal["goal"], red["successes"], red["trials"]) == (200, "bought", 1, 1)


def test_an_experiment_is_deleted(
    function: Function, gimel_store: redis.Redis, tmp_path: Path
) -> None:
    """The delete function leaves nothing of an experiment in the store."""
    gimel.track(BOUGHT)

    with running(function("gimel.delete"), tmp_path) as delete:
        answer = delete.answer(rest("DELETE", {"experiment": "button"}))

    assert answer == (200, {"status": "ok", "deleted": 2})
    assert snapshot(gimel_store) == {}


def test_a_direct_invocation_returns_the_value_or_the_error(
    function: Function, tmp_path: Path
) -> None:
    """`aws lambda invoke` gets the plain value, or the error of the handler as the function's."""
    with running(function("gimel.track"), tmp_path) as track:
        counted = track.invoke(EVENT)
        malformed = track.invoke({**EVENT, "uuid": ""})

    assert (counted.kind, counted.value) == ("response", {"status": "ok"})
    assert (malformed.kind, malformed.value["errorType"]) == ("error", "BadRequest")
    assert "uuid" in malformed.value["errorMessage"]


@pytest.mark.parametrize("handler", HANDLERS)
def test_nothing_but_the_standard_library_is_needed(
    function: Function, tmp_path: Path, handler: str
) -> None:
    """Until the first answer, only the zip, the runtime client and the standard library load."""
    event = rest(METHOD.get(handler, "GET"), query=EVENT)

    with running(function(handler), tmp_path, PYTHONPROFILEIMPORTTIME="1") as sandbox:
        status, _ = sandbox.answer(event)
        imported = [line.split("|")[-1].strip() for line in sandbox.log.splitlines()]

    since_the_client = {
        name.split(".")[0] for name in imported[imported.index("awslambdaric.bootstrap") :]
    }
    assert status == 200
    assert since_the_client - sys.stdlib_module_names == {"awslambdaric", "gimel"}


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(None, id="missing"),
        pytest.param('{"redis": {"port": PORT, "password": "hunter2"', id="cut short"),
        pytest.param('{"redis": "redis://:hunter2@127.0.0.1:PORT"}', id="redis as text"),
        pytest.param('{"redis": {"port": PORT}, "precision": "16"}', id="precision as text"),
    ],
)
def test_unusable_settings_count_nothing(
    function: Function,
    session_store: Store,
    store: redis.Redis,
    tmp_path: Path,
    settings: str | None,
) -> None:
    """The answer is a 5xx, so that the page keeps the event; the log quotes no password."""
    settings = settings and settings.replace("PORT", str(session_store.port))

    with running(function("gimel.track", settings=settings), tmp_path) as track:
        status, _ = track.answer(rest(query=EVENT))
        (line,) = track.log.splitlines()

    assert status in (500, 503)
    assert snapshot(store) == {}
    assert "GIMEL_SETTINGS" in json.loads(line)["message"]
    assert "hunter2" not in line


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_silent_store_is_given_up_in_time(
    function: Function, tmp_path: Path, handler: str
) -> None:
    """The answer is a 503 before Lambda ends the function, although the time-outs are longer."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        patient = {
            "host": "127.0.0.1",
            "port": silent.getsockname()[1],
            "socket_timeout": 60,
            "socket_connect_timeout": 60,
        }
        with running(function(handler, patient, timeout=1), tmp_path) as sandbox:
            status, _ = sandbox.answer(rest(METHOD.get(handler, "GET"), query=EVENT))

    assert status == 503


def test_the_log_has_a_line_per_failed_call(function: Function, tmp_path: Path) -> None:
    """Each call that counted nothing, also with a batch, logs one line of JSON without a uuid."""
    nowhere = {"host": "127.0.0.1", "port": free_port()}
    events = [rest(query=EVENT), url(query=EVENT), BOUGHT]

    with running(function("gimel.track", nowhere), tmp_path) as track:
        statuses = [track.answer(event)[0] for event in events]
        lines = [json.loads(line) for line in track.log.splitlines()]

    assert statuses == [503] * 3
    assert [(line["level"], line["error"]) for line in lines] == [("ERROR", "ConnectionFailed")] * 3
    assert EVENT["uuid"] not in track.log
