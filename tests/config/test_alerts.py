"""The keys `snapshots` and `alerts`: what is refused, and who gets the secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gimel import config

WEBHOOK = "https://hooks.slack.com/services/T0/B0/verysecret"
SECRET = "k" * 16
TOPIC = "arn:aws:sns:eu-west-1:123456789012:experiments"


def load(path: Path, **document: Any) -> config.Config:
    file = path / "config.json"
    file.write_text(json.dumps({"redis": {"host": "redis.example.com"}, **document}))
    return config.load(file)


@pytest.mark.parametrize(
    "alerts",
    [
        {},
        {"webhook": WEBHOOK, "secret": SECRET, "sns": TOPIC},
        {"webhook": "http://localhost:9000/hook?a=1"},
        {"webhook": "http://[::1]:9000"},
        {"sns": "arn:aws-cn:sns:cn-north-1:123456789012:a_b-C"},
    ],
    ids=["none", "all", "localhost", "IPv6", "China"],
)
def test_valid_receivers(tmp_path: Path, alerts: dict[str, str]) -> None:
    """What is accepted comes out as it was written."""
    section = load(tmp_path, alerts=alerts).document.alerts

    assert section.model_dump(exclude_none=True) == alerts
    assert section.is_on is bool(alerts)


@pytest.mark.parametrize(
    ("alerts", "said"),
    [
        ({"webhook": "http://example.com/verysecret"}, "http:// is allowed for localhost only"),
        ({"webhook": "hooks.slack.com/verysecret"}, "complete https:// URL"),
        ({"webhook": "https:///verysecret"}, "complete https:// URL"),
        ({"webhook": "https://a:verysecret@b.example"}, "without a user"),
        ({"webhook": "https://b.example/very secret"}, "without spaces"),
        ({"webhook": "https://bücher.example/verysecret"}, "ASCII"),
        ({"webhook": "https://b.example:port/verysecret"}, "complete https:// URL"),
        ({"webhook": ["verysecret"]}, "must be text"),
        ("https://b.example/verysecret", "alerts must be an object"),
        (["https://b.example/verysecret"], "alerts must be an object"),
        ({"secret": "verysecret-key-0"}, "must have a webhook, because it has a secret"),
        ({"webhook": WEBHOOK, "secret": "verysecret"}, "16 to 256"),
        ({"webhook": WEBHOOK, "secret": "very secret key of us"}, "no spaces"),
        ({"sns": "arn:aws:sns:eu-west-1:123456789012:t.fifo"}, "standard SNS topic"),
        ({"sns": "arn:aws:sqs:eu-west-1:123456789012:t"}, "standard SNS topic"),
        ({"url": "https://b.example/verysecret"}, "unknown key 'alerts.url'"),
    ],
    ids=str,
)
def test_what_cannot_work_is_refused_and_no_secret_is_quoted(
    tmp_path: Path, alerts: Any, said: str
) -> None:
    """Whoever knows the URL of a webhook can write to its channel."""
    with pytest.raises(config.ConfigError) as refused:
        load(tmp_path, alerts=alerts)

    assert said in str(refused.value)
    assert "verysecret" not in str(refused.value)


def test_alerts_need_the_snapshot_that_sends_them(tmp_path: Path) -> None:
    """Without the snapshot nothing would ever be sent; an empty section is fine."""
    with pytest.raises(config.ConfigError, match='must not be set with "snapshots": false'):
        load(tmp_path, snapshots=False, alerts={"sns": TOPIC})

    assert not load(tmp_path, snapshots=False, alerts={}).document.snapshots
    assert load(tmp_path).document.snapshots


def test_only_the_snapshot_function_gets_the_receivers(tmp_path: Path) -> None:
    """The settings of the other functions do not change, whatever is set."""
    alerts = {"webhook": WEBHOOK, "secret": SECRET, "sns": TOPIC}
    plain, with_alerts = load(tmp_path), load(tmp_path, snapshots=True, alerts=alerts)

    assert with_alerts.runtime_settings() == plain.runtime_settings()
    assert plain.snapshot_settings() == plain.runtime_settings()
    assert json.loads(with_alerts.snapshot_settings()) == {
        **json.loads(plain.runtime_settings()),
        "alerts": alerts,
    }
