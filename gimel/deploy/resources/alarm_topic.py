"""The SNS topic that sends alarms to an e-mail address, and its subscription.

AWS asks the owner of the address to confirm the subscription, and forgets it after two days without
an answer; the next deploy then subscribes the address again. A tag of the topic records a hash of
the address, so that the subscription of an earlier configuration is removed, and one that somebody
else made is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gimel.deploy.desired import Desired
from gimel.deploy.identity import Identity
from gimel.deploy.policies import ANY_RESOURCE, Permission
from gimel.deploy.resources.alarm_record import may_have_alarms
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.tag_record import tags_of_region
from gimel.deploy.resources.tags import MARK, as_pairs, marked, retag

ADDRESS = "gimel:email"


@dataclass(frozen=True)
class ObservedTopic:
    """The topic as it is: its tags, and the ARNs of its e-mail subscriptions by address.

    The ARN is "" until the owner of the address has confirmed the subscription.
    """

    tags: Mapping[str, str]
    subscriptions: Mapping[str, str]


class AlarmTopic(Resource[ObservedTopic | None]):
    """See the module. It is only made for an e-mail address."""

    def observe(self, look: Look) -> ObservedTopic | None:
        if not may_have_alarms(look):
            return None
        arn = topic_arn(look.identity)
        answer = look.aws.find("sns", "list_tags_for_resource", ResourceArn=arn)
        if answer is None:
            return None
        tags = {each["Key"]: each["Value"] for each in answer.get("Tags", ())}
        if tags.get(MARK) != look.identity.name:
            if look.desired is None or _address(look.desired):
                look.foreign.append(f"the SNS topic {arn}")
            return None
        listed = look.aws.pages("sns", "list_subscriptions_by_topic", TopicArn=arn)
        return ObservedTopic(
            {key: value for key, value in tags.items() if not key.startswith("aws:")},
            {
                each["Endpoint"]: _confirmed(each["SubscriptionArn"])
                for each in listed
                if each.get("Protocol") == "email"
            },
        )

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        address, topic = _address(desired), observed.of(self)
        if address is None:
            return
        if topic is None:
            tags = {**marked(observed.identity.name, desired.tags), ADDRESS: _hash(address)}
            yield CreateTopic(topic_name(observed.identity), tags)
        if topic is None or address not in topic.subscriptions:
            yield Subscribe(topic_name(observed.identity), address)

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        address, topic = _address(desired), observed.of(self)
        if topic is None:
            return
        if address is None:
            yield DeleteTopic(topic_name(observed.identity))
        elif topic.tags.get(ADDRESS) != _hash(address):
            for each, arn in topic.subscriptions.items():
                if arn and each != address and _hash(each) == topic.tags.get(ADDRESS):
                    yield Unsubscribe(topic_name(observed.identity), each, arn)
            yield RecordAddress(topic_name(observed.identity), _hash(address))

    def tag(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        if _address(desired) is not None and observed.of(self) is not None:
            tags = marked(observed.identity.name, desired.tags)
            arn = {"ResourceArn": topic_arn(observed.identity)}
            what = f"SNS topic {topic_name(observed.identity)}"
            yield from retag(what, "sns", arn, tags, tags_of_region(observed))

    def remove(self, observed: Observed) -> Iterator[Step]:
        if observed.of(self) is not None:
            yield DeleteTopic(topic_name(observed.identity))

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        if _address(desired) is None:
            return
        names = ["CreateTopic", "DeleteTopic", "ListSubscriptionsByTopic", "ListTagsForResource"]
        names += ["Subscribe", "TagResource", "UntagResource"]
        actions = tuple(f"sns:{name}" for name in names)
        yield Permission("AlarmTopic", actions, (topic_arn(identity),))
        # A subscription cannot be named in a policy.
        yield Permission("AlarmsAnywhere", ("sns:Unsubscribe",), ANY_RESOURCE)


ALARM_TOPIC = AlarmTopic()


def topic_name(identity: Identity) -> str:
    """Return the name of a deployment's topic."""
    return f"{identity.name}-alarms"


def topic_arn(identity: Identity) -> str:
    """Return the ARN of a deployment's topic."""
    return identity.topic(topic_name(identity))


def unconfirmed(desired: Desired, observed: Observed) -> str | None:
    """Return the address whose owner has yet to confirm the subscription, None without one."""
    address, topic = _address(desired), observed.of(ALARM_TOPIC)
    is_confirmed = topic is not None and address is not None and topic.subscriptions.get(address)
    return None if is_confirmed else address


def confirmation_notice(address: str) -> str:
    """Return what the owner of an address has to do."""
    return f"AWS sends {address} an e-mail: no alarm arrives there before its link is opened."


def _address(desired: Desired) -> str | None:
    section = desired.config.document.alarms
    return section.email if section else None


def _confirmed(arn: str) -> str:
    return arn if arn.startswith("arn:") else ""


def _hash(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class CreateTopic(Step):
    topic: str
    tags: Mapping[str, str]

    def __str__(self) -> str:
        return f"Create the SNS topic {self.topic}"

    def perform(self, run: Run) -> None:
        run.aws.call("sns", "create_topic", Name=self.topic, Tags=as_pairs(self.tags))


@dataclass(frozen=True)
class Subscribe(Step):
    topic: str
    address: str

    def __str__(self) -> str:
        return f"Subscribe {self.address} to the SNS topic {self.topic}"

    def perform(self, run: Run) -> None:
        topic = run.identity.topic(self.topic)
        run.aws.call("sns", "subscribe", TopicArn=topic, Protocol="email", Endpoint=self.address)


@dataclass(frozen=True)
class Unsubscribe(Step):
    topic: str
    address: str
    arn: str

    def __str__(self) -> str:
        return f"Unsubscribe {self.address} from the SNS topic {self.topic}"

    def perform(self, run: Run) -> None:
        run.aws.find("sns", "unsubscribe", SubscriptionArn=self.arn)


@dataclass(frozen=True)
class RecordAddress(Step):
    topic: str
    hash: str

    def __str__(self) -> str:
        return f"Tag the SNS topic {self.topic}: record the address"

    def perform(self, run: Run) -> None:
        tags = as_pairs({ADDRESS: self.hash})
        run.aws.call("sns", "tag_resource", ResourceArn=run.identity.topic(self.topic), Tags=tags)


@dataclass(frozen=True)
class DeleteTopic(Step):
    destructive = True

    topic: str

    def __str__(self) -> str:
        return f"Delete the SNS topic {self.topic} with its subscriptions"

    def perform(self, run: Run) -> None:
        run.aws.find("sns", "delete_topic", TopicArn=run.identity.topic(self.topic))
