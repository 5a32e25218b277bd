"""Made-up visitors: an experiment whose truth is known. Decides what is sent; sends nothing."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

PARTICIPATE = "participate"
EVENTS_A_CALL = 100  # what the track URL takes


@dataclass(frozen=True)
class Visitor:
    """Somebody who saw a variant, and reached the goal or not."""

    uuid: str
    variant: str
    converted: bool


def visitors(number: int, rates: Mapping[str, float], seed: int) -> Iterator[Visitor]:
    """Yield visitors, each with a variant drawn with equal chances, who convert at its rate; the same for the same seed."""
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
    """Yield visitors with the events that they cause, as many as one call of the track URL takes."""
    group: list[Visitor] = []
    events: list[dict[str, str]] = []
    for visitor in crowd:
        caused = [PARTICIPATE, goal] if visitor.converted else [PARTICIPATE]
        if len(events) + len(caused) > EVENTS_A_CALL:
            yield group, events
            group, events = [], []
        group.append(visitor)
        common = {
            "namespace": namespace,
            "experiment": experiment,
            "variant": visitor.variant,
            "uuid": visitor.uuid,
        }
        events += [{**common, "event": event} for event in caused]
    if group:
        yield group, events
