"""What exists after a step on the role, the log groups or the functions."""

from __future__ import annotations

from dataclasses import replace

from gimel.deploy.history import NO_HISTORY, History
from tests.support.state.after_base import Impossible, needs, step_after
from tests.support.state.cloud import (
    API,
    LAMBDA,
    LATEST,
    Function,
    LogGroup,
    Role,
    State,
    url_of,
)
from tests.support.state.names import (
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
    DeleteRolePolicy,
    DeleteUrl,
    DeleteVersion,
    Deploy,
    DisallowApi,
    DisallowUrl,
    LeaveRole,
    MoveAlias,
    MoveBack,
    Publication,
    PublishVersion,
    PutRolePolicy,
    ReserveConcurrency,
    SetBoundary,
    SetLogRetention,
    Step,
    TrustLambda,
    TryVersions,
    UpdateFunctionCode,
    UpdateFunctionConfiguration,
)


@step_after.register
def _(step: CreateRole, there: State) -> State:
    needs(there.role is None, step, "it exists")
    role = Role(there.place.role, tags=dict(step.tags), boundary=step.boundary)
    return replace(there, role=role)


@step_after.register
def _(step: SetBoundary, there: State) -> State:
    return replace(there, role=replace(_role(step, there), boundary=step.boundary))


@step_after.register
def _(step: TrustLambda, there: State) -> State:
    return replace(there, role=replace(_role(step, there), trusted=frozenset({LAMBDA})))


@step_after.register
def _(step: PutRolePolicy, there: State) -> State:
    return replace(there, role=replace(_role(step, there), policy=step.policy))


@step_after.register
def _(step: LeaveRole, there: State) -> State:
    return replace(there, role=replace(_role(step, there), policy=step.policy))


@step_after.register
def _(step: DeleteRolePolicy, there: State) -> State:
    return replace(there, role=replace(_role(step, there), policy=None))


@step_after.register
def _(step: DeleteRole, there: State) -> State:
    needs(_role(step, there).policy is None, step, "it has a policy")
    return replace(there, role=None)


def _role(step: Step, there: State) -> Role:
    if there.role is None:
        raise Impossible(f"{step}: there is no role")
    return there.role


@step_after.register
def _(step: CreateLogGroup, there: State) -> State:
    needs(step.function not in there.log_groups, step, "it exists")
    return _with_log_group(there, step.function, LogGroup(step.days, dict(step.tags)))


@step_after.register
def _(step: SetLogRetention, there: State) -> State:
    group = _log_group(step, there, step.function)
    return _with_log_group(there, step.function, replace(group, days=step.days))


@step_after.register
def _(step: DeleteLogGroup, there: State) -> State:
    left = {name: there.log_groups[name] for name in there.log_groups if name != step.function}
    return replace(there, log_groups=left)


def _log_group(step: Step, there: State, name: str) -> LogGroup:
    needs(name in there.log_groups, step, "it does not exist")
    return there.log_groups[name]


def _with_log_group(there: State, name: str, group: LogGroup) -> State:
    return replace(there, log_groups={**there.log_groups, name: group})


@step_after.register
def _(step: CreateFunction, there: State) -> State:
    name, made = step.function.name, step.function.configuration
    needs(name not in there.functions, step, "it exists")
    role = there.place.given_role
    if role is None:
        needs(LAMBDA in _role(step, there).trusted, step, "Lambda cannot assume the role")
        role = _role(step, there).arn
    described = {1: publication(step.deploy, "created")}
    function = Function(role, made, {1: made}, described=described, tags=dict(step.tags))
    return replace(there, functions={**there.functions, name: function})


@step_after.register
def _(step: UpdateFunctionConfiguration, there: State) -> State:
    before = function_of(step, there, step.function.name).latest
    latest = replace(
        step.function.configuration,
        code_sha256=before.code_sha256,
        architecture=before.architecture,
    )
    return with_function(step, there, step.function.name, latest=latest)


@step_after.register
def _(step: UpdateFunctionCode, there: State) -> State:
    before, wanted = (
        function_of(step, there, step.function.name).latest,
        step.function.configuration,
    )
    code, architecture = wanted.code_sha256, wanted.architecture
    latest = replace(before, code_sha256=code, architecture=architecture)
    return with_function(step, there, step.function.name, latest=latest)


@step_after.register
def _(step: DeleteVersion, there: State) -> State:
    function = function_of(step, there, step.function)
    needs(step.number in function.versions, step, "it does not exist")
    needs(step.number not in {*function.theirs, function.live}, step, "an alias points to it")
    versions, described = (
        {each: by_number[each] for each in by_number if each != step.number}
        for by_number in (function.versions, function.described)
    )
    last = _last(function)
    return with_function(
        step, there, step.function, versions=versions, described=described, last=last
    )


def _last(function: Function) -> int:
    return max((function.last, *function.versions))


@step_after.register
def _(step: PublishVersion, there: State) -> State:
    """AWS publishes nothing where nothing changed since the newest version."""
    function = function_of(step, there, step.function)
    newest, number = max(function.versions, default=LATEST), _last(function) + 1
    if function.versions.get(newest) == function.latest:
        return there
    versions = {**function.versions, number: function.latest}
    described = {**function.described, number: publication(step.deploy, step.changes)}
    return with_function(step, there, step.function, versions=versions, described=described)


@step_after.register
def _(step: CreateAlias, there: State) -> State:
    needs(function_of(step, there, step.function).live is None, step, "it exists")
    return _with_live(step, there, step.function, step.number, NO_HISTORY, step.deploy)


@step_after.register
def _(step: MoveAlias, there: State) -> State:
    live = function_of(step, there, step.function).live
    needs(live == step.before, step, "the alias points elsewhere")
    return _with_live(step, there, step.function, step.number, step.earlier, step.deploy)


@step_after.register
def _(step: MoveBack, there: State) -> State:
    function = function_of(step, there, step.function)
    needs(step.number in function.versions, step, "there is no such version")
    return with_function(step, there, step.function, live=step.number, history=step.to.describe())


@step_after.register
def _(step: TryVersions, there: State) -> State:
    for trial in step.trials:
        function = function_of(step, there, trial.function)
        possible = set(function.versions) if trial.number is None else {trial.number}
        needs(possible and possible <= set(function.versions), step, "there is no such version")
    return there


def _with_live(
    step: Step, there: State, name: str, number: int | None, earlier: History, deploy: Deploy
) -> State:
    versions = function_of(step, there, name).versions
    live = max(versions, default=LATEST) if number is None else number
    needs(live in versions, step, "there is no such version")
    history = earlier.after(deploy, live, "")
    return with_function(step, there, name, live=live, history=history.describe())


def publication(deploy: Deploy, changes: str) -> str:
    """Return the description of a version that the operator's deploy publishes."""
    return Publication(deploy, "user/operator", changes).describe()


@step_after.register
def _(step: ReserveConcurrency, there: State) -> State:
    return with_function(step, there, step.function, reserved=step.concurrency)


@step_after.register
def _(step: AllowApi, there: State) -> State:
    """A permission that exists already is found out by the call, and replaced."""
    function = function_of(step, there, step.function)
    needs(there.api, step, "there is no API")
    needs(function.live is not None, step, "there is no alias")
    return with_function(step, there, step.function, callers=there.place.callers(API))


@step_after.register
def _(step: AllowUrl, there: State) -> State:
    function = function_of(step, there, step.function)
    needs(function.live is not None, step, "there is no alias")
    statements = function.url_statements | set(step.statements)
    return with_function(step, there, step.function, url_statements=statements)


@step_after.register
def _(step: CreateUrl, there: State) -> State:
    function = function_of(step, there, step.function)
    needs(function.live is not None, step, "there is no alias")
    needs(function.url is None, step, "it exists")
    return with_function(step, there, step.function, url=url_of(step.function))


@step_after.register
def _(step: DeleteUrl, there: State) -> State:
    function = function_of(step, there, step.function)
    needs(function.url is not None, step, "it does not exist")
    return with_function(step, there, step.function, url=None)


@step_after.register
def _(step: DisallowUrl, there: State) -> State:
    function = function_of(step, there, step.function)
    needs(set(step.statements) <= function.url_statements, step, "it does not exist")
    left = function.url_statements - set(step.statements)
    return with_function(step, there, step.function, url_statements=left)


@step_after.register
def _(step: DisallowApi, there: State) -> State:
    needs(function_of(step, there, step.function).callers is not None, step, "it does not exist")
    return with_function(step, there, step.function, callers=None)


@step_after.register
def _(step: DeleteFunction, there: State) -> State:
    function_of(step, there, step.function)
    left = {name: there.functions[name] for name in there.functions if name != step.function}
    return replace(there, functions=left)


def function_of(step: Step, there: State, name: str) -> Function:
    """Return a function. Raises Impossible where it does not exist."""
    needs(name in there.functions, step, "there is no such function")
    return there.functions[name]


def with_function(step: Step, there: State, name: str, **changes: object) -> State:
    """Return the account with a changed function."""
    changed = replace(function_of(step, there, name), **changes)  # type: ignore[arg-type]
    return replace(there, functions={**there.functions, name: changed})
