"""The search for the smallest number with a property, for forecasts and plans."""

from __future__ import annotations

import math
from collections.abc import Callable


def smallest(
    is_enough: Callable[[float], bool], start: float, most: float = math.inf, error: float = 1e-6
) -> float | None:
    """Return the smallest number from `start` to `most` that is enough, at most `error` too large.

    `start` is positive; `error` is relative. If a number is enough, larger ones should be. None if
    not even `most` is enough.
    """
    low = high = start
    while not is_enough(high):
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > error * low:
        middle = (low + high) / 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
