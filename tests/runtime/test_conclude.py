"""`gimel.delete` with `conclude` and `reopen`, and `gimel.all` with `concluded`."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
import redis

import gimel
from gimel.runtime import process
from gimel.runtime.concluded import tidy
from gimel.runtime.errors import BadRequest
from gimel.runtime.redis.client import Client
from tests.support.events import EVENT, OK, Configure, ignored, read, rest
from tests.support.redis_content import snapshot
from tests.support.sending import send, send_batch

RECORD = {"winner": "red", "note": "It sells more.", "verdict": {"kind": "winner"}, "visitors": 3}
CONCLUDED = ignored("experiment concluded")
DAY = 86_400


def conclude(experiment: str = "button", **record: Any) -> Any:
    return gimel.delete({"conclude": experiment, "record": json.dumps({**RECORD, **record})})


def reopen(experiment: str = "button") -> Any:
    return gimel.delete({"reopen": experiment})


def concluded(**query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = gimel.all({"concluded": "true", **query})[1:]
    return items


def visitors() -> dict[str, int]:
    """Return the visitors of each experiment that is listed."""
    return {
        item["experiment"]: sum(row["trials"] for row in item["participants"])
        for item in gimel.all({})[1:]
    }


@contextlib.contextmanager
def later(days: float) -> Iterator[None]:
    """Let it be some days later, for a new process."""
    with mock.patch.object(time, "time", return_value=time.time() + days * DAY):
        process.forget()
        yield
    process.forget()


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
def test_events_are_ignored(gimel_store: redis.Redis, is_known: bool) -> None:
    """Later events of a counter, known to the process or not, are ignored with that reason."""
    send()
    assert conclude() == {"status": "ok", "concluded": 1}
    if not is_known:
        process.forget()

    assert send(uuid="later") == CONCLUDED
    assert send(uuid="later", variant="new") == CONCLUDED
    assert send(uuid="later") == CONCLUDED

    assert visitors() == {}
    assert concluded()[0]["ignored"] == {"experiment concluded": 3}


def test_batch(gimel_store: redis.Redis) -> None:
    """The events of other experiments in a batch are counted."""
    send()
    conclude()
    events = [{**EVENT, "uuid": "2"}, {**EVENT, "experiment": "banner"}]

    _, body = read(gimel.track(rest("POST", body=json.dumps(events)), None))

    assert body["events"] == [CONCLUDED, OK]


def test_record(gimel_store: redis.Redis) -> None:
    """What is kept is the record with its time, and the counts as the last point of the history."""
    send_batch(*({"uuid": str(n), "event": e} for n in range(3) for e in ("participate", "buy")))
    before = int(time.time())
    conclude()

    (found,) = concluded()
    record, history = found["concluded"], found["history"]

    assert before <= record.pop("at") <= time.time()
    assert record == RECORD
    assert found["since"] <= before
    assert history["columns"] == [["buy", "red", "16"], ["participate", "red", "16"]]
    assert [point[1:] for point in history["points"]] == [[3, 3]]


def test_last_point_on_a_day_with_another(gimel_store: redis.Redis) -> None:
    """A point that was written earlier on the same day does not keep the last counts away."""
    send()
    gimel.all({"history": "true"})
    send(uuid="2")
    conclude()

    assert [point[1:] for point in concluded()[0]["history"]["points"]] == [[1], [2]]


def test_not_listed(gimel_store: redis.Redis) -> None:
    """Concluded experiments are not among the others; asked for by name, one is unknown."""
    send()
    send(experiment="banner")
    conclude()
    gimel_store.sadd("alephbet:experiments", "button")  # as an event that died may leave it

    assert visitors() == {"banner": 1}
    assert gimel.all({"scope": "button"})[1]["participants"] == []
    assert gimel.all({"scope": "button"})[1]["since"] is None
    assert gimel.experiment({"experiment": "button"}) == []
    assert [item["experiment"] for item in concluded()] == ["button"]
    assert concluded(scope="banner") == []
    assert not gimel_store.sismember("alephbet:experiments", "button")


def test_reopen(gimel_store: redis.Redis) -> None:
    """Reopening restores every key and its counts; then events are counted again."""
    send_batch({}, {"uuid": "2"}, {"variant": "blue"})
    visitors()  # Redis caches a count beside it
    before = snapshot(gimel_store)
    conclude()

    assert reopen() == {"status": "ok", "reopened": 2}

    after = snapshot(gimel_store)
    after["alephbet:button:meta"].pop(b"history", None)
    assert after == before
    assert send(uuid="3") == OK
    assert visitors() == {"button": 4}
    assert concluded() == []


@pytest.mark.parametrize("precision", [1, 4])
def test_reopen_after_a_known_event(
    gimel_store: redis.Redis, configure: Configure, precision: int
) -> None:
    """What a process adds before it notices the end is deleted with the experiment."""
    configure(precision=precision)
    send()
    conclude()
    send(uuid="2")

    reopen()
    gimel.delete({"experiment": "button"})

    assert snapshot(gimel_store) == {}


def test_reopen_too_late(gimel_store: redis.Redis) -> None:
    """After seven days the counters are deleted, and the record says what was learned."""
    send()
    conclude()
    with later(7.1):
        assert [item["experiment"] for item in concluded()] == ["button"]
        assert sorted(snapshot(gimel_store)) == [
            "alephbet:button:meta",
            "alephbet:concluded",
            "gimel:namespaces",
        ]
        with pytest.raises(BadRequest, match="more than 7 days ago"):
            reopen()
        assert send() == CONCLUDED


def test_kept_for_seven_days(gimel_store: redis.Redis) -> None:
    """Until then, looking at the past deletes nothing."""
    send()
    conclude()
    with later(6.9):
        concluded()
        reopen()

    assert visitors() == {"button": 1}


def test_deleted_by_the_daily_snapshot(gimel_store: redis.Redis) -> None:
    """The daily snapshot deletes the counters, also in a namespace without other experiments."""
    send()
    conclude()
    with later(8):
        gimel.snapshot({}, None)

    assert not [key for key in snapshot(gimel_store) if ":counters:" in key]


def test_concluded_again_while_it_is_tidied(gimel_store: redis.Redis) -> None:
    """The final history of the second conclusion is not taken for a leftover of the first one."""
    send()
    gimel_store.sadd("alephbet:concluded", "button")  # a reopening was interrupted
    read = Client.read
    reading: Any = mock.patch.object(Client, "read", autospec=True)

    def conclude_afterwards(self: Client, commands: Any) -> Any:
        replies = read(self, commands)
        reading.stop()
        send(uuid="2")
        conclude()
        return replies

    with mock.patch("gimel.runtime.concluded._names", return_value={"button"}):
        reading.start().side_effect = conclude_afterwards
        tidy(process.current().redis, "alephbet", int(time.time()))

    (item,) = concluded()
    assert [point[1:] for point in item["history"]["points"]] == [[2]]


def test_delete(gimel_store: redis.Redis) -> None:
    """Deleting a concluded experiment removes its record too, and it may begin again."""
    send()
    conclude()
    send(uuid="2")

    answer = gimel.delete({"experiment": "button"})

    assert answer == {"status": "ok", "deleted": 1, "concluded": True}
    assert not [key for key in snapshot(gimel_store) if "button" in key]
    assert send() == OK


def test_twice(gimel_store: redis.Redis) -> None:
    """The same request again is not an error, another record is one."""
    send()
    conclude()

    assert conclude() == {"status": "ok", "concluded": 1}
    with pytest.raises(BadRequest, match="already concluded"):
        conclude(note="another")

    assert concluded()[0]["concluded"]["note"] == RECORD["note"]


def test_unknown(gimel_store: redis.Redis) -> None:
    """An experiment that does not exist cannot be concluded or reopened, and none is created."""
    assert conclude() == {"status": "ok", "concluded": 0}
    with pytest.raises(BadRequest, match="is not concluded"):
        reopen()
    assert snapshot(gimel_store) == {}


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("no JSON", "must be a JSON object"),
        ("[]", "must be a JSON object"),
        (None, "must be a JSON object"),
        ('{"at": 5}', "unknown field 'at'"),
        ('{"note": 5}', "note of the wrong type"),
        ('{"visitors": true}', "visitors of the wrong type"),
        ('{"visitors": NaN}', "character or number"),
        ('{"note": "\\ud800"}', "character or number"),
        (json.dumps({"note": "x" * 2100}), "it may have 2048"),
        (json.dumps({"note": "ä" * 1100}), "it may have 2048"),
    ],
)
def test_invalid_record(gimel_store: redis.Redis, record: str | None, message: str) -> None:
    """A record that is not valid is refused, and the experiment continues."""
    send()

    status, body = read(
        gimel.delete(rest("DELETE", query={"conclude": "button", "record": record}), None)
        if record is not None
        else gimel.delete(rest("DELETE", query={"conclude": "button"}), None)
    )

    assert status == 400
    assert message in body["error"]
    assert send(uuid="2") == OK


def test_experiment_of_1_5_0(gimel_store: redis.Redis) -> None:
    """One that has no time and precision is concluded and reopened as it was."""
    key = "alephbet:counters:old:participate:red"
    gimel_store.sadd("alephbet:experiments", "old")
    gimel_store.sadd("alephbet:counter_keys", key)
    gimel_store.sadd("alephbet:old:counter_keys", key)
    gimel_store.pfadd(key, "1", "2")

    conclude("old")
    assert send(experiment="old") == CONCLUDED
    reopen("old")
    assert send(experiment="old", uuid="3") == OK

    assert visitors() == {"old": 3}
    assert not gimel_store.hexists("alephbet:old:meta", "since")


def test_pages(gimel_store: redis.Redis) -> None:
    """A large answer has pages."""
    for name in "abc":
        send(experiment=name)
        conclude(name)
    with mock.patch("gimel.runtime.concluded._PAGE", 15_000):
        head, *first = gimel.all({"concluded": "true"})
        page = head["meta"]["next"]
        head, *second = gimel.all({"concluded": "true", "page": page})

    assert [item["experiment"] for item in first + second] == ["a", "b"]
    assert head["meta"]["next"] == "c"
