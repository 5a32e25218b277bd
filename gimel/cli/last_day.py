"""The part of `gimel status` about the last day and the cost of the month.

It is shown as far as it can be read: whoever may not read metrics still sees the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gimel.analysis.phrases import pluralize
from gimel.deploy.aws import Aws
from gimel.deploy.usage import ColdStarts, Usage, Watched, count_cold_starts, read_usage
from gimel.errors import GimelError


@dataclass(frozen=True)
class LastDay:
    """What could be read, and why the rest could not."""

    usage: Usage | None
    cold_starts: ColdStarts | None
    failures: tuple[str, ...] = ()


def read_last_day(aws: Aws, functions: Sequence[Watched], now: datetime) -> LastDay:
    """Ask AWS. Cold starts are only looked for where there were events."""
    failures: list[str] = []
    usage, cold_starts = None, None
    try:
        usage = read_usage(aws, functions, now)
    except GimelError as error:
        failures.append(str(error))
    if usage is None or usage.events:
        try:
            cold_starts = count_cold_starts(aws, functions, now)
        except GimelError as error:
            failures.append(str(error))
    else:
        cold_starts = ColdStarts(0)
    return LastDay(usage, cold_starts, tuple(failures))


def lines(last_day: LastDay) -> Iterator[str]:
    """Yield the lines for the terminal."""
    usage = last_day.usage
    if usage is not None:
        yield f"Since {_minute(usage.since)}: {'; '.join(_facts(usage, last_day.cold_starts))}"
        yield f"Cost of this month so far: {_dollars(usage.dollars)}, without Redis"
    for failure in last_day.failures:
        what = "Cold starts" if usage is not None else "The last day"
        yield f"{what}: not known. {failure}"


def as_json(last_day: LastDay) -> dict[str, Any]:
    """Return the same for a program to read; what is not known is null."""
    usage, cold = last_day.usage, last_day.cold_starts
    return {
        "since": _minute(usage.since) if usage else None,
        "events": usage.events if usage else None,
        "events_by_url": usage.by_url if usage else None,
        "errors": usage.errors if usage else None,
        "throttles": usage.throttles if usage else None,
        "answers_5xx": usage.failed if usage else None,
        "p95_milliseconds": round(usage.p95, 1) if usage and usage.p95 is not None else None,
        "cold_starts": cold.number if cold else None,
        "cold_starts_complete": cold.is_complete if cold else None,
        "month_cost_dollars": round(usage.dollars, 4) if usage else None,
        "not_known": list(last_day.failures),
    }


def _facts(usage: Usage, cold_starts: ColdStarts | None) -> Iterator[str]:
    by_url = f" ({usage.by_url:,} through function URLs)" if usage.by_url else ""
    yield f"{pluralize(usage.events, 'event')}{by_url}"
    yield pluralize(usage.errors, "error")
    yield f"{usage.throttles:,} throttled"
    yield f"{pluralize(usage.failed, 'answer')} of 5xx"
    if cold_starts is not None:
        least = "" if cold_starts.is_complete else "at least "
        yield f"{least}{pluralize(cold_starts.number, 'cold start')}"
    if usage.p95 is not None:
        yield f"95% took at most {usage.p95:,.0f} ms"


def _dollars(amount: float) -> str:
    return f"about ${amount:,.2f}" if amount >= 0.01 else "less than $0.01"


def _minute(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%MZ")
