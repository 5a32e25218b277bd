"""Sending what is new to a receiver, so that each alert arrives once per change.

The order makes it so: what a receiver has accepted is noted at once, and nothing before. A run that
ends between the two, because AWS or somebody killed it, is the one case in which an alert is sent
again; it has the same id then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from gimel.alerts.http import SECONDS, NotSent
from gimel.alerts.messages import MOST_ALERTS
from gimel.alerts.receivers import Receiver
from gimel.alerts.state import State
from gimel.alerts.watch import Watched

_RESERVE = 4 * SECONDS
"""The least time for a message and its note: looking up the host's address may take long."""


class Store(Protocol):
    """Where the states are kept: `gimel.alerts.records.Records`."""

    def read(self, receiver: str, watched: Sequence[Watched]) -> list[str | None]: ...

    def write(self, receiver: str, texts: Iterable[tuple[Watched, str]]) -> set[Watched]: ...


def deliver(
    receiver: Receiver,
    watched: Sequence[Watched],
    store: Store,
    now: float,
    seconds_left: Callable[[], float],
) -> int:
    """Send a receiver what is new to it, and return the number of alerts.

    The states are written before the first message, too: what cannot be noted must not be sent, or
    every run would send it again. Raises NotSent when the receiver accepts nothing; what it has
    accepted before is noted. Raises RedisError.
    """
    states: dict[Watched, State] = {}
    changed: set[Watched] = set()
    pending: list[tuple[Watched, str]] = []
    for each, text in zip(watched, store.read(receiver.name, watched), strict=True):
        state = State.parse(text)
        if state is None:
            continue
        states[each] = state.settled(each.observation)
        new = states[each].new(each.observation)
        pending += [(each, key) for key in new]
        if new or states[each] != state:
            changed.add(each)
    gone = _note(receiver, states, changed, store)
    pending = [(each, key) for each, key in pending if each not in gone]
    sent = 0
    for begin in range(0, len(pending), MOST_ALERTS):
        if seconds_left() < _RESERVE:
            raise NotSent("the time is up; the next run sends the rest")
        message = pending[begin : begin + MOST_ALERTS]
        alerts = [each.alert(key, states[each].number(key), now) for each, key in message]
        receiver.send(alerts, now)
        for each, key in message:
            states[each] = states[each].sent(key)
        _note(receiver, states, {each for each, _ in message}, store)
        sent += len(message)
    return sent


def _note(
    receiver: Receiver, states: dict[Watched, State], changed: set[Watched], store: Store
) -> set[Watched]:
    return store.write(receiver.name, [(each, states[each].text) for each in changed])
