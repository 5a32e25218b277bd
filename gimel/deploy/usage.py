"""What CloudWatch counted: the events of the last day, what failed, and the cost of the month.

One call asks for all metrics, by the hour. Lambda has no metric of cold starts: they are counted in
the logs, within bounds.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from gimel.deploy import cost
from gimel.deploy.aws import Answer, Aws
from gimel.deploy.identity import STAGE, log_group
from gimel.deploy.log_lines import COLD_START_PATTERN, is_cold_start
from gimel.deploy.resources.base import Observed
from gimel.deploy.resources.function_urls import FUNCTION_URLS
from gimel.deploy.resources.functions import FUNCTIONS

HOUR = 3600  # seconds
MOST_PAGES = 10  # of log lines, about 1 MB each
MOST_SECONDS = 5.0


@dataclass(frozen=True)
class Watched:
    """A function to ask about: `memory` in MB, `has_url` if it has a public URL."""

    name: str
    handler: str
    memory: int
    architecture: str
    has_url: bool = False

    @property
    def counts_events(self) -> bool:
        """Whether each call of the function is an event."""
        return self.handler == "gimel.track"


@dataclass(frozen=True)
class ColdStarts:
    """How many there were; more, if there were too many lines to read them all."""

    number: int
    is_complete: bool = True


@dataclass(frozen=True)
class Usage:
    """What was counted since `since`, which is 24 to 25 hours ago, and what the month costs.

    `events` includes those `by_url`; `errors` are calls that ended in an exception, a crash or a
    time-out, `throttles` calls that Lambda did not run, and `failed` answers with a status of 5xx.
    `p95` is in milliseconds, None without events: the 95th percentile of each hour, averaged over
    the events. `dollars` are those of the calendar month in UTC so far.
    """

    since: datetime
    events: int
    by_url: int
    errors: int
    throttles: int
    failed: int
    p95: float | None
    dollars: float


Series = Mapping[datetime, float]
"""The values of a metric by the beginning of the hour."""


def watched(observed: Observed) -> tuple[Watched, ...]:
    """Return the functions that are live."""
    urls = observed.of(FUNCTION_URLS)
    return tuple(
        Watched(
            each.name,
            each.live.configuration.handler,
            each.live.configuration.memory,
            each.live.configuration.architecture,
            each.name in urls,
        )
        for each in observed.of(FUNCTIONS)
        if each.live
    )


def read_usage(aws: Aws, functions: Sequence[Watched], now: datetime) -> Usage:
    """Ask CloudWatch about the functions and the REST API. Raises GimelError."""
    day, month = _beginning_of_day(now), _beginning_of_month(now)
    answers: list[Answer] = []
    more: dict[str, Any] = {}
    while True:
        answer = aws.call(
            "cloudwatch",
            "get_metric_data",
            MetricDataQueries=list(_queries(aws.deployment.name, functions)),
            StartTime=min(day, month),
            EndTime=now,
            **more,
        )
        answers += answer.get("MetricDataResults", ())
        if not answer.get("NextToken"):
            break
        more = {"NextToken": answer["NextToken"]}
    return usage(functions, _series(answers), now)


def usage(functions: Sequence[Watched], series: Mapping[str, Series], now: datetime) -> Usage:
    """Return what the metrics, by the ids of their queries, say."""
    since, month = _beginning_of_day(now), _beginning_of_month(now)

    def total(name: str, begin: datetime = since) -> float:
        return sum(value for moment, value in series.get(name, {}).items() if moment >= begin)

    numbers = range(len(functions))
    tracking = [number for number in numbers if functions[number].counts_events]
    dollars = total("requests", month) * cost.REST_API_REQUESTS / cost.MILLION
    for number in numbers:
        dollars += _dollars(
            functions[number],
            total(f"invocations{number}", month),
            total(f"duration{number}", month) / 1000,
        )
    return Usage(
        since=since,
        events=round(sum(total(f"invocations{number}") for number in tracking)),
        by_url=round(sum(total(f"urlrequests{number}") for number in tracking)),
        errors=round(sum(total(f"errors{number}") for number in numbers)),
        throttles=round(sum(total(f"throttles{number}") for number in numbers)),
        failed=round(total("failed") + sum(total(f"urlfailed{number}") for number in numbers)),
        p95=_average(
            [
                (value, series.get(f"invocations{number}", {}).get(moment, 0.0))
                for number in tracking
                for moment, value in series.get(f"p95of{number}", {}).items()
                if moment >= since
            ]
        ),
        dollars=dollars,
    )


def count_cold_starts(
    aws: Aws,
    functions: Sequence[Watched],
    now: datetime,
    clock: Callable[[], float] = time.monotonic,
) -> ColdStarts:
    """Count the cold starts of the functions that count events in their logs. Raises GimelError.

    Stops after MOST_PAGES or MOST_SECONDS: a site with a million events a day has hundreds of
    megabytes of logs a day.
    """
    begin = _milliseconds(_beginning_of_day(now))
    started, pages, number = clock(), 0, 0
    for function in functions:
        more: dict[str, Any] = {}
        while function.counts_events:
            if pages >= MOST_PAGES or clock() - started > MOST_SECONDS:
                return ColdStarts(number, is_complete=False)
            page = aws.find(
                "logs",
                "filter_log_events",
                logGroupName=log_group(function.name),
                startTime=begin,
                endTime=_milliseconds(now),
                filterPattern=COLD_START_PATTERN,
                **more,
            )
            pages += 1
            events = page.get("events", ()) if page else ()
            number += sum(is_cold_start(event["message"]) for event in events)
            if not page or not page.get("nextToken"):
                break
            more = {"nextToken": page["nextToken"]}
    return ColdStarts(number)


def _queries(api: str, functions: Sequence[Watched]) -> Iterator[dict[str, Any]]:
    of_api = {"ApiName": api, "Stage": STAGE}
    yield _query("requests", "AWS/ApiGateway", "Count", of_api)
    yield _query("failed", "AWS/ApiGateway", "5XXError", of_api)
    for number, function in enumerate(functions):
        of_function = {"FunctionName": function.name}
        for metric in ("Invocations", "Errors", "Throttles", "Duration"):
            yield _query(f"{metric.lower()}{number}", "AWS/Lambda", metric, of_function)
        if function.counts_events:
            yield _query(f"p95of{number}", "AWS/Lambda", "Duration", of_function, "p95")
        if function.has_url:
            yield _query(f"urlrequests{number}", "AWS/Lambda", "UrlRequestCount", of_function)
            yield _query(f"urlfailed{number}", "AWS/Lambda", "Url5xxCount", of_function)


def _query(
    name: str, namespace: str, metric: str, dimensions: Mapping[str, str], statistic: str = "Sum"
) -> dict[str, Any]:
    named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    of_metric = {"Namespace": namespace, "MetricName": metric, "Dimensions": named}
    return {"Id": name, "MetricStat": {"Metric": of_metric, "Period": HOUR, "Stat": statistic}}


def _series(answers: Sequence[Answer]) -> dict[str, Series]:
    """Return the values by id. Pages of one answer may divide the values of a metric."""
    series: dict[str, dict[datetime, float]] = {}
    for each in answers:
        points = zip(each.get("Timestamps", ()), each.get("Values", ()), strict=True)
        series.setdefault(each["Id"], {}).update(points)
    return dict(series)


def _dollars(function: Watched, calls: float, seconds: float) -> float:
    """Return what calls that took so many seconds together cost, with the lines that they log."""
    compute = function.memory / 1024 * seconds * cost.GB_SECOND[function.architecture]
    logs = calls * cost.LOG_BYTES / 1e9 * cost.LOG_GB
    return compute + logs + calls * cost.LAMBDA_REQUESTS / cost.MILLION


def _average(weighted: Sequence[tuple[float, float]]) -> float | None:
    weight = sum(each for _, each in weighted)
    return sum(value * each for value, each in weighted) / weight if weight else None


def _beginning_of_day(now: datetime) -> datetime:
    """Return the whole hour 24 to 25 hours ago."""
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(days=1)


def _beginning_of_month(now: datetime) -> datetime:
    in_utc = now.astimezone(timezone.utc)
    return in_utc.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
