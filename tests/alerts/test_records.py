"""What was sent, in a real store."""

from __future__ import annotations

import pytest
import redis

import gimel
from gimel.alerts.conditions import Observation
from gimel.alerts.records import Records
from gimel.alerts.watch import Watched
from gimel.runtime import process

NAMES = ["e", "größe: 100%"]


@pytest.fixture
def records(gimel_store: redis.Redis) -> Records:
    for namespace in NAMES:
        for name in NAMES:
            event = {"namespace": namespace, "experiment": name, "variant": "v", "uuid": "u"}
            gimel.track({**event, "event": "participate"})
    return Records(process.current().redis)


def watched(store: redis.Redis, namespace: str, name: str | None) -> Watched:
    keys = [part.replace("%", "%25").replace(":", "%3A") for part in (namespace, name or "")]
    began = store.hget(f"{keys[0]}:{keys[1]}:meta", "since")
    text = began.decode() if isinstance(began, bytes) else None
    return Watched(namespace, name, text, Observation({}))


def test_what_is_written_is_read(gimel_store: redis.Redis, records: Records) -> None:
    """Whatever the names, for experiments and for their namespace, and per receiver."""
    all_of_them = [watched(gimel_store, n, e) for n in NAMES for e in (*NAMES, None)]
    texts = [f"text {number}" for number, _ in enumerate(all_of_them)]

    assert records.write("webhook", zip(all_of_them, texts, strict=True)) == set()

    assert records.read("webhook", all_of_them) == texts
    assert records.read("sns", all_of_them) == [None] * len(texts)


@pytest.mark.parametrize("change", ["deleted", "begun again", "never there", "no namespace"])
def test_nothing_is_left_where_the_experiment_is_gone(
    gimel_store: redis.Redis, records: Records, change: str
) -> None:
    """One that began again since the snapshot is another one."""
    gone, other = (watched(gimel_store, "e", name) for name in NAMES)
    if change == "deleted":
        gimel.delete({"namespace": "e", "experiment": "e"})
    elif change == "begun again":
        gimel_store.hset("e:e:meta", "since", "12345")
    elif change == "never there":
        gone = Watched("e", "x", None, Observation({}))
    else:
        gone = Watched("x", None, None, Observation({}))
    before = {key: gimel_store.type(key) for key in gimel_store.scan_iter()}

    assert records.write("webhook", [(gone, "text"), (other, "text")]) == {gone}

    assert {key: gimel_store.type(key) for key in gimel_store.scan_iter()} == before
    assert records.read("webhook", [gone, other]) == [None, "text"]


def test_an_experiment_that_is_concluded_keeps_what_was_sent(
    gimel_store: redis.Redis, records: Records
) -> None:
    """It is sent nothing more, and after reopening nothing twice."""
    concluded = watched(gimel_store, "e", "e")
    gimel.delete({"namespace": "e", "conclude": "e", "record": {}})

    assert records.write("webhook", [(concluded, "text")]) == {concluded}

    assert records.read("webhook", [concluded]) == ["text"]
