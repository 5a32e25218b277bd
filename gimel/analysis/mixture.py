"""The deviance mixture: evidence against a lift that may be checked at every look.

Gives the always-valid interval of a lift. Knows arms, and nothing of designs, verdicts or words.

Why every look is allowed: let an estimate have the variance v and the distance z sqrt(v) from the
candidate. The likelihood ratio of a true distance mu against 0, averaged over mu ~ N(0, tau^2), is

    e(tau) = sqrt(v / (v + tau^2)) exp(z^2 / 2  tau^2 / (v + tau^2)).

While the candidate is true and data accumulate, e is a martingale that starts at 1, so the
probability that it ever exceeds 1 / alpha is at most alpha (Ville's inequality). The same holds for
a weighted mean of such e. Two changes make it hold for conversions:

- z^2 is the binomial deviance D rather than a squared z-score, because the score of few conversions
  is skewed: with it, a split of 99 to 1 would err in most experiments.
- Counting adds the variance noise to the sampling variance v0. It widens the interval but carries
  no information on the lift, so z^2 = D v0 / v, with v = v0 + noise.

Time is measured by v itself, so unequal splits and any order of arrival are covered. One scale tau
makes the mixture fast for the lift worth detecting, the other for far larger lifts.

References:
    H. Robbins (1970), Statistical methods related to the law of the iterated logarithm.
    S. Howard, A. Ramdas, J. McAuliffe, J. Sekhon (2021), Time-uniform, nonparametric,
    nonasymptotic confidence sequences.
    Measured error rates: docs/statistics.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from gimel.analysis.counts import Arm

FAR_SCALE = 0.5
"""The scale of the part of the mixture that is fast for large effects, in logarithms."""

FARTHEST = 60.0
"""A log lift beyond any that counts up to 1e12 can exclude."""

_LOG_NEAR = math.log(0.8)  # the weight of the scale that is set by the lift worth detecting
_LOG_FAR = math.log(0.2)
_STEP_GROWTH = 1.5  # of the search's steps; the first one is a standard error
_TOLERANCE = 1e-10  # of an end of the interval, in logarithms
_LEAST = 1e-300  # what replaces a rate of 0 as a divisor
_SERIES_BELOW = 1e-3  # where the direct formula loses digits, and the series is exact


@dataclass(frozen=True)
class Lift:
    """A relative lift with its always-valid interval, as shares of 1.

    Attributes:
        value: The observed lift; None without conversions of the control.
        low: The lower end. None: it is open, and even a lift of -100% is possible.
        high: The upper end. None: it is open, and there is no upper bound.
    """

    value: float | None
    low: float | None
    high: float | None

    @property
    def sign(self) -> int:
        """1 if the interval is above zero, -1 if it is below, 0 if it contains zero."""
        if self.low is not None and self.low > 0:
            return 1
        return -1 if self.high is not None and self.high < 0 else 0

    def is_within(self, bound: float) -> bool:
        """Return whether both ends are at most `bound` from zero."""
        if self.low is None or self.high is None:
            return False
        return -bound <= self.low and self.high <= bound


@dataclass(frozen=True)
class Pair:
    """Two arms as the mixture sees them. Prefer `log_evidence` and `lift_interval`.

    Attributes:
        trials: The visitors of control and variant.
        successes: Their conversions, no more than visitors.
        noise: The sum of the relative variances of the four counts.
        near_scale: The scale set by the lift worth detecting, in logarithms.
    """

    trials: tuple[float, float]
    successes: tuple[float, float]
    noise: float
    near_scale: float

    @classmethod
    def of(cls, control: Arm, variant: Arm, lift_worth_detecting: float) -> Pair:
        """Take the counts from two arms; more conversions than visitors count as all of them."""
        n_a, n_b = control.visitors.value, variant.visitors.value
        s_a, s_b = min(control.conversions.value, n_a), min(variant.conversions.value, n_b)
        pooled = (s_a + s_b + 0.5) / (n_a + n_b + 1)
        return cls(
            (n_a, n_b),
            (s_a, s_b),
            control.noise + variant.noise,
            near_scale(pooled, lift_worth_detecting),
        )

    @property
    def has_visitors(self) -> bool:
        """Whether both arms have visitors: without them, nothing is known about the lift."""
        return min(self.trials) > 0

    @property
    def log_lift(self) -> float:
        """The estimated log lift, with half a success and half a failure added to each arm."""
        (n_a, n_b), (s_a, s_b) = self.trials, self.successes
        return math.log((s_b + 0.5) / (n_b + 1)) - math.log((s_a + 0.5) / (n_a + 1))

    def reach_of_certainty(self, side: int) -> float:
        """Return the size of the log lift with which the other arm has a rate of 1."""
        arm = 0 if side > 0 else 1
        return -math.log((self.successes[arm] + 0.5) / (self.trials[arm] + 1))

    def fitted(self, log_lift: float) -> tuple[float, float]:
        """Return the most likely rates p and rho p among those of the lift rho - 1.

        p is the smaller root of N rho p^2 - ((n_a + s_b) + rho (n_b + s_a)) p + S = 0.
        """
        (n_a, n_b), (s_a, s_b) = self.trials, self.successes
        ratio = math.exp(log_lift)
        f_a, f_b = n_a - s_a, n_b - s_b
        first, second = n_a + s_b, ratio * (n_b + s_a)
        # first - second, and the discriminant as a sum of what cannot be negative
        apart = f_a - ratio * f_b - (s_a + s_b) * math.expm1(log_lift)
        root = math.sqrt(apart * apart + 4 * ratio * f_a * f_b)
        p = min(2 * (s_a + s_b) / (first + second + root), 1.0, 1 / ratio)
        return p, ratio * p

    def deviance(self, log_lift: float) -> float:
        """Return twice the log-likelihood ratio of the observed rates to the fitted ones."""
        (n_a, n_b), (s_a, s_b) = self.trials, self.successes
        p_a, p_b = self.fitted(log_lift)
        return 2 * (n_a * divergence(s_a / n_a, p_a) + n_b * divergence(s_b / n_b, p_b))

    def smoothed(self, log_lift: float) -> tuple[float, float]:
        """Return the same with half a success and half a failure added to the pooled counts.

        N + 1 for N, S + 1/2 for S, n + 1/2 for each n: the rates are never 0.
        """
        (n_a, n_b), (s_a, s_b) = self.trials, self.successes
        ratio = math.exp(log_lift)
        first, second = n_a + 0.5 + s_b, ratio * (n_b + 0.5 + s_a)
        apart = n_a - s_a + 0.5 - ratio * (n_b - s_b + 0.5) - (s_a + s_b) * math.expm1(log_lift)
        failures = (n_a - s_a + 0.5) * (n_b - s_b + 0.5) - (n_a + n_b + 1) / 2
        discriminant = apart * apart + 4 * ratio * failures
        if discriminant > 0:
            p = 2 * (s_a + s_b + 0.5) / (first + second + math.sqrt(discriminant))
        else:  # next to no failures: the root of the smallest value
            p = (first + second) / (2 * (n_a + n_b + 1) * ratio)
        p = min(p, 1.0, 1 / ratio)
        return p, ratio * p

    def sampling_variance(self, log_lift: float) -> float:
        """Return the variance of the estimated log lift if this were the true one, without noise.

        (1 - p) / (n_a p) + (1 - rho p) / (n_b rho p) at the smoothed rates, so that it is finite
        for no conversions and positive for no failures.
        """
        (n_a, n_b), (p_a, p_b) = self.trials, self.smoothed(log_lift)
        return max((1 / p_a - 1) / n_a + max(1 / p_b - 1, 0.0) / n_b, _LEAST)

    def log_evidence(self, log_lift: float) -> float:
        """Return ln E of a candidate log lift; see the module's `log_evidence`."""
        if not self.has_visitors:
            return 0.0
        sampling = self.sampling_variance(log_lift)
        variance = sampling + self.noise
        z2 = self.deviance(log_lift) * sampling / variance
        return log_mixture(z2, variance, self.near_scale)


def near_scale(pooled_rate: float, lift_worth_detecting: float) -> float:
    """Return the scale that the lift worth detecting sets, in logarithms of the conversion rate.

    ln(1 + L); where the pooled rate p is above one half, L is the lift of the failures, which is
    one of L (1 - p) / p of the conversions.
    """
    odds_against = (1 - pooled_rate) / pooled_rate if pooled_rate > 0.5 else 1.0
    return math.log1p(lift_worth_detecting * odds_against)


def log_mixture(z2: float, variance: float, scale: float) -> float:
    """Return ln E of a squared z-score whose estimate has this variance.

    E = 0.8 e(scale) + 0.2 e(0.5), with e as in the module's docstring.
    """
    near, far = scale * scale, FAR_SCALE * FAR_SCALE
    near = _LOG_NEAR - 0.5 * math.log1p(near / variance) + 0.5 * z2 * near / (variance + near)
    far = _LOG_FAR - 0.5 * math.log1p(far / variance) + 0.5 * z2 * far / (variance + far)
    return max(near, far) + math.log1p(math.exp(-abs(near - far)))


def log_evidence(control: Arm, variant: Arm, log_lift: float, lift_worth_detecting: float) -> float:
    """Return ln E, the logarithm of the evidence against a candidate lift.

    `log_lift` is ln(1 + lift). If it is the true one, the probability that ln E ever exceeds
    ln(1 / alpha) is at most alpha, no matter how often one looks. 0 while an arm has no visitors.
    """
    bounded = max(-FARTHEST, min(log_lift, FARTHEST))
    return Pair.of(control, variant, lift_worth_detecting).log_evidence(bounded)


def lift_interval(control: Arm, variant: Arm, lift_worth_detecting: float, alpha: float) -> Lift:
    """Return the lift with its always-valid interval, which holds the true one with 1 - alpha.

    The interval reaches from the estimate to the nearest lift whose evidence exceeds 1 / alpha on
    either side. Without one it is open on that side.
    """
    pair = Pair.of(control, variant, lift_worth_detecting)
    if not pair.has_visitors:
        return Lift(None, None, None)
    error = math.sqrt(pair.sampling_variance(pair.log_lift) + pair.noise)
    low, high = (nearest_excluded(pair.log_evidence, pair, side, error, alpha) for side in (-1, 1))
    return Lift(variant.rate / control.rate - 1 if control.rate else None, low, high)


def divergence(observed: float, fitted: float) -> float:
    """Return the Kullback-Leibler divergence of two rates, never below 0.

    o ln(o/f) + (1-o) ln((1-o)/(1-f)), as a sum of two terms that are not negative: the usual form
    has lost all its digits at 1e12 visitors.
    """
    total = 0.0
    for ours, theirs in ((observed, fitted), (1 - observed, 1 - fitted)):
        fitted_share = max(theirs, _LEAST)
        total += fitted_share * _excess((ours - fitted_share) / fitted_share)
    return total


def _excess(x: float) -> float:
    """Return (1 + x) ln(1 + x) - x, which is x^2 / 2 for small x."""
    if x <= -1:
        return 1.0
    if abs(x) < _SERIES_BELOW:
        return x * x * (1 / 2 - x * (1 / 6 - x * (1 / 12 - x * (1 / 20 - x / 30))))
    return (1 + x) * math.log1p(x) - x


def nearest_excluded(
    log_evidence: Callable[[float], float], pair: Pair, side: int, error: float, alpha: float
) -> float | None:
    """Return the excluded lift nearest to the pair's estimate on one side, or None without one.

    `log_evidence` is that of a log lift; `error` is the standard error of the estimate. Far out,
    where the fitted conversions of one arm are too few to exclude anything, the evidence falls
    again. With counting noise it also falls for a while where the fitted rate of an arm reaches 1.
    So this walks outward in steps that do not depend on alpha, stops where a rate reaches 1, and
    where the evidence had a peak in between, looks at the peak itself.
    """
    centre, threshold, step = pair.log_lift, -math.log(alpha), error

    def evidence(distance: float) -> float:
        return log_evidence(centre + side * distance) - threshold

    edge = pair.reach_of_certainty(side) - side * centre
    before, inside, last, rising = 0.0, 0.0, evidence(0.0), True
    while inside < FARTHEST:
        outside = min(inside + step, FARTHEST)
        at_edge = inside < edge <= outside
        outside = edge if at_edge else outside
        value = evidence(outside)
        if value <= 0 and (at_edge or (rising and value < last)):
            peak = _peak(evidence, before, outside)
            if evidence(peak) > 0:
                inside, outside, value = before, peak, evidence(peak)
        if value > 0:
            return math.expm1(centre + side * crossing(evidence, inside, outside))
        rising = value > last
        before, inside, last = inside, outside, value
        step *= _STEP_GROWTH
    return None


def crossing(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function that is at most 0 at `low` and positive at `high` becomes positive.

    False position, in the Illinois variant: when one end stays twice, its value is halved.
    """
    below, above = function(low), function(high)
    stayed = 0
    for _ in range(200):
        if high - low <= _TOLERANCE * max(1.0, high):
            break
        middle = high - above * (high - low) / (above - below)
        if not low < middle < high:
            middle = (low + high) / 2
        value = function(middle)
        if abs(value) < _TOLERANCE:
            return middle
        if value > 0:
            high, above = middle, value
            below = below / 2 if stayed == 1 else below
            stayed = 1
        else:
            low, below = middle, value
            above = above / 2 if stayed == -1 else above
            stayed = -1
    return high


def _peak(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function with a single peak is highest, by golden-section search."""
    ratio = (math.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = function(left), function(right)
    for _ in range(40):
        if at_left < at_right:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = function(right)
        else:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = function(left)
    return (low + high) / 2
