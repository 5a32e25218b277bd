"""A domain name from configuration to DNS: certificate, API Gateway's name, mapping and records.

The account is one in memory with AWS's own refusals. What the services themselves answer is tested
in tests/system/emulator/test_domain.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from gimel.deploy.apply import perform, start
from gimel.deploy.aws_errors import Refused
from gimel.deploy.desired import Desired
from gimel.deploy.plan import plan, required_permissions
from gimel.errors import GimelError
from tests.support.domain_account import (
    NAME,
    PARTS,
    ZONE,
    DomainAccount,
    Killed,
    deploy,
    destroy,
    look,
    sentences,
)
from tests.support.state.settled import desired

OLD = "old.example.com"
VALIDATION = {"_x.ab.example.com": "_y.acm-validations.aws"}
ELSEWHERE = "elsewhere.example.net"
EMPTY: Any = ([], [], {}, {ZONE: []})
UP: Any = (
    ["gimel"],
    [(NAME, "ISSUED")],
    {NAME: ["(none)"]},
    {
        ZONE: [
            ("_x.ab.example.com.", "CNAME"),
            ("ab.example.com.", "A"),
            ("ab.example.com.", "AAAA"),
        ]
    },
)


def wanted(name: str | None = NAME, deployment: str = "gimel", /, **domain: Any) -> Desired:
    """Return a configuration with a domain name, or without one."""
    section = {"domain": {"name": name, **domain}} if name else {}
    return desired(aws={"name": deployment, **section})


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


def test_with_a_hosted_zone_one_deploy_is_enough(zoned: DomainAccount) -> None:
    """The second one changes nothing."""
    steps = deploy(zoned, wanted())

    assert sentences(steps) == [
        "Create the REST API gimel",
        "Tag the REST API gimel: set gimel:domain=ab.example.com",
        "Request a certificate for ab.example.com",
        "Create the record for the certificate of ab.example.com in example.com",
        "Wait until AWS has issued the certificate for ab.example.com",
        "Create the domain name ab.example.com in API Gateway",
        "Serve the REST API at https://ab.example.com",
        "Create the DNS records A and AAAA of ab.example.com in example.com",
    ]
    assert zoned.state.plain() == UP
    assert deploy(zoned, wanted()) == ()


def test_without_a_hosted_zone_two_deploys_are(aws: DomainAccount) -> None:
    """The first one leaves a certificate, which is issued once its record exists somewhere."""
    first = deploy(aws, wanted())
    assert sentences(first)[2:] == ["Request a certificate for ab.example.com"]
    assert deploy(aws, wanted()) == ()

    aws.state.elsewhere.update(VALIDATION)

    assert sentences(deploy(aws, wanted())) == [
        "Create the domain name ab.example.com in API Gateway",
        "Serve the REST API at https://ab.example.com",
    ]
    assert deploy(aws, wanted()) == ()


def test_a_deploy_without_a_domain_asks_nothing_about_one(aws: DomainAccount) -> None:
    """Whoever may not list certificates can deploy as before."""
    deploy(aws, wanted(None))
    destroy(aws)

    assert {each for each in aws.asked if "certificate" in each or "zone" in each} == set()


def test_it_waits_for_the_certificate(zoned: DomainAccount) -> None:
    """And shows for how long it has."""
    zoned.issue_after = 200.0

    deploy(zoned, wanted())

    assert "no certificate yet, after 3 min" in zoned.reasons
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


def test_removing_it_from_the_configuration_deletes_it_with_consent(zoned: DomainAccount) -> None:
    """The API stays."""
    deploy(zoned, wanted())

    steps = deploy(zoned, wanted(None))

    assert [str(step) for step in steps if step.destructive] == [
        "Delete the domain name ab.example.com from API Gateway"
    ]
    assert zoned.state.plain() == (["gimel"], *EMPTY[1:])
    assert deploy(zoned, wanted(None)) == ()


def test_a_new_name_comes_first_and_the_old_one_goes_with_the_next_deploy(
    zoned: DomainAccount,
) -> None:
    """Pages in use can be changed in between."""
    deploy(zoned, wanted(OLD))

    first = deploy(zoned, wanted())

    assert not any(step.destructive for step in first)
    assert set(zoned.state.domains) == {OLD, NAME}
    second = deploy(zoned, wanted())
    assert any(step.destructive for step in second)
    assert zoned.state.plain() == UP
    assert deploy(zoned, wanted()) == ()


def test_an_old_name_stays_until_the_new_one_works(aws: DomainAccount) -> None:
    """Without a zone that takes the user's record."""
    aws.state.elsewhere["_x.old.example.com"] = VALIDATION["_x.ab.example.com"]
    deploy(aws, wanted(OLD))
    deploy(aws, wanted(OLD))
    deploy(aws, wanted())
    assert deploy(aws, wanted()) == ()
    assert set(aws.state.domains) == {OLD}

    aws.state.elsewhere.update(VALIDATION)
    deploy(aws, wanted())
    deploy(aws, wanted())

    assert set(aws.state.domains) == {NAME}


def test_a_new_api_is_mapped_again(zoned: DomainAccount) -> None:
    """The domain name stays when the API has been deleted by hand."""
    deploy(zoned, wanted())
    zoned.state.apis.clear()

    steps = deploy(zoned, wanted())

    assert "Serve the REST API at https://ab.example.com, which leads to another one" in sentences(
        steps
    )
    (api,) = zoned.state.apis
    assert zoned.state.mappings[NAME]["(none)"]["restApiId"] == api
    assert deploy(zoned, wanted()) == ()


def test_without_its_api_a_configured_name_is_destroyed(zoned: DomainAccount) -> None:
    """The record has gone with the API."""
    deploy(zoned, wanted())
    zoned.state.apis.clear()
    assert destroy(zoned) == ()

    destroy(zoned, NAME)

    assert zoned.state.plain() == EMPTY


DRIFT = {
    "mapping deleted": lambda state: state.mappings[NAME].clear(),
    "mapped elsewhere": lambda state: state.mappings[NAME]["(none)"].update(restApiId="theirs"),
    "records deleted": lambda state: state.records[ZONE].clear(),
    "one record deleted": lambda state: state.records[ZONE].pop(),
    "an old TLS": lambda state: state.domains[NAME].update(securityPolicy="TLS_1_0"),
    "untagged": lambda state: state.apis[next(iter(state.apis))]["tags"].pop("gimel:domain"),
}


@pytest.mark.parametrize("change", DRIFT.values(), ids=DRIFT)
def test_drift_is_repaired(zoned: DomainAccount, change: Any) -> None:
    """To the same state."""
    deploy(zoned, wanted())
    change(zoned.state)

    assert deploy(zoned, wanted()) != ()

    assert zoned.state.plain() == UP
    assert zoned.state.domains[NAME]["securityPolicy"] == "TLS_1_2"
    assert deploy(zoned, wanted()) == ()


def test_tags_of_the_configuration_are_given(zoned: DomainAccount) -> None:
    """And changed, on the certificate too."""
    section = {"domain": {"name": NAME}}
    deploy(zoned, desired(aws={**section, "tags": {"team": "web"}}))
    (certificate,) = zoned.state.certificates.values()
    assert certificate["tags"] == {"gimel": "gimel", "team": "web"}

    deploy(zoned, desired(aws={**section, "tags": {"stage": "test"}}))

    assert certificate["tags"] == {"gimel": "gimel", "stage": "test"}


def test_two_deployments_share_a_zone(zoned: DomainAccount) -> None:
    """Each has its own name, and a destroy leaves the other's."""
    deploy(zoned, wanted())
    shop = zoned.named("shop")
    deploy(shop, wanted("shop.example.com", "shop"))

    destroy(shop)

    assert zoned.state.plain() == UP
    assert deploy(zoned, wanted()) == ()


def test_a_name_of_another_deployment_is_refused_and_left(zoned: DomainAccount) -> None:
    """A domain name is only once in a region."""
    deploy(zoned, wanted())

    with pytest.raises(GimelError, match=r"the domain name ab\.example\.com of API Gateway"):
        deploy(zoned.named("shop"), wanted(NAME, "shop"))

    destroy(zoned.named("shop"))
    assert zoned.state.plain() == UP


def test_a_name_that_exists_in_another_account_is_an_error(zoned: DomainAccount) -> None:
    """AWS's words say which."""
    taken = Refused("BadRequestException", "The domain name you provided already exists.")
    zoned.refused["create_domain_name"] = taken

    with pytest.raises(GimelError, match="already exists"):
        deploy(zoned, wanted())


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


def test_a_wildcard_record_does_not_matter(zoned: DomainAccount) -> None:
    """Route 53 answers with the record of the name itself."""
    zoned.add_record("\\052.example.com", "CNAME", ELSEWHERE)

    deploy(zoned, wanted())

    assert len(zoned.state.records[ZONE]) == 4


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


def test_a_domain_that_others_use_stays(zoned: DomainAccount) -> None:
    """Somebody has mapped another API below it."""
    deploy(zoned, wanted())
    theirs = {"basePath": "shop", "restApiId": "theirs", "stage": "prod"}
    zoned.state.mappings[NAME]["shop"] = theirs

    destroy(zoned)

    assert zoned.state.plain() == ([], UP[1], {NAME: ["shop"]}, UP[3])


def test_the_permissions_are_limited_to_the_name() -> None:
    """Without a domain name none of them are needed."""
    identity = DomainAccount().identity()
    without = required_permissions(identity, wanted(None))
    policy = required_permissions(identity, wanted(zone=ZONE))
    added = {each["Sid"]: each for each in policy["Statement"]}
    known = {each["Sid"] for each in without["Statement"]}

    assert set(added) - known == {
        "Certificate",
        "Changes",
        "DomainRole",
        "FindCertificate",
        "ReadRecords",
        "Records",
        "RequestCertificate",
        "Zones",
    }
    assert added["Records"]["Resource"] == [f"arn:aws:route53:::hostedzone/{ZONE}"]
    assert added["Records"]["Condition"] == {
        "ForAllValues:StringLike": {
            "route53:ChangeResourceRecordSetsNormalizedRecordNames": [NAME, "_*.ab.example.com"]
        }
    }
    assert "arn:aws:apigateway:us-east-1::/domainnames/ab.example.com" in added["Api"]["Resource"]
