"""The store on ElastiCache: what a plan does about it, by values and a small account in memory."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from gimel.deploy.desired import Desired
from gimel.deploy.resources.base import Run
from gimel.deploy.resources.functions import CreateFunction
from gimel.deploy.resources.role_policy import PutRolePolicy
from gimel.deploy.resources.store import CreateStore, WaitForStore
from gimel.deploy.resources.trials import TryVersions
from gimel.errors import GimelError
from tests.support.store_account import (
    CACHE,
    GROUP,
    IDENTITY,
    MEMBERS,
    SECURITY_GROUP,
    USER,
    Account,
    Configure,
    complete,
    configuring,
    of_store,
    planned,
)


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    return configuring(tmp_path)


def test_the_store_comes_after_its_record_and_before_the_functions(configure: Configure) -> None:
    """Whatever is created can be found again: the role's policy, which records it, comes first."""
    steps = planned(Account(), configure())

    assert of_store(steps) == [
        "Create the security group Shop in vpc-d",
        "Admit only members of the security group Shop to ports 6379 and 6380",
        "Create the user shop of the store, which logs in by IAM",
        "Create the user group shop, which admits only this user to the store",
        "Create the store shop: ElastiCache Serverless for Valkey, at most 1 GB and 10,000 ECPUs "
        "per second",
        "Wait until the store shop is available, a few minutes",
    ]
    kinds = [type(step) for step in steps]
    assert kinds.index(PutRolePolicy) < kinds.index(CreateStore) < kinds.index(CreateFunction)
    (policy,) = (each for each in steps if isinstance(each, PutRolePolicy))
    allowed = {each["Sid"]: each for each in policy.policy["Statement"]}
    assert "NetworkEuWest1" in allowed
    assert allowed["StoreEuWest1"]["Action"] == ["elasticache:Connect"]
    assert allowed["StoreEuWest1"]["Resource"] == [
        "arn:aws:elasticache:eu-west-1:123456789012:serverlesscache:shop",
        "arn:aws:elasticache:eu-west-1:123456789012:user:shop",
    ]


def test_functions_get_what_aws_has_chosen(configure: Configure) -> None:
    """Whether the store existed before, or has just become available: no placeholder is left."""
    wanted = configure()
    before = planned(complete(), wanted)
    run = Run(complete(), IDENTITY, {"security group": GROUP})
    WaitForStore("shop").perform(run)

    created = next(step for step in before if isinstance(step, CreateFunction))
    later = wanted.functions[0].configuration.reaching(run.ids)
    for found in (created.function.configuration, later):
        assert found.subnets == ("subnet-1", "subnet-2")
        assert found.security_groups == (GROUP,)
        assert json.loads(found.settings or "")["redis"] == {
            "host": "shop-abc.serverless.euw1.cache.amazonaws.com",
            "ssl": True,
            "username": "shop",
            "iam": "shop",
            "cluster": True,
        }


def test_an_interrupted_deploy_is_continued_under_its_number(configure: Configure) -> None:
    """Its fingerprint does not depend on whether the store existed when it was planned."""
    wanted = configure()
    reached = wanted.reaching({"store endpoint": "h:6379", "security group": "sg-1"})

    assert reached.functions != wanted.functions
    assert reached.fingerprint == wanted.fingerprint


def test_a_store_that_is_as_it_should_be_takes_no_step(configure: Configure) -> None:
    """A second deploy finds everything in order."""
    assert of_store(planned(complete(), configure())) == []


@pytest.mark.parametrize(
    ("answers", "sentences"),
    [
        (
            {
                "describe_serverless_caches": {
                    "ServerlessCaches": [{**CACHE, "UserGroupId": "theirs"}]
                }
            },
            ["Update the store shop: user group shop"],
        ),
        (
            {
                "describe_serverless_caches": {
                    "ServerlessCaches": [
                        {**CACHE, "SnapshotRetentionLimit": 0, "SecurityGroupIds": []}
                    ]
                }
            },
            ["Update the store shop: security group Shop, snapshots daily, kept for 7 days"],
        ),
        (
            {"describe_users": {"Users": [{**USER, "AccessString": "on ~* +@all"}]}},
            ["Limit the user shop of the store to what Gimel needs"],
        ),
        (
            {"describe_user_groups": {"UserGroups": [{"UserIds": ["shop", "theirs"]}]}},
            ["Admit only the user shop to the store"],
        ),
        (
            {
                "describe_security_groups": [
                    {
                        **SECURITY_GROUP,
                        "IpPermissions": [
                            MEMBERS,
                            {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
                        ],
                    }
                ]
            },
            ["Remove the other inbound rules of the security group Shop"],
        ),
        (
            {"describe_security_groups": [{**SECURITY_GROUP, "IpPermissions": []}]},
            ["Admit only members of the security group Shop to ports 6379 and 6380"],
        ),
        (
            {
                "describe_serverless_caches": {
                    "ServerlessCaches": [{**CACHE, "Status": "creating", "Endpoint": None}]
                }
            },
            ["Wait until the store shop is available, a few minutes"],
        ),
        (
            {
                "describe_serverless_caches": {
                    "ServerlessCaches": [{**CACHE, "Status": "create-failed", "Endpoint": None}]
                }
            },
            [
                "Delete the store shop",
                "Create the store shop: ElastiCache Serverless for Valkey, at most 1 GB and "
                "10,000 ECPUs per second",
                "Wait until the store shop is available, a few minutes",
            ],
        ),
    ],
    ids=[
        "another user group",
        "open and without snapshots",
        "a user who may do more",
        "another user",
        "open to the internet",
        "open to nobody",
        "still being created",
        "failed",
    ],
)
def test_what_differs_is_repaired(
    configure: Configure, answers: dict[str, Any], sentences: list[str]
) -> None:
    """One sentence per deviation, and no other step."""
    assert of_store(planned(complete(**answers), configure())) == sentences


def test_raised_limits_stay(configure: Configure) -> None:
    """Who needs more than the limits of a new store raises them in AWS's console."""
    limits = {"DataStorage": {"Maximum": 5, "Unit": "GB"}}
    account = complete(
        describe_serverless_caches={"ServerlessCaches": [{**CACHE, "CacheUsageLimits": limits}]}
    )

    assert of_store(planned(account, configure())) == []


@pytest.mark.parametrize("what", ["describe_serverless_caches", "describe_users"])
def test_what_is_somebody_elses_is_not_touched(configure: Configure, what: str) -> None:
    """A cache, a user or a user group that has the name and not the tag."""
    answers = {what: complete().answers[what], "list_tags_for_resource": {"TagList": []}}

    with pytest.raises(GimelError, match=r"were not created by Gimel: the .*elasticache.*:shop"):
        planned(Account(**answers), configure())


def test_a_security_group_of_somebody_elses_is_not_touched(configure: Configure) -> None:
    """The plan fails; a group of that name in another VPC does not matter."""
    theirs = {**SECURITY_GROUP, "Tags": []}
    with pytest.raises(GimelError, match=r"not created by Gimel: the security group .*sg-store"):
        planned(Account(describe_security_groups=[theirs]), configure())
    elsewhere = {**theirs, "VpcId": "vpc-other"}
    assert planned(Account(describe_security_groups=[elsewhere]), configure())


def test_without_a_default_vpc_the_plan_says_what_to_do(configure: Configure) -> None:
    """The hint names the command that creates one."""
    with pytest.raises(GimelError) as raised:
        planned(Account(describe_vpcs=[]), configure())
    assert raised.value.message == (
        "There is no default VPC in eu-west-1, in which the store could be created."
    )
    assert "create-default-vpc" in raised.value.hint


SUBNETS = [
    {"SubnetId": "subnet-a", "VpcId": "vpc-1", "AvailabilityZone": "eu-west-1a"},
    {"SubnetId": "subnet-a2", "VpcId": "vpc-1", "AvailabilityZone": "eu-west-1a"},
    {"SubnetId": "subnet-b", "VpcId": "vpc-1", "AvailabilityZone": "eu-west-1b"},
]
VPC = {"subnets": ["subnet-a", "subnet-a2", "subnet-b"], "security_groups": ["sg-out"]}


def test_in_a_vpc_of_the_configuration_its_subnets_are_used(configure: Configure) -> None:
    """The functions are in all of them, the store in one of each zone."""
    steps = planned(Account(describe_subnets=SUBNETS), configure(vpc=VPC))

    assert "Create the security group Shop in vpc-1" in of_store(steps)
    (create,) = (step for step in steps if isinstance(step, CreateStore))
    assert create.subnets == ("subnet-a", "subnet-b")
    function = next(step for step in steps if isinstance(step, CreateFunction)).function
    found = function.configuration.reaching({"security group": GROUP, "store subnets": "subnet-x"})
    assert found.subnets == ("subnet-a", "subnet-a2", "subnet-b")
    assert found.security_groups == ("sg-out", GROUP)


def test_a_store_cannot_move_to_another_vpc(configure: Configure) -> None:
    """The plan fails and names both VPCs."""
    with pytest.raises(GimelError, match=r"is in vpc-d and cannot move, but .* are in vpc-1"):
        planned(complete(describe_subnets=SUBNETS), configure(vpc=VPC))


def test_waiting_is_shown_and_ends(configure: Configure) -> None:
    """With the seconds so far. A new store may be unknown at first.

    One that fails, disappears, or is never available ends it.
    """
    creating = {"ServerlessCaches": [{**CACHE, "Status": "creating", "Endpoint": None}]}
    account = Account(describe_serverless_caches=[None, creating, {"ServerlessCaches": [CACHE]}])
    WaitForStore("shop").perform(Run(account, IDENTITY))
    assert account.waits == [
        "the store shop is not available yet (0 s so far)",
        "the store shop is not available yet (2 s so far)",
    ]
    failed = {"ServerlessCaches": [{**CACHE, "Status": "create-failed"}]}
    could_not = "could not create"
    for answer, message in (
        (failed, could_not),
        (None, could_not),
        (creating, "after 30 minutes"),
    ):
        run = Run(Account(describe_serverless_caches=answer), IDENTITY)
        with pytest.raises(GimelError, match=message):
            WaitForStore("shop").perform(run)


def test_a_login_that_is_refused_is_tried_again(configure: Configure) -> None:
    """ElastiCache learns late of a role's permissions; a Redis with a password knows its own."""

    def refused() -> dict[str, Any]:
        message = b'{"errorMessage": "WRONGPASS invalid username-password pair"}'
        return {"FunctionError": "Unhandled", "Payload": io.BytesIO(message)}

    def tried(account: Account, wanted: Desired) -> None:
        (step,) = [each for each in planned(account, wanted) if isinstance(each, TryVersions)]
        step.perform(Run(account, IDENTITY))

    account = complete(invoke=[refused(), refused(), {"Payload": io.BytesIO(b'"deleted"')}])
    tried(account, configure())
    assert len(account.waits) == 2

    account = complete(invoke=[refused() for _ in range(20)])
    with pytest.raises(GimelError, match=r"does not work .* WRONGPASS"):
        tried(account, configure())
    assert len(account.waits) == 12
    account = Account(invoke=[refused()])
    with pytest.raises(GimelError, match=r"does not work .* WRONGPASS"):
        tried(account, configure({"host": "redis.example.com"}))
    assert account.waits == []


def test_a_deployment_without_a_store_makes_no_call_about_one(configure: Configure) -> None:
    """It asks neither ElastiCache nor EC2."""
    account = Account()
    steps = planned(account, configure({"host": "redis.example.com"}))

    assert not [each for each in account.asked if each.startswith(("elasticache", "ec2"))]
    assert of_store(steps) == []
