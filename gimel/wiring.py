"""Which URL or schedule calls which handler: WIRING, and the records it is made of.

`gimel deploy` creates these functions and routes on AWS, and `gimel serve` serves the same routes
locally. `gimel.config.entries` adds the `extra_wiring` of a configuration. Nothing here knows AWS
beyond its names, and nothing here knows the configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

PUBLIC_HANDLERS = ("gimel.track",)
HANDLERS = (*PUBLIC_HANDLERS, "gimel.all", "gimel.experiment", "gimel.delete")
GATEWAY_SECONDS = 29
"""API Gateway ends a request after this time, and answers 504.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
"""

SNAPSHOT = "gimel.snapshot"
"""The handler that only a schedule calls, so that no entry of `extra_wiring` may name it."""

READING_MEMORY = 256
"""MB, enough to read or delete a namespace at the default limits within GATEWAY_SECONDS.

Lambda gives a function a share of a processor in proportion to its memory.
"""

SNAPSHOT_MEMORY = 512
"""MB. It needs 50, but 2,000 experiments with a year of history take 75 s of a whole processor."""

DEFAULT_NAME = "gimel"
"""The name of a deployment. Its functions begin with it: those of WIRING with this one."""

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "ANY")


@dataclass(frozen=True)
class Function:
    """A Lambda function: `memory` in MB, `timeout` in seconds, `url` if it has a public URL.

    `schedule` is the expression of the EventBridge rule that calls it, None without one.
    """

    name: str
    handler: str
    memory: int
    timeout: int
    url: bool = False
    schedule: str | None = None


@dataclass(frozen=True)
class Route:
    """A method of a path of the API, and the name of the function that answers it.

    `parameters` are the request's, in API Gateway's names, with whether each is required.
    """

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

    def unscheduled(self) -> Wiring:
        """Return the wiring without the functions that a schedule calls."""
        return replace(
            self, functions=tuple(each for each in self.functions if each.schedule is None)
        )

    def methods(self, path: str) -> tuple[str, ...]:
        """Return the methods that a path answers, without OPTIONS; ANY is spelled out."""
        methods = [route.method for route in self.routes if route.path == path]
        return METHODS[:-1] if "ANY" in methods else tuple(methods)

    def renamed(self, names: Mapping[str, str]) -> Wiring:
        """Return the wiring with new names for functions; those without one keep theirs."""
        return Wiring(
            tuple(replace(each, name=names.get(each.name, each.name)) for each in self.functions),
            tuple(
                replace(each, function=names.get(each.function, each.function))
                for each in self.routes
            ),
        )


TRACK_PATH = "e"
"""The path for events. Lists of ad blockers have rules that match /track."""

_EVENT_PARAMETERS = (
    ("method.request.querystring.namespace", False),
    ("method.request.querystring.experiment", False),
    ("method.request.querystring.variant", False),
    ("method.request.querystring.event", False),
    ("method.request.querystring.uuid", False),
)

# The other paths, names and API key requirements are those of Gimel 1.5.0, whose snippets must keep
# working.
WIRING = Wiring(
    functions=(
        Function("gimel-track", "gimel.track", memory=128, timeout=3),
        Function("gimel-all-experiments", "gimel.all", READING_MEMORY, GATEWAY_SECONDS),
        Function("gimel-delete-experiment", "gimel.delete", READING_MEMORY, GATEWAY_SECONDS),
        Function(
            "gimel-snapshot", SNAPSHOT, SNAPSHOT_MEMORY, timeout=900, schedule="cron(5 0 * * ? *)"
        ),
    ),
    routes=(
        Route(TRACK_PATH, "GET", False, "gimel-track", _EVENT_PARAMETERS),
        Route(TRACK_PATH, "POST", False, "gimel-track"),
        Route("track", "GET", False, "gimel-track", _EVENT_PARAMETERS),
        Route("track", "POST", False, "gimel-track"),
        Route(
            path="experiments",
            method="GET",
            api_key_required=True,
            function="gimel-all-experiments",
            parameters=(
                ("method.request.querystring.namespace", False),
                ("method.request.querystring.scope", False),
            ),
        ),
        Route(
            path="delete",
            method="DELETE",
            api_key_required=True,
            function="gimel-delete-experiment",
            parameters=(
                ("method.request.querystring.namespace", False),
                ("method.request.querystring.experiment", False),
            ),
        ),
    ),
)


def deployed_names(deployment: str) -> dict[str, str]:
    """Return the names of the functions of WIRING in a deployment of that name."""
    return {
        function.name: deployment + function.name.removeprefix(DEFAULT_NAME)
        for function in WIRING.functions
    }


def store_name(name: str) -> str:
    """Return the name of a deployment's store on ElastiCache, which keeps names in lower case."""
    return name.lower()


def scheduled_functions(deployment: str) -> tuple[str, ...]:
    """Return the names of the functions that a schedule calls in a deployment of that name."""
    names = deployed_names(deployment)
    return tuple(names[each.name] for each in WIRING.functions if each.schedule is not None)
