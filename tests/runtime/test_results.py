"""`gimel.all` and `gimel.experiment`: counts are read as they are, whatever else is in Redis."""

from __future__ import annotations

from typing import Any

import pytest
import redis

import gimel
from gimel.runtime.errors import BadRequest
from tests.support.events import Configure, read, rest
from tests.support.foreign import FOREIGN, Put
from tests.support.redis_content import counter_id, shards, snapshot
from tests.support.sending import send, send_batch


def experiments(**parameters: str) -> dict[str, Any]:
    """Return what `all` answers, by experiment."""
    return {item["experiment"]: item for item in gimel.all(parameters)[1:]}


def trials(experiment: dict[str, Any]) -> dict[str, int]:
    """Return the number of participants of each variant."""
    return {item["label"]: item["trials"] for item in experiment["participants"]}


@pytest.fixture
def counted(gimel_store: redis.Redis) -> redis.Redis:
    """Three visitors of two variants, of whom one bought, and another experiment."""
    send_batch(
        {"uuid": "1"},
        {"uuid": "2", "variant": "blue"},
        {"uuid": "3"},
        {"uuid": "3", "event": "buy"},
        {"experiment": "banner"},
    )
    gimel_store.hset("alephbet:button:meta", "since", 1000)
    return gimel_store


class TestAnswers:
    """What a client reads."""

    def test_all(self, counted: redis.Redis) -> None:
        """`all` answers the meta item and then each experiment, sorted by name."""
        meta, banner, button = gimel.all({})

        assert meta == {"meta": {"scope": None, "ignored": {}, "next": None}}
        assert banner["experiment"] == "banner"
        assert button == {
            "experiment": "button",
            "goals": [
                {
                    "goal": "buy",
                    "results": [
                        {
                            "label": "blue",
                            "trials": 1,
                            "trials_by_precision": {"16": 1},
                            "successes": 0,
                            "successes_by_precision": {},
                        },
                        {
                            "label": "red",
                            "trials": 2,
                            "trials_by_precision": {"16": 2},
                            "successes": 1,
                            "successes_by_precision": {"16": 1},
                        },
                    ],
                }
            ],
            "participants": [
                {"label": "blue", "trials": 1, "trials_by_precision": {"16": 1}},
                {"label": "red", "trials": 2, "trials_by_precision": {"16": 2}},
            ],
            "since": 1000,
            "precision": 16,
            "ignored": {},
            "unreadable": 0,
        }

    def test_scope(self, counted: redis.Redis) -> None:
        """With a scope, `all` answers those experiments in that order, known or not."""
        meta, *items = gimel.all({"scope": "button,unknown"})

        assert meta["meta"]["scope"] == "button,unknown"
        assert [item["experiment"] for item in items] == ["button", "unknown"]
        assert items[0] == experiments()["button"]
        assert items[1]["participants"] == []

    def test_experiment(self, counted: redis.Redis) -> None:
        """`experiment` answers the goals of one experiment."""
        assert gimel.experiment({"experiment": "button"}) == experiments()["button"]["goals"]
        assert gimel.experiment({"experiment": "unknown"}) == []

    def test_namespaces(self, counted: redis.Redis) -> None:
        """A namespace has only the experiments of its events."""
        send(namespace="shop", experiment="basket")

        assert list(experiments(namespace="shop")) == ["basket"]
        assert list(experiments()) == ["banner", "button"]
        assert experiments(namespace="unknown") == {}

    def test_gateway(self, counted: redis.Redis) -> None:
        """A gateway's event is answered with the same value as JSON."""
        status, body = read(gimel.all(rest(query={"scope": "button"}), None))

        assert (status, body) == (200, gimel.all({"scope": "button"}))

    @pytest.mark.parametrize(
        ("scope", "error"),
        [
            pytest.param(7, "scope must be text", id="number"),
            pytest.param("a,,b", "scope is empty", id="empty name"),
            pytest.param("x" * 201, "scope is longer than 200 characters", id="too long"),
        ],
    )
    def test_malformed_scope(self, gimel_store: redis.Redis, scope: object, error: str) -> None:
        """A malformed scope is refused."""
        with pytest.raises(BadRequest, match=f"^{error}$"):
            gimel.all({"scope": scope})

    @pytest.mark.parametrize("precision", [1, 4, 64, 256])
    def test_precisions_add_up(self, gimel_store: redis.Redis, precision: int) -> None:
        """Counts of several precisions add up, and show their parts."""
        send_batch({"uuid": "1"}, {"uuid": "2"})
        other = counter_id("button", "participate", "red", precision)
        for index in ("alephbet:counter_keys", "alephbet:button:counter_keys"):
            gimel_store.sadd(index, other)
        gimel_store.pfadd(shards(other, precision)[0], "3")

        (red,) = experiments()["button"]["participants"]

        assert red["trials"] == 3
        assert red["trials_by_precision"] == {"16": 2, str(precision): 1}


class TestForeignContent:
    """Keys that hold something that Gimel did not write."""

    @pytest.mark.parametrize("put", FOREIGN.values(), ids=FOREIGN)
    @pytest.mark.parametrize("precision", [1, 4])
    def test_instead_of_a_count(
        self, store: redis.Redis, configure: Configure, put: Put, precision: int
    ) -> None:
        """`unreadable` reports a key that is not a count; other counters are not affected."""
        configure(precision=precision)
        send_batch({}, {"variant": "blue"})
        (key,) = (
            key
            for key, value in snapshot(store).items()
            if "participate:red" in key and isinstance(value, bytes)
        )
        store.delete(key)
        put(store, key)

        button = experiments()["button"]
        gimel.delete({"experiment": "button"})

        assert button["unreadable"] == 1
        assert trials(button) == {"blue": 1}
        assert snapshot(store) == {}

    @pytest.mark.parametrize("key", ["alephbet:button:meta", "alephbet:meta"])
    def test_instead_of_notes(self, gimel_store: redis.Redis, key: str) -> None:
        """Counts are answered without `since` and `ignored` where these cannot be read."""
        send()
        gimel_store.set(key, "something else")

        assert trials(experiments()["button"]) == {"red": 1}

    @pytest.mark.parametrize(
        "member",
        [b"\xff\xfe", b"alephbet:counters", b"alephbet:counters:e:g", b"", b"other:counters:e:g:v"],
    )
    def test_in_an_index(self, gimel_store: redis.Redis, member: bytes) -> None:
        """An index entry that cannot be a counter of this namespace changes no result."""
        send()
        before = gimel.all({})
        for index in (
            "alephbet:experiments",
            "alephbet:counter_keys",
            "alephbet:button:counter_keys",
        ):
            gimel_store.sadd(index, member)

        after = [item for item in gimel.all({}) if item.get("experiment") in (None, "button")]

        assert after == before


@pytest.mark.parametrize(
    ("field", "value"),
    [(b"\xff", b"x"), (b"x", b"\xff"), (b"ignored:bot", b"9" * 5000), (b"precision", b"9" * 5000)],
    ids=["field", "value", "number", "precision"],
)
def test_what_else_lies_in_a_meta_hash(
    gimel_store: redis.Redis, field: bytes, value: bytes
) -> None:
    """It does not hide or shift what Gimel noted."""
    send()
    gimel_store.hset("alephbet:button:meta", mapping={field: value, b"since": b"123"})

    (button,) = gimel.all({})[1:]

    assert button["since"] == 123
    assert button["ignored"] == {}
