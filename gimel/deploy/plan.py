"""What should be on AWS and what is there -> the steps between them. Pure: the same values give the same steps.

The order lets what is live go on answering: a new role policy before the functions that need it, a version before the alias
that points to it, a permission before the deployment that uses it, and what is taken away only after nothing live needs it.
Whatever step is the last one performed, planning again from there leads to the same end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from gimel.deploy import policies, steps
from gimel.deploy.models import (
    GATEWAY_RESPONSE_PARAMETERS,
    GATEWAY_RESPONSES,
    KEPT_VERSIONS,
    STAGE,
    URL_STATEMENTS,
    Configuration,
    Desired,
    DesiredFunction,
    Identity,
    Observed,
    ObservedApi,
    ObservedFunction,
    ObservedMethod,
    Policy,
    canonical,
    is_ours,
)
from gimel.deploy.steps import Step
from gimel.errors import GimelError
from gimel.wiring import Route


def plan(desired: Desired, observed: Observed) -> tuple[Step, ...]:
    """Return the steps of a deploy, none where all is as it should be. Raises GimelError where a name is someone else's."""
    for function in desired.functions:
        there = observed.function(function.name)
        if there is not None and not _ours(there):
            raise GimelError(
                f"A function {function.name} is there that Gimel did not make: its role is {there.role}.",
                "Rename or delete it, or take another region.",
            )
    return tuple(
        step
        for part in (
            _role,
            _log_groups,
            _functions,
            _api,
            _key,
            _urls,
            _what_left,
            _tags,
            _role_at_last,
        )
        for step in part(desired, observed)
    )


def plan_destroy(observed: Observed) -> tuple[Step, ...]:
    """Return the steps that remove all that deploy made."""
    return tuple(_destroy(observed))


def plan_rollback(observed: Observed, to: int | None = None) -> tuple[steps.MoveAlias, ...]:
    """Return the steps that point every function's alias to its previous version, or to version `to`.

    A function that never had another version stays. What Gimel 1.5.0 left is no version to go back to once it was taken
    over: the API calls it in another way now. Raises GimelError where nothing can be moved, or a function has no version
    `to`: all are moved or none.
    """
    moves = []
    functions = [function for function in observed.functions if _ours(function)]
    if not functions:
        raise GimelError(
            f"Nothing is deployed in {observed.identity.region}.",
            "Run `gimel deploy`, or give another --region.",
        )
    for function in functions:
        old = function.live is None or function.live.configuration.settings is None
        numbers = sorted(
            each.number
            for each in function.versions
            if old or each.configuration.settings is not None
        )
        live = function.live_number
        if live is None:
            raise GimelError(
                f"The function {function.name} has no version that is live.", "Run `gimel deploy`."
            )
        target = (
            to
            if to is not None
            else max((number for number in numbers if number < live), default=live)
        )
        if target not in numbers:
            kept = ", ".join(map(str, numbers))
            raise GimelError(
                f"The function {function.name} has no version {target}: nothing was rolled back.",
                f"It has {kept}.",
            )
        if target != live:
            moves.append(steps.MoveAlias(function.name, live, target))
    if not moves and to is None:
        raise GimelError(
            "No function has a version before the one that is live: nothing was rolled back."
        )
    return tuple(moves)


def _ours(function: ObservedFunction) -> bool:
    return is_ours(function.role)


def _role(desired: Desired, observed: Observed) -> Iterator[Step]:
    """What the functions need is allowed first, beside what was: a deployment of 1.5.0 calls them by this very role.

    The functions that left the wiring stay in the policy until they are gone, and those with a concurrency of their own are in
    it before they have that and until it is given back, for the policy is the record of what deploy made.
    """
    wanted = _policy(desired, observed)
    role = observed.role
    if role is None:
        yield steps.CreateRole(desired.tags)
        yield steps.PutRolePolicy(wanted)
        return
    if policies.LAMBDA not in role.trusted:
        yield steps.TrustLambda()
    interim = _interim_policy(desired, observed)
    if interim is not None:
        yield steps.PutRolePolicy(interim, interim=not policies.same(interim, wanted))


def _role_at_last(desired: Desired, observed: Observed) -> Iterator[Step]:
    role = observed.role
    if role is None:
        return
    if policies.LAMBDA in role.trusted and role.trusted != {policies.LAMBDA}:
        yield steps.TrustLambda()
    wanted = _policy(desired, observed)
    if not policies.same(_interim_policy(desired, observed) or role.policy, wanted):
        yield steps.PutRolePolicy(wanted)


def _policy(desired: Desired, observed: Observed) -> Policy:
    names = [function.name for function in desired.functions]
    before = observed.role.policy if observed.role else None
    return policies.of_role(observed.identity, names, _reserved(desired), desired.vpc, before)


def _reserved(desired: Desired) -> frozenset[str]:
    return frozenset(
        function.name for function in desired.functions if function.reserved_concurrency is not None
    )


def _interim_policy(desired: Desired, observed: Observed) -> Policy | None:
    """Return the policy that an existing role needs before anything else is done, None where it may stay for now."""
    policy = observed.role.policy if observed.role else None
    region = observed.identity.region
    wanted = _policy(desired, observed)
    leaving = [
        each.name
        for each in observed.functions
        if desired.function(each.name) is None and _ours(each)
    ]
    reserved, recorded = _reserved(desired), policies.reserved_of(policy, region)
    known = policies.functions_of(policy, region)
    if policies.allows(policy, wanted) and set(leaving) <= set(known) and reserved <= recorded:
        return None
    if policies.allows(wanted, policy or {}) and not leaving and recorded <= reserved:
        return wanted
    names = [*(function.name for function in desired.functions), *leaving]
    return policies.both(
        policy, policies.of_role(observed.identity, names, reserved | recorded, desired.vpc, policy)
    )


def _log_groups(desired: Desired, observed: Observed) -> Iterator[Step]:
    for function in desired.functions:
        days = desired.log_retention_days
        if function.name not in observed.log_groups:
            yield steps.CreateLogGroup(function.name, days, desired.tags)
        elif observed.log_groups[function.name] != days:
            yield steps.SetLogRetention(function.name, observed.log_groups[function.name], days)


def _functions(desired: Desired, observed: Observed) -> Iterator[Step]:
    """What one function gives back of the account's concurrency, another may need."""
    for function in desired.functions:
        yield from _concurrency(function, observed.function(function.name), less=True)
    for function in desired.functions:
        there = observed.function(function.name)
        if there is None:
            yield steps.CreateFunction(function, desired.tags)
            yield steps.CreateAlias(function.name)
        else:
            yield from _function(function, there)
        yield from _concurrency(function, there, less=False)


def _concurrency(
    function: DesiredFunction, there: ObservedFunction | None, *, less: bool
) -> Iterator[Step]:
    wanted, reserved = function.reserved_concurrency, there.reserved_concurrency if there else None
    if wanted != reserved and less == (reserved is not None and (wanted or 0) < reserved):
        yield steps.ReserveConcurrency(function.name, wanted)


def _function(function: DesiredFunction, there: ObservedFunction) -> Iterator[Step]:
    wanted = function.configuration
    if (
        there.live is not None
        and there.live_number is not None
        and there.live.configuration == wanted
    ):
        return
    fitting = [version.number for version in there.versions if version.configuration == wanted]
    if fitting:
        number = max(fitting)
    else:
        yield from _publish(function, there)
        number = None
    if there.live is None:
        yield steps.CreateAlias(function.name, number)
    else:
        yield steps.MoveAlias(function.name, there.live.number, number)


def _publish(function: DesiredFunction, there: ObservedFunction) -> Iterator[Step]:
    """Old versions go before the new one comes, so that no interruption leaves too many; one that has an alias stays."""
    numbers = sorted(version.number for version in there.versions)
    for number in numbers[: -(KEPT_VERSIONS - 1)]:
        if number not in there.aliased:
            yield steps.DeleteVersion(function.name, number)
    latest: Configuration | None = there.latest
    if latest is not None and latest.needs_configuration(function.configuration):
        yield steps.UpdateFunctionConfiguration(function, latest)
    if latest is not None and latest.needs_code(function.configuration):
        yield steps.UpdateFunctionCode(function, latest)
    yield steps.PublishVersion(function.name)


def _api(desired: Desired, observed: Observed) -> Iterator[Step]:
    identity, api = observed.identity, observed.api
    if api is None:
        yield steps.CreateApi(desired.tags)
    for preflight in desired.preflights:
        if api is None or f"/{preflight.path}" not in api.resources:
            yield steps.CreateResource(preflight.path)
    for route in desired.routes:
        method = api.method(route.path, route.method) if api else None
        if method is None or not _wired(method, route, identity):
            yield steps.PutMethod(route, replace=method is not None)
    for preflight in desired.preflights:
        method = api.method(preflight.path, "OPTIONS") if api else None
        if method is None or method.preflight != preflight.response_parameters():
            yield steps.PutPreflight(preflight, replace=method is not None)
    for kind in GATEWAY_RESPONSES:
        if api is None or api.gateway_responses.get(kind) != GATEWAY_RESPONSE_PARAMETERS:
            yield steps.PutGatewayResponse(kind)
    if api is not None:
        yield from _routes_that_left(desired, api)
    for function in desired.functions:
        there = observed.function(function.name)
        wired = any(route.function == function.name for route in desired.routes)
        if wired and (there is None or api is None or there.callers != identity.callers(api.id)):
            yield steps.AllowApi(function.name, replace=bool(there and there.callers))
    description = deployment(desired, identity)
    if api is None or api.deployed != description:
        yield steps.DeployApi(description)
    if api is None or (api.throttle_rate, api.throttle_burst) != (
        desired.throttle_rate,
        desired.throttle_burst,
    ):
        yield steps.SetThrottle(desired.throttle_rate, desired.throttle_burst)


def deployment(desired: Desired, identity: Identity) -> str:
    """Return the description of a deployment: a hash of all that it makes live, by which it is recognised."""
    made = [
        [
            [
                route.path,
                route.method,
                route.api_key_required,
                route.parameters,
                identity.alias(route.function),
            ]
            for route in desired.routes
        ],
        [[preflight.path, preflight.response_parameters()] for preflight in desired.preflights],
        [GATEWAY_RESPONSES, GATEWAY_RESPONSE_PARAMETERS],
    ]
    return f"gimel {hashlib.sha256(canonical(made).encode()).hexdigest()[:20]}"


def _wired(method: ObservedMethod, route: Route, identity: Identity) -> bool:
    return (method.api_key_required, dict(method.parameters), method.proxies) == (
        route.api_key_required,
        dict(route.parameters),
        identity.integration_uri(route.function),
    )


def _routes_that_left(desired: Desired, api: ObservedApi) -> Iterator[Step]:
    paths = {preflight.path for preflight in desired.preflights}
    wired = {(route.path, route.method) for route in desired.routes} | {
        (path, "OPTIONS") for path in paths
    }
    for path in api.resources:
        name = path.removeprefix("/")
        if name and "/" not in name and name not in paths:
            yield steps.DeleteResource(name)
    for method in api.methods:
        if method.path in paths and (method.path, method.method) not in wired:
            yield steps.DeleteMethod(method.path, method.method)


def _key(desired: Desired, observed: Observed) -> Iterator[Step]:
    key, plan, api = observed.key, observed.plan, observed.api
    if key is None:
        yield steps.CreateKey()
    elif not key.enabled:
        yield steps.EnableKey()
    if plan is None:
        yield steps.CreateUsagePlan()
    elif api is None or f"{api.id}:{STAGE}" not in plan.stages:
        yield steps.AddStageToPlan()
    if plan is None or key is None or key.id not in plan.keys:
        yield steps.AddKeyToPlan()


def _urls(desired: Desired, observed: Observed) -> Iterator[Step]:
    for function in desired.functions:
        there = observed.function(function.name)
        statements = there.url_statements if there else frozenset()
        missing = tuple(statement for statement in URL_STATEMENTS if statement not in statements)
        if function.url:
            if missing:
                yield steps.AllowUrl(function.name, missing)
            if there is None or there.url is None:
                yield steps.CreateUrl(function.name)
        elif there is not None and (there.url or statements):
            yield steps.DeleteUrl(function.name, there.url is not None, tuple(sorted(statements)))


def _what_left(desired: Desired, observed: Observed) -> Iterator[Step]:
    for function in observed.functions:
        if desired.function(function.name) is None and _ours(function):
            if function.url or function.url_statements:
                yield steps.DeleteUrl(
                    function.name, function.url is not None, tuple(sorted(function.url_statements))
                )
            yield steps.DeleteFunction(function.name)
    recorded = policies.functions_of(
        observed.role.policy if observed.role else None, observed.identity.region
    )
    known = {function.name for function in observed.functions if _ours(function)} | set(recorded)
    for name in sorted(observed.log_groups):
        if desired.function(name) is None and name in known:
            yield steps.DeleteLogGroup(name)


def _tags(desired: Desired, observed: Observed) -> Iterator[Step]:
    """The role is tagged last: its tags tell what all the rest was tagged with."""
    if observed.role is None or dict(observed.role.tags) == dict(desired.tags):
        return
    gone = tuple(sorted(set(observed.role.tags) - set(desired.tags)))
    for function in desired.functions:
        if observed.function(function.name):
            yield steps.TagFunction(function.name, desired.tags, gone)
        if function.name in observed.log_groups:
            yield steps.TagLogGroup(function.name, desired.tags, gone)
    if observed.api:
        yield steps.TagApi(desired.tags, gone)
    yield steps.TagRole(desired.tags, gone)


def _destroy(observed: Observed) -> Iterator[Step]:
    """The role goes last: its policy is the record of the functions. It stays where it serves another region too."""
    plan, api = observed.plan, observed.api
    if plan is not None:
        stages = tuple(
            stage for stage in plan.stages if plan.ours or (api and stage == f"{api.id}:{STAGE}")
        )
        if stages:
            yield steps.RemoveStagesFromPlan(stages)
        if plan.ours:
            yield steps.DeleteUsagePlan()
    if observed.key is not None:
        yield steps.DeleteKey()
    if api is not None:
        yield steps.DeleteApi()
    names = []
    for function in observed.functions:
        if _ours(function):
            names.append(function.name)
            if function.url or function.url_statements:
                yield steps.DeleteUrl(
                    function.name, function.url is not None, tuple(sorted(function.url_statements))
                )
            yield steps.DeleteFunction(function.name)
    policy, region = observed.role.policy if observed.role else None, observed.identity.region
    recorded = policies.functions_of(policy, region)
    for name in sorted(observed.log_groups):
        if name in names or name in recorded:
            yield steps.DeleteLogGroup(name)
    elsewhere = policies.of_other_regions(policy, region)
    if elsewhere is not None:
        if not policies.same(policy, elsewhere):
            yield steps.LeaveRole(elsewhere, policies.regions_of(elsewhere))
    elif observed.role is not None:
        yield steps.DeleteRole(policy=policy is not None)
