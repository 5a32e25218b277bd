"""The same 10,000 events, counted by either version: the same keys and the same results."""

from __future__ import annotations

import dataclasses
import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.support.oracle import Oracle
from tests.support.redis_content import Contents, snapshot
from tests.support.releases import (
    BOTH,
    DEFAULT,
    NEW,
    OLD,
    STANDARD_ERROR,
    Call,
    as_1_5_0,
    this_version,
    without_additions,
)
from tests.support.servers import Store

NAMES = [
    "button colour",
    " spaces before and after ",
    "größe",
    "价格测试",
    "🚀 launch",
    "e\N{COMBINING ACUTE ACCENT}\N{RIGHT-TO-LEFT MARK}שלום",
    "a,b",
    "{tag}*?[x]\\\"'/&=+#",
    "counter_keys",
    "experiments",
    "counters",
    "meta",
    "EXPERIMENTS",
    "1",
    "x" * 200,
]
NAMESPACES = [None, "shop", "größe 🚀", "counters", "gimel"]


def mixed_events() -> list[dict[str, str]]:
    """Return 10,000 events as pages send them.

    Some experiments have many of them and many experiments have few; one in four was sent before.
    """
    random_ = random.Random(150)
    uuids = [
        f"{number:x}-{random_.choice(['ä:b', '100%', '🚀', 'x y', ''])}" for number in range(20_000)
    ]
    events: list[dict[str, str]] = []
    while len(events) < 10_000:
        if events and random_.random() < 0.25:
            events.append(random_.choice(events))
            continue
        event = {
            "experiment": NAMES[0],
            "event": "participate",
            "variant": NAMES[0],
            "uuid": random_.choice(uuids),
        }
        if random_.random() < 0.6:
            event["experiment"] = random_.choice(NAMES)
            event["event"] = random_.choice(["participate", "participate", *NAMES[:4]])
            event["variant"] = random_.choice(NAMES[:3])
            namespace = random_.choice(NAMESPACES)
            if namespace is not None:
                event["namespace"] = namespace
        events.append(event)
    return events


EVENTS = mixed_events()
# The parameters that ask for each namespace.
ASKED = [{} if namespace is None else {"namespace": namespace} for namespace in NAMESPACES]


@dataclasses.dataclass
class Written:
    """The contents of a store, to be restored before each test that changes them."""

    contents: Contents
    dump: dict[bytes, bytes]

    @classmethod
    def of(cls, store: redis.Redis) -> Written:
        keys = list(store.scan_iter(count=1000))
        with store.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.dump(key)
            return cls(snapshot(store), dict(zip(keys, pipeline.execute(), strict=True)))

    def restore(self, store: redis.Redis) -> None:
        with store.pipeline(transaction=False) as pipeline:
            pipeline.flushall()
            for key, value in self.dump.items():
                pipeline.restore(key, 0, value)
            pipeline.execute()


@pytest.fixture(scope="module")
def written(oracle: Oracle, session_store: Store) -> dict[str, Written]:
    """The store after all events at precision 1, by the version that tracked them."""
    found = {}
    with pytest.MonkeyPatch.context() as patch, session_store.client() as store:
        patch.setenv(
            "GIMEL_SETTINGS", json.dumps({"redis": {"port": session_store.port}, "precision": 1})
        )
        for writer in (OLD, NEW, BOTH):
            store.flushall()
            track_all(writer, oracle)
            found[writer] = Written.of(store)
    return found


def track_all(writer: str, oracle: Oracle) -> None:
    """Track EVENTS with one version, or with both taking turns every 50 events."""
    for number, start in enumerate(range(0, len(EVENTS), 50)):
        events = EVENTS[start : start + 50]
        if writer == OLD or (writer == BOTH and number % 2):
            oracle.call_all([("gimel", "track", event) for event in events])
        else:
            for event in events:
                this_version("track", event)


@pytest.fixture
def at_precision_1(store: redis.Redis, configure: Callable[..., None]) -> redis.Redis:
    configure(precision=1)
    return store


@pytest.fixture
def results_of_1_5_0(
    at_precision_1: redis.Redis, written: dict[str, Written], oracle: Oracle
) -> dict[str, Any]:
    """What 1.5.0 reads after it wrote everything: all other pairs must agree with it."""
    written[OLD].restore(at_precision_1)
    return everything_read(oracle.call)


def everything_read(call: Call) -> dict[str, Any]:
    """Return what all reading handlers answer in every namespace, in the fields of 1.5.0."""
    read: dict[str, Any] = {}
    for asked in ASKED:
        for scope in (None, f"{NAMES[0]},{NAMES[3]},unknown"):
            meta, *experiments = call("all", asked if scope is None else {**asked, "scope": scope})
            read[f"all {asked} {scope}"] = (
                meta["meta"]["scope"],
                sorted((item["experiment"], as_1_5_0(item["goals"])) for item in experiments),
            )
        for name in [*NAMES, "unknown"]:
            read[f"experiment {asked} {name}"] = as_1_5_0(
                call("experiment", {**asked, "experiment": name})
            )
    return read


@pytest.mark.parametrize("writer", [NEW, BOTH])
def test_the_same_events_leave_the_same_keys(written: dict[str, Written], writer: str) -> None:
    """At precision 1, 1.5.0's keys have the same bytes; only documented keys are added."""
    additions = {
        f"{namespace or DEFAULT}:{name}:meta" for namespace in NAMESPACES for name in NAMES
    } | {"gimel:namespaces"}

    found = written[writer].contents
    sizes = {len(value) for value in found.values() if isinstance(value, bytes)}

    assert min(sizes) < 100
    assert max(sizes) > 12_000  # Redis encodes small and large HyperLogLogs differently
    assert {key: value for key, value in found.items() if key not in additions} == written[
        OLD
    ].contents


@pytest.mark.parametrize("reader", [OLD, NEW])
@pytest.mark.parametrize("writer", [OLD, NEW, BOTH])
def test_the_same_events_give_the_same_results(
    at_precision_1: redis.Redis,
    written: dict[str, Written],
    results_of_1_5_0: dict[str, Any],
    call: dict[str, Call],
    writer: str,
    reader: str,
) -> None:
    """Whichever version wrote and whichever reads, all results agree to the last visitor."""
    written[writer].restore(at_precision_1)

    read = everything_read(call[reader])

    assert read == results_of_1_5_0


def test_the_results_are_what_was_sent(results_of_1_5_0: dict[str, Any]) -> None:
    """Every count is within five standard errors of the distinct uuids that were sent."""
    distinct = {tuple(sorted(event.items())) for event in EVENTS}
    sent = Counter(
        (event.get("namespace", DEFAULT), event["experiment"], event["event"], event["variant"])
        for event in map(dict[str, str], distinct)
    )
    found: dict[tuple[str, ...], int] = {}

    for asked in ASKED:
        for name in NAMES:
            for goal, results in results_of_1_5_0[f"experiment {asked} {name}"]:
                for label, successes, participants in results:
                    namespace = asked.get("namespace", DEFAULT)
                    found[namespace, name, goal, label] = successes
                    found[namespace, name, "participate", label] = participants

    assert {place for place, number in found.items() if number} == set(sent)
    assert [
        place
        for place in sent
        if abs(found[place] - sent[place]) > 5 * STANDARD_ERROR * sent[place] + 1
    ] == []


@pytest.mark.parametrize("deleter", [OLD, NEW])
@pytest.mark.parametrize("writer", [OLD, NEW, BOTH])
def test_deleting_leaves_the_same_keys(
    at_precision_1: redis.Redis,
    written: dict[str, Written],
    call: dict[str, Call],
    writer: str,
    deleter: str,
) -> None:
    """Whichever version wrote and whichever deletes, the rest is the same, byte for byte."""
    some = [{**asked, "experiment": name} for asked in ASKED for name in [*NAMES[::2], "unknown"]]
    written[OLD].restore(at_precision_1)
    for event in some:
        call[OLD]("delete", event)
    expected = snapshot(at_precision_1)
    written[writer].restore(at_precision_1)

    for event in some:
        call[deleter]("delete", event)

    assert len(expected) > 100
    assert without_additions(snapshot(at_precision_1)) == expected


@pytest.mark.parametrize("writer", [OLD, NEW, BOTH])
def test_deleting_every_experiment_leaves_nothing(
    at_precision_1: redis.Redis, written: dict[str, Written], writer: str
) -> None:
    """This version deletes 1.5.0's experiments and its own, to the last key."""
    written[writer].restore(at_precision_1)

    for asked in ASKED:
        for name in NAMES:
            this_version("delete", {**asked, "experiment": name})

    assert snapshot(at_precision_1) == {}
