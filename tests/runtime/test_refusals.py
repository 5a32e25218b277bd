"""Events that are understood and ignored: allow-lists and the bot filter, and the notes of them."""

from __future__ import annotations

import json

import pytest
import redis

import gimel
from tests.support.events import (
    EVENT,
    GOOGLEBOT,
    OK,
    Configure,
    Gateway,
    ignored,
    read,
    rest,
    with_each_gateway,
)
from tests.support.redis_content import count, notes, snapshot
from tests.support.sending import send, send_batch


class TestAllowLists:
    """With an allow-list, other names are ignored and no key contains them."""

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

    @pytest.mark.parametrize("namespace", ["alephbet", "other"])
    def test_namespaces(
        self, gimel_store: redis.Redis, configure: Configure, namespace: str
    ) -> None:
        """Namespaces on the list are counted; others, even the default one, leave nothing."""
        configure(allowed_namespaces=["shop"])

        assert send(namespace="shop") == OK
        before = snapshot(gimel_store)
        assert send(namespace=namespace) == ignored("namespace not allowed")

        assert snapshot(gimel_store) == before

    def test_both_lists(self, gimel_store: redis.Redis, configure: Configure) -> None:
        """With both lists, an event must be on both; the namespace is checked first."""
        configure(allowed_namespaces=["shop"], allowed_experiments=["button"])

        assert send(namespace="shop") == OK
        assert send(namespace="shop", experiment="other") == ignored("experiment not allowed")
        assert send(experiment="other") == ignored("namespace not allowed")

    def test_empty_list(self, gimel_store: redis.Redis, configure: Configure) -> None:
        """An empty list allows nothing."""
        configure(allowed_experiments=[])

        assert send() == ignored("experiment not allowed")
        assert snapshot(gimel_store) == {}

    def test_taken_off_the_list(self, gimel_store: redis.Redis, configure: Configure) -> None:
        """The ignored events of a known experiment that is no longer listed are noted with it."""
        send()
        configure(allowed_experiments=["other"])

        assert send_batch({}, {"uuid": "2"}) == [ignored("experiment not allowed")] * 2

        assert notes(gimel_store, "alephbet:button:meta") == {"ignored:experiment not allowed": 2}
        assert count(gimel_store, "button", "participate", "red") == 1


@with_each_gateway
class TestBots:
    """Crawlers are ignored and noted, unless the settings say otherwise."""

    def test_refused(self, gimel_store: redis.Redis, gateway: Gateway) -> None:
        """A crawler's events of a known experiment are not counted, but their number is noted."""
        send()
        counted = gimel_store.smembers("alephbet:counter_keys")
        event = {**EVENT, "uuid": "bot", "variant": "new"}

        answers = [
            read(gimel.track(gateway(query=event, User_Agent=GOOGLEBOT), None)) for _ in range(3)
        ]

        assert answers == [(200, ignored("bot"))] * 3
        assert notes(gimel_store, "alephbet:button:meta") == {"ignored:bot": 3}
        assert gimel_store.smembers("alephbet:counter_keys") == counted
        assert count(gimel_store, "button", "participate", "red") == 1

    def test_unknown_experiment(self, gimel_store: redis.Redis, gateway: Gateway) -> None:
        """A crawler's event of an unknown experiment is noted with its namespace alone."""
        send()
        before = snapshot(gimel_store)

        gimel.track(gateway(query={**EVENT, "experiment": "invented"}, User_Agent=GOOGLEBOT), None)

        after = snapshot(gimel_store)
        assert after.pop("alephbet:meta") == {b"ignored:bot": b"1"}
        assert after == before

    def test_unknown_namespace(self, gimel_store: redis.Redis, gateway: Gateway) -> None:
        """A crawler's event of an unknown namespace is not noted."""
        gimel.track(gateway(query={**EVENT, "namespace": "invented"}, User_Agent=GOOGLEBOT), None)

        assert snapshot(gimel_store) == {}

    def test_batch(self, gimel_store: redis.Redis, gateway: Gateway) -> None:
        """A crawler's batch is ignored event by event; malformed events are still named."""
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
        assert notes(gimel_store, "alephbet:button:meta") == {"ignored:bot": 1}
        assert notes(gimel_store, "alephbet:meta") == {"ignored:bot": 1}

    def test_switched_off(
        self, gimel_store: redis.Redis, configure: Configure, gateway: Gateway
    ) -> None:
        """With the filter switched off, a crawler's event is counted."""
        configure(bot_filter=False)

        assert read(gimel.track(gateway(query=EVENT, User_Agent=GOOGLEBOT), None)) == (200, OK)
        assert count(gimel_store, "button", "participate", "red") == 1


def test_each_reason_has_its_figure(gimel_store: redis.Redis, configure: Configure) -> None:
    """`all` answers the number of ignored events by reason, with the experiment if it is known."""
    send()
    gimel.track(rest(query=EVENT, User_Agent=GOOGLEBOT), None)
    configure(allowed_experiments=[])
    send_batch({}, {}, {"experiment": "invented"})

    meta, button = gimel.all({}, None)

    assert button["ignored"] == {"bot": 1, "experiment not allowed": 2}
    assert meta["meta"]["ignored"] == {"experiment not allowed": 1}


def test_a_note_that_fails(gimel_store: redis.Redis, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the note cannot be written, the answer is the same and the log says why."""
    send()
    gimel_store.delete("alephbet:button:meta")
    gimel_store.set("alephbet:button:meta", "not a hash")

    answer = gimel.track(rest(query=EVENT, User_Agent=GOOGLEBOT), None)

    assert read(answer) == (200, ignored("bot"))
    assert json.loads(capsys.readouterr().err)["error"] == "WrongTypeError"
