"""A store that a deploy creates: ElastiCache in the default VPC, reached by the functions alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gimel import cli
from gimel.deploy import apply
from gimel.deploy.desired import desired_state
from gimel.deploy.plan import observe, plan, plan_destroy, required_permissions
from gimel.deploy.resources.base import Look, Step
from gimel.deploy.resources.functions import CreateFunction
from gimel.errors import Interrupted
from tests.support.account import Account
from tests.support.cache import Cache
from tests.support.proxy import AwsProxy, Call
from tests.support.recorded_calls import mutating
from tests.support.servers import Store

EVENT = {"experiment": "e", "variant": "red", "event": "participate", "uuid": "u1"}

# What ElastiCache does as whoever creates or changes a store, beside the calls that are made.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticache.html
BY_ELASTICACHE = {
    "ec2:CreateVpcEndpoint",
    "ec2:DeleteVpcEndpoints",
    "ec2:DescribeTags",
    "ec2:DescribeVpcEndpoints",
    "elasticache:CreateServerlessCacheSnapshot",
    "iam:CreateServiceLinkedRole",
}
# And Lambda: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
BY_LAMBDA = {"ec2:GetSecurityGroupsForVpc"}
FOR_A_VPC = {"ec2:DescribeSubnets"}  # of aws.vpc

# A busy machine takes longer than the default allows.
PROVISION = {"provision": "valkey-serverless", "socket_connect_timeout": 5, "socket_timeout": 5}


@pytest.fixture
def provisioned(unprepared: Account, cache: Cache) -> Account:
    """An account in which a first deploy has created a store."""
    unprepared.redis = PROVISION
    unprepared.prepare("provisioned", unprepared.deploy)
    unprepared.configure()
    return unprepared


def of_store(account: Account) -> dict[str, list[str]]:
    """Return the names of everything in the account that belongs to a store."""
    caches = account.client("elasticache")
    groups = account.client("ec2").describe_security_groups()["SecurityGroups"]
    found = {
        "stores": [
            each["ServerlessCacheName"]
            for each in caches.describe_serverless_caches()["ServerlessCaches"]
        ],
        "users": [each["UserId"] for each in caches.describe_users()["Users"]],
        "user groups": [
            each["UserGroupId"] for each in caches.describe_user_groups()["UserGroups"]
        ],
        "security groups": [each["GroupName"] for each in groups if each["GroupName"] != "default"],
    }
    return {what: names for what, names in found.items() if names}


STORE_ALONE = {
    "stores": ["gimel"],
    "users": ["gimel"],
    "user groups": ["gimel"],
    "security groups": ["gimel"],
}


def counted(account: Account, key: str | None) -> int:
    """Return the participants of the experiment "e"."""
    rows = account.ask("experiments", key=key).body
    trials = [each["trials"] for row in rows for each in row.get("participants", ())]
    return sum(trials)


def test_one_deploy_leads_from_an_empty_account_to_a_counted_event(
    account: Account, cache: Cache
) -> None:
    """The configuration names no Redis. The store takes only TLS and logins by IAM."""
    account.redis = PROVISION

    key = account.deploy().deployed.key

    assert account.ask("e", **EVENT).body == {"status": "ok"}
    assert counted(account, key) == 1
    assert b"gimel/?Action=connect&ResourceType=ServerlessCache&User=gimel" in cache.proxy.received
    function = account.client("lambda").get_function_configuration(FunctionName="gimel-track")
    network = function["VpcConfig"]
    (store,) = account.client("elasticache").describe_serverless_caches()["ServerlessCaches"]
    assert network["SecurityGroupIds"] == store["SecurityGroupIds"]
    assert sorted(network["SubnetIds"]) == sorted(store["SubnetIds"])


def test_a_second_deploy_changes_nothing(provisioned: Account) -> None:
    """No step, no mutating call, and at most eight calls more than without a store."""
    again = provisioned.deploy()

    assert again.sentences == []
    assert mutating(again.calls) == []
    assert len(again.calls) <= 23 + 8


def test_a_kept_store_is_used_by_the_next_deploy(provisioned: Account) -> None:
    """A destroy leaves the store with its counts and what it needs, and nothing else."""
    assert provisioned.ask("e", **EVENT).body == {"status": "ok"}

    provisioned.destroy()

    assert {what for what, found in provisioned.listing().items() if found} == set()
    assert of_store(provisioned) == STORE_ALONE
    again = provisioned.deploy()
    assert not [each for each in again.sentences if "store" in each]
    assert counted(provisioned, again.deployed.key) == 1


def interrupted_at_each(
    account: Account, plan_next: Callable[[], tuple[Any, tuple[Step, ...]]], last: type[Step] | None
) -> list[str]:
    """Perform a plan's steps, each in a run that is interrupted after it; return the sentences.

    `last` is the first kind of step that is not performed, None for all.
    """
    done: list[str] = []
    while True:
        run, steps = plan_next()
        if not steps or (last is not None and isinstance(steps[0], last)):
            return done
        done.append(str(steps[0]))
        assert len(done) < 40, done

        def stop(number: int, step: Step) -> None:
            if number == 2:
                raise KeyboardInterrupt

        try:
            apply.perform(run, steps, stop)
        except Interrupted:
            continue


def test_a_deploy_that_is_interrupted_at_every_step_arrives(account: Account, cache: Cache) -> None:
    """Each run performs one step: none is done twice, and the end is the same."""
    account.redis = PROVISION
    desired = desired_state(account.configure())

    def plan_next() -> tuple[Any, tuple[Step, ...]]:
        aws = account.aws()
        observed = observe(Look(aws, desired))
        return apply.start(aws, observed), plan(desired, observed)

    done = interrupted_at_each(account, plan_next, CreateFunction)

    assert "Create the store gimel" in done[6]
    assert len(done) == len(set(done))
    assert of_store(account) == STORE_ALONE
    key = account.deploy().deployed.key
    assert account.ask("e", **EVENT).body == {"status": "ok"}
    assert counted(account, key) == 1


def test_a_destroy_with_the_data_leaves_nothing(provisioned: Account) -> None:
    """Also if it is interrupted at every step that concerns the store."""

    def plan_next() -> tuple[Any, tuple[Step, ...]]:
        aws = provisioned.aws()
        observed = observe(Look(aws, with_data=True))
        return apply.start(aws, observed), plan_destroy(observed)

    run, steps = plan_next()
    first = next(number for number, step in enumerate(steps) if "the store" in str(step))
    apply.perform(run, steps[:first])

    done = interrupted_at_each(provisioned, plan_next, None)

    assert len(done) == len(set(done))
    assert of_store(provisioned) == {}
    assert {what for what, found in provisioned.listing().items() if found} == set()
    assert plan_next()[1] == ()


def test_the_commands_say_what_becomes_of_the_store(provisioned: Account) -> None:
    """`status` shows it, `destroy` keeps it, and `destroy --with-data` names the snapshot."""

    def type_(*arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(cli.main, ["--config", str(provisioned.file), *arguments])
        assert done.exit_code == code, done.output
        return done.output

    assert "Store: gimel on ElastiCache: available\n" in type_("status")
    kept = "The store gimel on ElastiCache and its counts are kept, for about $6.13 a month."
    done = type_("destroy", "--yes")
    assert kept in done
    assert "Deleted, except the store and its counts.\n" in done
    again = type_("destroy", "--yes")
    assert kept in again
    assert "No Gimel deployment found in us-east-1.\n" in again
    assert kept in type_("status", code=1)
    gone = type_("destroy", "--yes", "--with-data")
    assert re.search(r"The counts are in the snapshot gimel-final-\d{12} of ElastiCache", gone)
    assert kept not in type_("destroy", "--yes")


def test_permissions_are_those_of_the_calls(
    account: Account, cache: Cache, proxy: AwsProxy
) -> None:
    """The policy allows what a life of a deployment calls of ElastiCache and EC2, and no more."""
    account.redis = PROVISION
    called = set()

    def note(call: Call) -> None:
        if call.service in ("ec2", "elasticache"):
            called.add(f"{call.service}:{call.operation}")

    proxy.begin(note)
    account.deploy()
    _open_by_hand(account)
    account.deploy(aws={"tags": {"team": "web"}})
    account.deploy()
    assert account.plan() == ()
    account.destroy(with_data=True)

    policy = required_permissions(account.aws().identity(), desired_state(account.configure()))
    allowed = {action for each in policy["Statement"] for action in each["Action"]}
    concerned = {each for each in allowed if each.startswith(("ec2:", "elasticache:"))}
    assert called == concerned - BY_ELASTICACHE - BY_LAMBDA - FOR_A_VPC
    assert {*BY_ELASTICACHE, *BY_LAMBDA, *FOR_A_VPC} <= allowed


def _open_by_hand(account: Account) -> None:
    """Give what belongs to a store what Gimel did not give it."""
    caches, ec2 = account.client("elasticache"), account.client("ec2")
    caches.modify_user(UserId="gimel", AccessString="on ~* +@all")
    caches.create_user(
        UserId="theirs", UserName="theirs", Engine="valkey", AccessString="on ~* +@all"
    )
    caches.modify_user_group(UserGroupId="gimel", UserIdsToAdd=["theirs"])
    caches.modify_serverless_cache(ServerlessCacheName="gimel", SnapshotRetentionLimit=0)
    (group,) = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["gimel"]}])[
        "SecurityGroups"
    ]
    anyone = {"IpProtocol": "tcp", "FromPort": 6379, "ToPort": 6379}
    ec2.authorize_security_group_ingress(
        GroupId=group["GroupId"],
        IpPermissions=[{**anyone, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    )


def test_the_counters_of_a_store_are_exported_and_imported(
    provisioned: Account, tmp_path: Path
) -> None:
    """Through the function that takes snapshots: no command of this machine reaches the store."""
    type_ = partial(run_command, provisioned)
    file = str(tmp_path / "counters.json.gz")
    key = provisioned.deploy().deployed.key
    for event in (EVENT, {**EVENT, "uuid": "u2"}):
        assert provisioned.ask("e", **event).body == {"status": "ok"}

    assert "Exported 1 experiment with 1 counter from gimel in us-east-1" in type_("export", file)
    provisioned.ask("e", **{**EVENT, "uuid": "u3"})
    assert "Imported 1 experiment into gimel in us-east-1" in type_("import", file)
    assert counted(provisioned, key) == 3
    type_("delete", "--yes", "e")
    assert "1 new, 0 merged with what it had" in type_("import", file)
    assert counted(provisioned, key) == 2


def test_a_store_that_is_no_longer_used_is_exported(
    provisioned: Account, session_store: Store, tmp_path: Path
) -> None:
    """Through the version of the function that used it."""
    file = str(tmp_path / "counters.json")
    assert provisioned.ask("e", **EVENT).body == {"status": "ok"}
    provisioned.redis = {"host": "127.0.0.1", "port": session_store.port}
    provisioned.deploy()

    done = run_command(provisioned, "export", "--deploy", "1", file)

    assert "Exported 1 experiment with 1 counter from gimel in us-east-1 before deploy 2" in done


def run_command(account: Account, *arguments: str) -> str:
    done = CliRunner().invoke(cli.main, ["--config", str(account.file), *arguments])
    assert done.exit_code == 0, done.output
    return done.output
