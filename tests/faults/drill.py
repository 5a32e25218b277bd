"""A drill: clients send events, the store fails in the middle, and the store is read at the end.

`run` performs a drill, `judge` evaluates it. The verdict is a value. It depends only on the answers
that the clients got and on what the store holds.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.faults.clients import Call, Client
from tests.faults.container import TIMEOUT
from tests.faults.outages import Outage, Stage, stage
from tests.faults.traffic import NAMESPACE, Event, Traffic, registers, traffic
from tests.support.redis_content import Contents, snapshot
from tests.support.servers import wait_until

CLIENTS = 4
PATIENCE = 30
"""Seconds in which half of the events must be delivered, and another second per 100 events."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a drill has shown. `problems` is empty if the promises of docs/reliability.md hold."""

    outage: str
    refused: int
    """Calls that were answered 503 until the outage was over. Without any, it had no effect."""
    other: list[int]
    """Statuses other than 200 and 503, one for each such call."""
    undelivered: int
    """Events that got no 200."""
    lost: list[Event]
    """Events that were answered 200 `ok` and are not in the store."""
    misplaced: list[tuple[str, int]]
    """Keys and registers that are set in the store, although no event explains them."""
    wrong: list[Event]
    """Events whose 200 had the wrong body."""
    unlisted: list[str]
    """Experiments whose name, counters or `since` are missing or wrong in the store."""
    longest: float
    """The longest call, in seconds."""
    clients: int
    recovered: int
    """Clients whose first call after the outage was answered 200."""
    refused_later: int
    """Calls that were sent after the outage and not answered 200."""

    def problems(self) -> list[str]:
        """Return what went wrong, in sentences."""
        checks = {
            "no call was answered 503: the outage had no effect": not self.refused,
            f"statuses other than 200 and 503: {self.other[:5]}": self.other,
            f"{self.undelivered} events got no 200": self.undelivered,
            f"{len(self.lost)} events lost: {self.lost[:2]}": self.lost,
            f"{len(self.misplaced)} misplaced: {self.misplaced[:2]}": self.misplaced,
            f"{len(self.wrong)} wrong answers: {self.wrong[:2]}": self.wrong,
            f"{len(self.unlisted)} experiments not listed: {self.unlisted[:2]}": self.unlisted,
            f"a call took {self.longest:.2f} s": self.longest > TIMEOUT,
            f"{self.recovered} of {self.clients} clients recovered at once": (
                self.recovered < self.clients
            ),
            f"{self.refused_later} calls refused after the outage": self.refused_later,
        }
        return [problem for problem, found in checks.items() if found]


def run(outage: Outage, events: int, directory: Path) -> Verdict:
    """Send this many events, with the outage in the middle, and evaluate the result."""
    patience = PATIENCE + events / 100
    with stage(directory, outage) as built:
        with built.admin() as admin:
            planned = traffic(events, admin)
        outage.prepare(built)
        with _sending(planned, built) as clients:
            wait_until(lambda: all(client.halfway.is_set() for client in clients), patience)
            over = _fail(outage, built, clients)
            for client in clients:
                client.join(max(0, over + patience - time.monotonic()))
        with built.admin() as admin:
            contents = snapshot(admin)
    calls = [call for client in clients for call in client.calls]
    return judge(outage.name, [*planned.first, *planned.events], calls, over, contents)


@contextlib.contextmanager
def _sending(planned: Traffic, built: Stage) -> Iterator[list[Client]]:
    """Run clients that share the events during a with block. Each has a warm container."""
    share = -(-len(planned.events) // CLIENTS)
    shares = [planned.events[start : start + share] for start in range(0, share * CLIENTS, share)]
    settings = built.settings
    clients = [
        Client(number, events, settings, built.directory) for number, events in enumerate(shares)
    ]
    try:
        for number, event in enumerate(planned.first):
            clients[number % CLIENTS].send(event)
        for client in clients:
            client.start()
        yield clients
    finally:
        for client in clients:
            client.end()


def _fail(outage: Outage, built: Stage, clients: Sequence[Client]) -> float:
    """Let the outage happen, long enough to be noticed. Return when it was over.

    One of the clients sends nothing meanwhile: its connection dies unnoticed.
    """
    *busy, idle = clients
    before = [len(client.calls) for client in busy]
    for client in busy:
        client.go_on()
    wait_until(lambda: all(len(c.calls) > n + 5 for c, n in zip(busy, before, strict=True)))
    begin = time.monotonic()
    outage.begin(built)
    time.sleep(outage.seconds)
    patience = time.monotonic() + 10
    while time.monotonic() < patience and not all(_was_refused(client, begin) for client in busy):
        time.sleep(0.02)
    outage.end(built)
    deployed = built.settings
    rotated = deployed != idle.settings
    for client in clients:
        client.slow = False
        if rotated:
            client.settings = deployed
    over = time.monotonic()
    idle.go_on()
    return over


def _was_refused(client: Client, since: float) -> bool:
    return any(call.status != 200 and call.sent + call.seconds > since for call in client.calls)


def judge(
    outage: str, events: Sequence[Event], calls: Sequence[Call], over: float, contents: Contents
) -> Verdict:
    """Compare the answers with the content of the store. The outage was over at `over`."""
    answers = {call.event: call.answer for call in calls if call.status == 200}
    held = {
        (key, register): rank
        for key, content in contents.items()
        if isinstance(content, bytes)
        for register, rank in registers(content).items()
    }
    expected = {event.slot: event.rank for event in events if event.counted}
    later: defaultdict[int, list[Call]] = defaultdict(list)
    for call in calls:
        if call.sent > over:
            later[call.client].append(call)
    return Verdict(
        outage=outage,
        refused=sum(call.status == 503 and call.sent <= over for call in calls),
        other=[call.status for call in calls if call.status not in (200, 503)],
        undelivered=sum(event not in answers for event in events),
        lost=[
            event
            for event, answer in answers.items()
            if answer == {"status": "ok"} and held.get(event.slot) != event.rank
        ],
        misplaced=[slot for slot, rank in held.items() if expected.get(slot) != rank],
        wrong=[event for event, answer in answers.items() if answer != event.answer],
        unlisted=_unlisted(events, contents),
        longest=max(call.seconds for call in calls),
        clients=len({call.client for call in calls}),
        recovered=sum(each[0].status == 200 for each in later.values()),
        refused_later=sum(call.status != 200 for each in later.values() for call in each),
    )


def _unlisted(events: Iterable[Event], contents: Contents) -> list[str]:
    """Return the experiments of which the store has a wrong name, counter or no `since`."""
    counters: defaultdict[str, set[bytes]] = defaultdict(set)
    for event in events:
        if event.counted:
            counters[event.experiment].add(event.counter.encode())
    names = contents.get(f"{NAMESPACE}:experiments", set())
    of_namespace = contents.get(f"{NAMESPACE}:counter_keys", set())
    return [
        experiment
        for experiment, expected in counters.items()
        if experiment.encode() not in names
        or contents.get(f"{NAMESPACE}:{experiment}:counter_keys") != expected
        or not expected <= of_namespace
        or b"since" not in contents.get(f"{NAMESPACE}:{experiment}:meta", {})
    ] + sorted(str(name) for name in names - {name.encode() for name in counters})
