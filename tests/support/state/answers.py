"""What AWS answers about an account: a State in the shapes of the calls that read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.support.aws import Refusal, caller, role_answer
from tests.support.state.cloud import (
    ACCOUNT,
    API,
    KEY,
    KEY_VALUE,
    LATEST,
    PLAN,
    ROOT,
    Api,
    Function,
    Method,
    State,
)
from tests.support.state.names import MARK, Configuration
from tests.support.state.rules import rule_answers, rule_tags

GONE = Refusal("ResourceNotFoundException", "does not exist", 404)
NO_ENTITY = Refusal("NoSuchEntity", "cannot be found", 404)
NOT_FOUND = Refusal("NotFoundException", "Invalid identifier", 404)
Given = Mapping[str, Any]


def answers(there: State) -> dict[str, Any]:
    """Return the answers to all calls that read, by their names."""
    return {
        "GetCallerIdentity": caller(there.place),
        **_role_answers(there),
        **_function_answers(there),
        **_api_answers(there),
        **_key_answers(there),
        **rule_answers(there),
        "DescribeLogGroups": lambda given: {
            "logGroups": [
                {
                    "logGroupName": f"/aws/lambda/{name}",
                    **({"retentionInDays": group.days} if group.days else {}),
                }
                for name, group in there.log_groups.items()
                if f"/aws/lambda/{name}".startswith(given["logGroupNamePrefix"])
            ]
        },
        "ListTagsForResource": lambda given: _tags_for_resource(there, given),
    }


def _tags_for_resource(there: State, given: Given) -> Any:
    """Two services have a call of this name; EventBridge's parameter ends in capitals."""
    if "ResourceARN" in given:
        return rule_tags(there, given["ResourceARN"])
    return _tags(there.log_groups, given["resourceArn"], "tags")


def _tags(by_name: Mapping[str, Any], arn: str, key: str) -> Any:
    """Return the tags of what has this name at the end of its ARN."""
    found = by_name.get(arn.rpartition(":")[2].removeprefix("/aws/lambda/"))
    return GONE if found is None else {key: dict(found.tags)}


def _role_answers(there: State) -> dict[str, Any]:
    role = there.role
    if role is None:
        return {"GetRole": NO_ENTITY, "GetRolePolicy": NO_ENTITY}
    trust = [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        for service in sorted(role.trusted)
    ]
    tags = [{"Key": key, "Value": value} for key, value in role.tags.items()]
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    bound = {"PermissionsBoundaryArn": role.boundary}
    more = {"PermissionsBoundary": bound} if role.boundary else {}
    found = role_answer(
        there.place, AssumeRolePolicyDocument=document, Arn=role.arn, Tags=tags, **more
    )
    policy: Any = NO_ENTITY
    if role.policy is not None:
        text = json.dumps(role.policy)
        name = there.place.name
        policy = {"RoleName": name, "PolicyName": name, "PolicyDocument": text}
    return {"GetRole": found, "GetRolePolicy": policy}


def _function_answers(there: State) -> dict[str, Any]:
    def about(given: Given, answer: Any) -> Any:
        function = there.functions.get(given["FunctionName"])
        if function is None or (given.get("Qualifier") == "live" and function.live is None):
            return GONE
        return answer(given["FunctionName"], function)

    return {
        "ListFunctions": {
            "Functions": [
                _configuration(name, each, each.latest, "$LATEST")
                for name, each in there.functions.items()
            ]
        },
        "GetFunction": lambda given: about(given, _live),
        "ListVersionsByFunction": lambda given: about(given, _versions),
        "ListAliases": lambda given: about(given, _aliases),
        "ListTags": lambda given: _tags(there.functions, given["Resource"], "Tags"),
        "GetPolicy": lambda given: about(given, _permissions),
        "GetFunctionConcurrency": lambda given: about(given, _concurrency),
        "GetFunctionUrlConfig": lambda given: about(given, _url),
    }


def _configuration(
    name: str, function: Function, configuration: Configuration, version: str
) -> dict[str, Any]:
    variables = {"GIMEL_SETTINGS": configuration.settings} if configuration.settings else {}
    environment: dict[str, Any] = {"Environment": {"Variables": variables}} if variables else {}
    described = "" if version == "$LATEST" else function.described.get(int(version), "")
    return {
        "Description": described,
        "FunctionName": name,
        "Role": configuration.role or function.role,
        "Version": version,
        "Handler": configuration.handler,
        "Runtime": configuration.runtime,
        "Architectures": [configuration.architecture],
        "MemorySize": configuration.memory,
        "Timeout": configuration.timeout,
        "CodeSha256": configuration.code_sha256,
        "VpcConfig": {
            "SubnetIds": list(configuration.subnets),
            "SecurityGroupIds": list(configuration.security_groups),
        },
        **environment,
    }


def _live(name: str, function: Function) -> Any:
    serving = function.serving
    assert serving is not None
    version = "$LATEST" if function.live == LATEST else str(function.live)
    return {"Configuration": _configuration(name, function, serving, version)}


def _versions(name: str, function: Function) -> Any:
    versions = {"$LATEST": function.latest}
    versions |= {str(number): each for number, each in function.versions.items()}
    return {
        "Versions": [
            _configuration(name, function, configuration, version)
            for version, configuration in versions.items()
        ]
    }


def _aliases(name: str, function: Function) -> Any:
    aliases = [
        {"Name": f"theirs-{number}", "FunctionVersion": str(number)} for number in function.theirs
    ]
    if function.live is not None:
        version = "$LATEST" if function.live == LATEST else str(function.live)
        described = {"Description": function.history}
        aliases.append({"Name": "live", "FunctionVersion": version, **described})
    return {"Aliases": aliases}


def _permissions(name: str, function: Function) -> Any:
    statements: list[dict[str, Any]] = [
        {"Sid": sid, "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunctionUrl"}
        for sid in sorted(function.url_statements)
    ]
    if function.callers is not None:
        source = {"ArnLike": {"AWS:SourceArn": function.callers}} if function.callers else {}
        principal = {"Service": "apigateway.amazonaws.com"}
        statement = {"Sid": "gimel-api", "Effect": "Allow", "Principal": principal}
        statements.append({**statement, **({"Condition": source} if source else {})})
    if function.rule is not None:
        source = {"ArnLike": {"AWS:SourceArn": function.rule}} if function.rule else {}
        principal = {"Service": "events.amazonaws.com"}
        statement = {"Sid": "gimel-schedule", "Effect": "Allow", "Principal": principal}
        statements.append({**statement, **({"Condition": source} if source else {})})
    if not statements:
        return GONE
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": statements})}


def _concurrency(name: str, function: Function) -> Any:
    if function.reserved is None:
        return {}
    return {"ReservedConcurrentExecutions": function.reserved}


def _url(name: str, function: Function) -> Any:
    if function.url is None:
        return GONE
    return {
        "FunctionUrl": function.url,
        "FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}",
        "AuthType": "NONE",
        "CreationTime": "2026-01-15T12:00:00.000+0000",
        "LastModifiedTime": "2026-01-15T12:00:00.000+0000",
    }


def _api_answers(there: State) -> dict[str, Any]:
    theirs = {"id": "theirs", "name": "theirs"}
    api = there.api
    if api is None:
        return {"GetRestApis": {"items": [theirs]}}
    ours: dict[str, Any] = {"id": API, "name": there.place.name, "description": "Gimel API"}
    ours |= {"rootResourceId": ROOT, "tags": dict(api.tags)}
    return {
        "GetTags": {"tags": dict(api.tags)},
        "GetRestApis": {"items": [theirs, ours]},
        "GetResources": {"items": [_path(api, path) for path in ("", *sorted(api.paths))]},
        "GetStage": NOT_FOUND if api.deployed is None else _stage(api),
        "GetDeployment": {"id": "deployment1", "description": api.deployed or ""},
        "GetGatewayResponses": {
            "items": [
                {"responseType": "ACCESS_DENIED", "defaultResponse": True},
                *(
                    {"responseType": kind, "responseParameters": dict(parameters)}
                    for kind, parameters in api.responses.items()
                ),
            ]
        },
    }


def _path(api: Api, path: str) -> dict[str, Any]:
    methods = {
        name: _method(method) for (where, name), method in api.methods.items() if where == path
    }
    return {
        "id": f"{path}-id" if path else ROOT,
        "path": f"/{path}",
        **({"resourceMethods": methods} if methods else {}),
    }


def _method(method: Method) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "authorizationType": "NONE",
        "apiKeyRequired": method.key_required,
        "requestParameters": dict(method.parameters),
    }
    if method.answer is not None:
        headers = {"200": {"statusCode": "200", "responseParameters": dict(method.answer)}}
        answer["methodIntegration"] = {"type": "MOCK", "integrationResponses": headers}
        answer["methodResponses"] = {"200": {"statusCode": "200"}}
    elif method.integration is not None:
        answer["methodIntegration"] = {"type": "AWS_PROXY", "uri": method.integration}
    elif method.calls is not None:
        uri = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{method.calls}:live/invocations"
        answer["methodIntegration"] = {"type": "AWS", "uri": uri, "credentials": "a-role"}
    return answer


def _stage(api: Api) -> dict[str, Any]:
    throttle = {"throttlingRateLimit": api.rate, "throttlingBurstLimit": api.burst}
    known = {name: value for name, value in throttle.items() if value is not None}
    return {
        "deploymentId": "deployment1",
        "stageName": "prod",
        "methodSettings": {"*/*": known} if known else {},
    }


def _key_answers(there: State) -> dict[str, Any]:
    theirs = {"id": "theirs", "name": "gimel-of-theirs", "value": "x", "enabled": True}
    ours: dict[str, Any] = {
        "id": KEY,
        "name": there.place.name,
        "value": KEY_VALUE,
        "enabled": there.key,
    }
    mark = {MARK: there.place.name}
    if there.key_is_marked:
        ours["tags"] = mark
    plans: list[dict[str, Any]] = [{"id": "theirs", "name": "theirs", "apiStages": []}]
    if there.plan is not None:
        stages = [
            dict(zip(("apiId", "stage"), each.split(":"), strict=True))
            for each in sorted(there.plan.stages)
        ]
        named = {"name": there.place.name, "tags": mark} if there.plan.ours else {"name": "theirs"}
        plans.append({"id": PLAN, "apiStages": stages, **named})
    return {
        "GetApiKeys": {"items": [theirs] if there.key is None else [theirs, ours]},
        "GetUsagePlans": {"items": plans},
        "GetUsagePlanKeys": {
            "items": [{"id": each} for each in sorted(there.plan.keys)] if there.plan else []
        },
    }
