"""Changes made by hand in the console: the dry run shows them, and deploy fixes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gimel.errors import GimelError
from tests.support.account import Account
from tests.support.configurations import memory
from tests.support.events import EVENT
from tests.support.recorded_calls import mutating


def gateway_of(account: Account, path: str) -> tuple[Any, dict[str, str]]:
    """Return a client of API Gateway, and the ids that its calls about a path take."""
    gateway, api = account.client("apigateway"), account.api()
    (found,) = [
        each for each in gateway.get_resources(restApiId=api)["items"] if each["path"] == path
    ]
    return gateway, {"restApiId": api, "resourceId": found["id"]}


def patch_method(account: Account, path: str, method: str, key: str, value: str) -> None:
    gateway, ids = gateway_of(account, path)
    patch = [{"op": "replace", "path": key, "value": value}]
    gateway.update_method(**ids, httpMethod=method, patchOperations=patch)


def remove_permission(account: Account) -> None:
    account.client("lambda").remove_permission(
        FunctionName="gimel-track", Qualifier="live", StatementId="gimel-api"
    )


def remove_integration(account: Account) -> None:
    gateway, ids = gateway_of(account, "/track")
    gateway.put_method(**ids, httpMethod="GET", authorizationType="NONE")


def remove_cors_answer(account: Account) -> None:
    gateway, ids = gateway_of(account, "/track")
    gateway.delete_integration_response(**ids, httpMethod="OPTIONS", statusCode="200")


def change_throttle(account: Account) -> None:
    patch = [{"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "5"}]
    account.client("apigateway").update_stage(
        restApiId=account.api(), stageName="prod", patchOperations=patch
    )


def open_a_closed_method(account: Account) -> None:
    patch_method(account, "/delete", "DELETE", "/apiKeyRequired", "false")


def require_a_signature(account: Account) -> None:
    patch_method(account, "/track", "GET", "/authorizationType", "AWS_IAM")


def require_a_key_for_cors(account: Account) -> None:
    patch_method(account, "/track", "OPTIONS", "/apiKeyRequired", "true")


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


def deploy_the_api(account: Account) -> None:
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


def disable_rule(account: Account) -> None:
    account.client("events").disable_rule(Name="gimel-snapshot")


DRIFTS = [
    disable_rule,
    remove_permission,
    remove_integration,
    remove_cors_answer,
    change_throttle,
    open_a_closed_method,
    require_a_signature,
    require_a_key_for_cors,
    delete_alias,
    delete_log_group,
    delete_role_policy,
    take_key_out_of_plan,
    deploy_the_api,
    delete_function,
    delete_stage,
    delete_gateway_response,
]


@pytest.mark.parametrize("drift", DRIFTS, ids=lambda drift: drift.__name__)
def test_drift_is_seen_shown_and_fixed(deployed: Account, drift: Callable[[Account], None]) -> None:
    """The dry run's steps are applied; then nothing is left to do, and events are counted."""
    (key,) = deployed.client("apigateway").get_api_keys(includeValues=True)["items"]
    drift(deployed)

    planned = deployed.plan()
    done = deployed.deploy()

    assert planned
    assert done.steps == planned
    assert deployed.plan() == ()
    assert deployed.ask("track", **EVENT).body == {"status": "ok"}
    assert deployed.ask("experiments", key=key["value"]).status == 200
    assert deployed.ask("delete", "DELETE", experiment="e").status == 403


def test_a_moved_alias_goes_back_without_a_new_version(deployed: Account) -> None:
    """The wanted version is published already: only the alias is moved."""
    deployed.deploy(aws=memory(256))
    deployed.client("lambda").update_alias(
        FunctionName="gimel-track", Name="live", FunctionVersion="1"
    )

    planned = deployed.plan(aws=memory(256))
    done = deployed.deploy(aws=memory(256))

    assert done.steps == planned
    assert mutating(done.calls) == ["Invoke", "Invoke", "UpdateAlias"]
    assert (deployed.live("gimel-track"), deployed.versions("gimel-track")) == (2, [1, 2])


def test_an_alias_on_unpublished_code_goes_back_to_a_version(deployed: Account) -> None:
    """As the console leaves it: deploy fixes it, and rollback has no version to start from."""
    deployed.client("lambda").update_alias(
        FunctionName="gimel-track", Name="live", FunctionVersion="$LATEST"
    )

    with pytest.raises(GimelError, match=r"No version of .* is live"):
        deployed.rollback()
    done = deployed.deploy()

    assert done.sentences == [
        "Try gimel-track before going live, with a marked event",
        "Make version 1 of the function gimel-track live, replacing unpublished code",
    ]
    assert (deployed.live("gimel-track"), deployed.plan()) == (1, ())


@pytest.mark.parametrize("forward", [True, False], ids=["deploy", "rollback"])
def test_a_moved_alias_serves_one_version_alone(deployed: Account, forward: bool) -> None:
    """Traffic that was shifted to another version by hand all goes to the new one."""
    deployed.deploy(aws=memory(256))
    share = {"AdditionalVersionWeights": {"1": 0.5}}
    deployed.client("lambda").update_alias(
        FunctionName="gimel-track", Name="live", FunctionVersion="2", RoutingConfig=share
    )

    if forward:
        deployed.deploy(aws=memory(512))
    else:
        deployed.rollback()

    alias = deployed.client("lambda").get_alias(FunctionName="gimel-track", Name="live")
    assert alias["FunctionVersion"] == ("3" if forward else "1")
    assert not alias.get("RoutingConfig", {}).get("AdditionalVersionWeights")


def test_tags_that_aws_sets_are_ignored(deployed: Account) -> None:
    """Nobody can remove them, and so Gimel does not try."""
    tag = {"Key": "aws:cloudformation:stack-name", "Value": "x"}
    deployed.client("iam").tag_role(RoleName="gimel", Tags=[tag])
    assert tag in deployed.client("iam").list_role_tags(RoleName="gimel")["Tags"]

    assert deployed.plan() == ()
