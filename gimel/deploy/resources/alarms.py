"""The CloudWatch alarms. Which there are, and why, is in `gimel.deploy.alarms`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gimel.deploy.alarms import Alarm, Settings, desired_alarms, possible_names
from gimel.deploy.aws import Answer
from gimel.deploy.desired import Desired
from gimel.deploy.identity import Identity
from gimel.deploy.policies import ANY_RESOURCE, Permission
from gimel.deploy.resources.alarm_record import ALARM_RECORD, may_have_alarms
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.functions import functions_by_name
from gimel.deploy.resources.role import recorded
from gimel.deploy.resources.tag_record import tags_of_region
from gimel.deploy.resources.tags import MARK, as_pairs, marked, retag

_PAGE = 100  # names, the most that CloudWatch takes at once


@dataclass(frozen=True)
class ObservedAlarm:
    """An alarm as it is: its settings, "OK", "ALARM" or "INSUFFICIENT_DATA", and why."""

    settings: Settings
    state: str = "OK"
    reason: str = ""

    @property
    def is_composite(self) -> bool:
        return "AlarmRule" in self.settings

    def is_as(self, alarm: Alarm) -> bool:
        """Return whether it has the settings that it should have."""
        return _matches(self.settings, alarm.settings)


class Alarms(Resource[Mapping[str, ObservedAlarm]]):
    """Observed by name."""

    def observe(self, look: Look) -> Mapping[str, ObservedAlarm]:
        if not may_have_alarms(look):
            return {}
        wanted = desired_alarms(look.desired, look.identity) if look.desired else ()
        functions = {*recorded(look).functions, *functions_by_name(look)}
        functions |= set(look.desired.function_names) if look.desired else set()
        names = sorted(possible_names(look.identity.name, functions))
        found = {}
        for begin in range(0, len(names), _PAGE):
            for answer in _describe(look, names[begin : begin + _PAGE]):
                name = answer["AlarmName"]
                if _is_ours(look, answer):
                    reason = answer.get("StateReason", "")
                    found[name] = ObservedAlarm(answer, answer.get("StateValue", ""), reason)
                elif look.desired is None or name in {each.name for each in wanted}:
                    look.foreign.append(f"the CloudWatch alarm {look.identity.alarm(name)}")
        return found

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        tags = marked(observed.identity.name, desired.tags)
        for alarm in desired_alarms(desired, observed.identity):
            there = observed.of(self).get(alarm.name)
            if there is None:
                yield CreateAlarm(alarm, tags)
            elif not there.is_as(alarm):
                yield UpdateAlarm(alarm)

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        wanted = {each.name for each in desired_alarms(desired, observed.identity)}
        yield from _deletion(observed, {*observed.of(self)} - wanted)

    def tag(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        tags, before = marked(observed.identity.name, desired.tags), tags_of_region(observed)
        for alarm in desired_alarms(desired, observed.identity):
            if alarm.name in observed.of(self):
                arn = {"ResourceARN": observed.identity.alarm(alarm.name)}
                yield from retag(f"alarm {alarm.name}", "cloudwatch", arn, tags, before)

    def remove(self, observed: Observed) -> Iterator[Step]:
        yield from _deletion(observed, {*observed.of(self)})

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        if not desired_alarms(desired, identity):
            return
        names = ["DeleteAlarms", "ListTagsForResource", "PutMetricAlarm", "TagResource"]
        names += ["UntagResource"]
        actions = tuple(f"cloudwatch:{name}" for name in names)
        yield Permission("Alarms", actions, (identity.alarm(f"{identity.name}.*"),))
        # AWS requires that these two are not limited to some alarms.
        anywhere = ("cloudwatch:DescribeAlarms", "cloudwatch:PutCompositeAlarm")
        yield Permission("AlarmsAnywhere", anywhere, ANY_RESOURCE)


ALARMS = Alarms()


def _describe(look: Look, names: list[str]) -> list[Answer]:
    """Return the alarms of these names, as many as one answer holds at most."""
    answer = look.aws.call(
        "cloudwatch",
        "describe_alarms",
        AlarmNames=names,
        AlarmTypes=["CompositeAlarm", "MetricAlarm"],
        MaxRecords=_PAGE,
    )
    return [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]


def _is_ours(look: Look, answer: Answer) -> bool:
    """Return whether Gimel made an alarm: it is recorded that there are some, or it is marked."""
    if look.of(ALARM_RECORD):
        return True
    arn = look.identity.alarm(answer["AlarmName"])
    tagged = look.aws.find("cloudwatch", "list_tags_for_resource", ResourceARN=arn)
    return {"Key": MARK, "Value": look.identity.name} in (tagged or {}).get("Tags", ())


def _matches(there: Any, wanted: Any) -> bool:
    """Return whether a value is as wanted, apart from what AWS adds to it and from its order."""
    if isinstance(wanted, Mapping):
        return isinstance(there, Mapping) and all(
            _matches(there.get(key), value) for key, value in wanted.items()
        )
    if isinstance(wanted, list) and wanted and isinstance(wanted[0], Mapping):
        pairs = zip(_in_order(there or []), _in_order(wanted), strict=False)
        return len(there or []) == len(wanted) and all(_matches(*pair) for pair in pairs)
    if isinstance(wanted, list):
        return sorted(there or []) == sorted(wanted)
    return bool(there == wanted)


def _in_order(items: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(items, key=lambda each: str(each.get("Id") or each.get("Name")))


def _deletion(observed: Observed, names: set[str]) -> Iterator[Step]:
    """Yield a step for the composite alarm, which needs the others, and one for the rest."""
    alarms = observed.of(ALARMS)
    composite = sorted(name for name in names if alarms[name].is_composite)
    for part in ([name] for name in composite):
        yield DeleteAlarms(tuple(part))
    if rest := sorted(names - {*composite}):
        yield DeleteAlarms(tuple(rest))


@dataclass(frozen=True)
class CreateAlarm(Step):
    alarm: Alarm
    tags: Mapping[str, str]

    def __str__(self) -> str:
        return f"Create the alarm {self.alarm.name}: {self.alarm.meaning}"

    def perform(self, run: Run) -> None:
        _put(run, self.alarm, Tags=as_pairs(self.tags))


@dataclass(frozen=True)
class UpdateAlarm(Step):
    """Restore what was changed by hand, or set another receiver or threshold."""

    alarm: Alarm

    def __str__(self) -> str:
        return f"Update the alarm {self.alarm.name}: {self.alarm.meaning}"

    def perform(self, run: Run) -> None:
        _put(run, self.alarm)


@dataclass(frozen=True)
class DeleteAlarms(Step):
    names: tuple[str, ...]

    def __str__(self) -> str:
        plural = "s" if len(self.names) > 1 else ""
        return f"Delete the alarm{plural} {', '.join(self.names)}"

    def perform(self, run: Run) -> None:
        run.aws.find("cloudwatch", "delete_alarms", AlarmNames=list(self.names))


def _put(run: Run, alarm: Alarm, **more: Any) -> None:
    operation = "put_composite_alarm" if alarm.is_composite else "put_metric_alarm"
    run.aws.call("cloudwatch", operation, AlarmName=alarm.name, **alarm.settings, **more)
