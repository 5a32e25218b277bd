"""What is understood but refused: allow-lists, the bot filter and the limits, against a real store."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
import redis
from hypothesis import HealthCheck
from hypothesis import strategies as st

import gimel
from tests.support.events import EVENT, read, rest, url
from tests.support.redis_content import count, snapshot

Configure = Callable[..., None]
Gateway = Callable[..., dict[str, Any]]

in_both_gateway_forms = pytest.mark.parametrize("gateway", [rest, url], ids=["rest", "url"])
OK = {"status": "ok"}
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def ignored(reason: str) -> dict[str, str]:
    return {"status": "ignored", "reason": reason}


def send(**changes: str) -> Any:
    """Track one event from a browser, return the answer's body."""
    status, body = read(gimel.track(rest(query={**EVENT, **changes}), None))
    assert status == 200
    return body


def send_batch(*changes: dict[str, str]) -> list[Any]:
    """Track a batch from a browser, return the answer for each event."""
    status, body = read(
        gimel.track(
            rest("POST", body=json.dumps([{**EVENT, **change} for change in changes])), None
        )
    )
    assert status == 200
    events: list[Any] = body["events"]
    return events


def fields(store: redis.Redis, key: str) -> dict[Any, Any]:
    """Return a meta hash without the time of the first event."""
    found: dict[Any, Any] = store.hgetall(key)
    found.pop(b"since", None)
    return found


class TestAllowLists:
    """With an allow-list what it does not name is ignored, and no key bears its name."""

    def test_experiments(self, gimel_store: redis.Redis, configure: Configure) -> None:
        """Experiments on the list are counted in any namespace, others are not."""
        configure(allowed_experiments=["button", "a:b"])

        assert send() == OK
        assert send(experiment="a:b", namespace="shop") == OK
        before = snapshot(gimel_store)
        assert send(experiment="Button") == ignored("experiment not allowed")
        after = snapshot(gimel_store)

        assert after.pop("alephbet:meta") == {b"ignored:experiment not allowed": b"1"}
        assert after == before

    def test_namespaces(self, gimel_store: redis.Redis, configure: Configure) -> None:
        """Namespaces on the list are counted, others leave nothing at all; the default one is no exception."""
        configure(allowed_namespaces=["shop"])

        assert send(namespace="shop") == OK
        before = snapshot(gimel_store)
        assert send() == ignored("namespace not allowed")
        assert send(namespace="other") == ignored("namespace not allowed")

        assert snapshot(gimel_store) == before

    def test_empty_list(self, gimel_store: redis.Redis, configure: Configure) -> None:
        """An empty list allows nothing."""
        configure(allowed_experiments=[])

        assert send() == ignored("experiment not allowed")
        assert snapshot(gimel_store) == {}

    def test_taken_off_the_list(self, gimel_store: redis.Redis, configure: Configure) -> None:
        """What an experiment lost since it was taken off the list is counted with it."""
        send()
        configure(allowed_experiments=["other"])

        assert send_batch({}, {"uuid": "2"}) == [ignored("experiment not allowed")] * 2

        assert fields(gimel_store, "alephbet:button:meta") == {
            b"ignored:experiment not allowed": b"2"
        }
        assert count(gimel_store, "button", "participate", "red") == 1


class TestBots:
    """Crawlers are ignored and noted, unless the settings say otherwise."""

    @in_both_gateway_forms
    def test_refused(self, gimel_store: redis.Redis, gateway: Gateway) -> None:
        """A crawler's event of a known experiment is not counted; how many there were is."""
        send()
        counted = gimel_store.smembers("alephbet:counter_keys")

        for _ in range(3):
            answer = gimel.track(
                gateway(query={**EVENT, "uuid": "bot", "variant": "new"}, User_Agent=GOOGLEBOT),
                None,
            )
            assert read(answer) == (200, ignored("bot"))

        assert fields(gimel_store, "alephbet:button:meta") == {b"ignored:bot": b"3"}
        assert gimel_store.smembers("alephbet:counter_keys") == counted
        assert count(gimel_store, "button", "participate", "red") == 1

    @in_both_gateway_forms
    def test_unknown_experiment(self, gimel_store: redis.Redis, gateway: Gateway) -> None:
        """A crawler's event of an unknown experiment is noted with its namespace and creates no experiment."""
        send()
        before = snapshot(gimel_store)

        gimel.track(gateway(query={**EVENT, "experiment": "invented"}, User_Agent=GOOGLEBOT), None)

        after = snapshot(gimel_store)
        assert after.pop("alephbet:meta") == {b"ignored:bot": b"1"}
        assert after == before

    @in_both_gateway_forms
    def test_unknown_namespace(self, gimel_store: redis.Redis, gateway: Gateway) -> None:
        """A crawler's event of an unknown namespace is noted nowhere."""
        gimel.track(gateway(query={**EVENT, "namespace": "invented"}, User_Agent=GOOGLEBOT), None)

        assert snapshot(gimel_store) == {}

    @in_both_gateway_forms
    def test_batch(self, gimel_store: redis.Redis, gateway: Gateway) -> None:
        """A crawler's batch is refused event by event; what is malformed is still named."""
        send()
        batch = [EVENT, {**EVENT, "experiment": "invented"}, {}]

        _, body = read(
            gimel.track(gateway("POST", body=json.dumps(batch), User_Agent=GOOGLEBOT), None)
        )

        assert body["events"] == [
            ignored("bot"),
            ignored("bot"),
            {"error": "experiment is missing"},
        ]
        assert fields(gimel_store, "alephbet:button:meta") == {b"ignored:bot": b"1"}
        assert fields(gimel_store, "alephbet:meta") == {b"ignored:bot": b"1"}

    @in_both_gateway_forms
    def test_switched_off(
        self, gimel_store: redis.Redis, configure: Configure, gateway: Gateway
    ) -> None:
        """With the filter off a crawler counts as anybody."""
        configure(bot_filter=False)

        assert read(gimel.track(gateway(query=EVENT, User_Agent=GOOGLEBOT), None)) == (200, OK)
        assert count(gimel_store, "button", "participate", "red") == 1

    def test_reasons_are_told_apart(self, gimel_store: redis.Redis, configure: Configure) -> None:
        """Each reason has a figure of its own, which `all` answers with the experiment."""
        send()
        gimel.track(rest(query=EVENT, User_Agent=GOOGLEBOT), None)
        configure(allowed_experiments=[])
        send_batch({}, {}, {"experiment": "invented"})

        meta, button = gimel.all({}, None)

        assert button["ignored"] == {"bot": 1, "experiment not allowed": 2}
        assert meta["meta"]["ignored"] == {"experiment not allowed": 1}

    def test_noting_fails(
        self, gimel_store: redis.Redis, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Where the note cannot be written the answer is the same, and the log says why."""
        send()
        gimel_store.delete("alephbet:button:meta")
        gimel_store.set("alephbet:button:meta", "no hash")

        answer = gimel.track(rest(query=EVENT, User_Agent=GOOGLEBOT), None)

        assert read(answer) == (200, ignored("bot"))
        assert json.loads(capsys.readouterr().err)["error"] == "WrongTypeError"


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


def without_notes(keys: dict[str, object], since: bool = True) -> dict[str, object]:
    """Return a snapshot without the figures of what was ignored, and if asked without the times of first events."""
    kept = {}
    for key, content in keys.items():
        if isinstance(content, dict):
            notes = (b"ignored:",) if since else (b"ignored:", b"since")
            content = {
                field: value for field, value in content.items() if not field.startswith(notes)
            }
        if content:
            kept[key] = content
    return kept


class TestLimits:
    """What a public endpoint can create is bounded, and nothing of what exceeds a limit stays."""

    @with_each_precision
    @with_each_limit
    def test_edge(
        self, gimel_store: redis.Redis, configure: Configure, limit: str, precision: int
    ) -> None:
        """As many as the limit says are counted, one more is not and leaves no key; the known ones go on."""
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
        """A batch that crosses the edge keeps exactly the first ones that fit."""
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
        """Whatever the limits, a batch is answered as its events one by one and leaves the same keys."""
        configure(limits=limits)

        def outcome(
            send_batch_somehow: Callable[[], list[Any]],
        ) -> tuple[list[Any], dict[str, object]]:
            gimel_store.flushall()
            for changes in first:
                send(**changes)
            answers = send_batch_somehow()
            return answers, without_notes(snapshot(gimel_store), since=False)

        assert outcome(lambda: send_batch(*batch)) == outcome(
            lambda: [send(**changes) for changes in batch]
        )

    @with_each_limit
    def test_none_allowed(self, gimel_store: redis.Redis, configure: Configure, limit: str) -> None:
        """A limit of nought leaves the store empty."""
        configure(limits={limit: 0})

        assert send_batch({}, {"uuid": "2"}, {"experiment": "e", "namespace": "n"}) == [REACHED] * 3
        assert without_notes(snapshot(gimel_store)) == {}

    def test_noted_with_the_experiment(
        self, gimel_store: redis.Redis, configure: Configure
    ) -> None:
        """How many events a limit cost an experiment is told with it; an experiment that did not come to be is told nowhere."""
        configure(limits={"counters_per_experiment": 1, "experiments": 1, "namespaces": 1})
        send()

        send_batch(
            {"variant": "blue"},
            {"variant": "green"},
            {"experiment": "other"},
            {"namespace": "other"},
        )

        assert fields(gimel_store, "alephbet:button:meta") == {b"ignored:limit reached": b"2"}
        assert fields(gimel_store, "alephbet:meta") == {b"ignored:limit reached": b"1"}
        assert not gimel_store.keys("other*")

    def test_mixed_batch(self, gimel_store: redis.Redis, configure: Configure) -> None:
        """In one batch a namespace too many takes no room from another's experiments, nor an experiment from its counters."""
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
        """A namespace in which 1.5.0, which kept no list of them, has experiments is not refused, however many there are."""
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
        """After an experiment is deleted another fits in its place."""
        configure(limits={limit: 2})
        for n in range(2):
            send(**LIMITS[limit](n))
        assert send(**LIMITS[limit](2)) == REACHED
        first = {**EVENT, "namespace": "alephbet", **LIMITS[limit](0)}

        gimel.delete({"experiment": first["experiment"], "namespace": first["namespace"]}, None)

        assert send(**LIMITS[limit](2)) == OK

    def test_a_limit_on_an_integer_of_lamed(
        self, gimel_store: redis.Redis, configure: Configure
    ) -> None:
        """Where Lamed left an integer and no counter beside it fits, the event is refused and the integer stays."""
        configure(precision=1, limits={"counters": 1})
        plain = "alephbet:counters:button:participate:red"
        gimel_store.set(plain, 41)
        for index in ("alephbet:counter_keys", "alephbet:button:counter_keys"):
            gimel_store.sadd(index, plain)
        gimel_store.sadd("alephbet:experiments", "button")
        before = snapshot(gimel_store)

        assert send() == REACHED

        assert without_notes(snapshot(gimel_store)) == before


class TestSince:
    """The time of an experiment's first event is kept."""

    def test_first_event(self, gimel_store: redis.Redis) -> None:
        """The first event notes the time in seconds; later ones, of new counters too, leave it."""
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
        """When an experiment of 1.5.0 began is unknown: null, not the time of the upgrade."""
        gimel_store.sadd("alephbet:experiments", "button")

        send()

        assert gimel.all({}, None)[1]["since"] is None

    def test_after_deleting(self, gimel_store: redis.Redis) -> None:
        """An experiment that was deleted and runs again is a new one."""
        send()
        gimel_store.hset("alephbet:button:meta", "since", 1)
        gimel.delete({"experiment": "button"}, None)

        send()

        assert gimel.all({}, None)[1]["since"] > 1


def test_a_limit_takes_away_nothing_that_gimel_did_not_write(
    store: redis.Redis, configure: Callable[..., None]
) -> None:
    """An integer of Lamed's under a counter's own key outlasts an event that is refused there."""
    configure(precision=1, limits={"counters_per_experiment": 1})
    gimel.track(rest(query={**EVENT, "event": "first"}), None)
    key = f"alephbet:counters:{EVENT['experiment']}:second:{EVENT['variant']}"
    store.set(key, 41)

    status, answer = read(gimel.track(rest(query={**EVENT, "event": "second"}), None))

    assert (status, answer) == (200, {"status": "ignored", "reason": "limit reached"})
    assert store.get(key) == b"41"
