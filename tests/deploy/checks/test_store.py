"""What is checked of a store that Gimel creates, and the permissions that it takes."""

from __future__ import annotations

import datetime
import io
from pathlib import Path
from typing import Any

import pytest

from gimel.deploy.aws_errors import Refused
from gimel.deploy.checks.permissions import check_permissions
from gimel.deploy.checks.preflight import preflight
from gimel.deploy.checks.store import check_created_store
from gimel.deploy.desired import Desired
from gimel.deploy.plan import required_permissions
from tests.support.store_account import (
    IDENTITY,
    Account,
    Configure,
    configuring,
)


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    return configuring(tmp_path)


@pytest.mark.parametrize("has_store", [True, False])
def test_preflight_asks_iam_about_the_role_of_elasticache(
    configure: Configure, has_store: bool
) -> None:
    """With the service that may get it: a policy without the condition would allow any."""
    account = Account()
    wanted = configure() if has_store else configure({"host": "redis.example.com"})
    check_permissions(account, IDENTITY, wanted, before_deploy=True)

    keys = {
        entry["ContextKeyName"]
        for operation, asked in account.called
        if operation == "simulate_principal_policy"
        for entry in asked["ContextEntries"]
    }
    assert keys == {"iam:PassedToService", *(["iam:AWSServiceName"] if has_store else [])}


INVOKED = {"Payload": io.BytesIO(b'"deleted"')}
NOT_DEPLOYED = Refused("ResourceNotFoundException", "no such function")
TWO_ZONES = [{"AvailabilityZone": "eu-west-1a"}, {"AvailabilityZone": "eu-west-1b"}]


@pytest.mark.parametrize(
    ("answers", "status", "message"),
    [
        ({"invoke": INVOKED}, "ok", "shop on ElastiCache answers the functions"),
        (
            {
                "invoke": {
                    "FunctionError": "Unhandled",
                    "Payload": io.BytesIO(b'{"errorMessage": "no connection to Redis"}'),
                }
            },
            "failed",
            "The function Shop-delete-experiment does not work in what is live: no connection to "
            "Redis.",
        ),
        (
            {"invoke": Refused("AccessDeniedException", "AWS does not allow it")},
            "warning",
            "not checked: AWS does not allow it",
        ),
        (
            {"invoke": NOT_DEPLOYED, "describe_subnets": TWO_ZONES},
            "ok",
            "not created yet; the default VPC has subnets in eu-west-1a, eu-west-1b",
        ),
        (
            {"invoke": NOT_DEPLOYED, "describe_subnets": TWO_ZONES[:1]},
            "failed",
            "the default VPC has subnets in only one availability zone, eu-west-1a",
        ),
        (
            {"invoke": NOT_DEPLOYED},
            "failed",
            "There is no default VPC in eu-west-1, in which the store could be created.",
        ),
    ],
    ids=["works", "broken", "denied", "not deployed", "one zone", "no VPC"],
)
def test_preflight_asks_a_function(
    configure: Configure, answers: dict[str, Any], status: str, message: str
) -> None:
    """This machine cannot reach the store. Before the first deploy, its network is checked."""
    (finding,) = check_created_store(Account(**answers), configure().config)

    assert (finding.status, finding.message) == (status, message)


def test_preflight_does_not_connect_to_a_store(configure: Configure) -> None:
    """Neither before a deploy, which tries the functions itself, nor without AWS."""
    wanted, today = configure().config, datetime.date(2026, 11, 26)
    (finding,) = [each for each in preflight(wanted, None, today) if each.name == "store"]
    assert finding.status == "warning"
    account = Account()
    (finding,) = check_created_store(account, wanted, before_deploy=True)
    assert (finding.status, account.asked) == ("ok", [])


def test_permissions_about_stores_are_asked_for_only_with_one(configure: Configure) -> None:
    """A configuration with another Redis needs none for ElastiCache and EC2."""

    def actions(wanted: Desired) -> set[str]:
        policy = required_permissions(IDENTITY, wanted)
        return {action for each in policy["Statement"] for action in each["Action"]}

    assert not [
        each
        for each in actions(configure({"host": "redis.example.com"}))
        if each.startswith(("elasticache:", "ec2:"))
    ]
    assert "elasticache:CreateServerlessCacheSnapshot" in actions(configure())
