"""The split check: did each variant get its expected share of the visitors?

A sample-ratio mismatch means that something loses visitors or counts them twice, so that no other
figure can be trusted. The check holds at every look, by the mixture of `gimel.analysis.mixture`.
Knows arms and their weights, and nothing of conversions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gimel.analysis.counts import Arm
from gimel.analysis.looks import Earlier
from gimel.analysis.mixture import divergence, log_mixture

ALPHA = 0.01
"""How often the check may raise a false alarm in the life of an experiment."""

_LEAST_SHARE = 1e-12  # nobody would notice a smaller one
_NEAR_SCALE = 0.1  # a share that is off by about 10%


@dataclass(frozen=True)
class ShareCheck:
    """The always-valid split check; tuples are in the order of the arms.

    Attributes:
        observed: The share of visitors of each arm; 0 for an arm without weight.
        expected: The share that the weights ask for, likewise.
        evidence: The logarithm of the evidence against each share; 0 where it is not checked.
        excluded: Whether each share is wrong. With two arms both are, or neither.
    """

    observed: tuple[float, ...]
    expected: tuple[float, ...]
    evidence: tuple[float, ...]
    excluded: tuple[bool, ...]

    @property
    def is_mismatch(self) -> bool:
        """Whether any share is wrong."""
        return any(self.excluded)

    @property
    def p(self) -> float:
        """The always-valid p-value of the split: below `ALPHA` for a mismatch, unless rounded."""
        arms = sum(share > 0 for share in self.expected)
        tests = arms if arms > 2 else 1
        return min(1.0, tests * math.exp(-max(self.evidence, default=0.0)))


def check_shares(arms: Sequence[Arm], alpha: float = ALPHA) -> ShareCheck:
    """Check the visitors of each arm against its weight, as often as one likes.

    For an arm with n of T visitors and the expected share r, D = 2 (n ln(n / (r T)) + (T - n)
    ln((T - n) / ((1 - r) T))), and the logit of its share has the variance 1 / (T r (1 - r)) plus
    the counting noise of ln n and ln (T - n). The arms share `alpha` equally; two arms are one
    test. Arms without weight are excluded.

    References:
        A. Fabijan et al. (2019), Diagnosing sample ratio mismatch in online controlled experiments.
        M. Lindon, A. Malek (2022), Anytime-valid inference for multinomial count data.
    """
    weighted = [arm for arm in arms if arm.weight > 0]
    weights = math.fsum(arm.weight for arm in weighted)
    total = math.fsum(arm.visitors.value for arm in weighted)
    tests = len(weighted) if len(weighted) > 2 else 1
    threshold = math.log(tests / alpha)
    observed, expected, evidence = [], [], []
    for index, arm in enumerate(arms):
        share = arm.weight / weights if arm.weight > 0 else 0.0
        others = [*arms[:index], *arms[index + 1 :]]
        expected.append(share)
        observed.append(arm.visitors.value / total if arm.weight > 0 and total else 0.0)
        evidence.append(_share_evidence(arm, others, share) if total else 0.0)
    return ShareCheck(
        tuple(observed),
        tuple(expected),
        tuple(evidence),
        tuple(value > threshold for value in evidence),
    )


def is_mismatch(arms: Sequence[Arm]) -> bool:
    """Return whether `check_shares` finds a wrong share; quicker where all are nearly right.

    ln E is at most half of D, and that is at most Pearson's chi-squared.
    """
    weights = math.fsum(arm.weight for arm in arms)
    total = math.fsum(arm.visitors.value for arm in arms if arm.weight > 0)
    chi2 = 0.0
    for arm in arms:
        if arm.weight > 0 and total:
            share = arm.weight / weights
            off = arm.visitors.value / total - share
            chi2 = max(chi2, total * off * off / max(share * (1 - share), _LEAST_SHARE))
    return chi2 > -math.log(ALPHA) and check_shares(arms).is_mismatch


def mismatch_onset(arms: Sequence[Arm], past: Sequence[Earlier]) -> int | None:
    """Return the time after which the visitors of the arms are most clearly split wrongly.

    It is one of the times in `past`; None if the evidence is clearest in all visitors together.
    """
    best, onset = _strength(arms), None
    for earlier in past:
        later = [
            replace(arm, visitors=arm.visitors.since(before.visitors))
            for arm, before in zip(arms, earlier.arms, strict=True)
        ]
        strength = _strength(later)
        if strength > best:
            best, onset = strength, earlier.time
    return onset


def _strength(arms: Sequence[Arm]) -> float:
    return max(check_shares(arms).evidence)


def _share_evidence(arm: Arm, others: Sequence[Arm], share: float) -> float:
    """Return ln E of one arm's share; 0 for a share of 0 or 1, which leaves nothing to compare."""
    if not _LEAST_SHARE < share < 1:
        return 0.0
    weighted = [other.visitors for other in others if other.weight > 0]
    count, rest = arm.visitors.value, math.fsum(visitors.value for visitors in weighted)
    noise = arm.visitors.relative_variance
    if rest:
        noise += math.fsum(visitors.variance for visitors in weighted) / rest / rest
    total = count + rest
    sampling = 1 / (total * share * (1 - share))
    z2 = 2 * total * divergence(count / total, share) * sampling / (sampling + noise)
    return log_mixture(z2, sampling + noise, _NEAR_SCALE)
