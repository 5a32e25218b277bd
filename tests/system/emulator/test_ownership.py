"""What has one of Gimel's names and is not Gimel's: refused before anything changes, left alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gimel.deploy import bundle
from gimel.errors import GimelError
from tests.support.account import Account

Create = Callable[[Account], Any]


def role(account: Account, name: str = "gimel", service: str = "ec2.amazonaws.com") -> Any:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    tags = [{"Key": "team", "Value": "theirs"}]
    made = account.client("iam").create_role(
        RoleName=name, AssumeRolePolicyDocument=trust, Tags=tags
    )
    return made["Role"]["Arn"]


def role_of_lambda(account: Account) -> Any:
    arn = role(account, service="lambda.amazonaws.com")
    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
        }
    )
    account.client("iam").put_role_policy(
        RoleName="gimel", PolicyName="gimel", PolicyDocument=policy
    )
    return arn


def function(account: Account) -> None:
    account.client("lambda").create_function(
        FunctionName="gimel-track",
        Role=role(account, "theirs"),
        Runtime="python3.13",
        Handler="app.track",
        Code={"ZipFile": bundle.build()},
        Publish=True,
    )


def log_group(account: Account) -> None:
    account.client("logs").create_log_group(
        logGroupName="/aws/lambda/gimel-track", tags={"team": "theirs"}
    )


def api(account: Account) -> None:
    account.client("apigateway").create_rest_api(name="gimel", description="of somebody else")


def key(account: Account) -> None:
    account.client("apigateway").create_api_key(name="gimel", description="of somebody else")


def plan(account: Account) -> None:
    gateway = account.client("apigateway")
    other = gateway.create_rest_api(name="theirs")["id"]
    (root,) = gateway.get_resources(restApiId=other)["items"]
    gateway.put_method(
        restApiId=other, resourceId=root["id"], httpMethod="GET", authorizationType="NONE"
    )
    gateway.put_integration(restApiId=other, resourceId=root["id"], httpMethod="GET", type="MOCK")
    gateway.create_deployment(restApiId=other, stageName="prod")
    gateway.create_usage_plan(name="gimel", apiStages=[{"apiId": other, "stage": "prod"}])


def rule(account: Account) -> None:
    account.client("events").put_rule(Name="gimel-snapshot", ScheduleExpression="rate(1 hour)")


FOREIGN = [role, role_of_lambda, function, log_group, api, key, plan, rule]


def everything(account: Account) -> Any:
    """Return the account's contents with the roles' trust and tags, as bytes."""
    found = account.listing()
    iam = account.client("iam")
    found["roles in full"] = [iam.get_role(RoleName=name)["Role"] for name in found["roles"]]
    return json.dumps(found, sort_keys=True, default=str)


@pytest.mark.parametrize("create", FOREIGN)
def test_what_is_somebody_elses_is_refused_and_left_alone(account: Account, create: Create) -> None:
    """A deploy that finds it changes nothing, and a destroy does not touch it."""
    create(account)
    before = everything(account)

    with pytest.raises(GimelError, match="not created by Gimel"):
        account.deploy()
    after_deploy = everything(account)
    assert account.destroy() == ()

    assert after_deploy == before
    assert everything(account) == before


@pytest.mark.parametrize("create", [api, key, plan])
def test_what_is_somebody_elses_stays_beside_a_deployment(account: Account, create: Create) -> None:
    """These names need not be unique. Deploying, changing and destroying leave them alone."""
    create(account)
    before = everything(account)
    account.emulator.reset()
    account.deploy()
    create(account)

    account.deploy(aws={"tags": {"team": "web"}})
    account.deploy()
    account.destroy()

    assert _without_ids(everything(account)) == _without_ids(before)


def _without_ids(text: str) -> Any:
    found = json.loads(text)
    return {name: len(found[name]) for name in found}
