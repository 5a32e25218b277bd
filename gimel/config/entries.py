"""The entries of `extra_wiring`, in the shape of Gimel 1.5.0, and the wiring that they extend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator
from typing_extensions import Self

from gimel.config.kinds import (
    FunctionName,
    Memory,
    NotAllowedError,
    Section,
    Timeout,
    matching,
    one_of,
)
from gimel.wiring import (
    DEFAULT_NAME,
    GATEWAY_SECONDS,
    HANDLERS,
    METHODS,
    PUBLIC_HANDLERS,
    READING_MEMORY,
    WIRING,
    Function,
    Route,
    Wiring,
    deployed_names,
)


def _refuse_options(method: Any) -> Any:
    if method == "OPTIONS":
        raise NotAllowedError("must not be OPTIONS, which Gimel answers itself")
    return method


class LambdaFunction(Section):
    """The function. Omitted sizes are those of the known function with this name or handler."""

    name: FunctionName = Field(alias="FunctionName")
    handler: Annotated[str, one_of(HANDLERS)] = Field(alias="Handler")
    memory: Memory | None = Field(None, alias="MemorySize")
    timeout: Timeout | None = Field(None, alias="Timeout")


class Method(Section):
    """The HTTP method, and what API Gateway requires of a request."""

    http_method: Annotated[str, BeforeValidator(_refuse_options), one_of(METHODS)] = Field(
        alias="httpMethod"
    )
    api_key_required: bool = Field(False, alias="apiKeyRequired")
    request_parameters: dict[
        Annotated[
            str,
            matching(
                r"method\.request\.(querystring|header)\.[A-Za-z0-9._$-]+",
                'must be like "method.request.querystring.NAME"',
            ),
        ],
        bool,
    ] = Field({}, alias="requestParameters")


class ApiGateway(Section):
    """The path of the REST API, and its method."""

    path: Annotated[
        str,
        matching(
            r"(?!\.{1,2}$)[A-Za-z0-9._~:-]{1,128}",
            "must be one part of a path without slashes: letters, digits and . _ ~ : -",
        ),
    ] = Field(alias="pathPart")
    method: Method


class Entry(Section):
    """A function, and the route or the function URL that leads to it."""

    function: LambdaFunction = Field(alias="lambda")
    api_gateway: ApiGateway | None = None
    function_url: bool = False

    @model_validator(mode="after")
    def _check_access(self) -> Self:
        name, handler = self.function.name, self.function.handler
        if self.function_url and handler not in PUBLIC_HANDLERS:
            raise NotAllowedError(
                f"must not have a function_url: {handler} requires the API key,"
                " which a function URL cannot check",
                'Use "api_gateway" with "apiKeyRequired": true.',
            )
        if self.api_gateway is None and not self.function_url:
            raise NotAllowedError(
                f'must have "api_gateway" or "function_url": true, else nothing calls {name}'
            )
        return self

    def renamed(self, names: Mapping[str, str]) -> Entry:
        """Return the entry with the new name of its function, if there is one."""
        name = names.get(self.function.name, self.function.name)
        return self.model_copy(update={"function": self.function.model_copy(update={"name": name})})

    def route(self) -> Route | None:
        """Return the route to the function, None if it has only a URL."""
        if self.api_gateway is None:
            return None
        method = self.api_gateway.method
        return Route(
            self.api_gateway.path,
            method.http_method,
            method.api_key_required,
            self.function.name,
            tuple(method.request_parameters.items()),
        )


def extend(entries: Iterable[Entry], deployment: str = DEFAULT_NAME) -> Wiring:
    """Return the wiring of a deployment of that name: WIRING with the entries added.

    An entry may give a function of the wiring another size and take over one of its routes; two
    entries may not contradict each other. An entry may name Gimel's own functions as WIRING does,
    or as they are deployed. Raises NotAllowedError, which names the entry.
    """
    names = deployed_names(deployment)
    wiring = WIRING.renamed(names)
    functions = {function.name: function for function in wiring.functions}
    routes = {(route.path, route.method): route for route in wiring.routes}
    sized: dict[str, tuple[str, Function]] = {}
    routed: dict[tuple[str, str], str] = {}
    for number, entry in enumerate(each.renamed(names) for each in entries):
        where = f"extra_wiring[{number}]"
        function = _complete(entry, functions, where)
        earlier, first = sized.setdefault(function.name, (where, function))
        if replace(first, url=False) != replace(function, url=False):
            raise NotAllowedError(
                f"{where}.lambda must have the MemorySize and Timeout of {earlier}.lambda:"
                f" both are the function {function.name}"
            )
        known = functions.get(function.name)
        functions[function.name] = replace(function, url=function.url or bool(known and known.url))
        if route := entry.route():
            key = (route.path, route.method)
            if key in routed:
                raise NotAllowedError(
                    f"{where}.api_gateway must differ from {routed[key]}.api_gateway:"
                    f" both wire {route.method} /{route.path}"
                )
            routed[key] = where
            routes[key] = route
    return Wiring(tuple(functions.values()), tuple(routes.values()))


def _complete(entry: Entry, known: dict[str, Function], where: str) -> Function:
    """Return the entry's function with the sizes that it omits."""
    given = entry.function
    same = known.get(given.name)
    if same is not None and same.schedule is not None:
        raise NotAllowedError(
            f"{where}.lambda.FunctionName must not be {given.name}, which only its schedule calls",
            f"Choose another name. aws.functions.{given.name} sets its memory and timeout.",
        )
    if same is not None and same.handler != given.handler:
        raise NotAllowedError(
            f'{where}.lambda.Handler must be "{same.handler}", the handler of {given.name}',
            "Choose another FunctionName.",
        )
    usual = same or next(
        (each for each in known.values() if each.handler == given.handler),
        Function(given.name, given.handler, READING_MEMORY, GATEWAY_SECONDS),
    )
    return Function(
        given.name,
        given.handler,
        given.memory if given.memory is not None else usual.memory,
        given.timeout if given.timeout is not None else usual.timeout,
        entry.function_url,
    )
