"""An account with alarms: what SNS, CloudWatch and the tags of the REST API hold.

It answers deploy's calls as AWS does. Only this module knows how deploy observes alarms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gimel.deploy.plan import plan, plan_destroy
from gimel.deploy.resources.alarm_record import ALARM_RECORD, TAG
from gimel.deploy.resources.alarm_topic import ALARM_TOPIC
from gimel.deploy.resources.alarms import ALARMS
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.tag_record import TAG_RECORD
from tests.support.aws import Refusal, Script, caller
from tests.support.state.cloud import API
from tests.support.state.names import Desired
from tests.support.state.seen import seen
from tests.support.state.settled import desired, settled

TOPIC = "arn:aws:sns:us-east-1:123456789012:gimel-alarms"
PENDING = "PendingConfirmation"

Given = Mapping[str, Any]


@dataclass
class AlarmAccount:
    """`alarms` by name, with settings; `topic` are the tags of the topic, None without one."""

    script: Script
    alarms: dict[str, dict[str, Any]] = field(default_factory=dict)
    alarm_tags: dict[str, dict[str, str]] = field(default_factory=dict)
    topic: dict[str, str] | None = None
    subscriptions: dict[str, str] = field(default_factory=dict)
    api_tags: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.api_tags = {"gimel": "gimel"}
        self.script.answers = {
            "CreateTopic": self._create_topic,
            "DeleteAlarms": self._delete_alarms,
            "DeleteTopic": self._delete_topic,
            "DescribeAlarms": self._describe_alarms,
            "GetCallerIdentity": caller(),
            "ListSubscriptionsByTopic": self._list_subscriptions,
            "ListTagsForResource": self._list_tags,
            "PutCompositeAlarm": self._put_alarm,
            "PutMetricAlarm": self._put_alarm,
            "Subscribe": self._subscribe,
            "TagResource": self._tag,
            "TagRole": {},
            "Unsubscribe": self._unsubscribe,
            "UntagResource": self._untag,
            "UntagRole": {},
        }
        self.aws = self.script.aws()

    def observe(self, wanted: Desired | None, document: dict[str, Any]) -> Observed:
        """Return what deploy sees of the account, in which everything else is settled."""
        look = Look(self.aws, wanted)
        own: tuple[Resource[Any], ...] = (ALARM_RECORD, ALARM_TOPIC, ALARMS)
        parts = dict(seen(settled(**document), wanted).parts)
        look._parts |= {each: parts[each] for each in parts if each not in own}
        look._parts[TAG_RECORD] = dict(self.api_tags)
        return Observed(
            look.identity,
            {**look._parts, **{each: look.of(each) for each in own}},
            tuple(look.foreign),
        )

    def plan(self, **document: Any) -> tuple[Step, ...]:
        """Return the steps of a deploy."""
        wanted = desired(**document)
        return plan(wanted, self.observe(wanted, document))

    def plan_destroy(self, **document: Any) -> tuple[Step, ...]:
        """Return the first steps of a destroy, those about alarms."""
        steps = plan_destroy(self.observe(None, document))
        return tuple(step for step in steps if "alarm" in str(step))

    def perform(self, *steps: Step) -> None:
        run = Run(self.aws, self.aws.identity(), {"api": API})
        for step in steps:
            step.perform(run)

    def state(self) -> Any:
        """Return everything that alarms consist of."""
        return self.alarms, self.alarm_tags, self.topic, self.subscriptions, self.api_tags

    @property
    def is_recorded(self) -> bool:
        return TAG in self.api_tags

    def _create_topic(self, given: Given) -> Any:
        self.topic = self.topic or _tags(given)
        return {"TopicArn": TOPIC}

    def _delete_topic(self, given: Given) -> Any:
        self.topic, self.subscriptions = None, {}
        return {}

    def _list_subscriptions(self, given: Given) -> Any:
        listed = [
            {"Endpoint": each, "SubscriptionArn": arn, "Protocol": "email", "TopicArn": TOPIC}
            for each, arn in self.subscriptions.items()
        ]
        return {"Subscriptions": listed}

    def _subscribe(self, given: Given) -> Any:
        assert given["TopicArn"] == TOPIC
        self.subscriptions.setdefault(given["Endpoint"], PENDING)
        return {"SubscriptionArn": "pending confirmation"}

    def _unsubscribe(self, given: Given) -> Any:
        left = self.subscriptions.items()
        self.subscriptions = {each: arn for each, arn in left if arn != given["SubscriptionArn"]}
        return {}

    def _put_alarm(self, given: Given) -> Any:
        name = given["AlarmName"]
        if rule := given.get("AlarmRule"):
            parts = [each for each in self.alarms if f'"{each}"' in rule]
            assert len(parts) == rule.count("ALARM("), f"{rule} without its parts"
        if name not in self.alarms:
            self.alarm_tags[name] = _tags(given)
        self.alarms[name] = {key: value for key, value in given.items() if key != "Tags"}
        return {}

    def _describe_alarms(self, given: Given) -> Any:
        found = [
            {**alarm, "StateValue": "OK"}
            for name, alarm in self.alarms.items()
            if name in given["AlarmNames"]
        ]
        return {
            "MetricAlarms": [each for each in found if "AlarmRule" not in each],
            "CompositeAlarms": [each for each in found if "AlarmRule" in each],
        }

    def _delete_alarms(self, given: Given) -> Any:
        for name in given["AlarmNames"]:
            rules = [each.get("AlarmRule", "") for each in self.alarms.values()]
            assert not any(f'"{name}"' in rule for rule in rules), f"{name} is needed"
        for name in given["AlarmNames"]:
            self.alarms.pop(name, None)
            self.alarm_tags.pop(name, None)
        return {}

    def _tags_of(self, given: Given) -> dict[str, str] | None:
        """Return the tags to read or change, None where they do not matter here."""
        arn = given.get("resourceArn") or given.get("ResourceArn") or given.get("ResourceARN") or ""
        if "/restapis/" in arn:
            return self.api_tags
        return self.topic if arn == TOPIC else self.alarm_tags.get(arn.rpartition(":")[2])

    def _list_tags(self, given: Given) -> Any:
        tags = self._tags_of(given)
        if tags is None:
            return Refusal("ResourceNotFound", "does not exist", 404)
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _tag(self, given: Given) -> Any:
        tags = self._tags_of(given)
        if tags is not None:
            tags |= _tags(given)
        return {}

    def _untag(self, given: Given) -> Any:
        tags = self._tags_of(given)
        for key in given.get("tagKeys") or given["TagKeys"]:
            if tags is not None:
                tags.pop(key, None)
        return {}


def _tags(given: Given) -> dict[str, str]:
    if "tags" in given:
        return dict(given["tags"])
    return {each["Key"]: each["Value"] for each in given["Tags"]}
