"""The store on ElastiCache: what a plan does about it, by values and a small account in memory."""

from __future__ import annotations

import datetime
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gimel import config
from gimel.deploy.aws import Aws
from gimel.deploy.aws_errors import Refused
from gimel.deploy.checks.permissions import check_permissions
from gimel.deploy.checks.preflight import preflight
from gimel.deploy.checks.store import check_store
from gimel.deploy.desired import Desired, desired_state
from gimel.deploy.identity import Deployment, Identity
from gimel.deploy.notices import notices
from gimel.deploy.plan import observe, plan, plan_destroy, required_permissions
from gimel.deploy.resources.base import Look, Observed, Run, Step
from gimel.deploy.resources.functions import CreateFunction
from gimel.deploy.resources.role_policy import PutRolePolicy
from gimel.deploy.resources.security_group import DeleteGroup
from gimel.deploy.resources.store import CreateStore, DeleteStore, UpdateStore, WaitForStore
from gimel.deploy.resources.store_user import ACCESS
from gimel.errors import GimelError
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


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Return what a configuration with a store asks for."""

    def configure(redis: dict[str, Any] | None = None, **aws: Any) -> Desired:
        redis = redis or {"provision": "valkey-serverless"}
        document = {"redis": redis, "aws": {"name": "Shop", **aws}}
        path = tmp_path / "config.json"
        path.write_text(json.dumps(document))
        return desired_state(config.load(path), b"code")

    return configure


def seen(account: Account, desired: Desired | None, **options: bool) -> Observed:
    return observe(Look(account, desired, **options))


def planned(account: Account, desired: Desired) -> tuple[Step, ...]:
    return plan(desired, seen(account, desired))


def of_store(steps: tuple[Step, ...]) -> list[str]:
    """Return the sentences of the steps that concern the store and its network."""
    words = ("store", "security group", "user group")
    return [str(step) for step in steps if any(word in str(step) for word in words)]


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
    theirs = {**SECURITY_GROUP, "Tags": []}
    with pytest.raises(GimelError, match=r"not created by Gimel: the security group .*sg-store"):
        planned(Account(describe_security_groups=[theirs]), configure())
    elsewhere = {**theirs, "VpcId": "vpc-other"}
    assert planned(Account(describe_security_groups=[elsewhere]), configure())


def test_without_a_default_vpc_the_plan_says_what_to_do(configure: Configure) -> None:
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
    with pytest.raises(GimelError, match=r"is in vpc-d and cannot move, but .* are in vpc-1"):
        planned(complete(describe_subnets=SUBNETS), configure(vpc=VPC))


def test_waiting_is_shown_and_ends(configure: Configure) -> None:
    """With the seconds so far. A store that fails, or is never available, ends it."""
    creating = {"ServerlessCaches": [{**CACHE, "Status": "creating", "Endpoint": None}]}
    account = Account(
        describe_serverless_caches=[creating, creating, {"ServerlessCaches": [CACHE]}]
    )
    WaitForStore("shop").perform(Run(account, IDENTITY))
    assert account.waits == [
        "the store shop is not available yet (0 s so far)",
        "the store shop is not available yet (2 s so far)",
    ]
    failed = {"ServerlessCaches": [{**CACHE, "Status": "create-failed"}]}
    for answer, message in ((failed, "could not create"), (creating, "after 30 minutes")):
        run = Run(Account(describe_serverless_caches=answer), IDENTITY)
        with pytest.raises(GimelError, match=message):
            WaitForStore("shop").perform(run)


def test_a_deployment_without_a_store_makes_no_call_about_one(configure: Configure) -> None:
    account = Account()
    steps = planned(account, configure({"host": "redis.example.com"}))

    assert not [each for each in account.asked if each.startswith(("elasticache", "ec2"))]
    assert of_store(steps) == []


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


def test_a_store_that_is_no_longer_used_is_kept_and_known(configure: Configure) -> None:
    """It stays recorded, also where this user may not look at it; the plan says what it costs."""
    wanted = configure({"host": "redis.example.com"})
    denied = Refused("AccessDenied", "no")
    for account in (complete(**RECORDED), Account(**RECORDED, describe_serverless_caches=denied)):
        observed = seen(account, wanted)
        steps = plan(wanted, observed)

        assert of_store(steps) == []
        final = [each for each in steps if isinstance(each, PutRolePolicy)][-1]
        assert "StoreEuWest1" in [each["Sid"] for each in final.policy["Statement"]]
        (notice,) = notices(wanted, observed)
        assert notice.text.startswith("The store shop on ElastiCache and its counts are kept")
        assert "ec2:describe_security_groups" not in account.asked


def test_the_record_of_a_store_that_somebody_deleted_goes(configure: Configure) -> None:
    steps = planned(Account(**RECORDED), configure({"host": "redis.example.com"}))

    final = [each for each in steps if isinstance(each, PutRolePolicy)][-1]
    assert "StoreEuWest1" not in [each["Sid"] for each in final.policy["Statement"]]


def test_a_plan_says_what_a_new_store_costs(configure: Configure) -> None:
    wanted = configure()
    (notice,) = notices(wanted, seen(Account(), wanted))
    assert notice.text == (
        "The store shop will cost about $6.13 a month in us-east-1 with up to 100 MB of counts, "
        "and $0.0046 per million events. Its limits allow $124 a month at most."
    )
    assert list(notices(wanted, seen(complete(), wanted))) == []


def test_a_destroy_keeps_the_store_unless_asked(configure: Configure) -> None:
    """With the data, the store is deleted first, and then what it used, before the role."""
    kept = plan_destroy(seen(complete(**RECORDED), None))
    assert of_store(kept) == []

    gone = plan_destroy(seen(complete(**RECORDED), None, with_data=True))
    assert [str(step) for step in gone] == [
        "Delete the store shop, after a final snapshot of its counts",
        "Delete the user group shop",
        "Delete the user shop of the store",
        "Delete the security group Shop",
        "Delete the policy of the role Shop",
        "Delete the role Shop",
    ]


def test_a_final_snapshot_is_taken_once(configure: Configure) -> None:
    """Its name has the time; a deletion that had begun is only waited for."""
    available, deleting = (
        {"ServerlessCaches": [{**CACHE, "Status": status}]} for status in ("available", "deleting")
    )
    account = Account(describe_serverless_caches=[available, deleting, None])
    run = Run(account, IDENTITY, now="2026-11-26T12:24Z")
    DeleteStore("shop", with_snapshot=True).perform(run)

    deleted = [given for operation, given in account.called if operation.startswith("delete")]
    expected = {"ServerlessCacheName": "shop", "FinalSnapshotName": "shop-final-202611261224"}
    assert deleted == [expected]
    assert run.ids["final snapshot"] == "shop-final-202611261224"


def test_a_security_group_is_deleted_once_lambda_has_left_it() -> None:
    used = Refused("DependencyViolation", "resource sg-store has a dependent object")
    account = Account(delete_security_group=[used, used, {}])
    DeleteGroup("Shop").perform(Run(account, IDENTITY, {"security group": GROUP}))
    assert len(account.waits) == 2

    account = Account(delete_security_group=used)
    with pytest.raises(GimelError, match="still uses the security group Shop") as raised:
        DeleteGroup("Shop").perform(Run(account, IDENTITY, {"security group": GROUP}))
    assert "half an hour, and costs nothing" in raised.value.hint


def test_an_update_changes_only_what_differs() -> None:
    account = Account()
    run = Run(account, IDENTITY, {"security group": GROUP})
    UpdateStore("shop", {"security group": "Shop"}).perform(run)

    expected = {"ServerlessCacheName": "shop", "SecurityGroupIds": [GROUP]}
    assert account.called == [("modify_serverless_cache", expected)]


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
    (finding,) = check_store(Account(**answers), configure().config)

    assert (finding.status, finding.message) == (status, message)


def test_preflight_does_not_connect_to_a_store(configure: Configure) -> None:
    """Neither before a deploy, which tries the functions itself, nor without AWS."""
    wanted, today = configure().config, datetime.date(2026, 11, 26)
    (finding,) = [each for each in preflight(wanted, None, today) if each.name == "store"]
    assert finding.status == "warning"
    account = Account()
    (finding,) = check_store(account, wanted, before_deploy=True)
    assert (finding.status, account.asked) == ("ok", [])


def test_permissions_about_stores_are_asked_for_only_with_one(configure: Configure) -> None:
    def actions(wanted: Desired) -> set[str]:
        policy = required_permissions(IDENTITY, wanted)
        return {action for each in policy["Statement"] for action in each["Action"]}

    assert not [
        each
        for each in actions(configure({"host": "redis.example.com"}))
        if each.startswith(("elasticache:", "ec2:"))
    ]
    assert "elasticache:CreateServerlessCacheSnapshot" in actions(configure())
