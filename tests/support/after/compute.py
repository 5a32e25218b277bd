"""What exists after a step on the role, the log groups or the functions."""

from __future__ import annotations

from dataclasses import replace

from tests.support.after.base import Impossible, needs, step_after
from tests.support.model import (
    UNPUBLISHED,
    AllowApi,
    AllowUrl,
    CreateAlias,
    CreateFunction,
    CreateLogGroup,
    CreateRole,
    CreateUrl,
    DeleteFunction,
    DeleteLogGroup,
    DeleteRole,
    DeleteUrl,
    DeleteVersion,
    LeaveRole,
    MoveAlias,
    Observed,
    ObservedFunction,
    ObservedRole,
    PublishVersion,
    PutRolePolicy,
    ReserveConcurrency,
    SetLogRetention,
    Step,
    TagFunction,
    TagLogGroup,
    TagRole,
    TrustLambda,
    UpdateFunctionCode,
    UpdateFunctionConfiguration,
    Version,
)
from tests.support.state import url_of


@step_after.register
def _(step: CreateRole, there: Observed) -> Observed:
    needs(there.role is None, step, "it exists")
    trusted = frozenset({"lambda.amazonaws.com"})
    role = ObservedRole(there.identity.role(), trusted, None, dict(step.tags))
    return replace(there, role=role)


@step_after.register
def _(step: TrustLambda, there: Observed) -> Observed:
    return _with_role(step, there, trusted=frozenset({"lambda.amazonaws.com"}))


@step_after.register
def _(step: PutRolePolicy, there: Observed) -> Observed:
    return _with_role(step, there, policy=step.policy)


@step_after.register
def _(step: LeaveRole, there: Observed) -> Observed:
    return _with_role(step, there, policy=step.policy)


@step_after.register
def _(step: TagRole, there: Observed) -> Observed:
    tags = {**(there.role.tags if there.role else {}), **step.tags}
    return _with_role(
        step, there, tags={name: tags[name] for name in tags if name not in step.gone}
    )


@step_after.register
def _(step: DeleteRole, there: Observed) -> Observed:
    has_policy = there.role is not None and there.role.policy is not None
    needs(step.policy or not has_policy, step, "it has a policy")
    return replace(there, role=None)


def _with_role(step: Step, there: Observed, **changes: object) -> Observed:
    if there.role is None:
        raise Impossible(f"{step}: there is no role")
    return replace(there, role=replace(there.role, **changes))  # type: ignore[arg-type]


@step_after.register
def _(step: CreateLogGroup, there: Observed) -> Observed:
    needs(step.function not in there.log_groups, step, "it exists")
    return replace(there, log_groups={**there.log_groups, step.function: step.days})


@step_after.register
def _(step: SetLogRetention, there: Observed) -> Observed:
    needs(step.function in there.log_groups, step, "it does not exist")
    return replace(there, log_groups={**there.log_groups, step.function: step.days})


@step_after.register
def _(step: TagLogGroup, there: Observed) -> Observed:
    needs(step.function in there.log_groups, step, "it does not exist")
    return there


@step_after.register
def _(step: DeleteLogGroup, there: Observed) -> Observed:
    left = {name: days for name, days in there.log_groups.items() if name != step.function}
    return replace(there, log_groups=left)


@step_after.register
def _(step: CreateFunction, there: Observed) -> Observed:
    name, made = step.function.name, step.function.configuration
    needs(there.function(name) is None, step, "it exists")
    if there.role is None:
        raise Impossible(f"{step}: there is no role")
    needs("lambda.amazonaws.com" in there.role.trusted, step, "Lambda cannot assume the role")
    function = ObservedFunction(name, there.role.arn, None, (Version(1, made),), made)
    return replace(there, functions=(*there.functions, function))


@step_after.register
def _(step: UpdateFunctionConfiguration, there: Observed) -> Observed:
    before = _function(step, there, step.function.name).latest
    if before is None:
        raise Impossible(f"{step}: its configuration is not known")
    latest = replace(
        step.function.configuration,
        code_sha256=before.code_sha256,
        architecture=before.architecture,
    )
    return _with_function(step, there, step.function.name, latest=latest)


@step_after.register
def _(step: UpdateFunctionCode, there: Observed) -> Observed:
    before, wanted = _function(step, there, step.function.name).latest, step.function.configuration
    if before is None:
        raise Impossible(f"{step}: its configuration is not known")
    latest = replace(before, code_sha256=wanted.code_sha256, architecture=wanted.architecture)
    return _with_function(step, there, step.function.name, latest=latest)


@step_after.register
def _(step: DeleteVersion, there: Observed) -> Observed:
    function = _function(step, there, step.function)
    aliased = function.aliased | {function.live_number}
    needs(step.number not in aliased, step, "an alias points to it")
    left = tuple(each for each in function.versions if each.number != step.number)
    return _with_function(step, there, step.function, versions=left)


@step_after.register
def _(step: PublishVersion, there: Observed) -> Observed:
    """Without a change since the last version, AWS publishes none."""
    function = _function(step, there, step.function)
    latest, newest = function.latest, _newest(function)
    if latest is None:
        raise Impossible(f"{step}: its configuration is not known")
    if newest is not None and newest.configuration == latest:
        return there
    version = Version(newest.number + 1 if newest else 1, latest)
    return _with_function(step, there, step.function, versions=(*function.versions, version))


@step_after.register
def _(step: CreateAlias, there: Observed) -> Observed:
    needs(_function(step, there, step.function).live is None, step, "it exists")
    return _with_live(step, there, step.function, step.number)


@step_after.register
def _(step: MoveAlias, there: Observed) -> Observed:
    live = _function(step, there, step.function).live
    needs(live is not None and live.number == step.before, step, "the alias is not there")
    return _with_live(step, there, step.function, step.number)


def _newest(function: ObservedFunction) -> Version | None:
    return max(function.versions, key=lambda version: version.number, default=None)


def _with_live(step: Step, there: Observed, name: str, number: int | None) -> Observed:
    function = _function(step, there, name)
    version = next((each for each in function.versions if each.number == number), None)
    live = _newest(function) if number is None else version
    needs(live is not None and live.number != UNPUBLISHED, step, "there is no such version")
    return _with_function(step, there, name, live=live)


@step_after.register
def _(step: ReserveConcurrency, there: Observed) -> Observed:
    return _with_function(step, there, step.function, reserved_concurrency=step.concurrency)


@step_after.register
def _(step: TagFunction, there: Observed) -> Observed:
    _function(step, there, step.function)
    return there


@step_after.register
def _(step: AllowApi, there: Observed) -> Observed:
    function = _function(step, there, step.function)
    if there.api is None:
        raise Impossible(f"{step}: there is no API")
    needs(function.live, step, "there is no alias")
    needs(step.replace or not function.callers, step, "it exists")
    callers = there.identity.callers(there.api.id)
    return _with_function(step, there, step.function, callers=callers)


@step_after.register
def _(step: AllowUrl, there: Observed) -> Observed:
    function = _function(step, there, step.function)
    needs(function.live, step, "there is no alias")
    needs(not function.url_statements & set(step.statements), step, "it exists")
    statements = function.url_statements | set(step.statements)
    return _with_function(step, there, step.function, url_statements=statements)


@step_after.register
def _(step: CreateUrl, there: Observed) -> Observed:
    function = _function(step, there, step.function)
    needs(function.live, step, "there is no alias")
    needs(function.url is None, step, "it exists")
    return _with_function(step, there, step.function, url=url_of(step.function))


@step_after.register
def _(step: DeleteUrl, there: Observed) -> Observed:
    function = _function(step, there, step.function)
    left = function.url_statements - set(step.statements)
    url = None if step.url else function.url
    return _with_function(step, there, step.function, url=url, url_statements=left)


@step_after.register
def _(step: DeleteFunction, there: Observed) -> Observed:
    left = tuple(each for each in there.functions if each.name != step.function)
    return replace(there, functions=left)


def _function(step: Step, there: Observed, name: str) -> ObservedFunction:
    function = there.function(name)
    if function is None:
        raise Impossible(f"{step}: there is no function {name}")
    return function


def _with_function(step: Step, there: Observed, name: str, **changes: object) -> Observed:
    changed = replace(_function(step, there, name), **changes)  # type: ignore[arg-type]
    functions = tuple(changed if each.name == name else each for each in there.functions)
    return replace(there, functions=functions)
