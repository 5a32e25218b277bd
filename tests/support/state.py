"""What should be on AWS and what exists there, as values to plan with.

`desired` is what a configuration asks for, `settled` is what an undisturbed deploy of it leaves,
and `seen` is the part of an account that a deploy reads. Nothing here calls AWS.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gimel.config import Config, Document
from gimel.deploy import policies
from gimel.deploy.desired import desire
from gimel.deploy.plan import deployment
from gimel.wiring import wire
from tests.support.model import (
    GATEWAY_RESPONSE_PARAMETERS,
    GATEWAY_RESPONSES,
    STAGE,
    UNPUBLISHED,
    URL_STATEMENTS,
    Desired,
    Identity,
    Observed,
    ObservedApi,
    ObservedFunction,
    ObservedKey,
    ObservedMethod,
    ObservedPlan,
    ObservedRole,
    Policy,
    Preflight,
    Route,
    Version,
)

ACCOUNT, REGION = "123456789012", "us-east-1"
HERE = Identity(ACCOUNT, REGION, f"arn:aws:iam::{ACCOUNT}:user/operator")
EMPTY = Observed(HERE, None, (), {}, None, None, None)
ARCHIVE = b"the zip"
FUNCTIONS = ("gimel-track", "gimel-all-experiments", "gimel-delete-experiment")
API, KEY, KEY_VALUE, PLAN = "a1b2c3d4e5", "key1", "the-api-key", "plan1"


def configuration(**document: Any) -> Config:
    """Return what config.json holds, with a Redis unless it says otherwise."""
    parsed = Document.model_validate({"redis": {"host": "redis.example.com"}, **document})
    return Config(None, parsed, wire(parsed.extra_wiring))


def desired(archive: bytes = ARCHIVE, **document: Any) -> Desired:
    """Return what a configuration asks for, with these bytes as the zip."""
    return desire(configuration(**document), archive)


def role_policy(
    functions: tuple[str, ...] = FUNCTIONS,
    reserved: tuple[str, ...] = (),
    vpc: bool = False,
    before: Policy | None = None,
    identity: Identity = HERE,
) -> Policy:
    """Return the role's policy for these functions, with what `before` says of other regions."""
    return policies.of_role(identity, functions, reserved, vpc, before)


def settled(wanted: Desired, identity: Identity = HERE) -> Observed:
    """Return all that an undisturbed deploy into an empty account leaves."""
    names = tuple(function.name for function in wanted.functions)
    reserved = tuple(
        each.name for each in wanted.functions if each.reserved_concurrency is not None
    )
    policy = role_policy(names, reserved, wanted.vpc, identity=identity)
    lambda_only = frozenset({"lambda.amazonaws.com"})
    wired = {route.function for route in wanted.routes}
    functions = tuple(
        ObservedFunction(
            name=function.name,
            role=identity.role(),
            live=Version(1, function.configuration),
            versions=(Version(1, function.configuration),),
            latest=function.configuration,
            reserved_concurrency=function.reserved_concurrency,
            callers=identity.callers(API) if function.name in wired else None,
            url_statements=frozenset(URL_STATEMENTS if function.url else ()),
            url=url_of(function.name) if function.url else None,
        )
        for function in wanted.functions
    )
    api = ObservedApi(
        id=API,
        root="root",
        resources={
            "/": "root",
            **{f"/{each.path}": f"{each.path}-id" for each in wanted.preflights},
        },
        methods=(
            *(method_of(route, identity) for route in wanted.routes),
            *(preflight_method(preflight) for preflight in wanted.preflights),
        ),
        gateway_responses=dict.fromkeys(GATEWAY_RESPONSES, GATEWAY_RESPONSE_PARAMETERS),
        deployed=deployment(wanted, identity),
        stage=True,
        throttle_rate=wanted.throttle_rate,
        throttle_burst=wanted.throttle_burst,
    )
    return Observed(
        identity=identity,
        role=ObservedRole(identity.role(), lambda_only, policy, dict(wanted.tags)),
        functions=functions,
        log_groups=dict.fromkeys(names, wanted.log_retention_days),
        api=api,
        key=ObservedKey(KEY, KEY_VALUE, enabled=True),
        plan=ObservedPlan(PLAN, ours=True, stages=(f"{API}:{STAGE}",), keys=(KEY,)),
    )


def url_of(function: str) -> str:
    """Return the URL that AWS gives to a function."""
    return f"https://{function}.lambda-url.{REGION}.on.aws/"


def method_of(route: Route, identity: Identity = HERE) -> ObservedMethod:
    """Return the method that a route asks for."""
    uri = identity.integration_uri(route.function)
    key_required, parameters = route.api_key_required, route.parameters
    return ObservedMethod(
        route.path, route.method, key_required, parameters, uri, route.function, None
    )


def preflight_method(preflight: Preflight) -> ObservedMethod:
    """Return the method that answers the CORS preflight requests for a path."""
    answer = preflight.response_parameters()
    return ObservedMethod(preflight.path, "OPTIONS", False, (), None, None, answer)


def seen(there: Observed, wanted: Desired | None = None, *, versions: bool = False) -> Observed:
    """Return the part of an account that a deploy of `wanted` reads, or without it a destroy.

    Functions are known by the configuration, by the role's policy and by the API, else by their
    role. Versions are read where the live one is not as wanted, or all if `versions`.
    """
    role = there.role
    policy = role.policy if role else None
    region = there.identity.region
    known = {function.name for function in wanted.functions} if wanted else set()
    known |= set(policies.functions_of(policy, region))
    known |= {each.calls for each in there.api.methods if each.calls} if there.api else set()
    if policy is None:
        known |= {each.name for each in there.functions if each.role == there.identity.role()}
    reserved = policies.reserved_of(policy, region)
    functions = tuple(
        _seen_function(
            each, wanted, reservable=each.name in reserved, everything=versions or wanted is None
        )
        for each in there.functions
        if each.name in known
    )
    log_groups = {name: days for name, days in there.log_groups.items() if name in known}
    return replace(there, functions=functions, log_groups=log_groups)


def _seen_function(
    function: ObservedFunction, wanted: Desired | None, *, reservable: bool, everything: bool
) -> ObservedFunction:
    asked = wanted.function(function.name) if wanted else None
    live = function.live
    aliased = function.aliased | ({live.number} if live else set())
    function = replace(function, aliased=aliased - {UNPUBLISHED})
    if not reservable and (asked is None or asked.reserved_concurrency is None):
        function = replace(function, reserved_concurrency=None)
    if not function.url_statements and (asked is None or not asked.url):
        function = replace(function, url=None)
    differs = asked is not None and live is not None and live.configuration != asked.configuration
    if everything or live is None or live.number == UNPUBLISHED or differs:
        return function
    return replace(function, versions=(), latest=None, aliased=frozenset())
