"""Counts know their counting error, and arms what it does to a rate."""

import math

import pytest

from gimel.analysis.counts import REGISTERS, Arm, Count, relative_variance
from gimel.runtime import hyperloglog
from tests.support.arms import close, exact, noisy


def test_parts_of_a_count_add_up_with_their_variances() -> None:
    """A count of several precisions has the sum of their variances; exact parts add none."""
    found = Count.from_parts({"1": 400, "16": 23_422.4, "exact": 12})

    assert found.value == close(23_834.4)
    assert found.variance == close(
        400**2 * relative_variance(400, 1) + 23_422.4**2 * relative_variance(23_422.4, 16)
    )


def test_the_precision_of_a_count_is_that_of_its_largest_part() -> None:
    """Small parts of another precision, left by an earlier version, do not matter."""
    assert Count.from_parts({"1": 400, "16": 23_422.4, "exact": 12}).precision == 16


@pytest.mark.parametrize("parts", [{}, {"exact": 0}], ids=str)
def test_no_visitors_are_an_empty_count(parts: dict[str, float]) -> None:
    """It is exact and has no error."""
    assert Count.from_parts(parts) == Count()


@pytest.mark.parametrize(
    "parts",
    [{"1": -1}, {"16": math.nan}, {"0": 5}, {"sixteen": 5}, {"-4": 1}, {"exact": math.inf}],
    ids=str,
)
def test_an_impossible_count_is_refused(parts: dict[str, float]) -> None:
    """A precision or a number that makes no sense is a ValueError."""
    with pytest.raises(ValueError):
        Count.from_parts(parts)


def test_registers_are_the_runtimes() -> None:
    """The analysis repeats the runtime's number of registers, which it must not import."""
    assert REGISTERS == hyperloglog.REGISTERS


@pytest.mark.parametrize(
    ("goals", "visitors", "expected"),
    [
        (1000, 1000, True),
        (1001, 1000, True),
        (1010, 1000, True),
        (1100, 1000, False),
        (3, 0, False),
        (0, 0, True),
    ],
)
def test_more_goals_than_visitors_are_noticed_beyond_noise(
    goals: int, visitors: int, expected: bool
) -> None:
    """A few more goals than visitors may be noise; many more mean that the goal is not unique."""
    assert noisy(goals, visitors).is_conversion is expected


@pytest.mark.parametrize("precision", [1, 16])
@pytest.mark.parametrize("p", [0.01, 0.05, 0.5, 0.9])
def test_noise_adds_to_the_variance_of_a_rate(p: float, precision: int) -> None:
    """The relative variances of both counts add up and scale with the square of the rate."""
    visitors = 500_000.0
    arm = noisy(p * visitors, visitors, precision)

    noise = relative_variance(visitors, precision) + relative_variance(p * visitors, precision)

    assert arm.noise == close(noise)
    assert arm.variance == pytest.approx(p * (1 - p) / visitors + p * p * noise, rel=1e-12)


@pytest.mark.parametrize("precision", [1, 16])
@pytest.mark.parametrize("p", [0.01, 0.05, 0.5, 0.9])
def test_the_effective_size_is_that_of_exact_counts(p: float, precision: int) -> None:
    """So many exactly counted visitors give the rate the same variance."""
    arm = noisy(p * 500_000, 500_000, precision)

    counterpart = exact(p * arm.effective_size, arm.effective_size)

    assert counterpart.variance == pytest.approx(arm.variance, rel=1e-3)


def test_the_effective_size_at_a_rate_of_one_is_limited_by_the_noise_alone() -> None:
    """Near 100% something is still known."""
    assert noisy(10**7, 10**7).effective_size > 50


def test_an_arm_without_visitors_knows_nothing() -> None:
    """Its rate is 0 with an infinite variance, and no noise widens it."""
    arm = Arm("arm", Count(), Count())

    assert (arm.rate, arm.per_visitor, arm.variance) == (0, 0, math.inf)
    assert (arm.effective_size, arm.widening) == (0, 0)
