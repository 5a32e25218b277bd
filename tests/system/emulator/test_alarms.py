"""Alarms in an emulated account: made once, repaired, and removed with everything else."""

from __future__ import annotations

from tests.support.account import Account

ALARMS = {"email": "ops@example.com"}


def test_alarms_live_as_long_as_the_deployment(deployed: Account) -> None:
    """The second deploy changes nothing, what was changed by hand is restored, and nothing stays.

    The emulator refuses to delete the parts of a composite alarm before it, as AWS does.
    """
    cloudwatch, sns = deployed.client("cloudwatch"), deployed.client("sns")
    kinds = ["CompositeAlarm", "MetricAlarm"]

    made = deployed.deploy(alarms=ALARMS)
    second = deployed.plan(alarms=ALARMS)
    found = cloudwatch.describe_alarms(AlarmTypes=kinds)
    (topic,) = sns.list_topics()["Topics"]
    (subscribed,) = sns.list_subscriptions_by_topic(**topic)["Subscriptions"]
    cloudwatch.disable_alarm_actions(AlarmNames=["gimel.5xx"])
    repaired = deployed.deploy(alarms=ALARMS)
    deployed.destroy()

    assert (len(made.steps), second) == (11, ())
    assert len(found["MetricAlarms"]) == 7
    assert [each["AlarmName"] for each in found["CompositeAlarms"]] == ["gimel.no-events"]
    assert subscribed["Endpoint"] == ALARMS["email"]
    assert [sentence.split(":")[0] for sentence in repaired.sentences] == [
        "Update the alarm gimel.5xx"
    ]
    left = cloudwatch.describe_alarms(AlarmTypes=kinds)
    assert left["MetricAlarms"] == left["CompositeAlarms"] == sns.list_topics()["Topics"] == []
    assert not any(deployed.listing().values())


def test_without_alarms_neither_service_is_asked(deployed: Account) -> None:
    """Whoever does not use them needs no permission for that."""
    calls = deployed.deploy().calls

    assert not [call for call in calls if "Alarm" in call or "Topic" in call]
