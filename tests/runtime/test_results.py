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

        assert meta == {
            "meta": {
                "scope": None,
                "ignored": {},
                "next": None,
                "namespaces": ["alephbet"],
                "more_namespaces": False,
            }
        }
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


class TestListOfNamespaces:
    """What the first page says of the namespaces that exist."""

    def listed(self, **parameters: str) -> tuple[list[str] | None, bool]:
        meta = gimel.all(parameters)[0]["meta"]
        return meta["namespaces"], meta["more_namespaces"]

    def test_all_are_listed(self, gimel_store: redis.Redis) -> None:
        """By name, whatever is asked for; a deleted one is gone."""
        assert self.listed() == ([], False)
        for name in ("shop", "größe: 1%", "alephbet"):
            send(namespace=name)
        names = ["alephbet", "größe: 1%", "shop"]
        assert self.listed() == self.listed(namespace="sohp") == (names, False)
        assert self.listed(scope="unknown", namespace="shop") == (names, False)
        gimel.delete({"namespace": "shop", "experiment": "button"})
        assert self.listed() == (names[:2], False)

    @pytest.mark.parametrize(
        ("number", "length", "listed"),
        [(200, 4, 200), (201, 4, 200), (5000, 4, 200), (200, 200, 125)],
        ids=["most", "more", "more than one SSCAN answers", "long names"],
    )
    def test_the_list_is_bounded(
        self, gimel_store: redis.Redis, number: int, length: int, listed: int
    ) -> None:
        """To 200 names and 100 KB, and it says so."""
        gimel_store.sadd("gimel:namespaces", *(f"{n:0{length}}" for n in range(number)))
        names, has_more = self.listed()
        assert names is not None
        assert len(names) == listed
        assert names == sorted(names)
        assert has_more == (listed < number)

    def test_a_sparse_set(self, gimel_store: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
        """One command may not find all the names, as after many were deleted."""
        sparse = ("SSCAN", "gimel:namespaces", 0, "COUNT", 20)
        monkeypatch.setattr("gimel.runtime.results._LIST_NAMESPACES", sparse)
        gimel_store.sadd("gimel:namespaces", *(f"{n}" for n in range(0, 190_000, 1000)), "text")
        names, has_more = self.listed()
        assert names is not None
        assert 0 < len(names) < 191
        assert has_more

    def test_a_namespace_of_1_5_0(self, gimel_store: redis.Redis) -> None:
        """It is listed from its first event on, even if that event's counter is known."""
        counter = counter_id("button", "participate", "red", precision=1, namespace="old")
        gimel_store.sadd("old:experiments", "button")
        gimel_store.sadd("old:counter_keys", counter)
        gimel_store.sadd("old:button:counter_keys", counter)
        gimel_store.pfadd(counter, "visitor")
        assert self.listed() == ([], False)
        send(namespace="old", experiment="button", variant="red")
        assert self.listed() == (["old"], False)
        assert trials(experiments(namespace="old")["button"]) == {"red": 2}

    def test_another_type_of_value(self, gimel_store: redis.Redis) -> None:
        """It cannot be listed, which does not concern the counts."""
        send()
        gimel_store.delete("gimel:namespaces")
        gimel_store.set("gimel:namespaces", "x")
        assert self.listed() == (None, False)
        assert trials(experiments()["button"]) == {"red": 1}

    def test_only_the_first_page_lists_them(self, gimel_store: redis.Redis) -> None:
        """The others need not read them again."""
        send()
        meta = gimel.all({"page": "a:"})[0]["meta"]
        assert meta == {"scope": None, "ignored": {}, "next": None}
