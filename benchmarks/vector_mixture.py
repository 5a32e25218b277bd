"""The deviance mixture in NumPy, for arrays of counts, and histories of HyperLogLogs.

`gimel.analysis.mixture` takes two arms at a time; a simulation has millions. `check` compares the
two, and the benchmarks call it in every cell.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.hyperloglog import REGISTERS, Floats, corrected, sample_path
from benchmarks.simulated_counts import make_arm
from gimel.analysis import mixture

MARKS = 320  # sizes at which a history is recorded, each 4% larger than the one before
FAR_WEIGHT = 0.2  # that of the second scale in the package
BETWEEN = 3  # lifts between the estimate and a candidate that `is_outside` tries
CHECKED = 40  # elements that `check` compares

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Counts:
    """What is known about two arms: one element for each experiment and look."""

    n_a: Floats
    s_a: Floats
    n_b: Floats
    s_b: Floats
    precision: int = 0

    @property
    def failures(self) -> Counts:
        """The visitors who did not convert, in place of the conversions."""
        s_a, s_b = np.minimum(self.s_a, self.n_a), np.minimum(self.s_b, self.n_b)
        return Counts(self.n_a, self.n_a - s_a, self.n_b, self.n_b - s_b, self.precision)


class Histories:
    """A pool of HyperLogLogs, each with its estimate at every size up to the largest."""

    def __init__(self, rng: np.random.Generator, size: int, largest: float) -> None:
        self.marks = np.unique(np.geomspace(1, max(largest, 2) * 1.05, MARKS).astype(np.int64))
        steps = np.diff(self.marks, prepend=0)
        counted = np.array([sample_path(rng, steps) for _ in range(size)])
        self.ratios = corrected(counted) / self.marks
        at = np.searchsorted(self.marks, np.arange(int(largest) + 2))
        self.mark_of_size = np.minimum(at, len(self.marks) - 1)

    def counted(self, rng: np.random.Generator, true: Floats, precision: int) -> Floats:
        """Return what counters of `precision` shards say; the last axis of `true` is time."""
        if not precision:
            return true
        chosen = rng.integers(0, len(self.ratios), size=(precision, *true.shape[:-1]))
        total = self.ratios[chosen[0]]
        for shard in chosen[1:]:
            total += self.ratios[shard]
        sizes = np.ceil(true / precision).astype(np.int64)
        ratios = np.take_along_axis(total, self.mark_of_size[sizes], axis=-1)
        result: Floats = true * ratios / precision
        return result


def log_evidence(
    counts: Counts,
    log_lift: float | Floats,
    lift_worth_detecting: float,
    far_weight: float = FAR_WEIGHT,
) -> Floats:
    """Return ln E for every element; see `gimel.analysis.mixture.log_evidence`.

    `far_weight` is the weight of the second scale.
    """
    n_a, n_b, ratio = counts.n_a, counts.n_b, np.exp(log_lift)
    with np.errstate(all="ignore"):
        s_a, s_b = np.minimum(counts.s_a, n_a), np.minimum(counts.s_b, n_b)
        p = fitted_rate(counts, ratio)
        deviance = 2 * (n_a * _divergence(s_a / n_a, p) + n_b * _divergence(s_b / n_b, ratio * p))
        q = fitted_rate(counts, ratio, 0.5)
        sampling = (1 / q - 1) / n_a + np.maximum(1 / (ratio * q) - 1, 0) / n_b
        variance = sampling + noise(counts)
        z2 = deviance * sampling / variance
        result = log_mixture(z2, variance, near_scale(counts, lift_worth_detecting), far_weight)
    return np.where((n_a > 0) & (n_b > 0), result, 0.0)


def log_failure_evidence(
    failures: Counts, log_change: float | Floats, lift_worth_detecting: float
) -> Floats:
    """Return ln E of a candidate ln((1 - p_b) / (1 - p_a)), given the counts of the failures.

    The deviance is that of the best pair of rates with this ratio of failures. Each arm's variance
    is that of its log rate, multiplied by the square of its odds over those of both arms together,
    because ln(1 - p) changes by the odds times the change of ln p. At 0, E is that of a lift of 0.
    """
    counts, ratio = failures.failures, np.exp(log_change)
    n_a, n_b, f_a, f_b = failures.n_a, failures.n_b, failures.s_a, failures.s_b
    with np.errstate(all="ignore"):
        g_a = fitted_rate(failures, ratio)
        g_b = ratio * g_a
        deviance = 2 * (n_a * _divergence(f_a / n_a, g_a) + n_b * _divergence(f_b / n_b, g_b))
        lift = (1 - g_b) / (1 - g_a)
        p_a = fitted_rate(counts, lift, 0.5)
        p_b = np.minimum(lift * p_a, 1.0)
        pooled = (n_a * p_a + n_b * p_b) / (n_a + n_b)
        sampling, counting = np.zeros(np.shape(n_a)), np.zeros(np.shape(n_a))
        for n, s, p in ((n_a, counts.s_a, p_a), (n_b, counts.s_b, p_b)):
            weight = np.square(p / (1 - p) / (pooled / (1 - pooled)))
            both = [relative_variance(each, counts.precision) for each in (n, s)]
            sampling += weight * (1 / p - 1) / n
            counting += weight * (both[0] + both[1])
        variance = sampling + counting
        z2 = deviance * sampling / variance
        result = log_mixture(z2, variance, near_scale(counts, lift_worth_detecting))
    return np.where((n_a > 0) & (n_b > 0), result, 0.0)


def is_outside(
    counts: Counts,
    log_lift: float | Floats,
    lift_worth_detecting: float,
    threshold: float,
    log_evidence: Callable[[Counts, Floats, float], Floats] = log_evidence,
) -> Bools:
    """Return where the interval does not contain a lift: it or a nearer one is excluded.

    Excluded means that ln E exceeds the threshold; `BETWEEN` lifts at equal distances from the
    estimate to this one are tried. ln E is at most half of the deviance, which grows with the
    distance, and half of it is at most Pearson's chi-squared at any pair of rates of the lift. So
    ln E is calculated only where chi-squared is above the threshold.
    """
    n_a, n_b, ratio = counts.n_a, counts.n_b, np.exp(log_lift)
    with np.errstate(all="ignore"):
        s_a, s_b = np.minimum(counts.s_a, n_a), np.minimum(counts.s_b, n_b)
        p = np.maximum((s_a + s_b) / (n_a + ratio * n_b), 1e-300)
        q = ratio * p
        chi2 = np.square(s_a - n_a * p) / (n_a * p * (1 - p))
        chi2 += np.square(s_b - n_b * q) / (n_b * q * (1 - q))
        possible: Bools = ~((q < 1) & (p < 1) & (chi2 <= threshold)) & (n_a > 0) & (n_b > 0)
    n_a, s_a, n_b, s_b = (each[possible] for each in (n_a, s_a, n_b, s_b))
    chosen = Counts(n_a, s_a, n_b, s_b, counts.precision)
    estimate = np.log((s_b + 0.5) / (n_b + 1) / ((s_a + 0.5) / (n_a + 1)))
    distance = (log_lift[possible] if isinstance(log_lift, np.ndarray) else log_lift) - estimate
    outside = np.zeros(len(n_a), dtype=bool)
    for step in range(1, BETWEEN + 2):
        nearer = estimate + distance * step / (BETWEEN + 1)
        outside |= log_evidence(chosen, nearer, lift_worth_detecting) > threshold
    possible[possible] = outside
    return possible


def is_zero_excluded_by_wald(
    counts: Counts, lift_worth_detecting: float, threshold: float, half: float = 0.0
) -> Bools:
    """Return where a Wald z-score of the log lift in place of the deviance excludes 0.

    Its variance is that at the observed rates, with a `half` success and failure added if it is
    0.5. Nothing is excluded if the variance is 0, or if an arm has no visitors or no conversions.
    """
    logs, variance = [], np.zeros(np.shape(counts.n_a))
    with np.errstate(all="ignore"):
        for n, s in ((counts.n_a, counts.s_a), (counts.n_b, counts.s_b)):
            rate = (s + half) / (n + 2 * half)
            logs.append(np.log(rate))
            variance += (1 - rate) / (rate * (n + 2 * half))
        z2 = np.square(logs[1] - logs[0]) / variance
        evidence = log_mixture(z2, variance, near_scale(counts, lift_worth_detecting))
    known = (counts.n_a > 0) & (counts.n_b > 0) & (variance > 0) & np.isfinite(z2)
    excluded: Bools = known & (evidence > threshold)
    return excluded


def log_lift_of_failures(counts: Counts, change: float) -> Floats:
    """Return the log lift at whose fitted rates the failures have this change.

    The change of the failures, (1 - rho p) / (1 - p) - 1, falls as the lift rises.
    """
    low, high = np.full(counts.n_a.shape, -9.0), np.full(counts.n_a.shape, 10.0)
    for _ in range(50):
        middle = (low + high) / 2
        ratio = np.exp(middle)
        with np.errstate(all="ignore"):
            p = fitted_rate(counts, ratio)
            is_larger = (1 - ratio * p) / (1 - p) > 1 + change
        low, high = np.where(is_larger, middle, low), np.where(is_larger, high, middle)
    result: Floats = (low + high) / 2
    return result


def log_share_evidence(counts: list[Floats], arm: int, share: float, precision: int) -> Floats:
    """Return ln E of the share of one arm; see `gimel.analysis.shares`."""
    count, rest = counts[arm], sum(counts) - counts[arm]
    with np.errstate(all="ignore"):
        variances = [relative_variance(each, precision) * each * each for each in counts]
        others = (sum(variances) - variances[arm]) / rest / rest
        noise = relative_variance(count, precision) + np.where(rest > 0, others, 0.0)
        total = count + rest
        sampling = 1 / (total * share * (1 - share))
        z2 = 2 * total * _divergence(count / total, share) * sampling / (sampling + noise)
        return np.where(total > 0, log_mixture(z2, sampling + noise, 0.1), 0.0)


def relative_variance(count: Floats, precision: int) -> Floats:
    """Return `gimel.analysis.counts.relative_variance` of every element; 0 for a count of 0."""
    if not precision:
        return np.zeros(np.shape(count))
    registers = REGISTERS * precision
    return np.where(count > 0, (0.5 - 0.58 * np.expm1(-count / registers / 5)) / registers, 0.0)


def noise(counts: Counts) -> Floats:
    """Return the sum of the relative variances of the four counts."""
    four = (counts.n_a, counts.n_b, counts.s_a, counts.s_b)
    total: Floats = np.sum([relative_variance(each, counts.precision) for each in four], axis=0)
    return total


def pooled_rate(counts: Counts) -> Floats:
    """Return the rate of both arms together, which says whether the lift is one of failures."""
    s_a, s_b = np.minimum(counts.s_a, counts.n_a), np.minimum(counts.s_b, counts.n_b)
    result: Floats = (s_a + s_b + 0.5) / (counts.n_a + counts.n_b + 1)
    return result


def near_scale(counts: Counts, lift_worth_detecting: float) -> Floats:
    """Return `gimel.analysis.mixture.near_scale` of every element."""
    pooled = pooled_rate(counts)
    odds_against = np.where(pooled > 0.5, (1 - pooled) / pooled, 1.0)
    result: Floats = np.log1p(lift_worth_detecting * odds_against)
    return result


def log_mixture(
    z2: Floats, variance: Floats, scale: Floats | float, far_weight: float = FAR_WEIGHT
) -> Floats:
    """Return `gimel.analysis.mixture.log_mixture` of every element."""
    total = np.full(np.shape(z2), -math.inf)
    scales = ((1 - far_weight, np.square(scale)), (far_weight, mixture.FAR_SCALE**2))
    for weight, square in scales:
        if weight:
            log_e = 0.5 * (z2 * square / (variance + square) - np.log1p(square / variance))
            total = np.logaddexp(total, math.log(weight) + log_e)
    return total


def check(counts: Counts, log_lift: float, lift_worth_detecting: float) -> None:
    """Raise AssertionError if a sample of the elements is not what the package calculates."""
    found = log_evidence(counts, log_lift, lift_worth_detecting).ravel()
    every = max(1, found.size // CHECKED)
    columns = [each.ravel()[::every] for each in (counts.n_a, counts.s_a, counts.n_b, counts.s_b)]
    for value, n_a, s_a, n_b, s_b in zip(found[::every], *columns, strict=True):
        arms = make_arm(n_a, s_a, counts.precision), make_arm(n_b, s_b, counts.precision)
        expected = mixture.log_evidence(*arms, log_lift, lift_worth_detecting)
        if not math.isclose(value, expected, rel_tol=1e-6, abs_tol=1e-6):
            raise AssertionError(f"{value} for {expected}: {(n_a, s_a, n_b, s_b)}")


def fitted_rate(counts: Counts, ratio: float | Floats, half: float = 0.0) -> Floats:
    """Return the control's most likely rate among those where the variant's is `ratio` times it.

    It is the smaller root of the equation of `gimel.analysis.mixture.Pair.deviance`; with a `half`
    of 0.5, of that of `Pair.sampling_variance`.
    """
    n_a, n_b = counts.n_a, counts.n_b
    s_a, s_b = np.minimum(counts.s_a, n_a), np.minimum(counts.s_b, n_b)
    all_of_them, converted = n_a + n_b + 2 * half, s_a + s_b + half
    middle = (n_a + half + s_b) + ratio * (n_b + half + s_a)
    failures = (n_a - s_a + half) * (n_b - s_b + half) - half * all_of_them
    apart = n_a - s_a + half - ratio * (n_b - s_b + half) - (s_a + s_b) * (ratio - 1)
    discriminant = apart * apart + 4 * ratio * failures
    root = np.where(
        discriminant > 0,
        2 * converted / (middle + np.sqrt(np.maximum(discriminant, 0))),
        middle / (2 * all_of_them * ratio) if half else 2 * converted / middle,
    )
    return np.minimum(root, np.minimum(1.0, 1 / np.asarray(ratio)))


def _divergence(observed: Floats, fitted: Floats | float) -> Floats:
    total = np.zeros(np.shape(observed))
    for ours, theirs in ((observed, fitted), (1 - observed, 1 - fitted)):
        bounded = np.maximum(theirs, 1e-300)
        x = (ours - bounded) / bounded
        total += bounded * np.where(x > -1, (1 + x) * np.log1p(np.maximum(x, -1 + 1e-16)) - x, 1.0)
    return total
