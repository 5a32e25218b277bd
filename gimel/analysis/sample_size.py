"""Plans before an experiment: the visitors that detect a lift, and the lift that visitors detect.

A plan is made for one of two methods: the verdict's always-valid interval, looked at every day, or
a fixed horizon, looked at once. Both include counting noise. Knows nothing of days and words.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

from gimel.analysis.counts import Arm, Count, relative_variance
from gimel.analysis.duration import MOST_VISITORS
from gimel.analysis.mixture import Pair, log_mixture
from gimel.analysis.search import smallest

_LOOKS = 30  # daily looks that a planned experiment is assumed to have
_OVERSHOOT = 0.583  # of the boundary between two looks, in standard deviations (Siegmund 1985)
_LEAST_VISITORS = 4.0  # of both arms
_LEAST_LIFT = 1e-9  # smaller than what `MOST_VISITORS` detect


@dataclass(frozen=True)
class PlannedComparison:
    """A planned comparison of one variant with the control.

    Attributes:
        rate: The control's conversion rate, between 0 and 1.
        alpha: The error that is allowed for this comparison.
        power: The probability with which the lift should be detected, at least 0.5.
        precision: HyperLogLogs per counter, or `gimel.analysis.counts.EXACT`.
        share: The share of the visitors of both arms who see the variant.
    """

    rate: float
    alpha: float = 0.05
    power: float = 0.8
    precision: int = 16
    share: float = 0.5

    def expected_arms(self, lift: float, visitors: float) -> tuple[Arm, Arm]:
        """Return control and variant with the counts that are expected after so many visitors."""
        return (
            _expected_arm(self.rate, visitors * (1 - self.share), self.precision),
            _expected_arm(lifted(self.rate, lift), visitors * self.share, self.precision),
        )


Method = Callable[[PlannedComparison, float, float], float]
"""Returns the probability of detecting a lift with so many visitors of both arms."""


def lifted(rate: float, lift: float) -> float:
    """Return the rate after a lift: of the conversions, or above a rate of 50% of the failures.

    A lift of 0.1 turns 0.2 into 0.22, and 0.9 into 0.91: there the failures fall by 10%, as in
    `gimel.analysis.mixture.near_scale`. The result is at least 0 and at most 1.
    """
    if rate > 0.5:
        return min(max(0.0, 1 - (1 - rate) * (1 - lift)), 1.0)
    return min(max(0.0, rate * (1 + lift)), 1.0)


def possible_lifts(rate: float) -> tuple[float, float]:
    """Return the lifts that lead to a rate of 0 and of 1."""
    return (-rate / (1 - rate), 1.0) if rate > 0.5 else (-1.0, 1 / rate - 1)


def visitors_needed(method: Method, comparison: PlannedComparison, lift: float) -> int | None:
    """Return the fewest visitors of both arms who detect a lift with the wanted power.

    None if it needs more than `MOST_VISITORS`, or if counting noise hides the lift.
    """
    visitors = smallest(
        lambda visitors: method(comparison, lift, visitors) >= comparison.power,
        _LEAST_VISITORS,
        MOST_VISITORS,
        error=1e-13,
    )
    return None if visitors is None else math.ceil(visitors)


def detectable_lift(method: Method, comparison: PlannedComparison, visitors: float) -> float | None:
    """Return the smallest positive lift that the visitors of both arms detect.

    The inverse of `visitors_needed`. None if not even a rate of 1 is detected.
    """
    _, most = possible_lifts(comparison.rate)
    if visitors < _LEAST_VISITORS:
        return None
    return smallest(
        lambda lift: method(comparison, lift, visitors) >= comparison.power, _LEAST_LIFT, most
    )


def fixed_horizon(comparison: PlannedComparison, lift: float, visitors: float) -> float:
    """Return the power of one look, on a date that is chosen in advance. A `Method`.

    Phi(delta / sd - z), where sd^2 is the sum of p (1 - p) / n + p^2 noise over both arms. With
    exact counts, each of two equal arms needs (z + z_power)^2 (p1 q1 + p2 q2) / delta^2 visitors.

    References:
        S.-C. Chow, J. Shao, H. Wang (2008), Sample Size Calculations in Clinical Research, 4.2.1.
    """
    control, variant = comparison.expected_arms(lift, visitors)
    variance = sum(
        arm.rate * ((1 - arm.rate) / arm.visitors.value + arm.rate * arm.noise)
        for arm in (control, variant)
    )
    z = NormalDist().inv_cdf(1 - comparison.alpha / 2)
    return NormalDist().cdf(abs(variant.rate - control.rate) / math.sqrt(variance) - z)


def always_valid(comparison: PlannedComparison, lift: float, visitors: float) -> float:
    """Return the power of daily looks with the always-valid interval. A `Method`.

    The lift worth detecting is the lift itself. With the information t = 1 / v, z sqrt(t) is a
    Brownian motion whose drift comes from the deviance of the expected counts, and the verdict a
    boundary b(t) that bends downward. Its tangent at t, a + b' t, is crossed with probability
    Phi((d t - a) / sqrt(t)) + exp(2 a d) Phi(-(d t + a) / sqrt(t)), where d is the drift minus b'.
    The boundary is raised to account for the time between two looks.

    References:
        D. Siegmund (1985), Sequential Analysis: tests and confidence intervals, III.
    """
    pair = Pair.of(*comparison.expected_arms(lift, visitors), abs(lift))
    sampling = pair.sampling_variance(0.0)
    time = 1 / (sampling + pair.noise)
    drift = math.sqrt(pair.deviance(0.0) * sampling)

    def boundary(at: float) -> float:
        return math.sqrt(at * _deciding_z2(1 / at, pair.near_scale, -math.log(comparison.alpha)))

    slope = (boundary(time * 1.001) - boundary(time * 0.999)) / (0.002 * time)
    intercept = boundary(time) - slope * time + _OVERSHOOT * math.sqrt(time / _LOOKS)
    drift -= slope
    ahead = (drift * time - intercept) / math.sqrt(time)
    back = (drift * time + intercept) / math.sqrt(time)
    return NormalDist().cdf(ahead) + math.exp(-ahead * ahead / 2) * _mills(back)


def _expected_arm(rate: float, visitors: float, precision: int) -> Arm:
    def count(value: float) -> Count:
        return Count(value, value * value * relative_variance(value, precision), precision)

    return Arm("", count(visitors), count(visitors * rate))


def _deciding_z2(variance: float, scale: float, threshold: float) -> float:
    """Return the squared z-score at which the evidence reaches the threshold."""
    found = smallest(
        lambda z2: log_mixture(z2, variance, scale) >= threshold, 2 * threshold, error=1e-9
    )
    return math.inf if found is None else found


def _mills(x: float) -> float:
    """Return Phi(-x) exp(x^2 / 2), without a division of two tiny numbers for a large x."""
    if x > 20:
        return (1 - 1 / x / x) / (x * math.sqrt(2 * math.pi))
    return math.erfc(x / math.sqrt(2)) / 2 * math.exp(x * x / 2)
