"""What deploy knows of an account: a State as deploy's own Observed.

This is the one place where tests build deploy's values of what exists: when those change, only
this file does. Like `observe`, it reads no more than a deploy needs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from gimel.config.secret import Secret
from gimel.deploy import record
from gimel.deploy.desired import DesiredFunction
from gimel.deploy.history import (
    NO_HISTORY,
    History,
    history_of_versions,
    parse_history,
    parse_publication,
)
from gimel.deploy.plan import plan, required_permissions
from gimel.deploy.policies import as_list
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
from gimel.deploy.resources.rule_targets import RULE_TARGETS
from gimel.deploy.resources.rules import RULES
from gimel.deploy.resources.security_group import SECURITY_GROUP
from gimel.deploy.resources.stage import STAGE_OF_API, ObservedStage
from gimel.deploy.resources.store import STORE
from gimel.deploy.resources.store_user import STORE_USER
from gimel.deploy.resources.tag_record import TAG_RECORD
from gimel.deploy.resources.trials import TRIALS
from gimel.deploy.resources.usage_plan import USAGE_PLAN, ObservedPlan
from gimel.deploy.resources.versions import VERSIONS
from gimel.wiring import deployed_names
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
from tests.support.state.domains import NO_DOMAINS
from tests.support.state.names import (
    MARK,
    DeployApi,
    Deployment,
    Desired,
    Identity,
    Observed,
    Policy,
)
from tests.support.state.no_alarms import NO_ALARMS
from tests.support.state.rules import seen_rules


def identity_of(place: Place) -> Identity:
    """Return deploy's own account, region and deployment."""
    deployment = Deployment(place.name, place.given_role)
    return Identity(ACCOUNT, place.region, place.operator, place.partition, deployment)


def role_policy(
    place: Place,
    functions: Collection[str],
    reserved: Collection[str] = (),
    *,
    vpc: bool = False,
    before: Policy | None = None,
    topic: str | None = None,
    secret: Secret | None = None,
) -> Policy:
    """Return the role's policy for these functions, with what `before` says of other regions."""
    written = Record(frozenset(functions), frozenset(reserved))
    return record.role_policy(
        identity_of(place), written, vpc=vpc, before=before, topic=topic, secret=secret
    )


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
    without a record, by their role. Versions are read where any live one is not as wanted, or if
    `versions`.
    """
    place, api = there.place, there.api
    foreign: list[str] = []
    role = there.role
    if role is not None and not _is_our_role(there):
        foreign.append(f"the role {role.arn}")
        role = None
    there = replace(there, role=role)
    policy = role.policy if role else None
    functions, listed = _functions(there, wanted, foreign, versions=versions)
    asked = {each.name: each for each in wanted.functions} if wanted else {}
    with_reserved = recorded_reserved(policy, place.region) | {
        name for name in asked if asked[name].reserved_concurrency is not None
    }
    if place.given_role:
        with_reserved |= set(functions)
    # What an alias allows can only be asked of an alias that exists.
    live = {name: each for name, each in functions.items() if each.live is not None}
    with_url = {name for name in live if live[name].url_statements} | {
        name for name in asked if asked[name].url
    }
    parts: dict[Resource[Any], Any] = {
        **NO_ALARMS,
        **NO_DOMAINS,
        TAG_RECORD: dict(api.tags) if api else None,
        ROLE: ObservedRole(role.arn, role.trusted, role.policy, role.tags, role.boundary)
        if role
        else None,
        ROLE_POLICY: policy,
        LOG_GROUPS: _log_groups(there, wanted, functions, foreign),
        FUNCTIONS: tuple(_function(name, functions[name], listed) for name in functions),
        VERSIONS: None,
        TRIALS: None,
        ALIASES: None,
        CONCURRENCY: {
            name: each.reserved
            for name, each in functions.items()
            if name in with_reserved and each.reserved is not None
        },
        REST_API: ObservedApi(API, ROOT, api.tags.get(MARK) == place.name) if api else None,
        METHODS: _methods(api) if api else ObservedMethods(),
        CORS_PREFLIGHTS: None,
        GATEWAY_RESPONSES: api.responses if api else {},
        PERMISSIONS: {
            name: ObservedPermissions(each.callers, each.url_statements, each.rule)
            for name, each in live.items()
        },
        SECURITY_GROUP: None,  # as everything of a store that is not wanted
        STORE_USER: None,
        STORE: None,
        RULES: seen_rules(there, wanted, {*_recorded(there), *functions}, foreign),
        RULE_TARGETS: None,
        STAGE_OF_API: ObservedStage(api.deployed, api.rate, api.burst)
        if api and api.deployed is not None
        else None,
        API_KEY: _key(there, foreign),
        USAGE_PLAN: _plan(there),
        FUNCTION_URLS: {
            name: each.url
            for name, each in functions.items()
            if name in with_url and each.url is not None
        },
    }
    return Observed(identity_of(place), parts, tuple(foreign))


def _is_our_role(there: State) -> bool:
    """Return whether Gimel made the role: it is tagged, or has the policy that Gimel gives it."""
    role, policy = there.role, there.role.policy if there.role else None
    if role is None or MARK in role.tags or policy is None:
        return role is not None and role.tags.get(MARK) == there.place.name
    actions = {action for each in policy["Statement"] for action in as_list(each.get("Action", []))}
    return "kinesis:PutRecord" in actions or bool(record.recorded_regions(policy))


def _key(there: State, foreign: list[str]) -> ObservedKey | None:
    """A key without a mark is Gimel's if it belongs to an API without a mark."""
    if there.key is None:
        return None
    if not there.key_is_marked and (there.api is None or MARK in there.api.tags):
        foreign.append(f"the API key {there.place.name} with the id {KEY}")
        return None
    return ObservedKey(KEY, KEY_VALUE, enabled=there.key, is_marked=there.key_is_marked)


def _plan(there: State) -> ObservedPlan | None:
    plan = there.plan
    if plan is None:
        return None
    return ObservedPlan(PLAN, plan.ours, tuple(sorted(plan.stages)), tuple(sorted(plan.keys)))


def _possible_names(there: State, wanted: Desired | None) -> list[str]:
    """Return the names that are asked for, whether they exist or not."""
    names = list(wanted.function_names) if wanted else []
    names += sorted(_recorded(there))
    if there.api:
        names += [each.calls for each in there.api.methods.values() if each.calls]
    if wanted is None:
        names += deployed_names(there.place.name).values()
    return list(dict.fromkeys(names))


def _recorded(there: State) -> frozenset[str]:
    return recorded_functions(there.role.policy if there.role else None, there.place.region)


def _functions(
    there: State, wanted: Desired | None, foreign: list[str], *, versions: bool
) -> tuple[dict[str, Function], bool]:
    """Return the functions that are Gimel's, and whether their versions are read."""
    names = _possible_names(there, wanted)
    if not _recorded(there):  # a listing shows which exist
        marked = [name for name, each in there.functions.items() if is_marked(each, there.place)]
        names = [name for name in dict.fromkeys([*names, *marked]) if name in there.functions]
    asked = {each.name: each for each in wanted.functions} if wanted else {}
    ours = {}
    for name in names:
        function = there.functions.get(name)
        if function is not None and _is_our_function(function, there):
            ours[name] = function
        elif function is not None and (wanted is None or name in asked):
            arn = there.place.function(name)
            foreign.append(f"the function {arn}, which runs as {function.role}")
    listed = versions or any(
        name not in there.functions or not _is_current(there.functions[name], asked.get(name))
        for name in names
    )
    return ours, listed


def _log_groups(
    there: State, wanted: Desired | None, functions: Collection[str], foreign: list[str]
) -> dict[str, int | None]:
    asked = wanted.function_names if wanted else ()
    found = {}
    for name in dict.fromkeys([*_possible_names(there, wanted), *functions]):
        group = there.log_groups.get(name)
        if group is None:
            continue
        is_tagged = group.tags.get(MARK) == there.place.name
        policy = there.role.policy if there.role else None
        of_1_5_0 = policy is not None and not record.recorded_regions(policy)
        of_1_5_0 = of_1_5_0 or (there.api is not None and MARK not in there.api.tags)
        if of_1_5_0 or is_tagged or name in functions or name in _recorded(there):
            found[name] = group.days
        elif wanted is None or name in asked:
            foreign.append(f"the log group {there.place.log_group(name)}")
    return found


def usage_plan_id(observed: Observed) -> str | None:
    """Return the id of the usage plan that a deploy would use."""
    plan = observed.of(USAGE_PLAN)
    return plan.id if plan else None


def is_marked(function: Function, place: Place) -> bool:
    """Return whether a listing shows a function to be Gimel's: by its role and its settings."""
    return _runs_as_ours(function, place) and function.latest.settings is not None


def _runs_as_ours(function: Function, place: Place) -> bool:
    """Names of roles are unique, whatever their path."""
    if place.given_role:
        return function.role == place.given_role
    return ":role/" in function.role and function.role.rpartition("/")[2] == place.name


def _is_our_function(function: Function, there: State) -> bool:
    by_role = there.role is not None and _runs_as_ours(function, there.place)
    return by_role or function.tags.get(MARK) == there.place.name


def _is_current(function: Function, asked: DesiredFunction | None) -> bool:
    if function.live in (None, LATEST):
        return False
    return asked is None or function.serving == asked.configuration


def _function(name: str, function: Function, listed: bool) -> ObservedFunction:
    serving, live = function.serving, function.live
    aliased = function.theirs | ({live} if live else set())
    return ObservedFunction(
        name=name,
        role=function.role,
        live=None if live is None or not serving else Version(live, serving),
        versions=tuple(
            Version(number, made, parse_publication(function.described.get(number, "")))
            for number, made in function.versions.items()
        )
        if listed
        else (),
        latest=function.latest if listed else None,
        aliased=aliased if listed else frozenset(),
        history=_history(function) if listed else NO_HISTORY,
    )


def _history(function: Function) -> History:
    """Return the recorded history, or without one the versions up to the live one."""
    if function.live is None:
        return NO_HISTORY
    if recorded := parse_history(function.history, function.live):
        return recorded
    is_ours = (function.serving or function.latest).settings is not None
    return history_of_versions(
        {
            number: parse_publication(function.described.get(number, ""))
            for number, made in function.versions.items()
            if number <= function.live and (made.settings is not None) == is_ours
        }
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
