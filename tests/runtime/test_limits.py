"""The limits on what a public endpoint can create, and the time of an experiment's first event."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
import redis
from hypothesis import HealthCheck
from hypothesis import strategies as st

import gimel
from gimel.runtime import process
from tests.support.events import EVENT, OK, Configure, ignored
from tests.support.redis_content import Contents, counter_id, notes, snapshot, without_notes
from tests.support.sending import send, send_batch

LIMITS: dict[str, Callable[[int], dict[str, str]]] = {
    "namespaces": lambda n: {"namespace": f"n{n}"},
    "experiments": lambda n: {"experiment": f"e{n}"},
    "counters": lambda n: {"experiment": f"e{n % 2}", "variant": f"v{n}"},
    "counters_per_experiment": lambda n: {"event": f"g{n}"},
}
REACHED = ignored("limit reached")

with_each_limit = pytest.mark.parametrize("limit", LIMITS)
with_each_precision = pytest.mark.parametrize("precision", [1, 4, 16])

EVENTS_OF_FEW_NAMES = st.fixed_dictionaries(
    {
        "namespace": st.sampled_from(["n1", "n2", "n3"]),
        "experiment": st.sampled_from(["e1", "e2", "e3"]),
        "variant": st.sampled_from(["red", "blue"]),
        "event": st.sampled_from(["participate", "buy"]),
        "uuid": st.sampled_from(["1", "2"]),
    }
)


class TestLimits:
    """A public endpoint can create only so much; what exceeds a limit leaves nothing behind."""

    @with_each_precision
    @with_each_limit
    def test_edge(
        self, gimel_store: redis.Redis, configure: Configure, limit: str, precision: int
    ) -> None:
        """As many as the limit allows are counted; one more leaves no key, the others continue."""
        configure(precision=precision, limits={limit: 3})
        assert [send(**LIMITS[limit](n)) for n in range(3)] == [OK] * 3
        before = without_notes(snapshot(gimel_store))

        assert send(**LIMITS[limit](3)) == REACHED
        assert send(**LIMITS[limit](3)) == REACHED

        assert without_notes(snapshot(gimel_store)) == before
        assert send(**LIMITS[limit](2), uuid="another") == OK

    @with_each_limit
    def test_batch_over_the_edge(
        self, gimel_store: redis.Redis, configure: Configure, limit: str
    ) -> None:
        """Exactly the first events of a batch that fit within the limit are counted."""
        configure(limits={limit: 4})
        send(**LIMITS[limit](0))

        answers = send_batch(
            *(LIMITS[limit](n) | {"uuid": uuid} for n in range(1, 7) for uuid in ("a", "b"))
        )

        assert answers == [OK] * 6 + [REACHED] * 6

    @hypothesis.settings(
        max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @hypothesis.given(
        limits=st.fixed_dictionaries({limit: st.integers(0, 4) for limit in LIMITS}),
        first=st.lists(EVENTS_OF_FEW_NAMES, max_size=4),
        batch=st.lists(EVENTS_OF_FEW_NAMES, min_size=1, max_size=12),
    )
    def test_batch_is_its_events(
        self,
        gimel_store: redis.Redis,
        configure: Configure,
        limits: dict[str, int],
        first: list[dict[str, str]],
        batch: list[dict[str, str]],
    ) -> None:
        """Whatever the limits, a batch has the answers and the keys of its events one by one."""
        configure(limits=limits)

        def outcome(
            send_batch_somehow: Callable[[], list[Any]],
        ) -> tuple[list[Any], Contents]:
            gimel_store.flushall()
            process.forget()
            for changes in first:
                send(**changes)
            answers = send_batch_somehow()
            return answers, without_notes(snapshot(gimel_store), since=False)

        assert outcome(lambda: send_batch(*batch)) == outcome(
            lambda: [send(**changes) for changes in batch]
        )

    @with_each_limit
    def test_none_allowed(self, gimel_store: redis.Redis, configure: Configure, limit: str) -> None:
        """A limit of zero leaves the store empty."""
        configure(limits={limit: 0})

        assert send_batch({}, {"uuid": "2"}, {"experiment": "e", "namespace": "n"}) == [REACHED] * 3
        assert without_notes(snapshot(gimel_store)) == {}

    def test_noted_with_the_experiment(
        self, gimel_store: redis.Redis, configure: Configure
    ) -> None:
        """Events that a limit refuses are noted with their experiment, but only if it exists."""
        configure(limits={"counters_per_experiment": 1, "experiments": 1, "namespaces": 1})
        send()

        send_batch(
            {"variant": "blue"},
            {"variant": "green"},
            {"experiment": "other"},
            {"namespace": "other"},
        )

        assert notes(gimel_store, "alephbet:button:meta") == {"ignored:limit reached": 2}
        assert notes(gimel_store, "alephbet:meta") == {"ignored:limit reached": 1}
        assert not gimel_store.keys("other*")

    def test_mixed_batch(self, gimel_store: redis.Redis, configure: Configure) -> None:
        """In a batch, a refused namespace or experiment takes no room from the accepted ones."""
        configure(
            limits={"namespaces": 1, "experiments": 1, "counters": 2, "counters_per_experiment": 2}
        )

        answers = send_batch(
            {"experiment": "a"},
            {"experiment": "b"},
            {"namespace": "other"},
            {"experiment": "a", "variant": "blue"},
            {"experiment": "a", "variant": "green"},
        )

        assert answers == [OK, REACHED, REACHED, OK, REACHED]
        assert gimel_store.smembers("alephbet:experiments") == {b"a"}
        assert gimel_store.scard("alephbet:counter_keys") == 2
        assert gimel_store.smembers("gimel:namespaces") == {b"alephbet"}
        assert not gimel_store.keys("other*")

    def test_namespaces_of_1_5_0(self, gimel_store: redis.Redis, configure: Configure) -> None:
        """A namespace that has experiments of 1.5.0, which kept no list of them, is not refused."""
        configure(limits={"namespaces": 1})
        send()
        gimel_store.sadd("old:experiments", "earlier")
        before = snapshot(gimel_store).keys()

        assert send(namespace="old") == OK
        assert send(namespace="old", experiment="second") == OK
        assert send(namespace="new") == REACHED
        assert {
            key for key in snapshot(gimel_store).keys() - before if not key.startswith("old:")
        } == set()

    @with_each_limit
    def test_deleting_frees_room(
        self, gimel_store: redis.Redis, configure: Configure, limit: str
    ) -> None:
        """After an experiment is deleted, another one fits in its place."""
        configure(limits={limit: 2})
        for n in range(2):
            send(**LIMITS[limit](n))
        assert send(**LIMITS[limit](2)) == REACHED
        first = {**EVENT, "namespace": "alephbet", **LIMITS[limit](0)}

        gimel.delete({"experiment": first["experiment"], "namespace": first["namespace"]}, None)

        assert send(**LIMITS[limit](2)) == OK


class TestOwner:
    """Limits that strangers have reached do not keep the owner's experiments out."""

    OWNED = pytest.mark.parametrize(
        "settings",
        [
            pytest.param({"experiments": ["mine"]}, id="experiments"),
            pytest.param({"allowed_experiments": ["mine"]}, id="allowed experiments"),
        ],
    )

    @OWNED
    @pytest.mark.parametrize("limit", ["namespaces", "experiments", "counters"])
    def test_experiments(
        self,
        gimel_store: redis.Redis,
        configure: Configure,
        limit: str,
        settings: dict[str, list[str]],
    ) -> None:
        """An experiment that the configuration names is created beyond each limit."""
        limits = {limit: 2}
        configure(limits=limits)
        assert [send(**LIMITS[limit](n)) for n in range(3)] == [OK, OK, REACHED]
        configure(limits=limits, **settings)

        namespace = "new" if limit == "namespaces" else "alephbet"
        assert send(experiment="mine", namespace=namespace) == OK
        assert send(experiment="mine", namespace=namespace, event="buy") == OK
        if "experiments" in settings:
            assert send(**LIMITS[limit](3)) == REACHED

    def test_namespaces(self, gimel_store: redis.Redis, configure: Configure) -> None:
        """A namespace on the allow-list is created beyond the limit, its experiments are not."""
        limits = {"namespaces": 1, "experiments": 1}
        configure(limits=limits)
        send(namespace="stranger")
        configure(limits=limits, allowed_namespaces=["shop"])

        assert send(namespace="shop") == OK
        assert send(namespace="shop", experiment="other") == REACHED

    @OWNED
    def test_counters_of_an_experiment(
        self, gimel_store: redis.Redis, configure: Configure, settings: dict[str, list[str]]
    ) -> None:
        """The number of counters of one experiment is limited even then: strangers invent them."""
        configure(limits={"counters_per_experiment": 1}, **settings)

        assert send(experiment="mine") == OK
        assert send(experiment="mine", variant="another") == REACHED


class TestSince:
    """The time of an experiment's first event."""

    def test_first_event(self, gimel_store: redis.Redis) -> None:
        """The first event notes the time in seconds; later ones, even of new counters, keep it."""
        earliest = int(time.time())
        send()
        latest = int(time.time())

        since = int(gimel_store.hget("alephbet:button:meta", "since") or 0)
        assert earliest <= since <= latest
        gimel_store.hset("alephbet:button:meta", "since", 1)
        send(uuid="2", variant="blue", event="buy")
        assert gimel_store.hget("alephbet:button:meta", "since") == b"1"
        assert gimel.all({}, None)[1]["since"] == 1

    def test_older_than_this_version(self, gimel_store: redis.Redis) -> None:
        """The time when an experiment of 1.5.0 began is unknown: null, not that of the upgrade."""
        gimel_store.sadd("alephbet:experiments", "button")
        gimel_store.sadd(
            "alephbet:button:counter_keys", counter_id("button", "participate", "blue", 1)
        )

        send()

        assert gimel.all({}, None)[1]["since"] is None

    def test_older_with_a_colon(self, gimel_store: redis.Redis) -> None:
        """The same holds where 1.5.0 spelled the key of the index in another way."""
        gimel_store.sadd("alephbet:experiments", "a:b")
        gimel_store.sadd("alephbet:a:b:counter_keys", "alephbet:counters:a:b:participate:blue")

        send(experiment="a:b")

        assert gimel.all({}, None)[1]["since"] is None

    def test_after_deleting(self, gimel_store: redis.Redis) -> None:
        """An experiment that was deleted and runs again is new."""
        send()
        gimel_store.hset("alephbet:button:meta", "since", 1)
        gimel.delete({"experiment": "button"}, None)

        send()

        assert gimel.all({}, None)[1]["since"] > 1
