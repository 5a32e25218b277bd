"""Two regions of one account, which share the role because IAM is global."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gimel.deploy.aws import Aws
from tests.support.account import REGION, Account, variables
from tests.support.configurations import OWN_FUNCTION
from tests.support.events import EVENT
from tests.support.recorded_calls import mutating

OTHER = "eu-west-1"
RESERVED: dict[str, Any] = {"aws": {"functions": {"gimel-track": {"reserved_concurrency": 5}}}}
NETWORK: dict[str, Any] = {"aws": {"vpc": {"subnets": ["subnet-a1"], "security_groups": ["sg-a1"]}}}

Go = Callable[[str], None]


@pytest.fixture
def go(monkeypatch: pytest.MonkeyPatch) -> Go:
    """Change the region that commands use."""
    return lambda region: monkeypatch.setenv("AWS_DEFAULT_REGION", region)


@pytest.mark.parametrize(
    "document",
    [{}, {"extra_wiring": [OWN_FUNCTION]}, RESERVED, NETWORK],
    ids=["the same", "another function", "concurrency", "network"],
)
def test_a_deploy_elsewhere_takes_nothing_from_the_first(
    account: Account, go: Go, document: dict[str, Any]
) -> None:
    """Each region's deployment matches its configuration, and stays so."""
    account.deploy(**document)
    go(OTHER)
    account.deploy()
    again = account.deploy()

    go(REGION)

    assert mutating(again.calls) == []
    assert account.plan(**document) == ()
    assert logs_of(account, REGION) >= {"gimel-track"}
    assert logs_of(account, OTHER) >= {"gimel-track"}


def test_what_left_the_wiring_here_stays_elsewhere(account: Account, go: Go) -> None:
    """A function's permission to write its log is removed in its region only."""
    account.deploy(extra_wiring=[OWN_FUNCTION])
    go(OTHER)
    account.deploy(extra_wiring=[OWN_FUNCTION])

    account.deploy()

    assert "our-experiment" not in logs_of(account, OTHER)
    assert "our-experiment" in logs_of(account, REGION)
    assert account.plan() == ()


def test_destroy_leaves_the_other_region_as_it_was(account: Account, go: Go) -> None:
    """Its role too, which the last destroy removes. An empty region is left alone."""
    account.deploy()
    go(OTHER)
    assert account.destroy() == ()
    account.deploy()

    done = account.destroy()

    assert f"Keep the role gimel for the deployments in {REGION}" in map(str, done)
    assert account.destroy() == ()
    assert account.client("lambda").list_functions()["Functions"] == []
    go(REGION)
    assert account.plan() == ()
    assert account.ask("track", **EVENT).body == {"status": "ok"}
    account.destroy()
    assert not any(account.listing().values())


@pytest.mark.parametrize("dual_stack", ["false", "true"])
@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1", "us-gov-west-1"])
def test_an_address_of_aws_is_not_an_emulator(
    monkeypatch: pytest.MonkeyPatch, region: str, dual_stack: str
) -> None:
    """Nor is a dual-stack one, which has another name."""
    for name, value in {**variables(""), "AWS_USE_DUALSTACK_ENDPOINT": dual_stack}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL")

    assert Aws(region=region).endpoint is None


def logs_of(account: Account, region: str) -> set[str]:
    """Return the functions of a region whose logs the role allows to write."""
    policy = account.client("iam").get_role_policy(RoleName="gimel", PolicyName="gimel")[
        "PolicyDocument"
    ]
    groups = [
        resource
        for statement in policy["Statement"]
        for resource in statement["Resource"]
        if f":logs:{region}:" in resource
    ]
    return {group.split("/")[-1].removesuffix(":*") for group in groups}
