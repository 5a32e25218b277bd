"""Fragments of sentences are correct English."""

import pytest

from gimel.analysis.phrases import join_names, percent, pluralize, signed_percent


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 visitors"),
        (1, "1 visitor"),
        (1.2, "1 visitor"),
        (2, "2 visitors"),
        (1234, "1,234 visitors"),
    ],
)
def test_a_noun_has_its_plural(number: float, text: str) -> None:
    """The noun agrees with the number as it is shown."""
    assert pluralize(number, "visitor") == text


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["red"], "red"),
        (["red", "green"], "red and green"),
        (["red", "green", "grey"], "red, green and grey"),
    ],
    ids=len,
)
def test_names_are_joined(names: list[str], text: str) -> None:
    """Commas separate names, and an "and" the last one."""
    assert join_names(names) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.123, "12%"),
        (0.034, "3.4%"),
        (0.0005, "0.05%"),
        (0.00001, "0%"),
        (-0.2, "-20%"),
        (12.3, "1,230%"),
        (0.0995, "10%"),
    ],
)
def test_a_share_has_two_digits_below_10_percent(share: float, text: str) -> None:
    """From 10% on it has no decimal places."""
    assert percent(share) == text


@pytest.mark.parametrize(("share", "text"), [(0.25, "+25%"), (-0.25, "-25%"), (0.0, "0%")])
def test_a_lift_has_its_sign(share: float, text: str) -> None:
    """Zero has none."""
    assert signed_percent(share) == text
