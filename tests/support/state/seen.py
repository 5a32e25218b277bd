"""What deploy knows of an account: a State as deploy's own Observed.

This is the one place where tests build deploy's values of what exists: when those change, only
this file does. Like `observe`, it reads no more than a deploy needs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from gimel.deploy import record
from gimel.deploy.desired import DesiredFunction
from gimel.deploy.plan import plan, required_permissions
from gimel.deploy.record import Record
from gimel.deploy.resources.aliases import ALIASES
from gimel.deploy.resources.api_key import API_KEY, ObservedKey
from gimel.deploy.resources.base import Resource
from gimel.deploy.resources.concurrency import CONCURRENCY
from gimel.deploy.resources.cors_preflights import CORS_PREFLIGHTS
from gimel.deploy.resources.function_urls import FUNCTION_URLS
from gimel.deploy.resources.functions import FUNCTIONS
from gimel.deploy.resources.gateway_responses import GATEWAY_RESPONSES
from gimel.deploy.resources.log_groups import LOG_GROUPS
from gimel.deploy.resources.methods import METHODS, ObservedMethod, ObservedMethods
from gimel.deploy.resources.observed_function import ObservedFunction, Version
from gimel.deploy.resources.permissions import PERMISSIONS, ObservedPermissions
from gimel.deploy.resources.rest_api import REST_API, ObservedApi
from gimel.deploy.resources.role import ROLE, ObservedRole
from gimel.deploy.resources.role_policy import ROLE_POLICY
from gimel.deploy.resources.stage import STAGE_OF_API, ObservedStage
from gimel.deploy.resources.usage_plan import USAGE_PLAN, ObservedPlan
from gimel.deploy.resources.versions import VERSIONS
from tests.support.state.cloud import (
    ACCOUNT,
    API,
    EMPTY,
    KEY,
    KEY_VALUE,
    LATEST,
    PLAN,
    ROOT,
    Api,
    Function,
    Place,
    State,
)
from tests.support.state.names import DeployApi, Desired, Identity, Observed, Policy


def identity_of(place: Place) -> Identity:
    """Return deploy's own account and region."""
    return Identity(ACCOUNT, place.region, place.operator, place.partition)


def role_policy(
    place: Place,
    functions: Collection[str],
    reserved: Collection[str] = (),
    *,
    vpc: bool = False,
    before: Policy | None = None,
) -> Policy:
    """Return the role's policy for these functions, with what `before` says of other regions."""
    written = Record(frozenset(functions), frozenset(reserved))
    return record.role_policy(identity_of(place), written, vpc=vpc, before=before)


def operator_policy(place: Place, wanted: Desired) -> Policy:
    """Return the policy that somebody needs who runs Gimel's commands."""
    return required_permissions(identity_of(place), wanted)


def recorded_functions(policy: Policy | None, region: str) -> frozenset[str]:
    """Return the functions that the role's policy records in a region."""
    return record.read_record(policy, region).functions


def recorded_reserved(policy: Policy | None, region: str) -> frozenset[str]:
    """Return the functions with reserved concurrency that the role's policy records in a region."""
    return record.read_record(policy, region).reserved


def deployment(wanted: Desired, place: Place) -> str:
    """Return the description of the API's deployment that a first deploy would make."""
    steps = plan(wanted, seen(replace(EMPTY, place=place)))
    return next(step.description for step in steps if isinstance(step, DeployApi))


def seen(there: State, wanted: Desired | None = None, *, versions: bool = False) -> Observed:
    """Return the part of an account that a deploy of `wanted` reads, or without it a destroy.

    Functions are known by the configuration, by the record in the role's policy and by the API;
    without a record, by their role. Versions are read where the live one is not as wanted, or all
    if `versions`.
    """
    role, api = there.role, there.api
    policy = role.policy if role else None
    recorded = record.read_record(policy, there.place.region)
    functions = {name: there.functions[name] for name in _names(there, wanted)}
    asked = {each.name: each for each in wanted.functions} if wanted else {}
    with_reserved = recorded.reserved | {
        name for name in asked if asked[name].reserved_concurrency is not None
    }
    # What an alias allows can only be asked of an alias that exists.
    live = {name: each for name, each in functions.items() if each.live is not None}
    with_url = {name for name in live if live[name].url_statements} | {
        name for name in asked if asked[name].url
    }
    parts: dict[Resource[Any], Any] = {
        ROLE: ObservedRole(role.arn, role.trusted, role.policy, role.tags) if role else None,
        ROLE_POLICY: policy,
        LOG_GROUPS: _log_groups(there, wanted),
        FUNCTIONS: tuple(
            _function(name, functions[name], asked.get(name), versions) for name in functions
        ),
        VERSIONS: None,
        ALIASES: None,
        CONCURRENCY: {
            name: each.reserved
            for name, each in functions.items()
            if name in with_reserved and each.reserved is not None
        },
        REST_API: ObservedApi(API, ROOT) if api else None,
        METHODS: _methods(api) if api else ObservedMethods(),
        CORS_PREFLIGHTS: None,
        GATEWAY_RESPONSES: api.responses if api else {},
        PERMISSIONS: {
            name: ObservedPermissions(each.callers, each.url_statements)
            for name, each in live.items()
        },
        STAGE_OF_API: ObservedStage(api.deployed, api.rate, api.burst)
        if api and api.deployed is not None
        else None,
        API_KEY: None if there.key is None else ObservedKey(KEY, KEY_VALUE, enabled=there.key),
        USAGE_PLAN: ObservedPlan(
            PLAN, there.plan.ours, tuple(sorted(there.plan.stages)), tuple(sorted(there.plan.keys))
        )
        if there.plan
        else None,
        FUNCTION_URLS: {
            name: each.url
            for name, each in functions.items()
            if name in with_url and each.url is not None
        },
    }
    return Observed(identity_of(there.place), parts)


def _possible_names(there: State, wanted: Desired | None) -> list[str]:
    names = list(wanted.function_names) if wanted else []
    policy = there.role.policy if there.role else None
    recorded = record.read_record(policy, there.place.region).functions
    names += sorted(recorded)
    if there.api:
        names += [each.calls for each in there.api.methods.values() if each.calls]
    if not recorded:
        functions = there.functions.items()
        names += [name for name, each in functions if is_marked(each, there.place)]
    return list(dict.fromkeys(names))


def _names(there: State, wanted: Desired | None) -> list[str]:
    return [name for name in _possible_names(there, wanted) if name in there.functions]


def _log_groups(there: State, wanted: Desired | None) -> dict[str, int | None]:
    names = _possible_names(there, wanted)
    return {name: there.log_groups[name].days for name in names if name in there.log_groups}


def usage_plan_id(observed: Observed) -> str | None:
    """Return the id of the usage plan that a deploy would use."""
    plan = observed.of(USAGE_PLAN)
    return plan.id if plan else None


def is_marked(function: Function, place: Place) -> bool:
    """Return whether a function bears Gimel's marks: its role and its settings."""
    return function.role == place.role and function.latest.settings is not None


def _function(
    name: str, function: Function, asked: DesiredFunction | None, versions: bool
) -> ObservedFunction:
    serving = function.serving
    listed = versions or function.live in (None, LATEST)
    listed = listed or (asked is not None and serving != asked.configuration)
    aliased = function.theirs | ({function.live} if function.live else set())
    return ObservedFunction(
        name=name,
        role=function.role,
        live=None if function.live is None or not serving else Version(function.live, serving),
        versions=tuple(Version(*each) for each in function.versions.items()) if listed else (),
        latest=function.latest if listed else None,
        aliased=aliased if listed else frozenset(),
    )


def _methods(api: Api) -> ObservedMethods:
    return ObservedMethods(
        paths={"/": ROOT, **{f"/{path}": f"{path}-id" for path in sorted(api.paths)}},
        methods=tuple(
            ObservedMethod(
                path=path,
                method=name,
                api_key_required=method.key_required,
                parameters=tuple(method.parameters.items()),
                proxies=method.integration,
                calls=method.calls,
                preflight=method.answer,
            )
            for (path, name), method in api.methods.items()
        ),
    )
