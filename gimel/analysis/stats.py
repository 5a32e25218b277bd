"""Estimates, intervals and tests of one or two arms.

All of them are fixed-horizon: valid for one look on a date chosen in advance. Every formula adds
the counting error of `gimel.analysis.counts` to the sampling error; for exact counts each is the
textbook's. Rates, differences, lifts and confidence levels are shares of 1. No verdict rests on
these figures alone: `gimel.analysis.decision` uses the interval of `gimel.analysis.mixture`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from gimel.analysis.counts import Arm

_FARTHEST = 300.0  # of a lift's interval, in logarithms: exp() of more would overflow


@dataclass(frozen=True)
class Estimate:
    """A value and the interval around it: `low` <= `value` <= `high`, all shares of 1."""

    value: float
    low: float
    high: float


def quantile(confidence: float) -> float:
    """Return the normal quantile z of a two-sided interval: 1.96 for a confidence of 0.95."""
    return -NormalDist().inv_cdf((1 - confidence) / 2)


def rate(arm: Arm, confidence: float = 0.95) -> Estimate:
    """Return the conversion rate with its Wilson interval; 0 to 1 without visitors.

    The limits solve (p^ - p)^2 = z^2 (p (1-p) / n + p^2 noise) for p. Without noise that is
    Wilson's equation.

    References:
        E. Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    n, p = arm.visitors.value, arm.rate
    if not n:
        return Estimate(0.0, 0.0, 1.0)
    z2 = quantile(confidence) ** 2
    sampling, counting = z2 / n, z2 * arm.noise
    scale = 1 + sampling - counting
    root = math.sqrt(sampling * (sampling + 4 * p * (1 - p)) + 4 * counting * p * p)
    high = (2 * p + sampling + root) / (2 * scale)
    return Estimate(p, min(p, p * p / (scale * high)), 1.0 if p == 1 else max(p, min(high, 1.0)))


def difference(arm: Arm, control: Arm, confidence: float = 0.95) -> Estimate:
    """Return the rate of `arm` minus that of `control`, with Newcombe's hybrid score interval.

    References:
        R. Newcombe (1998), Interval estimation for the difference between independent
        proportions, method 10.
    """
    ours, theirs = rate(arm, confidence), rate(control, confidence)
    value = ours.value - theirs.value
    below = math.hypot(ours.value - ours.low, theirs.high - theirs.value)
    above = math.hypot(ours.high - ours.value, theirs.value - theirs.low)
    return Estimate(value, value - below, value + above)


def lift(arm: Arm, control: Arm, confidence: float = 0.95) -> Estimate | None:
    """Return the relative lift, rate / control's rate - 1, with its log-ratio interval.

    The variance of the logarithm is (1-p) / (p n) + noise for each arm. None while one of them has
    no conversions.

    References:
        D. Katz et al. (1978), Obtaining confidence intervals for the risk ratio in cohort studies.
    """
    if not arm.rate or not control.rate:
        return None
    ratio = arm.rate / control.rate
    error = math.sqrt(
        arm.variance / arm.rate / arm.rate + control.variance / control.rate / control.rate
    )
    reach = min(quantile(confidence) * error, _FARTHEST)
    return Estimate(ratio - 1, ratio * math.exp(-reach) - 1, ratio * math.exp(reach) - 1)


def p_value(arm: Arm, control: Arm) -> float:
    """Return the two-sided p-value of the pooled two-proportion z-test; 1 without visitors.

    Counting adds p^2 noise to the variance of each arm, p being the pooled rate.

    References:
        J. Fleiss, B. Levin, M. Paik (2003), Statistical Methods for Rates and Proportions.
    """
    n, m = arm.visitors.value, control.visitors.value
    if not n or not m:
        return 1.0
    pooled = (arm.rate * n + control.rate * m) / (n + m)
    sampling = pooled * (1 - pooled) * (1 / n + 1 / m)
    variance = sampling + pooled * pooled * (arm.noise + control.noise)
    if variance <= 0:
        return 1.0
    return math.erfc(abs(arm.rate - control.rate) / math.sqrt(2 * variance))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return the p-values adjusted for their number, in the given order.

    References:
        S. Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    adjusted, floor = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        floor = max(floor, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = floor
    return tuple(adjusted)
