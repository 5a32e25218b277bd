"""Names with colons and percent signs, which 1.5.0 put into its keys unchanged."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from tests.support.oracle import Oracle
from tests.support.redis_content import snapshot
from tests.support.releases import (
    BOTH,
    DEFAULT,
    NEW,
    OLD,
    Call,
    as_1_5_0,
    counted,
    make_event,
    this_version,
    without_additions,
    write,
)


@pytest.mark.parametrize(
    ("namespace", "experiment", "goal", "variant"),
    [
        pytest.param(DEFAULT, "a:b", "g", "v", id="colon in the experiment"),
        pytest.param(DEFAULT, "a:b:c", "g", "v", id="colons in the experiment"),
        pytest.param(DEFAULT, "::", "g", "v", id="only colons in the experiment"),
        pytest.param(DEFAULT, "e", "a:b", "v", id="colon in the goal"),
        pytest.param(DEFAULT, "e", "g:", "16", id="a goal and variant that look like a precision"),
        pytest.param(
            DEFAULT,
            "e",
            "",
            "16",
            id="an empty goal and a variant that looks like a precision",
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
    """A name that 1.5.0 put into its keys unchanged is found, alone and among all, and deleted."""
    oracle.call("track", make_event(experiment, variant, "participate", "1", namespace))
    oracle.call("track", make_event(experiment, variant, "participate", "2", namespace))
    oracle.call("track", make_event(experiment, variant, goal, "1", namespace))
    expected = [(goal, [(variant, 1, 2)])]

    whole, alone = counted(namespace), counted(namespace, scope=experiment)
    goals = this_version("experiment", {"namespace": namespace, "experiment": experiment})
    this_version("delete", {"namespace": namespace, "experiment": experiment})

    assert {name: as_1_5_0(item["goals"]) for name, item in whole.items()} == {experiment: expected}
    assert {name: as_1_5_0(item["goals"]) for name, item in alone.items()} == {experiment: expected}
    assert as_1_5_0(goals) == expected
    assert snapshot(gimel_store) == {}


@pytest.mark.parametrize(("precision", "parts"), [(1, {"1": 5}), (16, {"1": 3, "16": 2})])
def test_a_raw_name_and_its_encoded_one_are_one_experiment(
    store: redis.Redis,
    configure: Callable[..., None],
    oracle: Oracle,
    precision: int,
    parts: dict[str, int],
) -> None:
    """Counts of 1.5.0 under a raw name and of this version under the encoded one add up."""
    configure(precision=precision)
    for number in range(3):
        oracle.call("track", make_event("a:b", "red", "participate", f"before {number}", "x:y"))
    for number in range(2):
        this_version("track", make_event("a:b", "red", "participate", f"after {number}", "x:y"))

    found = counted("x:y")

    assert found["a:b"]["participants"] == [
        {"label": "red", "trials": 5, "trials_by_precision": parts}
    ]


# In 1.5.0's index of all counters, a's goal b:x looks like a goal x of a:b. The indexes of the two
# experiments show the difference.
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
def test_neighbours_keep_their_goals(
    gimel_store: redis.Redis,
    call: dict[str, Call],
    one: tuple[str, str, str],
    other: tuple[str, str, str],
    writer: str,
) -> None:
    """Two experiments whose raw keys look alike each have their own goals, alone and among all."""
    for namespace, experiment, goal in (one, other):
        write(writer, call, [make_event(experiment, "v", goal, uuid, namespace) for uuid in "ab"])

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
    """An experiment is deleted without touching another whose raw keys look alike."""
    deleted, kept = (one, other) if first else (other, one)

    def track(namespace: str, experiment: str, goal: str) -> None:
        # An odd number of events, twice: taking turns, each version writes each counter.
        goals = ("participate", goal, "third")
        write(
            writer,
            call,
            [make_event(experiment, "v", name, uuid, namespace) for uuid in "ab" for name in goals],
        )

    track(*kept)
    alone = snapshot(gimel_store)
    track(*deleted)

    this_version("delete", {"namespace": deleted[0], "experiment": deleted[1]})

    assert without_additions(snapshot(gimel_store)) == without_additions(alone)
    assert deleted[1] not in counted(deleted[0])
