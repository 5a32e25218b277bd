"""The NumPy copy that the benchmarks use calculates what the package does."""

import math

import numpy as np
import pytest

from benchmarks import vector_mixture
from benchmarks.vector_mixture import Counts
from gimel.analysis.shares import check_shares
from tests.support.arms import exact, noisy


@pytest.mark.parametrize("precision", [0, 1, 16])
@pytest.mark.parametrize("log_lift", [0.0, -0.3, 1.1])
def test_it_agrees_with_the_package(log_lift: float, precision: int) -> None:
    """The evidence of 200 random experiments, rates of 0 and 1 included, agrees to 1e-6."""
    rng = np.random.default_rng(5)
    n_a, n_b = (np.floor(10 ** rng.uniform(0, 6, 200)) for _ in range(2))
    rates = [rng.choice([0, 0.004, 0.3, 0.97, 1], 200) for _ in range(2)]
    s_a, s_b = (np.round(n * rate) for n, rate in zip((n_a, n_b), rates, strict=True))

    vector_mixture.check(Counts(n_a, s_a, n_b, s_b, precision), log_lift, 0.1)


@pytest.mark.parametrize("precision", [0, 16])
def test_the_evidence_against_a_share_agrees(precision: int) -> None:
    """For three arms, one of them with a wrong share."""
    visitors = (8000, 1000, 1300)
    arms = [
        noisy(0, n, precision, w) if precision else exact(0, n, w)
        for n, w in zip(visitors, (8, 1, 1), strict=True)
    ]
    counts = [np.array([float(n)]) for n in visitors]
    for arm, (evidence, share) in enumerate(
        zip(check_shares(arms).evidence, (0.8, 0.1, 0.1), strict=True)
    ):
        found = vector_mixture.log_share_evidence(counts, arm, share, precision)
        assert math.isclose(float(found[0]), evidence, rel_tol=1e-9)
