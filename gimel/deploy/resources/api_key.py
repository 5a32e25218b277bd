"""The API key, which the routes that read and delete require."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gimel.deploy.aws import Answer, Aws
from gimel.deploy.desired import Desired
from gimel.deploy.identity import NAME, Identity
from gimel.deploy.policies import Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.rest_api import PAGE, api_gateway_permission


@dataclass(frozen=True)
class ObservedKey:
    """The key as it is. `value` is what a caller sends."""

    id: str
    value: str = field(repr=False)
    enabled: bool


class ApiKey(Resource[ObservedKey | None]):
    """See the module."""

    def observe(self, look: Look) -> ObservedKey | None:
        return find_key(look.aws)

    def ids(self, found: ObservedKey | None) -> dict[str, str]:
        return {"key": found.id, "key value": found.value} if found else {}

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        key = observed.of(self)
        if key is None:
            yield CreateKey()
        elif not key.enabled:
            yield EnableKey()

    def remove(self, observed: Observed) -> Iterator[Step]:
        if observed.of(self):
            yield DeleteKey()

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        yield api_gateway_permission(identity, "apikeys", "apikeys/*")


API_KEY = ApiKey()


def find_key(aws: Aws) -> ObservedKey | None:
    """Return the key, None where it does not exist; of several, the first, as 1.5.0 chose it."""
    listed = aws.pages("apigateway", "get_api_keys", nameQuery=NAME, includeValues=True, limit=PAGE)
    for key in listed:
        if key["name"] == NAME:
            return ObservedKey(key["id"], key.get("value", ""), enabled=bool(key.get("enabled")))
    return None


@dataclass(frozen=True)
class CreateKey(Step):
    def __str__(self) -> str:
        return f"Create the API key {NAME}"

    def perform(self, run: Run) -> None:
        def created() -> Answer | None:
            key = find_key(run.aws)
            return {"id": key.id, "value": key.value} if key else None

        parameters = {"name": NAME, "enabled": True}
        key = run.aws.create("apigateway", "create_api_key", created, **parameters)
        run.ids |= {"key": key["id"], "key value": key["value"]}


@dataclass(frozen=True)
class EnableKey(Step):
    def __str__(self) -> str:
        return f"Enable the API key {NAME}"

    def perform(self, run: Run) -> None:
        patch = [{"op": "replace", "path": "/enabled", "value": "true"}]
        which = {"apiKey": run.ids["key"]}
        run.aws.call("apigateway", "update_api_key", **which, patchOperations=patch)


@dataclass(frozen=True)
class DeleteKey(Step):
    destructive = True

    def __str__(self) -> str:
        return f"Delete the API key {NAME}"

    def perform(self, run: Run) -> None:
        run.aws.find("apigateway", "delete_api_key", apiKey=run.ids["key"])
