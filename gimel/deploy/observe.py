"""What is on AWS now, read with as few calls as it takes and parsed once into `Observed`. It changes nothing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from gimel.deploy import policies
from gimel.deploy.aws import Answer, Aws
from gimel.deploy.models import (
    ALIAS,
    API_STATEMENT,
    DESCRIPTION,
    NAME,
    SETTINGS_VARIABLE,
    STAGE,
    UNPUBLISHED,
    URL_STATEMENTS,
    Configuration,
    Deployed,
    Desired,
    DesiredFunction,
    Observed,
    ObservedApi,
    ObservedFunction,
    ObservedKey,
    ObservedMethod,
    ObservedPlan,
    ObservedRole,
    Policy,
    Version,
    is_ours,
    log_group,
)
from gimel.errors import GimelError

_FUNCTION_IN_URI = re.compile(r":function:([A-Za-z0-9_-]+)")
_MOST = 500  # items a page of API Gateway


def observe(aws: Aws, desired: Desired | None = None, *, versions: bool = False) -> Observed:
    """Return all of Gimel's that is there: what is desired, what the role's policy records and what the API calls.

    A function's versions are read where its live one is not as desired, or always if `versions`.
    """
    identity = aws.identity()
    role = _role(aws)
    api = find_api(aws)
    recorded = policies.functions_of(role.policy if role else None, identity.region)
    called = [method.calls for method in api.methods if method.calls] if api else []
    desired_names = [function.name for function in desired.functions] if desired else []
    listed = _listed_functions(aws) if role is None or role.policy is None else None
    marked = [name for name, ours in (listed or {}).items() if ours]
    names = list(dict.fromkeys([*desired_names, *recorded, *called, *marked]))
    reserved = policies.reserved_of(role.policy if role else None, identity.region)
    functions = []
    for name in names:
        if listed is None or name in listed:
            wanted = desired.function(name) if desired else None
            reservable = name in reserved or (
                wanted is not None and wanted.reserved_concurrency is not None
            )
            function = _function(aws, name, wanted, reservable=reservable, everything=versions)
            if function is not None:
                functions.append(function)
    key = find_key(aws)
    plan = _usage_plan(aws, api, key) if api or key else None
    return Observed(identity, role, tuple(functions), _log_groups(aws, names), api, key, plan)


def _role(aws: Aws) -> ObservedRole | None:
    answer = aws.find("iam", "get_role", RoleName=NAME)
    if answer is None:
        return None
    role = answer["Role"]
    policy = aws.find("iam", "get_role_policy", RoleName=NAME, PolicyName=NAME)
    return ObservedRole(
        arn=role["Arn"],
        trusted=policies.trusted(_document(role.get("AssumeRolePolicyDocument", {}))),
        policy=_document(policy["PolicyDocument"]) if policy else None,
        tags=_tags(role.get("Tags", [])),
    )


def _document(policy: Policy | str) -> Policy:
    parsed: Policy = json.loads(unquote(policy)) if isinstance(policy, str) else policy
    return parsed


def _tags(listed: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return tags, without AWS's own, which nobody can set."""
    return {tag["Key"]: tag["Value"] for tag in listed if not tag["Key"].startswith("aws:")}


def _listed_functions(aws: Aws) -> dict[str, bool]:
    """Return the names of all functions, and whether each bears Gimel's marks: its role, and its settings.

    Where there is no role, or no record in it, there should be no function: one listing says so of all, or finds them.
    """
    return {
        function["FunctionName"]: is_ours(function["Role"])
        and _configuration(function).settings is not None
        for function in aws.pages("lambda", "list_functions", "Functions")
    }


def _function(
    aws: Aws, name: str, desired: DesiredFunction | None, *, reservable: bool, everything: bool
) -> ObservedFunction | None:
    """Return a function, None where there is none; its versions where its live one is not as desired, or if `everything`.

    What it reserves is asked for if `reservable`: GetFunction leaves it out where it is given a qualifier.
    """
    live = aws.find("lambda", "get_function", FunctionName=name, Qualifier=ALIAS)
    serving = _configuration(live["Configuration"]) if live else None
    listed: list[Answer] = []
    published = live is not None and _number(live["Configuration"]["Version"]) != UNPUBLISHED
    if everything or not published or (desired is not None and serving != desired.configuration):
        try:
            listed = aws.pages("lambda", "list_versions_by_function", "Versions", FunctionName=name)
        except GimelError as error:
            if getattr(error, "code", "") != "ResourceNotFoundException":
                raise
    aliases = aws.pages("lambda", "list_aliases", "Aliases", FunctionName=name) if listed else []
    answer = live["Configuration"] if live else next(iter(listed), None)
    if answer is None:
        return None
    statements = _statements(aws, name) if live else {}
    url_statements = frozenset(sid for sid in statements if sid in URL_STATEMENTS)
    callers = statements.get(API_STATEMENT)
    reserved = None
    if reservable:
        reserved = aws.call("lambda", "get_function_concurrency", FunctionName=name).get(
            "ReservedConcurrentExecutions"
        )
    return ObservedFunction(
        name=name,
        role=answer["Role"],
        live=Version(_number(answer["Version"]), _configuration(answer)) if live else None,
        versions=tuple(
            Version(int(each["Version"]), _configuration(each))
            for each in listed
            if each["Version"] != "$LATEST"
        ),
        latest=next(
            (_configuration(each) for each in listed if each["Version"] == "$LATEST"), None
        ),
        aliased=frozenset(number for alias in aliases for number in _targets(alias)),
        last_modified=answer.get("LastModified", ""),
        reserved_concurrency=reserved,
        callers=_source(callers) if callers else None,
        url_statements=url_statements,
        url=_url(aws, name) if url_statements or (desired is not None and desired.url) else None,
    )


def _configuration(answer: Answer) -> Configuration:
    vpc = answer.get("VpcConfig") or {}
    return Configuration(
        handler=answer.get("Handler", ""),
        runtime=answer.get("Runtime", ""),
        architecture=(answer.get("Architectures") or ["x86_64"])[0],
        memory=answer["MemorySize"],
        timeout=answer["Timeout"],
        subnets=tuple(sorted(vpc.get("SubnetIds") or [])),
        security_groups=tuple(sorted(vpc.get("SecurityGroupIds") or [])),
        settings=((answer.get("Environment") or {}).get("Variables") or {}).get(SETTINGS_VARIABLE),
        code_sha256=answer["CodeSha256"],
    )


def _number(version: str) -> int:
    return UNPUBLISHED if version == "$LATEST" else int(version)


def _targets(alias: Answer) -> list[int]:
    weighted = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return [int(number) for number in (alias["FunctionVersion"], *weighted) if number != "$LATEST"]


def _statements(aws: Aws, name: str) -> dict[str, Answer]:
    answer = aws.find("lambda", "get_policy", FunctionName=name, Qualifier=ALIAS)
    statements = json.loads(answer["Policy"]).get("Statement", []) if answer else []
    return {statement.get("Sid", ""): statement for statement in statements}


def _source(statement: Answer) -> str:
    """Return who a permission lets call: the pattern of its source, "" where it lets anyone."""
    for operator in statement.get("Condition", {}).values():
        for key, value in operator.items():
            if key.lower() == "aws:sourcearn":
                return str(value)
    return ""


def _url(aws: Aws, name: str) -> str | None:
    answer = aws.find("lambda", "get_function_url_config", FunctionName=name, Qualifier=ALIAS)
    return str(answer["FunctionUrl"]) if answer else None


def _log_groups(aws: Aws, names: list[str]) -> dict[str, int | None]:
    """Ask with the longest prefix that the names share, or one by one: an account may have thousands of log groups."""
    wanted = {log_group(name): name for name in names}
    shared = os.path.commonprefix(sorted(wanted))  # noqa: RUF071 - by characters, as log groups are asked for
    prefixes = [shared] if len(shared) > len(log_group("")) else sorted(wanted)
    found: dict[str, int | None] = {}
    for prefix in prefixes:
        for group in aws.pages(
            "logs", "describe_log_groups", "logGroups", logGroupNamePrefix=prefix
        ):
            if group["logGroupName"] in wanted:
                found[wanted[group["logGroupName"]]] = group.get("retentionInDays")
    return found


def find_api_id(aws: Aws) -> tuple[str, str] | None:
    """Return the id of Gimel's REST API and of its root, None where there is none.

    Raises GimelError where it cannot be told from another of that name.
    """
    named = [
        api
        for api in aws.pages("apigateway", "get_rest_apis", "items", limit=_MOST)
        if api.get("name") == NAME
    ]
    ours = [api for api in named if api.get("description") == DESCRIPTION]
    if len(ours) > 1:
        raise GimelError(
            f"Several REST APIs are named {NAME}: {', '.join(api['id'] for api in ours)}. Which one is Gimel's cannot be told.",
            "Delete the one that is not in use, or give it another name.",
        )
    if not ours and named:
        raise GimelError(
            f"A REST API named {NAME} is there that Gimel did not make: {', '.join(api['id'] for api in named)}.",
            f'Give it another name. If it is Gimel\'s after all, give it back the description "{DESCRIPTION}".',
        )
    return (ours[0]["id"], ours[0].get("rootResourceId", "")) if ours else None


def find_api(aws: Aws) -> ObservedApi | None:
    """Return Gimel's REST API with all that it does, None where there is none."""
    found = find_api_id(aws)
    if found is None:
        return None
    api, root = found
    resources = aws.pages(
        "apigateway", "get_resources", "items", restApiId=api, limit=_MOST, embed=["methods"]
    )
    stage = aws.find("apigateway", "get_stage", restApiId=api, stageName=STAGE)
    deployed = None
    if stage and stage.get("deploymentId"):
        deployed = aws.find(
            "apigateway", "get_deployment", restApiId=api, deploymentId=stage["deploymentId"]
        )
    responses = aws.pages(
        "apigateway", "get_gateway_responses", "items", restApiId=api, limit=_MOST
    )
    settings = ((stage or {}).get("methodSettings") or {}).get("*/*", {})
    return ObservedApi(
        id=api,
        root=next((resource["id"] for resource in resources if resource["path"] == "/"), root),
        resources={resource["path"]: resource["id"] for resource in resources},
        methods=tuple(
            _method(resource["path"].removeprefix("/"), name, method)
            for resource in resources
            for name, method in (resource.get("resourceMethods") or {}).items()
        ),
        gateway_responses={
            answer["responseType"]: answer.get("responseParameters") or {}
            for answer in responses
            if not answer.get("defaultResponse")
        },
        deployed=deployed.get("description", "") if deployed else None,
        stage=stage is not None,
        throttle_rate=settings.get("throttlingRateLimit"),
        throttle_burst=settings.get("throttlingBurstLimit"),
    )


def _method(path: str, name: str, answer: Answer) -> ObservedMethod:
    integration = answer.get("methodIntegration") or {}
    uri = integration.get("uri") or ""
    called = _FUNCTION_IN_URI.search(uri)
    open_to_all = answer.get("authorizationType") in (None, "NONE")
    plain = (
        open_to_all
        and integration.get("type") == "AWS_PROXY"
        and not integration.get("credentials")
    )
    mock = (
        (integration.get("integrationResponses") or {}).get("200")
        if integration.get("type") == "MOCK"
        else None
    )
    complete = mock is not None and "200" in (answer.get("methodResponses") or {}) and open_to_all
    return ObservedMethod(
        path=path,
        method=name,
        api_key_required=bool(answer.get("apiKeyRequired")),
        parameters=tuple((answer.get("requestParameters") or {}).items()),
        proxies=uri if plain else None,
        calls=called[1] if called else None,
        preflight=(mock or {}).get("responseParameters")
        if complete and not answer.get("apiKeyRequired")
        else None,
    )


def find_key(aws: Aws) -> ObservedKey | None:
    """Return the API key; of several of that name the first, as 1.5.0 took it."""
    keys = aws.pages(
        "apigateway", "get_api_keys", "items", nameQuery=NAME, includeValues=True, limit=_MOST
    )
    for key in keys:
        if key["name"] == NAME:
            return ObservedKey(key["id"], key.get("value", ""), enabled=bool(key.get("enabled")))
    return None


def _usage_plan(aws: Aws, api: ObservedApi | None, key: ObservedKey | None) -> ObservedPlan | None:
    """Return the plan that covers the stage; among several, one that holds the key; else the one of Gimel's name."""
    stage = f"{api.id}:{STAGE}" if api else ""
    plans: list[ObservedPlan] = []
    for answer in aws.pages("apigateway", "get_usage_plans", "items", limit=_MOST):
        stages = tuple(f"{each['apiId']}:{each['stage']}" for each in answer.get("apiStages") or [])
        if answer.get("name") == NAME or stage in stages:
            plans.append(ObservedPlan(answer["id"], answer.get("name") == NAME, stages, ()))
    full: list[ObservedPlan] = []
    for plan in sorted(plans, key=lambda plan: (stage not in plan.stages, not plan.ours)):
        keys = aws.pages(
            "apigateway", "get_usage_plan_keys", "items", usagePlanId=plan.id, limit=_MOST
        )
        complete = ObservedPlan(plan.id, plan.ours, plan.stages, tuple(each["id"] for each in keys))
        if stage in plan.stages and key is not None and key.id in complete.keys:
            return complete
        full.append(complete)
    return full[0] if full else None


def find_deployed(aws: Aws) -> Deployed:
    """Return what a deployment is reached by, in two calls and without its functions' URLs.

    Raises GimelError where there is none.
    """
    api = find_api_id(aws)
    key = find_key(aws) if api else None
    if api is None or key is None:
        raise GimelError(
            f"Gimel is not deployed in {aws.region}.",
            "Run `gimel deploy`, or give another --region or --profile.",
        )
    return Deployed(api[0], key.value, {})
