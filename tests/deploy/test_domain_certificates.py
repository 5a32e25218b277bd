"""Certificates of domain names: waited for, failed, replaced, or given by the user."""

from __future__ import annotations

from typing import Any

import pytest

from gimel.deploy.apply import perform, start
from gimel.deploy.aws_errors import Refused
from gimel.deploy.plan import plan
from gimel.errors import GimelError
from tests.support.domain_account import DomainAccount
from tests.support.domain_contents import EMPTY, NAME, UP, VALIDATION
from tests.support.domain_deploys import PARTS, deploy, destroy, look, wanted


@pytest.fixture
def aws() -> DomainAccount:
    """An account without a hosted zone."""
    return DomainAccount()


@pytest.fixture
def zoned() -> DomainAccount:
    """An account with the zone of example.com."""
    account = DomainAccount()
    account.add_zone()
    return account


def test_it_waits_for_the_certificate(zoned: DomainAccount) -> None:
    """And shows for how long it has."""
    zoned.issue_after = 200.0

    deploy(zoned, wanted())

    assert "no certificate yet, after 3 min" in zoned.reasons
    assert zoned.state.plain() == UP


def test_a_new_certificate_may_be_unknown_at_first(
    zoned: DomainAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its record may not be chosen yet."""
    describe = zoned._describe_certificate
    asked: list[str] = []

    def late(CertificateArn: str) -> Any:  # noqa: N803 - boto3's name
        asked.append(CertificateArn)
        if len(asked) == 1:
            raise Refused("ResourceNotFoundException", "not found")
        answer = describe(CertificateArn)
        if len(asked) == 2:
            answer["Certificate"] = {**answer["Certificate"], "DomainValidationOptions": []}
        return answer

    monkeypatch.setattr(zoned, "_describe_certificate", late)

    deploy(zoned, wanted())

    assert zoned.state.plain() == UP


def test_it_does_not_wait_forever(zoned: DomainAccount) -> None:
    """The next deploy continues."""
    zoned.issue_after = 10_000.0
    with pytest.raises(GimelError, match="not issued the certificate within 15 min") as raised:
        deploy(zoned, wanted())
    assert "name servers of the hosted zone" in raised.value.hint

    zoned.issue_after = 0.0
    deploy(zoned, wanted())

    assert zoned.state.plain() == UP


@pytest.mark.parametrize(
    ("reason", "said"),
    [("CAA_ERROR", "a CAA record in the DNS does not permit Amazon"), ("OTHER", "OTHER")],
)
def test_a_certificate_that_failed_has_its_reason(
    zoned: DomainAccount, reason: str, said: str
) -> None:
    """And the next deploy requests another one in its place."""
    zoned.issue_after = 10_000.0
    with pytest.raises(GimelError):
        deploy(zoned, wanted())
    (certificate,) = zoned.state.certificates.values()
    pending = look(zoned, wanted())
    certificate.update(Status="FAILED", FailureReason=reason)
    with pytest.raises(GimelError, match=said):
        perform(start(zoned, pending, PARTS), plan(wanted(), pending, PARTS))

    zoned.issue_after = 0.0
    deploy(zoned, wanted())

    assert zoned.state.plain() == UP


def test_a_certificate_in_use_is_waited_for(zoned: DomainAccount) -> None:
    """API Gateway releases it some time after its domain name is gone."""
    deploy(zoned, wanted())
    zoned.held = 5

    destroy(zoned)

    assert zoned.state.plain() == EMPTY
    assert zoned.reasons[-1] == "API Gateway still uses the certificate"


def test_a_certificate_that_stays_in_use_can_be_deleted_later(zoned: DomainAccount) -> None:
    """The API is still there then, and with it the record of the domain name."""
    deploy(zoned, wanted())
    zoned.held = 1000
    with pytest.raises(GimelError, match="is still in use"):
        destroy(zoned)

    zoned.held = 0
    destroy(zoned)

    assert zoned.state.plain() == EMPTY


def test_a_certificate_is_replaced_once_the_new_one_is_issued(aws: DomainAccount) -> None:
    """The domain name keeps one that has expired until then."""
    aws.state.elsewhere.update(VALIDATION)
    deploy(aws, wanted())
    deploy(aws, wanted())
    (old,) = aws.state.certificates
    aws.state.certificates[old]["Status"] = "EXPIRED"
    aws.state.elsewhere.clear()

    deploy(aws, wanted())
    assert deploy(aws, wanted()) == ()
    assert aws.state.plain()[1] == [(NAME, "EXPIRED"), (NAME, "PENDING_VALIDATION")]

    aws.state.elsewhere.update(VALIDATION)
    deploy(aws, wanted())
    assert aws.state.plain()[1] == [(NAME, "ISSUED")]
    assert aws.state.domains[NAME]["regionalCertificateArn"] != old


def test_of_two_certificates_the_one_in_use_stays(zoned: DomainAccount) -> None:
    """Two deploys at the same time may have requested one each."""
    deploy(zoned, wanted())
    (used,) = zoned.state.certificates
    mark = {"gimel": "gimel"}
    first = {zoned.add_certificate(tags=mark, Status=each): each for each in ("ISSUED", "FAILED")}
    zoned.state.certificates = dict(reversed(zoned.state.certificates.items()))
    assert set(zoned.state.certificates) == {used, *first}

    deploy(zoned, wanted())

    assert set(zoned.state.certificates) == {used}
    assert deploy(zoned, wanted()) == ()


def test_a_given_certificate_is_used_and_left(zoned: DomainAccount) -> None:
    """A wildcard covers the name. The configuration may switch to it, and back."""
    given = zoned.add_certificate("*.example.com")
    theirs = ("*.example.com", "ISSUED")

    deploy(zoned, wanted(certificate=given))
    assert zoned.state.plain()[1] == [theirs]
    assert zoned.state.domains[NAME]["regionalCertificateArn"] == given
    assert deploy(zoned, wanted(certificate=given)) == ()
    deploy(zoned, wanted())
    assert zoned.state.domains[NAME]["regionalCertificateArn"] != given
    deploy(zoned, wanted(certificate=given))
    assert deploy(zoned, wanted(certificate=given)) == ()
    destroy(zoned)

    assert zoned.state.plain()[1] == [theirs]


UNUSABLE = {
    "for another name": ({"name": "other.example.com"}, "is for other.example.com, and not for"),
    "for a deeper name": ({"name": "*.ab.example.com"}, "and not for ab.example.com"),
    "expired": ({"Status": "EXPIRED"}, "cannot be used: expired"),
}


@pytest.mark.parametrize(("certificate", "said"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_given_certificate_must_fit(
    zoned: DomainAccount, certificate: dict[str, str], said: str
) -> None:
    """Nothing is created before that is known."""
    given = zoned.add_certificate(**certificate)

    with pytest.raises(GimelError, match=said):
        deploy(zoned, wanted(certificate=given))

    assert zoned.made == []


def test_a_given_certificate_must_be_of_the_region_and_exist(zoned: DomainAccount) -> None:
    """API Gateway takes no other for a regional domain name."""
    arn = "arn:aws:acm:{}:123456789012:certificate/none"
    for region, said in (("eu-west-1", "is in eu-west-1"), ("us-east-1", "does not exist")):
        with pytest.raises(GimelError, match=said):
            deploy(zoned, wanted(certificate=arn.format(region)))
