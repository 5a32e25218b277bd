"""How many visitors an experiment needs, before it starts and while it runs.

Solved with the same variances that the estimates use, so that every answer includes counting noise.
Knows nothing of verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

from gimel.analysis.counts import EXACT, Arm, Count, relative_variance
from gimel.analysis.stats import anytime_multiplier, quantile

MOST_VISITORS = 10**12
"""Visitors per variant beyond which an experiment is not feasible."""


@dataclass(frozen=True)
class SampleSize:
    """Visitors per variant needed to detect a lift; None if no feasible number is enough.

    Attributes:
        fixed: For one look on a date chosen in advance.
        fixed_exact: The same, if counting were exact.
        anytime: For the verdict, which holds at every look.
    """

    fixed: int | None
    fixed_exact: int | None
    anytime: int | None

    @property
    def widening(self) -> float | None:
        """How many more visitors counting noise costs: 0.05 means 5% more. None if infeasible."""
        return self.fixed / self.fixed_exact - 1 if self.fixed and self.fixed_exact else None


def sample_size(
    baseline: float,
    lift: float,
    confidence: float = 0.95,
    power: float = 0.8,
    precision: int = 16,
    comparisons: int = 1,
) -> SampleSize:
    """Return the visitors per variant needed to detect a relative `lift` over the rate `baseline`.

    `power` is the probability of detecting it. Without counting noise `fixed` is
    z^2 (p1 q1 + p2 q2) / delta^2 with z = z_confidence + z_power; counting adds p^2 noise to each
    arm's variance. `comparisons` variants share 1 - confidence equally. If the lift leads to a rate
    above 1, a drop of the same size is used instead.

    References:
        S.-C. Chow, J. Shao, H. Wang (2008), Sample Size Calculations in Clinical Research, 4.2.1.
    """
    corrected = 1 - (1 - confidence) / max(1, comparisons)
    z = quantile(corrected) + NormalDist().inv_cdf(power)
    rates = _rates(baseline, lift)
    delta = abs(rates[1] - rates[0])
    return SampleSize(
        fixed=_visitors(rates, precision, lambda arms: z * _deviation(arms), delta),
        fixed_exact=_visitors(rates, EXACT, lambda arms: z * _deviation(arms), delta),
        anytime=visitors_to_detect(baseline, lift, corrected, power, precision),
    )


def visitors_to_detect(
    baseline: float, lift: float, confidence: float, power: float, precision: int
) -> int | None:
    """Return the visitors per variant after which the verdict detects a lift.

    With them the always-valid interval around a difference of that lift excludes zero with
    probability `power`. None if counting noise never allows it. Looking earlier as well only adds
    to the power.
    """
    rates = _rates(baseline, lift)
    reserve = NormalDist().inv_cdf(power)
    return visitors_to_resolve(rates, abs(rates[1] - rates[0]), confidence, precision, reserve)


def visitors_to_resolve(
    rates: tuple[float, float],
    delta: float,
    confidence: float,
    precision: int,
    reserve: float = 0.0,
) -> int | None:
    """Return the visitors per variant until the always-valid interval is narrow enough.

    That is, until it reaches no further than `delta` from the difference, with `reserve` standard
    errors to spare. None if counting noise never allows it.
    """

    def reach(arms: tuple[Arm, Arm]) -> float:
        size = arms[0].effective_size + arms[1].effective_size
        return (anytime_multiplier(size, confidence) + reserve) * _deviation(arms)

    return _visitors(rates, precision, reach, delta)


def _rates(baseline: float, lift: float) -> tuple[float, float]:
    lifted = baseline * (1 + lift)
    return baseline, lifted if lifted <= 1 else max(0.0, baseline * (1 - lift))


def _expected_arm(rate: float, visitors: float, precision: int) -> Arm:
    """Return an arm with this number of visitors that converts at exactly `rate`."""

    def count(value: float) -> Count:
        return Count(value, value * value * relative_variance(value, precision), precision)

    return Arm("", count(visitors), count(visitors * rate))


def _deviation(arms: tuple[Arm, Arm]) -> float:
    return math.sqrt(arms[0].variance + arms[1].variance)


def _visitors(
    rates: tuple[float, float],
    precision: int,
    reach: Callable[[tuple[Arm, Arm]], float],
    delta: float,
) -> int | None:
    """Return the fewest visitors per variant for which `reach` is at most `delta`.

    Doubles until it is, then bisects the last step, to 1 in 10,000. None beyond `MOST_VISITORS`.
    """

    def is_enough(visitors: float) -> bool:
        first, second = (_expected_arm(rate, visitors, precision) for rate in rates)
        return reach((first, second)) <= delta

    low, high = 1, 2
    while not is_enough(high):
        low, high = high, high * 2
        if high > MOST_VISITORS:
            return None
    while high - low > max(1, high // 10_000):
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
