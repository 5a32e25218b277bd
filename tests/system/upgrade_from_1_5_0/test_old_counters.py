"""Counters that an earlier release began continue to count."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import redis

import gimel
from tests.support.events import rest
from tests.support.oracle import Oracle
from tests.support.redis_content import snapshot
from tests.support.releases import STANDARD_ERROR, as_1_5_0, counted, make_event, this_version


def test_a_counter_of_1_5_0_goes_on_growing(
    store: redis.Redis, configure: Callable[..., None], oracle: Oracle
) -> None:
    """After the switch the experiment keeps its precision of 1: both add up."""
    before, after = 1000, 20_000
    oracle.call_all(
        [
            ("gimel", "track", make_event("e", "red", goal, f"before {i}"))
            for goal in ("participate", "g")
            for i in range(before)
        ]
    )
    ((_, [(_, _, trials_of_1_5_0)]),) = as_1_5_0(oracle.call("experiment", {"experiment": "e"}))
    configure()

    events = [make_event("e", "red", "participate", f"after {i}") for i in range(after)]
    for start in range(0, after, 100):
        batch = json.dumps(events[start : start + 100])
        assert gimel.track(rest("POST", body=batch), None)["statusCode"] == 200
    (result,) = counted()["e"]["goals"][0]["results"]

    assert trials_of_1_5_0 == pytest.approx(before, rel=4 * STANDARD_ERROR)
    assert result["trials"] == pytest.approx(before + after, rel=4 * STANDARD_ERROR)
    assert result["trials_by_precision"] == {"1": result["trials"]}
    assert result["successes_by_precision"] == {"1": result["successes"]}


def test_a_visitor_counts_once_across_the_switch_at_precision_1(
    store: redis.Redis, configure: Callable[..., None], oracle: Oracle
) -> None:
    """At precision 1, 1.5.0's HyperLogLog continues, so that its visitors are not counted again."""
    oracle.call("track", make_event("e", "red", "participate", "a visitor"))
    configure(precision=1)

    for uuid in ("a visitor", "another"):
        this_version("track", make_event("e", "red", "participate", uuid))

    assert counted()["e"]["participants"] == [
        {"label": "red", "trials": 2, "trials_by_precision": {"1": 2}}
    ]


def test_the_beginning_of_an_experiment_of_1_5_0_is_unknown(
    gimel_store: redis.Redis, oracle: Oracle
) -> None:
    """1.5.0 noted no time, so `since` is null and does not become the day of the upgrade."""
    oracle.call("track", make_event("e", "red", "participate", "1"))
    unknown = counted()["e"]["since"]

    this_version("track", make_event("e", "blue", "participate", "2"))
    this_version("track", make_event("new", "red", "participate", "1"))

    assert unknown is None
    assert counted()["e"]["since"] is None
    assert counted()["new"]["since"] is not None


@pytest.fixture
def lamed_store(store: redis.Redis, oracle: Oracle) -> redis.Redis:
    """Seven visitors, of whom four reached the goal, counted by Lamed as plain integers."""
    oracle.call_all(
        [
            ("lamed", "track", make_event("e", "red", "participate", str(number)))
            for number in [*range(7), 0, 0]
        ]
        + [("lamed", "track", make_event("e", "red", "g", str(number))) for number in range(4)]
    )
    assert store.get("alephbet:counters:e:participate:red") == b"7"
    return store


def test_integers_of_lamed_are_read_as_exact(
    lamed_store: redis.Redis, configure: Callable[..., None]
) -> None:
    """Lamed's integers are read as they are and marked as free of counting error."""
    configure()

    (result,) = counted()["e"]["goals"][0]["results"]

    assert result == {
        "label": "red",
        "successes": 4,
        "successes_by_precision": {"exact": 4},
        "trials": 7,
        "trials_by_precision": {"exact": 7},
    }
    assert counted()["e"]["unreadable"] == 0


@pytest.mark.parametrize("precision", [1, 4, 16])
def test_tracking_goes_on_beside_an_integer_of_lamed(
    lamed_store: redis.Redis, configure: Callable[..., None], precision: int
) -> None:
    """New visitors add to Lamed's integer, which stays as it is; deleting removes both.

    The experiment has the precision of releases before 2.0.0, which is 1.
    """
    configure(precision=precision)
    batch = [make_event("e", "red", "participate", uuid) for uuid in ("a", "b", "c", "a")]

    for event in batch:
        this_version("track", event)
    (after,) = counted()["e"]["participants"]
    integer = lamed_store.get("alephbet:counters:e:participate:red")
    this_version("delete", {"experiment": "e"})

    assert after["trials_by_precision"] == {"exact": 7, "1": 3}
    assert after["trials"] == 10
    assert integer == b"7"
    left = snapshot(lamed_store)
    assert set(left.values()) <= {b"1"}  # Lamed's marks of known visitors, which expire
    assert all(0 < lamed_store.ttl(key) <= 24 * 3600 for key in left)
