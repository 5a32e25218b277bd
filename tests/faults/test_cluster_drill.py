"""While a Redis Cluster changes, no event is lost, and none is counted where it does not belong."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.reliability import PAGE
from tests.faults.cluster import (
    CHANGES,
    Change,
    Cluster,
    PrimaryKilled,
    PrimaryReplaced,
    SlotsMoved,
    cluster_with_replicas,
)
from tests.faults.cluster_drill import ClusterVerdict, run
from tests.faults.drill import Verdict
from tests.faults.traffic import Event

EVENTS = 1600


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster_with_replicas(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_costs_no_event(change: type[Change], cluster: Cluster, tmp_path: Path) -> None:
    """Clients that send an event until it gets a 200 lose none; `all` and `delete` work.

    No call outlasts its Lambda's time-out.
    """
    cluster.flush()

    assert run(change(), EVENTS, cluster, tmp_path).problems() == []


def test_the_table_has_a_row_for_every_change() -> None:
    """The program was run after a change was added or renamed."""
    table = PAGE.read_text("utf-8").partition("<!-- table cluster -->")[2].partition("<!-- end")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows[2:]] == [f"| {each.name}" for each in CHANGES]


EVENT = Event("button", "red", "buy", "visitor-1", 7, 1)
EVENTS_VERDICT = Verdict("", 0, [], 0, [], [], [], [], 0.1, 4, 4, 0)
VERDICT = ClusterVerdict(EVENTS_VERDICT, PrimaryReplaced, True, 0, 1, 0, 1, 0, [])


def test_a_good_verdict_has_no_problems() -> None:
    """Reads and deletes may fail, as long as they succeed in the end."""
    assert dataclasses.replace(VERDICT, results_failed=5, deletes_failed=5).problems() == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"lost": [EVENT]}, "1 events lost"),
        ({"misplaced": [EVENT.slot]}, "1 misplaced"),
        ({"undelivered": 1}, "1 events got no 200"),
        ({"other": [500]}, "statuses other than 200 and 503"),
        ({"longest": 3.1}, "a call took 3.10 s"),
        ({"refused_later": 1}, "1 calls refused afterwards"),
        ({"wrong": [EVENT]}, "1 wrong answers"),
        ({"unlisted": ["button"]}, "not listed: ['button']"),
    ],
)
def test_a_problem_with_events_is_reported(changes: dict[str, Any], problem: str) -> None:
    """Each of the promises is checked."""
    events = dataclasses.replace(EVENTS_VERDICT, **changes)
    (found,) = dataclasses.replace(VERDICT, events=events).problems()
    assert problem in found


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"change": PrimaryKilled}, "the change had no effect"),
        ({"still_sending": False}, "the events were sent before the change was over"),
        ({"results": 0}, "results were not read"),
        ({"deletes": 0}, "nothing was deleted"),
        ({"owner_problems": ["a delete left a key"]}, "a delete left a key"),
    ],
)
def test_a_problem_of_the_drill_is_reported(changes: dict[str, Any], problem: str) -> None:
    """A drill that shows nothing is a problem, and so is what the owner finds."""
    (found,) = dataclasses.replace(VERDICT, **changes).problems()
    assert problem in found


def test_moving_slots_may_not_refuse_calls() -> None:
    """A failover may be answered 503, a resharding may not."""
    events = dataclasses.replace(EVENTS_VERDICT, refused=2)
    refused = dataclasses.replace(VERDICT, events=events)
    assert refused.problems() == []
    assert dataclasses.replace(refused, change=SlotsMoved).problems() == [
        "2 calls were answered 503"
    ]


def test_what_redis_may_lose_is_the_last_moment_of_the_dead_primary() -> None:
    """Writes to other primaries, earlier ones and later ones must be there."""
    change = PrimaryKilled()
    change._slots, change._died = [range(5461)], 100.0
    here, elsewhere = "k2", "k0"  # slots 449 and 8579
    assert change.may_be_lost(here, 99.5)
    assert not change.may_be_lost(here, 98.5)
    assert not change.may_be_lost(here, 101.5)
    assert not change.may_be_lost(elsewhere, 99.5)
    assert not SlotsMoved().may_be_lost(here, 99.5)
