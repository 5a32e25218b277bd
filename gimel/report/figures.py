"""How numbers and names are written for people: "+12", "<0.0001", "2026-11-01, 21 days ago"."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timezone

from rich.cells import cell_len

from gimel.analysis.mixture import Lift
from gimel.analysis.phrases import pluralize
from gimel.analysis.stats import Estimate

MISSING = "-"
"""Shown in place of a figure that is not defined."""

_MOST_PERCENT, _MORE = 999.5, ">999"
_LEAST_PERCENT, _ONE_DIGIT_PERCENT = 0.005, 9.95  # what rounds to 0.01 and, to two digits, to 10
_UNBOUNDED = 1e12  # the width of an interval without an end: a lift over almost nothing
_SECONDS_PER_DAY = 86400
_NUMBER = re.compile(r"\d+(\.\d+)?")
_NEGATIVE = re.compile(r"(?<![\w-])-(?=[\d.])")


def visible(text: str) -> str:
    """Return a name that cannot affect the text around it.

    Control characters, and format characters such as those that reverse the direction of writing,
    become escapes. The joiners, which emoji and several scripts need, are kept.
    """
    return "".join(
        f"\\u{ord(character):04x}"
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and character not in "\u200c\u200d"
        else character
        for character in text
    )


def shorten(text: str, longest: int, ellipsis: str = "...") -> str:
    """Return at most `longest` characters, cutting out the middle: names often differ at an end."""
    if len(text) <= longest:
        return text
    end = (longest - len(ellipsis)) // 2
    return f"{text[: longest - len(ellipsis) - end]}{ellipsis}{text[len(text) - end :]}"


def fit(text: str, columns: int, ellipsis: str = "...") -> str:
    """Return the text, shortened to a width: a character may be two columns wide, or none."""
    shown, characters = text, columns
    while cell_len(shown) > columns:
        shown = shorten(text, characters, ellipsis)
        characters -= 1
    return shown


def format_count(number: float) -> str:
    """Return a whole number: "1,234"."""
    return f"{number:,.0f}"


def decimal_places(estimates: Iterable[Estimate]) -> int:
    """Return the decimal places that show the narrowest interval, in percent, with two digits.

    0 to 4; 1 if no interval has a width.
    """
    return _places(estimate.high - estimate.low for estimate in estimates)


def decimal_places_of_lifts(lifts: Iterable[Lift]) -> int:
    """Return the same for the closed intervals of lifts; 0 if there are none."""
    widths = (
        lift.high - lift.low for lift in lifts if lift.low is not None and lift.high is not None
    )
    return _places(widths, default=0)


def _places(widths: Iterable[float], default: int = 1) -> int:
    bounded = [width for width in widths if 0 < width < _UNBOUNDED]
    if not bounded:
        return default
    return min(4, max(0, 1 - math.floor(math.log10(100 * min(bounded)))))


def format_percent(share: float, places: int, sign: bool = False) -> str:
    """Return a share of 1 in percent, without a percent sign: "12.3", "-0.4", ">999".

    `sign` puts a plus in front of a positive one.
    """
    value = 100 * share
    if value > _MOST_PERCENT:
        return _MORE
    text = f"{value:.{places}f}"
    if float(text) == 0:
        return text.lstrip("-")
    return f"+{text}" if sign and value > 0 else text


def format_interval(estimate: Estimate, places: int, sign: bool = False) -> tuple[str, str]:
    """Return a value and its interval in percent: ("5.0", "4.6 to 5.4")."""
    value, low, high = (
        format_percent(share, places, sign)
        for share in (estimate.value, estimate.low, estimate.high)
    )
    return value, f"{low} to {high}"


def format_lift(lift: Lift, places: int) -> tuple[str, str]:
    """Return a lift and its interval in percent: ("+12", "+4.1 to +21"), ("-", "+7.0 or more").

    Below 10% each has two digits, as in the verdict's sentence, so that no end rounds to zero. An
    interval that is open on both sides, or has only an end beyond all bounds, is "unknown".
    """
    value, low, high = (
        None if share is None else format_percent(share, _lift_places(share, places), sign=True)
        for share in (lift.value, lift.low, lift.high)
    )
    value = MISSING if value is None else value
    if low is None:
        return value, "unknown" if high is None or high == _MORE else f"{high} or less"
    if high is None:
        return value, low if low == _MORE else f"{low} or more"
    return value, f"{low} to {high}"


def _lift_places(share: float, places: int) -> int:
    """Return the decimal places that give a lift below 10% two digits, at least `places`."""
    percent = abs(100 * share)
    if not _LEAST_PERCENT <= percent < _ONE_DIGIT_PERCENT:
        return places
    return max(places, 1 - math.floor(math.log10(percent)))


def format_p_value(p: float) -> str:
    """Return a p-value: "<0.0001", "0.0069", "0.24"."""
    if p < 0.0001:
        return "<0.0001"
    return f"{p:.4f}" if p < 0.01 else f"{p:.2f}"


def format_probability(probability: float | None) -> str:
    """Return a probability in percent, "87.8%", never a certain one; `MISSING` for None."""
    if probability is None:
        return MISSING
    if probability > 0.999:
        return ">99.9%"
    return "<0.1%" if probability < 0.001 else f"{100 * probability:.1f}%"


def format_widening(share: float) -> str:
    """Return how much counting noise widens intervals: "less than 0.1%", "at most 3.1%"."""
    if share < 0.001:
        return "less than 0.1%"
    return f"at most {100 * share:.2g}%" if share < 1 else f"at most {100 * share:,.0f}%"


def format_start(seconds: int, now: float) -> str:
    """Return a date (UTC) and how long ago it was: "2026-11-01, 21 days ago".

    Both times are seconds since 1970.
    """
    days = _days_between(seconds, now)
    ago = "today" if days < 1 else f"{pluralize(days, 'day')} ago"
    try:
        return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d}, {ago}"
    except (ValueError, OverflowError, OSError):
        return "an unknown date"


def format_day(seconds: float, has_year: bool = True) -> str:
    """Return a date (UTC): "3 May 2026", or "3 May". The time is in seconds since 1970."""
    try:
        found = datetime.fromtimestamp(seconds, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return "an unknown date"
    return f"{found.day} {found:%b %Y}" if has_year else f"{found.day} {found:%b}"


def format_day_and_time(seconds: float) -> str:
    """Return a date and time (UTC): "3 May 2026, 00:05". The time is in seconds since 1970."""
    day = format_day(seconds)
    return f"{day}, {format_time(seconds)[-5:]}" if day[0].isdigit() else day


def format_time(seconds: float) -> str:
    """Return a date and time (UTC): "2026-05-03 00:05". The time is in seconds since 1970."""
    try:
        return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):
        return "an unknown date"


def format_age(seconds: int, now: float) -> str:
    """Return how long ago a time was: "today", "1 day", "21 days". Both are seconds since 1970."""
    days = _days_between(seconds, now)
    return "today" if days < 1 else pluralize(days, "day")


def _days_between(seconds: float, now: float) -> int:
    """Return the days from one date (UTC) to another, so that one date has one age in a list."""
    return int(now // _SECONDS_PER_DAY - seconds // _SECONDS_PER_DAY)


def format_lift_with_unit(lift: Lift) -> tuple[str, str]:
    """Return `format_lift` with its units: ("+12%", "+4.1% to +21%"), ("-", "+7% or more")."""
    value, interval = format_lift(lift, decimal_places_of_lifts([lift]))
    words = [f"{word}%" if any(map(str.isdigit, word)) else word for word in interval.split()]
    return value if value == MISSING else f"{value}%", " ".join(words)


def with_minus(text: str) -> str:
    """Return figures with a real minus sign in front of negative ones."""
    return _NEGATIVE.sub("\u2212", text)


def with_unit(figures: str) -> str:
    """Return percentages with their unit: "+4.1% to +21%" for "+4.1 to +21", ">999%" for ">999"."""
    return _NUMBER.sub(r"\g<0>%", figures)
