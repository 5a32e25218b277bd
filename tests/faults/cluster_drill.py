"""A drill on a Redis Cluster: clients send events while the cluster changes, then it is read.

Meanwhile the owner reads results and deletes experiments.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import gimel
from gimel.runtime.errors import RedisError
from tests.faults.clients import Client
from tests.faults.cluster import Change, Cluster, Performing
from tests.faults.container import TIMEOUT
from tests.faults.drill import CLIENTS, PATIENCE, Verdict, judge
from tests.faults.traffic import EXPERIMENTS, Traffic, traffic
from tests.support.events import EVENT
from tests.support.redis_content import Contents, snapshot
from tests.support.servers import running_store, wait_until

_DOOMED = "doomed"


@dataclasses.dataclass(frozen=True)
class ClusterVerdict:
    """What a drill has shown. `problems` is empty if the promises of docs/reliability.md hold."""

    events: Verdict
    change: type[Change]
    still_sending: bool
    """Whether every client had events left when the change was over."""
    lost_with_primary: int
    """Events that were answered 200 and are not in the store, as Redis allows it for a moment."""
    results: int
    """How often results were read meanwhile."""
    results_failed: int
    deletes: int
    deletes_failed: int
    owner_problems: list[str]
    """What was wrong with the results, or left by a delete."""

    def problems(self) -> list[str]:
        """Return what went wrong, in sentences."""
        events = self.events
        checks = {
            f"statuses other than 200 and 503: {events.other[:5]}": events.other,
            f"{events.undelivered} events got no 200": events.undelivered,
            f"{len(events.lost)} events lost: {events.lost[:2]}": events.lost,
            f"{len(events.misplaced)} misplaced: {events.misplaced[:2]}": events.misplaced,
            f"a call took {events.longest:.2f} s": events.longest > TIMEOUT,
            f"{events.refused_later} calls refused afterwards": events.refused_later,
            "no call was answered 503: the change had no effect": (
                self.change.must_refuse and not events.refused
            ),
            f"{events.refused} calls were answered 503": (
                events.refused and not self.change.may_refuse
            ),
            "the events were sent before the change was over": not self.still_sending,
            "results were not read, or nothing was deleted": not (self.results and self.deletes),
        }
        if not self.lost_with_primary:
            checks |= {
                f"{len(events.wrong)} wrong answers: {events.wrong[:2]}": events.wrong,
                f"not listed: {events.unlisted[:2]}": events.unlisted,
            }
        return [problem for problem, found in checks.items() if found] + self.owner_problems


class Owner:
    """Reads results and deletes experiments, one at a time."""

    def __init__(self) -> None:
        self.results = self.results_failed = self.deletes = self.deletes_failed = 0
        self.problems: list[str] = []
        self._doomed = 0

    def read(self) -> None:
        """Read the experiments that exist all the time."""
        scope = [f"experiment-{number}" for number in range(EXPERIMENTS)]
        try:
            _, *found = gimel.all({"scope": ",".join(scope)})
        except RedisError:
            self.results_failed += 1
            return
        self.results += 1
        if any(each["unreadable"] or not each["participants"] for each in found):
            self.problems.append("an experiment has incomplete results")

    def begin_and_delete(self) -> None:
        """Begin an experiment, and delete it. Both are repeated until they are answered 200."""
        name = f"{_DOOMED}-{self._doomed}"
        self._doomed += 1
        self._repeat(lambda: gimel.track({**EVENT, "experiment": name}))
        self.deletes_failed += self._repeat(lambda: gimel.delete({"experiment": name}))
        self.deletes += 1

    def read_everything(self) -> set[str]:
        """Return the names of all experiments, page by page."""
        names: set[str] = set()
        page: str | None = ""
        while page is not None:
            meta, *found = gimel.all({"page": page})
            names.update(each["experiment"] for each in found)
            page = meta["meta"]["next"]
        return names

    def _repeat(self, action: Callable[[], object]) -> int:
        """Call the handler until Redis lets it, reading in between. Return how often it failed."""
        for failures in itertools.count():
            try:
                action()
            except RedisError:
                time.sleep(0.05)
                self.read()
            else:
                return failures
        raise AssertionError("unreachable")


def run(change: Change, events: int, cluster: Cluster, directory: Path) -> ClusterVerdict:
    """Send this many events, with the change in the middle, and evaluate the result."""
    patience = PATIENCE + events / 50
    planned = _planned(events)
    owner = Owner()
    settings = mock.patch.dict(os.environ, GIMEL_SETTINGS=json.dumps(cluster.settings))
    with settings, _sending(planned, cluster.settings, directory) as clients:
        wait_until(lambda: all(client.halfway.is_set() for client in clients), patience)
        *busy, idle = clients
        for client in busy:
            client.go_on()
        performing = Performing(change, cluster)
        performing.start()
        while performing.is_alive():
            owner.read()
            owner.begin_and_delete()
        assert performing.over is not None
        still_sending = all(client.is_alive() for client in busy)
        for client in clients:
            client.slow = False
        idle.go_on()
        for client in clients:
            client.join(max(0, performing.over + patience - time.monotonic()))
        owner.begin_and_delete()
        owner.read()
        named = owner.read_everything()
    contents: Contents = {}
    with cluster.admins() as admins:
        for admin in admins:
            contents.update(snapshot(admin))
    calls = [call for client in clients for call in client.calls]
    sent = [*planned.first, *planned.events]
    verdict = judge(change.name, sent, calls, performing.over, contents)
    answered = {call.event: call.sent + call.seconds for call in calls if call.status == 200}
    excused = [e for e in verdict.lost if change.may_be_lost(e.slot[0], answered[e])]
    lost = [event for event in verdict.lost if event not in excused]
    if named != {event.experiment for event in sent if event.counted} and not excused:
        owner.problems.append("the results do not name every experiment")
    # The record of a delete that was interrupted stays for a while: that delete might still run.
    left = [key for key in contents if _DOOMED in key and not key.endswith(":deleting")]
    owner.problems += [f"a delete left {key}" for key in left]
    return ClusterVerdict(
        events=dataclasses.replace(verdict, lost=lost),
        change=type(change),
        still_sending=still_sending,
        lost_with_primary=len(excused),
        results=owner.results,
        results_failed=owner.results_failed,
        deletes=owner.deletes,
        deletes_failed=owner.deletes_failed,
        owner_problems=owner.problems,
    )


def _planned(events: int) -> Traffic:
    with (
        tempfile.TemporaryDirectory() as directory,
        running_store(Path(directory)) as store,
        store.client() as scratch,
    ):
        return traffic(events, scratch)


@contextlib.contextmanager
def _sending(planned: Traffic, settings: dict[str, Any], directory: Path) -> Iterator[list[Client]]:
    """Run clients that share the events during a with block. Each has a warm container."""
    shares = [planned.events[number::CLIENTS] for number in range(CLIENTS)]
    clients = [Client(number, each, settings, directory) for number, each in enumerate(shares)]
    try:
        for number, event in enumerate(planned.first):
            clients[number % CLIENTS].send(event)
        for client in clients:
            client.start()
        yield clients
    finally:
        for client in clients:
            client.end()
