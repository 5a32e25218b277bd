"""The last day and the cost of the month, from the metrics of CloudWatch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from gimel.cli.last_day import as_json, lines, read_last_day
from gimel.deploy.usage import (
    MOST_PAGES,
    ColdStarts,
    Watched,
    count_cold_starts,
    read_usage,
    usage,
    watched,
)
from tests.support.aws import Refusal, Script, scripted
from tests.support.state.cloud import TRACK
from tests.support.state.seen import seen
from tests.support.state.settled import settled

NOW = datetime(2026, 1, 15, 12, 34, tzinfo=timezone.utc)
DAY = datetime(2026, 1, 14, 12, 0, tzinfo=timezone.utc)
LAST_WEEK = NOW - timedelta(days=7)
LAST_MONTH = NOW - timedelta(days=20)

FUNCTIONS = (
    Watched("gimel-track", "gimel.track", 1024, "x86_64", has_url=True),
    Watched("gimel-all-experiments", "gimel.all", 512, "x86_64"),
)
COLD = "REPORT RequestId: 1\tDuration: 3 ms\tInit Duration: 88 ms\t"
DENIED = Refusal("AccessDenied", "User is not authorized to perform: cloudwatch:GetMetricData")


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted() as script:
        yield script


def test_the_last_day_is_counted() -> None:
    """Events are the calls of the functions that count them; what is older is not of this day."""
    counted = usage(
        FUNCTIONS,
        {
            "invocations0": {DAY: 100.0, NOW: 20.0, LAST_WEEK: 999.0},
            "invocations1": {DAY: 7.0},
            "urlrequests0": {DAY: 40.0},
            "errors0": {DAY: 1.0},
            "errors1": {NOW: 2.0, LAST_WEEK: 9.0},
            "throttles0": {DAY: 4.0},
            "failed": {DAY: 5.0},
            "urlfailed0": {DAY: 6.0},
            "p95of0": {DAY: 10.0, NOW: 40.0, LAST_WEEK: 9999.0},
        },
        NOW,
    )

    assert counted.since == DAY
    assert (counted.events, counted.by_url, counted.errors) == (120, 40, 3)
    assert (counted.throttles, counted.failed) == (4, 11)
    assert counted.p95 == pytest.approx((100 * 10 + 20 * 40) / 120)


def test_the_month_costs_what_its_requests_time_and_logs_cost() -> None:
    """A million events through the API that take 5 ms each, as on the page about costs."""
    million = 1_000_000.0
    counted = usage(
        FUNCTIONS,
        {
            "requests": {LAST_WEEK: million, LAST_MONTH: 9 * million},
            "invocations0": {LAST_WEEK: million, LAST_MONTH: 9 * million},
            "duration0": {LAST_WEEK: 5 * million},
        },
        NOW,
    )

    assert counted.events == 0
    assert counted.dollars == pytest.approx(3.50 + 0.20 + 5000 * 0.0000166667 + 0.165)


def test_a_deployment_without_events_has_no_duration() -> None:
    """Nor any cost."""
    counted = usage(FUNCTIONS, {}, NOW)

    assert (counted.events, counted.p95, counted.dollars) == (0, None, 0)


def test_one_call_asks_for_everything(script: Script) -> None:
    """From the beginning of the month, or of the day where that is earlier; by the hour."""
    script.expect_any(
        "GetMetricData",
        {
            "MetricDataResults": [
                {"Id": "invocations0", "Timestamps": [NOW, DAY], "Values": [3.0, 4.0]},
                {"Id": "failed", "Timestamps": [], "Values": []},
            ]
        },
    )

    assert read_usage(script.aws(), FUNCTIONS, NOW).events == 7

    (given,) = script.given
    assert (given["StartTime"], given["EndTime"]) == (NOW.replace(day=1, hour=0, minute=0), NOW)
    asked = {each["Id"]: each["MetricStat"] for each in given["MetricDataQueries"]}
    assert {each["Period"] for each in asked.values()} == {3600}
    assert asked["failed"]["Metric"] == {
        "Namespace": "AWS/ApiGateway",
        "MetricName": "5XXError",
        "Dimensions": [{"Name": "ApiName", "Value": "gimel"}, {"Name": "Stage", "Value": "prod"}],
    }
    assert asked["p95of0"]["Stat"] == "p95"
    assert "urlfailed0" in asked
    assert not [name for name in asked if name in ("urlfailed1", "p95of1")]


def test_on_the_first_of_a_month_the_day_begins_earlier(script: Script) -> None:
    """The call covers both."""
    script.expect_any("GetMetricData", {"MetricDataResults": []})
    first = datetime(2026, 2, 1, 0, 30, tzinfo=timezone.utc)

    read_usage(script.aws(), FUNCTIONS, first)

    assert script.given[0]["StartTime"] == datetime(2026, 1, 31, tzinfo=timezone.utc)


def test_pages_of_metrics_are_joined(script: Script) -> None:
    """Each may have other values of the same metric."""

    def page(moment: datetime, **more: Any) -> dict[str, Any]:
        return {
            "MetricDataResults": [{"Id": "invocations0", "Timestamps": [moment], "Values": [1.0]}],
            **more,
        }

    script.expect_any("GetMetricData", page(NOW, NextToken="more"))
    script.expect_any("GetMetricData", page(DAY))

    assert read_usage(script.aws(), FUNCTIONS, NOW).events == 2


def logged(*messages: str, **more: Any) -> dict[str, Any]:
    return {"events": [{"timestamp": 1, "message": each} for each in messages], **more}


def test_cold_starts_are_counted_in_the_logs_of_what_counts_events(script: Script) -> None:
    """By the last line of the first call of a process."""
    script.expect_any("FilterLogEvents", logged(COLD, "Init Duration", nextToken="more"))
    script.expect_any("FilterLogEvents", logged(COLD))

    assert count_cold_starts(script.aws(), FUNCTIONS, NOW) == ColdStarts(2)
    assert script.given[1]["logGroupName"] == "/aws/lambda/gimel-track"


def test_cold_starts_are_counted_within_bounds(script: Script) -> None:
    """Whether the pages or the seconds run out first."""
    script.always = logged(COLD, nextToken="more")
    aws = script.aws()

    assert count_cold_starts(aws, FUNCTIONS, NOW) == ColdStarts(MOST_PAGES, is_complete=False)
    clock = iter([0.0, 1.0, 6.0])
    assert count_cold_starts(aws, FUNCTIONS, NOW, lambda: next(clock)) == ColdStarts(
        1, is_complete=False
    )


def test_a_missing_log_group_has_no_cold_starts(script: Script) -> None:
    """Somebody deleted it."""
    script.always = Refusal("ResourceNotFoundException")

    assert count_cold_starts(script.aws(), FUNCTIONS, NOW) == ColdStarts(0)


def test_what_is_live_is_watched() -> None:
    """With the memory that it has, and whether it has a URL."""
    found = {each.name: each for each in watched(seen(settled()))}

    assert found[TRACK] == Watched(TRACK, "gimel.track", 128, "arm64")
    assert [name for name, each in found.items() if each.counts_events] == [TRACK]


def test_the_last_day_is_shown_in_two_lines(script: Script) -> None:
    """What happened, and what it cost."""
    values = {"invocations0": 1234.0, "p95of0": 12.3, "urlrequests0": 34.0, "errors0": 1.0}
    results = [
        {"Id": name, "Timestamps": [DAY], "Values": [value]} for name, value in values.items()
    ]
    script.expect_any("GetMetricData", {"MetricDataResults": results})
    script.expect_any("FilterLogEvents", logged(COLD))

    last_day = read_last_day(script.aws(), FUNCTIONS, NOW)

    assert list(lines(last_day)) == [
        "Since 2026-01-14T12:00Z: 1,234 events (34 through function URLs); 1 error; 0 throttled; "
        "0 answers of 5xx; 1 cold start; 95% took at most 12 ms",
        "Cost of this month so far: less than $0.01, without Redis",
    ]
    assert as_json(last_day)["events"] == 1234
    assert as_json(last_day)["not_known"] == []


def test_without_a_permission_the_rest_is_shown(script: Script) -> None:
    """Cold starts are in the logs, which another permission is about."""
    script.answers = {"GetMetricData": DENIED, "FilterLogEvents": logged(COLD)}
    denied = read_last_day(script.aws(), FUNCTIONS, NOW)
    (line,) = lines(denied)
    assert line.startswith("The last day: not known. AWS does not allow cloudwatch:GetMetricData")
    assert "`gimel iam-policy` prints the permissions" in line
    assert (as_json(denied)["events"], as_json(denied)["cold_starts"]) == (None, 1)

    one = [{"Id": "invocations0", "Timestamps": [DAY], "Values": [1.0]}]
    script.answers = {
        "GetMetricData": {"MetricDataResults": one},
        "FilterLogEvents": Refusal("AccessDeniedException", "not authorized"),
    }
    first, _, last = lines(read_last_day(script.aws(), FUNCTIONS, NOW))
    assert "1 event;" in first
    assert last.startswith("Cold starts: not known. AWS does not allow logs:FilterLogEvents")


def test_without_events_the_logs_are_not_read(script: Script) -> None:
    """That saves a call."""
    script.expect_any("GetMetricData", {"MetricDataResults": []})

    assert "0 cold starts" in next(lines(read_last_day(script.aws(), FUNCTIONS, NOW)))
