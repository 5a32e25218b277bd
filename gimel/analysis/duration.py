"""How long until the always-valid interval decides: while an experiment runs, and before it starts.

Works with numbers of visitors; what pace they come at is the caller's to know. Builds on
`gimel.analysis.mixture` alone, so that a forecast and the decision itself never disagree.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from gimel.analysis.counts import EXACT, Arm, Count, relative_variance
from gimel.analysis.mixture import Pair, log_mixture

MOST_VISITORS = 1e12
"""Visitors of both arms beyond which an experiment is not feasible."""

_LOOKS = 30  # daily looks that a planned experiment is taken to have
_MARGIN = 0.4  # standard errors: with daily looks, half of the experiments are closer at some time
_OVERSHOOT = 0.583  # of the boundary between two looks, in standard deviations (Siegmund 1985)


@dataclass(frozen=True)
class DecisionRange:
    """How many more visitors a decision takes, of control and variant together.

    For all variants of an experiment, multiply by (all visitors) / (visitors of the two arms).

    Attributes:
        soonest: If the true lift is one standard error farther from zero than the observed one;
            0 when it could come any moment. None if counting noise never allows it.
        latest: If it is one standard error closer to zero. None if that leaves no lift, or one that
            counting noise hides.
        rule_out: Until the interval is within the lift worth detecting on both sides in half of all
            experiments without a difference. None if counting noise never allows it.
    """

    soonest: float | None
    latest: float | None
    rule_out: float | None


def decision_range(
    control: Arm, variant: Arm, lift_worth_detecting: float, alpha: float
) -> DecisionRange:
    """Estimate how many more visitors an undecided comparison needs, at the split it has.

    In ln E(0) the deviance D v0 / v grows as effect^2 / v, where v is the variance of the log lift.
    Solving ln E(0) = ln(1 / alpha) for v gives the variance at which an effect decides; it is
    solved for the observed log lift plus and minus its standard error. The sampling part of v falls
    as 1 / visitors, and counting noise is that of the grown counts. All are None while an arm has
    no visitors.
    """
    pair = Pair.of(control, variant, lift_worth_detecting)
    if not pair.has_visitors:
        return DecisionRange(None, None, None)
    observed = abs(pair.log_lift)
    error = math.sqrt(pair.sampling_variance(0.0) + pair.noise)
    threshold = -math.log(alpha)

    def more_visitors(effect: float, margin: float = 0.0) -> float | None:
        if effect <= 0:
            return None
        wanted = _deciding_variance(effect, pair.near_scale, threshold, margin)
        growth = _growth(control, variant, pair.sampling_variance(0.0), wanted)
        return None if growth is None else (growth - 1) * math.fsum(pair.trials)

    return DecisionRange(
        more_visitors(observed + error),
        more_visitors(observed - error),
        more_visitors(pair.near_scale, _MARGIN),
    )


def lifted(baseline: float, lift: float) -> float:
    """Return the rate after a lift: of the conversions, or of the failures above one half.

    A lift of 0.1 turns 0.2 into 0.22, and 0.9 into 0.91: there the failures fall by 10%, as in
    `gimel.analysis.mixture.near_scale`.
    """
    if baseline > 0.5:
        return max(0.0, 1 - (1 - baseline) * (1 - lift))
    return min(max(0.0, baseline * (1 + lift)), 1.0)


def planned_visitors(
    baseline: float,
    lift: float,
    alpha: float = 0.05,
    power: float = 0.8,
    precision: int = 16,
    share: float = 0.5,
) -> int | None:
    """Return the visitors of both arms with which `lift` is detected with probability `power`.

    For daily looks, each of which may end the experiment. `share` of them see the variant. None if
    no feasible number is enough. The lift worth detecting is `lift` itself.
    """
    return _fewest(
        lambda visitors: _power(baseline, lift, visitors, alpha, precision, share) >= power
    )


def detectable_lift(
    baseline: float,
    visitors: float,
    alpha: float = 0.05,
    power: float = 0.8,
    precision: int = 16,
    share: float = 0.5,
) -> float | None:
    """Return the smallest lift that `visitors` of both arms detect: the inverse of the plan.

    None if even the largest possible lift is not.
    """
    low, high = 0.0, 1.0 if baseline > 0.5 else 1 / baseline - 1

    def is_detected(lift: float) -> bool:
        return _power(baseline, lift, visitors, alpha, precision, share) >= power

    if not is_detected(high):
        return None
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if is_detected(middle) else (middle, high)
    return high


def _deciding_variance(effect: float, scale: float, threshold: float, margin: float) -> float:
    """Return the variance at which the evidence of an effect reaches the threshold.

    The effect is taken to be smaller by `margin` standard errors.
    """

    def decides(variance: float) -> bool:
        z = effect / math.sqrt(variance) - margin
        return log_mixture(z * z, variance, scale) >= threshold

    least = math.sqrt(2 * threshold) + margin  # with a smaller z nothing is decided
    high = (effect / least) ** 2
    low = high / 2
    while not decides(low):
        low /= 2
    while high - low > 1e-6 * low:
        middle = (low + high) / 2
        low, high = (middle, high) if decides(middle) else (low, middle)
    return low


def _growth(control: Arm, variant: Arm, sampling: float, wanted: float) -> float | None:
    """Return the factor, at least 1, by which all counts grow until the variance is `wanted`."""
    counts = [count for arm in (control, variant) for count in (arm.visitors, arm.conversions)]

    def is_enough(factor: float) -> bool:
        noise = math.fsum(_grown_noise(count, factor) for count in counts)
        return sampling / factor + noise <= wanted

    most = MOST_VISITORS / (control.visitors.value + variant.visitors.value)
    low = max(1.0, sampling / wanted)
    if is_enough(low):
        return low
    high = low * 2
    while not is_enough(high):
        low, high = high, high * 2
        if high > most:
            return None
    while high - low > 1e-4 * low:
        middle = (low + high) / 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def _grown_noise(count: Count, factor: float) -> float:
    """Return the relative variance of a count that has grown at its precision."""
    if not count.value or count.precision == EXACT:
        return count.relative_variance
    now = relative_variance(count.value, count.precision)
    return count.relative_variance * relative_variance(count.value * factor, count.precision) / now


def _power(
    baseline: float, lift: float, visitors: float, alpha: float, precision: int, share: float
) -> float:
    """Return the probability that a true lift is detected before `visitors` have come.

    With the information t = 1 / v, z sqrt(t) is a Brownian motion whose drift comes from the
    deviance of the expected counts, and the verdict a boundary b(t) that bends downward. Its
    tangent at t, a + b' t, is crossed with probability Phi((d t - a) / sqrt(t)) + exp(2 a d)
    Phi(-(d t + a) / sqrt(t)), where d is the drift minus b'. The boundary is raised for what a
    process that is only looked at once a day misses.

    References:
        D. Siegmund (1985), Sequential Analysis: tests and confidence intervals, III.
    """
    control = _expected(visitors * (1 - share), baseline, precision)
    variant = _expected(visitors * share, lifted(baseline, lift), precision)
    pair = Pair.of(control, variant, abs(lift))
    sampling = pair.sampling_variance(0.0)
    time = 1 / (sampling + pair.noise)
    drift = math.sqrt(pair.deviance(0.0) * sampling)

    def boundary(at: float) -> float:
        return math.sqrt(at * _deciding_z2(1 / at, pair.near_scale, -math.log(alpha)))

    slope = (boundary(time * 1.001) - boundary(time * 0.999)) / (0.002 * time)
    intercept = boundary(time) - slope * time + _OVERSHOOT * math.sqrt(time / _LOOKS)
    drift -= slope
    ahead = (drift * time - intercept) / math.sqrt(time)
    back = (drift * time + intercept) / math.sqrt(time)
    return math.erfc(-ahead / math.sqrt(2)) / 2 + math.exp(-ahead * ahead / 2) * _mills(back)


def _expected(visitors: float, rate: float, precision: int) -> Arm:
    def count(value: float) -> Count:
        return Count(value, value * value * relative_variance(value, precision), precision)

    return Arm("", count(visitors), count(visitors * rate))


def _deciding_z2(variance: float, scale: float, threshold: float) -> float:
    """Return the squared z-score at which the evidence reaches the threshold."""
    low, high = 0.0, 4 * threshold
    while log_mixture(high, variance, scale) < threshold:
        low, high = high, high * 2
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        if log_mixture(middle, variance, scale) < threshold:
            low = middle
        else:
            high = middle
    return high


def _mills(x: float) -> float:
    """Return Phi(-x) exp(x^2 / 2), which needs no small number for a large x."""
    if x > 20:
        return (1 - 1 / x / x) / (x * math.sqrt(2 * math.pi))
    return math.erfc(x / math.sqrt(2)) / 2 * math.exp(x * x / 2)


def _fewest(is_enough: Callable[[float], bool]) -> int | None:
    """Return the fewest visitors for which `is_enough` holds, to 1 in 10,000."""
    low, high = 4, 8
    while not is_enough(high):
        low, high = high, high * 2
        if high > MOST_VISITORS:
            return None
    while high - low > max(1, high // 10_000):
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
