"""How figures are written."""

import math

import pytest

from gimel.analysis.stats import Estimate
from gimel.report import figures


@pytest.mark.parametrize(
    ("intervals", "digits"),
    [
        ([], 1),
        ([(0.1, 0.1)], 1),
        ([(0.0, 1.0)], 0),
        ([(0.04, 0.06)], 1),
        ([(0.04, 0.06), (0.05, 0.0503)], 3),
        ([(0.0, math.inf)], 1),
        ([(0.0, math.inf), (0.04, 0.06)], 1),
        ([(0.0, 1e300)], 1),
    ],
    ids=str,
)
def test_percentages_have_the_digits_of_the_narrowest_interval(
    intervals: list[tuple[float, float]], digits: int
) -> None:
    """An interval without an end, as a lift over next to nothing has, needs none."""
    assert figures.digits(Estimate(low, low, high) for low, high in intervals) == digits
