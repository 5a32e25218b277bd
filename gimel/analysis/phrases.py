"""Fragments of the sentences of a verdict: "1,234 visitors", "+12%", "red and green"."""

from __future__ import annotations

from collections.abc import Sequence


def pluralize(number: float, noun: str) -> str:
    """Return a rounded number with its noun: "1 visitor", "1,234 visitors"."""
    text = f"{number:,.0f}"
    return f"{text} {noun}" if text == "1" else f"{text} {noun}s"


def join_names(names: Sequence[str]) -> str:
    """Return names as a list in a sentence: "red", "red and green", "red, green and grey"."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def percent(share: float) -> str:
    """Return a share of 1 in percent, with two digits below 10%: 12%, 3.4%, 0.05%."""
    value = 100 * share
    if abs(value) < 0.005:
        return "0%"
    return f"{value:,.0f}%" if abs(value) >= 9.95 else f"{value:.2g}%"


def signed_percent(share: float) -> str:
    """Return the same with a plus sign in front of a positive share."""
    return f"+{percent(share)}" if share > 0 else percent(share)
