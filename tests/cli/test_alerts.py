"""`gimel alerts`: where alerts go, and what the receivers answer to a test."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Done
from tests.support.receivers import receiving

Run = Callable[..., Done]
TOPIC = "arn:aws:sns:eu-west-1:123456789012:experiments"


def configure(home: Path, **alerts: str) -> None:
    (home / "config.json").write_text(json.dumps({"alerts": alerts}))


def test_without_receivers_it_says_how_to_configure_them(run: Run) -> None:
    """A test without a receiver is a failure: a script expects that something is sent."""
    shown, tested = run("alerts"), run("alerts", "--test")
    assert (shown.code, shown.stderr) == (0, "")
    assert "Set alerts.webhook or alerts.sns in config.json" in shown.stdout
    assert (tested.code, tested.stdout) == (1, "")
    assert tested.stderr.startswith("Error: No alerts are configured.\n")


def test_the_receivers_are_shown_without_what_is_secret(run: Run, tmp_path: Path) -> None:
    """The path of a webhook lets anyone write to the channel."""
    url = "https://hooks.slack.com/services/T0/B0/verysecret"
    configure(tmp_path, webhook=url, secret="anothersecret0000", sns=TOPIC)
    done = run("alerts")
    assert done.stdout == f"webhook  hooks.slack.com (signed)\nsns      {TOPIC}\n"
    configure(tmp_path, webhook=url)
    assert run("alerts").stdout == "webhook  hooks.slack.com (not signed)\n"


def test_a_test_arrives(run: Run, tmp_path: Path) -> None:
    """It says that it is one; what the receiver answers is printed."""
    with receiving() as receiver:
        configure(tmp_path, webhook=receiver.url)
        done = run("alerts", "--test")
    assert (done.code, done.stdout, done.stderr) == (0, "webhook: 200\n", "")
    (alert,) = receiver.alerts
    assert (alert["kind"], alert["sentence"]) == (
        "test",
        "Alerts from Gimel arrive here. No experiment has changed.",
    )


def test_one_receiver_that_fails_does_not_hide_the_other(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code is 1."""
    with receiving() as receiver, receiving() as sns:
        receiver.status, receiver.body = 404, "no_service"
        sns.body = (
            "<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult>"
            "</PublishResponse>"
        )
        monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", sns.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        configure(tmp_path, webhook=receiver.url, sns=TOPIC)
        done = run("alerts", "--test")
    assert done.code == 1
    assert done.stderr == "webhook: failed: it answered 404 no_service\n"
    assert done.stdout == "sns: accepted as message m-1\n"
