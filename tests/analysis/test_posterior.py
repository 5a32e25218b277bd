"""The probabilities to beat the control and to be the best are the integrals that scipy finds."""

import itertools
import time
from dataclasses import astuple
from typing import Any

import numpy as np
import pytest
import scipy

from gimel.analysis.counts import Arm, Count
from gimel.analysis.posterior import Chance, chances

CASES = {
    "ordinary": [(100, 5), (100, 9)],
    "opposite": [(10, 0), (10, 10)],
    "no visitors": [(0, 0), (0, 0), (0, 0)],
    "one visitor against a million": [(1, 0), (1_000_000, 300_000)],
    "a trillion": [(10**12, 5 * 10**11), (10**12, 5 * 10**11 + 10**6), (100, 50)],
    "no conversions": [(1000, 0), (1000, 0), (1000, 1)],
    "everyone converts": [(1_000_000, 1_000_000), (10, 10), (20, 20)],
    "close to one": [(50, 49), (100_000, 98_000), (2000, 1990)],
    "six": [(4, 2), (549, 124), (3, 1), (2153, 1231), (999, 45), (925, 106)],
    "clear": [(10_000, 500), (10_000, 900)],
}


def make_arms(counts: list[tuple[int, int]]) -> list[Arm]:
    return [
        Arm(str(index), Count(visitors), Count(conversions))
        for index, (visitors, conversions) in enumerate(counts)
    ]


def oracle(counts: list[tuple[int, int]], index: int, others: list[int]) -> float:
    """Return scipy's integral of one arm's density times the distributions of the others."""
    betas = [
        scipy.stats.beta(1 + conversions, 1 + visitors - conversions)
        for visitors, conversions in counts
    ]
    edges = np.unique(
        np.concatenate(
            [beta.ppf([1e-9, 1e-4, 0.02, 0.5, 0.98, 1 - 1e-4, 1 - 1e-9]) for beta in betas]
            + [[0, 1]]
        )
    )

    def product(x: Any) -> Any:
        return betas[index].pdf(x) * np.prod([betas[other].cdf(x) for other in others], axis=0)

    return float(
        sum(
            scipy.integrate.fixed_quad(product, low, high, n=60)[0]
            for low, high in itertools.pairwise(edges)
        )
    )


@pytest.mark.parametrize("counts", CASES.values(), ids=CASES)
def test_chances_equal_a_quadrature(counts: list[tuple[int, int]]) -> None:
    """Both probabilities of every arm equal scipy's quadrature to 1e-5."""
    arms = make_arms(counts)
    found = chances(arms, arms[0])

    for index, chance in enumerate(found):
        others = [other for other in range(len(arms)) if other != index]
        assert chance.best == pytest.approx(oracle(counts, index, others), abs=1e-5)
        if index:
            assert chance.beats_control == pytest.approx(oracle(counts, index, [0]), abs=1e-5)


def test_equal_arms_have_equal_chances() -> None:
    """Arms with the same counts beat each other half of the time and are best equally often."""
    arms = make_arms([(1234, 56)] * 4)
    for chance in chances(arms, arms[2]):
        assert chance.beats_control == pytest.approx(0.5, abs=1e-5)
        assert chance.best == pytest.approx(0.25, abs=1e-5)


def test_an_arm_alone_is_best() -> None:
    """A single arm is the best with certainty."""
    arms = make_arms([(10, 3)])
    assert chances(arms, arms[0]) == (Chance(0.5, 1.0),)


def test_counting_noise_makes_the_chances_less_certain() -> None:
    """The same counts say less if they were counted with noise."""
    exact = [Arm("a", Count(10**6), Count(500_000)), Arm("b", Count(10**6), Count(503_000))]
    noisy = [
        Arm(
            arm.name,
            Count.from_parts({"1": arm.visitors.value}),
            Count.from_parts({"1": arm.conversions.value}),
        )
        for arm in exact
    ]
    assert chances(exact, exact[0])[1].beats_control > 0.99
    assert 0.5 < chances(noisy, noisy[0])[1].beats_control < 0.8


@pytest.mark.parametrize(
    "counts",
    [
        [(10_000, 500 + i) for i in range(40)],
        [(int(10 ** (1 + i / 4)), int(10 ** (1 + i / 4) * 0.3)) for i in range(40)],
        [(10**6, 10**4 * i) for i in range(40)],
    ],
    ids=["alike", "of all sizes", "far apart"],
)
def test_forty_variants_take_little_time(counts: list[tuple[int, int]]) -> None:
    """Forty variants take less than a tenth of a second of CPU time."""
    arms = make_arms(counts)
    started = time.process_time()
    chances(arms, arms[0])
    assert time.process_time() - started < 0.1


@pytest.mark.parametrize("counts", CASES.values(), ids=CASES)
def test_the_lower_rate_may_be_the_better_one(counts: list[tuple[int, int]]) -> None:
    """Then the chances are those of the failures."""
    arms = make_arms(counts)
    failures = make_arms([(visitors, visitors - conversions) for visitors, conversions in counts])

    found, expected = chances(arms, arms[0], is_decrease=True), chances(failures, failures[0])
    for one, other in zip(found, expected, strict=True):
        assert astuple(one) == pytest.approx(astuple(other), abs=1e-9)
