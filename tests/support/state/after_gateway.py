"""What exists after a step on the REST API, its key or its usage plan."""

from __future__ import annotations

from dataclasses import replace

from tests.support.state.after_base import Impossible, needs, step_after
from tests.support.state.cloud import (
    KEY,
    OUR_STAGE,
    RESPONSES,
    Api,
    Method,
    State,
    UsagePlan,
    cors_answer,
    proxy,
)
from tests.support.state.names import (
    AddKeyToPlan,
    AddStageToPlan,
    CreateApi,
    CreateKey,
    CreateResource,
    CreateUsagePlan,
    DeleteApi,
    DeleteKey,
    DeleteMethod,
    DeleteResource,
    DeleteUsagePlan,
    DeployApi,
    EnableKey,
    MarkKey,
    PutCorsPreflight,
    PutGatewayResponse,
    PutMethod,
    RemoveStagesFromPlan,
    SetThrottle,
    Step,
)


@step_after.register
def _(step: CreateApi, there: State) -> State:
    needs(there.api is None, step, "it exists")
    return replace(there, api=Api(tags=dict(step.tags)))


@step_after.register
def _(step: CreateResource, there: State) -> State:
    paths = _api(step, there).paths
    needs(step.path not in paths, step, "it exists")
    return _with_api(step, there, paths=paths | {step.path})


@step_after.register
def _(step: DeleteResource, there: State) -> State:
    """What is below a path goes with it."""
    api = _api(step, there)
    needs(step.path in api.paths, step, "it does not exist")
    gone = {each for each in api.paths if each == step.path or each.startswith(f"{step.path}/")}
    methods = {each: api.methods[each] for each in api.methods if each[0] not in gone}
    return _with_api(step, there, paths=api.paths - gone, methods=methods)


@step_after.register
def _(step: PutMethod, there: State) -> State:
    which = (step.route.path, step.route.method)
    return _with_method(step, there, which, proxy(step.route, there.place), step.replace)


@step_after.register
def _(step: PutCorsPreflight, there: State) -> State:
    which = (step.preflight.path, "OPTIONS")
    answer = Method(answer=cors_answer(step.preflight.methods))
    return _with_method(step, there, which, answer, step.replace)


def _with_method(
    step: Step, there: State, which: tuple[str, str], method: Method, again: bool
) -> State:
    api = _api(step, there)
    needs(which[0] in api.paths, step, "there is no such path")
    needs(again or which not in api.methods, step, "it exists")
    return _with_api(step, there, methods={**api.methods, which: method})


@step_after.register
def _(step: DeleteMethod, there: State) -> State:
    api, gone = _api(step, there), (step.path, step.method)
    needs(gone in api.methods, step, "it does not exist")
    left = {each: api.methods[each] for each in api.methods if each != gone}
    return _with_api(step, there, methods=left)


@step_after.register
def _(step: PutGatewayResponse, there: State) -> State:
    responses = {**_api(step, there).responses, step.kind: RESPONSES[step.kind]}
    return _with_api(step, there, responses=responses)


@step_after.register
def _(step: DeployApi, there: State) -> State:
    needs(_api(step, there).methods, step, "it has no method")
    return _with_api(step, there, deployed=step.description)


@step_after.register
def _(step: SetThrottle, there: State) -> State:
    _needs_stage(step, there)
    return _with_api(step, there, rate=step.rate, burst=step.burst)


@step_after.register
def _(step: DeleteApi, there: State) -> State:
    _api(step, there)
    has_stage = there.plan is not None and OUR_STAGE in there.plan.stages
    needs(not has_stage, step, "a usage plan has its stage")
    return replace(there, api=None)


def _api(step: Step, there: State) -> Api:
    if there.api is None:
        raise Impossible(f"{step}: there is no API")
    return there.api


def _needs_stage(step: Step, there: State) -> None:
    needs(_api(step, there).deployed is not None, step, "there is no stage")


def _with_api(step: Step, there: State, **changes: object) -> State:
    api = replace(_api(step, there), **changes)  # type: ignore[arg-type]
    return replace(there, api=api)


@step_after.register
def _(step: CreateKey, there: State) -> State:
    needs(there.key is None, step, "it exists")
    return replace(there, key=True, key_is_marked=True)


@step_after.register
def _(step: EnableKey, there: State) -> State:
    _needs_key(step, there)
    return replace(there, key=True)


@step_after.register
def _(step: MarkKey, there: State) -> State:
    _needs_key(step, there)
    return replace(there, key_is_marked=True)


@step_after.register
def _(step: DeleteKey, there: State) -> State:
    """A usage plan forgets a key that is deleted."""
    _needs_key(step, there)
    plan = there.plan
    if plan is not None:
        plan = replace(plan, keys=plan.keys - {KEY})
    return replace(there, key=None, key_is_marked=True, plan=plan)


def _needs_key(step: Step, there: State) -> None:
    needs(there.key is not None, step, "there is no key")


@step_after.register
def _(step: CreateUsagePlan, there: State) -> State:
    needs(there.plan is None, step, "it exists")
    _needs_stage(step, there)
    return replace(there, plan=UsagePlan(stages=frozenset({OUR_STAGE})))


@step_after.register
def _(step: AddStageToPlan, there: State) -> State:
    plan = _plan(step, there)
    _needs_stage(step, there)
    return replace(there, plan=replace(plan, stages=plan.stages | {OUR_STAGE}))


@step_after.register
def _(step: AddKeyToPlan, there: State) -> State:
    plan = _plan(step, there)
    _needs_key(step, there)
    needs(KEY not in plan.keys, step, "it has the key")
    return replace(there, plan=replace(plan, keys=plan.keys | {KEY}))


@step_after.register
def _(step: RemoveStagesFromPlan, there: State) -> State:
    plan = _plan(step, there)
    needs(set(step.stages) <= plan.stages, step, "it does not have the stage")
    return replace(there, plan=replace(plan, stages=plan.stages - set(step.stages)))


@step_after.register
def _(step: DeleteUsagePlan, there: State) -> State:
    needs(not _plan(step, there).stages, step, "it has stages")
    return replace(there, plan=None)


def _plan(step: Step, there: State) -> UsagePlan:
    if there.plan is None:
        raise Impossible(f"{step}: there is no usage plan")
    return there.plan
