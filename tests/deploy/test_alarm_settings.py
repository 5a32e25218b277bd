"""The settings of the alarms: when each goes off, and who is told."""

from __future__ import annotations

from typing import Any

import pytest

from gimel.deploy.alarms import Alarm, desired_alarms, monthly_dollars
from gimel.errors import GimelError
from tests.support.alarm_account import TOPIC
from tests.support.configurations import ROUTED, URL
from tests.support.state.cloud import HERE
from tests.support.state.seen import identity_of
from tests.support.state.settled import desired

THEIR_TOPIC = "arn:aws:sns:us-east-1:123456789012:pager"
ON: dict[str, Any] = {"alarms": {"email": "ops@example.com"}}
WITH_URL: dict[str, Any] = {**ON, "extra_wiring": [URL]}
NAMES = (
    "gimel.5xx",
    "gimel.track-errors",
    "gimel.track-throttles",
    "gimel.track-time-outs",
    "gimel.snapshot-errors",
    "gimel.silent",
    "gimel.busy",
    "gimel.no-events",
)


def alarms(**document: Any) -> dict[str, Alarm]:
    """Return the alarms of a configuration by their names."""
    made = desired_alarms(desired(**document), identity_of(HERE))
    return {each.name: each for each in made}


def test_these_are_the_alarms() -> None:
    """Eight, in an order in which the composite one follows its parts."""
    assert tuple(alarms(**ON)) == NAMES
    assert monthly_dollars(alarms(**ON).values()) == 1.30


def test_an_alarm_is_sent_when_it_begins_and_when_it_ends() -> None:
    """Except the parts of another one, and the end of a silence, which nobody can know."""
    sent = {
        name: (each.settings["AlarmActions"], each.settings["OKActions"])
        for name, each in alarms(alarms={"email": "ops@example.com", "sns": THEIR_TOPIC}).items()
    }

    everyone = [TOPIC, THEIR_TOPIC]
    assert sent == {
        **dict.fromkeys(NAMES[:5], (everyone, everyone)),
        "gimel.silent": ([], []),
        "gimel.busy": ([], []),
        "gimel.no-events": (everyone, []),
    }


LASTS = {"EvaluationPeriods": 12, "DatapointsToAlarm": 2, "TreatMissingData": "notBreaching"}
AT_LEAST = {"ComparisonOperator": "GreaterThanOrEqualToThreshold"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gimel.5xx", {"Statistic": "Average", "Threshold": 0.05, "Period": 300, **LASTS}),
        ("gimel.track-errors", {"Threshold": 1.0, **LASTS}),
        ("gimel.track-throttles", {"Statistic": "Sum", "Threshold": 1.0, **LASTS}),
        ("gimel.track-time-outs", {"ExtendedStatistic": "p99", "Threshold": 2700.0, **LASTS}),
        (
            "gimel.snapshot-errors",
            {"Statistic": "Sum", "Threshold": 3.0, "Period": 3600, "EvaluationPeriods": 1},
        ),
        (
            "gimel.busy",
            {"Threshold": 1.0, "EvaluationPeriods": 288, "DatapointsToAlarm": 272},
        ),
    ],
)
def test_an_alarm_goes_off_at_a_threshold(name: str, expected: dict[str, Any]) -> None:
    """The table of docs/monitoring.md."""
    settings = alarms(**ON)[name].settings

    assert {key: settings[key] for key in expected} == expected
    assert settings["ComparisonOperator"] == AT_LEAST["ComparisonOperator"]


def test_an_hour_without_events_counts_only_where_events_never_pause() -> None:
    """No events at all breaches too, also where CloudWatch has no data to fill."""
    silent = alarms(**ON)["gimel.silent"].settings

    assert (silent["ComparisonOperator"], silent["Threshold"]) == ("LessThanThreshold", 1.0)
    assert (silent["EvaluationPeriods"], silent["DatapointsToAlarm"]) == (12, 12)
    assert silent["TreatMissingData"] == "breaching"
    assert silent["Metrics"][-1]["Expression"] == "FILL(m0, 0)"
    rule = alarms(**ON)["gimel.no-events"].settings["AlarmRule"]
    assert rule == 'ALARM("gimel.silent") AND ALARM("gimel.busy")'


def test_a_function_with_a_url_has_an_alarm_of_it() -> None:
    """The API's metrics do not include its answers."""
    made = alarms(**WITH_URL)["gimel.track-url-errors"]

    read = [each["MetricStat"]["Metric"]["MetricName"] for each in made.settings["Metrics"][:2]]
    assert read == ["Url5xxCount", "UrlRequestCount"]


def test_the_time_outs_follow_the_configured_time_out() -> None:
    """The threshold is a share of it."""
    document = {**ON, "aws": {"functions": {"gimel-track": {"timeout": 10}}}}

    assert alarms(**document)["gimel.track-time-outs"].settings["Threshold"] == 9000.0


def test_a_second_function_that_counts_has_its_own_alarms() -> None:
    """And its events end a silence too."""
    made = alarms(**ON, extra_wiring=[ROUTED])

    assert "gimel.linked.errors" in made
    assert made["gimel.silent"].settings["Metrics"][-1]["Expression"] == "FILL(m0, 0) + FILL(m1, 0)"


def test_a_topic_of_another_region_is_refused() -> None:
    """AWS would refuse it in the middle of a deploy."""
    topic = "arn:aws:sns:eu-west-1:123456789012:pager"

    with pytest.raises(GimelError, match=r"alarms\.sns is a topic in eu-west-1, and the alarms"):
        alarms(alarms={"sns": topic})
