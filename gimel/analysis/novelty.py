"""A hint that a lift is not the same all the time, such as that of a novelty that wears off.

It compares the first half of the visitors with the second. It is valid for one look only, so its
threshold is strict, and a verdict does not depend on it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gimel.analysis.case import Case
from gimel.analysis.comparison import Comparison
from gimel.analysis.counts import Arm
from gimel.analysis.looks import Earlier
from gimel.analysis.phrases import day, quote, signed_percent

_LEAST_Z = 3.3  # a change this large is chance in one of 1,000 looks
_SHORTEST_HALF = 7 * 86_400  # seconds: the visitors of a few days differ from those of a week
_LEAST_SHARE = 0.3  # of the visitors in the smaller half
_FEWEST = 20  # conversions of each arm in each half, for a normal log lift


@dataclass(frozen=True)
class Novelty:
    """A lift that changed from the first half of the visitors to the second.

    Attributes:
        variant: The variant's name.
        first: Its lift over the control among the first half of the visitors.
        second: Its lift among the second half.
        turned: The time between the halves, in seconds since 1970.
        sentence: The same in words.
    """

    variant: str
    first: float
    second: float
    turned: int
    sentence: str


def find_novelty(case: Case, past: Sequence[Earlier]) -> Novelty | None:
    """Return how the lift of the best variant changed, if it clearly did."""
    if not case.judged or not past:
        return None
    best = max(case.judged, key=lambda each: each.gain)
    index = case.comparisons.index(best) + 1
    middle = _middle(
        best, index, [each for each in past if each.is_trusted], case.now, past[0].time
    )
    if middle is None:
        return None
    halves = []
    for before, after in ((None, middle.arms), (middle.arms, case.arms)):
        pair = [
            _gained(arm, before[at] if before else None)
            for at, arm in enumerate(after)
            if at in (0, index)
        ]
        if any(arm.conversions.value < _FEWEST or arm.rate >= 1 for arm in pair):
            return None
        halves.append(_log_lift(*pair))
    (first, error), (second, later_error) = halves
    if abs(second - first) < _LEAST_Z * math.hypot(error, later_error):
        return None
    return _describe(best.arm.name, math.expm1(first), math.expm1(second), middle.time)


def _middle(
    best: Comparison, index: int, past: Sequence[Earlier], now: int, start: int
) -> Earlier | None:
    """Return the time by which half of the visitors of both arms had come; None without one."""

    def share(earlier: Earlier) -> float:
        pair = (earlier.arms[0], earlier.arms[index])
        return math.fsum(arm.visitors.value for arm in pair) / visitors

    visitors = best.arm.visitors.value + best.control.visitors.value
    middle = min(past, key=lambda each: abs(share(each) - 0.5), default=None)
    if middle is None or not _LEAST_SHARE <= share(middle) <= 1 - _LEAST_SHARE:
        return None
    is_long = min(now - middle.time, middle.time - start) >= _SHORTEST_HALF - 43_200
    return middle if is_long else None


def _gained(arm: Arm, before: Arm | None) -> Arm:
    """Return the visitors and conversions since an earlier time; None for all of them."""
    if before is None:
        return arm
    return Arm(
        arm.name,
        arm.visitors.since(before.visitors),
        arm.conversions.since(before.conversions),
        arm.weight,
    )


def _log_lift(control: Arm, variant: Arm) -> tuple[float, float]:
    """Return the logarithm of the ratio of the rates, and its standard error."""
    variance = math.fsum(arm.variance / arm.rate / arm.rate for arm in (control, variant))
    return math.log(variant.rate / control.rate), math.sqrt(variance)


def _describe(name: str, first: float, second: float, turned: int) -> Novelty:
    verb = "fell" if second < first else "rose"
    hint = (
        "A novelty may wear off."
        if abs(second) < abs(first)
        else "Visitors may have to get used to it."
    )
    sentence = (
        f"The lift of {quote(name)} {verb} from {signed_percent(first)} in the first half of the"
        f" visitors (until {day(turned)}) to {signed_percent(second)} in the second. {hint}"
    )
    return Novelty(name, first, second, turned, sentence)
