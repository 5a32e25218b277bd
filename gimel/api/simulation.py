"""Simulated visitors of an experiment whose conversion rates are known.

This module decides what is sent; it sends nothing.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gimel.runtime.event import PARTICIPATE
from gimel.runtime.track import MAX_EVENTS


@dataclass(frozen=True)
class Visitor:
    """Somebody who saw a variant, and reached the goal or did not."""

    uuid: str
    variant: str
    converted: bool


def visitors(number: int, rates: Mapping[str, float], seed: int) -> Iterator[Visitor]:
    """Yield visitors, the same for the same seed.

    Every variant is equally likely; its visitors convert at its rate, a share of 1.
    """
    draw = random.Random(seed)  # noqa: S311 - no secret
    variants = list(rates)
    for _ in range(number):
        variant = draw.choice(variants)
        yield Visitor(
            str(uuid.UUID(int=draw.getrandbits(128), version=4)),
            variant,
            draw.random() < rates[variant],
        )


def batches(
    crowd: Iterable[Visitor], namespace: str, experiment: str, goal: str
) -> Iterator[tuple[list[Visitor], list[dict[str, str]]]]:
    """Yield visitors with their events, at most as many events as one call of the track URL takes.

    The events of one visitor are never split between two batches.
    """
    group: list[Visitor] = []
    events: list[dict[str, str]] = []
    for visitor in crowd:
        names = [PARTICIPATE, goal] if visitor.converted else [PARTICIPATE]
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
