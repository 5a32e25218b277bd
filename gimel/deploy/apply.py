"""Performing steps, one after the other, each as the calls that it takes.

What a step learns (an id, a version's number) is kept for the steps after it. Every call is either one that may be made
twice, or comes with a way to find out whether it was done: what a broken connection leaves in doubt is never there twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import assert_never

from gimel.deploy import observe, policies, steps
from gimel.deploy.aws import Answer, Aws, Given, Refused, in_progress
from gimel.deploy.models import (
    ALIAS,
    API_STATEMENT,
    DESCRIPTION,
    GATEWAY_RESPONSE_PARAMETERS,
    NAME,
    SETTINGS_VARIABLE,
    STAGE,
    Configuration,
    Deployed,
    Identity,
    Observed,
    Preflight,
    log_group,
)
from gimel.deploy.steps import Step
from gimel.errors import GimelError
from gimel.wiring import Route

# https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html: since October 2025 a public URL needs both.
_URL_PERMISSIONS: Mapping[str, Given] = {
    "gimel-url": {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
    "gimel-url-invoke": {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
}


@dataclass
class _Known:
    """What the steps so far know."""

    role: str
    api: str = ""
    resources: dict[str, str] = field(default_factory=dict)
    key: str = ""
    key_value: str = ""
    plan: str = ""
    urls: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


def apply(
    aws: Aws,
    planned: tuple[Step, ...],
    observed: Observed,
    on_step: Callable[[int, Step], None] = lambda number, step: None,
) -> Deployed:
    """Perform the steps and return what they lead to.

    Raises GimelError that names the step which failed; those before it are done.
    """
    performer = _Performer(aws, observed)
    for number, step in enumerate(planned, 1):
        on_step(number, step)
        try:
            performer.perform(step)
        except GimelError as error:
            hint = f"{error.hint} Then run it again: it completes what is missing.".strip()
            raise GimelError(
                f"Step {number} of {len(planned)} failed: {step}. {error.message}", hint
            ) from None
    known = performer.known
    return Deployed(known.api, known.key_value, known.urls)


def apply_all_or_none(aws: Aws, moves: tuple[steps.MoveAlias, ...], observed: Observed) -> None:
    """Move every alias; where one cannot be moved, move those before it back. Raises GimelError that says which failed."""
    performer = _Performer(aws, observed)
    done: list[steps.MoveAlias] = []
    for move in moves:
        try:
            performer.perform(move)
        except GimelError as error:
            for earlier in reversed(done):
                performer.perform(
                    steps.MoveAlias(earlier.function, earlier.number or 0, earlier.before)
                )
            raise GimelError(
                f"Nothing was rolled back. {move} failed: {error.message}", error.hint
            ) from None
        done.append(move)


class _Performer:
    def __init__(self, aws: Aws, observed: Observed) -> None:
        self.aws = aws
        self.identity: Identity = observed.identity
        self.first = observed.role is None  # of two first deploys only one can create the role
        self.known = _Known(
            role=observed.role.arn if observed.role else observed.identity.role(),
            api=observed.api.id if observed.api else "",
            resources=dict(observed.api.resources) if observed.api else {},
            key=observed.key.id if observed.key else "",
            key_value=observed.key.value if observed.key else "",
            urls={function.name: function.url for function in observed.functions if function.url},
            plan=observed.plan.id if observed.plan else "",
        )

    def perform(self, step: Step) -> None:
        call, known = self.aws.call, self.known
        match step:
            case steps.CreateRole(tags):
                trust = json.dumps(policies.trust())
                call(
                    "iam",
                    "create_role",
                    RoleName=NAME,
                    AssumeRolePolicyDocument=trust,
                    **_if(Tags=_key_value(tags)),
                )
            case steps.TrustLambda():
                call(
                    "iam",
                    "update_assume_role_policy",
                    RoleName=NAME,
                    PolicyDocument=json.dumps(policies.trust()),
                )
            case steps.PutRolePolicy(policy) | steps.LeaveRole(policy):
                call(
                    "iam",
                    "put_role_policy",
                    RoleName=NAME,
                    PolicyName=NAME,
                    PolicyDocument=json.dumps(policy),
                )
            case steps.TagRole(tags, gone):
                self._tag(
                    "iam",
                    {"RoleName": NAME},
                    "tag_role",
                    "untag_role",
                    _key_value(tags),
                    gone,
                    ("Tags", "TagKeys"),
                )
            case steps.DeleteRole(policy=has_policy):
                if has_policy:
                    self._delete("iam", "delete_role_policy", RoleName=NAME, PolicyName=NAME)
                self._delete("iam", "delete_role", RoleName=NAME)
            case steps.CreateLogGroup(function, days, tags):
                group = log_group(function)
                call("logs", "create_log_group", logGroupName=group, **_if(tags=dict(tags)))
                call("logs", "put_retention_policy", logGroupName=group, retentionInDays=days)
            case steps.SetLogRetention(function, _, days):
                call(
                    "logs",
                    "put_retention_policy",
                    logGroupName=log_group(function),
                    retentionInDays=days,
                )
            case steps.TagLogGroup(function, tags, gone):
                arn = {"resourceArn": self.identity.log_group(function)}
                self._tag(
                    "logs",
                    arn,
                    "tag_resource",
                    "untag_resource",
                    dict(tags),
                    gone,
                    ("tags", "tagKeys"),
                )
            case steps.DeleteLogGroup(function):
                self._delete("logs", "delete_log_group", logGroupName=log_group(function))
            case steps.CreateFunction(function=wanted, tags=tags):
                self._create_function(wanted.name, wanted.configuration, wanted.code, tags)
            case steps.UpdateFunctionConfiguration(wanted, _):
                answer = call(
                    "lambda",
                    "update_function_configuration",
                    **self._settings(wanted.name, wanted.configuration),
                )
                self._settle(wanted.name, answer)
            case steps.UpdateFunctionCode(wanted, _):
                answer = call(
                    "lambda",
                    "update_function_code",
                    FunctionName=wanted.name,
                    ZipFile=wanted.code,
                    Architectures=[wanted.configuration.architecture],
                )
                self._settle(wanted.name, answer)
            case steps.DeleteVersion(function, number):
                self._delete(
                    "lambda", "delete_function", FunctionName=function, Qualifier=str(number)
                )
            case steps.PublishVersion(function):
                answer = call("lambda", "publish_version", FunctionName=function)
                known.versions[function] = answer["Version"]
                self._settle(
                    function, answer, answer["Version"]
                )  # before it gets the alias, and with it the events
            case steps.CreateAlias(function, number):
                self._alias("create_alias", function, number)
            case steps.MoveAlias(function, _, number):
                # A share that was sent to another version by hand would stay.
                self._alias(
                    "update_alias", function, number, RoutingConfig={"AdditionalVersionWeights": {}}
                )
            case steps.ReserveConcurrency(function, concurrency):
                if concurrency is None:
                    self._delete("lambda", "delete_function_concurrency", FunctionName=function)
                else:
                    call(
                        "lambda",
                        "put_function_concurrency",
                        FunctionName=function,
                        ReservedConcurrentExecutions=concurrency,
                    )
            case steps.TagFunction(function, tags, gone):
                arn = {"Resource": self.identity.function(function)}
                self._tag(
                    "lambda",
                    arn,
                    "tag_resource",
                    "untag_resource",
                    dict(tags),
                    gone,
                    ("Tags", "TagKeys"),
                )
            case steps.AllowApi(function, replace):
                if replace:
                    self._forbid(function, API_STATEMENT)
                permission = {
                    "Principal": "apigateway.amazonaws.com",
                    "SourceArn": self.identity.callers(known.api),
                }
                self._allow(function, API_STATEMENT, Action="lambda:InvokeFunction", **permission)
            case steps.AllowUrl(function, statements):
                for statement in statements:
                    self._allow(function, statement, Principal="*", **_URL_PERMISSIONS[statement])
            case steps.CreateUrl(function):
                self._create_url(function)
            case steps.DeleteUrl(function, url, statements):
                known.urls.pop(function, None)
                if url:
                    self._delete(
                        "lambda",
                        "delete_function_url_config",
                        FunctionName=function,
                        Qualifier=ALIAS,
                    )
                for statement in statements:
                    self._forbid(function, statement)
            case steps.DeleteFunction(function):
                self._delete("lambda", "delete_function", FunctionName=function)
            case steps.CreateApi(tags):
                self._create_api(tags)
            case steps.TagApi(tags, gone):
                arn = {
                    "resourceArn": f"arn:{self.identity.partition}:apigateway:{self.identity.region}::/restapis/{known.api}"
                }
                self._tag(
                    "apigateway",
                    arn,
                    "tag_resource",
                    "untag_resource",
                    dict(tags),
                    gone,
                    ("tags", "tagKeys"),
                )
            case steps.CreateResource(path):
                self._create_resource(path)
            case steps.DeleteResource(path):
                resource = known.resources[f"/{path}"]
                self._delete(
                    "apigateway", "delete_resource", restApiId=known.api, resourceId=resource
                )
            case steps.PutMethod(route, replace):
                self._put_method(route, replace)
            case steps.PutPreflight(preflight, replace):
                self._put_preflight(preflight, replace)
            case steps.DeleteMethod(path, method):
                self._delete("apigateway", "delete_method", **self._method(path, method))
            case steps.PutGatewayResponse(kind):
                call(
                    "apigateway",
                    "put_gateway_response",
                    restApiId=known.api,
                    responseType=kind,
                    responseParameters=GATEWAY_RESPONSE_PARAMETERS,
                )
            case steps.DeployApi(description):
                call(
                    "apigateway",
                    "create_deployment",
                    restApiId=known.api,
                    stageName=STAGE,
                    description=description,
                )
            case steps.SetThrottle(rate, burst):
                patch = [
                    {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": f"{rate:.15g}"},
                    {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": str(burst)},
                ]
                call(
                    "apigateway",
                    "update_stage",
                    restApiId=known.api,
                    stageName=STAGE,
                    patchOperations=patch,
                )
            case steps.DeleteApi():
                self._delete("apigateway", "delete_rest_api", restApiId=known.api)
            case steps.CreateKey():
                key = call(
                    "apigateway", "create_api_key", settled=self._find_key, name=NAME, enabled=True
                )
                known.key, known.key_value = key["id"], key["value"]
            case steps.EnableKey():
                patch = [{"op": "replace", "path": "/enabled", "value": "true"}]
                call("apigateway", "update_api_key", apiKey=known.key, patchOperations=patch)
            case steps.DeleteKey():
                self._delete("apigateway", "delete_api_key", apiKey=known.key)
            case steps.CreateUsagePlan():
                stages = [{"apiId": known.api, "stage": STAGE}]
                plan = call(
                    "apigateway",
                    "create_usage_plan",
                    settled=self._find_plan,
                    name=NAME,
                    apiStages=stages,
                )
                known.plan = plan["id"]
            case steps.AddStageToPlan():
                patch = [{"op": "add", "path": "/apiStages", "value": f"{known.api}:{STAGE}"}]
                call(
                    "apigateway", "update_usage_plan", usagePlanId=known.plan, patchOperations=patch
                )
            case steps.AddKeyToPlan():
                call(
                    "apigateway",
                    "create_usage_plan_key",
                    usagePlanId=known.plan,
                    keyId=known.key,
                    keyType="API_KEY",
                )
            case steps.RemoveStagesFromPlan(stages):
                # In one call: AWS takes one in 20 seconds.
                patch = [{"op": "remove", "path": "/apiStages", "value": stage} for stage in stages]
                self._delete(
                    "apigateway", "update_usage_plan", usagePlanId=known.plan, patchOperations=patch
                )
            case steps.DeleteUsagePlan():
                self._delete("apigateway", "delete_usage_plan", usagePlanId=known.plan)
            case _:
                assert_never(step)

    def _delete(self, service: str, operation: str, **given: Any) -> None:
        """Delete what may be gone by now."""
        self.aws.find(service, operation, **given)

    def _tag(
        self,
        service: str,
        what: Given,
        tag: str,
        untag: str,
        tags: object,
        gone: tuple[str, ...],
        names: tuple[str, str],
    ) -> None:
        if tags:
            self.aws.call(service, tag, **{**what, names[0]: tags})
        if gone:
            self.aws.call(service, untag, **{**what, names[1]: list(gone)})

    def _settings(self, name: str, wanted: Configuration) -> Given:
        return {
            "FunctionName": name,
            "Role": self.known.role,
            "Handler": wanted.handler,
            "Runtime": wanted.runtime,
            "MemorySize": wanted.memory,
            "Timeout": wanted.timeout,
            "VpcConfig": {
                "SubnetIds": list(wanted.subnets),
                "SecurityGroupIds": list(wanted.security_groups),
            },
            "Environment": {"Variables": {SETTINGS_VARIABLE: wanted.settings}},
        }

    def _create_function(
        self, name: str, wanted: Configuration, code: bytes, tags: Mapping[str, str]
    ) -> None:
        def settled() -> Answer | None:
            listed = self.aws.find("lambda", "list_versions_by_function", FunctionName=name)
            return listed["Versions"][-1] if listed else None

        answer = self.aws.call(
            "lambda",
            "create_function",
            settled=settled,
            **self._settings(name, wanted),
            Code={"ZipFile": code},
            Architectures=[wanted.architecture],
            Publish=True,
            **_if(Tags=dict(tags)),
        )
        self.known.versions[name] = answer["Version"]

    def _settle(self, name: str, answer: Answer, version: str | None = None) -> None:
        if in_progress(answer):
            self.aws.wait_for_function(name, version)

    def _alias(self, operation: str, function: str, number: int | None, **given: Any) -> None:
        version = self.known.versions[function] if number is None else str(number)
        self.aws.call(
            "lambda", operation, FunctionName=function, Name=ALIAS, FunctionVersion=version, **given
        )

    def _allow(self, function: str, statement: str, **permission: Any) -> None:
        given = {
            "FunctionName": function,
            "Qualifier": ALIAS,
            "StatementId": statement,
            **permission,
        }
        try:
            self.aws.call("lambda", "add_permission", **given)
        except Refused as refusal:
            # An alias that was deleted and made again may have kept what it allowed.
            if refusal.code != "ResourceConflictException":
                raise
            self._forbid(function, statement)
            self.aws.call("lambda", "add_permission", **given)

    def _forbid(self, function: str, statement: str) -> None:
        self._delete(
            "lambda",
            "remove_permission",
            FunctionName=function,
            Qualifier=ALIAS,
            StatementId=statement,
        )

    def _create_url(self, function: str) -> None:
        def settled() -> Answer | None:
            return self.aws.find(
                "lambda", "get_function_url_config", FunctionName=function, Qualifier=ALIAS
            )

        which = {"FunctionName": function, "Qualifier": ALIAS}
        answer = self.aws.call(
            "lambda", "create_function_url_config", settled=settled, **which, AuthType="NONE"
        )
        self.known.urls[function] = answer["FunctionUrl"]

    def _create_api(self, tags: Mapping[str, str]) -> None:
        def settled() -> Answer | None:
            found = observe.find_api_id(self.aws)
            return {"id": found[0], "rootResourceId": found[1]} if found else None

        answer = self.aws.call(
            "apigateway",
            "create_rest_api",
            settled=settled,
            name=NAME,
            description=DESCRIPTION,
            endpointConfiguration={"types": ["REGIONAL"]},
            **_if(tags=dict(tags)),
        )
        if not self.first:
            self._make_sure_of_one_api(answer["id"])
        self.known.api = answer["id"]
        self.known.resources = {"/": answer["rootResourceId"]}

    def _make_sure_of_one_api(self, made: str) -> None:
        """Of two deploys at once one takes its API away again: nobody could tell two of one name from each other."""
        try:
            observe.find_api_id(self.aws)
        except GimelError:
            self._delete("apigateway", "delete_rest_api", restApiId=made)
            raise GimelError(
                f"Another deploy made the REST API {NAME} at the same time.", "Let that one end."
            ) from None

    def _create_resource(self, path: str) -> None:
        def settled() -> Answer | None:
            items = self.aws.pages(
                "apigateway", "get_resources", "items", restApiId=self.known.api, limit=500
            )
            return next((item for item in items if item["path"] == f"/{path}"), None)

        root = self.known.resources["/"]
        answer = self.aws.call(
            "apigateway",
            "create_resource",
            settled=settled,
            restApiId=self.known.api,
            parentId=root,
            pathPart=path,
        )
        self.known.resources[f"/{path}"] = answer["id"]

    def _method(self, path: str, method: str) -> Given:
        return {
            "restApiId": self.known.api,
            "resourceId": self.known.resources[f"/{path}"],
            "httpMethod": method,
        }

    def _put_method(self, route: Route, replace: bool) -> None:
        call, method = self.aws.call, self._method(route.path, route.method)
        if replace:
            self._delete("apigateway", "delete_method", **method)
        call(
            "apigateway",
            "put_method",
            **method,
            authorizationType="NONE",
            apiKeyRequired=route.api_key_required,
            **_if(requestParameters=dict(route.parameters)),
        )
        uri = self.identity.integration_uri(route.function)
        call(
            "apigateway",
            "put_integration",
            **method,
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=uri,
        )

    def _put_preflight(self, preflight: Preflight, replace: bool) -> None:
        call, method = self.aws.call, self._method(preflight.path, "OPTIONS")
        if replace:
            self._delete("apigateway", "delete_method", **method)
        parameters = preflight.response_parameters()
        call("apigateway", "put_method", **method, authorizationType="NONE", apiKeyRequired=False)
        template = {"application/json": '{"statusCode": 200}'}
        call("apigateway", "put_integration", **method, type="MOCK", requestTemplates=template)
        named = dict.fromkeys(parameters, False)
        call(
            "apigateway",
            "put_method_response",
            **method,
            statusCode="200",
            responseParameters=named,
        )
        call(
            "apigateway",
            "put_integration_response",
            **method,
            statusCode="200",
            responseParameters=parameters,
        )

    def _find_key(self) -> Answer | None:
        key = observe.find_key(self.aws)
        return {"id": key.id, "value": key.value} if key else None

    def _find_plan(self) -> Answer | None:
        plans = self.aws.pages("apigateway", "get_usage_plans", "items", limit=500)
        return next((plan for plan in plans if plan.get("name") == NAME), None)


def _if(**given: Any) -> Given:
    """Leave out what is empty: tags need a right of their own."""
    return {name: value for name, value in given.items() if value}


def _key_value(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
