"""How many more visitors an experiment needs until its always-valid interval decides.

Knows nothing of days: the caller knows how many visitors come per day. Uses the evidence of
`gimel.analysis.mixture`, so that a forecast agrees with the decision. Plans before an experiment
are in `gimel.analysis.sample_size`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gimel.analysis.counts import EXACT, Arm, Count, relative_variance
from gimel.analysis.mixture import Pair, log_mixture
from gimel.analysis.search import smallest

MOST_VISITORS = 1e12
"""Visitors of both arms beyond which an experiment is not feasible."""

_MARGIN = 0.4  # standard errors: with daily looks, half of the experiments are closer at some time


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


def _deciding_variance(effect: float, scale: float, threshold: float, margin: float) -> float:
    """Return the variance at which the evidence of an effect reaches the threshold.

    The effect is taken to be smaller by `margin` standard errors.
    """

    def decides(information: float) -> bool:
        z = effect * math.sqrt(information) - margin
        return log_mixture(z * z, 1 / information, scale) >= threshold

    least = math.sqrt(2 * threshold) + margin  # with a smaller z nothing is decided
    information = smallest(decides, start=(least / effect) ** 2)
    return 0.0 if information is None else 1 / information


def _growth(control: Arm, variant: Arm, sampling: float, wanted: float) -> float | None:
    """Return the factor, at least 1, by which all counts grow until the variance is `wanted`."""
    counts = [count for arm in (control, variant) for count in (arm.visitors, arm.conversions)]

    def is_enough(factor: float) -> bool:
        noise = math.fsum(_grown_noise(count, factor) for count in counts)
        return sampling / factor + noise <= wanted

    most = MOST_VISITORS / (control.visitors.value + variant.visitors.value)
    return smallest(is_enough, max(1.0, sampling / wanted), most, error=1e-4)


def _grown_noise(count: Count, factor: float) -> float:
    """Return the relative variance of a count that has grown at its precision."""
    if not count.value or count.precision == EXACT:
        return count.relative_variance
    now = relative_variance(count.value, count.precision)
    return count.relative_variance * relative_variance(count.value * factor, count.precision) / now
