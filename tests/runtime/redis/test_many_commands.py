"""Reading much, in slices of bounded size, and what an error says about its command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import redis

from gimel.runtime import errors
from gimel.runtime.redis.client import SLICE, Client
from gimel.runtime.redis.resp import encode
from tests.support.clients import MakeClient
from tests.support.servers import Store


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[list[Any]]:
    """The replies of every call of any client."""
    made: list[list[Any]] = []
    execute = Client.execute

    def recorded(self: Client, commands: Sequence[Any], *, idempotent: bool = True) -> list[Any]:
        made.append(execute(self, commands, idempotent=idempotent))
        return made[-1]

    monkeypatch.setattr(Client, "execute", recorded)
    return made


def test_a_big_set_is_read_in_slices(
    store: redis.Redis, session_store: Store, client: MakeClient, trips: list[list[Any]]
) -> None:
    """Every member is found, and no reply holds many more than a slice."""
    members = {f"member {number}" for number in range(5 * SLICE)}
    store.sadd("big", *members)
    found = list(client(session_store.port).members(["big"]))
    assert {member for _, some in found for member in some} == members
    assert {key for key, _ in found} == {"big"}
    assert max(len(reply[1]) for (reply,) in trips) < 2 * SLICE
    assert len(trips) < 10


def test_sets_are_read_together(
    store: redis.Redis, session_store: Store, client: MakeClient, trips: list[list[Any]]
) -> None:
    """Small sets cost one trip; missing keys and those of another type have no members."""
    store.sadd("a", "1", "2", b"\xff is not text")
    store.sadd("b", "2")
    store.set("text", "value")
    found = client(session_store.port).members(["a", "missing", "text", "b"])
    assert [(key, sorted(some)) for key, some in found if some] == [("a", ["1", "2"]), ("b", ["2"])]
    assert len(trips) == 1
    assert list(client(session_store.port).members([])) == []


def test_many_commands_are_sent_in_slices(
    store: redis.Redis, session_store: Store, client: MakeClient, trips: list[list[Any]]
) -> None:
    """Each command gets its own reply, and no call has more commands than a slice."""
    store.set("text", "value")
    commands = [("ECHO", each) for each in range(3 * SLICE)] + [("SCARD", "text")]
    replies = client(session_store.port).stream(iter(commands))
    assert list(replies) == [*(b"%d" % each for each in range(3 * SLICE)), None]
    assert list(map(len, trips)) == [SLICE, SLICE, SLICE, 1]
    assert list(client(session_store.port).stream([])) == []


def test_slices_are_read_when_they_are_needed(
    store: redis.Redis, session_store: Store, client: MakeClient, trips: list[list[Any]]
) -> None:
    """A reader that stops early, as at the end of a page, asks for no more."""
    replies = client(session_store.port).stream(("ECHO", "x") for _ in range(10 * SLICE))
    assert next(replies) == b"x"
    assert len(trips) == 1


def test_another_type_of_value_reads_as_none(
    store: redis.Redis, session_store: Store, client: MakeClient
) -> None:
    """A key that Gimel did not write must not make results unreadable; other errors count."""
    store.set("text", "value")
    ours = client(session_store.port)
    assert ours.read([("SCARD", "text"), ("PFCOUNT", "text"), ("GET", "text")]) == [
        None,
        None,
        b"value",
    ]
    with pytest.raises(errors.ServerError, match="syntax error"):
        ours.read([("SCARD", "text"), ("SET", "text", "a", "what")])


@pytest.mark.parametrize("encoded", [False, True], ids=["words", "encoded"])
def test_an_error_names_the_command_and_its_key(
    store: redis.Redis, session_store: Store, client: MakeClient, encoded: bool
) -> None:
    """The first error is raised with command and key, and without what follows them: a uuid."""
    store.set("occupied", "text")
    commands: list[Any] = [("GET", "occupied"), ("PFADD", "occupied", "the-uuid"), ("SADD", "x")]
    if encoded:
        commands = [encode([command]) for command in commands]
    with pytest.raises(errors.WrongTypeError) as caught:
        client(session_store.port).run(commands)
    assert str(caught.value).endswith("(PFADD occupied)")
    assert "the-uuid" not in str(caught.value)
