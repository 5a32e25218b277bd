"""The contents of an AWS account, read through its API, of the kinds that Gimel creates."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Client = Callable[[str], Any]
"""Return the boto3 client of a service."""

# Keys whose values vary between deploys: times, sizes of logs, random ids, the state of a change.
_VARYING = re.compile(
    r"(?i).*(date|time|modified)|storedBytes|ResponseMetadata|RoleId|RevisionId|MasterArn|State.*"
    r"|LastUpdateStatus"
)


def listing(client: Client) -> dict[str, Any]:
    """Return the names and ids of everything in the account."""
    iam, logs, functions, gateway = map(client, ("iam", "logs", "lambda", "apigateway"))
    roles = [role["RoleName"] for role in iam.list_roles()["Roles"]]
    apis = [api["id"] for api in gateway.get_rest_apis()["items"]]
    return {
        "roles": {name: iam.list_role_policies(RoleName=name)["PolicyNames"] for name in roles},
        "policies": [policy["Arn"] for policy in iam.list_policies(Scope="Local")["Policies"]],
        "log groups": logs.describe_log_groups()["logGroups"],
        "functions": {
            name: (
                versions(client, name),
                functions.list_aliases(FunctionName=name)["Aliases"],
            )
            for name in function_names(client)
        },
        "apis": {api: gateway.get_resources(restApiId=api)["items"] for api in apis},
        "stages": {api: gateway.get_stages(restApiId=api)["item"] for api in apis},
        "keys": gateway.get_api_keys(includeValues=True)["items"],
        "plans": gateway.get_usage_plans()["items"],
        "rules": client("events").list_rules()["Rules"],
    }


def state(client: Client) -> Any:
    """Return every detail of Gimel's deployment that does not vary; names replace ids."""
    iam, logs, functions, gateway = map(client, ("iam", "logs", "lambda", "apigateway"))
    api = api_id(client)
    paths = gateway.get_resources(restApiId=api, limit=500)["items"]
    stage = gateway.get_stage(restApiId=api, stageName="prod")
    deployment = gateway.get_deployment(restApiId=api, deploymentId=stage["deploymentId"])
    keys = gateway.get_api_keys(includeValues=True)["items"]
    plans = gateway.get_usage_plans()["items"]
    found = {
        "role": iam.get_role(RoleName="gimel")["Role"],
        "policy": iam.get_role_policy(RoleName="gimel", PolicyName="gimel")["PolicyDocument"],
        "log groups": logs.describe_log_groups()["logGroups"],
        "functions": [_function(functions, name) for name in sorted(function_names(client))],
        "rules": rules(client),
        "paths": {path["path"]: path.get("resourceMethods") for path in paths},
        "responses": [
            answer
            for answer in gateway.get_gateway_responses(restApiId=api)["items"]
            if not answer.get("defaultResponse")
        ],
        "stage": stage,
        "deployment": deployment,
        "keys": keys,
        "plans": [
            (plan, gateway.get_usage_plan_keys(usagePlanId=plan["id"])["items"]) for plan in plans
        ],
    }
    ids = {api: "api", deployment["id"]: "deployment"}
    ids |= {path["id"]: path["path"] for path in paths}
    ids |= {key[name]: f"key's {name}" for key in keys for name in ("id", "value")}
    ids |= {plan["id"]: "plan" for plan in plans}
    text = json.dumps(_without_varying(found), sort_keys=True, default=str)
    for each, name in ids.items():
        text = text.replace(each, f"<{name}>")
    return json.loads(text)


def api_id(client: Client) -> str:
    """Return the id of the one REST API named gimel."""
    apis = client("apigateway").get_rest_apis()["items"]
    (api,) = [api["id"] for api in apis if api["name"] == "gimel"]
    return str(api)


def function_names(client: Client) -> list[str]:
    """Return the names of all functions."""
    return [each["FunctionName"] for each in client("lambda").list_functions()["Functions"]]


def rules(client: Client) -> list[Any]:
    """Return every EventBridge rule: its name, schedule, state, targets and tags."""
    events = client("events")
    return [
        (
            each["Name"],
            each.get("ScheduleExpression"),
            each["State"],
            events.list_targets_by_rule(Rule=each["Name"])["Targets"],
            events.list_tags_for_resource(ResourceARN=each["Arn"])["Tags"],
        )
        for each in events.list_rules()["Rules"]
    ]


def versions(client: Client, function: str) -> list[int]:
    """Return the published versions of a function."""
    listed = client("lambda").list_versions_by_function(FunctionName=function)["Versions"]
    return [int(each["Version"]) for each in listed if each["Version"] != "$LATEST"]


def _function(functions: Any, name: str) -> Any:
    """Return the live version of a function and what belongs to all its versions."""
    policy = json.loads(functions.get_policy(FunctionName=name, Qualifier="live")["Policy"])
    live = functions.get_function(FunctionName=name, Qualifier="live")
    try:
        url = functions.get_function_url_config(FunctionName=name, Qualifier="live")["AuthType"]
    except functions.exceptions.ResourceNotFoundException:
        url = None
    shared = {key: live.get(key) for key in ("Concurrency", "Tags")}
    configuration = {
        key: value
        for key, value in live["Configuration"].items()
        if key not in ("FunctionArn", "Version")
    }
    return [configuration, shared, sorted(policy["Statement"], key=lambda each: each["Sid"]), url]


def _without_varying(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_varying(each)
            for key, each in value.items()
            if key == "Runtime" or not _VARYING.fullmatch(key)
        }
    return [_without_varying(each) for each in value] if isinstance(value, list | tuple) else value
