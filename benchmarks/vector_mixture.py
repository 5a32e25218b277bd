"""The deviance mixture in NumPy, for arrays of counts, and histories of HyperLogLogs.

`gimel.analysis.mixture` takes two arms at a time; a simulation has millions. `check` compares the
two, and every run of a benchmark calls it first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmarks.hyperloglog import REGISTERS, Floats, corrected, sample_path
from benchmarks.simulated_counts import make_arm
from gimel.analysis import mixture

MARKS = 320  # sizes at which a history is recorded, each 4% larger than the one before


@dataclass(frozen=True)
class Counts:
    """What is known about two arms: one element for each experiment and look."""

    n_a: Floats
    s_a: Floats
    n_b: Floats
    s_b: Floats
    precision: int = 0


class Histories:
    """A pool of HyperLogLogs, each with its estimate at every size up to the largest."""

    def __init__(self, rng: np.random.Generator, size: int, largest: float) -> None:
        self.rng = rng
        self.marks = np.unique(np.geomspace(1, max(largest, 2) * 1.05, MARKS).astype(np.int64))
        steps = np.diff(self.marks, prepend=0)
        counted = np.array([sample_path(rng, steps) for _ in range(size)])
        self.ratios = corrected(counted) / self.marks

    def counted(self, true: Floats, precision: int) -> Floats:
        """Return what counters of `precision` shards say; the last axis of `true` is time."""
        if not precision:
            return true
        at = np.searchsorted(self.marks, true / precision)
        at = np.minimum(at, len(self.marks) - 1)
        total = np.zeros(true.shape)
        for _ in range(precision):
            chosen = self.rng.integers(0, len(self.ratios), size=(*true.shape[:-1], 1))
            total += self.ratios[chosen, at]
        result: Floats = true * total / precision
        return result


def log_evidence(counts: Counts, log_lift: float, lift_worth_detecting: float) -> Floats:
    """Return ln E for every element; see `gimel.analysis.mixture.log_evidence`."""
    n_a, n_b = counts.n_a, counts.n_b
    with np.errstate(all="ignore"):
        s_a, s_b = np.minimum(counts.s_a, n_a), np.minimum(counts.s_b, n_b)
        total, converted, ratio = n_a + n_b, s_a + s_b, math.exp(log_lift)
        p = np.minimum(_root(n_a, s_a, n_b, s_b, 0.0, ratio), min(1.0, 1 / ratio))
        deviance = 2 * (n_a * _divergence(s_a / n_a, p) + n_b * _divergence(s_b / n_b, ratio * p))
        q = np.minimum(_root(n_a, s_a, n_b, s_b, 0.5, ratio), min(1.0, 1 / ratio))
        sampling = (1 / q - 1) / n_a + np.maximum(1 / (ratio * q) - 1, 0) / n_b
        noise = sum(
            relative_variance(each, counts.precision) for each in (n_a, n_b, counts.s_a, counts.s_b)
        )
        pooled = (converted + 0.5) / (total + 1)
        odds_against = np.where(pooled > 0.5, (1 - pooled) / pooled, 1.0)
        scale = np.log1p(lift_worth_detecting * odds_against)
        variance = sampling + noise
        result = log_mixture(deviance * sampling / variance, variance, scale)
    return np.where((n_a > 0) & (n_b > 0), result, 0.0)


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


def log_mixture(z2: Floats, variance: Floats, scale: Floats | float) -> Floats:
    """Return `gimel.analysis.mixture.log_mixture` of every element."""
    near, far = (
        math.log(weight)
        - 0.5 * np.log1p(square / variance)
        + 0.5 * z2 * square / (variance + square)
        for weight, square in ((0.8, np.square(scale)), (0.2, mixture.FAR_SCALE**2))
    )
    result: Floats = np.logaddexp(near, far)
    return result


def check(counts: Counts, log_lift: float, lift_worth_detecting: float) -> None:
    """Raise AssertionError if the first elements are not what the package calculates."""
    found = log_evidence(counts, log_lift, lift_worth_detecting).ravel()[:200]
    columns = [each.ravel()[:200] for each in (counts.n_a, counts.s_a, counts.n_b, counts.s_b)]
    for value, n_a, s_a, n_b, s_b in zip(found, *columns, strict=True):
        arms = make_arm(n_a, s_a, counts.precision), make_arm(n_b, s_b, counts.precision)
        expected = mixture.log_evidence(*arms, log_lift, lift_worth_detecting)
        if not math.isclose(value, expected, rel_tol=1e-6, abs_tol=1e-6):
            raise AssertionError(f"{value} for {expected}: {(n_a, s_a, n_b, s_b)}")


def _root(n_a: Floats, s_a: Floats, n_b: Floats, s_b: Floats, half: float, ratio: float) -> Floats:
    """Return the smaller root of the equation for the fitted rate, smoothed or not."""
    all_of_them, converted = n_a + n_b + 2 * half, s_a + s_b + half
    middle = (n_a + half + s_b) + ratio * (n_b + half + s_a)
    failures = (n_a - s_a + half) * (n_b - s_b + half) - half * all_of_them
    apart = n_a - s_a + half - ratio * (n_b - s_b + half) - (s_a + s_b) * (ratio - 1)
    discriminant = apart * apart + 4 * ratio * failures
    return np.where(
        discriminant > 0,
        2 * converted / (middle + np.sqrt(np.maximum(discriminant, 0))),
        middle / (2 * all_of_them * ratio) if half else 2 * converted / middle,
    )


def _divergence(observed: Floats, fitted: Floats | float) -> Floats:
    total = np.zeros(np.shape(observed))
    for ours, theirs in ((observed, fitted), (1 - observed, 1 - fitted)):
        bounded = np.maximum(theirs, 1e-300)
        x = np.maximum((ours - bounded) / bounded, -1.0)
        series = x * x * (1 / 2 - x * (1 / 6 - x * (1 / 12 - x * (1 / 20 - x / 30))))
        direct = np.where(x > -1, (1 + x) * np.log1p(np.maximum(x, -1 + 1e-16)) - x, 1.0)
        total = total + bounded * np.where(np.abs(x) < 1e-3, series, direct)
    return total
