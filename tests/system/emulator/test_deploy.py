"""Deploying into an emulated account: what then answers, the number of calls, and the dry run."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from gimel.runtime.fields import DEFAULT_NAMESPACE
from gimel.runtime.keys import meta_key
from tests.support.account import Account
from tests.support.configurations import OWN_FUNCTION, SECOND_PATH, URL, memory
from tests.support.proxy import AwsProxy
from tests.support.recorded_calls import mutating

EVENT = {"experiment": "e", "variant": "red", "event": "participate", "uuid": "u1"}


def test_events_are_counted_and_read_back_over_http(account: Account) -> None:
    """/e and /track count by GET and POST; with the key, the counts are read and removed."""
    key = account.deploy().deployed.key

    assert account.ask("e", **EVENT).body == {"status": "ok"}
    assert account.ask("e", "POST", body={**EVENT, "uuid": "u2"}).body == {"status": "ok"}
    assert account.ask("track", **{**EVENT, "uuid": "u3"}).body == {"status": "ok"}
    assert account.ask("track", "POST", body={**EVENT, "event": "bought"}).body == {"status": "ok"}
    assert account.ask("experiments").status == 403
    assert account.ask("experiments", key="wrong").status == 403
    (row,) = [
        row for row in account.ask("experiments", key=key).body if row.get("experiment") == "e"
    ]
    (counts,) = row["goals"][0]["results"]
    assert (counts["label"], counts["successes"], counts["trials"]) == ("red", 1, 3)
    assert account.ask("delete", "DELETE", experiment="e").status == 403
    assert account.ask("delete", "DELETE", key=key, experiment="e").status == 200
    assert [row for row in account.ask("experiments", key=key).body if "experiment" in row] == []


SCHEDULED = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "000000000000",
    "time": "2026-05-12T00:05:00Z",
    "region": "us-east-1",
    "resources": ["arn:aws:events:us-east-1:000000000000:rule/gimel-snapshot"],
    "detail": {},
}


def test_a_rule_has_a_snapshot_taken_every_day(deployed: Account, store: redis.Redis) -> None:
    """It calls the live version, which admits this rule alone, with EventBridge's own event."""
    assert deployed.ask("e", **EVENT).body == {"status": "ok"}
    events, functions = deployed.client("events"), deployed.client("lambda")
    alias = {"FunctionName": "gimel-snapshot", "Qualifier": "live"}
    (statement,) = json.loads(functions.get_policy(**alias)["Policy"])["Statement"]
    rule = events.describe_rule(Name="gimel-snapshot")
    (target,) = events.list_targets_by_rule(Rule="gimel-snapshot")["Targets"]

    answer = functions.invoke(FunctionName=target["Arn"], Payload=json.dumps(SCHEDULED))

    assert (rule["ScheduleExpression"], rule["State"]) == ("cron(5 0 * * ? *)", "ENABLED")
    assert target["Arn"].endswith(":function:gimel-snapshot:live")
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert list(statement["Condition"].values()) == [{"AWS:SourceArn": rule["Arn"]}]
    assert json.load(answer["Payload"])["status"] == "ok"
    assert store.hget(meta_key(DEFAULT_NAMESPACE, "e"), "history")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("e", "GET,POST,OPTIONS"),
        ("track", "GET,POST,OPTIONS"),
        ("experiments", "GET,OPTIONS"),
        ("delete", "DELETE,OPTIONS"),
    ],
)
def test_a_cors_preflight_lists_the_methods_of_its_path(
    deployed: Account, path: str, methods: str
) -> None:
    """The gateway itself answers OPTIONS."""
    answer = deployed.ask(path, "OPTIONS")

    assert (answer.status, answer.headers["access-control-allow-methods"]) == (200, methods)
    assert answer.headers["access-control-allow-origin"] == "*"


def test_extra_wiring_leads_to_its_functions(account: Account) -> None:
    """A second path to an existing function answers, and so does a function that the user adds."""
    key = account.deploy(extra_wiring=[SECOND_PATH, OWN_FUNCTION]).deployed.key

    assert account.ask("t", **EVENT).body == {"status": "ok"}
    assert account.ask("experiment", experiment="e").status == 403
    assert account.ask("experiment", key=key, experiment="e").status == 200


def test_a_function_url_counts_events(account: Account) -> None:
    """An entry with function_url has its own public URL, which counts."""
    deployed = account.deploy(extra_wiring=[URL]).deployed

    answer = account.ask_url(
        deployed.urls["gimel-track"], experiment="e", variant="v", event="participate", uuid="u"
    )

    assert answer.body == {"status": "ok"}


def test_a_handler_that_fails_does_not_answer_200(deployed: Account, store: redis.Redis) -> None:
    """Where Redis refuses to write, the answer is 503; where the settings are unusable, a 5xx."""
    functions = deployed.client("lambda")
    functions.update_function_configuration(
        FunctionName="gimel-track", Environment={"Variables": {}}
    )
    version = functions.publish_version(FunctionName="gimel-track")["Version"]
    store.config_set("maxmemory", 1)
    try:
        assert deployed.ask("track", **EVENT).status == 503
    finally:
        store.config_set("maxmemory", 0)
    functions.update_alias(FunctionName="gimel-track", Name="live", FunctionVersion=version)
    assert deployed.ask("track", **EVENT).status in (500, 502, 503)


def test_a_first_deploy_takes_at_most_74_calls(account: Account) -> None:
    """Counted where botocore sends them, observing included. 9 of them create the path /e."""
    result = account.deploy()

    assert len(result.calls) <= 73  # plus one of preflight, which asks IAM about the permissions


def test_a_second_deploy_changes_nothing(deployed: Account) -> None:
    """No step, no mutating call, and at most 24 calls, preflight's one included."""
    again = deployed.deploy()

    assert again.steps == ()
    assert mutating(again.calls) == []
    assert len(again.calls) <= 23


def test_a_second_deploy_of_every_kind_of_setting_changes_nothing(account: Account) -> None:
    """Tags, added functions, URLs and sizes are recognised too."""
    document: dict[str, Any] = {
        "extra_wiring": [SECOND_PATH, OWN_FUNCTION, URL],
        "aws": {
            "tags": {"team": "web"},
            "log_retention_days": 7,
            "throttle": {"rate": 10.5, "burst": 20},
            **memory(192),
        },
    }
    account.deploy(**document)

    again = account.deploy(**document)

    assert again.sentences == []
    assert mutating(again.calls) == []


def test_one_changed_memory_size_makes_only_the_calls_that_it_needs(deployed: Account) -> None:
    """The configuration, a version, its trial with a marked event, and the alias."""
    changed = deployed.deploy(aws=memory(256))

    assert mutating(changed.calls) == [
        "UpdateFunctionConfiguration",
        "PublishVersion",
        "Invoke",
        "Invoke",
        "UpdateAlias",
    ]
    assert deployed.deploy(aws=memory(256)).steps == ()


DOCUMENTS: dict[str, dict[str, Any]] = {
    "wiring": {"extra_wiring": [SECOND_PATH, OWN_FUNCTION, URL]},
    "sizes and tags": {
        "aws": {
            **memory(512),
            "tags": {"team": "web"},
            "architecture": "x86_64",
            "log_retention_days": 7,
        }
    },
    "network and settings": {
        "precision": 4,
        "aws": {
            "vpc": {"subnets": ["subnet-a1"], "security_groups": ["sg-a1"]},
            "runtime": "python3.12",
        },
    },
    "concurrency and throttle": {
        "aws": {
            "functions": {"gimel-track": {"reserved_concurrency": 5}},
            "throttle": {"rate": 12345.678},
        }
    },
}


def test_the_dry_run_of_a_first_deploy_is_right(account: Account) -> None:
    """The steps that it shows are the steps applied, and then none is left."""
    planned = account.plan()

    assert account.deploy().steps == planned
    assert account.plan() == ()


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_the_dry_run_of_a_change_is_right(deployed: Account, document: dict[str, Any]) -> None:
    """There and back, the steps that it shows are the steps applied, and then none is left."""
    planned = deployed.plan(**document)
    assert deployed.deploy(**document).steps == planned
    assert deployed.plan(**document) == ()

    back = deployed.plan()

    assert deployed.deploy().steps == back
    assert deployed.plan() == ()


def test_log_groups_are_never_all_listed(account: Account, proxy: AwsProxy) -> None:
    """An account may have thousands. Those without Gimel's prefix are requested one by one."""
    account.deploy(extra_wiring=[OWN_FUNCTION])
    proxy.begin()

    assert account.plan(extra_wiring=[OWN_FUNCTION]) == ()

    prefixes = [
        json.loads(call.body)["logGroupNamePrefix"]
        for call in proxy.calls
        if call.operation == "DescribeLogGroups"
    ]
    assert len(prefixes) == 5
    assert "/aws/lambda/" not in prefixes


def test_five_versions_are_kept_and_the_live_one_always(account: Account) -> None:
    """After many changes those are left that a rollback may need.

    What an alias was moved away from by hand is not among them.
    """
    for megabytes in (128, 160, 192, 224, 256, 288, 320):
        account.deploy(aws=memory(megabytes))
    assert account.versions("gimel-track") == [3, 4, 5, 6, 7]
    account.client("lambda").update_alias(
        FunctionName="gimel-track", Name="live", FunctionVersion="3"
    )

    account.deploy(aws=memory(352))

    assert account.versions("gimel-track") == [3, 4, 5, 6, 8]
    account.deploy(aws=memory(384))
    assert account.versions("gimel-track") == [3, 5, 6, 8, 9]


def test_a_version_that_another_alias_points_to_is_kept(deployed: Account) -> None:
    """The alias of somebody else: its version is not deleted."""
    deployed.client("lambda").create_alias(
        FunctionName="gimel-track", Name="theirs", FunctionVersion="1"
    )

    for megabytes in (160, 192, 224, 256, 288, 320):
        deployed.deploy(aws=memory(megabytes))

    assert deployed.versions("gimel-track") == [1, 3, 4, 5, 6, 7]


def test_a_role_with_a_path_is_taken_as_it_is(account: Account) -> None:
    """An account may require a path, or roles that somebody else creates, with Gimel's tag."""
    trust = '{"Version": "2012-10-17", "Statement": []}'
    account.client("iam").create_role(
        Path="/apps/",
        RoleName="gimel",
        AssumeRolePolicyDocument=trust,
        Tags=[{"Key": "gimel", "Value": "gimel"}],
    )
    account.deploy()

    account.deploy(aws=memory(256))

    assert account.plan(aws=memory(256)) == ()
    account.destroy()
    assert not any(account.listing().values())
