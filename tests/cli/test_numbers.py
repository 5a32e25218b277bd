"""The numbers that commands take."""

from __future__ import annotations

import click
import pytest

from gimel.cli.numbers import CONFIDENCE, SHARE, Number


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999"])
def test_a_number_is_finite(text: str) -> None:
    """click's own range lets "nan" pass, and "inf" where it has no end."""
    with pytest.raises(click.BadParameter, match=r"is not a finite number|is not in the range"):
        Number(0, min_open=True).convert(text, None, None)


@pytest.mark.parametrize(
    ("kind", "text"),
    [(CONFIDENCE, "0.49"), (CONFIDENCE, "1"), (SHARE, "0"), (SHARE, "1"), (SHARE, "x")],
)
def test_a_range_is_kept(kind: Number, text: str) -> None:
    """A share of 0 or 1 and a confidence of 1 lead to no number of visitors."""
    with pytest.raises(click.BadParameter):
        kind.convert(text, None, None)
