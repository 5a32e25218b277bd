"""Imports while events are counted, and imports that are interrupted: nothing is lost.

The same code runs as in `gimel import`; `WatchedClient` lets a test act before any of its commands.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis

from gimel.runtime import conclude
from gimel.runtime.counter import Experiment
from gimel.runtime.process import Process
from gimel.runtime.removal import remove
from gimel.transfer.restore import CHANGED
from tests.support.moving import (
    counted,
    export_all,
    export_from,
    import_all,
    opened,
    process_of,
    results,
    send,
)
from tests.support.servers import Store

NOW = 1_800_000_000


class KilledError(Exception):
    """The end of the process, at this moment."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "counters.json"


@pytest.fixture
def exported(session_store: Store, store: redis.Redis, path: Path) -> Path:
    """An export of three experiments of a few visitors: one concluded, one with 1.5.0's keys."""
    process = process_of(session_store.port)
    process.at = NOW
    send(process, "button", "a1", "b1")
    send(process, "kept", "a1")
    conclude._conclude(process, Experiment("alephbet", "kept"), {"winner": "variant a"})
    process.redis.close()
    key = "alephbet:counters:old:participate:variant a"
    store.sadd("alephbet:experiments", "old")
    store.sadd("alephbet:counter_keys", key)
    store.sadd("alephbet:old:counter_keys", key)
    store.pfadd(key, "a1")
    export_all(session_store.port, path)
    return path


class Moment:
    """Called before each command of an import; before the one of this number, it acts."""

    def __init__(self, number: int, act: Callable[[], object]) -> None:
        self._left = number
        self._act = act

    def __call__(self) -> None:
        if self._left == 0:
            self._act()
        self._left -= 1


def kill() -> None:
    raise KilledError


def visitors(port: int) -> dict[str, list[dict[str, Any]]]:
    return {each["experiment"]: each["participants"] for each in results(port)}


def commands_of_an_import(port: int, path: Path) -> int:
    """Return how many commands an import into that store executes."""
    number = 0

    def count() -> None:
        nonlocal number
        number += 1

    import_all(port, path, count)
    return number


def test_an_event_at_any_moment_of_an_import_is_counted(
    other_store: Store, target: redis.Redis, exported: Path
) -> None:
    """It is counted once, at the precision that the experiment has, whether it was known or not."""
    number = commands_of_an_import(other_store.port, exported)
    assert number > 40
    refused = 0
    for moment in range(number):
        target.flushall()
        process = process_of(other_store.port, precision=16)

        def events(process: Process = process) -> None:
            for experiment in ("button", "old"):
                send(process, experiment, "a2", "b1", "c1")

        outcome = import_all(other_store.port, exported, Moment(moment, events))
        process.redis.close()
        found = visitors(other_store.port)
        if outcome.failed:  # begun at another precision
            assert all("but 16 in the target" in each for each in outcome.failed.values()), (
                moment,
                outcome.failed,
            )
            refused += 1
            continue
        assert found["button"] == [
            {"label": "variant a", "trials": 2, "trials_by_precision": {"4": 2}},
            {"label": "variant b", "trials": 1, "trials_by_precision": {"4": 1}},
            {"label": "variant c", "trials": 1, "trials_by_precision": {"4": 1}},
        ], moment
        assert found["old"] == [
            {"label": "variant a", "trials": 2, "trials_by_precision": {"1": 2}},
            {"label": "variant b", "trials": 1, "trials_by_precision": {"1": 1}},
            {"label": "variant c", "trials": 1, "trials_by_precision": {"1": 1}},
        ], moment
    assert 0 < refused < number / 2


def test_an_event_at_any_moment_of_a_merge_is_counted(
    other_store: Store, target: redis.Redis, exported: Path
) -> None:
    """With what the target and the file had counted before."""
    process = process_of(other_store.port)
    send(process, "button", "a3")
    number = commands_of_an_import(other_store.port, exported)
    for moment in range(0, number, 2):
        target.flushall()
        send(process, "button", "a3")
        event = partial(send, process, "button", "a2", "c1")
        assert import_all(other_store.port, exported, Moment(moment, event)).merged == 1
        assert visitors(other_store.port)["button"] == [
            {"label": "variant a", "trials": 3, "trials_by_precision": {"4": 3}},
            {"label": "variant b", "trials": 1, "trials_by_precision": {"4": 1}},
            {"label": "variant c", "trials": 1, "trials_by_precision": {"4": 1}},
        ], moment
    process.redis.close()


@pytest.mark.parametrize("is_new", [True, False], ids=["new", "counting"])
def test_an_import_that_was_killed_at_any_moment_is_finished_by_the_next(
    other_store: Store, target: redis.Redis, exported: Path, is_new: bool
) -> None:
    """With the result of one that was not interrupted, and without a key that is left over."""

    def begin() -> None:
        target.flushall()
        if not is_new:
            process = process_of(other_store.port)
            process.at = NOW + 5
            send(process, "button", "a2", "b1")
            process.redis.close()

    begin()
    number = commands_of_an_import(other_store.port, exported)
    expected = counted(target)
    for moment in range(number):
        begin()
        with pytest.raises(KilledError):
            import_all(other_store.port, exported, Moment(moment, kill))
        helpers = [key for key in target.scan_iter() if b":import-" in key]
        for key in helpers:  # they expire
            assert 0 < target.ttl(key) <= 60
            target.delete(key)
        import_all(other_store.port, exported)
        assert counted(target) == expected, moment


def test_what_a_killed_import_left_is_deleted_with_the_experiment(
    other_store: Store, target: redis.Redis, exported: Path
) -> None:
    """Also where nothing lists it yet."""
    number = commands_of_an_import(other_store.port, exported)
    for moment in range(number):
        target.flushall()
        with pytest.raises(KilledError):
            import_all(other_store.port, exported, Moment(moment, kill))
        with opened(other_store.port) as client:
            for name in ("button", "old", "kept"):
                remove(client, Experiment("alephbet", name))
        assert list(target.scan_iter()) == [], moment


def test_a_delete_at_any_moment_is_noticed(
    other_store: Store, target: redis.Redis, exported: Path
) -> None:
    """Then the import says so, or the delete was too early; a repeated import completes it."""
    number = commands_of_an_import(other_store.port, exported)
    expected = counted(target)
    noticed = 0

    def delete() -> None:
        with opened(other_store.port) as client:
            remove(client, Experiment("alephbet", "button"))

    for moment in range(number):
        target.flushall()
        outcome = import_all(other_store.port, exported, Moment(moment, delete))
        if outcome.failed:
            assert outcome.failed == {("alephbet", "button"): CHANGED}
            noticed += 1
        assert import_all(other_store.port, exported).failed == {}
        assert counted(target) == expected, moment
    assert noticed


def test_an_export_shows_no_goal_of_a_visitor_who_does_not_take_part(
    cluster_nodes: list[Store],
    cluster: list[redis.Redis],
    other_store: Store,
    target: redis.Redis,
    path: Path,
) -> None:
    """In a cluster too, where a slow node answers later: at any moment of the export."""
    source = process_of(cluster_nodes[0].port)
    send(source, "button", "a0")
    visitors = iter(range(1, 1000))

    def arrive() -> None:
        send(source, "button", f"a{next(visitors)}")

    with opened(cluster_nodes[0].port, arrive) as redis:
        export_from(redis, path)
    source.redis.close()
    import_all(other_store.port, path)
    (button,) = results(other_store.port)
    (participants,), (goal,) = button["participants"], button["goals"]
    assert 1 < goal["results"][0]["successes"] < participants["trials"]
