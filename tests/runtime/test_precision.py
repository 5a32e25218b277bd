"""Precision belongs to an experiment: a changed setting never counts a visitor twice."""

from __future__ import annotations

import pytest
import redis

import gimel
from gimel.runtime import process
from tests.support.events import OK, Configure
from tests.support.redis_content import counter_id, snapshot
from tests.support.sending import send, send_batch

VISITORS = [{"uuid": f"visitor {number}"} for number in range(100)]


def trials(experiment: str = "button") -> dict[str, dict[str, int]]:
    """Return the trials of an experiment's variants, by precision."""
    (item,) = [item for item in gimel.all({})[1:] if item["experiment"] == experiment]
    return {each["label"]: each["trials_by_precision"] for each in item["participants"]}


@pytest.mark.parametrize("new_process", [False, True], ids=["same process", "new process"])
@pytest.mark.parametrize("precision", [1, 4, 64, 256])
def test_changed_setting(
    gimel_store: redis.Redis, configure: Configure, precision: int, new_process: bool
) -> None:
    """After a change the same visitors stay 100; only new experiments use the new precision."""
    send_batch(*VISITORS)
    configure(precision=precision)
    if new_process:
        process.forget()

    send_batch(*VISITORS)
    send_batch(*({**visitor, "variant": "blue"} for visitor in VISITORS))
    send(experiment="new")

    assert trials() == {"red": {"16": 100}, "blue": {"16": 100}}
    assert trials("new") == {"red": {str(precision): 1}}
    noted = {item["experiment"]: item["precision"] for item in gimel.all({})[1:]}
    assert noted == {"button": 16, "new": precision}


def test_experiment_of_1_5_0(gimel_store: redis.Redis) -> None:
    """An experiment that began under 1.5.0 keeps 1.5.0's keys, for new variants too."""
    old = counter_id("button", "participate", "red", 1)
    gimel_store.sadd("alephbet:experiments", "button")
    for index in ("alephbet:counter_keys", "alephbet:button:counter_keys"):
        gimel_store.sadd(index, old)
    gimel_store.pfadd(old, *(visitor["uuid"] for visitor in VISITORS))

    send_batch(*VISITORS)
    send(variant="blue")

    assert trials() == {"red": {"1": 100}, "blue": {"1": 1}}
    assert b"since" not in snapshot(gimel_store).get("alephbet:button:meta", {})


def test_experiment_of_an_early_2_0_0(gimel_store: redis.Redis, configure: Configure) -> None:
    """An experiment whose precision was never noted keeps that of its counters."""
    send_batch(*VISITORS)
    gimel_store.hdel("alephbet:button:meta", "precision")
    process.forget()
    configure(precision=4)

    send_batch(*VISITORS)
    send(variant="blue")

    assert trials() == {"red": {"16": 100}, "blue": {"16": 1}}
    assert gimel_store.hget("alephbet:button:meta", "precision") == b"16"


@pytest.mark.parametrize("noted", ["", "7", "many", b"\xff"])
def test_unusable_note(gimel_store: redis.Redis, noted: str | bytes) -> None:
    """Where something else is noted as the precision, the counters say what it is."""
    send(uuid="1")
    gimel_store.hset("alephbet:button:meta", "precision", noted)
    process.forget()

    assert send(uuid="2") == OK
    assert send(variant="blue") == OK

    assert trials() == {"red": {"16": 2}, "blue": {"16": 1}}


def test_deleted_and_begun_again(gimel_store: redis.Redis, configure: Configure) -> None:
    """An experiment that was deleted begins again with the precision that is set now.

    What a process wrote first into the counter that it knew is left for the next delete.
    """
    send()
    configure(precision=4)
    send()
    gimel.delete({"experiment": "button"})

    send()

    assert trials() == {"red": {"4": 1}}
    assert gimel.delete({"experiment": "button"}) == {"status": "ok", "deleted": 2}
    assert snapshot(gimel_store) == {}
