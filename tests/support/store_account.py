"""A small AWS account in memory that may have a store on ElastiCache: no emulator, no client."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gimel import config
from gimel.deploy.aws import Aws
from gimel.deploy.desired import Desired, desired_state
from gimel.deploy.identity import Deployment, Identity
from gimel.deploy.plan import observe, plan
from gimel.deploy.resources.base import Look, Observed, Step
from gimel.deploy.resources.store_user import ACCESS
from tests.support.clock import Time

IDENTITY = Identity(
    "123456789012",
    "eu-west-1",
    "arn:aws:iam::123456789012:user/operator",
    deployment=Deployment("Shop"),
)
MARK = [{"Key": "gimel", "Value": "Shop"}]
GROUP = "sg-store"
MEMBERS = {
    "IpProtocol": "tcp",
    "FromPort": 6379,
    "ToPort": 6380,
    "UserIdGroupPairs": [{"GroupId": GROUP}],
}
CACHE = {
    "ServerlessCacheName": "shop",
    "Status": "available",
    "Endpoint": {"Address": "shop-abc.serverless.euw1.cache.amazonaws.com", "Port": 6379},
    "SubnetIds": ["subnet-2", "subnet-1"],
    "SecurityGroupIds": [GROUP],
    "UserGroupId": "shop",
    "SnapshotRetentionLimit": 7,
}
USER = {"AccessString": ACCESS, "Authentication": {"Type": "iam"}}
SECURITY_GROUP = {"GroupId": GROUP, "VpcId": "vpc-d", "Tags": MARK, "IpPermissions": [MEMBERS]}


class Account(Aws):
    """An account in memory: what its operations answer, by name. Everything else is empty."""

    def __init__(self, **answers: Any) -> None:
        self._identity = IDENTITY
        self.deployment = IDENTITY.deployment
        self.region = IDENTITY.region
        self.answers = {
            "describe_vpcs": [{"VpcId": "vpc-d"}],
            "simulate_principal_policy": {"EvaluationResults": []},
            **answers,
        }
        self.asked: list[str] = []
        self.called: list[tuple[str, dict[str, Any]]] = []
        self.waits: list[str] = []
        time = Time()
        self.sleep, self.clock = time.options["sleep"], time.options["clock"]
        self.on_wait = self.waits.append

    def find(self, service: str, operation: str, /, **parameters: Any) -> Any:
        self.asked.append(f"{service}:{operation}")
        self.called.append((operation, parameters))
        answer = self.answers.get(operation)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def call(self, service: str, operation: str, /, **parameters: Any) -> Any:
        return self.find(service, operation, **parameters) or {}

    def create(self, service: str, operation: str, created: Any, /, **parameters: Any) -> Any:
        return self.call(service, operation, **parameters)

    def pages(self, service: str, operation: str, /, **parameters: Any) -> Any:
        self.asked.append(f"{service}:{operation}")
        return self.answers.get(operation, [])


def complete(**answers: Any) -> Account:
    """Return an account that has the store, its users and its security group."""
    given = {
        "describe_serverless_caches": {"ServerlessCaches": [CACHE]},
        "describe_users": {"Users": [USER]},
        "describe_user_groups": {"UserGroups": [{"UserIds": ["shop"]}]},
        "describe_security_groups": [SECURITY_GROUP],
        "list_tags_for_resource": {"TagList": MARK},
    }
    return Account(**{**given, **answers})


Configure = Callable[..., Desired]
"""Return what a configuration asks for: a `redis` section, by default with a store, and `aws`."""


def configuring(folder: Path) -> Configure:
    """Return what reads configurations, with their file in a folder."""

    def configure(redis: dict[str, Any] | None = None, **aws: Any) -> Desired:
        redis = redis or {"provision": "valkey-serverless"}
        path = folder / "config.json"
        path.write_text(json.dumps({"redis": redis, "aws": {"name": "Shop", **aws}}))
        return desired_state(config.load(path), b"code")

    return configure


def seen(account: Account, desired: Desired | None, *, with_data: bool = False) -> Observed:
    return observe(Look(account, desired, with_data=with_data))


def planned(account: Account, desired: Desired) -> tuple[Step, ...]:
    return plan(desired, seen(account, desired))


def of_store(steps: tuple[Step, ...]) -> list[str]:
    """Return the sentences of the steps that concern the store and its network."""
    words = ("store", "security group", "user group")
    return [str(step) for step in steps if any(word in str(step) for word in words)]


RECORDED = {
    "get_role": {"Role": {"Arn": "arn:aws:iam::123456789012:role/Shop", "Tags": MARK}},
    "get_role_policy": {
        "PolicyDocument": {
            "Statement": [
                {
                    "Sid": "StoreEuWest1",
                    "Effect": "Allow",
                    "Action": ["elasticache:Connect"],
                    "Resource": [
                        "arn:aws:elasticache:eu-west-1:123456789012:serverlesscache:shop",
                        "arn:aws:elasticache:eu-west-1:123456789012:user:shop",
                    ],
                }
            ]
        }
    },
}
