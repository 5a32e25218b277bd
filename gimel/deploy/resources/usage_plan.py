"""The usage plan, without which an API key opens nothing: it joins the key and the stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gimel.deploy.aws import Answer
from gimel.deploy.desired import Desired
from gimel.deploy.identity import STAGE, Identity
from gimel.deploy.policies import Permission
from gimel.deploy.resources.api_key import API_KEY
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.rest_api import (
    PAGE,
    REST_API,
    api_gateway_permission,
    is_marked,
)
from gimel.deploy.resources.tags import marked


@dataclass(frozen=True)
class ObservedPlan:
    """A usage plan. `ours` says that Gimel made it.

    `stages` are in the form "api:stage", `keys` are the ids of its API keys.
    """

    id: str
    ours: bool
    stages: tuple[str, ...]
    keys: tuple[str, ...] = ()


class UsagePlan(Resource[ObservedPlan | None]):
    """Observed is the plan that covers the stage, else the one that Gimel made."""

    def observe(self, look: Look) -> ObservedPlan | None:
        """Among several that cover the stage, prefer one that has the key."""
        api, key = look.of(REST_API), look.of(API_KEY)
        stage = f"{api.id}:{STAGE}" if api else ""
        complete: list[ObservedPlan] = []
        for plan in _candidates(look, stage):
            listed = look.aws.pages(
                "apigateway", "get_usage_plan_keys", usagePlanId=plan.id, limit=PAGE
            )
            keys = tuple(each["id"] for each in listed)
            complete.append(ObservedPlan(plan.id, plan.ours, plan.stages, keys))
            if stage in plan.stages and key is not None and key.id in keys:
                return complete[-1]
        return complete[0] if complete else None

    def ids(self, found: ObservedPlan | None) -> dict[str, str]:
        return {"usage plan": found.id} if found else {}

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        plan, key, api = observed.of(self), observed.of(API_KEY), observed.of(REST_API)
        if plan is None:
            yield CreateUsagePlan(observed.identity.name)
        elif api is None or f"{api.id}:{STAGE}" not in plan.stages:
            yield AddStageToPlan()
        if plan is None or key is None or key.id not in plan.keys:
            yield AddKeyToPlan(observed.identity.name)

    def remove(self, observed: Observed) -> Iterator[Step]:
        """A plan of another name loses the stage of Gimel's API, and nothing else."""
        plan, api = observed.of(self), observed.of(REST_API)
        if plan is None:
            return
        own = f"{api.id}:{STAGE}" if api else None
        stages = tuple(stage for stage in plan.stages if plan.ours or stage == own)
        if stages:
            yield RemoveStagesFromPlan(stages)
        if plan.ours:
            yield DeleteUsagePlan(observed.identity.name)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        yield api_gateway_permission(identity, "usageplans", "usageplans/*")


USAGE_PLAN = UsagePlan()


def _candidates(look: Look, stage: str) -> list[ObservedPlan]:
    """Return the plans that cover the stage or that Gimel made, the best ones first."""
    plans, named = [], []
    for answer in look.aws.pages("apigateway", "get_usage_plans", limit=PAGE):
        stages = tuple(f"{each['apiId']}:{each['stage']}" for each in answer.get("apiStages") or [])
        ours = is_marked(answer, look.identity.deployment)
        if ours or stage in stages:
            plans.append(ObservedPlan(answer["id"], ours, stages))
        elif answer.get("name") == look.identity.name:
            named.append(f"the usage plan {answer['name']} with the id {answer['id']}")
    if not plans:
        look.foreign += named
    return sorted(plans, key=lambda plan: (stage not in plan.stages, not plan.ours))


@dataclass(frozen=True)
class CreateUsagePlan(Step):
    name: str

    def __str__(self) -> str:
        return f"Create the usage plan {self.name} (API keys require one)"

    def perform(self, run: Run) -> None:
        def created() -> Answer | None:
            plans = run.aws.pages("apigateway", "get_usage_plans", limit=PAGE)
            return next((plan for plan in plans if is_marked(plan, run.identity.deployment)), None)

        stages = [{"apiId": run.ids["api"], "stage": STAGE}]
        parameters = {"name": self.name, "apiStages": stages, "tags": marked(self.name, {})}
        plan = run.aws.create("apigateway", "create_usage_plan", created, **parameters)
        run.ids["usage plan"] = plan["id"]


@dataclass(frozen=True)
class AddStageToPlan(Step):
    def __str__(self) -> str:
        return "Add the stage to the usage plan"

    def perform(self, run: Run) -> None:
        stage = f"{run.ids['api']}:{STAGE}"
        patch = [{"op": "add", "path": "/apiStages", "value": stage}]
        plan = {"usagePlanId": run.ids["usage plan"]}
        run.aws.call("apigateway", "update_usage_plan", **plan, patchOperations=patch)


@dataclass(frozen=True)
class AddKeyToPlan(Step):
    name: str

    def __str__(self) -> str:
        return f"Add the API key {self.name} to the usage plan"

    def perform(self, run: Run) -> None:
        which = {"usagePlanId": run.ids["usage plan"], "keyId": run.ids["key"]}
        run.aws.call("apigateway", "create_usage_plan_key", **which, keyType="API_KEY")


@dataclass(frozen=True)
class RemoveStagesFromPlan(Step):
    """Remove stages from the plan, which cannot be deleted while it has any."""

    stages: tuple[str, ...]

    def __str__(self) -> str:
        return f"Remove the stage{'s' if len(self.stages) > 1 else ''} from the usage plan"

    def perform(self, run: Run) -> None:
        # All in one call: AWS accepts one in 20 seconds.
        patch = [{"op": "remove", "path": "/apiStages", "value": each} for each in self.stages]
        plan = {"usagePlanId": run.ids["usage plan"]}
        run.aws.find("apigateway", "update_usage_plan", **plan, patchOperations=patch)


@dataclass(frozen=True)
class DeleteUsagePlan(Step):
    destructive = True

    name: str

    def __str__(self) -> str:
        return f"Delete the usage plan {self.name}"

    def perform(self, run: Run) -> None:
        run.aws.find("apigateway", "delete_usage_plan", usagePlanId=run.ids["usage plan"])
