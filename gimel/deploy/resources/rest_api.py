"""The REST API itself: found by its name and description, created and deleted.

What is in it is up to `methods`, `cors_preflights` and `gateway_responses`. Nothing of it is live
before `stage` deploys it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gimel.deploy.aws import Answer, Aws
from gimel.deploy.desired import Desired
from gimel.deploy.identity import NAME, Identity
from gimel.deploy.policies import Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.role import ROLE, recorded_tags
from gimel.deploy.resources.tags import given, retag
from gimel.errors import GimelError

DESCRIPTION = "Gimel API"
"""That of Gimel 1.5.0 too. Together with the name it distinguishes Gimel's API from others."""

PAGE = 500  # items, the most that API Gateway returns at once


@dataclass(frozen=True)
class ObservedApi:
    """The API as it is. `root` is the id of its path "/"."""

    id: str
    root: str


class RestApi(Resource[ObservedApi | None]):
    """See the module."""

    def observe(self, look: Look) -> ObservedApi | None:
        return find_api(look.aws)

    def ids(self, found: ObservedApi | None) -> dict[str, str]:
        return {"api": found.id, path_id("/"): found.root} if found else {}

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        if observed.of(self) is None:
            yield CreateApi(desired.tags, alone=observed.of(ROLE) is None)

    def tag(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        if api := observed.of(self):
            arn = {"resourceArn": observed.identity.rest_api(api.id)}
            what = f"REST API {NAME}"
            yield from retag(what, "apigateway", arn, desired.tags, recorded_tags(observed))

    def remove(self, observed: Observed) -> Iterator[Step]:
        if observed.of(self):
            yield DeleteApi()

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        kinds = ["restapis", "restapis/*"] + (["tags/*"] if desired.tags else [])
        yield api_gateway_permission(identity, *kinds)


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
    """Return Gimel's REST API, None where it does not exist.

    Raises AmbiguousApi where it cannot be distinguished from others of its name.
    """
    listed = aws.pages("apigateway", "get_rest_apis", limit=PAGE)
    named = [api for api in listed if api.get("name") == NAME]
    ours = [api for api in named if api.get("description") == DESCRIPTION]
    if len(ours) > 1:
        ids = ", ".join(api["id"] for api in ours)
        raise AmbiguousApi(
            f"Several REST APIs are named {NAME}, and any of them may be Gimel's: {ids}.",
            "Delete the one that is not in use, or rename it.",
        )
    if not ours and named:
        ids = ", ".join(api["id"] for api in named)
        raise AmbiguousApi(
            f"A REST API named {NAME} exists that was not created by Gimel: {ids}.",
            f'Rename it. If it is Gimel\'s after all, set its description to "{DESCRIPTION}".',
        )
    return ObservedApi(ours[0]["id"], ours[0].get("rootResourceId", "")) if ours else None


def path_id(path: str) -> str:
    """Return under which name a run keeps the id of a path, which begins with a slash."""
    return f"path {path}"


@dataclass(frozen=True)
class CreateApi(Step):
    """Create the API. `alone` says that no other deploy can be doing the same.

    Only one of two first deploys can create the role.
    """

    tags: Mapping[str, str]
    alone: bool = True

    def __str__(self) -> str:
        return f"Create the REST API {NAME}"

    def perform(self, run: Run) -> None:
        def created() -> Answer | None:
            found = find_api(run.aws)
            return {"id": found.id, "rootResourceId": found.root} if found else None

        answer = run.aws.create(
            "apigateway",
            "create_rest_api",
            created,
            name=NAME,
            description=DESCRIPTION,
            endpointConfiguration={"types": ["REGIONAL"]},
            **given(tags=dict(self.tags)),
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
            f"Another deploy created the REST API {NAME} at the same time.",
            "Wait until it has finished.",
        ) from None


@dataclass(frozen=True)
class DeleteApi(Step):
    destructive = True

    def __str__(self) -> str:
        return f"Delete the REST API {NAME}"

    def perform(self, run: Run) -> None:
        run.aws.find("apigateway", "delete_rest_api", restApiId=run.ids["api"])
