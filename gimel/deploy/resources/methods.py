"""The paths of the REST API and their methods, which lead to the functions as the wiring says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gimel.deploy.aws import Answer
from gimel.deploy.desired import Desired
from gimel.deploy.identity import Identity
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.rest_api import PAGE, REST_API, path_id
from gimel.deploy.resources.tags import given
from gimel.wiring import Route

_FUNCTION = re.compile(r":function:([A-Za-z0-9_-]+)")


@dataclass(frozen=True)
class ObservedMethod:
    """A method of the API.

    `proxies` is the URI of its plain Lambda proxy integration, None if it has another kind. `calls`
    is the name of the function that it invokes in whatever way. `preflight` are the headers of a
    complete CORS preflight answer.
    """

    path: str
    method: str
    api_key_required: bool
    parameters: tuple[tuple[str, bool], ...]
    proxies: str | None
    calls: str | None
    preflight: Mapping[str, str] | None


@dataclass(frozen=True)
class ObservedMethods:
    """What the API has. `paths` are the ids of its paths, such as "/track"."""

    paths: Mapping[str, str] = field(default_factory=dict)
    methods: tuple[ObservedMethod, ...] = ()

    def find(self, path: str, method: str) -> ObservedMethod | None:
        """Return the method of a path, None where it does not exist."""
        found = (each for each in self.methods if (each.path, each.method) == (path, method))
        return next(found, None)


class Methods(Resource[ObservedMethods]):
    """See the module."""

    def observe(self, look: Look) -> ObservedMethods:
        api = look.of(REST_API)
        if api is None:
            return ObservedMethods()
        which = {"restApiId": api.id, "limit": PAGE}
        resources = look.aws.pages("apigateway", "get_resources", **which, embed=["methods"])
        return ObservedMethods(
            paths={resource["path"]: resource["id"] for resource in resources},
            methods=tuple(
                _method(resource["path"].removeprefix("/"), name, method)
                for resource in resources
                for name, method in (resource.get("resourceMethods") or {}).items()
            ),
        )

    def ids(self, found: ObservedMethods) -> dict[str, str]:
        return {path_id(path): found.paths[path] for path in found.paths}

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        """What is not in the wiring is deleted here: it stays live until the API is deployed."""
        there, routes = observed.of(self), desired.config.wiring.routes
        for path in dict.fromkeys(route.path for route in routes):
            if f"/{path}" not in there.paths:
                yield CreateResource(path)
        for route in routes:
            method = there.find(route.path, route.method)
            if method is None or not _is_wired(method, route, observed.identity):
                yield PutMethod(route, replace=method is not None)
        yield from _unwired(desired, there)


METHODS = Methods()


def _method(path: str, name: str, answer: Answer) -> ObservedMethod:
    integration = answer.get("methodIntegration") or {}
    uri = integration.get("uri") or ""
    function = _FUNCTION.search(uri)
    key_required = bool(answer.get("apiKeyRequired"))
    is_open = answer.get("authorizationType") in (None, "NONE")
    is_proxy = integration.get("type") == "AWS_PROXY" and not integration.get("credentials")
    mock: Answer = {}
    if integration.get("type") == "MOCK" and "200" in (answer.get("methodResponses") or {}):
        mock = (integration.get("integrationResponses") or {}).get("200") or {}
    return ObservedMethod(
        path=path,
        method=name,
        api_key_required=key_required,
        parameters=tuple((answer.get("requestParameters") or {}).items()),
        proxies=uri if is_open and is_proxy else None,
        calls=function[1] if function else None,
        preflight=mock.get("responseParameters") if is_open and not key_required else None,
    )


def _is_wired(method: ObservedMethod, route: Route, identity: Identity) -> bool:
    return (method.api_key_required, dict(method.parameters), method.proxies) == (
        route.api_key_required,
        dict(route.parameters),
        identity.integration_uri(route.function),
    )


def _unwired(desired: Desired, there: ObservedMethods) -> Iterator[Step]:
    """Yield the deletion of every path and method that is not in the wiring."""
    wiring = desired.config.wiring
    paths = {route.path for route in wiring.routes}
    wired = {(route.path, route.method) for route in wiring.routes}
    wired |= {(path, "OPTIONS") for path in paths}
    for path in there.paths:
        name = path.removeprefix("/")
        if name and "/" not in name and name not in paths:
            yield DeleteResource(name)
    for method in there.methods:
        if method.path in paths and (method.path, method.method) not in wired:
            yield DeleteMethod(method.path, method.method)


@dataclass(frozen=True)
class CreateResource(Step):
    path: str

    def __str__(self) -> str:
        return f"Create the path /{self.path}"

    def perform(self, run: Run) -> None:
        api = run.ids["api"]

        def created() -> Answer | None:
            items = run.aws.pages("apigateway", "get_resources", restApiId=api, limit=PAGE)
            return next((item for item in items if item["path"] == f"/{self.path}"), None)

        answer = run.aws.create(
            "apigateway",
            "create_resource",
            created,
            restApiId=api,
            parentId=run.ids[path_id("/")],
            pathPart=self.path,
        )
        run.ids[path_id(f"/{self.path}")] = answer["id"]


@dataclass(frozen=True)
class DeleteResource(Step):
    destructive = True

    path: str

    def __str__(self) -> str:
        return f"Delete the path /{self.path}, which is not in the wiring"

    def perform(self, run: Run) -> None:
        resource = run.ids[path_id(f"/{self.path}")]
        which = {"restApiId": run.ids["api"], "resourceId": resource}
        run.aws.find("apigateway", "delete_resource", **which)


@dataclass(frozen=True)
class PutMethod(Step):
    route: Route
    replace: bool

    def __str__(self) -> str:
        verb = "Rewire" if self.replace else "Wire"
        route = self.route
        key = " (API key required)" if route.api_key_required else ""
        return f"{verb} {route.method} /{route.path} to the function {route.function}{key}"

    def perform(self, run: Run) -> None:
        method = put_method(
            run,
            self.route.path,
            self.route.method,
            self.replace,
            apiKeyRequired=self.route.api_key_required,
            **given(requestParameters=dict(self.route.parameters)),
        )
        run.aws.call(
            "apigateway",
            "put_integration",
            **method,
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=run.identity.integration_uri(self.route.function),
        )


@dataclass(frozen=True)
class DeleteMethod(Step):
    destructive = True

    path: str
    method: str

    def __str__(self) -> str:
        return f"Delete {self.method} /{self.path}, which is not in the wiring"

    def perform(self, run: Run) -> None:
        run.aws.find("apigateway", "delete_method", **_which(run, self.path, self.method))


def _which(run: Run, path: str, method: str) -> dict[str, str]:
    resource = run.ids[path_id(f"/{path}")]
    return {"restApiId": run.ids["api"], "resourceId": resource, "httpMethod": method}


def put_method(
    run: Run, path: str, method: str, replace: bool, **parameters: object
) -> dict[str, str]:
    """Put a method that is open to all, without its integration.

    Returns the parameters that name the method in further calls.
    """
    which = _which(run, path, method)
    if replace:
        run.aws.find("apigateway", "delete_method", **which)
    run.aws.call("apigateway", "put_method", **which, authorizationType="NONE", **parameters)
    return which
