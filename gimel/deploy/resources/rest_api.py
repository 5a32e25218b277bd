"""The REST API itself: found by its name and description, created and deleted.

What is in it is up to `methods`, `cors_preflights` and `gateway_responses`. Nothing of it is live
before `stage` deploys it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gimel.deploy.aws import Answer, Aws
from gimel.deploy.desired import Desired
from gimel.deploy.identity import Deployment, Identity
from gimel.deploy.policies import Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.role import ROLE
from gimel.deploy.resources.tags import MARK, marked
from gimel.errors import GimelError

DESCRIPTION = "Gimel API"
"""That of Gimel 1.5.0 too, by which its API, which has no tags, is recognized."""

PAGE = 500  # items, the most that API Gateway returns at once


@dataclass(frozen=True)
class ObservedApi:
    """The API as it is. `root` is the id of its path "/". `is_marked` if it has Gimel's tag."""

    id: str
    root: str
    is_marked: bool = True


class RestApi(Resource[ObservedApi | None]):
    """See the module."""

    def observe(self, look: Look) -> ObservedApi | None:
        ours, foreign = _find(look.aws)
        look.foreign += [
            f"the REST API {each['name']} with the id {each['id']}" for each in foreign
        ]
        return ours

    def ids(self, found: ObservedApi | None) -> dict[str, str]:
        return {"api": found.id, path_id("/"): found.root} if found else {}

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        if observed.of(self) is None:
            name = observed.identity.name
            tags = marked(name, desired.tags)
            yield CreateApi(name, tags, alone=observed.of(ROLE) is None)

    def remove(self, observed: Observed) -> Iterator[Step]:
        if observed.of(self):
            yield DeleteApi(observed.identity.name)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        yield api_gateway_permission(identity, "restapis", "restapis/*", "tags/*")


REST_API = RestApi()


def api_gateway_permission(identity: Identity, *kinds: str) -> Permission:
    """Return the permission for API Gateway's resources of these kinds."""
    arn = f"arn:{identity.partition}:apigateway:{identity.region}::"
    verbs = ("DELETE", "GET", "PATCH", "POST", "PUT")
    actions = tuple(f"apigateway:{verb}" for verb in verbs)
    return Permission("Api", actions, tuple(f"{arn}/{kind}" for kind in kinds))


class AmbiguousApi(GimelError):
    """Which REST API is Gimel's cannot be decided."""


def find_api(aws: Aws) -> ObservedApi | None:
    """Return Gimel's REST API, None where it does not exist. Raises AmbiguousApi."""
    return _find(aws)[0]


def _find(aws: Aws) -> tuple[ObservedApi | None, list[Answer]]:
    """Return Gimel's REST API, and others of its name if it does not exist.

    Raises AmbiguousApi where it cannot be distinguished from others of its name.
    """
    deployment = aws.deployment
    listed = aws.pages("apigateway", "get_rest_apis", limit=PAGE)
    named = [api for api in listed if api.get("name") == deployment.name]
    ours = [api for api in named if is_marked(api, deployment)]
    ours = ours or [api for api in named if _is_like_1_5_0(api, deployment)]
    if len(ours) > 1:
        ids = ", ".join(api["id"] for api in ours)
        raise AmbiguousApi(
            f"Several REST APIs are named {deployment.name}, and any of them may be Gimel's: "
            f"{ids}.",
            "Delete the one that is not in use, or rename it.",
        )
    if not ours:
        return None, named
    (api,) = ours
    root, has_mark = api.get("rootResourceId", ""), is_marked(api, deployment)
    return ObservedApi(api["id"], root, has_mark), []


def is_marked(answer: Answer, deployment: Deployment) -> bool:
    """Return whether something has the tag of a deployment."""
    tags = answer.get("tags") or {}
    return bool(tags.get(MARK) == deployment.name)


def _is_like_1_5_0(api: Answer, deployment: Deployment) -> bool:
    unmarked = MARK not in (api.get("tags") or {})
    return deployment.is_default and unmarked and api.get("description") == DESCRIPTION


def path_id(path: str) -> str:
    """Return under which name a run keeps the id of a path, which begins with a slash."""
    return f"path {path}"


@dataclass(frozen=True)
class CreateApi(Step):
    """Create the API. `alone` says that no other deploy can be doing the same.

    Only one of two first deploys can create the role.
    """

    name: str
    tags: Mapping[str, str]
    alone: bool = True

    def __str__(self) -> str:
        return f"Create the REST API {self.name}"

    def perform(self, run: Run) -> None:
        def created() -> Answer | None:
            found = find_api(run.aws)
            return {"id": found.id, "rootResourceId": found.root} if found else None

        answer = run.aws.create(
            "apigateway",
            "create_rest_api",
            created,
            name=self.name,
            description=DESCRIPTION,
            endpointConfiguration={"types": ["REGIONAL"]},
            tags=dict(self.tags),
        )
        if not self.alone:
            _check_single(run, answer["id"])
        run.ids["api"] = answer["id"]
        run.ids[path_id("/")] = answer["rootResourceId"]


def _check_single(run: Run, created: str) -> None:
    """Let one of two simultaneous deploys delete its API again: only one can be Gimel's."""
    try:
        find_api(run.aws)
    except AmbiguousApi:
        run.aws.find("apigateway", "delete_rest_api", restApiId=created)
        raise GimelError(
            "Another deploy created the REST API at the same time.",
            "Wait until it has finished.",
        ) from None


@dataclass(frozen=True)
class DeleteApi(Step):
    destructive = True

    name: str

    def __str__(self) -> str:
        return f"Delete the REST API {self.name}"

    def perform(self, run: Run) -> None:
        run.aws.find("apigateway", "delete_rest_api", restApiId=run.ids["api"])
