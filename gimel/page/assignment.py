"""The assignment of gimel.js, for servers and e-mail: the same visitor gets the same variant.

The hash of a text begins with a start value, the lane. Each byte of the text in UTF-8 is combined
with the value by exclusive or, and the result goes through the finalizer of MurmurHash3 (fmix32).
A lane serves one purpose, so that the answers for one visitor are independent of each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

VARIANT, SAMPLE = 0, 5
EVENT = (1, 2, 3, 4)
"""The lanes. The id of an event is made of four, which gives it 128 bits."""

_MASK = 0xFFFFFFFF


def assign(experiment: str, visitor: str, weights: Mapping[str, float]) -> str:
    """Return the variant of a visitor: always the same one for the same arguments.

    The order of the variants does not matter. A variant of weight 2 gets twice as many visitors as
    one of weight 1, and one of weight 0 gets none.

    Raises:
        ValueError: A weight is negative or not finite, or none is positive.
    """
    if not all(0 <= weight < math.inf for weight in weights.values()):
        raise ValueError("a weight must be a finite number that is not negative")
    # JavaScript sorts by UTF-16 code units, and adds without the compensation of Python's sum.
    names = sorted((name for name in weights if weights[name] > 0), key=_utf_16)
    total = 0.0
    for name in names:
        total += weights[name]
    if not 0 < total < math.inf:
        raise ValueError("at least one weight must be positive, and their sum finite")
    point = _share(VARIANT, experiment, visitor) * total
    for name in names:
        point -= weights[name]
        if point < 0:
            return name
    return names[-1]  # where rounding left a remainder


def in_sample(experiment: str, visitor: str, sample: float) -> bool:
    """Return whether the visitor is in the share of traffic, from 0 to 1, that an experiment gets.

    A visitor who is in a sample is also in each larger one.
    """
    return _share(SAMPLE, experiment, visitor) < sample


def event_uuid(namespace: str, experiment: str, goal: str, visitor: str) -> str:
    """Return the `uuid` of a visitor's event. The goal may be `participate`.

    gimel.js sends the same one, so that an event which a page and a server both send counts once.
    """
    return "-".join(f"{_hash(lane, namespace, experiment, goal, visitor):x}" for lane in EVENT)


def _share(lane: int, *parts: str) -> float:
    return _hash(lane, *parts) / 2**32


def _hash(lane: int, *parts: str) -> int:
    """Return a hash of 32 bits. No part contains a newline: the backend refuses such names."""
    *names, visitor = parts
    return _mix(_hash_of_names(lane, *names), visitor)


@lru_cache(maxsize=1000)
def _hash_of_names(lane: int, *names: str) -> int:
    """Return the hash up to the visitor: the same one for all visitors of an experiment."""
    return _mix(lane, "\n".join((*names, "")))


def _mix(state: int, text: str) -> int:
    for byte in text.encode():
        state ^= byte
        state = (state ^ state >> 16) * 0x85EBCA6B & _MASK
        state = (state ^ state >> 13) * 0xC2B2AE35 & _MASK
        state ^= state >> 16
    return state


def _utf_16(name: str) -> bytes:
    return name.encode("utf-16-be")
