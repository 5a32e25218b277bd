"""An AWS account and region as a value: the Gimel resources that exist in it.

The types follow what AWS keeps and not deploy's own values, so that the tests that use them stay
as they are when deploy changes. `seen` translates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gimel.runtime.http import ALLOWED_HEADERS
from gimel.wiring import Route
from tests.support.state.names import Configuration, Policy

ACCOUNT = "123456789012"
TRACK, ALL, DELETE = "gimel-track", "gimel-all-experiments", "gimel-delete-experiment"
SNAPSHOT = "gimel-snapshot"
WITH_ROUTES = (TRACK, ALL, DELETE)
FUNCTIONS = (*WITH_ROUTES, SNAPSHOT)
DAILY = "cron(5 0 * * ? *)"
LAMBDA = "lambda.amazonaws.com"
LATEST = 0  # the version that an alias on $LATEST points to
URL_STATEMENTS = frozenset({"gimel-url", "gimel-url-invoke"})
API, KEY, KEY_VALUE, PLAN = "a1b2c3d4e5", "key1", "the-api-key", "plan1"
ROOT = "root1"


@dataclass(frozen=True)
class Place:
    """An account and region, the name of a deployment, and the ARNs that follow from them.

    `given_role` is the ARN of a role that Gimel does not make, None where it makes one.
    """

    region: str = "us-east-1"
    partition: str = "aws"
    name: str = "gimel"
    given_role: str | None = None

    @property
    def role(self) -> str:
        return self.given_role or f"arn:{self.partition}:iam::{ACCOUNT}:role/{self.name}"

    @property
    def operator(self) -> str:
        return f"arn:{self.partition}:iam::{ACCOUNT}:user/operator"

    def function(self, name: str) -> str:
        return f"arn:{self.partition}:lambda:{self.region}:{ACCOUNT}:function:{name}"

    def alias(self, name: str) -> str:
        return f"{self.function(name)}:live"

    def rule(self, name: str) -> str:
        return f"arn:{self.partition}:events:{self.region}:{ACCOUNT}:rule/{name}"

    def log_group(self, name: str) -> str:
        return f"arn:{self.partition}:logs:{self.region}:{ACCOUNT}:log-group:/aws/lambda/{name}"

    def callers(self, api: str) -> str:
        return f"arn:{self.partition}:execute-api:{self.region}:{ACCOUNT}:{api}/*"

    def integration(self, function: str) -> str:
        return (
            f"arn:{self.partition}:apigateway:{self.region}:lambda:path/2015-03-31/functions/"
            f"{self.function(function)}:live/invocations"
        )


HERE = Place()


@dataclass(frozen=True)
class Role:
    """The functions' role. `trusted` are services; `policy` is None where it has none.

    `boundary` is the ARN of its permissions boundary.
    """

    arn: str
    trusted: frozenset[str] = frozenset({LAMBDA})
    policy: Policy | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    boundary: str | None = None


@dataclass(frozen=True)
class Function:
    """A function and its versions by number.

    `live` is the version that Gimel's alias points to, LATEST for what is not published, None
    without the alias. `history` is the alias's description, `described` are those of the versions.
    `theirs` are the versions that other aliases point to. `callers` is the pattern in the API's
    permission, "" where it lets anybody call, and `rule` is the same of the schedule's permission.
    `last` is the highest number that a version ever had.
    """

    role: str
    latest: Configuration
    versions: Mapping[int, Configuration]
    live: int | None = None
    history: str = ""
    described: Mapping[int, str] = field(default_factory=dict)
    theirs: frozenset[int] = frozenset()
    reserved: int | None = None
    callers: str | None = None
    rule: str | None = None
    url: str | None = None
    url_statements: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)
    last: int = field(default=0, compare=False)

    @property
    def serving(self) -> Configuration | None:
        """The configuration that answers, None without the alias."""
        if self.live is None:
            return None
        return self.latest if self.live == LATEST else self.versions[self.live]


@dataclass(frozen=True)
class LogGroup:
    """A log group. `days` is None where logs never expire."""

    days: int | None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """An EventBridge rule. `schedule` is "" where an event pattern calls it.

    `target` is the ARN that Gimel's own target calls, "" where it does not pass the plain event on,
    None without it; `theirs` are the ids of other targets.
    """

    schedule: str = DAILY
    is_enabled: bool = True
    target: str | None = None
    theirs: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Method:
    """A method of the API.

    `integration` is the URI of a plain Lambda proxy, `calls` the function behind any integration,
    `answer` the headers with which a mock answers a CORS preflight request.
    """

    key_required: bool = False
    parameters: Mapping[str, bool] = field(default_factory=dict)
    integration: str | None = None
    calls: str | None = None
    answer: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Api:
    """The REST API. `paths` are names without the slash; `deployed` is None without a stage."""

    paths: frozenset[str] = frozenset()
    methods: Mapping[tuple[str, str], Method] = field(default_factory=dict)
    responses: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    deployed: str | None = None
    rate: float | None = None
    burst: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class UsagePlan:
    """A usage plan. `ours` is whether it has Gimel's tag; stages are "api:stage", keys are ids."""

    ours: bool = True
    stages: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()


@dataclass(frozen=True)
class State:
    """All that exists; functions, log groups and rules by function name.

    `key` is whether the API key is enabled, None without one. `key_is_marked` is whether the key is
    known as Gimel's, which that of 1.5.0 is not.
    """

    place: Place = HERE
    role: Role | None = None
    functions: Mapping[str, Function] = field(default_factory=dict)
    log_groups: Mapping[str, LogGroup] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    api: Api | None = None
    key: bool | None = None
    key_is_marked: bool = True
    plan: UsagePlan | None = None


EMPTY = State()
OUR_STAGE = f"{API}:prod"
RESPONSES = {
    kind: {
        "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
        "gatewayresponse.header.Cache-Control": "'no-cache, no-store, must-revalidate'",
    }
    for kind in ("DEFAULT_4XX", "DEFAULT_5XX")
}


def url_of(function: str) -> str:
    """Return the URL that AWS gives to a function."""
    return f"https://{function}.lambda-url.us-east-1.on.aws/"


def proxy(route: Route, place: Place = HERE) -> Method:
    """Return the method that a route asks for."""
    integration = place.integration(route.function)
    return Method(route.api_key_required, dict(route.parameters), integration, route.function)


def cors_answer(methods: tuple[str, ...]) -> dict[str, str]:
    """Return the headers that answer a CORS preflight request for a path with these methods."""
    headers = {
        "Access-Control-Allow-Headers": ALLOWED_HEADERS,
        "Access-Control-Allow-Methods": ",".join((*methods, "OPTIONS")),
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Max-Age": "86400",
    }
    return {f"method.response.header.{name}": f"'{value}'" for name, value in headers.items()}
