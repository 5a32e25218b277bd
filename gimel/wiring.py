"""Which URL leads to which handler: WIRING, the declarative list, and the entries that a configuration adds to it.

An entry has the shape that Gimel 1.5.0 gave it: the Lambda function, and the method of a path that calls it. This module knows
nothing of AWS beyond the names and limits of these; `gimel serve` reads the same list.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gimel.errors import GimelError, suggest

WIRING: list[dict[str, Any]] = [
    {
        "lambda": {
            "FunctionName": "gimel-track",
            "Handler": "gimel.track",
            "MemorySize": 128,
            "Timeout": 3,
        },
        "api_gateway": {
            "pathPart": "track",
            "method": {
                "httpMethod": "GET",
                "apiKeyRequired": False,
                "requestParameters": {
                    "method.request.querystring.namespace": False,
                    "method.request.querystring.experiment": False,
                    "method.request.querystring.variant": False,
                    "method.request.querystring.event": False,
                    "method.request.querystring.uuid": False,
                },
            },
        },
    },
    {
        "lambda": {
            "FunctionName": "gimel-track",
            "Handler": "gimel.track",
            "MemorySize": 128,
            "Timeout": 3,
        },
        "api_gateway": {
            "pathPart": "track",
            "method": {"httpMethod": "POST", "apiKeyRequired": False},
        },
    },
    {
        "lambda": {
            "FunctionName": "gimel-all-experiments",
            "Handler": "gimel.all",
            "MemorySize": 128,
            "Timeout": 60,
        },
        "api_gateway": {
            "pathPart": "experiments",
            "method": {
                "httpMethod": "GET",
                "apiKeyRequired": True,
                "requestParameters": {
                    "method.request.querystring.namespace": False,
                    "method.request.querystring.scope": False,
                },
            },
        },
    },
    {
        "lambda": {
            "FunctionName": "gimel-delete-experiment",
            "Handler": "gimel.delete",
            "MemorySize": 128,
            "Timeout": 30,
        },
        "api_gateway": {
            "pathPart": "delete",
            "method": {
                "httpMethod": "DELETE",
                "apiKeyRequired": True,
                "requestParameters": {
                    "method.request.querystring.namespace": False,
                    "method.request.querystring.experiment": False,
                },
            },
        },
    },
]

PUBLIC_HANDLERS = ("gimel.track",)
HANDLERS = (*PUBLIC_HANDLERS, "gimel.all", "gimel.experiment", "gimel.delete")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "ANY")

_MEMORY = range(128, 10_240 + 1)
_TIMEOUT = range(1, 900 + 1)
_FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PATH_PART = re.compile(r"[A-Za-z0-9._~:-]{1,128}")
_REQUEST_PARAMETER = re.compile(r"method\.request\.(querystring|header)\.[A-Za-z0-9._$-]+")


@dataclass(frozen=True)
class Function:
    """A Lambda function: `memory` in MB, `timeout` in seconds, `url` whether it has a public URL of its own."""

    name: str
    handler: str
    memory: int
    timeout: int
    url: bool = False


@dataclass(frozen=True)
class Route:
    """A method of a path of the API, and the function that answers it. `parameters` are the request's, True if required."""

    path: str
    method: str
    api_key_required: bool
    function: str
    parameters: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True)
class Wiring:
    """All functions and routes, each once, in the order in which they were first named."""

    functions: tuple[Function, ...]
    routes: tuple[Route, ...]

    def function(self, name: str) -> Function:
        """Return the function of that name. Raises KeyError."""
        return {function.name: function for function in self.functions}[name]

    def methods(self, path: str) -> tuple[str, ...]:
        """Return the methods that a path answers, without OPTIONS; ANY is spelled out."""
        methods = [route.method for route in self.routes if route.path == path]
        return METHODS[:-1] if "ANY" in methods else tuple(methods)


def wire(extra: Iterable[Any] = ()) -> Wiring:
    """Return WIRING with the entries of `extra_wiring` added.

    An extra entry may give a function of WIRING another size, and take over one of its routes; two extra entries may not
    contradict each other. Raises GimelError, which names the entry and its key.
    """
    functions: dict[str, Function] = {}
    routes: dict[tuple[str, str], Route] = {}
    for entry in WIRING:
        function, route = _parse(entry, "WIRING", functions)
        functions[function.name] = function
        if route:
            routes[route.path, route.method] = route
    said_of_function: dict[str, tuple[str, Function]] = {}
    said_of_route: dict[tuple[str, str], str] = {}
    for number, entry in enumerate(extra):
        where = f"extra_wiring[{number}]"
        function, route = _parse(entry, where, functions)
        known = functions.get(function.name)
        if known is not None and known.handler != function.handler:
            raise GimelError(
                f"{where}: the function {function.name} already has the handler {known.handler}, not {function.handler}.",
                "Give the entry a FunctionName of its own.",
            )
        earlier, said = said_of_function.setdefault(function.name, (where, function))
        if replace(said, url=False) != replace(function, url=False):
            raise GimelError(
                f"{where}: {earlier} gives the function {function.name} another MemorySize or Timeout."
            )
        functions[function.name] = replace(function, url=function.url or bool(known and known.url))
        if route:
            key = (route.path, route.method)
            if key in said_of_route:
                raise GimelError(
                    f"{where}: {said_of_route[key]} already wires {route.method} /{route.path}."
                )
            said_of_route[key] = where
            routes[key] = route
    return Wiring(tuple(functions.values()), tuple(routes.values()))


def _parse(entry: Any, where: str, known: Mapping[str, Function]) -> tuple[Function, Route | None]:
    _check_keys(entry, where, required=("lambda",), optional=("api_gateway", "function_url"))
    url = _typed(entry, "function_url", bool, where, default=False)
    function = _parse_function(entry["lambda"], f"{where}.lambda", known, url)
    if url and function.handler not in PUBLIC_HANDLERS:
        raise GimelError(
            f"{where}.function_url: {function.handler} needs an API key, and a function URL has none.",
            "Wire it with api_gateway and apiKeyRequired.",
        )
    if "api_gateway" in entry:
        return function, _parse_route(entry["api_gateway"], f"{where}.api_gateway", function.name)
    if not url:
        raise GimelError(
            f"{where}: nothing leads to {function.name}.",
            'Add "api_gateway", or "function_url": true.',
        )
    return function, None


def _parse_function(given: Any, where: str, known: Mapping[str, Function], url: bool) -> Function:
    _check_keys(
        given, where, required=("FunctionName", "Handler"), optional=("MemorySize", "Timeout")
    )
    name = _typed(given, "FunctionName", str, where)
    if not _FUNCTION_NAME.fullmatch(name):
        raise GimelError(
            f"{where}.FunctionName: {name!r} is no name of a Lambda function: 1 to 64 letters, digits, - and _."
        )
    handler = _typed(given, "Handler", str, where)
    if handler not in HANDLERS:
        raise GimelError(
            f"{where}.Handler: there is no handler {handler!r}.", suggest(handler, HANDLERS)
        )
    usual = known.get(name) or next((f for f in known.values() if f.handler == handler), None)
    memory = _typed(given, "MemorySize", int, where, default=usual.memory if usual else 128)
    timeout = _typed(given, "Timeout", int, where, default=usual.timeout if usual else 60)
    if memory not in _MEMORY:
        raise GimelError(
            f"{where}.MemorySize: {memory} MB is not between {_MEMORY[0]} and {_MEMORY[-1]}."
        )
    if timeout not in _TIMEOUT:
        raise GimelError(
            f"{where}.Timeout: {timeout} s is not between {_TIMEOUT[0]} and {_TIMEOUT[-1]}."
        )
    return Function(name, handler, memory, timeout, url)


def _parse_route(given: Any, where: str, function: str) -> Route:
    _check_keys(given, where, required=("pathPart", "method"))
    path = _typed(given, "pathPart", str, where)
    if not _PATH_PART.fullmatch(path):
        raise GimelError(
            f"{where}.pathPart: {path!r} is not one part of a path: letters, digits, and . _ ~ : -",
            "Leave slashes out." if "/" in path else "",
        )
    method = given["method"]
    where = f"{where}.method"
    _check_keys(
        method, where, required=("httpMethod",), optional=("apiKeyRequired", "requestParameters")
    )
    name = _typed(method, "httpMethod", str, where)
    if name not in METHODS:
        hint = "Gimel answers it by itself." if name == "OPTIONS" else suggest(name, METHODS)
        raise GimelError(f"{where}.httpMethod: {name!r} cannot be wired.", hint)
    parameters = _typed(method, "requestParameters", dict, where, default={})
    for parameter, required in parameters.items():
        if not _REQUEST_PARAMETER.fullmatch(parameter) or not isinstance(required, bool):
            raise GimelError(
                f"{where}.requestParameters: {parameter!r}: {required!r} is no parameter.",
                'Write "method.request.querystring.NAME": false, or true if it is required.',
            )
    key_required = _typed(method, "apiKeyRequired", bool, where, default=False)
    return Route(path, name, key_required, function, tuple(parameters.items()))


def _check_keys(
    given: Any, where: str, required: Collection[str], optional: Collection[str] = ()
) -> None:
    if not isinstance(given, dict):
        raise GimelError(f"{where}: expected an object, found {given!r}.")
    allowed = (*required, *optional)
    for key in given:
        if key not in allowed:
            raise GimelError(f"{where}: there is no key {key!r}.", suggest(key, allowed))
    for key in required:
        if key not in given:
            raise GimelError(f"{where}: {key!r} is missing.")


def _typed(given: Mapping[str, Any], key: str, kind: type, where: str, default: Any = None) -> Any:
    value = given.get(key, default)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        names = {str: "text", int: "a whole number", bool: "true or false", dict: "an object"}
        raise GimelError(f"{where}.{key}: expected {names[kind]}, found {value!r}.")
    return value
