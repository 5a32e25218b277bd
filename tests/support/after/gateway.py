"""What exists after a step on the REST API, its key or its usage plan."""

from __future__ import annotations

from dataclasses import replace

from tests.support.after.base import Impossible, needs, step_after
from tests.support.model import (
    GATEWAY_RESPONSE_PARAMETERS,
    STAGE,
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
    Observed,
    ObservedApi,
    ObservedKey,
    ObservedMethod,
    ObservedPlan,
    PutGatewayResponse,
    PutMethod,
    PutPreflight,
    RemoveStagesFromPlan,
    SetThrottle,
    Step,
    TagApi,
)
from tests.support.state import API, KEY, KEY_VALUE, PLAN, method_of, preflight_method


@step_after.register
def _(step: CreateApi, there: Observed) -> Observed:
    needs(there.api is None, step, "it exists")
    api = ObservedApi(API, "root", {"/": "root"}, (), {}, None, False, None, None)
    return replace(there, api=api)


@step_after.register
def _(step: TagApi, there: Observed) -> Observed:
    _api(step, there)
    return there


@step_after.register
def _(step: CreateResource, there: Observed) -> Observed:
    resources = _api(step, there).resources
    needs(f"/{step.path}" not in resources, step, "it exists")
    return _with_api(step, there, resources={**resources, f"/{step.path}": f"{step.path}-id"})


@step_after.register
def _(step: DeleteResource, there: Observed) -> Observed:
    """What is below a path goes with it."""
    api, path = _api(step, there), f"/{step.path}"
    needs(path in api.resources, step, "it does not exist")
    gone = {each for each in api.resources if each == path or each.startswith(f"{path}/")}
    return _with_api(
        step,
        there,
        resources={each: api.resources[each] for each in api.resources if each not in gone},
        methods=tuple(each for each in api.methods if f"/{each.path}" not in gone),
    )


@step_after.register
def _(step: PutMethod, there: Observed) -> Observed:
    return _with_method(step, there, method_of(step.route, there.identity), step.replace)


@step_after.register
def _(step: PutPreflight, there: Observed) -> Observed:
    return _with_method(step, there, preflight_method(step.preflight), step.replace)


def _with_method(step: Step, there: Observed, method: ObservedMethod, again: bool) -> Observed:
    api = _api(step, there)
    before = api.method(method.path, method.method)
    needs(f"/{method.path}" in api.resources, step, "there is no such path")
    needs(again or before is None, step, "it exists")
    methods = (*(each for each in api.methods if each != before), method)
    return _with_api(step, there, methods=methods)


@step_after.register
def _(step: DeleteMethod, there: Observed) -> Observed:
    api = _api(step, there)
    needs(f"/{step.path}" in api.resources, step, "there is no such path")
    before = api.method(step.path, step.method)
    return _with_api(step, there, methods=tuple(each for each in api.methods if each != before))


@step_after.register
def _(step: PutGatewayResponse, there: Observed) -> Observed:
    responses = {
        **_api(step, there).gateway_responses,
        step.kind: GATEWAY_RESPONSE_PARAMETERS,
    }
    return _with_api(step, there, gateway_responses=responses)


@step_after.register
def _(step: DeployApi, there: Observed) -> Observed:
    needs(_api(step, there).methods, step, "it has no method")
    return _with_api(step, there, deployed=step.description, stage=True)


@step_after.register
def _(step: SetThrottle, there: Observed) -> Observed:
    needs(_api(step, there).stage, step, "there is no stage")
    return _with_api(step, there, throttle_rate=step.rate, throttle_burst=step.burst)


@step_after.register
def _(step: DeleteApi, there: Observed) -> Observed:
    api = _api(step, there)
    stage = f"{api.id}:{STAGE}"
    needs(there.plan is None or stage not in there.plan.stages, step, "a usage plan has its stage")
    return replace(there, api=None)


def _api(step: Step, there: Observed) -> ObservedApi:
    if there.api is None:
        raise Impossible(f"{step}: there is no API")
    return there.api


def _with_api(step: Step, there: Observed, **changes: object) -> Observed:
    api = replace(_api(step, there), **changes)  # type: ignore[arg-type]
    return replace(there, api=api)


@step_after.register
def _(step: CreateKey, there: Observed) -> Observed:
    needs(there.key is None, step, "it exists")
    return replace(there, key=ObservedKey(KEY, KEY_VALUE, enabled=True))


@step_after.register
def _(step: EnableKey, there: Observed) -> Observed:
    return replace(there, key=replace(_key(step, there), enabled=True))


@step_after.register
def _(step: DeleteKey, there: Observed) -> Observed:
    """A usage plan forgets a key that is deleted."""
    key = _key(step, there)
    plan = there.plan
    if plan is not None:
        plan = replace(plan, keys=tuple(each for each in plan.keys if each != key.id))
    return replace(there, key=None, plan=plan)


def _key(step: Step, there: Observed) -> ObservedKey:
    if there.key is None:
        raise Impossible(f"{step}: there is no key")
    return there.key


@step_after.register
def _(step: CreateUsagePlan, there: Observed) -> Observed:
    needs(there.plan is None, step, "it exists")
    return replace(there, plan=ObservedPlan(PLAN, True, (_stage(step, there),), ()))


@step_after.register
def _(step: AddStageToPlan, there: Observed) -> Observed:
    plan = _plan(step, there)
    return replace(there, plan=replace(plan, stages=(*plan.stages, _stage(step, there))))


@step_after.register
def _(step: AddKeyToPlan, there: Observed) -> Observed:
    plan, key = _plan(step, there), _key(step, there)
    needs(key.id not in plan.keys, step, "it has the key")
    return replace(there, plan=replace(plan, keys=(*plan.keys, key.id)))


@step_after.register
def _(step: RemoveStagesFromPlan, there: Observed) -> Observed:
    plan = _plan(step, there)
    needs(set(step.stages) <= set(plan.stages), step, "it does not have the stage")
    left = tuple(each for each in plan.stages if each not in step.stages)
    return replace(there, plan=replace(plan, stages=left))


@step_after.register
def _(step: DeleteUsagePlan, there: Observed) -> Observed:
    needs(not _plan(step, there).stages, step, "it has stages")
    return replace(there, plan=None)


def _plan(step: Step, there: Observed) -> ObservedPlan:
    if there.plan is None:
        raise Impossible(f"{step}: there is no usage plan")
    return there.plan


def _stage(step: Step, there: Observed) -> str:
    needs(_api(step, there).stage, step, "there is no stage")
    return f"{_api(step, there).id}:{STAGE}"
