"""How many visitors an experiment needs, before it starts and while it runs.

Solved for with the very variances that the estimates use, so that counting noise is in every answer. Knows nothing of verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

from gimel.analysis.counts import EXACT, Arm, Count, relative_variance
from gimel.analysis.stats import anytime_multiplier, quantile

MOST_VISITORS = 10**12


@dataclass(frozen=True)
class SampleSize:
    """Visitors a variant to detect a lift; None where counting noise hides it, however many come.

    `fixed` is for one look at a date decided on beforehand, `fixed_exact` the same if counting were exact, `anytime` for the
    verdict, which may be looked at every day.
    """

    fixed: int | None
    fixed_exact: int | None
    anytime: int | None

    @property
    def widening(self) -> float | None:
        """How many more visitors counting noise asks for: 0.05 is 5% more."""
        return self.fixed / self.fixed_exact - 1 if self.fixed and self.fixed_exact else None


def sample_size(
    baseline: float,
    lift: float,
    confidence: float = 0.95,
    power: float = 0.8,
    precision: int = 16,
    comparisons: int = 1,
) -> SampleSize:
    """Return the visitors a variant needed to detect a relative `lift` over the rate `baseline` with the given power.

    Without noise `fixed` is z^2 (p1 q1 + p2 q2)/delta^2 with z = z_confidence + z_power (Chow, Shao & Wang 2008, section
    4.2.1); counting noise adds p^2 noise to each arm's variance. `comparisons` variants share 1 - confidence equally. Where
    the lift would lead past a rate of 1, a drop of the same size is meant.
    """
    each = 1 - (1 - confidence) / max(1, comparisons)
    z = quantile(each) + NormalDist().inv_cdf(power)
    rates = _rates(baseline, lift)
    delta = abs(rates[1] - rates[0])
    return SampleSize(
        fixed=_visitors(rates, precision, lambda arms: z * _deviation(arms), delta),
        fixed_exact=_visitors(rates, EXACT, lambda arms: z * _deviation(arms), delta),
        anytime=visitors_to_detect(baseline, lift, each, power, precision),
    )


def visitors_to_detect(
    baseline: float, lift: float, confidence: float, power: float, precision: int
) -> int | None:
    """Return the visitors a variant after which the anytime-valid interval around a difference of that lift leaves out zero
    with the given power; None if counting noise never lets it. Looking earlier too only adds to the power."""
    rates = _rates(baseline, lift)
    return visitors_to_resolve(
        rates, abs(rates[1] - rates[0]), confidence, precision, NormalDist().inv_cdf(power)
    )


def visitors_to_resolve(
    rates: tuple[float, float],
    delta: float,
    confidence: float,
    precision: int,
    reserve: float = 0.0,
) -> int | None:
    """Return the visitors a variant until the anytime-valid interval of a difference reaches no further than `delta`, with
    `reserve` standard errors to spare; None if counting noise never lets it."""

    def reach(arms: tuple[Arm, Arm]) -> float:
        return (
            anytime_multiplier(arms[0].effective + arms[1].effective, confidence) + reserve
        ) * _deviation(arms)

    return _visitors(rates, precision, reach, delta)


def _rates(baseline: float, lift: float) -> tuple[float, float]:
    lifted = baseline * (1 + lift)
    return baseline, lifted if lifted <= 1 else max(0.0, baseline * (1 - lift))


def _expected(rate: float, visitors: float, precision: int) -> Arm:
    """Return an arm of so many visitors that converts at `rate` exactly."""

    def counted(value: float) -> Count:
        return Count(value, value * value * relative_variance(value, precision), precision)

    return Arm("", counted(visitors), counted(visitors * rate))


def _deviation(arms: tuple[Arm, Arm]) -> float:
    return math.sqrt(arms[0].variance + arms[1].variance)


def _visitors(
    rates: tuple[float, float],
    precision: int,
    reach: Callable[[tuple[Arm, Arm]], float],
    delta: float,
) -> int | None:
    """Return the fewest visitors a variant for which `reach` is at most `delta`: doubling, then halving the last step."""

    def enough(visitors: float) -> bool:
        return (
            reach(
                (_expected(rates[0], visitors, precision), _expected(rates[1], visitors, precision))
            )
            <= delta
        )

    low, high = 1, 2
    while not enough(high):
        low, high = high, high * 2
        if high > MOST_VISITORS:
            return None
    while high - low > max(1, high // 10_000):
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
