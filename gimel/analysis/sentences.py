"""The sentences of a verdict: what a comparison found, and how long a decision may take.

Puts figures into words and decides nothing. Names appear as they were sent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from gimel.analysis.comparison import Comparison
from gimel.analysis.forecast import Forecast, Progress, Span
from gimel.analysis.mixture import Lift
from gimel.analysis.phrases import join_names, percent, pluralize, signed_percent

_DAYS_PER_WEEK = 7
_DAYS_PER_MONTH = 30.4
_DAYS_PER_YEAR = 365.25
_MOST_DAYS, _MOST_WEEKS, _MOST_MONTHS = 20, 12, 24  # before the next larger unit is used


def label_control(name: str, is_guess: bool) -> str:
    """Return the control as it is called in a sentence: "blue (control)", "control"."""
    if is_guess:
        return f"{name} (assumed control)"
    return name if name.casefold() == "control" else f"{name} (control)"


def effect(comparison: Comparison, over: str | None = None) -> str:
    """Return what a decided variant does: "converts 25% better than blue (10% to 43% better)".

    `over` is how the control is called; None to omit it. Where fewer conversions are better, it
    converts "less" or "more". Above a rate of 50% the failures are added.
    """
    lift = comparison.lift
    word = _word(comparison, lift.sign)
    than = f" than {over}" if over else ""
    if lift.value is None:
        rates = f"{percent(comparison.arm.rate)} against {percent(comparison.control.rate)}"
        words = f"converts {word}{than}: {rates}{_range(lift, word)}"
    else:
        words = f"converts {percent(abs(lift.value))} {word}{than}{_range(lift, word)}"
    missed = comparison.failures
    if missed and missed.sign and missed.value is not None:
        word = "more" if missed.sign > 0 else "fewer"
        words += f", with {percent(abs(missed.value))} {word} failures{_range(missed, word)}"
    return f"{words}; less is better" if comparison.question.is_decrease else words


def interval(comparison: Comparison) -> str:
    """Return the interval of a comparison: "8.6% worse to 0.2% better"."""
    lift = comparison.failures or comparison.lift
    low_word, high_word = (
        ("fewer", "more") if comparison.failures else (_word(comparison, -1), _word(comparison, 1))
    )
    failures = " failures" if comparison.failures else ""
    low = 1.0 if lift.low is None else abs(lift.low)
    high = "any amount" if lift.high is None else percent(abs(lift.high))
    if lift.sign:
        word = high_word if lift.sign > 0 else low_word
        ends = (percent(low), high) if lift.sign > 0 else (high, percent(low))
        return f"{ends[0]} to {ends[1]} {word}{failures}"
    return f"{percent(low)} {low_word} to {high} {high_word}{failures}"


def bounds(comparisons: Sequence[Comparison]) -> str:
    """Return the ends of several closed intervals together: "-2.9% and +4.1%"."""
    lifts = [comparison.failures or comparison.lift for comparison in comparisons]
    low = min(lift.low for lift in lifts if lift.low is not None)
    high = max(lift.high for lift in lifts if lift.high is not None)
    return f"{signed_percent(low)} and {signed_percent(high)}"


def outlook(forecast: Forecast, lift: float, is_of_failures: bool, names_variant: bool) -> str:
    """Return when a decision may come, in visitors and, if the pace is known, in days.

    `names_variant` if there are several undecided variants.
    """
    subject = f"the difference of {forecast.variant}" if names_variant else "the difference"
    if forecast.soonest is None:
        parts = ["The difference seen is too small to detect"]
    else:
        parts = [f"If {subject} is real, {_stretch(forecast.soonest, forecast.latest)}"]
    if forecast.rule_out and forecast.rule_out.visitors:
        change = f"{percent(lift)} {'change of failures' if is_of_failures else 'lift'}"
        parts.append(f"to rule out a {change} either way, {_about(forecast.rule_out)}")
    return f"{'; '.join(parts)}."


def wait(progress: Progress) -> str:
    """Return how long to wait for the minimum duration."""
    left, minimum = (pluralize(days, "day") for days in (progress.days_left, progress.minimum_days))
    return f"Wait {_more(left)}: the minimum is {minimum}."


def mention(comparisons: Sequence[Comparison], state: str) -> str:
    """Return a sentence on several variants, with a space in front; '' without any."""
    if not comparisons:
        return ""
    verb = "is" if len(comparisons) == 1 else "are"
    return f" {names(comparisons)} {verb} {state}."


def names(comparisons: Sequence[Comparison]) -> str:
    """Return the variants as a list: "red and green"."""
    return join_names([comparison.arm.name for comparison in comparisons])


def _word(comparison: Comparison, sign: int) -> str:
    """Return what a lift of this sign is called."""
    if comparison.question.is_decrease:
        return "more" if sign > 0 else "less"
    return "better" if sign > 0 else "worse"


def _range(lift: Lift, word: str) -> str:
    """Return the interval of a decided lift: " (10% to 43% better)", " (at least 10% better)"."""
    near, far = (lift.low, lift.high) if lift.sign > 0 else (lift.high, lift.low)
    if near is None:
        return ""
    if far is None:
        return f" (at least {percent(abs(near))} {word})"
    return f" ({percent(abs(near))} to {percent(abs(far))} {word})"


def _stretch(soonest: Span, latest: Span | None) -> str:
    """Return a range of time: "about 3 to 12 more days (4,000 to 15,000 visitors)"."""
    fewest = _round_down(soonest.visitors)
    if latest is None:
        if not soonest.days:
            return f"at least {pluralize(fewest, 'more visitor')}"
        return f"at least {_more(_time(soonest.days))} ({pluralize(fewest, 'visitor')})"
    most = _round_up(latest.visitors)
    visitors = f"{fewest:,} to {most:,}" if fewest else f"up to {most:,}"
    if soonest.days is None or latest.days is None:
        return f"{'about ' if fewest else ''}{visitors} more visitors"
    first, last = _time(soonest.days), _time(latest.days)
    if first == last or not soonest.days:
        return f"up to {_more(last)} ({visitors} visitors)"
    number, unit = first.split()
    begin = number if unit.rstrip("s") == last.split()[1].rstrip("s") else first
    return f"about {begin} to {_more(last)} ({visitors} visitors)"


def _about(span: Span) -> str:
    visitors = _round_up(span.visitors)
    if span.days is None:
        return f"about {pluralize(visitors, 'more visitor')}"
    return f"about {_time(span.days)} ({pluralize(visitors, 'visitor')})"


def _more(time: str) -> str:
    """Return "3 more days" for "3 days"."""
    number, unit = time.split()
    return f"{number} more {unit}"


def _time(days: int) -> str:
    """Return a number of days in the unit that suits it: "12 days", "5 weeks", "8 months"."""
    if days <= _MOST_DAYS:
        return pluralize(days, "day")
    if days <= _MOST_WEEKS * _DAYS_PER_WEEK:
        return pluralize(round(days / _DAYS_PER_WEEK), "week")
    if days <= _MOST_MONTHS * _DAYS_PER_MONTH:
        return pluralize(round(days / _DAYS_PER_MONTH), "month")
    return pluralize(round(days / _DAYS_PER_YEAR), "year")


def _round_up(visitors: float) -> int:
    """Round up to two digits: the number is not known any better."""
    unit = _unit(visitors)
    return math.ceil(visitors / unit) * unit


def _round_down(visitors: float) -> int:
    unit = _unit(visitors)
    return math.floor(visitors / unit) * unit


def _unit(visitors: float) -> int:
    return int(10 ** max(0, math.floor(math.log10(max(visitors, 1))) - 1))
