"""A store is kept: by a deploy with another Redis, and by a destroy that is not to delete it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gimel.deploy.aws_errors import Refused
from gimel.deploy.notices import notices
from gimel.deploy.plan import plan, plan_destroy
from gimel.deploy.resources.base import Run, Step
from gimel.deploy.resources.role_policy import PutRolePolicy
from gimel.deploy.resources.security_group import DeleteGroup
from gimel.deploy.resources.store import DeleteStore, UpdateStore
from gimel.deploy.resources.store_user import DeleteUser, DeleteUserGroup
from gimel.deploy.store_cost import store_cost_as_json
from gimel.errors import GimelError
from tests.support.store_account import (
    CACHE,
    GROUP,
    IDENTITY,
    RECORDED,
    Account,
    Configure,
    complete,
    configuring,
    of_store,
    planned,
    seen,
)


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    return configuring(tmp_path)


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
    """The last policy of the role has no statement about it any more."""
    steps = planned(Account(**RECORDED), configure({"host": "redis.example.com"}))

    final = [each for each in steps if isinstance(each, PutRolePolicy)][-1]
    assert "StoreEuWest1" not in [each["Sid"] for each in final.policy["Statement"]]


def test_a_plan_says_what_a_new_store_costs(configure: Configure) -> None:
    """Before it is created; a plan that creates none says nothing."""
    wanted = configure()
    (notice,) = notices(wanted, seen(Account(), wanted))
    assert notice.text == (
        "The store shop will cost about $6.13 a month in us-east-1 with up to 100 MB of counts, "
        "and $0.0046 per million events. Its limits allow $124 a month at most."
    )
    assert list(notices(wanted, seen(complete(), wanted))) == []
    assert store_cost_as_json() == {"per_month": 6.13, "per_million_events": 0.0046}


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


def test_a_deletion_is_begun_once_and_as_soon_as_aws_allows_it() -> None:
    """While AWS sets up the network of a store it refuses; later it may show an old state."""
    available = {"ServerlessCaches": [CACHE]}
    early = Refused("DependencyViolation", "the endpoint is in use")
    account = Account(
        describe_serverless_caches=[available, available, available, None],
        delete_serverless_cache=[early, {}],
    )
    DeleteStore("shop", with_snapshot=True).perform(Run(account, IDENTITY))

    assert [each for each, _ in account.called if each.startswith("delete")] == (
        ["delete_serverless_cache"] * 2
    )


@pytest.mark.parametrize(
    ("step", "kind", "answer"),
    [
        (DeleteUser("shop"), "describe_users", {"Users": [{"Status": "deleting"}]}),
        (
            DeleteUserGroup("shop"),
            "describe_user_groups",
            {"UserGroups": [{"Status": "deleting"}]},
        ),
    ],
)
def test_a_deletion_ends_when_a_deploy_can_create_the_same_again(
    step: Step, kind: str, answer: Any
) -> None:
    """ElastiCache answers a deletion before it is done."""
    account = Account(**{kind: [answer, answer, None]})
    step.perform(Run(account, IDENTITY))
    assert len(account.waits) == 2

    account = Account(**{kind: answer})
    with pytest.raises(GimelError, match="still exists after 10 minutes"):
        step.perform(Run(account, IDENTITY))


def test_a_security_group_is_deleted_once_lambda_has_left_it() -> None:
    """The step waits, and ends with what to do if that takes too long."""
    used = Refused("DependencyViolation", "resource sg-store has a dependent object")
    account = Account(delete_security_group=[used, used, {}])
    DeleteGroup("Shop").perform(Run(account, IDENTITY, {"security group": GROUP}))
    assert len(account.waits) == 2

    account = Account(delete_security_group=used)
    with pytest.raises(GimelError, match="still uses the security group Shop") as raised:
        DeleteGroup("Shop").perform(Run(account, IDENTITY, {"security group": GROUP}))
    assert "half an hour, and costs nothing" in raised.value.hint
    assert "delete the network interfaces of the group in the EC2 console" in raised.value.hint


def test_an_update_changes_only_what_differs() -> None:
    """The limits that somebody set by hand are not among the arguments."""
    account = Account()
    run = Run(account, IDENTITY, {"security group": GROUP})
    UpdateStore("shop", {"security group": "Shop"}).perform(run)

    expected = {"ServerlessCacheName": "shop", "SecurityGroupIds": [GROUP]}
    assert account.called == [("modify_serverless_cache", expected)]
