"""What Gimel 1.5.0 and Lamed 0.4.3 left in Redis goes on counting, and 1.5.0 can go on where this version left off."""

from __future__ import annotations

import dataclasses
import json
import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import redis

import gimel
from tests.support.oracle import Oracle, running_oracle
from tests.support.servers import Store

OLD, NEW, BOTH = "1.5.0", "this version", "both in turns"
DEFAULT = "alephbet"
ERROR_OF_ONE = 0.0081
"""The relative standard error of one HyperLogLog, at its largest."""

Contents = dict[str, Any]
Call = Callable[[str, dict[str, Any]], Any]


@pytest.fixture(scope="module")
def oracle(session_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    with running_oracle(session_store.port, tmp_path_factory.mktemp("oracle")) as oracle:
        yield oracle


@pytest.fixture
def call(oracle: Oracle) -> dict[str, Call]:
    """Each version's way to call a handler by its name, with the flat event that both understand."""
    return {OLD: oracle.call, NEW: this_version}


def this_version(function: str, event: dict[str, Any]) -> Any:
    return getattr(gimel, function)(event)


def an_event(
    experiment: str, variant: str, goal: str, uuid: str, namespace: str = DEFAULT
) -> dict[str, str]:
    return {
        "namespace": namespace,
        "experiment": experiment,
        "variant": variant,
        "event": goal,
        "uuid": uuid,
    }


def write(writer: str, call: dict[str, Call], events: Iterable[dict[str, Any]]) -> None:
    """Have events tracked by one version, or by each in turn."""
    for number, event in enumerate(events):
        call[writer if writer != BOTH else (OLD, NEW)[number % 2]]("track", event)


def contents(store: redis.Redis) -> Contents:
    """Every key with its value: bytes of a HyperLogLog or number, a set of members, a dict of fields."""
    read: dict[object, Callable[[bytes], Any]] = {
        b"string": store.get,
        b"set": store.smembers,
        b"hash": store.hgetall,
    }
    return {key.decode(): read[store.type(key)](key) for key in store.scan_iter(count=1000)}


def without_additions(found: Contents) -> Contents:
    """Leave out what this version keeps beside 1.5.0's keys."""
    return {
        key: value
        for key, value in found.items()
        if key != "gimel:namespaces" and not key.endswith(":meta")
    }


def as_1_5_0(goals: list[dict[str, Any]]) -> list[Any]:
    """The fields of an experiment's goals that 1.5.0 answers, in one order: it has none."""
    return sorted(
        (
            goal["goal"],
            sorted(
                (result["label"], result["successes"], result["trials"])
                for result in goal["results"]
            ),
        )
        for goal in goals
    )


def counted(namespace: str = DEFAULT, scope: str | None = None) -> dict[str, dict[str, Any]]:
    """What `all` of this version answers, by experiment."""
    event = {"namespace": namespace, **({} if scope is None else {"scope": scope})}
    return {item["experiment"]: item for item in this_version("all", event)[1:]}


# --- The same 10,000 events, whoever counts them ---

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
    """10,000 events as pages send them: many of a few experiments, few of many, one in four sent before."""
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
# Whom to ask for: each namespace as it is given, or not.
ASKED = [{} if namespace is None else {"namespace": namespace} for namespace in NAMESPACES]


@dataclasses.dataclass
class Written:
    """A store's keys at one moment, to be put back before each test that changes them."""

    contents: Contents
    dump: dict[bytes, bytes]

    @classmethod
    def of(cls, store: redis.Redis) -> Written:
        return cls(
            contents(store), {key: store.dump(key) or b"" for key in store.scan_iter(count=1000)}
        )

    def put_back(self, store: redis.Redis) -> None:
        store.flushall()
        for key, value in self.dump.items():
            store.restore(key, 0, value)


@pytest.fixture(scope="module")
def written(oracle: Oracle, session_store: Store) -> dict[str, Written]:
    """The store after all events, by who tracked them, at precision 1."""
    found = {}
    with pytest.MonkeyPatch.context() as patch, session_store.client() as store:
        patch.setenv(
            "GIMEL_SETTINGS", json.dumps({"redis": {"port": session_store.port}, "precision": 1})
        )
        for writer in (OLD, NEW, BOTH):
            store.flushall()
            write(writer, {OLD: oracle.call, NEW: this_version}, EVENTS)
            found[writer] = Written.of(store)
    return found


@pytest.fixture
def at_precision_1(store: redis.Redis, configure: Callable[..., None]) -> redis.Redis:
    configure(precision=1)
    return store


@pytest.fixture
def results_of_1_5_0(
    at_precision_1: redis.Redis, written: dict[str, Written], oracle: Oracle
) -> dict[str, Any]:
    """What 1.5.0 reads after it wrote everything: what every other pair must agree with."""
    written[OLD].put_back(at_precision_1)
    return everything_read(oracle.call)


def everything_read(call: Call) -> dict[str, Any]:
    """The results of `all`, `all` with a scope and `experiment` in every namespace, on 1.5.0's fields."""
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
    """At precision 1 every key of 1.5.0 has the very bytes that 1.5.0 writes, and nothing but the documented keys is added."""
    additions = {
        f"{namespace or DEFAULT}:{name}:meta" for namespace in NAMESPACES for name in NAMES
    } | {"gimel:namespaces"}

    found = written[writer].contents
    sizes = {len(value) for value in found.values() if isinstance(value, bytes)}

    assert min(sizes) < 100
    assert max(sizes) > 12_000  # small and large ones, which Redis encodes in two ways
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
    """Whichever version wrote and whichever reads: `all` and `experiment` agree to the last visitor."""
    written[writer].put_back(at_precision_1)

    read = everything_read(call[reader])

    assert read == results_of_1_5_0


def test_the_results_agreed_on_are_what_was_sent(results_of_1_5_0: dict[str, Any]) -> None:
    """Every counter is within five standard errors of the distinct uuids that were sent to it."""
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
        if abs(found[place] - sent[place]) > 5 * ERROR_OF_ONE * sent[place] + 1
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
    """Whichever version wrote and whichever deletes, what stays is the same, byte for byte."""
    some = [{**asked, "experiment": name} for asked in ASKED for name in [*NAMES[::2], "unknown"]]
    written[OLD].put_back(at_precision_1)
    for event in some:
        call[OLD]("delete", event)
    expected = contents(at_precision_1)
    written[writer].put_back(at_precision_1)

    for event in some:
        call[deleter]("delete", event)

    assert len(expected) > 100
    assert without_additions(contents(at_precision_1)) == expected


@pytest.mark.parametrize("writer", [OLD, NEW, BOTH])
def test_deleting_every_experiment_leaves_nothing(
    at_precision_1: redis.Redis, written: dict[str, Written], writer: str
) -> None:
    """This version deletes 1.5.0's experiments and its own to the last key."""
    written[writer].put_back(at_precision_1)

    for asked in ASKED:
        for name in NAMES:
            this_version("delete", {**asked, "experiment": name})

    assert contents(at_precision_1) == {}


# --- Counters begun by an earlier release ---


def test_a_counter_of_1_5_0_goes_on_growing(
    store: redis.Redis, configure: Callable[..., None], oracle: Oracle
) -> None:
    """After the switch to precision 16 the visitors of both times add up, and each part says how it was counted."""
    before, after = 3000, 20_000
    oracle.call_all(
        [
            ("gimel", "track", an_event("e", "red", goal, f"before {i}"))
            for goal in ("participate", "g")
            for i in range(before)
        ]
    )
    ((_, [(_, _, trials_of_1_5_0)]),) = as_1_5_0(oracle.call("experiment", {"experiment": "e"}))
    configure()

    for number in range(after):
        this_version("track", an_event("e", "red", "participate", f"after {number}"))
    (result,) = counted()["e"]["goals"][0]["results"]

    parts = result["trials_by_precision"]
    assert parts == {
        "1": trials_of_1_5_0,
        "16": pytest.approx(after, rel=4 * ERROR_OF_ONE / math.sqrt(16)),
    }
    assert result["trials"] == parts["1"] + parts["16"]
    assert result["trials"] == pytest.approx(
        before + after, abs=4 * ERROR_OF_ONE * math.hypot(before, after / 4)
    )
    assert result["successes_by_precision"] == {"1": result["successes"]}


def test_a_visitor_counts_once_across_the_switch_at_precision_1(
    store: redis.Redis, configure: Callable[..., None], oracle: Oracle
) -> None:
    """At precision 1 this version continues 1.5.0's own HyperLogLog, which knows the visitors of before."""
    oracle.call("track", an_event("e", "red", "participate", "a visitor"))
    configure(precision=1)

    for uuid in ("a visitor", "another"):
        this_version("track", an_event("e", "red", "participate", uuid))

    assert counted()["e"]["participants"] == [
        {"label": "red", "trials": 2, "trials_by_precision": {"1": 2}}
    ]


def test_the_beginning_of_an_experiment_of_1_5_0_is_unknown(
    gimel_store: redis.Redis, oracle: Oracle
) -> None:
    """1.5.0 noted no time: `since` is null, and stays so after the upgrade, whose day it would name."""
    oracle.call("track", an_event("e", "red", "participate", "1"))
    unknown = counted()["e"]["since"]

    this_version("track", an_event("e", "blue", "participate", "2"))
    this_version("track", an_event("new", "red", "participate", "1"))

    assert unknown is None
    assert counted()["e"]["since"] is None
    assert counted()["new"]["since"] is not None


# --- Names that 1.5.0 garbles ---

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


def counters_found(namespaces: Iterable[str]) -> set[tuple[str, str, str, str]]:
    """The names of all counters of goals that one visitor reached, after `all` with and without a scope agreed on them."""
    found = set()
    for namespace in namespaces:
        experiments = counted(namespace)
        for order in (sorted(experiments), sorted(experiments, reverse=True)):
            assert not order or counted(namespace, scope=",".join(order)) == experiments
        for experiment, item in experiments.items():
            assert counted(namespace, scope=experiment) == {experiment: item}
            for goal in item["goals"]:
                for result in goal["results"]:
                    if result["successes"] == 1:
                        found.add((namespace, experiment, goal["goal"], result["label"]))
    return found


@pytest.mark.parametrize("precision", [1, 16])
def test_names_with_colons_and_percent_signs_come_back_whole(
    store: redis.Redis, configure: Callable[..., None], precision: int
) -> None:
    """Wherever such a name stands, each counter is found under exactly the names that were sent, and deleted by them alone."""
    configure(precision=precision)
    sent = {
        (namespace, experiment, goal, variant)
        for odd in AWKWARD
        for namespace, experiment, goal, variant in [
            (odd, "e", "g", "v"),
            (DEFAULT, odd, "g", "v"),
            (DEFAULT, "goals", odd, "v"),
            (DEFAULT, "variants", "g", odd),
            (odd, odd, odd, odd),
        ]
    }
    for namespace, experiment, goal, variant in sent:
        this_version("track", an_event(experiment, variant, goal, "1", namespace))

    while sent:
        assert counters_found({DEFAULT, *AWKWARD}) == sent
        namespace, experiment, _, _ = min(sent)
        this_version("delete", {"namespace": namespace, "experiment": experiment})
        sent = {names for names in sent if names[:2] != (namespace, experiment)}

    assert contents(store) == {}


@pytest.mark.parametrize(
    ("namespace", "experiment", "goal", "variant"),
    [
        pytest.param(DEFAULT, "a:b", "g", "v", id="colon in the experiment"),
        pytest.param(DEFAULT, "a:b:c", "g", "v", id="colons in the experiment"),
        pytest.param(DEFAULT, "::", "g", "v", id="only colons in the experiment"),
        pytest.param(DEFAULT, "e", "a:b", "v", id="colon in the goal"),
        pytest.param(
            DEFAULT, "e", "g:", "16", id="what looks like a precision in goal and variant"
        ),
        pytest.param(
            DEFAULT,
            "e",
            "",
            "16",
            id="an empty goal, and what looks like a precision in the variant",
        ),
        pytest.param("x:y", "e", "g", "v", id="colon in the namespace"),
        pytest.param("x:y", "a:b", "c:d", "v", id="colons everywhere but in the variant"),
        pytest.param("50%", "50%", "50%", "50%", id="percent signs everywhere"),
        pytest.param(DEFAULT, "a%3Ab", "g", "v", id="an escape in the experiment"),
        pytest.param(
            DEFAULT, "a%20b", "caf%C3%A9", "%", id="escapes that this version does not write"
        ),
    ],
)
def test_names_that_1_5_0_wrote_raw_are_read_and_deleted(
    gimel_store: redis.Redis,
    oracle: Oracle,
    namespace: str,
    experiment: str,
    goal: str,
    variant: str,
) -> None:
    """1.5.0 put any name into its keys as it was; this version finds it there, alone or among others, and deletes it."""
    oracle.call("track", an_event(experiment, variant, "participate", "1", namespace))
    oracle.call("track", an_event(experiment, variant, "participate", "2", namespace))
    oracle.call("track", an_event(experiment, variant, goal, "1", namespace))
    expected = [(goal, [(variant, 1, 2)])]

    whole, alone = counted(namespace), counted(namespace, scope=experiment)
    goals = this_version("experiment", {"namespace": namespace, "experiment": experiment})
    this_version("delete", {"namespace": namespace, "experiment": experiment})

    assert {name: as_1_5_0(item["goals"]) for name, item in whole.items()} == {experiment: expected}
    assert {name: as_1_5_0(item["goals"]) for name, item in alone.items()} == {experiment: expected}
    assert as_1_5_0(goals) == expected
    assert contents(gimel_store) == {}


@pytest.mark.parametrize(("precision", "parts"), [(1, {"1": 5}), (16, {"1": 3, "16": 2})])
def test_a_raw_name_and_its_encoded_one_are_one_experiment(
    store: redis.Redis,
    configure: Callable[..., None],
    oracle: Oracle,
    precision: int,
    parts: dict[str, int],
) -> None:
    """What 1.5.0 counted under a raw name and this version under the encoded one add up."""
    configure(precision=precision)
    for number in range(3):
        oracle.call("track", an_event("a:b", "red", "participate", f"before {number}", "x:y"))
    for number in range(2):
        this_version("track", an_event("a:b", "red", "participate", f"after {number}", "x:y"))

    found = counted("x:y")

    assert found["a:b"]["participants"] == [
        {"label": "red", "trials": 5, "trials_by_precision": parts}
    ]


# 1.5.0's index of all counters cannot tell a's goal b:x from a goal x of a:b; the indexes of the two experiments can.
ALIKE_AMONG_ALL = ((DEFAULT, "a", "b:x"), (DEFAULT, "a:b", "g"))
NEIGHBOURS = [
    pytest.param(
        (DEFAULT, "a", "g"), (DEFAULT, "a:b", "g"), id="an experiment whose name begins the other's"
    ),
    pytest.param(*ALIKE_AMONG_ALL, id="an experiment whose goal continues the other's name"),
    pytest.param(
        ("x", "y", "g"),
        ("x:y", "e", "g"),
        id="a namespace that is the other's namespace and experiment",
    ),
    pytest.param(("x", "y:z", "g"), ("x:y", "z", "g"), id="a colon at another place"),
    pytest.param(
        ("x", "e", "g"), ("x:y", "e", "g"), id="a namespace whose name begins the other's"
    ),
]


@pytest.mark.parametrize("writer", [OLD, NEW, BOTH])
@pytest.mark.parametrize(("one", "other"), NEIGHBOURS)
def test_neighbours_are_told_apart(
    gimel_store: redis.Redis,
    call: dict[str, Call],
    one: tuple[str, str, str],
    other: tuple[str, str, str],
    writer: str,
) -> None:
    """Two experiments whose raw keys look alike: each has its own goals, asked for alone and among all."""
    for namespace, experiment, goal in (one, other):
        write(writer, call, [an_event(experiment, "v", goal, uuid, namespace) for uuid in "ab"])

    for namespace, experiment, goal in (one, other):
        expected = [(goal, [("v", 2, 0)])]
        assert (
            as_1_5_0(this_version("experiment", {"namespace": namespace, "experiment": experiment}))
            == expected
        )
        assert as_1_5_0(counted(namespace, scope=experiment)[experiment]["goals"]) == expected
        if (one, other) != ALIKE_AMONG_ALL:
            assert as_1_5_0(counted(namespace)[experiment]["goals"]) == expected


@pytest.mark.parametrize("writer", [OLD, NEW, BOTH])
@pytest.mark.parametrize(
    "first", [True, False], ids=["the first is deleted", "the second is deleted"]
)
@pytest.mark.parametrize(("one", "other"), NEIGHBOURS)
def test_deleting_does_not_touch_a_neighbour(
    gimel_store: redis.Redis,
    call: dict[str, Call],
    one: tuple[str, str, str],
    other: tuple[str, str, str],
    first: bool,
    writer: str,
) -> None:
    """Two experiments whose raw keys look alike: deleting one takes all of its keys and none of the other's."""
    deleted, kept = (one, other) if first else (other, one)

    def track(namespace: str, experiment: str, goal: str) -> None:
        # An odd number of events, twice: in turns, each version writes each counter.
        goals = ("participate", goal, "third")
        write(
            writer,
            call,
            [an_event(experiment, "v", name, uuid, namespace) for uuid in "ab" for name in goals],
        )

    track(*kept)
    alone = contents(gimel_store)
    track(*deleted)

    this_version("delete", {"namespace": deleted[0], "experiment": deleted[1]})

    assert without_additions(contents(gimel_store)) == without_additions(alone)
    assert deleted[1] not in counted(deleted[0])


@pytest.mark.parametrize("index", ["alephbet:counter_keys", "alephbet:e:counter_keys"])
def test_deleting_finds_what_only_one_index_lists(gimel_store: redis.Redis, index: str) -> None:
    """An event that came while an earlier delete ran may have left its counter in one index alone: it goes as well."""
    this_version("track", an_event("e", "red", "participate", "1"))
    gimel_store.delete(index)

    this_version("delete", {"experiment": "e"})

    assert contents(gimel_store) == {}


def test_deleting_the_last_experiment_takes_the_notes_of_the_namespace_away(
    store: redis.Redis, configure: Callable[..., None]
) -> None:
    """Events of experiments that are not allowed are noted beside the namespace's experiments, and go with the last of them."""
    configure(allowed_experiments=["e", "f"])
    for experiment in ("e", "f", "other"):
        this_version("track", an_event(experiment, "red", "participate", "1"))

    this_version("delete", {"experiment": "e"})
    noted = this_version("all", {})[0]["meta"]["ignored"]
    this_version("delete", {"experiment": "f"})

    assert noted == {"experiment not allowed": 1}
    assert contents(store) == {}


# --- What Lamed 0.4.3 left ---


@pytest.fixture
def lamed_store(store: redis.Redis, oracle: Oracle) -> redis.Redis:
    """Seven visitors of whom four reached the goal, counted by Lamed as plain integers."""
    oracle.call_all(
        [
            ("lamed", "track", an_event("e", "red", "participate", str(number)))
            for number in [*range(7), 0, 0]
        ]
        + [("lamed", "track", an_event("e", "red", "g", str(number))) for number in range(4)]
    )
    assert store.get("alephbet:counters:e:participate:red") == b"7"
    return store


def test_integers_of_lamed_are_read_as_exact(
    lamed_store: redis.Redis, configure: Callable[..., None]
) -> None:
    """They are counted as they are, and marked as free of counting error."""
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
    """The integer stays as it was, new visitors add to it, again once each; deleting takes both away."""
    configure(precision=precision)
    batch = [an_event("e", "red", "participate", uuid) for uuid in ("a", "b", "c", "a")]

    for event in batch:
        this_version("track", event)
    (after,) = counted()["e"]["participants"]
    integer = lamed_store.get("alephbet:counters:e:participate:red")
    this_version("delete", {"experiment": "e"})

    assert after["trials_by_precision"] == {"exact": 7, str(precision): 3}
    assert after["trials"] == 10
    assert integer == b"7"
    left = contents(lamed_store)
    assert set(left.values()) <= {b"1"}  # Lamed's marks of known visitors, which expire
    assert all(0 < lamed_store.ttl(key) <= 24 * 3600 for key in left)


# --- Whatever else lies there ---


def corrupted(store: redis.Redis, key: str) -> None:
    """A HyperLogLog whose registers do not add up."""
    store.pfadd(key, *range(100))
    store.setrange(key, 16, b"\0\0\0\0")


def truncated(store: redis.Redis, key: str) -> None:
    """A HyperLogLog of the large encoding, cut off."""
    store.pfadd(key, *range(5000))
    store.set(key, store.getrange(key, 0, 999))


FOREIGN: dict[str, Callable[[redis.Redis, str], object]] = {
    "a list": lambda store, key: store.rpush(key, 1, 2),
    "a hash": lambda store, key: store.hset(key, "a", "1"),
    "a set": lambda store, key: store.sadd(key, 1),
    "text": lambda store, key: store.set(key, "many"),
    "bytes that are no text": lambda store, key: store.set(key, b"\xff\xfe"),
    "nothing at all": lambda store, key: store.set(key, ""),
    "a fraction": lambda store, key: store.set(key, "12.5"),
    "a negative number": lambda store, key: store.set(key, "-3"),
    "a number beyond any count": lambda store, key: store.set(key, "9" * 21),
    "a corrupted HyperLogLog": corrupted,
    "a truncated HyperLogLog": truncated,
}


# Redis adds to a HyperLogLog without looking whether it is sound.
REFUSED = {name: put for name, put in FOREIGN.items() if put is not corrupted}


@pytest.mark.parametrize("put", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("precision", [1, 4])
def test_what_is_no_count_is_reported_and_breaks_nothing(
    store: redis.Redis,
    configure: Callable[..., None],
    put: Callable[[redis.Redis, str], object],
    precision: int,
) -> None:
    """A key that holds something else costs its own counter, which `unreadable` reports, and no other."""
    configure(precision=precision)
    for variant in ("red", "blue"):
        this_version("track", an_event("e", variant, "participate", "1"))
    (key,) = (
        key
        for key, value in contents(store).items()
        if "participate:red" in key and isinstance(value, bytes)
    )
    store.delete(key)
    put(store, key)

    found = counted()["e"]
    this_version("delete", {"experiment": "e"})

    assert found["unreadable"] == 1
    assert [(item["label"], item["trials"]) for item in found["participants"]] == [("blue", 1)]
    assert contents(store) == {}


@pytest.mark.parametrize("put", REFUSED.values(), ids=REFUSED)
def test_tracking_goes_on_beside_what_is_no_count(
    store: redis.Redis, configure: Callable[..., None], put: Callable[[redis.Redis, str], object]
) -> None:
    """At precision 1, where the counter's key is 1.5.0's own, an event is counted next to what lies there."""
    configure(precision=1)
    put(store, "alephbet:counters:e:participate:red")

    answer = this_version("track", an_event("e", "red", "participate", "1"))

    assert answer == {"status": "ok"}
    assert counted()["e"]["participants"] == [
        {"label": "red", "trials": 1, "trials_by_precision": {"1": 1}}
    ]
    assert counted()["e"]["unreadable"] == 1


@pytest.mark.parametrize("key", ["alephbet:e:meta", "alephbet:meta"])
def test_notes_that_cannot_be_read_do_not_hide_the_counts(
    gimel_store: redis.Redis, key: str
) -> None:
    """Where the key of `since` and `ignored` holds something else, the counts are served without them."""
    this_version("track", an_event("e", "red", "participate", "1"))
    gimel_store.set(key, "something else")

    found = counted()["e"]

    assert [item["trials"] for item in found["participants"]] == [1]


@pytest.mark.parametrize(
    "member",
    [b"\xff\xfe", b"alephbet:counters", b"alephbet:counters:e:g", b"", b"other:counters:e:g:v"],
)
def test_an_index_entry_that_is_no_counter_is_passed_over(
    gimel_store: redis.Redis, member: bytes
) -> None:
    """What the index lists but cannot be a counter of this namespace changes no result."""
    this_version("track", an_event("e", "red", "participate", "1"))
    before = this_version("all", {})
    for index in ("alephbet:experiments", "alephbet:counter_keys", "alephbet:e:counter_keys"):
        gimel_store.sadd(index, member)

    after = [item for item in this_version("all", {}) if item.get("experiment") in (None, "e")]

    assert after == before
