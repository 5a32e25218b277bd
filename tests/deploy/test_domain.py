"""A domain name from configuration to DNS: certificate, API Gateway's name, mapping and records.

The account is one in memory with AWS's own refusals. What the services themselves answer is tested
in tests/system/emulator/test_domain.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gimel.deploy.aws_errors import Refused
from gimel.deploy.plan import required_permissions
from gimel.errors import GimelError
from tests.support.domain_account import DomainAccount
from tests.support.domain_contents import EMPTY, NAME, UP, VALIDATION, ZONE
from tests.support.domain_deploys import deploy, destroy, sentences, wanted
from tests.support.state.settled import desired

OLD = "old.example.com"


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


def test_removing_it_from_the_configuration_deletes_it_with_consent(zoned: DomainAccount) -> None:
    """The API stays."""
    deploy(zoned, wanted())

    steps = deploy(zoned, wanted(None))

    assert sentences(steps) == [
        "Delete the DNS record A ab.example.com",
        "Delete the DNS record AAAA ab.example.com",
        "No longer serve the REST API at https://ab.example.com",
        "Delete the domain name ab.example.com from API Gateway",
        "Delete the DNS record CNAME _x.ab.example.com",
        "Delete the certificate of ab.example.com 0",
        "Tag the REST API gimel: remove gimel:domain",
    ]
    assert [step.destructive for step in steps] == [False] * 3 + [True] + [False] * 3
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


DRIFT: dict[str, tuple[Callable[[Any], object], str]] = {
    "mapping deleted": (
        lambda state: state.mappings[NAME].clear(),
        "Serve the REST API at https://ab.example.com",
    ),
    "mapped elsewhere": (
        lambda state: state.mappings[NAME]["(none)"].update(restApiId="theirs"),
        "Serve the REST API at https://ab.example.com, which leads to another one",
    ),
    "address records deleted": (
        lambda state: state.records[ZONE].__delitem__(slice(1, 3)),
        "Create the DNS records A and AAAA of ab.example.com in example.com",
    ),
    "one record deleted": (
        lambda state: state.records[ZONE].pop(),
        "Create the DNS record AAAA of ab.example.com in example.com",
    ),
    "record of the certificate deleted": (
        lambda state: state.records[ZONE].pop(0),
        "Create the record for the certificate of ab.example.com in example.com",
    ),
    "an old TLS": (
        lambda state: state.domains[NAME].update(securityPolicy="TLS_1_0"),
        "Require TLS 1.2 or later for the domain name ab.example.com",
    ),
    "another certificate": (
        lambda state: state.domains[NAME].update(regionalCertificateArn="theirs"),
        "Replace the certificate of the domain name ab.example.com",
    ),
    "untagged": (
        lambda state: state.apis[next(iter(state.apis))]["tags"].pop("gimel:domain"),
        "Tag the REST API gimel: set gimel:domain=ab.example.com",
    ),
}


@pytest.mark.parametrize(("change", "said"), DRIFT.values(), ids=DRIFT)
def test_drift_is_repaired(
    zoned: DomainAccount, change: Callable[[Any], object], said: str
) -> None:
    """By one step, to the same state."""
    deploy(zoned, wanted())
    change(zoned.state)

    assert sentences(deploy(zoned, wanted())) == [said]

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


@pytest.mark.parametrize("is_destroyed", [True, False], ids=["destroyed", "removed"])
def test_a_domain_that_others_use_stays(zoned: DomainAccount, is_destroyed: bool) -> None:
    """Somebody has mapped another API below it."""
    deploy(zoned, wanted())
    theirs = {"basePath": "shop", "restApiId": "theirs", "stage": "prod"}
    zoned.state.mappings[NAME]["shop"] = theirs

    if is_destroyed:
        destroy(zoned)
    else:
        deploy(zoned, wanted(None))
        assert deploy(zoned, wanted(None)) == ()

    assert zoned.state.plain()[1:] == (UP[1], {NAME: ["shop"]}, UP[3])


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
