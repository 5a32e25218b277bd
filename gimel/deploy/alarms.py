"""Which alarms there are, when each goes off, and what they cost. Pure.

docs/monitoring.md gives the reasons for the numbers. Where a share of the events decides, it counts
as a problem only if it lasts: in 2 of the 12 periods of 5 minutes of an hour.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gimel.deploy.desired import Desired, DesiredFunction
from gimel.deploy.identity import STAGE, Identity
from gimel.deploy.logs import short_name
from gimel.errors import GimelError

PERIOD = 300  # seconds
FAILING_PERCENT = 5  # of the answers
ERROR_PERCENT = 1  # of the calls
USED_UP = 0.9  # of a function's time-out
ATTEMPTS = 3  # of a scheduled call: AWS repeats it twice
BUSY_PERIODS = 272
"""So many of a day's 288 periods of 5 minutes have events where events never pause."""

# https://aws.amazon.com/cloudwatch/pricing/
METRIC_DOLLARS, COMPOSITE_DOLLARS = 0.10, 0.50  # a month; the first 10 metrics are free

_KINDS = ("errors", "throttles", "time-outs", "url-errors")

Settings = Mapping[str, Any]
"""Parameters of PutMetricAlarm or PutCompositeAlarm."""


@dataclass(frozen=True)
class Alarm:
    """An alarm as it should be. `meaning` says when it goes off; `metrics` is how many it reads.

    `settings` lack the name and the tags. One with a rule is composed of others.
    """

    name: str
    meaning: str
    settings: Settings
    metrics: int = 1

    @property
    def is_composite(self) -> bool:
        return "AlarmRule" in self.settings


def possible_names(deployment: str, functions: Iterable[str]) -> tuple[str, ...]:
    """Return the names of all alarms that a deploy of these functions may have made."""
    general = [f"{deployment}.{kind}" for kind in ("5xx", "silent", "busy", "no-events")]
    return (
        *general,
        *(_name(deployment, name, kind) for name in functions for kind in _KINDS),
    )


def desired_alarms(desired: Desired, identity: Identity) -> tuple[Alarm, ...]:
    """Return the alarms that a configuration asks for, composite ones after their parts.

    Raises GimelError where AWS would refuse the receiver.
    """
    section = desired.config.document.alarms
    if section is None:
        return ()
    receivers = [identity.topic(f"{identity.name}-alarms")] if section.email else []
    if section.sns:
        region = section.sns.split(":")[3]
        if region != identity.region:
            raise GimelError(
                f"alarms.sns is a topic in {region}, and the alarms are in {identity.region}.",
                "An alarm can only use a topic of the same region.",
            )
        receivers.append(section.sns)
    made = [*_of_api(identity.name), *_of_functions(desired, identity.name)]
    made += _of_silence(desired, identity.name)
    return tuple(_sent_to(receivers, each) for each in made)


def monthly_dollars(alarms: Iterable[Alarm]) -> float:
    """Return the price of a month, without the free tier."""
    return round(
        sum(
            COMPOSITE_DOLLARS if each.is_composite else each.metrics * METRIC_DOLLARS
            for each in alarms
        ),
        2,
    )


def _of_api(deployment: str) -> Iterator[Alarm]:
    # The average of a metric that is 1 for each 5xx and 0 otherwise is their share.
    of_api = _metric("AWS/ApiGateway", "5XXError", {"ApiName": deployment, "Stage": STAGE})
    yield Alarm(
        f"{deployment}.5xx",
        f"{FAILING_PERCENT}% of the API's answers are errors (5xx)",
        {**of_api, "Statistic": "Average", **_lasting(FAILING_PERCENT / 100)},
    )


def _of_functions(desired: Desired, deployment: str) -> Iterator[Alarm]:
    for function in desired.functions:
        counts_events = function.configuration.handler == "gimel.track"
        if counts_events:
            yield from _of_events(function, deployment)
        if function.url:
            yield Alarm(
                _name(deployment, function.name, "url-errors"),
                f"{FAILING_PERCENT}% of the answers of the URL of {function.name} are errors (5xx)",
                {
                    **_ratio(function.name, "Url5xxCount", "UrlRequestCount"),
                    **_lasting(FAILING_PERCENT),
                },
                metrics=2,
            )
        if function.schedule is not None:
            yield Alarm(
                _name(deployment, function.name, "errors"),
                f"{function.name} fails, and so do AWS's repetitions",
                {
                    **_metric("AWS/Lambda", "Errors", {"FunctionName": function.name}),
                    "Statistic": "Sum",
                    **_threshold(ATTEMPTS, 1, 1),
                    "Period": 3600,
                },
            )


def _of_events(function: DesiredFunction, deployment: str) -> Iterator[Alarm]:
    name, seconds = function.name, function.configuration.timeout
    of_function = {"FunctionName": name}
    yield Alarm(
        _name(deployment, name, "errors"),
        f"{ERROR_PERCENT}% of the calls of {name} end in a crash or a time-out",
        {**_ratio(name, "Errors", "Invocations"), **_lasting(ERROR_PERCENT)},
        metrics=2,
    )
    yield Alarm(
        _name(deployment, name, "throttles"),
        f"Lambda does not run calls of {name}: too many at once",
        {**_metric("AWS/Lambda", "Throttles", of_function), "Statistic": "Sum", **_lasting(1)},
    )
    yield Alarm(
        _name(deployment, name, "time-outs"),
        f"1% of the calls of {name} take {USED_UP:.0%} of its {seconds} s",
        {
            **_metric("AWS/Lambda", "Duration", of_function),
            "ExtendedStatistic": "p99",
            **_lasting(seconds * 1000 * USED_UP),
        },
    )


def _of_silence(desired: Desired, deployment: str) -> Iterator[Alarm]:
    """Yield the alarm of an hour without events, which means something on a busy site alone.

    Missing data is filled: CloudWatch would otherwise look further back than the periods.
    """
    tracking = [
        each.name for each in desired.functions if each.configuration.handler == "gimel.track"
    ]
    if not tracking:
        return
    metrics = [_query(f"m{number}", "Invocations", name) for number, name in enumerate(tracking)]
    filled = " + ".join(f"FILL(m{number}, 0)" for number in range(len(tracking)))
    total = {"Id": "events", "Expression": filled, "ReturnData": True}
    events = {"Metrics": [*metrics, total]}
    silent, busy = f"{deployment}.silent", f"{deployment}.busy"
    hour, day = 3600 // PERIOD, 86_400 // PERIOD
    yield Alarm(
        silent,
        "no events for an hour (a part of another alarm)",
        {
            **events,
            **_threshold(1, hour, hour, missing="breaching"),
            "ComparisonOperator": "LessThanThreshold",
        },
        len(tracking),
    )
    yield Alarm(
        busy,
        "events in nearly every 5 minutes of a day (a part of another alarm)",
        {**events, **_threshold(1, day, BUSY_PERIODS)},
        len(tracking),
    )
    yield Alarm(
        f"{deployment}.no-events",
        "no events for an hour, where events never paused for a day",
        {"AlarmRule": f'ALARM("{silent}") AND ALARM("{busy}")'},
    )


def _sent_to(receivers: list[str], alarm: Alarm) -> Alarm:
    """Return an alarm with its receivers; the parts of another one have none.

    The end of a silence is not sent: after 20 minutes the day is no longer one without pauses.
    """
    is_part = alarm.name.endswith((".silent", ".busy"))
    sent = {
        "ActionsEnabled": True,
        "AlarmActions": [] if is_part else receivers,
        "OKActions": [] if is_part or alarm.is_composite else receivers,
        "AlarmDescription": f"Gimel: {alarm.meaning}. `gimel status --check` and `gimel logs "
        "--errors` say more.",
    }
    return Alarm(alarm.name, alarm.meaning, {**alarm.settings, **sent}, alarm.metrics)


def _name(deployment: str, function: str, kind: str) -> str:
    """Return the name of an alarm about one function, which may have a name of any kind.

    No deployment or function has a dot in its name, so that no two alarms have the same name.
    """
    short = short_name(function, deployment)
    return (
        f"{deployment}.{short}-{kind}" if short != function else f"{deployment}.{function}.{kind}"
    )


def _metric(namespace: str, metric: str, dimensions: Mapping[str, str]) -> Settings:
    return {
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "Period": PERIOD,
    }


def _ratio(function: str, part: str, whole: str) -> Settings:
    """Return one metric of a function as a percentage of another, without a value for no calls."""
    ratio = {"Id": "percent", "Expression": "100 * part / whole", "ReturnData": True}
    return {"Metrics": [_query("part", part, function), _query("whole", whole, function), ratio]}


def _query(id_: str, metric: str, function: str) -> Settings:
    dimensions = [{"Name": "FunctionName", "Value": function}]
    of_metric = {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": dimensions}
    stat = {"Metric": of_metric, "Period": PERIOD, "Stat": "Sum"}
    return {"Id": id_, "MetricStat": stat, "ReturnData": False}


def _lasting(threshold: float) -> Settings:
    """Return when a value lasts; periods without calls are good ones."""
    return _threshold(threshold, 12, 2)


def _threshold(
    threshold: float, periods: int, breaching: int, missing: str = "notBreaching"
) -> Settings:
    return {
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": float(threshold),
        "EvaluationPeriods": periods,
        "DatapointsToAlarm": breaching,
        "TreatMissingData": missing,
    }
