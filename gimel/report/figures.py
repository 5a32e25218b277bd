"""How figures and names are written for people, in the terminal and on pages: "+12%", "<0.0001", "2026-11-01"."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timezone

from gimel.analysis.stats import Estimate

NONE = "-"
_MOST_PERCENT = 999.5
_ENDLESS = 1e12


def visible(text: str) -> str:
    """Return a name that cannot harm what stands around it.

    Control characters, and format characters as those that turn the direction of writing, are written as escapes. The joiners,
    which emoji and several scripts need, stay.
    """
    return "".join(
        f"\\u{ord(character):04x}"
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and character not in "\u200c\u200d"
        else character
        for character in text
    )


def shortened(text: str, longest: int) -> str:
    """Return the text, without its middle where it is longer: names often differ at their ends."""
    if len(text) <= longest:
        return text
    end = (longest - 3) // 2
    return f"{text[: longest - 3 - end]}...{text[len(text) - end :]}"


def count(number: float) -> str:
    return f"{number:,.0f}"


def digits(estimates: Iterable[Estimate]) -> int:
    """Return how many digits after the point percentages need, to write the narrowest interval with two digits."""
    widths = [
        estimate.high - estimate.low
        for estimate in estimates
        if 0 < estimate.high - estimate.low < _ENDLESS
    ]
    return min(4, max(0, 1 - math.floor(math.log10(100 * min(widths))))) if widths else 1


def percent(share: float, places: int, sign: bool = False) -> str:
    """Return a share of 1 in percent, without the sign of percent: 12.3, -0.4, >999."""
    value = 100 * share
    if value > _MOST_PERCENT:
        return ">999"
    text = f"{value:.{places}f}"
    if float(text) == 0:
        return text.lstrip("-")
    return f"+{text}" if sign and value > 0 else text


def p_value(p: float) -> str:
    return "<0.0001" if p < 0.0001 else f"{p:.4f}" if p < 0.01 else f"{p:.2f}"


def chance(probability: float | None) -> str:
    """Return a probability in percent; none is ever certain."""
    if probability is None:
        return NONE
    return (
        ">99.9%"
        if probability > 0.999
        else "<0.1%"
        if probability < 0.001
        else f"{100 * probability:.1f}%"
    )


def widening(share: float) -> str:
    """Return by how much counting noise widens intervals: "less than 0.1%", "at most 3.1%"."""
    if share < 0.001:
        return "less than 0.1%"
    return f"at most {100 * share:.2g}%" if share < 1 else f"at most {100 * share:,.0f}%"


def since(seconds: int, now: float) -> str:
    """Return a date (UTC) and how long ago it was: "2026-11-01, 21 days ago"."""
    days = int((now - seconds) // 86400)
    ago = "today" if days < 1 else "1 day ago" if days == 1 else f"{days:,} days ago"
    try:
        return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d}, {ago}"
    except (ValueError, OverflowError, OSError):
        return "an unknown date"
