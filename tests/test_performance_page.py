"""The benchmarks behind docs/performance.md: what they compare does the same work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import redis

import gimel
from benchmarks.competitors import THIS, Row, compile_client, fill, send_blocking, setups
from benchmarks.event_path import C_CLIENTS, EVENTS, FIRST, four_commands, visitors
from benchmarks.performance import PAGE, insert, table
from benchmarks.reading import GOALS, VARIANT_NAMES, VISITORS, Content, goal_names
from tests.support.events import OK, read, rest
from tests.support.redis_content import Contents, snapshot
from tests.support.servers import Store


def counters(store: redis.Redis) -> Contents:
    """Return the HyperLogLogs and the indexes of counters."""
    return {
        key: content
        for key, content in snapshot(store).items()
        if ":counters:" in key or key.endswith(":counter_keys")
    }


def test_the_table_replaces_what_was_measured_before() -> None:
    """The new table is between the markers of the page, once, and the text around it stays."""
    page = PAGE.read_text("utf-8")

    twice = insert(insert(page, "old figures"), table([Row("warm `track`", "3.3x", "60 µs")]))

    assert "| warm `track` | 3.3x | 60 µs |" in twice
    assert "old figures" not in twice
    assert insert(twice, "") == insert(page, "")


@pytest.mark.parametrize("commands", C_CLIENTS)
def test_the_c_client_does_the_work_of_track(
    gimel_store: redis.Redis, session_store: Store, tmp_path: Path, commands: str
) -> None:
    """The C client leaves the same counters in the store as `track` with the same events."""
    uuids = visitors(200)
    for uuid in (FIRST["uuid"], *uuids):
        query = {**FIRST, "uuid": uuid}
        answer = gimel.track({**EVENTS[THIS], "queryStringParameters": query})
        assert read(answer) == (200, OK)
    tracked = counters(gimel_store)
    gimel_store.flushall()

    fill(session_store, four_commands(FIRST["uuid"]))
    requests = [C_CLIENTS[commands](uuid) for uuid in uuids]
    send_blocking(compile_client(tmp_path), requests, session_store, setups()[0])

    assert counters(gimel_store) == tracked


@pytest.mark.parametrize("precision", [1, 16])
def test_the_content_to_read_is_what_track_would_have_written(
    gimel_store: redis.Redis, session_store: Store, configure: Callable[..., None], precision: int
) -> None:
    """The counters that the benchmark fills directly are those of as many events."""
    configure(precision=precision)
    for event in goal_names(GOALS):
        for variant in VARIANT_NAMES:
            for uuid in VISITORS:
                names = {"namespace": "n", "experiment": "experiment-0", "event": event}
                gimel.track(rest(query={**names, "variant": variant, "uuid": uuid}))
    tracked = counters(gimel_store)
    gimel_store.flushall()

    fill(session_store, Content("n", 1, precision, VISITORS).commands())

    assert counters(gimel_store) == tracked
