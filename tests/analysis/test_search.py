"""The search finds the smallest number that is enough, within its bounds."""

import math

import pytest

from gimel.analysis.search import smallest


@pytest.mark.parametrize("wanted", [1.0, 1.5, 7.0, 1e6])
def test_the_smallest_number_is_found(wanted: float) -> None:
    """It is enough, and larger than the exact one by no more than the error."""
    found = smallest(lambda number: number >= wanted, start=1.0, error=1e-6)
    assert found is not None
    assert wanted <= found <= wanted * (1 + 1e-6)


def test_the_start_is_returned_if_it_is_enough() -> None:
    """Smaller numbers are not tried."""
    assert smallest(lambda number: number > 0, start=3.0) == 3.0


@pytest.mark.parametrize(("wanted", "found"), [(10.0, 10.0), (math.nextafter(10.0, 11.0), None)])
def test_no_number_above_the_largest_is_tried(wanted: float, found: float | None) -> None:
    """The largest itself is tried, although doubling the start does not lead to it."""
    assert smallest(lambda number: number >= wanted, 1.0, most=10.0, error=1e-15) == found
