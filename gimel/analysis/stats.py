"""Arms to estimates, intervals and tests.

Pure functions over frozen dataclasses, standard library only. Every formula takes in the counting error of `gimel.analysis.counts`
beside the sampling error; with exact counts each is the textbook's. The Bayesian figures are in `gimel.analysis.posterior`, sample
sizes in `gimel.analysis.sample_size`, and what it all means for the user is decided in `gimel.analysis.verdict`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from gimel.analysis.counts import Arm

MISMATCH = 0.001
TUNED_FOR = 5000


@dataclass(frozen=True)
class Estimate:
    """A value and the interval around it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """An arm against the control. `lift` and `anytime_lift` are None while one of the two has no conversions.

    `difference` (Newcombe) and `lift` (Katz) hold at one look decided on beforehand, each on its own; `p` is of the same kind
    and `p_adjusted` Holm's over all variants. `anytime_*` may be looked at every day and hold for all variants together.
    """

    arm: Arm
    control: Arm
    difference: Estimate
    lift: Estimate | None
    p: float
    p_adjusted: float
    anytime_difference: Estimate
    anytime_lift: Estimate | None
    anytime_p: float

    @property
    def wins(self) -> bool:
        """Whether the variant beats the control, whenever one looks."""
        return self.anytime_difference.low > 0 and (
            self.anytime_lift is None or self.anytime_lift.low > 0
        )

    @property
    def loses(self) -> bool:
        """Whether the control beats the variant, whenever one looks."""
        return self.anytime_difference.high < 0 and (
            self.anytime_lift is None or self.anytime_lift.high < 0
        )


@dataclass(frozen=True)
class Split:
    """How visitors were split, in the order of the arms: shares observed and expected, both 0 for an arm without weight.

    `checked` is False while too few came to tell; then `p` is 1.
    """

    observed: tuple[float, ...]
    expected: tuple[float, ...]
    statistic: float
    p: float
    checked: bool

    @property
    def is_mismatch(self) -> bool:
        """Whether the split is wrong at p < 0.001: something loses visitors or counts them twice, so trust no figure."""
        return self.p < MISMATCH


def quantile(confidence: float) -> float:
    """Return the normal quantile z of a two-sided interval: 1.96 for 0.95."""
    return -NormalDist().inv_cdf((1 - confidence) / 2)


def rate(arm: Arm, confidence: float = 0.95) -> Estimate:
    """Return the conversion rate with its Wilson interval (Wilson 1927), widened for counting noise.

    The limits solve (p^ - p)^2 = z^2 (p(1-p)/n + p^2 noise) for p, which without noise is Wilson's equation.
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
    """Return the rate of `arm` less that of `control`, with Newcombe's hybrid score interval (Newcombe 1998, method 10)."""
    ours, theirs = rate(arm, confidence), rate(control, confidence)
    value = ours.value - theirs.value
    low = value - math.hypot(ours.value - ours.low, theirs.high - theirs.value)
    return Estimate(
        value, low, value + math.hypot(ours.high - ours.value, theirs.value - theirs.low)
    )


def lift(arm: Arm, control: Arm, confidence: float = 0.95) -> Estimate | None:
    """Return the relative lift, rate / control's rate - 1, with the log-ratio interval (Katz et al. 1978).

    The variance of the logarithm is (1-p)/(pn) + noise for each arm. None while one of them has no conversions.
    """
    return _lift(arm, control, quantile(confidence))


def p_value(arm: Arm, control: Arm) -> float:
    """Return the two-sided p-value of the pooled two-proportion z-test, with p^2 noise added to each arm's variance."""
    n, m = arm.visitors.value, control.visitors.value
    if not n or not m:
        return 1.0
    pooled = (arm.rate * n + control.rate * m) / (n + m)
    variance = pooled * (1 - pooled) * (1 / n + 1 / m) + pooled * pooled * (
        arm.noise + control.noise
    )
    if variance <= 0:
        return 1.0
    return math.erfc(abs(arm.rate - control.rate) / math.sqrt(2 * variance))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return the p-values adjusted for their number, in the given order (Holm 1979)."""
    adjusted, floor = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        floor = max(floor, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = floor
    return tuple(adjusted)


def anytime_multiplier(size: float, confidence: float) -> float:
    """Return how many standard errors an anytime-valid interval reaches to either side, with `size` visitors in all.

    Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2021, "Time-uniform central limit theory and asymptotic confidence sequences"
    (arXiv 2103.06476v7), eq. 9, tuned by eq. 161 to be tightest at 5,000 visitors, as GrowthBook does. Infinite for no
    visitors.
    """
    if size <= 0:
        return math.inf
    scale, q = _mixture(size, 1 - confidence)
    return math.sqrt(2 * q * math.log(math.sqrt(q) / (1 - confidence)) / scale)


def anytime_p_value(value: float, variance: float, size: float, confidence: float) -> float:
    """Return the p-value that goes with `anytime_multiplier` (same paper, eq. 155): under 1 - confidence where the interval
    value +- multiplier sqrt(variance) leaves out zero."""
    if size <= 0 or not 0 < variance < math.inf:
        return 1.0
    scale, q = _mixture(size, 1 - confidence)
    return math.exp(min(0.0, 0.5 * math.log(q) - scale / q * value / variance * value / 2))


def anytime_difference(arm: Arm, control: Arm, confidence: float = 0.95) -> Estimate:
    """Return the difference of the rates with an interval that holds at every look, not just at one.

    Variances of the two rates add up; the visitors that the boundary counts are the effective ones of both.
    """
    value = arm.rate - control.rate
    if not arm.visitors.value or not control.visitors.value:
        return Estimate(value, -1.0, 1.0)
    reach = anytime_multiplier(arm.effective + control.effective, confidence) * math.sqrt(
        arm.variance + control.variance
    )
    return Estimate(value, max(-1.0, value - reach), min(1.0, value + reach))


def anytime_lift(arm: Arm, control: Arm, confidence: float = 0.95) -> Estimate | None:
    """Return the relative lift with an interval that holds at every look: `lift` with the anytime-valid multiplier."""
    return _lift(arm, control, anytime_multiplier(arm.effective + control.effective, confidence))


def compare(arms: Sequence[Arm], control: Arm, confidence: float = 0.95) -> tuple[Comparison, ...]:
    """Compare every arm but `control` with it, in the order of `arms`.

    Anytime-valid figures are made simultaneous with Bonferroni's correction: each interval is one at 1 - (1 -
    confidence)/number of comparisons, and each `anytime_p` is multiplied by that number.
    """
    others = [arm for arm in arms if arm is not control]
    each = 1 - (1 - confidence) / max(1, len(others))
    p_values = [p_value(arm, control) for arm in others]
    found = []
    for arm, p, p_adjusted in zip(others, p_values, holm(p_values), strict=True):
        anytime = anytime_difference(arm, control, each)
        size = arm.effective + control.effective
        anytime_p = anytime_p_value(anytime.value, arm.variance + control.variance, size, each)
        found.append(
            Comparison(
                arm=arm,
                control=control,
                difference=difference(arm, control, confidence),
                lift=lift(arm, control, confidence),
                p=p,
                p_adjusted=p_adjusted,
                anytime_difference=anytime,
                anytime_lift=anytime_lift(arm, control, each),
                anytime_p=min(1.0, anytime_p * len(others)),
            )
        )
    return tuple(found)


def chi_square_p(statistic: float, degrees: int) -> float:
    """Return the probability that chi-square with `degrees` of freedom exceeds `statistic`.

    The finite series of Abramowitz & Stegun 26.4.4 and 26.4.5: every term is positive, so the smallest p keeps its digits.
    """
    if statistic <= 0 or degrees < 1:
        return 1.0
    half = statistic / 2
    total, first = (math.erfc(math.sqrt(half)), 0.5) if degrees % 2 else (0.0, 0.0)
    for step in range(degrees // 2):
        power = first + step
        total += math.exp(power * math.log(half) - half - math.lgamma(power + 1))
    return min(1.0, total)


def split(arms: Sequence[Arm]) -> Split:
    """Check whether visitors were split by the weights: Pearson's chi-square, with counting noise in every cell's variance.

    With shares r_i, total T and v_i = r_i T + se(r_i T)^2: l = sum(r_i N_i/v_i)/sum(r_i^2/v_i) estimates the total and
    sum((N_i - l r_i)^2/v_i) has one degree of freedom less than there are arms; exact counts make it Pearson's. Arms without
    weight are left out. Not checked while an arm expects fewer than 5 visitors, where chi-square does not hold (Cochran 1954).
    """
    weights = math.fsum(arm.weight for arm in arms if arm.weight > 0)
    total = math.fsum(arm.visitors.value for arm in arms if arm.weight > 0)
    expected = tuple(arm.weight / weights if arm.weight > 0 else 0.0 for arm in arms)
    observed = tuple(
        arm.visitors.value / total if total and arm.weight > 0 else 0.0 for arm in arms
    )
    cells = []
    for share, arm in zip(expected, arms, strict=True):
        if share:
            variance = share * total + (share * total) ** 2 * arm.visitors.relative_variance
            cells.append((share, arm.visitors.value, variance))
    if len(cells) < 2 or min(share for share, _, _ in cells) * total < 5:
        return Split(observed, expected, 0.0, 1.0, checked=False)
    level = math.fsum(r * n / v for r, n, v in cells) / math.fsum(r * r / v for r, _, v in cells)
    statistic = math.fsum((n - level * r) ** 2 / v for r, n, v in cells)
    return Split(
        observed, expected, statistic, chi_square_p(statistic, len(cells) - 1), checked=True
    )


def _mixture(size: float, alpha: float) -> tuple[float, float]:
    """Return N rho^2 and N rho^2 + 1 of the normal mixture behind the anytime-valid figures."""
    rho2 = (-2 * math.log(alpha) + math.log1p(-2 * math.log(alpha))) / TUNED_FOR
    return size * rho2, size * rho2 + 1


def _lift(arm: Arm, control: Arm, multiplier: float) -> Estimate | None:
    if not arm.rate or not control.rate:
        return None
    ratio = arm.rate / control.rate
    error = math.sqrt(
        arm.variance / arm.rate / arm.rate + control.variance / control.rate / control.rate
    )
    reach = min(multiplier * error, 300.0)
    return Estimate(ratio - 1, ratio * math.exp(-reach) - 1, ratio * math.exp(reach) - 1)
