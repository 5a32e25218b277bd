"""The split check: did each variant get its expected share of the visitors?

A sample-ratio mismatch means that something loses visitors or counts them twice, so that no other
figure can be trusted. Knows arms and their weights, and nothing of conversions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gimel.analysis.counts import Arm

MISMATCH_P = 0.001
"""A split with a smaller p-value is a mismatch."""

_FEWEST_EXPECTED = 5  # visitors per arm, below which chi-square does not hold (Cochran 1954)


@dataclass(frozen=True)
class Split:
    """How visitors were split between the arms.

    Attributes:
        observed: The share of visitors of each arm, in the order of the arms; 0 for an arm without
            weight.
        expected: The share that the weights ask for, likewise.
        statistic: The chi-square statistic; 0 if not checked.
        p: Its p-value; 1 if not checked.
        checked: False while there are too few visitors to check.
    """

    observed: tuple[float, ...]
    expected: tuple[float, ...]
    statistic: float
    p: float
    checked: bool

    @property
    def is_mismatch(self) -> bool:
        """Whether the split is wrong at p < 0.001."""
        return self.p < MISMATCH_P


def check_split(arms: Sequence[Arm]) -> Split:
    """Compare the visitors of each arm with its weight: Pearson's chi-square, with counting noise.

    With shares r_i, total T and v_i = r_i T + se(r_i T)^2, the estimated total is
    l = sum(r_i N_i / v_i) / sum(r_i^2 / v_i), and sum((N_i - l r_i)^2 / v_i) has one degree of
    freedom less than there are arms. For exact counts this is Pearson's statistic. Arms without
    weight are excluded. The split is not checked while an arm expects fewer than 5 visitors.

    References:
        W. Cochran (1954), Some methods for strengthening the common chi-square tests.
        A. Fabijan et al. (2019), Diagnosing sample ratio mismatch in online controlled experiments.
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
    if len(cells) < 2 or min(share for share, _, _ in cells) * total < _FEWEST_EXPECTED:
        return Split(observed, expected, 0.0, 1.0, checked=False)
    level = math.fsum(r * n / v for r, n, v in cells) / math.fsum(r * r / v for r, _, v in cells)
    statistic = math.fsum((n - level * r) ** 2 / v for r, n, v in cells)
    p = chi_square_p(statistic, len(cells) - 1)
    return Split(observed, expected, statistic, p, checked=True)


def chi_square_p(statistic: float, degrees: int) -> float:
    """Return the probability that chi-square with `degrees` of freedom exceeds `statistic`.

    A finite series of positive terms, so that even the smallest p keeps its digits.

    References:
        M. Abramowitz, I. Stegun (1964), Handbook of Mathematical Functions, 26.4.4 and 26.4.5.
    """
    if statistic <= 0 or degrees < 1:
        return 1.0
    half = statistic / 2
    total, first = (math.erfc(math.sqrt(half)), 0.5) if degrees % 2 else (0.0, 0.0)
    for step in range(degrees // 2):
        power = first + step
        total += math.exp(power * math.log(half) - half - math.lgamma(power + 1))
    return min(1.0, total)
