"""What preflight says of a domain name, in an account in memory."""

from __future__ import annotations

from typing import Any

import pytest

from gimel.deploy.aws_errors import Refused
from gimel.deploy.checks.domain_setup import check_domain_setup
from tests.support.domain_account import DomainAccount
from tests.support.domain_contents import NAME
from tests.support.domain_deploys import deploy, wanted


def zoned() -> DomainAccount:
    """Return an account with the zone of example.com."""
    account = DomainAccount()
    account.add_zone()
    return account


def with_record() -> DomainAccount:
    """Return one in which the name leads elsewhere."""
    account = zoned()
    account.add_record(NAME, "CNAME", "elsewhere.example.net")
    return account


def with_another_deployment() -> DomainAccount:
    """Return one in which another deployment has the name."""
    account = zoned()
    deploy(account.named("shop"), wanted(NAME, "shop"))
    return account


def without_permission() -> DomainAccount:
    """Return one in which certificates may not be listed."""
    account = zoned()
    account.refused["list_certificates"] = Refused("AccessDeniedException", "not allowed")
    return account


GIVEN = "arn:aws:acm:eu-west-1:123456789012:certificate/0"


@pytest.mark.parametrize(
    ("account", "domain", "status", "said"),
    [
        (zoned(), {}, "ok", "its DNS records are in the hosted zone example.com"),
        (DomainAccount(), {}, "ok", "`gimel deploy` prints the DNS records"),
        (with_record(), {}, "warning", "it leads to elsewhere.example.net"),
        (with_another_deployment(), {}, "failed", "not created by Gimel"),
        (without_permission(), {}, "failed", "not allowed"),
        (zoned(), {"zone": "ZWRONG"}, "failed", "ZWRONG is not known"),
        (zoned(), {"certificate": GIVEN}, "failed", "is in eu-west-1"),
    ],
    ids=["zone", "no zone", "leads elsewhere", "taken", "denied", "wrong zone", "certificate"],
)
def test_what_a_deploy_would_do(
    account: DomainAccount, domain: dict[str, Any], status: str, said: str
) -> None:
    """Or why it would stop. Nothing is created."""
    before = list(account.made)

    (finding,) = check_domain_setup(account, wanted(NAME, **domain))

    assert finding.status == status
    assert said in finding.message
    assert account.made == before


def test_without_a_domain_name_nothing_is_asked() -> None:
    """Its services may not be permitted."""
    account = DomainAccount()

    assert list(check_domain_setup(account, wanted(None))) == []
    assert account.asked == []
