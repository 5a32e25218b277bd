"""The sentences of a verdict: what a comparison found, and how long a decision may take.

Puts figures into words and decides nothing. Names appear as they were sent, in quotes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from gimel.analysis.comparison import Comparison
from gimel.analysis.forecast import Forecast, Progress, Span
from gimel.analysis.mixture import Lift
from gimel.analysis.phrases import (
    day,
    percents,
    pluralize,
    quote,
    quote_names,
    signed_percent,
    with_sign,
)

_DAYS_PER_WEEK = 7
_DAYS_PER_MONTH = 30.4
_DAYS_PER_YEAR = 365.25
_MOST_DAYS, _MOST_WEEKS, _MOST_MONTHS = 20, 12, 24  # before the next larger unit is used
_MOST_YEARS = 10  # nobody plans any further
_MOST_VISITORS = 10**9
_ROUNDING = 1e-9  # error of an end of an interval
_OVER = "over "  # begins an amount that is too large for a number
_MOST_TIMES = 100  # the size of a lift, as a share of 1, beyond which it says nothing more


LOWER_IS_BETTER = "lower is better"
"""What is said of a goal of which fewer conversions are better."""

FAILURES = "failures to convert"
"""What visitors who do not convert are called, for which a lift is given above a rate of 50%."""


def label_control(name: str, is_guess: bool) -> str:
    """Return the control as it is called in a sentence: "“blue” (control)", "“control”"."""
    if is_guess:
        return f"{quote(name)} (assumed control)"
    return quote(name) if is_called_control(name) else f"{quote(name)} (control)"


def is_called_control(name: str) -> bool:
    """Whether the control's name says what it is."""
    return name.casefold() == "control"


def effect(comparison: Comparison, over: str | None = None) -> str:
    """Return what a decided variant does: "converts 25% better than “blue” (10% to 43% better)".

    `over` is how the control is called; None to omit it. Where fewer conversions are better, it
    "has a rate 25% lower". Above a rate of 50% the failures are added. If later data disagrees, it
    "converted 25% better than ...", with the day and what is observed now.
    """
    if comparison.at_first and comparison.first:
        verb, _, found = effect(comparison.at_first, over).partition(" ")
        past = {"has": "had", "converts": "converted"}[verb]
        when = day(comparison.first.time)
        return f"{past} {found} on {when}, but later data disagrees ({now(comparison)})"
    lift = comparison.lift
    word = _word(comparison, lift.sign)
    is_decrease = comparison.question.is_decrease
    than = f" than {over}" if over else ""
    note = f"; {LOWER_IS_BETTER}" if is_decrease else ""
    if not comparison.arm.rate or lift.value is None:
        rates = " against ".join(percents([comparison.arm.rate, comparison.control.rate]))
        least = _at_least(lift, word) if lift.value is None else _decided(lift, lift.value, word)[1]
        verb = f"has a {word} rate" if is_decrease else f"converts {word}"
        return f"{verb}{than}: {rates} ({least}{note})"
    value, ends = _decided(lift, lift.value, word)
    verb = "has a rate" if is_decrease else "converts"
    words = f"{verb} {value} {word}{than}{_in_parentheses(f'{value} {word}', ends, note)}"
    missed = comparison.failures
    if missed and missed.sign and missed.value is not None:
        word = "more" if missed.sign > 0 else "fewer"
        value, ends = _decided(missed, missed.value, word)
        words += f", with {value} {word} {FAILURES}{_in_parentheses(f'{value} {word}', ends)}"
    return words


def now(comparison: Comparison) -> str:
    """Return the lift of the data until now: "now +0.5%: 1% worse to 2% better"."""
    value = comparison.lift.value
    observed = "" if value is None else f" {signed_percent(value)}:"
    return f"now{observed} {interval(comparison)}"


def interval(comparison: Comparison) -> str:
    """Return the interval of a comparison: "8.6% worse to 0.2% better"."""
    missed = comparison.failures
    if missed and bool(missed.sign) is not bool(comparison.lift.sign):
        missed = None  # it is open, and would hide what is decided
    lift, failures = (missed, f" {FAILURES}") if missed else (comparison.lift, "")
    worse, better = ("fewer", "more") if missed else (_word(comparison, -1), _word(comparison, 1))
    if lift.sign:
        _, ends = _decided(lift, 1.0, better if lift.sign > 0 else worse)
        return f"{ends}{failures}"
    limits = (-1.0 if lift.low is None else lift.low, lift.high)
    low, high = (_texts(limit, comparison.question.lift)[0] for limit in limits)
    return f"{low} {worse} to {high} {better}{failures}"


def bounds(comparisons: Sequence[Comparison]) -> str:
    """Return where closed intervals lie: "the lift of “red” is between −2.9% and +4.1%".

    Lifts of failures are put as "“red” changes them by −2.9% to +4.1%".
    """
    parts = []
    lifts = [each for each in comparisons if not each.failures]
    if lifts:
        noun, verb = ("lifts", "are") if len(lifts) > 1 else ("lift", "is")
        low, high = _ends([each.lift for each in lifts], lifts[0].question.lift)
        parts.append(f"the {noun} of {names(lifts)} {verb} between {low} and {high}")
    rare = [each for each in comparisons if each.failures]
    if rare:
        verb = "change" if len(rare) > 1 else "changes"
        what = FAILURES if lifts else "them"
        low, high = _ends([each.failures for each in rare if each.failures], rare[0].question.lift)
        parts.append(f"{names(rare)} {verb} {what} by {low} to {high}")
    return ", and ".join(parts)


def outlook(forecast: Forecast, change: str, names_variant: bool) -> str:
    """Return when a decision may come, in visitors and, if the pace is known, in days.

    `change` is the lift worth detecting: "10% lift". `names_variant` if there are several
    variants beside the control.
    """
    subject = f"the difference of {quote(forecast.variant)}" if names_variant else "the difference"
    if forecast.soonest is None:
        parts = ["The difference seen is too small to detect"]
    else:
        parts = [f"If {subject} is real, {_stretch(forecast.soonest, forecast.latest)}"]
    if forecast.rule_out and forecast.rule_out.visitors:
        parts.append(f"to rule out a {change} either way, {_about(forecast.rule_out)}")
    return f"{'; '.join(parts)}."


def duration(forecast: Forecast) -> str:
    """Return the range of `outlook` alone: "3 to 12 days"; '' if nothing can be detected.

    That is the time to rule a difference out, if that comes first.
    """
    soonest, ruled_out = forecast.soonest, forecast.rule_out
    is_first = ruled_out and (soonest is None or ruled_out.visitors < soonest.visitors)
    if ruled_out and ruled_out.visitors and is_first:
        return _about(ruled_out).removeprefix("about ")
    if soonest is None:
        return ""
    words = _stretch(soonest, forecast.latest).partition(" (")[0].removeprefix("about ")
    return words.replace(" more", "") if soonest.days is not None else words


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
    """Return the variants as a list: "“red” and “green”"."""
    return quote_names(comparison.arm.name for comparison in comparisons)


def _word(comparison: Comparison, sign: int) -> str:
    """Return what a lift of this sign is called."""
    if comparison.question.is_decrease:
        return "higher" if sign > 0 else "lower"
    return "better" if sign > 0 else "worse"


def _decided(lift: Lift, value: float, word: str) -> tuple[str, str]:
    """Return a decided lift and its interval: "25%" and "10% to 43% better"."""
    near, far = (lift.low, lift.high) if lift.sign > 0 else (lift.high, lift.low)
    if far is None:
        shown, nearest = _texts(value, near)
        return shown, f"{_no_less_than(nearest)} {word}"
    shown, nearest, farthest = _texts(value, near, far)
    ends = nearest if nearest == farthest else f"{nearest} to {farthest}"
    return shown, f"{ends} {word}"


def _at_least(lift: Lift, word: str) -> str:
    """Return the least that a variant gains on a control without conversions."""
    least = lift.low or 0.0
    times = math.floor(10 * (1 + min(least, _MOST_TIMES - 1))) / 10
    if times <= 1:
        return f"{_no_less_than(_texts(least)[0])} {word}"
    return f"at least {times:.3g} times as often"


def _no_less_than(amount: str) -> str:
    return amount if amount.startswith(_OVER) else f"at least {amount}"


def _in_parentheses(value: str, ends: str, note: str = "") -> str:
    """Return an interval and a note, with a space in front; not the interval if it is a point."""
    text = note.removeprefix("; ") if ends == value else f"{ends}{note}"
    return f" ({text})" if text else ""


def _ends(lifts: Sequence[Lift], limit: float) -> tuple[str, str]:
    """Return the lowest and the highest end of closed intervals within a limit, with signs.

    An end that is not quite the limit is not rounded to it.
    """
    low = min(lift.low for lift in lifts if lift.low is not None)
    high = max(lift.high for lift in lifts if lift.high is not None)
    first, second, *_ = percents([low, high, limit, -limit])
    return with_sign(low, first), with_sign(high, second)


def _texts(*shares: float | None) -> list[str]:
    """Return sizes in percent, such that different ones differ and none is rounded to 0% or 100%.

    None is shown as "any amount".
    """
    sizes = [math.inf if share is None else abs(share) for share in shares]
    sizes = [1.0 if math.isclose(size, 1, rel_tol=_ROUNDING) else size for size in sizes]
    within = [size for size in sizes if size <= _MOST_TIMES]
    texts = dict(zip(within, percents(within), strict=True))
    found = []
    for size in sizes:
        if size > _MOST_TIMES:
            text = "any amount" if math.isinf(size) else f"{_OVER}{percents([_MOST_TIMES])[0]}"
        else:
            text = texts[size]
            if size and text == "0%":
                text = "under 0.01%"
            elif size < 1 and float(text.rstrip("%")) >= 100:
                text = f"{_OVER}99.9%"
        found.append(text)
    return found


def _stretch(soonest: Span, latest: Span | None) -> str:
    """Return a range of time: "about 3 to 12 more days (4,000 to 15,000 visitors)"."""
    if latest is None or _is_beyond(latest):
        return _open_stretch(soonest)
    if not latest.visitors:
        return "any time now"
    most = _visitors(latest.visitors, math.ceil)
    visitors = f"up to {most}"
    if soonest.visitors == latest.visitors:
        visitors = most
    elif soonest.visitors:
        visitors = f"{_visitors(soonest.visitors, math.floor)} to {most}"
    if soonest.days is None or latest.days is None:
        return f"{_nearly(visitors)} more {_noun(most)}"
    first, last = _time(soonest.days), _time(latest.days)
    if not soonest.days:
        time = f"up to {_more(last)}"
    elif first == last:
        time = _nearly(_more(last))
    elif _unit(first) == _unit(last):
        time = _nearly(f"{first.split()[0]} to {_more(last)}")
    else:
        time = _nearly(f"{first} to {last} more")
    return f"{time} ({visitors} {_noun(most)})"


def _open_stretch(soonest: Span) -> str:
    """Return a range of time without an end: "about 7 more weeks or longer"."""
    fewest = _visitors(soonest.visitors, math.floor)
    if not soonest.visitors or soonest.days == 0:
        return "any time now or much later"
    if soonest.days is None:
        words = f"{_nearly(fewest)} more {_noun(fewest)}"
        return words if _is_beyond(soonest) else f"{words} or many more"
    time = _more(_time(soonest.days))
    if _is_beyond(soonest):
        return time
    visitors = f"{fewest} {_noun(fewest)}"
    if not fewest.startswith(_OVER):
        visitors += " or more"
    return f"about {time} or longer ({visitors})"


def _about(span: Span) -> str:
    if span.days is not None:
        return _nearly(_time(span.days))
    visitors = _visitors(span.visitors, math.ceil)
    return f"{_nearly(visitors)} more {_noun(visitors)}"


def _nearly(amount: str) -> str:
    return amount if amount.startswith((_OVER, "up to ")) else f"about {amount}"


def _more(time: str) -> str:
    """Return "3 more days" for "3 days"."""
    number, unit = time.rsplit(maxsplit=1)
    return f"{number} more {unit}"


def _unit(time: str) -> str:
    return time.split()[-1].rstrip("s")


def _time(days: int) -> str:
    """Return a number of days in the unit that suits it: "12 days", "5 weeks", "8 months"."""
    if days <= _MOST_DAYS:
        return pluralize(days, "day")
    if days <= _MOST_WEEKS * _DAYS_PER_WEEK:
        return pluralize(round(days / _DAYS_PER_WEEK), "week")
    if days <= _MOST_MONTHS * _DAYS_PER_MONTH:
        return pluralize(round(days / _DAYS_PER_MONTH), "month")
    if days <= _MOST_YEARS * _DAYS_PER_YEAR:
        return pluralize(round(days / _DAYS_PER_YEAR), "year")
    return f"{_OVER}{_MOST_YEARS} years"


def _visitors(visitors: float, way: Callable[[float], int]) -> str:
    """Return a number rounded to two digits: it is not known any better."""
    if visitors > _MOST_VISITORS:
        return f"{_OVER}1 billion"
    unit = int(10 ** max(0, math.floor(math.log10(max(visitors, 1))) - 1))
    return f"{way(visitors / unit) * unit:,}"


def _noun(visitors: str) -> str:
    return "visitor" if visitors == "1" else "visitors"


def _is_beyond(span: Span) -> bool:
    """Return whether something takes longer than anybody plans."""
    if span.days is None:
        return span.visitors > _MOST_VISITORS
    return span.days > _MOST_YEARS * _DAYS_PER_YEAR
