"""A store that a deploy creates: ElastiCache in the default VPC, reached by the functions alone."""

from __future__ import annotations

import pytest

from tests.support.account import Account
from tests.support.cache import Cache
from tests.support.recorded_calls import mutating

EVENT = {"experiment": "e", "variant": "red", "event": "participate", "uuid": "u1"}


@pytest.fixture
def provisioned(unprepared: Account, cache: Cache) -> Account:
    """An account in which a first deploy has created a store."""
    unprepared.redis = {"provision": "valkey-serverless"}
    unprepared.prepare("provisioned", unprepared.deploy)
    unprepared.configure()
    return unprepared


def test_one_deploy_leads_from_an_empty_account_to_a_counted_event(
    account: Account, cache: Cache
) -> None:
    """The configuration names no Redis. The store takes only TLS and only the functions' user."""
    account.redis = {"provision": "valkey-serverless"}

    key = account.deploy().deployed.key

    assert account.ask("e", **EVENT).body == {"status": "ok"}
    rows = account.ask("experiments", key=key).body
    (row,) = [each for each in rows if each.get("experiment") == "e"]
    assert [each["trials"] for each in row["participants"]] == [1]


def test_a_second_deploy_changes_nothing(provisioned: Account) -> None:
    again = provisioned.deploy()

    assert again.sentences == []
    assert mutating(again.calls) == []
