"""The stage of the REST API: what is deployed to it, and how many requests it takes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from gimel.deploy.desired import Desired
from gimel.deploy.identity import STAGE, Identity
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.cors_preflights import cors_preflights
from gimel.deploy.resources.gateway_responses import HEADERS, KINDS
from gimel.deploy.resources.rest_api import REST_API


@dataclass(frozen=True)
class ObservedStage:
    """The stage as it is.

    `deployment` is the description of what it serves. The throttle of each method is in requests
    per second, and in requests at once; None where it is not set.
    """

    deployment: str | None
    throttle_rate: float | None
    throttle_burst: int | None


class Stage(Resource[ObservedStage | None]):
    """See the module."""

    def observe(self, look: Look) -> ObservedStage | None:
        api = look.of(REST_API)
        if api is None:
            return None
        stage = look.aws.find("apigateway", "get_stage", restApiId=api.id, stageName=STAGE)
        if stage is None:
            return None
        deployment = None
        if stage.get("deploymentId"):
            which = {"restApiId": api.id, "deploymentId": stage["deploymentId"]}
            deployment = look.aws.find("apigateway", "get_deployment", **which)
        throttle = (stage.get("methodSettings") or {}).get("*/*", {})
        return ObservedStage(
            deployment=deployment.get("description", "") if deployment else None,
            throttle_rate=throttle.get("throttlingRateLimit"),
            throttle_burst=throttle.get("throttlingBurstLimit"),
        )

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        stage = observed.of(self)
        description = deployment_description(desired, observed.identity)
        if stage is None or stage.deployment != description:
            yield DeployApi(description)
        throttle = desired.config.document.aws.throttle
        wanted = (throttle.rate, throttle.burst)
        if stage is None or (stage.throttle_rate, stage.throttle_burst) != wanted:
            yield SetThrottle(*wanted)


STAGE_OF_API = Stage()


def deployment_description(desired: Desired, identity: Identity) -> str:
    """Return a description with a hash of everything that a deployment makes live.

    A stage that serves a deployment of this description serves what is desired.
    """
    routes = [
        [
            route.path,
            route.method,
            route.api_key_required,
            route.parameters,
            identity.alias(route.function),
        ]
        for route in desired.config.wiring.routes
    ]
    preflights = [[each.path, each.response_parameters()] for each in cors_preflights(desired)]
    content = json.dumps([routes, preflights, [KINDS, HEADERS]], sort_keys=True)
    return f"gimel {hashlib.sha256(content.encode()).hexdigest()[:20]}"


@dataclass(frozen=True)
class DeployApi(Step):
    """Make the methods of the API live."""

    description: str

    def __str__(self) -> str:
        return f"Deploy the REST API to the stage {STAGE}"

    def perform(self, run: Run) -> None:
        which = {"restApiId": run.ids["api"], "stageName": STAGE}
        run.aws.call("apigateway", "create_deployment", **which, description=self.description)


@dataclass(frozen=True)
class SetThrottle(Step):
    rate: float
    burst: int

    def __str__(self) -> str:
        return f"Throttle each method to {self.rate:.15g} requests per second, burst {self.burst}"

    def perform(self, run: Run) -> None:
        values = {"rateLimit": f"{self.rate:.15g}", "burstLimit": str(self.burst)}
        patch = [
            {"op": "replace", "path": f"/*/*/throttling/{name}", "value": values[name]}
            for name in values
        ]
        which = {"restApiId": run.ids["api"], "stageName": STAGE}
        run.aws.call("apigateway", "update_stage", **which, patchOperations=patch)
