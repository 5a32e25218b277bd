"""The alarms: which there are, how they are made, changed and removed, and who is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gimel.deploy.checks.health import check_alarms
from gimel.deploy.notices import notices
from gimel.deploy.policies import Policy
from gimel.errors import GimelError
from tests.support.alarm_account import TOPIC, AlarmAccount
from tests.support.aws import scripted
from tests.support.configurations import URL
from tests.support.state.cloud import HERE
from tests.support.state.seen import identity_of, operator_policy
from tests.support.state.settled import desired

OPS, DEV = "ops@example.com", "dev@example.com"
CONFIRMED = f"{TOPIC}:6be05739-b9ac-42c5-85b5-d98270a32702"
THEIR_TOPIC = "arn:aws:sns:us-east-1:123456789012:pager"
ON: dict[str, Any] = {"alarms": {"email": OPS}}
TO_DEV: dict[str, Any] = {"alarms": {"email": DEV}}
TO_TOPIC: dict[str, Any] = {"alarms": {"sns": THEIR_TOPIC}}
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


@pytest.fixture
def account() -> Iterator[AlarmAccount]:
    """An account without alarms."""
    with scripted() as script:
        yield AlarmAccount(script)


def test_without_the_section_there_are_none_and_nobody_is_asked(account: AlarmAccount) -> None:
    """A deployment that does not use alarms makes no call about them."""
    assert account.plan() == ()
    assert set(account.script.made) <= {"GetCallerIdentity"}


def test_they_are_made_and_then_nothing_is_left_to_do(account: AlarmAccount) -> None:
    """The record comes first, then the topic, and each alarm has the tags."""
    steps = account.plan(**ON)
    account.perform(*steps)

    assert [type(step).__name__ for step in steps] == [
        "RecordAlarms",
        "CreateTopic",
        "Subscribe",
        *["CreateAlarm"] * 8,
    ]
    assert tuple(account.alarms) == NAMES
    assert account.subscriptions == {OPS: "PendingConfirmation"}
    assert set(map(json.dumps, account.alarm_tags.values())) == {'{"gimel": "gimel"}'}
    assert account.plan(**ON) == ()


CHANGES = {
    "switched on": ({}, ON),
    "switched off": (ON, {}),
    "another address": (ON, TO_DEV),
    "a topic instead": (ON, TO_TOPIC),
    "an address instead": (TO_TOPIC, ON),
    "a URL removed": (WITH_URL, ON),
    "tags": (ON, {**ON, "aws": {"tags": {"team": "web"}}}),
}


@pytest.mark.parametrize(("before", "now"), CHANGES.values(), ids=CHANGES)
def test_a_change_that_was_interrupted_is_completed(
    before: dict[str, Any], now: dict[str, Any]
) -> None:
    """Whatever step was the last one, the next deploy leads to the same end."""

    def changed(done: int) -> tuple[int, Any]:
        with scripted() as script:
            account = AlarmAccount(script)
            account.perform(*account.plan(**before))
            for address in account.subscriptions:
                account.subscriptions[address] = f"{TOPIC}:{address}"
            steps = account.plan(**now)
            account.perform(*steps[:done])
            if done < len(steps):
                account.perform(*account.plan(**now))
            assert _of_alarms(account.plan(**now)) == []
            return len(steps), account.state()

    number, end = changed(99)
    for done in range(number):
        assert changed(done) == (number, end)


def _of_alarms(steps: Any) -> list[Any]:
    return [step for step in steps if "alarm" in str(step).lower()]


def test_everything_is_removed(account: AlarmAccount) -> None:
    """By a deploy without the section, and by a destroy, which reads no configuration."""
    account.perform(*account.plan(**ON))
    account.perform(*account.plan_destroy(**ON))
    assert (account.alarms, account.topic) == ({}, None)

    account.perform(*account.plan(**ON))
    account.perform(*account.plan())
    assert (account.alarms, account.topic, account.is_recorded) == ({}, None, False)
    account.script.made.clear()
    assert account.plan() == ()
    assert account.script.made == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("gimel.5xx", {"Threshold": 0.5}),
        ("gimel.5xx", {"ActionsEnabled": False}),
        ("gimel.5xx", {"AlarmActions": []}),
        ("gimel.no-events", {"AlarmRule": "FALSE"}),
        ("gimel.busy", {"Metrics": []}),
    ],
)
def test_what_was_changed_by_hand_is_restored(
    account: AlarmAccount, name: str, change: dict[str, Any]
) -> None:
    """Each deviation has one step."""
    account.perform(*account.plan(**ON))
    as_made = dict(account.alarms[name])
    account.alarms[name] |= change

    steps = account.plan(**ON)
    account.perform(*steps)

    assert [str(step).split(":")[0] for step in steps] == [f"Update the alarm {name}"]
    assert account.alarms[name] == as_made


def test_what_aws_adds_to_an_alarm_is_no_difference(account: AlarmAccount) -> None:
    """Labels, other keys and another order of the metrics and of the receivers."""
    both = {"alarms": {"email": OPS, "sns": THEIR_TOPIC}}
    account.perform(*account.plan(**both))
    alarm = account.alarms["gimel.track-errors"]
    alarm["InsufficientDataActions"] = []
    alarm["Metrics"] = [{**each, "Label": "errors"} for each in reversed(alarm["Metrics"])]
    assert len(alarm["AlarmActions"]) == 2
    alarm["AlarmActions"] = alarm["AlarmActions"][::-1]

    assert account.plan(**both) == ()


def test_a_subscription_that_was_never_confirmed_is_made_again(account: AlarmAccount) -> None:
    """AWS forgets it after two days."""
    account.perform(*account.plan(**ON))
    account.subscriptions.clear()

    assert [type(step).__name__ for step in account.plan(**ON)] == ["Subscribe"]


def test_the_subscription_of_somebody_else_stays(account: AlarmAccount) -> None:
    """Only the address of the earlier configuration is unsubscribed."""
    account.perform(*account.plan(**ON))
    account.subscriptions = {OPS: CONFIRMED, "boss@example.com": f"{CONFIRMED}1"}

    account.perform(*account.plan(**TO_DEV))

    assert set(account.subscriptions) == {DEV, "boss@example.com"}
    account.subscriptions[DEV] = f"{CONFIRMED}2"
    account.perform(*account.plan(**ON))
    assert set(account.subscriptions) == {OPS, "boss@example.com"}


def test_an_alarm_of_somebody_else_is_not_touched(account: AlarmAccount) -> None:
    """One without Gimel's tag, before Gimel has made any; nor is a topic."""
    account.alarms["gimel.5xx"] = {"AlarmName": "gimel.5xx", "Threshold": 9.0}
    account.alarm_tags["gimel.5xx"] = {}
    account.topic = {}

    with pytest.raises(GimelError) as raised:
        account.plan(**ON)

    assert f"the CloudWatch alarm {identity_of(HERE).alarm('gimel.5xx')}" in raised.value.message
    assert f"the SNS topic {TOPIC}" in raised.value.message


def test_the_price_and_the_confirmation_are_said_before(account: AlarmAccount) -> None:
    """Until the owner of the address has agreed."""
    wanted = desired(**ON)

    before = [each.text for each in notices(wanted, account.observe(wanted, ON))]
    account.perform(*account.plan(**ON))
    pending = [each.text for each in notices(wanted, account.observe(wanted, ON))]
    account.subscriptions[OPS] = CONFIRMED
    after = [each.text for each in notices(wanted, account.observe(wanted, ON))]

    confirm = f"AWS sends {OPS} an e-mail: no alarm arrives there before its link is opened."
    assert before[0].startswith("8 alarms cost about $1.30 a month")
    assert (before[1:], pending, after) == ([confirm], [confirm], [])


def test_an_alarm_that_is_on_is_a_failed_check(account: AlarmAccount) -> None:
    """The parts of another one are not: every night may have a quiet hour.

    A reason may be anyone's text, which must not change the terminal.
    """
    account.perform(*account.plan(**ON))
    observed = account.observe(desired(**ON), ON)
    assert [each.message for each in check_alarms(observed)] == ["none of 8 is on"]

    def described(given: Any) -> Any:
        answer = account._describe_alarms(given)
        for each in answer["MetricAlarms"]:
            if each["AlarmName"] in ("gimel.silent", "gimel.5xx"):
                each |= {"StateValue": "ALARM", "StateReason": "why\x1b[2J"}
        return answer

    account.script.answers = {**account.script.answers, "DescribeAlarms": described}
    found = list(check_alarms(account.observe(desired(**ON), ON)))
    assert [(each.status, each.name, each.message) for each in found] == [
        ("failed", "alarm gimel.5xx", "why\\x1b[2J")
    ]


def allowed(policy: Policy) -> set[str]:
    """Return the actions that a policy allows on CloudWatch and SNS."""
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    return {each for each in actions if each.startswith(("sns:", "cloudwatch:"))}


def test_the_permissions_are_those_of_the_calls() -> None:
    """No more and no less, over a whole life with every change; nothing without alarms."""
    called: set[str] = set()
    with scripted() as script:
        account = AlarmAccount(script)
        account.alarm_tags["gimel.5xx"] = {"gimel": "gimel"}
        account.alarms["gimel.5xx"] = {"AlarmName": "gimel.5xx"}
        tagged = {**TO_DEV, "aws": {"tags": {"team": "web"}}}
        for document in (ON, TO_DEV, tagged, TO_DEV, {}):
            account.perform(*account.plan(**document))
            for address in account.subscriptions:
                account.subscriptions[address] = f"{TOPIC}:{address}"
        for operation, given in zip(script.made, script.given, strict=True):
            about = str(given)
            if "Topic" in operation or "ubscri" in operation or given.get("ResourceArn") == TOPIC:
                called.add(f"sns:{operation}")
            elif "Alarm" in operation or ":alarm:" in about:
                called.add(f"cloudwatch:{operation}")

    policy = operator_policy(HERE, desired(**ON))
    assert allowed(policy) - {"cloudwatch:GetMetricData"} == called
    assert allowed(operator_policy(HERE, desired())) == {"cloudwatch:GetMetricData"}
