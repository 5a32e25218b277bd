"""A deploy or destroy of a domain name that ends at any of its calls is completed by the next."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.domain_account import DomainAccount, Killed
from tests.support.domain_contents import EMPTY, UP
from tests.support.domain_deploys import deploy, destroy, wanted

OLD = "old.example.com"


@pytest.fixture
def zoned() -> DomainAccount:
    """An account with the zone of example.com."""
    account = DomainAccount()
    account.add_zone()
    return account


ALL_CALLS = range(1, 8)


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", ALL_CALLS)
def test_a_killed_deploy_is_completed_by_the_next(
    zoned: DomainAccount, number: int, is_done: bool
) -> None:
    """Whether or not the last call was still done."""
    zoned.kill_at, zoned.is_done = number, is_done
    with pytest.raises(Killed):
        deploy(zoned, wanted())

    zoned.kill_at = 0
    deploy(zoned, wanted())

    assert zoned.state.plain() == UP
    assert deploy(zoned, wanted()) == ()


def test_these_are_all_calls_of_a_deploy(zoned: DomainAccount) -> None:
    """So that it is killed at each."""
    deploy(zoned, wanted())

    assert len(zoned.made) == len(ALL_CALLS)


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 8))
def test_a_killed_destroy_is_completed_by_the_next(
    zoned: DomainAccount, number: int, is_done: bool
) -> None:
    """Nothing is left but the zone."""
    deploy(zoned, wanted())
    zoned.made.clear()
    zoned.kill_at, zoned.is_done = number, is_done
    with pytest.raises(Killed):
        destroy(zoned)

    zoned.kill_at = 0
    destroy(zoned)

    assert zoned.state.plain() == EMPTY
    assert destroy(zoned) == ()


def removal(aws: DomainAccount) -> None:
    deploy(aws, wanted(None))


def renaming(aws: DomainAccount) -> None:
    deploy(aws, wanted(OLD))
    deploy(aws, wanted(OLD))


def switching(aws: DomainAccount) -> None:
    given = next(arn for arn in aws.state.certificates if arn.endswith("/0"))
    deploy(aws, wanted(certificate=given))


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("change", [removal, renaming, switching])
def test_a_killed_change_is_completed_by_the_next(
    change: Callable[[DomainAccount], None], is_done: bool
) -> None:
    """At each of its calls."""

    def begin() -> DomainAccount:
        account = DomainAccount()
        account.add_zone()
        account.add_certificate("*.example.com")
        deploy(account, wanted())
        account.made.clear()
        return account

    undisturbed = begin()
    change(undisturbed)
    assert undisturbed.made

    for number in range(1, len(undisturbed.made) + 1):
        account = begin()
        account.kill_at, account.is_done = number, is_done
        with pytest.raises(Killed):
            change(account)
        account.kill_at = 0
        change(account)
        assert account.state.plain() == undisturbed.state.plain()
