"""Names that contain what separates the parts of a key: they are never confused."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
import redis

import gimel
from tests.support.events import Configure
from tests.support.redis_content import snapshot

DEFAULT = "alephbet"
AWKWARD = [
    "a:b",
    "a:b:c",
    ":",
    "::",
    "::16",
    "x::1",
    "50%",
    "%",
    "%3A",
    "%25",
    "a%3Ab:%",
    "https://example.com/?q=1%202",
]
PLACES = [
    names
    for odd in AWKWARD
    for names in [
        (odd, "e", "g", "v"),
        (DEFAULT, odd, "g", "v"),
        (DEFAULT, "goals", odd, "v"),
        (DEFAULT, "variants", "g", odd),
        (odd, odd, odd, odd),
    ]
]
"""Each awkward name in each place, as (namespace, experiment, goal, variant)."""

Names = tuple[str, str, str, str]


def counters_found(namespaces: Iterable[str]) -> set[Names]:
    """Return the names of all goals' counters with a visitor.

    Assert that `all` answers an experiment in the same way with and without a scope.
    """
    found = set()
    for namespace in namespaces:
        experiments = {item["experiment"]: item for item in gimel.all({"namespace": namespace})[1:]}
        for name, experiment in experiments.items():
            alone = gimel.all({"namespace": namespace, "scope": name})[1:]
            assert alone == [experiment]
            for goal in experiment["goals"]:
                for result in goal["results"]:
                    if result["successes"] == 1:
                        found.add((namespace, name, goal["goal"], result["label"]))
    return found


@pytest.fixture(params=[1, 16], ids="precision {}".format)
def tracked(
    request: pytest.FixtureRequest, store: redis.Redis, configure: Configure
) -> redis.Redis:
    """A store with an event in each of PLACES, at one precision."""
    configure(precision=request.param)
    for namespace, experiment, goal, variant in PLACES:
        gimel.track(
            {
                "namespace": namespace,
                "experiment": experiment,
                "event": goal,
                "variant": variant,
                "uuid": "1",
            }
        )
    return store


def test_found(tracked: redis.Redis) -> None:
    """Each counter is found under exactly the names that were sent."""
    assert counters_found({DEFAULT, *AWKWARD}) == set(PLACES)


def test_scope_of_all(tracked: redis.Redis) -> None:
    """A scope that lists all experiments, in whatever order, answers what `all` answers."""
    experiments = gimel.all({"namespace": DEFAULT})[1:]
    names = [item["experiment"] for item in experiments]

    assert gimel.all({"namespace": DEFAULT, "scope": ",".join(names)})[1:] == experiments
    backwards = gimel.all({"namespace": DEFAULT, "scope": ",".join(reversed(names))})[1:]
    assert backwards[::-1] == experiments


def test_deleted(tracked: redis.Redis) -> None:
    """Each experiment is deleted by exactly its names, and the last one leaves no key."""
    remaining = set(PLACES)
    while remaining:
        namespace, experiment, _, _ = min(remaining)
        gimel.delete({"namespace": namespace, "experiment": experiment})
        remaining = {names for names in remaining if names[:2] != (namespace, experiment)}
        assert counters_found({DEFAULT, *AWKWARD}) == remaining

    assert snapshot(tracked) == {}
