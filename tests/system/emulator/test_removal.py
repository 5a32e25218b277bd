"""Removing what is no longer wanted, moving back, and leaving the account as it was found."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from gimel.errors import GimelError
from tests.support.account import Account, add_theirs
from tests.support.configurations import FUNCTIONS, OWN_FUNCTION, SECOND_PATH, URL, memory
from tests.support.events import EVENT
from tests.support.proxy import AwsProxy, Call, Refuse


def test_routes_and_functions_that_left_the_wiring_are_removed(account: Account) -> None:
    """The plan says so; path, function and log group go, and everything in the wiring stays."""
    account.deploy(extra_wiring=[SECOND_PATH, OWN_FUNCTION, URL])

    done = account.deploy()

    assert {
        "Delete the path /t, which is not in the wiring",
        "Delete the path /experiment, which is not in the wiring",
        "Delete the function our-experiment",
        "Delete the log group /aws/lambda/our-experiment with its logs",
        "Delete the public URL of the function gimel-track",
    } <= set(done.sentences)
    left = account.listing()
    assert sorted(left["functions"]) == sorted(FUNCTIONS)
    assert [group["logGroupName"] for group in left["log groups"]] == [
        f"/aws/lambda/{name}" for name in sorted(FUNCTIONS)
    ]
    assert account.ask("t", **EVENT).status in (403, 404)


def test_destroy_leaves_an_account_as_it_was_found(account: Account, store: redis.Redis) -> None:
    """Listings before and after are equal, with another team's resources; Redis keeps its data."""
    add_theirs(account)
    before = account.listing()
    account.deploy(extra_wiring=[SECOND_PATH, OWN_FUNCTION, URL], aws={"tags": {"team": "web"}})
    account.ask("track", **EVENT)
    kept = store.dbsize()

    account.destroy()

    assert account.listing() == before
    assert store.dbsize() == kept > 0
    assert account.destroy() == ()


def delete_role_policy(account: Account) -> None:
    account.client("iam").delete_role_policy(RoleName="gimel", PolicyName="gimel")


def delete_role(account: Account) -> None:
    delete_role_policy(account)
    account.client("iam").delete_role(RoleName="gimel")


@pytest.mark.parametrize("drift", [delete_role, delete_role_policy], ids=["role", "its policy"])
def test_destroy_finds_the_functions_without_the_record(
    account: Account, drift: Callable[[Account], None]
) -> None:
    """Their marks show them where the role is gone, even a function that only has a URL."""
    own_url = {"lambda": {"FunctionName": "linked", "Handler": "gimel.track"}, "function_url": True}
    add_theirs(account)
    before = account.listing()
    account.deploy(extra_wiring=[own_url])
    drift(account)

    account.destroy()

    assert account.listing() == before


def test_rollback_moves_all_aliases_or_none(deployed: Account, proxy: AwsProxy) -> None:
    """Where the second alias cannot be moved, the first is moved back."""
    deployed.deploy(aws=memory(640, *FUNCTIONS))
    gone = Refuse(404, "ResourceNotFoundException", "Function not found")

    def second(call: Call) -> Refuse | None:
        moves = proxy.operations.count("UpdateAlias")
        return gone if call.operation == "UpdateAlias" and moves == 2 else None

    proxy.begin(second)

    with pytest.raises(GimelError, match="Nothing was rolled back"):
        deployed.rollback()

    assert [each for each in proxy.mutating if each != "Invoke"] == ["UpdateAlias"] * 3
    assert {deployed.live(name) for name in FUNCTIONS} == {2}
