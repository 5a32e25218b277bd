"""Whether alerts can leave the network of the functions."""

from __future__ import annotations

from typing import Any

import pytest

from gimel.config import Config, Document
from gimel.deploy.checks.receivers import check_receivers
from gimel.wiring import WIRING

VPC = {"vpc": {"subnets": ["subnet-a1"], "security_groups": ["sg-a1"]}}
WEBHOOK = {"webhook": "https://hooks.example.com/verysecret"}
TOPIC = {"sns": "arn:aws:sns:eu-west-1:123456789012:t"}


def found(**document: Any) -> list[tuple[str, str, str]]:
    config = Config(None, Document.model_validate(document), WIRING)
    return [(each.status, each.message, each.hint) for each in check_receivers(config)]


@pytest.mark.parametrize(
    "document", [{"alerts": {**WEBHOOK, **TOPIC}}, {"aws": VPC}], ids=["no VPC", "no alerts"]
)
def test_most_deployments_have_nothing_to_check(document: dict[str, Any]) -> None:
    """The functions have the whole internet, or nothing to send."""
    assert found(**document) == []


@pytest.mark.parametrize(
    ("alerts", "names", "has_endpoint"),
    [
        (WEBHOOK, "alerts.webhook", False),
        (TOPIC, "alerts.sns", True),
        ({**WEBHOOK, **TOPIC}, "alerts.webhook and alerts.sns", False),
    ],
    ids=["webhook", "topic", "both"],
)
def test_a_vpc_needs_a_way_out(alerts: dict[str, str], names: str, has_endpoint: bool) -> None:
    """A warning and not a failure: the configuration does not show the routes of the subnets."""
    ((status, message, hint),) = found(aws=VPC, alerts=alerts)
    assert status == "warning"
    assert f"cannot reach {names} without a NAT gateway" in message
    assert ("endpoint for SNS" in hint) is has_endpoint
    assert "verysecret" not in message + hint
