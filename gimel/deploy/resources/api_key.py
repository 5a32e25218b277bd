"""The API key, which the routes that read and delete require."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gimel.deploy.aws import Answer, Aws
from gimel.deploy.desired import Desired
from gimel.deploy.identity import STAGE, Identity
from gimel.deploy.policies import Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.rest_api import (
    PAGE,
    REST_API,
    ObservedApi,
    api_gateway_permission,
    is_marked,
)
from gimel.deploy.resources.tag_record import TAG_RECORD
from gimel.deploy.resources.tags import MARK, marked

DESCRIPTION = "The API key of Gimel"
"""Marks a key of 1.5.0 that was taken over, whose own description is empty."""


@dataclass(frozen=True)
class ObservedKey:
    """The key as it is. `value` is what a caller sends. `is_marked` if it is known as Gimel's.

    `has_others` if more keys are marked: a rotation was interrupted.
    """

    id: str
    value: str = field(repr=False)
    enabled: bool
    is_marked: bool = True
    has_others: bool = False


class ApiKey(Resource[ObservedKey | None]):
    """See the module."""

    def observe(self, look: Look) -> ObservedKey | None:
        tags = look.of(TAG_RECORD)
        of_1_5_0 = look.of(REST_API) if tags is not None and MARK not in tags else None
        key, foreign = _find(look.aws, of_1_5_0)
        for each in foreign:
            look.foreign.append(f"the API key {each['name']} with the id {each['id']}")
        return key

    def ids(self, found: ObservedKey | None) -> dict[str, str]:
        return {"key": found.id, "key value": found.value} if found else {}

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        key, name = observed.of(self), observed.identity.name
        if key is None:
            yield CreateKey(name)
        elif not key.enabled:
            yield EnableKey(name)

    def tag(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        key = observed.of(self)
        if key and not key.is_marked:
            yield MarkKey(observed.identity.name)

    def remove(self, observed: Observed) -> Iterator[Step]:
        key = observed.of(self)
        if key and key.has_others:
            yield DeleteOtherKeys(observed.identity.name)
        if key:
            yield DeleteKey(observed.identity.name)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        yield api_gateway_permission(identity, "apikeys", "apikeys/*")


API_KEY = ApiKey()


def find_key(aws: Aws, api: ObservedApi | None) -> ObservedKey | None:
    """Return the key of a REST API, None where it does not exist."""
    return _find(aws, None if api is None or api.is_marked else api)[0]


def _find(aws: Aws, of_1_5_0: ObservedApi | None) -> tuple[ObservedKey | None, list[Answer]]:
    """Return Gimel's key, and others of its name if it does not exist.

    The key that belongs to an API `of_1_5_0` has no mark. It is the one that was made for the API's
    stage, else the first of its name, as 1.5.0 chose it.
    """
    named = _list(aws)
    ours = [key for key in named if _is_marked(key, aws)]
    is_known, has_others = bool(ours), len(ours) > 1
    if not ours and of_1_5_0 is not None:
        stage = f"{of_1_5_0.id}/{STAGE}"
        ours = sorted(named, key=lambda key: stage not in (key.get("stageKeys") or []))
    if not ours:
        return None, named
    key = ours[0]
    enabled = bool(key.get("enabled"))
    return ObservedKey(key["id"], key.get("value", ""), enabled, is_known, has_others), []


def _list(aws: Aws) -> list[Answer]:
    """Return the keys of Gimel's name."""
    name = aws.deployment.name
    listed = aws.pages("apigateway", "get_api_keys", nameQuery=name, includeValues=True, limit=PAGE)
    return [key for key in listed if key["name"] == name]


def _is_marked(key: Answer, aws: Aws) -> bool:
    return is_marked(key, aws.deployment) or key.get("description") == DESCRIPTION


@dataclass(frozen=True)
class CreateKey(Step):
    """Create the key. `is_another` if there may be an older one."""

    name: str
    is_another: bool = False

    def __str__(self) -> str:
        return f"Create {'another' if self.is_another else 'the'} API key {self.name}"

    def perform(self, run: Run) -> None:
        old = {key["id"] for key in _list(run.aws)} if self.is_another else set()

        def created() -> Answer | None:
            keys = (key for key in _list(run.aws) if _is_marked(key, run.aws))
            return next((key for key in keys if key["id"] not in old), None)

        about = {"description": DESCRIPTION, "tags": marked(self.name, {})}
        parameters = {"name": self.name, "enabled": True, **about}
        key = run.aws.create("apigateway", "create_api_key", created, **parameters)
        run.ids |= {"key": key["id"], "key value": key["value"]}


@dataclass(frozen=True)
class EnableKey(Step):
    name: str

    def __str__(self) -> str:
        return f"Enable the API key {self.name}"

    def perform(self, run: Run) -> None:
        patch = [{"op": "replace", "path": "/enabled", "value": "true"}]
        which = {"apiKey": run.ids["key"]}
        run.aws.call("apigateway", "update_api_key", **which, patchOperations=patch)


@dataclass(frozen=True)
class MarkKey(Step):
    """Mark a key of 1.5.0 as Gimel's."""

    name: str

    def __str__(self) -> str:
        return f"Describe the API key {self.name} as Gimel's"

    def perform(self, run: Run) -> None:
        patch = [{"op": "replace", "path": "/description", "value": DESCRIPTION}]
        which = {"apiKey": run.ids["key"]}
        run.aws.call("apigateway", "update_api_key", **which, patchOperations=patch)


@dataclass(frozen=True)
class DeleteKey(Step):
    destructive = True

    name: str

    def __str__(self) -> str:
        return f"Delete the API key {self.name}"

    def perform(self, run: Run) -> None:
        run.aws.find("apigateway", "delete_api_key", apiKey=run.ids["key"])


@dataclass(frozen=True)
class DeleteOtherKeys(Step):
    """Delete every key of Gimel's but the one that was just created."""

    destructive = True

    name: str

    def __str__(self) -> str:
        return f"Delete the old API key {self.name}"

    def perform(self, run: Run) -> None:
        for key in _list(run.aws):
            if _is_marked(key, run.aws) and key["id"] != run.ids["key"]:
                run.aws.find("apigateway", "delete_api_key", apiKey=key["id"])
