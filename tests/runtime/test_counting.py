"""Where an event is counted: the keys that it writes, and what happens if they are occupied."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import redis

import gimel
from tests.support.events import EVENT, OK, Configure, ignored, read, rest
from tests.support.foreign import REFUSED, Put
from tests.support.redis_content import count, snapshot, without_notes

UNREADABLE = ignored("counter unreadable")


@pytest.mark.parametrize("precision", [1, 4, 16, 64, 256])
def test_keys(gimel_store: redis.Redis, configure: Configure, precision: int) -> None:
    """An event writes the documented keys and no others; names have `:` and `%` encoded."""
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
    assert since.keys() == {b"since", b"precision"}
    assert since[b"precision"] == b"%d" % precision


class TestOccupied:
    """The key of a counter of precision 1 is 1.5.0's own, and may hold something else."""

    @pytest.mark.parametrize("put", REFUSED.values(), ids=REFUSED)
    def test_counted_beside(self, store: redis.Redis, configure: Configure, put: Put) -> None:
        """An event is counted beside it, and results show both."""
        configure(precision=1)
        put(store, "alephbet:counters:button:participate:red")

        assert gimel.track(EVENT) == OK
        _, button = gimel.all({})
        assert button["participants"] == [
            {"label": "red", "trials": 1, "trials_by_precision": {"1": 1}}
        ]
        assert button["unreadable"] == 1

    def test_occupied_beside(self, store: redis.Redis, configure: Configure) -> None:
        """Where the key beside it is occupied too, the event is ignored and says so."""
        configure(precision=1)
        key = "alephbet:counters:button:participate:red"
        store.set(key, "41")
        store.set(f"{key}::1:0", "text")

        assert gimel.track(EVENT) == UNREADABLE
        assert store.get(key) == b"41"
        assert store.get(f"{key}::1:0") == b"text"


@pytest.fixture(params=[4, 16], ids="precision {}".format)
def shard(
    request: pytest.FixtureRequest, store: redis.Redis, configure: Configure
) -> Callable[[str], str]:
    """Return the shard of a uuid in the counter of EVENT, with the runtime at that precision."""
    precision: int = request.param
    configure(precision=precision)

    def shard(uuid: str) -> str:
        number = zlib.crc32(uuid.encode()) % precision
        return f"alephbet:counters:button:participate:red::{precision}:{number}"

    return shard


class TestUnreadableShard:
    """One shard of a counter holds something that is not a count."""

    @pytest.mark.parametrize("put", REFUSED.values(), ids=REFUSED)
    def test_its_events(self, store: redis.Redis, shard: Callable[[str], str], put: Put) -> None:
        """Its events are ignored with a reason, so that the client stops resending them."""
        put(store, shard(EVENT["uuid"]))
        before = store.dump(shard(EVENT["uuid"]))

        answer = gimel.track(rest(query=EVENT), None)

        assert read(answer) == (200, UNREADABLE)
        assert store.dump(shard(EVENT["uuid"])) == before

    def test_other_events_of_the_batch(
        self, store: redis.Redis, shard: Callable[[str], str]
    ) -> None:
        """Other events of the same batch are counted, whether of the same counter or of others."""
        uuids = [f"visitor-{n}" for n in range(20)]
        store.set(shard(uuids[0]), "text")
        lost = [uuid for uuid in uuids if shard(uuid) == shard(uuids[0])]
        batch: list[dict[str, str]] = [{**EVENT, "uuid": uuid} for uuid in uuids]
        batch.append({**EVENT, "variant": "blue"})

        status, body = read(gimel.track(rest("POST", body=json.dumps(batch)), None))

        assert 1 <= len(lost) < len(uuids)
        assert status == 200
        assert body["events"] == [*(UNREADABLE if uuid in lost else OK for uuid in uuids), OK]
        counted = {uuid for uuid in uuids if uuid not in lost}
        assert all(store.pfadd(shard(uuid), uuid) == 0 for uuid in counted)

    def test_the_owner_sees_it(
        self,
        store: redis.Redis,
        shard: Callable[[str], str],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Results report the unreadable counter and the ignored events; the log has the reason."""
        store.set(shard(EVENT["uuid"]), "text")

        gimel.track(EVENT)
        gimel.track(EVENT)

        _, button = gimel.all({})
        assert (button["unreadable"], button["ignored"]) == (1, {"counter unreadable": 2})
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
        assert [line["error"] for line in lines] == ["WrongTypeError"] * 2
        assert EVENT["uuid"] not in str(lines)

    def test_a_limit_does_not_delete_it(
        self, store: redis.Redis, shard: Callable[[str], str], configure: Configure
    ) -> None:
        """A counter that a limit would remove stays if it holds what Gimel did not write."""
        uuids = [f"visitor-{n}" for n in range(20)]
        store.set(shard(uuids[0]), "text")
        precision = int(shard("").split("::")[1].split(":")[0])
        configure(precision=precision, limits={"counters": 0})

        batch = [{**EVENT, "uuid": uuid} for uuid in uuids]
        gimel.track(rest("POST", body=json.dumps(batch)), None)

        assert store.get(shard(uuids[0])) == b"text"

    def test_repaired(self, store: redis.Redis, shard: Callable[[str], str]) -> None:
        """Once the foreign value is removed, events are counted again."""
        store.set(shard(EVENT["uuid"]), "text")
        assert gimel.track(EVENT) == UNREADABLE

        store.delete(shard(EVENT["uuid"]))

        assert gimel.track(EVENT) == OK
        assert gimel.all({})[1]["participants"][0]["trials"] == 1


@pytest.mark.parametrize(
    "key", ["alephbet:experiments", "alephbet:counter_keys", "alephbet:button:counter_keys"]
)
def test_an_unreadable_index(gimel_store: redis.Redis, key: str) -> None:
    """While an index holds something else, nothing could be found again: the answer is a 503."""
    gimel_store.set(key, "text")

    assert gimel.track(rest(query=EVENT), None)["statusCode"] == 503

    gimel_store.delete(key)
    assert gimel.track(EVENT) == OK
    assert count(gimel_store, "button", "participate", "red") == 1


def test_a_limit_removes_nothing_that_gimel_did_not_write(
    store: redis.Redis, configure: Callable[..., None]
) -> None:
    """An integer of Lamed's under a counter's key survives an event that a limit refuses."""
    configure(precision=1, limits={"counters_per_experiment": 1})
    gimel.track({**EVENT, "event": "first"})
    key = "alephbet:counters:button:second:red"
    store.set(key, 41)

    assert gimel.track({**EVENT, "event": "second"}) == ignored("limit reached")
    assert store.get(key) == b"41"


def test_a_listed_integer_of_lamed(store: redis.Redis, configure: Configure) -> None:
    """Where no counter fits beside a listed integer of Lamed's, the event is refused; both stay."""
    configure(precision=1, limits={"counters": 1})
    plain = "alephbet:counters:button:participate:red"
    store.set(plain, 41)
    for index in ("alephbet:counter_keys", "alephbet:button:counter_keys"):
        store.sadd(index, plain)
    store.sadd("alephbet:experiments", "button")
    store.sadd("gimel:namespaces", "alephbet")
    before = snapshot(store)

    answer: Any = gimel.track(EVENT)

    assert answer == ignored("limit reached")
    assert without_notes(snapshot(store)) == before
