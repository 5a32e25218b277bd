"""What is said of a domain name: the records to create, when its URLs are used, and consent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gimel.api.http import UnknownHost
from gimel.cli.domain import ReachedDomain
from gimel.deploy.checks.domain import check_domain
from gimel.deploy.checks.findings import ok, warning
from gimel.deploy.checks.smoke import Reply
from gimel.deploy.domain import DomainState, domain_state
from gimel.deploy.notices import destroy_notices, notices
from gimel.deploy.outputs import Endpoint, Outputs, api_url, outputs
from gimel.deploy.resources.observed_domain import DnsRecord
from tests.support.clock import Time
from tests.support.domain_account import DomainAccount
from tests.support.domain_contents import NAME, ZONE
from tests.support.domain_deploys import deploy, look, wanted
from tests.support.state.cloud import API, KEY_VALUE, TRACK, url_of
from tests.support.state.names import Deployed
from tests.support.state.settled import configuration, desired

RECORD = "  CNAME  _x.ab.example.com  _y.acm-validations.aws"
AGAIN = (
    "Create it at the DNS provider of the domain, and run `gimel deploy` again some minutes later. "
    "The record has to stay: AWS looks for it at every renewal."
)


def said(aws: DomainAccount, name: str = NAME) -> list[str]:
    """Return what is said of a domain name."""
    state = domain_state(wanted(name), look(aws, wanted(name)))
    assert state is not None
    return state.lines()


def test_without_a_domain_name_nothing_is_said() -> None:
    """There is no state."""
    plain = desired()

    assert domain_state(plain, look(DomainAccount(), plain)) is None


def test_the_user_creates_what_gimel_cannot() -> None:
    """First the record for the certificate, then the one for the name, at once exactly."""
    aws = DomainAccount()
    deploy(aws, wanted())
    assert said(aws) == [
        f"Domain {NAME}: AWS issues its certificate once this DNS record exists:",
        RECORD,
        AGAIN,
    ]

    aws.state.elsewhere["_x.ab.example.com"] = "_y.acm-validations.aws"
    assert said(aws)[1:] == [RECORD, AGAIN]
    deploy(aws, wanted())

    target = aws.state.domains[NAME]["regionalDomainName"]
    assert said(aws) == [
        f"Domain {NAME}: it leads to the API once this DNS record exists:",
        f"  CNAME  {NAME}  {target}",
        "Create it at the DNS provider of the domain. `gimel status` shows when it works.",
    ]


def test_a_domain_itself_takes_no_cname() -> None:
    """DNS does not allow one beside the records of the zone."""
    aws = DomainAccount()
    aws.state.elsewhere["_x.example.com"] = "_y.acm-validations.aws"
    deploy(aws, wanted("example.com"))
    deploy(aws, wanted("example.com"))

    assert said(aws, "example.com")[-1].endswith("such as ALIAS or ANAME.")


def test_with_a_hosted_zone_nothing_is_left_to_do() -> None:
    """Once it is deployed."""
    aws = DomainAccount()
    aws.add_zone()
    assert said(aws) == [f"Domain {NAME}: it is not set up yet.", "Run `gimel deploy`."]

    deploy(aws, wanted())

    assert said(aws) == []


def test_a_record_that_leads_elsewhere_is_named() -> None:
    """Whoever made it has to change it."""
    aws = DomainAccount()
    aws.add_zone()
    aws.add_record(NAME, "CNAME", "elsewhere.example.net")
    deploy(aws, wanted())

    first, record, _ = said(aws)

    assert first.endswith("It leads to elsewhere.example.net now.")
    assert record.startswith(f"  CNAME  {NAME}  d-")


def test_a_record_made_by_hand_is_as_good() -> None:
    """A CNAME record to the same host, which another zone may have had before."""
    aws = DomainAccount()
    aws.add_zone()
    deploy(aws, wanted())
    aws.state.records[ZONE].clear()
    target = aws.state.domains[NAME]["regionalDomainName"]
    aws.add_record("_x.ab.example.com", "CNAME", "_y.acm-validations.aws")
    aws.add_record(NAME, "CNAME", target)

    assert said(aws) == []
    assert deploy(aws, wanted()) == ()


def test_a_certificate_that_failed_says_why() -> None:
    """In words, with what to do."""
    aws = DomainAccount()
    deploy(aws, wanted())
    (certificate,) = aws.state.certificates.values()
    certificate.update(Status="FAILED", FailureReason="CAA_ERROR")

    first, hint = said(aws)

    assert "a CAA record in the DNS does not permit Amazon to issue certificates" in first
    assert "amazon.com" in hint


def test_as_json() -> None:
    """A program can create the records."""
    aws = DomainAccount()
    deploy(aws, wanted())
    state = domain_state(wanted(), look(aws, wanted()))

    assert state is not None
    assert state.as_json(is_reached=False) == {
        "name": NAME,
        "reached": False,
        "message": "AWS issues its certificate once this DNS record exists:",
        "records": [
            {"type": "CNAME", "name": "_x.ab.example.com", "value": "_y.acm-validations.aws"}
        ],
    }
    assert DomainState(NAME, True).as_json(is_reached=True)["message"] is None


def test_its_urls_come_before_all_others() -> None:
    """Without the stage. A function's own URL is not the API's."""
    base = api_url(API, "eu-west-1", None, "amazonaws.com")
    deployed = Deployed(API, KEY_VALUE, {TRACK: url_of(TRACK)})
    plain = outputs(deployed, configuration().wiring, "eu-west-1", None, "amazonaws.com")

    moved = plain.at_domain(NAME, base, None)

    assert [each.url for each in moved.endpoints[:2]] == [f"https://{NAME}/e"] * 2
    assert moved.endpoints[len(plain.endpoints) - 1 :] == plain.endpoints
    assert moved.track == Endpoint("GET", f"https://{NAME}/e", "gimel.track", False)


def replies(*answers: Reply) -> Any:
    """Return a fetch that answers so, in turn, and checks that no key is sent."""
    left = list(answers)

    def fetch(
        method: str, endpoint: Endpoint, headers: Mapping[str, str], body: str | None
    ) -> Reply:
        assert (method, endpoint.url, dict(headers), body) == ("OPTIONS", "url", {}, None)
        return left.pop(0) if len(left) > 1 else left[0]

    return fetch


HERE = Reply(200, None, {"access-control-allow-methods": "GET,POST,OPTIONS"})
NOWHERE = Reply(0, None, {}, UnknownHost("There is no host ab.example.com."))
SOMETHING_ELSE = Reply(200, None, {})
FORBIDDEN = Reply(403, {"message": "Forbidden"}, {})


@pytest.mark.parametrize(
    ("answers", "status", "waited"),
    [
        ([HERE], "ok", 0.0),
        ([NOWHERE, FORBIDDEN, HERE], "ok", 1.5),
        ([NOWHERE], "warning", 87.5),
        ([SOMETHING_ELSE], "warning", 87.5),
    ],
    ids=["at once", "after a while", "never", "another server"],
)
def test_it_leads_to_the_api_if_the_api_answers(
    answers: list[Reply], status: str, waited: float
) -> None:
    """A new name is waited for, and is never a failure."""
    time = Time()
    waits: list[str] = []
    found = check_domain(
        NAME,
        Endpoint("GET", "url", "gimel.track", False),
        replies(*answers),
        90.0,
        sleep=time.sleep,
        clock=time.clock,
        on_wait=waits.append,
    )

    assert found.status == status
    assert time.clock() == waited
    assert bool(waits) == bool(waited)


def test_what_is_shown_depends_on_where_the_name_leads() -> None:
    """A record that the user has to create is not also a warning."""
    plain = Outputs((), KEY_VALUE)
    missing = DomainState(NAME, True, "once this record exists:", (DnsRecord(NAME, "CNAME", "d"),))
    nowhere, here = warning(f"domain {NAME}", "not yet"), ok(f"domain {NAME}", "it leads")

    assert ReachedDomain(missing, plain, nowhere).findings == []
    assert ReachedDomain(missing, plain, nowhere).lines() == missing.lines()
    assert ReachedDomain(missing, plain, here).findings == [here]
    assert ReachedDomain(missing, plain, here).lines() == []
    assert (ReachedDomain(missing, plain, here).as_json() or {})["records"] == []
    assert ReachedDomain(None, plain).as_json() is None
    assert ReachedDomain(DomainState(NAME, True), plain, nowhere).findings == [nowhere]
    assert ReachedDomain(DomainState(NAME, False), plain).findings == []


def test_its_removal_needs_consent() -> None:
    """Pages in the wild use it. A new name alone needs none."""
    aws = DomainAccount()
    aws.add_zone()
    deploy(aws, wanted())
    renamed = wanted("new.example.com")
    assert list(notices(renamed, look(aws, renamed))) == []
    deploy(aws, renamed)

    for now in (renamed, desired()):
        asking = [each.text for each in notices(now, look(aws, now)) if each.asks]
        assert any(
            f"Pages that send events to {NAME} must be changed first" in each for each in asking
        )


def test_a_destroy_says_what_stays() -> None:
    """A domain name that others use, and records that Gimel cannot delete."""
    aws = DomainAccount()
    aws.add_zone()
    deploy(aws, wanted())
    assert list(destroy_notices(look(aws, None))) == []

    aws.state.zones.clear()
    aws.state.records.clear()
    assert list(destroy_notices(look(aws, None))) == [
        f"Delete the DNS records of {NAME} yourself, at its DNS provider."
    ]

    aws.state.mappings[NAME]["shop"] = {"basePath": "shop", "restApiId": "x", "stage": "prod"}

    (text,) = destroy_notices(look(aws, None))
    assert text.startswith(f"The domain name {NAME} stays")
