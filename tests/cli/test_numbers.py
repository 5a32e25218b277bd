"""The numbers that commands take."""

from __future__ import annotations

import click
import pytest

from gimel.cli.numbers import CONFIDENCE, Number


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999"])
def test_a_number_is_finite(text: str) -> None:
    """click's own range lets "nan" pass, and "inf" where it has no end."""
    with pytest.raises(click.BadParameter, match=r"is not a finite number|is not in the range"):
        Number(0, min_open=True).convert(text, None, None)


@pytest.mark.parametrize("text", ["0.49", "1", "x"])
def test_a_range_is_kept(text: str) -> None:
    """A confidence of 1 leads to no number of visitors."""
    with pytest.raises(click.BadParameter):
        CONFIDENCE.convert(text, None, None)
