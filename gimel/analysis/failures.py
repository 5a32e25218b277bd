"""The always-valid change of the failures, the visitors who do not convert.

Above a rate of 50% the same finding is easier to read in failures. Their interval is not that of
the lift, translated: the rates that fit a lift best are not those that fit a change of the failures
best, and a translated interval errs in up to 21% of experiments (docs/statistics.md, Failures).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from gimel.analysis.counts import Arm
from gimel.analysis.mixture import Lift, Pair, log_mixture, nearest_excluded

_LEAST = 1e-300  # what replaces a share of 0 as a divisor
_NO_FAILURES = 1e-9 - 1  # a change below which there are none left: the interval is open
_TINY = 1e-15  # a share below which 1 minus the rest has no digits


@dataclass(frozen=True)
class FailurePair:
    """Two arms as the mixture sees their failures. Prefer `failure_interval`.

    Attributes:
        control: The control.
        variant: The variant.
        pair: Their conversions.
        failed: The same pair, with the failures in place of the conversions.
    """

    control: Arm
    variant: Arm
    pair: Pair
    failed: Pair

    @classmethod
    def of(cls, control: Arm, variant: Arm, lift_worth_detecting: float) -> FailurePair:
        """Take the counts from two arms."""
        pair = Pair.of(control, variant, lift_worth_detecting)
        failures = (pair.trials[0] - pair.successes[0], pair.trials[1] - pair.successes[1])
        return cls(control, variant, pair, replace(pair, successes=failures))

    def variances(self, log_change: float) -> tuple[float, float]:
        """Return the variance from sampling, and that from sampling and counting."""
        failed_a, failed_b = self.failed.fitted(log_change)
        log_lift = math.log(max(1 - failed_b, _TINY)) - math.log(max(1 - failed_a, _TINY))
        trials = self.pair.trials
        rates = [min(max(rate, _LEAST), 1.0) for rate in self.pair.smoothed(log_lift)]
        together = math.fsum(n * p for n, p in zip(trials, rates, strict=True))
        odds = max(together, _LEAST) / max(sum(trials) - together, _LEAST)
        sampling, counting = 0.0, 0.0
        for n, p, arm in zip(trials, rates, (self.control, self.variant), strict=True):
            weight = p / max(1 - p, _TINY) / odds
            sampling += weight * weight * (1 / p - 1) / n
            counting += weight * weight * arm.noise
        return max(sampling, _LEAST), max(sampling, _LEAST) + counting

    def log_evidence(self, log_change: float) -> float:
        """Return ln E of a candidate ln phi."""
        sampling, variance = self.variances(log_change)
        z2 = self.failed.deviance(log_change) * sampling / variance
        return log_mixture(z2, variance, self.pair.near_scale)


def failure_interval(control: Arm, variant: Arm, lift_worth_detecting: float, alpha: float) -> Lift:
    """Return the relative change of the failures with its always-valid interval.

    The deviance is that of the most likely rates with 1 - p_b = phi (1 - p_a). The variances are
    those of the log lift of this pair, and each arm's terms are multiplied by the square of its
    odds over the odds of both arms together, since ln(1 - p) changes by the odds times the change
    of ln p. At phi = 1 the evidence is that of no lift.
    """
    pair = FailurePair.of(control, variant, lift_worth_detecting)
    failed = pair.failed
    if not failed.has_visitors:
        return Lift(None, None, None)
    error = math.sqrt(pair.variances(failed.log_lift)[1])
    low, high = (
        nearest_excluded(pair.log_evidence, failed, side, error, alpha) for side in (-1, 1)
    )
    if low is not None and low < _NO_FAILURES:
        low = None
    kept = 1 - control.rate
    return Lift((1 - variant.rate) / kept - 1 if kept > 0 else None, low, high)
