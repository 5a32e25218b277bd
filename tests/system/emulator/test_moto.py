"""A second opinion on the calls: moto, which knows calls that ministack does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from gimel.deploy.resources.trials import TryVersions
from gimel.deploy.resources.usage_plan import AddStageToPlan
from tests.support.account import Account, variables
from tests.support.emulator import Emulator


class Moto(Account):
    """The account that moto emulates in this process."""

    def client(self, service: str) -> Any:
        return boto3.Session().client(service)  # type: ignore[call-overload]


@pytest.fixture
def moto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Moto]:
    for name, value in variables("").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr(TryVersions, "perform", lambda *_: None)  # moto runs no function
    with mock_aws():
        yield Moto(Emulator(""), tmp_path / "config.json", {"host": "127.0.0.1", "port": 1})


def test_a_deploy_converges_at_once_and_is_removed_as_a_whole(moto: Moto) -> None:
    """After a deploy and after a change nothing is left to do; after destroy nothing is left."""
    change = {
        "functions": {"gimel-track": {"memory": 256, "reserved_concurrency": 5}},
        "log_retention_days": 7,
    }
    first = moto.deploy()
    assert (len(first.calls), moto.plan()) == (72, ())
    assert moto.deploy(aws=change).steps
    assert moto.plan(aws=change) == ()
    moto.deploy()
    assert moto.plan() == ()

    moto.destroy()

    assert moto.destroy() == ()
    assert not any(moto.listing().values())


def test_a_usage_plan_that_lost_the_stage_gets_it_back(moto: Moto) -> None:
    """By UpdateUsagePlan, whose operation for this ministack does not know."""
    moto.deploy()
    gateway = moto.client("apigateway")
    (plan,) = gateway.get_usage_plans()["items"]
    gateway.update_usage_plan(
        usagePlanId=plan["id"],
        patchOperations=[{"op": "remove", "path": "/apiStages", "value": f"{moto.api()}:prod"}],
    )

    done = moto.deploy()

    assert done.steps == (AddStageToPlan(),)
    assert moto.plan() == ()
