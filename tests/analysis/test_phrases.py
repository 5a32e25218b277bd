"""Fragments of sentences are correct English."""

import pytest

from gimel.analysis.phrases import (
    exact_percent,
    join_names,
    percent,
    percents,
    pluralize,
    signed_percent,
)


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


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.25, "+25%"), (-0.25, "−25%"), (0.0, "0%"), (1e-6, "0%"), (-1e-6, "0%")],
)
def test_a_lift_has_its_sign(share: float, text: str) -> None:
    """Zero has none, and neither has what is shown as zero."""
    assert signed_percent(share) == text


@pytest.mark.parametrize(
    ("shares", "texts"),
    [
        ((0.101, 0.104), ["10.1%", "10.4%"]),
        ((0.10004, 0.10001), ["10.004%", "10.001%"]),
        ((0.0997, 0.1), ["9.97%", "10%"]),
        ((0.034, 0.34), ["3.4%", "34%"]),
        ((0.1, 0.1), ["10%", "10%"]),
        ((0.2, 0.2 + 1e-9), ["20%", "20%"]),
        ((1e-6, 2e-6), ["0%", "0%"]),
        ((12.3456, 12.3461), ["1,234.56%", "1,234.61%"]),
        ((), []),
    ],
    ids=str,
)
def test_different_shares_are_told_apart(shares: tuple[float, ...], texts: list[str]) -> None:
    """By up to three more digits, unless they are the same or hardly differ."""
    assert percents(shares) == texts


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.1, "10%"), (0.125, "12.5%"), (0.075, "7.5%"), (1e-7, "0.00001%"), (100, "10,000%")],
)
def test_a_chosen_share_is_not_rounded(share: float, text: str) -> None:
    """A lift of 12.5% worth detecting is not one of 12%."""
    assert exact_percent(share) == text
