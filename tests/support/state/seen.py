"""What deploy knows of an account: a State as deploy's own Observed.

This is the one place where tests build deploy's values of what exists: when those change, only
this file does. Like `observe`, it reads no more than a deploy needs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from gimel.deploy import policies
from gimel.deploy.models import (
    ObservedApi,
    ObservedFunction,
    ObservedKey,
    ObservedMethod,
    ObservedPlan,
    ObservedRole,
    Version,
)
from gimel.deploy.plan import plan
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
    return policies.of_role(identity_of(place), functions, reserved, vpc, before)


def operator_policy(place: Place, wanted: Desired) -> Policy:
    """Return the policy that somebody needs who runs Gimel's commands."""
    return policies.of_operator(identity_of(place), wanted)


def recorded_functions(policy: Policy | None, region: str) -> frozenset[str]:
    """Return the functions that the role's policy records in a region."""
    return frozenset(policies.functions_of(policy, region))


def recorded_reserved(policy: Policy | None, region: str) -> frozenset[str]:
    """Return the functions with reserved concurrency that the role's policy records in a region."""
    return policies.reserved_of(policy, region)


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
    role, api, region = there.role, there.api, there.place.region
    policy = role.policy if role else None
    names = [function.name for function in wanted.functions] if wanted else []
    names += policies.functions_of(policy, region)
    names += [each.calls for each in api.methods.values() if each.calls] if api else []
    if policy is None:
        names += [name for name, each in there.functions.items() if is_marked(each, there.place)]
    reserved = policies.reserved_of(policy, region)
    names = list(dict.fromkeys(names))
    return Observed(
        identity=identity_of(there.place),
        role=ObservedRole(role.arn, role.trusted, role.policy, role.tags) if role else None,
        functions=tuple(
            _function(name, there.functions[name], wanted, name in reserved, versions)
            for name in names
            if name in there.functions
        ),
        log_groups={
            name: there.log_groups[name].days for name in names if name in there.log_groups
        },
        api=_api(api) if api else None,
        key=None if there.key is None else ObservedKey(KEY, KEY_VALUE, enabled=there.key),
        plan=ObservedPlan(
            PLAN, there.plan.ours, tuple(sorted(there.plan.stages)), tuple(sorted(there.plan.keys))
        )
        if there.plan
        else None,
    )


def usage_plan_id(observed: Observed) -> str | None:
    """Return the id of the usage plan that a deploy would use."""
    return observed.plan.id if observed.plan else None


def is_marked(function: Function, place: Place) -> bool:
    """Return whether a function bears Gimel's marks: its role and its settings."""
    return function.role == place.role and function.latest.settings is not None


def _function(
    name: str, function: Function, wanted: Desired | None, reserved: bool, versions: bool
) -> ObservedFunction:
    asked = wanted.function(name) if wanted else None
    serving = function.serving
    listed = versions or function.live in (None, LATEST)
    listed = listed or (asked is not None and serving != asked.configuration)
    reserved = reserved or (asked is not None and asked.reserved_concurrency is not None)
    # What an alias allows can only be asked of an alias that exists.
    callers = None if function.live is None else function.callers
    statements = frozenset() if function.live is None else function.url_statements
    with_url = statements or (asked is not None and asked.url)
    aliased = function.theirs | ({function.live} if function.live else set())
    return ObservedFunction(
        name=name,
        role=function.role,
        live=None if function.live is None or not serving else Version(function.live, serving),
        versions=tuple(Version(*each) for each in function.versions.items()) if listed else (),
        latest=function.latest if listed else None,
        aliased=aliased if listed else frozenset(),
        reserved_concurrency=function.reserved if reserved else None,
        callers=callers,
        url_statements=statements,
        url=function.url if with_url else None,
    )


def _api(api: Api) -> ObservedApi:
    return ObservedApi(
        id=API,
        root=ROOT,
        resources={"/": ROOT, **{f"/{path}": f"{path}-id" for path in sorted(api.paths)}},
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
        gateway_responses=api.responses,
        deployed=api.deployed,
        stage=api.deployed is not None,
        throttle_rate=api.rate,
        throttle_burst=api.burst,
    )
