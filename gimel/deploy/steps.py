"""The steps that lead from what is on AWS to what should be there: each a value that says in a sentence what it does.

A step holds names, never ids that an earlier step has yet to learn, so that a plan can be shown before anything exists.
`gimel.deploy.apply` performs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from gimel.deploy.models import (
    ALIAS,
    NAME,
    STAGE,
    UNPUBLISHED,
    Configuration,
    DesiredFunction,
    Policy,
    Preflight,
    log_group,
)
from gimel.wiring import Route


@dataclass(frozen=True)
class CreateRole:
    tags: Mapping[str, str]

    def __str__(self) -> str:
        return f"Create the role {NAME}, which the functions run as"


@dataclass(frozen=True)
class TrustLambda:
    """Let Lambda, and no other service, take the role."""

    def __str__(self) -> str:
        return f"Let AWS Lambda alone take the role {NAME}"


@dataclass(frozen=True)
class PutRolePolicy:
    policy: Policy
    interim: bool = False

    def __str__(self) -> str:
        if self.interim:
            return f"Let the role {NAME} do what the functions need, beside what it may do now"
        return f"Let the role {NAME} do what the functions need, and nothing else"


@dataclass(frozen=True)
class TagRole:
    tags: Mapping[str, str]
    gone: tuple[str, ...]

    def __str__(self) -> str:
        return f"Tag the role {NAME}"


@dataclass(frozen=True)
class LeaveRole:
    """Take this region out of the role's policy; it serves others too."""

    policy: Policy
    regions: tuple[str, ...]

    def __str__(self) -> str:
        return f"Leave the role {NAME} to what is deployed in {', '.join(self.regions)}"


@dataclass(frozen=True)
class DeleteRole:
    policy: bool

    def __str__(self) -> str:
        return f"Delete the role {NAME}"


@dataclass(frozen=True)
class CreateLogGroup:
    function: str
    days: int
    tags: Mapping[str, str]

    def __str__(self) -> str:
        return f"Create the log group {log_group(self.function)}, which keeps {self.days} days"


@dataclass(frozen=True)
class SetLogRetention:
    function: str
    before: int | None
    days: int

    def __str__(self) -> str:
        before = f"{self.before} days" if self.before else "for ever"
        return f"Keep the logs in {log_group(self.function)} for {self.days} days, not {before}"


@dataclass(frozen=True)
class TagLogGroup:
    function: str
    tags: Mapping[str, str]
    gone: tuple[str, ...]

    def __str__(self) -> str:
        return f"Tag the log group {log_group(self.function)}"


@dataclass(frozen=True)
class DeleteLogGroup:
    function: str

    def __str__(self) -> str:
        return f"Delete the log group {log_group(self.function)}, with its logs"


@dataclass(frozen=True)
class CreateFunction:
    function: DesiredFunction
    tags: Mapping[str, str]

    def __str__(self) -> str:
        made = self.function.configuration
        return f"Create the function {self.function.name}: {made.runtime}, {made.architecture}, {made.memory} MB, {made.timeout} s"


@dataclass(frozen=True)
class UpdateFunctionConfiguration:
    function: DesiredFunction
    before: Configuration

    def __str__(self) -> str:
        changes = [
            change
            for change in self.before.changes(self.function.configuration)
            if change != "code"
        ]
        changes = [change for change in changes if not change.startswith("architecture")]
        return f"Configure the function {self.function.name}: {', '.join(changes)}"


@dataclass(frozen=True)
class UpdateFunctionCode:
    function: DesiredFunction
    before: Configuration

    def __str__(self) -> str:
        changes = [f"for {self.function.configuration.architecture}"]
        if self.before.architecture == self.function.configuration.architecture:
            changes = []
        return " ".join([f"Upload the code of the function {self.function.name}", *changes])


@dataclass(frozen=True)
class DeleteVersion:
    function: str
    number: int

    def __str__(self) -> str:
        return f"Delete version {self.number} of the function {self.function}, one of its oldest"


@dataclass(frozen=True)
class PublishVersion:
    function: str

    def __str__(self) -> str:
        return f"Publish a version of the function {self.function}"


@dataclass(frozen=True)
class CreateAlias:
    """Make the alias; `number` None is the version that was just published."""

    function: str
    number: int | None = None

    def __str__(self) -> str:
        which = "its new version" if self.number is None else f"version {self.number}"
        return f"Make {which} of the function {self.function} {ALIAS}"


@dataclass(frozen=True)
class MoveAlias:
    """Point the alias elsewhere; `number` None is the version that was just published."""

    function: str
    before: int
    number: int | None = None

    def __str__(self) -> str:
        which = "its new version" if self.number is None else f"version {self.number}"
        before = f"version {self.before}" if self.before != UNPUBLISHED else "what is not published"
        return f"Make {which} of the function {self.function} {ALIAS}, in place of {before}"


@dataclass(frozen=True)
class ReserveConcurrency:
    function: str
    concurrency: int | None

    def __str__(self) -> str:
        if self.concurrency is None:
            return f"Let the function {self.function} use the account's concurrency"
        return f"Reserve a concurrency of {self.concurrency} for the function {self.function}"


@dataclass(frozen=True)
class TagFunction:
    function: str
    tags: Mapping[str, str]
    gone: tuple[str, ...]

    def __str__(self) -> str:
        return f"Tag the function {self.function}"


@dataclass(frozen=True)
class AllowApi:
    function: str
    replace: bool

    def __str__(self) -> str:
        return f"Let this API{' instead of another' if self.replace else ''} call the function {self.function}"


@dataclass(frozen=True)
class AllowUrl:
    """Let everyone call a function through its URL; `statements` are those that are missing."""

    function: str
    statements: tuple[str, ...]

    def __str__(self) -> str:
        return f"Let everyone call the function {self.function} through its URL"


@dataclass(frozen=True)
class CreateUrl:
    function: str

    def __str__(self) -> str:
        return f"Give the function {self.function} a public URL"


@dataclass(frozen=True)
class DeleteUrl:
    """Take a function's URL away, and the permission to call it."""

    function: str
    url: bool
    statements: tuple[str, ...]

    def __str__(self) -> str:
        return f"Take the public URL of the function {self.function} away"


@dataclass(frozen=True)
class DeleteFunction:
    function: str

    def __str__(self) -> str:
        return f"Delete the function {self.function}"


@dataclass(frozen=True)
class CreateApi:
    tags: Mapping[str, str]

    def __str__(self) -> str:
        return f"Create the REST API {NAME}"


@dataclass(frozen=True)
class TagApi:
    tags: Mapping[str, str]
    gone: tuple[str, ...]

    def __str__(self) -> str:
        return f"Tag the REST API {NAME}"


@dataclass(frozen=True)
class CreateResource:
    path: str

    def __str__(self) -> str:
        return f"Create the path /{self.path}"


@dataclass(frozen=True)
class DeleteResource:
    path: str

    def __str__(self) -> str:
        return f"Delete the path /{self.path}, which left the wiring"


@dataclass(frozen=True)
class PutMethod:
    route: Route
    replace: bool

    def __str__(self) -> str:
        verb = "Rewire" if self.replace else "Wire"
        key = ", with the API key" if self.route.api_key_required else ""
        return f"{verb} {self.route.method} /{self.route.path} to the function {self.route.function}{key}"


@dataclass(frozen=True)
class PutPreflight:
    preflight: Preflight
    replace: bool

    def __str__(self) -> str:
        again = " anew" if self.replace else ""
        return (
            f"Answer OPTIONS /{self.preflight.path}{again} with {', '.join(self.preflight.methods)}"
        )


@dataclass(frozen=True)
class DeleteMethod:
    path: str
    method: str

    def __str__(self) -> str:
        return f"Delete {self.method} /{self.path}, which left the wiring"


@dataclass(frozen=True)
class PutGatewayResponse:
    kind: str

    def __str__(self) -> str:
        return f"Let pages read the gateway's own {self.kind.removeprefix('DEFAULT_')} answers"


@dataclass(frozen=True)
class DeployApi:
    """Make the API's methods live; `description` tells what was deployed."""

    description: str

    def __str__(self) -> str:
        return f"Deploy the REST API to its stage {STAGE}"


@dataclass(frozen=True)
class SetThrottle:
    rate: float
    burst: int

    def __str__(self) -> str:
        return f"Take {self.rate:.15g} requests a second at most, {self.burst} at once"


@dataclass(frozen=True)
class DeleteApi:
    def __str__(self) -> str:
        return f"Delete the REST API {NAME}"


@dataclass(frozen=True)
class CreateKey:
    def __str__(self) -> str:
        return f"Create the API key {NAME}"


@dataclass(frozen=True)
class EnableKey:
    def __str__(self) -> str:
        return f"Enable the API key {NAME}"


@dataclass(frozen=True)
class DeleteKey:
    def __str__(self) -> str:
        return f"Delete the API key {NAME}"


@dataclass(frozen=True)
class CreateUsagePlan:
    def __str__(self) -> str:
        return f"Create the usage plan {NAME}, without which a key opens nothing"


@dataclass(frozen=True)
class AddStageToPlan:
    def __str__(self) -> str:
        return "Add the stage to the usage plan"


@dataclass(frozen=True)
class AddKeyToPlan:
    def __str__(self) -> str:
        return f"Let the API key {NAME} open what needs a key"


@dataclass(frozen=True)
class RemoveStagesFromPlan:
    """Take the API's stages out of a usage plan, which cannot be deleted with them."""

    stages: tuple[str, ...]

    def __str__(self) -> str:
        return f"Take the stage{'s' if len(self.stages) > 1 else ''} out of the usage plan"


@dataclass(frozen=True)
class DeleteUsagePlan:
    def __str__(self) -> str:
        return f"Delete the usage plan {NAME}"


Step: TypeAlias = (
    CreateRole
    | TrustLambda
    | PutRolePolicy
    | TagRole
    | LeaveRole
    | DeleteRole
    | CreateLogGroup
    | SetLogRetention
    | TagLogGroup
    | DeleteLogGroup
    | CreateFunction
    | UpdateFunctionConfiguration
    | UpdateFunctionCode
    | DeleteVersion
    | PublishVersion
    | CreateAlias
    | MoveAlias
    | ReserveConcurrency
    | TagFunction
    | AllowApi
    | AllowUrl
    | CreateUrl
    | DeleteUrl
    | DeleteFunction
    | CreateApi
    | TagApi
    | CreateResource
    | DeleteResource
    | PutMethod
    | PutPreflight
    | DeleteMethod
    | PutGatewayResponse
    | DeployApi
    | SetThrottle
    | DeleteApi
    | CreateKey
    | EnableKey
    | DeleteKey
    | CreateUsagePlan
    | AddStageToPlan
    | AddKeyToPlan
    | RemoveStagesFromPlan
    | DeleteUsagePlan
)


def as_json(steps: tuple[Step, ...]) -> list[dict[str, str]]:
    """Return the steps for a program to read: the kind of each, and its sentence."""
    return [{"step": type(step).__name__, "says": str(step)} for step in steps]
