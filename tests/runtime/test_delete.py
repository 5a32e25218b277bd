"""`gimel.delete`: an experiment's keys are removed to the last one, and no others."""

from __future__ import annotations

import pytest
import redis

import gimel
from gimel.runtime.errors import BadRequest
from tests.support.events import Configure, read, rest
from tests.support.redis_content import counter_id, snapshot
from tests.support.sending import send, send_batch


@pytest.mark.parametrize("precision", [1, 4, 16, 64, 256])
def test_everything_is_removed(
    gimel_store: redis.Redis, configure: Configure, precision: int
) -> None:
    """The answer is the number of counters, and no key is left."""
    configure(precision=precision)
    send_batch(*({"uuid": f"{n}", "event": goal} for n in range(20) for goal in ("a", "b")))

    assert gimel.delete({"experiment": "button"}) == {"status": "ok", "deleted": 2}
    assert snapshot(gimel_store) == {}


def test_others_stay(gimel_store: redis.Redis) -> None:
    """Other experiments of the namespace, and the same one of other namespaces, stay."""
    send_batch({"experiment": "banner"}, {"namespace": "shop"})
    before = snapshot(gimel_store)
    send()

    gimel.delete({"experiment": "button"})

    assert snapshot(gimel_store) == before


def test_unknown(gimel_store: redis.Redis) -> None:
    """Deleting an unknown experiment, or the same one again, is not an error."""
    send()
    before = snapshot(gimel_store)

    assert gimel.delete({"experiment": "unknown"}) == {"status": "ok", "deleted": 0}
    assert snapshot(gimel_store) == before


def test_gateway(gimel_store: redis.Redis) -> None:
    """A gateway's event is answered with the same value as JSON."""
    send()

    answer = gimel.delete(rest("DELETE", query={"experiment": "button"}), None)

    assert read(answer) == (200, {"status": "ok", "deleted": 1})


def test_missing_name(gimel_store: redis.Redis) -> None:
    """The experiment must be named."""
    with pytest.raises(BadRequest, match=r"^experiment is missing$"):
        gimel.delete({})


@pytest.mark.parametrize("index", ["alephbet:counter_keys", "alephbet:button:counter_keys"])
def test_one_index_is_enough(gimel_store: redis.Redis, index: str) -> None:
    """A counter that only one index lists, after an event during a delete, is removed as well."""
    send()
    gimel_store.delete(index)

    gimel.delete({"experiment": "button"})

    assert snapshot(gimel_store) == {}


def test_each_index_lists_another_counter(gimel_store: redis.Redis) -> None:
    """Counters are removed whichever of the two indexes lists them."""
    send_batch({"variant": "red"}, {"variant": "blue"})
    gimel_store.srem("alephbet:counter_keys", counter_id("button", "participate", "red"))
    gimel_store.srem("alephbet:button:counter_keys", counter_id("button", "participate", "blue"))

    assert gimel.delete({"experiment": "button"}) == {"status": "ok", "deleted": 2}
    assert snapshot(gimel_store) == {}


def test_notes_of_the_namespace(store: redis.Redis, configure: Configure) -> None:
    """The namespace's notes about unknown experiments are removed with its last experiment."""
    configure(allowed_experiments=["button", "banner"])
    send_batch({}, {"experiment": "banner"}, {"experiment": "other"})

    gimel.delete({"experiment": "button"})
    noted = gimel.all({})[0]["meta"]["ignored"]
    gimel.delete({"experiment": "banner"})

    assert noted == {"experiment not allowed": 1}
    assert snapshot(store) == {}


@pytest.mark.parametrize(
    ("neighbour", "experiment", "namespace"),
    [
        ({"event": "g", "variant": "counter_keys"}, "counters:button:g", "alephbet"),
        ({"event": "g", "variant": "experiments"}, "x", "alephbet:counters:button:g"),
    ],
    ids=["an index", "the list of experiments"],
)
def test_a_counter_where_1_5_0_would_have_had(
    gimel_store: redis.Redis,
    configure: Configure,
    neighbour: dict[str, str],
    experiment: str,
    namespace: str,
) -> None:
    """Nobody can prevent a delete by a counter whose key 1.5.0 would have used for a set."""
    configure(precision=1)
    send(**neighbour)
    before = snapshot(gimel_store)
    send(experiment=experiment, namespace=namespace)

    query = {"experiment": experiment, "namespace": namespace}
    assert gimel.delete(query) == {"status": "ok", "deleted": 1}

    assert snapshot(gimel_store) == before


@pytest.mark.parametrize("entry", ["rubbish", "", "a b c", "a 99999999999999999999 c", b"\xff 1 x"])
def test_a_malformed_entry_of_the_record(gimel_store: redis.Redis, entry: str | bytes) -> None:
    """It is not in the way."""
    send()
    gimel_store.sadd("alephbet:button:deleting", entry)

    assert gimel.delete({"experiment": "button"}) == {"status": "ok", "deleted": 1}

    left = snapshot(gimel_store)
    assert left == ({"alephbet:button:deleting": {entry}} if isinstance(entry, bytes) else {})
