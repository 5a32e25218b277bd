"""An SNS topic: what is published, and why not."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import moto
import pytest

from gimel.alerts.conditions import Kind
from gimel.alerts.http import NotSent
from gimel.alerts.messages import Alert
from gimel.alerts.receivers import Topic
from tests.support.receivers import receiving

ALERT = Alert("0123456789abcdef", Kind.SILENCE, "shop", "größe", "Nothing was counted.", 0)
NOW = 1_700_000_000.0
REGION, ACCOUNT = "eu-west-1", "123456789012"
ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:experiments"


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_DEFAULT_REGION": "us-east-1",  # not the topic's
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def emulated() -> Iterator[None]:
    with moto.mock_aws():
        yield


@pytest.mark.usefixtures("emulated")
def test_a_letter_is_published_in_the_region_of_the_topic() -> None:
    """A queue that subscribes gets what an e-mail would contain."""
    sns, sqs = boto3.client("sns", region_name=REGION), boto3.client("sqs", region_name=REGION)
    assert sns.create_topic(Name="experiments")["TopicArn"] == ARN
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
    sns.subscribe(TopicArn=ARN, Protocol="sqs", Endpoint=arn)

    said = Topic(ARN).send([ALERT], NOW)

    assert said.startswith("accepted as message ")
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    letter = json.loads(message["Body"])
    assert letter["Subject"] == "Gimel: No events: gr??e"
    assert letter["Message"] == "No events: “größe” in “shop”. Nothing was counted.\n"
    assert len(letter["MessageAttributes"]["id"]["Value"]) == 32


@pytest.mark.usefixtures("emulated")
def test_a_topic_that_does_not_exist() -> None:
    """The code of SNS is the reason."""
    with pytest.raises(NotSent, match="SNS answered NotFound"):
        Topic(ARN).send([ALERT], NOW)


def test_sns_is_asked_once_and_not_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing SNS is another run's concern."""
    with receiving() as sns:
        sns.status, sns.body = 500, "<Error/>"
        monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", sns.url)
        with pytest.raises(NotSent):
            Topic(ARN).send([ALERT], NOW)
    assert len(sns.requests) == 1


def test_without_credentials_the_reason_is_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """`gimel serve` has none unless somebody gives it some."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(NotSent, match="credentials"):
        Topic(ARN).send([ALERT], NOW)
