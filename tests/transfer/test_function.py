"""Exports and imports whose commands a function executes: what it takes, returns and refuses."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

import gimel
from gimel.runtime.errors import ConnectionFailed, WrongTypeError
from gimel.transfer import function
from gimel.transfer.function import RemoteClient, execute
from tests.support.moving import counted, export_from, import_into, process_of, send
from tests.support.redis_content import Contents
from tests.support.servers import Store, free_port


class Function:
    """A function in the network of a store: what goes in and comes out is JSON."""

    def __init__(self, port: int) -> None:
        self.process = process_of(port)
        self.longest = 0
        self.calls = 0

    def __call__(self, event: dict[str, Any]) -> Any:
        answer = json.dumps(execute(json.loads(json.dumps(event))["transfer"], self.process))
        self.calls += 1
        self.longest = max(self.longest, len(json.dumps(event)), len(answer))
        return json.loads(answer)


@pytest.fixture
def functions(
    session_store: Store, store: redis.Redis, other_store: Store, target: redis.Redis
) -> Iterator[tuple[Function, Function]]:
    made = Function(session_store.port), Function(other_store.port)
    yield made
    for each in made:
        each.process.redis.close()


@pytest.mark.parametrize("most", [function.MOST, 4000], ids=["usual", "short"])
def test_everything_is_moved_through_functions(
    before: Contents,
    functions: tuple[Function, Function],
    target: redis.Redis,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
) -> None:
    """Again, too, where it is merged; what is too long for one call is split."""
    monkeypatch.setattr(function, "MOST", most)
    source, destination = functions
    export_from(RemoteClient(source), tmp_path / "file")
    assert import_into(RemoteClient(destination), tmp_path / "file").new == 5
    assert counted(target) == before
    send(destination.process, "button", "d1")
    changed = counted(target)
    for _ in range(2):
        assert import_into(RemoteClient(destination), tmp_path / "file").merged == 5
        assert counted(target) == changed
    assert source.longest < most + 500 if most < function.MOST else source.calls < 40


@pytest.mark.parametrize("words", [("FLUSHALL",), ("KEYS", "*"), ("EVAL", "return 1", "0")])
def test_other_commands_are_refused(functions: tuple[Function, Function], words: list[str]) -> None:
    """The function executes what an export or an import needs."""
    encoded = [b64encode(word.encode()).decode() for word in words]
    with pytest.raises(ValueError, match="not part of an export or import"):
        functions[0]({"transfer": {"commands": [encoded], "idempotent": True}})


def test_replies_keep_their_types(functions: tuple[Function, Function], store: redis.Redis) -> None:
    """Those of one server, in their order."""
    store.sadd("set", "a", b"\xff")
    remote = RemoteClient(functions[0])
    replies = remote.execute(
        [
            ("SCARD", "set"),
            ("GET", "set"),
            ("GET", "none"),
            ("SET", "text", b"\x00"),
            ("GET", "text"),
            ("SSCAN", "set", 0),
        ]
    )
    assert replies[0] == 2
    assert isinstance(replies[1], WrongTypeError)
    assert replies[2:5] == [None, "OK", b"\x00"]
    assert isinstance(replies[5], list)
    assert sorted(replies[5][1]) == [b"a", b"\xff"]  # type: ignore[arg-type, type-var]
    assert remote.in_order([("SADD", "s", "a")], [("SCARD", "s")]) == ([1], [1])
    assert remote.execute([]) == []


def test_a_reply_that_is_too_long_is_an_error(
    functions: tuple[Function, Function], store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where splitting does not help."""
    monkeypatch.setattr(function, "MOST", 100)
    store.set("text", b"x" * 200)
    with pytest.raises(ConnectionFailed, match="too long"):
        RemoteClient(functions[0]).execute([("GET", "text"), ("GET", "none")])


def test_a_redis_that_fails_is_an_error_of_the_client() -> None:
    """With the function's own message."""
    unreachable = Function(free_port())
    with pytest.raises(ConnectionFailed, match="no connection to Redis at 127"):
        RemoteClient(unreachable).execute([("GET", "a")])


def test_the_function_of_the_snapshots_executes_them(
    gimel_store: redis.Redis, configure: Callable[..., None]
) -> None:
    """And takes no snapshot then."""
    configure(redis={"host": "127.0.0.1", "port": gimel_store.get_connection_kwargs()["port"]})
    assert RemoteClient(lambda event: gimel.snapshot(event)).execute([("SCARD", "a")]) == [0]
