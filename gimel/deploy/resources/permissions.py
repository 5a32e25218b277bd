"""Who may invoke the functions: the resource policy of each alias.

It admits Gimel's REST API where a path leads to the function, everyone through the function's own
URL where it has one, and Gimel's EventBridge rule where a schedule calls the function.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gimel.deploy.aws import Answer
from gimel.deploy.aws_errors import Refused
from gimel.deploy.desired import Desired
from gimel.deploy.identity import ALIAS, Identity
from gimel.deploy.policies import Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.functions import FUNCTIONS, function_permission
from gimel.deploy.resources.rest_api import REST_API

API_STATEMENT, RULE_STATEMENT = "gimel-api", "gimel-schedule"

# https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
# Since October 2025 a public URL needs both.
_URL_STATEMENTS: Mapping[str, Mapping[str, Any]] = {
    "gimel-url": {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
    "gimel-url-invoke": {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
}
URL_STATEMENTS = tuple(_URL_STATEMENTS)


@dataclass(frozen=True)
class ObservedPermissions:
    """Gimel's statements in the policy of one alias.

    `api_callers` is the ARN pattern that the API's statement admits, "" where it admits anyone,
    None without a statement. `rule` is the same of the schedule's statement.
    """

    api_callers: str | None = None
    url_statements: frozenset[str] = frozenset()
    rule: str | None = None


class Permissions(Resource[Mapping[str, ObservedPermissions]]):
    """Observed by function name, where the function has an alias."""

    def observe(self, look: Look) -> Mapping[str, ObservedPermissions]:
        return {
            function.name: _observe(look, function.name)
            for function in look.of(FUNCTIONS)
            if function.live is not None
        }

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        api = observed.of(REST_API)
        for function in desired.functions:
            there = permissions_of(observed, function.name)
            admitted = api is not None and there.api_callers == observed.identity.api_callers(
                api.id
            )
            if function.routed and not admitted:
                yield AllowApi(function.name, replace=there.api_callers is not None)
            missing = tuple(sid for sid in URL_STATEMENTS if sid not in there.url_statements)
            if function.url and missing:
                yield AllowUrl(function.name, missing)
            if function.schedule and there.rule != observed.identity.rule(function.name):
                yield AllowRule(function.name, replace=there.rule is not None)

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        for function in desired.functions:
            there = permissions_of(observed, function.name)
            if not function.routed and there.api_callers is not None:
                yield DisallowApi(function.name)
            if not function.url and there.url_statements:
                yield DisallowUrl(function.name, tuple(sorted(there.url_statements)))

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        yield function_permission(
            identity, desired, "AddPermission", "GetPolicy", "RemovePermission"
        )


PERMISSIONS = Permissions()


def permissions_of(observed: Observed | Look, function: str) -> ObservedPermissions:
    """Return the statements of a function, none where it has no alias."""
    return observed.of(PERMISSIONS).get(function, ObservedPermissions())


@dataclass(frozen=True)
class AllowApi(Step):
    """Let this API, and no other, invoke a function."""

    function: str
    replace: bool

    def __str__(self) -> str:
        if self.replace:
            return f"Replace the permission that lets the API invoke {self.function}"
        return f"Allow the API to invoke the function {self.function}"

    def perform(self, run: Run) -> None:
        if self.replace:
            _disallow(run, self.function, API_STATEMENT)
        _allow(
            run,
            self.function,
            API_STATEMENT,
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=run.identity.api_callers(run.ids["api"]),
        )


@dataclass(frozen=True)
class DisallowApi(Step):
    function: str

    def __str__(self) -> str:
        return f"Remove the permission that lets the API invoke {self.function}"

    def perform(self, run: Run) -> None:
        _disallow(run, self.function, API_STATEMENT)


@dataclass(frozen=True)
class AllowRule(Step):
    """Let the function's EventBridge rule, and no other, invoke it."""

    function: str
    replace: bool

    def __str__(self) -> str:
        if self.replace:
            return f"Replace the permission that lets EventBridge invoke {self.function}"
        return f"Allow its EventBridge rule to invoke the function {self.function}"

    def perform(self, run: Run) -> None:
        if self.replace:
            _disallow(run, self.function, RULE_STATEMENT)
        _allow(
            run,
            self.function,
            RULE_STATEMENT,
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=run.identity.rule(self.function),
        )


@dataclass(frozen=True)
class AllowUrl(Step):
    """Let everyone invoke a function through its URL; `statements` are those that are missing."""

    function: str
    statements: tuple[str, ...]

    def __str__(self) -> str:
        return f"Allow everyone to invoke the function {self.function} through its URL"

    def perform(self, run: Run) -> None:
        for statement in self.statements:
            _allow(run, self.function, statement, Principal="*", **_URL_STATEMENTS[statement])


@dataclass(frozen=True)
class DisallowUrl(Step):
    function: str
    statements: tuple[str, ...]

    def __str__(self) -> str:
        return f"Remove the permission to invoke {self.function} through a URL"

    def perform(self, run: Run) -> None:
        for statement in self.statements:
            _disallow(run, self.function, statement)


def _observe(look: Look, function: str) -> ObservedPermissions:
    answer = look.aws.find("lambda", "get_policy", FunctionName=function, Qualifier=ALIAS)
    statements = json.loads(answer["Policy"]).get("Statement", []) if answer else []
    by_sid: dict[str, Answer] = {each.get("Sid", ""): each for each in statements}
    api, rule = by_sid.get(API_STATEMENT), by_sid.get(RULE_STATEMENT)
    return ObservedPermissions(
        api_callers=None if api is None else _source(api),
        url_statements=frozenset(sid for sid in by_sid if sid in URL_STATEMENTS),
        rule=None if rule is None else _source(rule),
    )


def _source(statement: Answer) -> str:
    """Return the ARN pattern that a statement admits, "" where it admits anyone."""
    for operator in statement.get("Condition", {}).values():
        for key, value in operator.items():
            if key.lower() == "aws:sourcearn":
                return str(value)
    return ""


def _allow(run: Run, function: str, statement: str, **permission: Any) -> None:
    parameters = {"FunctionName": function, "Qualifier": ALIAS, "StatementId": statement}
    try:
        run.aws.call("lambda", "add_permission", **parameters, **permission)
    except Refused as refusal:
        # An alias that was deleted and created again may have kept its statements.
        if refusal.code != "ResourceConflictException":
            raise
        _disallow(run, function, statement)
        run.aws.call("lambda", "add_permission", **parameters, **permission)


def _disallow(run: Run, function: str, statement: str) -> None:
    parameters = {"FunctionName": function, "Qualifier": ALIAS, "StatementId": statement}
    run.aws.find("lambda", "remove_permission", **parameters)
