"""Deploying into an emulated account: what is there afterwards, with how many calls, and whether the plan told the truth."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from gimel.deploy.apply import apply_all_or_none
from gimel.deploy.plan import observe, plan_rollback
from gimel.deploy.resources.base import Look
from gimel.errors import GimelError
from tests.support.account import Account, add_theirs, ask, live, mutating, versions
from tests.support.configurations import OWN_FUNCTION, SECOND_PATH, URL
from tests.support.proxy import AwsProxy

EVENT = {"experiment": "e", "variant": "red", "event": "participate", "uuid": "u1"}


def memory(megabytes: int) -> dict[str, Any]:
    return {"functions": {"gimel-track": {"memory": megabytes}}}


def test_events_are_counted_and_read_back_over_http(account: Account) -> None:
    """GET and POST /track count; /experiments needs the key, and shows what was counted; /delete removes it."""
    key = account.deploy().deployed.key

    assert account.ask("track", **EVENT).body == {"status": "ok"}
    assert account.ask("track", "POST", body={**EVENT, "uuid": "u2"}).body == {"status": "ok"}
    assert account.ask("track", "POST", body={**EVENT, "event": "bought"}).body == {"status": "ok"}
    assert account.ask("experiments").status == 403
    assert account.ask("experiments", key="wrong").status == 403
    (row,) = [
        row for row in account.ask("experiments", key=key).body if row.get("experiment") == "e"
    ]
    (counts,) = row["goals"][0]["results"]
    assert (counts["label"], counts["successes"], counts["trials"]) == ("red", 1, 2)
    assert account.ask("delete", "DELETE", experiment="e").status == 403
    assert account.ask("delete", "DELETE", key=key, experiment="e").status == 200
    assert [row for row in account.ask("experiments", key=key).body if "experiment" in row] == []


@pytest.mark.parametrize(
    ("path", "methods"),
    [("track", "GET,POST,OPTIONS"), ("experiments", "GET,OPTIONS"), ("delete", "DELETE,OPTIONS")],
)
def test_a_preflight_request_is_told_the_true_methods(
    account: Account, path: str, methods: str
) -> None:
    """OPTIONS is answered by the gateway itself, with the methods that the path has."""
    account.deploy()

    answer = account.ask(path, "OPTIONS")

    assert (answer.status, answer.headers["access-control-allow-methods"]) == (200, methods)
    assert answer.headers["access-control-allow-origin"] == "*"


def test_extra_wiring_leads_to_its_functions(account: Account) -> None:
    """A second path onto an existing function, and a function of the user's own, answer."""
    key = account.deploy(extra_wiring=[SECOND_PATH, OWN_FUNCTION]).deployed.key

    assert account.ask("t", **EVENT).body == {"status": "ok"}
    assert account.ask("experiment", experiment="e").status == 403
    assert account.ask("experiment", key=key, experiment="e").status == 200


def test_a_function_url_counts_events(account: Account) -> None:
    """An entry with function_url has a public URL of its own, which counts."""
    deployed = account.deploy(extra_wiring=[URL]).deployed
    host = deployed.urls["gimel-track"].split("/")[2]

    answer = ask(f"{account.url}/?experiment=e&variant=v&event=participate&uuid=u", host=host)

    assert answer.body == {"status": "ok"}


def test_a_handler_that_fails_is_no_200(account: Account, store: redis.Redis) -> None:
    """With a store that refuses to write, the answer is a 503; with settings that cannot be used, a 5xx."""
    account.deploy()
    account.client("lambda").update_function_configuration(
        FunctionName="gimel-track", Environment={"Variables": {}}
    )
    time.sleep(0.6)
    version = account.client("lambda").publish_version(FunctionName="gimel-track")["Version"]
    store.config_set("maxmemory", 1)
    try:
        assert account.ask("track", **EVENT).status == 503
    finally:
        store.config_set("maxmemory", 0)
    account.client("lambda").update_alias(
        FunctionName="gimel-track", Name="live", FunctionVersion=version
    )
    assert account.ask("track", **EVENT).status in (500, 502, 503)


def test_a_first_deploy_takes_at_most_55_calls(account: Account) -> None:
    """Counted where botocore sends them, observing included."""
    assert (
        len(account.deploy().calls) <= 54
    )  # and one more of its preflight, which asks IAM for the rights


def test_a_second_deploy_changes_nothing(account: Account) -> None:
    """No step, no mutating call, and with the preflight's one at most 20 in all."""
    account.deploy()

    again = account.deploy()

    assert again.steps == ()
    assert mutating(again.calls) == []
    assert len(again.calls) <= 19


def test_a_second_deploy_from_another_version_of_the_same_settings_changes_nothing(
    account: Account,
) -> None:
    """Tags, own functions, URLs and sizes are recognised too."""
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


def test_one_changed_memory_size_makes_only_the_calls_that_it_needs(account: Account) -> None:
    """The configuration, a version, the alias: three mutating calls."""
    account.deploy()

    changed = account.deploy(aws=memory(256))

    assert mutating(changed.calls) == [
        "UpdateFunctionConfiguration",
        "PublishVersion",
        "UpdateAlias",
    ]
    assert account.deploy(aws=memory(256)).steps == ()


def remove_permission(account: Account) -> None:
    account.client("lambda").remove_permission(
        FunctionName="gimel-track", Qualifier="live", StatementId="gimel-api"
    )


def remove_integration(account: Account) -> None:
    gateway, api = account.client("apigateway"), account.api()
    (track,) = [
        each for each in gateway.get_resources(restApiId=api)["items"] if each["path"] == "/track"
    ]
    gateway.put_method(
        restApiId=api, resourceId=track["id"], httpMethod="GET", authorizationType="NONE"
    )


def remove_preflight_answer(account: Account) -> None:
    gateway, api = account.client("apigateway"), account.api()
    (track,) = [
        each for each in gateway.get_resources(restApiId=api)["items"] if each["path"] == "/track"
    ]
    gateway.delete_integration_response(
        restApiId=api, resourceId=track["id"], httpMethod="OPTIONS", statusCode="200"
    )


def move_alias(account: Account) -> None:
    account.deploy(aws=memory(256))
    account.client("lambda").update_alias(
        FunctionName="gimel-track", Name="live", FunctionVersion="1"
    )
    account.configure(aws=memory(256))


def change_throttle(account: Account) -> None:
    patch = [{"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "5"}]
    account.client("apigateway").update_stage(
        restApiId=account.api(), stageName="prod", patchOperations=patch
    )


def method_of(account: Account, path: str, method: str, replace: str, value: str) -> None:
    gateway, api = account.client("apigateway"), account.api()
    (found,) = [
        each for each in gateway.get_resources(restApiId=api)["items"] if each["path"] == path
    ]
    patch = [{"op": "replace", "path": replace, "value": value}]
    gateway.update_method(
        restApiId=api, resourceId=found["id"], httpMethod=method, patchOperations=patch
    )


def open_a_closed_method(account: Account) -> None:
    method_of(account, "/delete", "DELETE", "/apiKeyRequired", "false")


def ask_for_a_signature(account: Account) -> None:
    method_of(account, "/track", "GET", "/authorizationType", "AWS_IAM")


def lock_the_preflight(account: Account) -> None:
    method_of(account, "/track", "OPTIONS", "/apiKeyRequired", "true")


def delete_alias(account: Account) -> None:
    account.client("lambda").delete_alias(FunctionName="gimel-track", Name="live")


def delete_log_group(account: Account) -> None:
    account.client("logs").delete_log_group(logGroupName="/aws/lambda/gimel-track")


def delete_role_policy(account: Account) -> None:
    account.client("iam").delete_role_policy(RoleName="gimel", PolicyName="gimel")


def take_key_out_of_plan(account: Account) -> None:
    gateway = account.client("apigateway")
    (plan,) = gateway.get_usage_plans()["items"]
    (key,) = gateway.get_api_keys()["items"]
    gateway.delete_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"])


def deploy_by_hand(account: Account) -> None:
    account.client("apigateway").create_deployment(
        restApiId=account.api(), stageName="prod", description="by hand"
    )


def delete_function(account: Account) -> None:
    account.client("lambda").delete_function(FunctionName="gimel-delete-experiment")


def delete_stage(account: Account) -> None:
    account.client("apigateway").delete_stage(restApiId=account.api(), stageName="prod")


def delete_gateway_response(account: Account) -> None:
    account.client("apigateway").delete_gateway_response(
        restApiId=account.api(), responseType="DEFAULT_4XX"
    )


DRIFTS = [
    remove_permission,
    remove_integration,
    remove_preflight_answer,
    change_throttle,
    open_a_closed_method,
    ask_for_a_signature,
    lock_the_preflight,
    delete_alias,
    delete_log_group,
    delete_role_policy,
    take_key_out_of_plan,
    deploy_by_hand,
    delete_function,
    delete_stage,
    delete_gateway_response,
]


@pytest.mark.parametrize("drift", DRIFTS, ids=lambda drift: drift.__name__)
def test_drift_made_by_hand_is_seen_said_and_put_right(
    account: Account, drift: Callable[[Account], None]
) -> None:
    """The dry run's steps are the steps applied; after them nothing is left to do, and events are counted."""
    key = account.deploy().deployed.key
    drift(account)

    said = account.plan()
    done = account.deploy()

    assert said
    assert done.steps == said
    assert account.plan() == ()
    assert account.ask("track", **EVENT).body == {"status": "ok"}
    assert account.ask("experiments", key=key).status == 200
    assert account.ask("delete", "DELETE", experiment="e").status == 403


def test_a_moved_alias_goes_back_without_a_new_version(account: Account) -> None:
    """What the configuration asks for is published already: only the alias is moved."""
    account.deploy()
    move_alias(account)

    said = account.plan(aws=memory(256))
    done = account.deploy(aws=memory(256))

    assert done.steps == said
    assert mutating(done.calls) == ["UpdateAlias"]
    assert (live(account, "gimel-track"), versions(account, "gimel-track")) == (2, [1, 2])


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"extra_wiring": [SECOND_PATH, OWN_FUNCTION, URL]},
        {
            "aws": {
                **memory(512),
                "tags": {"team": "web"},
                "architecture": "x86_64",
                "log_retention_days": 7,
            }
        },
        {
            "precision": 4,
            "aws": {
                "vpc": {"subnets": ["subnet-1"], "security_groups": ["sg-1"]},
                "runtime": "python3.12",
            },
        },
        {
            "aws": {
                "functions": {"gimel-track": {"reserved_concurrency": 5}},
                "throttle": {"rate": 12345.678},
            }
        },
    ],
    ids=["nothing", "wiring", "sizes and tags", "network and settings", "concurrency and throttle"],
)
def test_the_dry_run_tells_the_truth(account: Account, document: dict[str, Any]) -> None:
    """On an empty account, and for a change from the defaults: the steps told are the steps applied, and then none is left."""
    assert account.plan() == account.deploy().steps

    said = account.plan(**document)
    done = account.deploy(**document)

    assert done.steps == said
    assert account.plan(**document) == ()
    back = account.plan()
    assert account.deploy().steps == back
    assert account.plan() == ()


def test_log_groups_are_never_all_listed(account: Account, proxy: AwsProxy) -> None:
    """An account may have thousands: without a prefix of their own, those of the functions are asked for one by one."""
    account.deploy(extra_wiring=[OWN_FUNCTION])
    proxy.begin()

    assert account.plan(extra_wiring=[OWN_FUNCTION]) == ()

    prefixes = [
        json.loads(call.body)["logGroupNamePrefix"]
        for call in proxy.calls
        if call.operation == "DescribeLogGroups"
    ]
    assert len(prefixes) == 4
    assert "/aws/lambda/" not in prefixes


def test_aws_own_tags_are_left_alone() -> None:
    """Nobody can take them away."""
    assert observe._tags(
        [{"Key": "team", "Value": "web"}, {"Key": "aws:cloudformation:stack", "Value": "x"}]
    ) == {"team": "web"}


def test_routes_and_functions_that_left_the_wiring_are_removed(account: Account) -> None:
    """After saying so: path, function and log group go; what is still wired stays."""
    account.deploy(extra_wiring=[SECOND_PATH, OWN_FUNCTION, URL])

    done = account.deploy()

    assert {
        "Delete the path /t, which left the wiring",
        "Delete the path /experiment, which left the wiring",
        "Delete the function our-experiment",
        "Delete the log group /aws/lambda/our-experiment, with its logs",
        "Take the public URL of the function gimel-track away",
    } <= set(done.sentences)
    fresh = account.listing()
    assert sorted(fresh["functions"]) == [
        "gimel-all-experiments",
        "gimel-delete-experiment",
        "gimel-track",
    ]
    assert [group["logGroupName"] for group in fresh["log groups"]] == [
        f"/aws/lambda/{name}" for name in sorted(fresh["functions"])
    ]
    assert account.ask("t", **EVENT).status in (403, 404)


def test_five_versions_are_kept_and_the_live_one_always(account: Account) -> None:
    """After many changes the last five versions are left; one that is live is kept however old."""
    for megabytes in (128, 160, 192, 224, 256, 288, 320):
        account.deploy(aws=memory(megabytes))
    assert versions(account, "gimel-track") == [3, 4, 5, 6, 7]
    account.client("lambda").update_alias(
        FunctionName="gimel-track", Name="live", FunctionVersion="3"
    )

    account.deploy(aws=memory(352))

    assert versions(account, "gimel-track") == [3, 4, 5, 6, 7, 8]
    account.deploy(aws=memory(384))
    assert versions(account, "gimel-track") == [5, 6, 7, 8, 9]


def test_a_version_that_somebodys_alias_points_to_is_kept(account: Account) -> None:
    """It is not among what the dry run says will be deleted, and is still there."""
    account.deploy()
    account.client("lambda").create_alias(
        FunctionName="gimel-track", Name="theirs", FunctionVersion="1"
    )

    for megabytes in (160, 192, 224, 256, 288, 320):
        account.deploy(aws=memory(megabytes))

    assert versions(account, "gimel-track") == [1, 3, 4, 5, 6, 7]


def test_destroy_leaves_an_account_as_it_was_found(account: Account, store: redis.Redis) -> None:
    """Full listings before and after are equal, with another team's things in the account; Redis keeps its data."""
    add_theirs(account)
    before = account.listing()
    account.deploy(extra_wiring=[SECOND_PATH, OWN_FUNCTION, URL], aws={"tags": {"team": "web"}})
    account.ask("track", **EVENT)
    kept = store.dbsize()

    account.destroy()

    assert account.listing() == before
    assert store.dbsize() == kept > 0
    assert account.destroy() == ()


def test_rolling_back_moves_all_aliases_or_none(account: Account) -> None:
    """Where the second alias cannot be moved, the first is back where it was."""
    sizes = {
        name: {"memory": 256}
        for name in ("gimel-track", "gimel-all-experiments", "gimel-delete-experiment")
    }
    account.deploy()
    account.deploy(aws={"functions": sizes})
    aws = account.aws()
    observed = observe(Look(aws, versions=True))
    moves = plan_rollback(observed)
    account.client("lambda").delete_function(FunctionName=moves[1].function)

    with pytest.raises(GimelError, match="Nothing was rolled back"):
        apply_all_or_none(aws, moves, observed)

    assert live(account, moves[0].function) == 2
    assert len(moves) == 3


def test_an_alias_on_what_is_not_published_goes_back_to_a_version(account: Account) -> None:
    """As the console leaves it: said by the dry run, put right by deploy, and no version that rollback could start from."""
    account.deploy()
    account.client("lambda").update_alias(
        FunctionName="gimel-track", Name="live", FunctionVersion="$LATEST"
    )

    with pytest.raises(GimelError, match="no version that is live"):
        plan_rollback(observe(Look(account.aws(), versions=True)))
    done = account.deploy()

    assert done.sentences == [
        "Make version 1 of the function gimel-track live, in place of what is not published"
    ]
    assert (live(account, "gimel-track"), account.plan()) == (1, ())


@pytest.mark.parametrize("forward", [True, False], ids=["deploy", "rollback"])
def test_a_moved_alias_serves_one_version_alone(account: Account, forward: bool) -> None:
    """A share that was sent to another version by hand ends with it."""
    account.deploy()
    account.deploy(aws=memory(256))
    share = {"AdditionalVersionWeights": {"1": 0.5}}
    account.client("lambda").update_alias(
        FunctionName="gimel-track", Name="live", FunctionVersion="2", RoutingConfig=share
    )

    if forward:
        account.deploy(aws=memory(512))
    else:
        aws = account.aws()
        observed = observe(Look(aws, versions=True))
        apply_all_or_none(aws, plan_rollback(observed), observed)

    alias = account.client("lambda").get_alias(FunctionName="gimel-track", Name="live")
    assert alias["FunctionVersion"] == ("3" if forward else "1")
    assert not alias.get("RoutingConfig", {}).get("AdditionalVersionWeights")


def delete_role(account: Account) -> None:
    account.client("iam").delete_role_policy(RoleName="gimel", PolicyName="gimel")
    account.client("iam").delete_role(RoleName="gimel")


@pytest.mark.parametrize("drift", [delete_role, delete_role_policy], ids=["role", "its policy"])
def test_destroy_finds_the_functions_without_the_record(
    account: Account, drift: Callable[[Account], None]
) -> None:
    """By their marks, where the role that records them is gone: also one that only its own URL leads to."""
    own_url = {"lambda": {"FunctionName": "linked", "Handler": "gimel.track"}, "function_url": True}
    add_theirs(account)
    before = account.listing()
    account.deploy(extra_wiring=[own_url])
    drift(account)

    account.destroy()

    assert account.listing() == before


def test_a_role_with_a_path_is_gimels_too(account: Account) -> None:
    """An account may want all roles below a path, and have them made by somebody else: deploy takes what it finds."""
    trust = '{"Version": "2012-10-17", "Statement": []}'
    account.client("iam").create_role(
        Path="/apps/", RoleName="gimel", AssumeRolePolicyDocument=trust
    )
    account.deploy()

    account.deploy(aws=memory(256))

    assert account.plan(aws=memory(256)) == ()
    account.destroy()
    assert not any(account.listing().values())
