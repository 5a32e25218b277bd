"""DNS records of domain names: in which zone, and what is left alone there."""

from __future__ import annotations

from typing import Any

import pytest

from gimel.deploy.apply import perform, start
from gimel.deploy.aws_errors import Refused
from gimel.deploy.plan import plan
from gimel.errors import GimelError
from tests.support.domain_account import DomainAccount
from tests.support.domain_contents import EMPTY, NAME, UP, ZONE
from tests.support.domain_deploys import PARTS, deploy, destroy, look, wanted

ELSEWHERE = "elsewhere.example.net"


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


OTHER_RECORDS = {
    "CNAME": ("CNAME", ELSEWHERE, {}),
    "A": ("A", "192.0.2.1", {}),
    "latency": ("A", "192.0.2.1", {"SetIdentifier": "eu", "Region": "eu-west-1"}),
}


@pytest.mark.parametrize(("kind", "value", "more"), OTHER_RECORDS.values(), ids=OTHER_RECORDS)
def test_a_record_that_leads_elsewhere_is_left(
    zoned: DomainAccount, kind: str, value: str, more: dict[str, str]
) -> None:
    """The rest is made ready, so that only the record has to be changed."""
    zoned.add_record(NAME, kind, value, **more)
    before = list(zoned.state.records[ZONE])

    deploy(zoned, wanted())

    assert zoned.state.mappings[NAME]
    assert [each for each in zoned.state.records[ZONE] if each["Name"] == f"{NAME}."] == before
    assert deploy(zoned, wanted()) == ()
    destroy(zoned)
    assert zoned.state.domains == {}
    assert [each for each in zoned.state.records[ZONE] if each["Name"] == f"{NAME}."] == before
    # Another region may renew its certificate by the same record.
    assert ("_x.ab.example.com.", "CNAME") in zoned.state.plain()[3][ZONE]


def test_two_regions_have_the_same_name(zoned: DomainAccount) -> None:
    """The records lead to the first one; the second takes over once the first is destroyed."""
    other = DomainAccount("eu-west-1")
    other.state.zones, other.state.records = zoned.state.zones, zoned.state.records
    deploy(zoned, wanted())
    before = list(zoned.state.records[ZONE])

    deploy(other, wanted())

    assert other.state.records[ZONE] == before
    assert deploy(other, wanted()) == deploy(zoned, wanted()) == ()
    destroy(zoned)
    deploy(other, wanted())
    assert other.state.plain() == UP


def test_a_record_that_appears_meanwhile_is_an_error_unless_it_is_the_same(
    zoned: DomainAccount,
) -> None:
    """The answer to a change may have been lost."""
    deploy(zoned, wanted())
    records = list(zoned.state.records[ZONE])
    zoned.state.records[ZONE].clear()
    observed = look(zoned, wanted())
    steps = plan(wanted(), observed, PARTS)
    zoned.state.records[ZONE][:] = records
    perform(start(zoned, observed, PARTS), steps)
    assert zoned.state.plain() == UP

    zoned.state.records[ZONE].clear()
    zoned.add_record(NAME, "CNAME", ELSEWHERE)
    with pytest.raises(GimelError, match="a CNAME does"):
        perform(start(zoned, observed, PARTS), steps)


def test_the_users_own_records_for_the_api_stay(zoned: DomainAccount) -> None:
    """A routing policy is the user's, also where it leads to the API."""
    deploy(zoned, wanted())
    for record in zoned.state.records[ZONE][1:]:
        record.update(SetIdentifier="us", Region="us-east-1")
    before = list(zoned.state.records[ZONE])

    assert deploy(zoned, wanted()) == ()
    destroy(zoned)

    assert zoned.state.records[ZONE] == before


def test_a_change_whose_answer_was_lost_is_done(
    zoned: DomainAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second attempt is refused: what it creates exists, what it deletes does not."""
    change = zoned._change_resource_record_sets

    def twice(**given: Any) -> Any:
        change(**given)
        return change(**given)

    monkeypatch.setattr(zoned, "_change_resource_record_sets", twice)

    deploy(zoned, wanted())
    assert zoned.state.plain() == UP
    destroy(zoned)
    assert zoned.state.plain() == EMPTY


def test_a_wildcard_record_does_not_matter(zoned: DomainAccount) -> None:
    """Route 53 answers with the record of the name itself."""
    zoned.add_record("\\052.example.com", "CNAME", ELSEWHERE)

    deploy(zoned, wanted())

    assert len(zoned.state.records[ZONE]) == 4


@pytest.mark.parametrize(
    "other",
    [
        {"KeyAlgorithm": "EC_prime256v1"},
        {"name": f"*.{NAME}"},
        {"name": "example.com", "SubjectAlternativeNames": ["example.com", NAME]},
    ],
)
def test_the_record_stays_while_any_certificate_is_validated_by_it(
    zoned: DomainAccount, other: dict[str, Any]
) -> None:
    """It may have any kind of key, and be for the wildcard of the name or for several names."""
    deploy(zoned, wanted())
    zoned.add_certificate(**other)

    destroy(zoned)

    assert [each["Name"] for each in zoned.state.records[ZONE]] == ["_x.ab.example.com."]


def test_the_record_of_the_certificate_may_exist_already(zoned: DomainAccount) -> None:
    """It is the same for all certificates of the name, and stays while there are others."""
    zoned.add_certificate()
    zoned.add_record("_x.ab.example.com", "CNAME", "_y.acm-validations.aws.")

    deploy(zoned, wanted())
    assert deploy(zoned, wanted()) == ()
    destroy(zoned)

    assert zoned.state.plain() == ([], [(NAME, "ISSUED")], {}, {ZONE: [UP[3][ZONE][0]]})


def test_a_private_zone_of_the_same_name_is_not_used(aws: DomainAccount) -> None:
    """AWS looks for the record in the public DNS."""
    aws.add_zone(PrivateZone=True)

    deploy(aws, wanted())

    assert aws.state.records[ZONE] == []


def test_a_second_zone_of_the_same_name_does_not_matter_once_one_is_used(
    zoned: DomainAccount,
) -> None:
    """Otherwise a deployment that works could neither be deployed to nor looked at."""
    deploy(zoned, wanted())
    zoned.add_zone("ZSECOND")

    assert deploy(zoned, wanted()) == ()
    assert zoned.state.records["ZSECOND"] == []


def test_the_zone_with_the_longest_name_is_used(zoned: DomainAccount) -> None:
    """It has the name's records if it is delegated to."""
    zoned.add_zone("ZLONGER", NAME)
    zoned.add_zone("ZOTHER", "b.example.com")

    deploy(zoned, wanted())

    assert {zone: len(records) for zone, records in zoned.state.records.items()} == {
        ZONE: 0,
        "ZLONGER": 3,
        "ZOTHER": 0,
    }


def test_of_two_zones_of_one_name_the_configuration_names_one(zoned: DomainAccount) -> None:
    """Only one of them is what the registrar lists."""
    zoned.add_zone("ZSECOND")
    with pytest.raises(GimelError, match="Several public hosted zones are named"):
        deploy(zoned, wanted())

    deploy(zoned, wanted(zone="ZSECOND"))

    assert len(zoned.state.records["ZSECOND"]) == 3
    destroy(zoned)
    assert zoned.state.records == {ZONE: [], "ZSECOND": []}


def test_a_configured_zone_must_fit(zoned: DomainAccount) -> None:
    """Nothing is created before that is known."""
    with pytest.raises(GimelError, match="ZWRONG is not known as a public hosted zone"):
        deploy(zoned, wanted(zone="ZWRONG"))

    assert zoned.made == []


def test_without_permission_for_route_53_the_records_are_the_users(zoned: DomainAccount) -> None:
    """As where the zone is elsewhere."""
    zoned.refused["list_hosted_zones"] = Refused("AccessDenied", "not allowed")

    deploy(zoned, wanted())

    assert zoned.state.plain()[1] == [(NAME, "PENDING_VALIDATION")]


def test_without_permission_to_create_records_they_are_named(zoned: DomainAccount) -> None:
    """Whoever may create them does, and the next deploy continues."""
    zoned.refused["change_resource_record_sets"] = Refused("AccessDenied", "not allowed")
    with pytest.raises(GimelError) as raised:
        deploy(zoned, wanted())
    assert raised.value.hint.endswith("CNAME _x.ab.example.com _y.acm-validations.aws")

    zoned.add_record("_x.ab.example.com", "CNAME", "_y.acm-validations.aws")
    with pytest.raises(GimelError) as raised:
        deploy(zoned, wanted())
    target = zoned.state.domains[NAME]["regionalDomainName"]
    assert raised.value.hint.endswith(f"A {NAME} {target}, AAAA {NAME} {target}")

    zoned.add_record(NAME, "CNAME", target)
    assert deploy(zoned, wanted()) == ()
