"""Simulated visitors of an experiment whose split and conversion rates are known.

This module decides what is sent; it sends nothing.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, islice

from gimel.runtime.event import PARTICIPATE
from gimel.runtime.track import MAX_EVENTS

MAX_GOALS = MAX_EVENTS - 1
"""The most goals: the events of one visitor fit into one call of the track URL."""


_MONDAY_TO_SUNDAY = (1.1, 1.15, 1.1, 1.1, 1.0, 0.75, 0.8)
"""The visitors of a weekday in proportion to the others: fewer at weekends, as on most sites."""


@dataclass(frozen=True)
class Rate:
    """A conversion rate, a share of 1, that may change during the run.

    The run has as many equal parts as `parts`. In each of them the rate moves in a straight line
    from the first number to the second.
    """

    parts: tuple[tuple[float, float], ...]

    def at(self, position: float) -> float:
        """Return the rate at a position, the share of the run that is over: below 1."""
        part, within = divmod(position * len(self.parts), 1)
        start, end = self.parts[int(part)]
        return start + (end - start) * within


@dataclass(frozen=True)
class Traffic:
    """The visitors to simulate.

    Attributes:
        number: How many there are.
        weights: {variant: weight}, the split in any unit.
        goals: {goal: {variant: rate}}.
        seed: The same seed makes the same visitors.
    """

    number: int
    weights: Mapping[str, float]
    goals: Mapping[str, Mapping[str, Rate]]
    seed: int


@dataclass(frozen=True)
class Visitor:
    """Somebody who saw a variant, and the goals that they reached."""

    uuid: str
    variant: str
    goals: tuple[str, ...]


def visitors(traffic: Traffic) -> Iterator[Visitor]:
    """Yield the visitors, in the order in which they come.

    Each one sees a variant with a probability in proportion to its weight, and reaches each goal
    independently of the others.
    """
    draw = random.Random(traffic.seed)  # noqa: S311 - no secret
    variants = list(traffic.weights)
    weights = list(accumulate(traffic.weights.values()))
    for index in range(traffic.number):
        (variant,) = draw.choices(variants, cum_weights=weights)
        # The middle of the visitor's place: the mean of a rate is then exactly that of its parts.
        position = (index + 0.5) / traffic.number
        yield Visitor(
            str(uuid.UUID(int=draw.getrandbits(128), version=4)),
            variant,
            tuple(
                goal
                for goal, rates in traffic.goals.items()
                if draw.random() < rates[variant].at(position)
            ),
        )


def by_day(
    crowd: Iterable[Visitor], number: int, weekdays: Iterable[int]
) -> Iterator[list[Visitor]]:
    """Yield the visitors of each day: `number` of them in total, fewer at weekends.

    `weekdays` has one number per day, with 0 for Monday.
    """
    totals = list(accumulate(_MONDAY_TO_SUNDAY[weekday] for weekday in weekdays))
    crowd, come = iter(crowd), 0
    for total in totals:
        until = round(number * total / totals[-1])
        yield list(islice(crowd, until - come))
        come = until


def batches(
    crowd: Iterable[Visitor], namespace: str, experiment: str
) -> Iterator[tuple[list[Visitor], list[dict[str, str]]]]:
    """Yield visitors with their events, at most as many events as one call of the track URL takes.

    The events of one visitor are never split between two batches.
    """
    group: list[Visitor] = []
    events: list[dict[str, str]] = []
    for visitor in crowd:
        names = (PARTICIPATE, *visitor.goals)
        if len(events) + len(names) > MAX_EVENTS:
            yield group, events
            group, events = [], []
        group.append(visitor)
        common = {
            "namespace": namespace,
            "experiment": experiment,
            "variant": visitor.variant,
            "uuid": visitor.uuid,
        }
        events += [{**common, "event": name} for name in names]
    if group:
        yield group, events
