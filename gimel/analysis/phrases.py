"""Fragments of the sentences of a verdict: "1,234 visitors", "+12%", "“red” and “green”".

They have typographic quotes and minus signs; a display that lacks these replaces them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_ZERO = "0%"
_LEAST_PERCENT = 0.005  # a smaller percentage is shown as 0%
_MOST_MORE_DIGITS = 4  # to tell rounded numbers apart


def pluralize(number: float, noun: str) -> str:
    """Return a rounded number with its noun: "1 visitor", "1,234 visitors"."""
    text = f"{number:,.0f}"
    return f"{text} {noun}" if text == "1" else f"{text} {noun}s"


def quote(name: str) -> str:
    """Return a name for a sentence, in which "on" or "a" would be read as a word."""
    return f"\u201c{name}\u201d"


def quote_names(names: Iterable[str]) -> str:
    """Return names as a list in a sentence, each in quotes: "“red” and “green”"."""
    return join_names(list(map(quote, names)))


def join_names(names: Sequence[str]) -> str:
    """Return names as a list in a sentence: "red", "red and green", "red, green and grey"."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def percent(share: float) -> str:
    """Return a share of 1 in percent, with two digits below 10%: 12%, 3.4%, 0.05%."""
    return percents([share])[0]


def percents(shares: Sequence[float]) -> list[str]:
    """Return shares of 1 in percent, with as many more digits as different ones need to differ."""
    for more in range(_MOST_MORE_DIGITS):
        texts = [_percent(share, more) for share in shares]
        if len(set(map(_number, texts))) == len(set(shares)):
            return texts
    return [_percent(share) for share in shares]


def signed_percent(share: float) -> str:
    """Return `percent` with a plus sign in front of a positive share."""
    return with_sign(share, percent(share))


def with_sign(share: float, text: str) -> str:
    """Put a sign in front of the text of a share, unless it was rounded to 0%."""
    text = text.replace("-", "\u2212")
    return f"+{text}" if share > 0 and text != _ZERO else text


def exact_percent(share: float) -> str:
    """Return a share of 1 that a person chose, in percent and not rounded: 10%, 12.5%."""
    return f"{100 * share:,.6f}".rstrip("0").rstrip(".") + "%"


def _percent(share: float, more_digits: int = 0) -> str:
    value = 100 * share
    if abs(value) < _LEAST_PERCENT:
        return _ZERO
    if math.isclose(value, round(value), rel_tol=1e-12):
        return f"{value:,.0f}%"
    if abs(value) >= 10 - 0.5 / 10 ** (1 + more_digits):  # rounds to 10 or more
        return f"{value:,.{more_digits}f}%"
    return f"{value:.{2 + more_digits}g}%"


def _number(text: str) -> float:
    return float(text.rstrip("%").replace(",", ""))


def day(time: int) -> str:
    """Return the date of a time in seconds since 1970, in UTC: "9 February 2026"."""
    date = datetime.fromtimestamp(time, timezone.utc)
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"
