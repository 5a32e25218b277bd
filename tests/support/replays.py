"""Experiments of several weeks, day by day, through the alerts: what a receiver would receive."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from gimel.alerts.conditions import observe
from gimel.alerts.delivery import Store, deliver
from gimel.alerts.described import used
from gimel.alerts.http import NotSent
from gimel.alerts.messages import Alert
from gimel.alerts.watch import Watched
from gimel.analysis.counts import Count, ExperimentCounts, Point
from gimel.analysis.design import Design
from gimel.analysis.experiment import analyse

DAY = 86_400
BEGIN = 20_000 * DAY + 9 * 3600
"""The first event of every experiment, in seconds since 1970."""


class Killed(BaseException):
    """Where a run ends without notice, as AWS ends one."""


class Steps:
    """Ends the run at one of its steps; None lets it run to its end."""

    def __init__(self, last: int | None = None) -> None:
        self.last = last
        self.taken = 0

    def __call__(self) -> None:
        if self.taken == self.last:
            raise Killed
        self.taken += 1


@dataclass
class Memory:
    """The states of a receiver, in place of Redis. Each text is written alone, in a step."""

    step: Callable[[], None] = lambda: None
    texts: dict[tuple[str, str | None], str] = field(default_factory=dict)
    gone: set[str | None] = field(default_factory=set)

    def read(self, receiver: str, watched: Sequence[Watched]) -> list[str | None]:
        self.step()
        return [self.texts.get((receiver, each.experiment)) for each in watched]

    def write(self, receiver: str, texts: Iterable[tuple[Watched, str]]) -> set[Watched]:
        gone = set()
        for each, text in texts:
            self.step()
            if each.experiment in self.gone:
                gone.add(each)
            else:
                self.texts[receiver, each.experiment] = text
        return gone


@dataclass
class Inbox:
    """A receiver. A run may end before it gets a message, or after it has accepted one."""

    step: Callable[[], None] = lambda: None
    is_down: bool = False
    messages: list[tuple[Alert, ...]] = field(default_factory=list)
    name: str = "webhook"

    def send(self, alerts: Sequence[Alert], now: float) -> str:
        self.step()
        if self.is_down:
            raise NotSent("it is down")
        self.messages.append(tuple(alerts))
        self.step()
        return "200"

    @property
    def alerts(self) -> list[Alert]:
        return [alert for message in self.messages for alert in message]


@dataclass
class Replayed:
    """An experiment that grows day by day, with its history as snapshots would record it."""

    name: str
    design: Design | None = None
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)
    history: list[Point] = field(default_factory=list)

    def add(self, variant: str, visitors: int, **goals: int) -> None:
        """Count visitors of a variant, and how many of them reached which goal."""
        self.counts["", variant] = self.counts.get(("", variant), 0) + visitors
        for goal, number in goals.items():
            cell = goal.replace("gimel_error", "gimel:error"), variant
            self.counts[cell] = self.counts.get(cell, 0) + number

    def look(self, now: int) -> Watched:
        """Return which conditions hold, and record the day."""
        visitors = {v: Count(n) for (goal, v), n in self.counts.items() if not goal}
        names = sorted({goal for goal, _ in self.counts if goal})
        goals = {
            name: {v: Count(n) for (goal, v), n in self.counts.items() if goal == name}
            for name in names
        }
        history = tuple(self.history[each] for each in used([p.time for p in self.history]))
        self.history.append(Point(now, visitors, goals))
        counts = ExperimentCounts(
            self.name, visitors, goals, BEGIN, dict(self.ignored), history=history
        )
        experiment = analyse(counts, self.design, now=now)
        return Watched("alephbet", self.name, str(BEGIN), observe(experiment, counts, now))


def notify(inbox: Inbox, watched: Sequence[Watched], store: Store, now: float) -> None:
    """Send what is new. A receiver that is down does not fail the run."""
    with contextlib.suppress(NotSent):
        deliver(inbox, watched, store, now, lambda: 900.0)


class Story:
    """An experiment with a random course: its traffic, its lift, and what goes wrong, and when."""

    def __init__(self, name: str, seed: int) -> None:
        self._random = random.Random(seed)
        choose = self._random.choice
        design = choose([None, Design(control="a", goal="buy", guardrails=("signup",))])
        self.replayed = Replayed(name, design)
        self._per_day = choose([10, 100, 1000])
        self._lift, self._harm = choose([0.0, 0.0, 0.2, 0.5]), choose([0.0, 0.0, -0.3])
        begin = self._random.randrange(3, 12)
        self._wrong = choose([range(0), range(0), range(begin, begin + 6)])
        self._failing = choose([range(0), range(0), range(begin, begin + 2)])
        self._silent = choose([[], [begin, begin + 1], [5, 6, 7, 14, 15, 16], [*range(15, 30)]])
        self._limit = choose([99, 99, begin])

    def live(self, day: int) -> None:
        """Count what happens on a day."""
        if day in self._silent:
            return
        for variant, lift, harm in (("a", 0.0, 0.0), ("b", self._lift, self._harm)):
            share = 0.6 if variant == "b" and day in self._wrong else 1.0
            visitors = self._draw(2 * self._per_day, 0.5 * share)
            goals = {
                "buy": self._draw(visitors, 0.1 * (1 + lift)),
                "signup": self._draw(visitors, 0.3 * (1 + harm)),
            }
            if variant == "b" and day in self._failing:
                goals["gimel_error"] = visitors // 2
            self.replayed.add(variant, visitors, **goals)
        if day >= self._limit:
            self.replayed.ignored["limit reached"] = day

    def _draw(self, n: int, p: float) -> int:
        """Return how many of n trials succeed, approximately."""
        return min(n, max(0, round(self._random.gauss(n * p, (n * p * (1 - p)) ** 0.5))))


class Expected:
    """What a receiver should get: each condition once, from its beginning until it is over."""

    def __init__(self) -> None:
        self._sent: set[tuple[str | None, str]] = set()
        self.alerts: list[tuple[str | None, str]] = []

    def look(self, watched: Sequence[Watched], is_down: bool) -> None:
        for each in watched:
            name, found = each.experiment, each.observation
            self._sent -= {(n, key) for n, key in self._sent if n == name and found.is_over(key)}
            if not is_down:
                new = [(name, key) for key in found.conditions if (name, key) not in self._sent]
                self.alerts += new
                self._sent |= set(new)
