"""A domain name in the emulated account: what the services answer, and events by its host."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.account import Account, Answer, ask, variables
from tests.support.events import EVENT
from tests.support.recorded_calls import mutating
from tests.support.warm_process import Commands

NAME = "ab.example.com"
AWS: dict[str, Any] = {"domain": {"name": NAME}}

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(unprepared: Account, commands: Commands) -> Run:
    """Run a command in the folder of config.json, with the account's environment."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        home = unprepared.file.parent
        return commands.run(*arguments, home=home, **variables(unprepared.url))

    return run


def add_zone(account: Account, name: str = "example.com") -> str:
    """Add a public hosted zone. Return its id."""
    made = account.client("route53").create_hosted_zone(Name=name, CallerReference=name)
    return str(made["HostedZone"]["Id"])


def records(account: Account) -> dict[str, list[str]]:
    """Return the types of the records in all zones by name, without those of the zones' own."""
    found: dict[str, list[str]] = {}
    route53 = account.client("route53")
    for zone in route53.list_hosted_zones()["HostedZones"]:
        for each in route53.list_resource_record_sets(HostedZoneId=zone["Id"])[
            "ResourceRecordSets"
        ]:
            if each["Type"] not in ("NS", "SOA"):
                found.setdefault(each["Name"], []).append(each["Type"])
    return found


def left(account: Account) -> dict[str, Any]:
    """Return what exists of domain names."""
    gateway, acm = account.client("apigateway"), account.client("acm")
    return {
        "domain names": [each["domainName"] for each in gateway.get_domain_names()["items"]],
        "certificates": acm.list_certificates()["CertificateSummaryList"],
        "records": records(account),
    }


def track(account: Account, host: str = NAME) -> Answer:
    """Send an event to the domain name, at the emulator's address."""
    query = "&".join(f"{key}={value}" for key, value in EVENT.items())
    return ask(f"{account.url}/e?{query}", host=host)


@pytest.fixture
def with_domain(unprepared: Account) -> Account:
    """A deployment with a domain name in a hosted zone."""

    def build() -> None:
        add_zone(unprepared)
        unprepared.deploy(aws=AWS)

    unprepared.prepare("with a domain name", build)
    unprepared.configure(aws=AWS)
    return unprepared


def test_one_deploy_is_enough_with_a_hosted_zone(account: Account, run: Run) -> None:
    """The URLs are those of the domain name, and the old ones are listed after them."""
    add_zone(account)
    account.configure(aws=AWS)

    done = run("deploy", "--yes", "--json", "--no-preflight")

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    urls = [each["url"] for each in answer["endpoints"]]
    assert urls[0] == f"https://{NAME}/e"
    assert urls[len(urls) // 2] == f"{account.url}/restapis/{account.api()}/prod/_user_request_/e"
    assert answer["domain"] == {"name": NAME, "reached": True, "message": None, "records": []}
    assert {each["status"] for each in answer["checks"]} == {"ok"}
    assert {"name": f"domain {NAME}", "status": "ok"}.items() <= answer["checks"][0].items()
    assert track(account).body == {"status": "ok"}
    assert account.ask("e", **EVENT).body == {"status": "ok"}
    assert records(account) == {
        f"_acme-challenge.{NAME}.": ["CNAME"],
        f"{NAME}.": ["A", "AAAA"],
    }


def test_two_deploys_are_without_one(account: Account, run: Run) -> None:
    """The first prints the record for the certificate, the second the one for the name."""
    account.configure(aws=AWS)

    first = run("deploy", "--yes", "--no-preflight")

    assert first.returncode == 0, first.stderr
    assert f"Domain {NAME}: AWS issues its certificate once this DNS record" in first.stdout
    assert f"\n  CNAME  _acme-challenge.{NAME}  fake-validation-" in first.stdout
    assert f"https://{NAME}" not in first.stdout
    assert mutating(account.deploy(aws=AWS).calls) == []

    account.emulator.issue_certificates()
    second = json.loads(run("deploy", "--yes", "--no-preflight", "--json").stdout)

    assert [each["step"] for each in second["steps"]] == ["CreateDomainName", "CreateMapping"]
    assert second["domain"]["reached"]
    assert track(account).body == {"status": "ok"}


def test_a_second_deploy_changes_nothing(with_domain: Account) -> None:
    """It only reads."""
    again = with_domain.deploy(aws=AWS)

    assert again.steps == ()
    assert mutating(again.calls) == []


def test_status_shows_the_domain_name_and_rollback_leaves_it(
    with_domain: Account, run: Run
) -> None:
    """Also the deployment that matches."""
    with_domain.deploy(aws={**AWS, "architecture": "x86_64"})
    with_domain.configure(aws=AWS)
    assert run("rollback").returncode == 0

    done = run("status")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"GET     https://{NAME}/e\n")
    assert "The deployment matches the configuration." in done.stdout
    assert track(with_domain).body == {"status": "ok"}


def test_removing_it_needs_consent(with_domain: Account, run: Run) -> None:
    """Pages use it."""
    with_domain.configure()

    refused = run("deploy", "--no-preflight")

    assert refused.returncode == 1
    assert "The plan needs consent" in refused.stderr
    assert f"Pages that send events to {NAME} must be changed first" in refused.stderr
    assert run("status").stdout.startswith(f"GET     https://{NAME}/e\n")
    assert run("deploy", "--yes", "--no-preflight").returncode == 0
    assert not any(left(with_domain).values())
    assert with_domain.plan() == ()


def test_destroy_leaves_nothing_of_it(with_domain: Account) -> None:
    """The zone is the user's."""
    with_domain.destroy()

    assert not any(with_domain.listing().values())
    assert not any(left(with_domain).values())
    assert with_domain.client("route53").list_hosted_zones()["HostedZones"]


def test_a_new_api_is_mapped_again(with_domain: Account) -> None:
    """The emulator lets its API be deleted, which AWS does not while it is mapped."""
    gateway = with_domain.client("apigateway")
    gateway.delete_rest_api(restApiId=with_domain.api())
    for each in gateway.get_usage_plans()["items"]:
        gateway.delete_usage_plan(usagePlanId=each["id"])

    with_domain.deploy(aws=AWS)

    assert track(with_domain).body == {"status": "ok"}
    assert with_domain.plan(aws=AWS) == ()


def test_two_deployments_have_two_names_of_one_zone(with_domain: Account) -> None:
    """Neither touches the other's, and nobody else can take a name that is in use."""
    shop = {"name": "shop", "domain": {"name": "shop.example.com"}}
    with_domain.deploy(aws=shop)

    assert track(with_domain).body == {"status": "ok"}
    assert track(with_domain, "shop.example.com").body == {"status": "ok"}
    with_domain.configure(aws=shop)
    with_domain.destroy()
    assert track(with_domain).body == {"status": "ok"}
    assert with_domain.plan(aws=AWS) == ()


def test_drift_is_repaired(with_domain: Account) -> None:
    """A mapping to another API, another certificate, a record that is gone."""
    gateway = with_domain.client("apigateway")
    theirs = gateway.create_rest_api(name="theirs")["id"]
    gateway.delete_base_path_mapping(domainName=NAME, basePath="(none)")
    gateway.create_base_path_mapping(domainName=NAME, restApiId=theirs, stage="prod")
    other = with_domain.client("acm").request_certificate(DomainName=NAME)["CertificateArn"]
    patch = [{"op": "replace", "path": "/regionalCertificateArn", "value": other}]
    gateway.update_domain_name(domainName=NAME, patchOperations=patch)

    done = with_domain.deploy(aws=AWS)

    assert [type(each).__name__ for each in done.steps] == ["SetCertificate", "UpdateMapping"]
    assert track(with_domain).body == {"status": "ok"}
    assert with_domain.plan(aws=AWS) == ()
