"""The alias of each function, which decides what version is live. Everything invokes the alias."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gimel.deploy.desired import Desired
from gimel.deploy.identity import ALIAS, Identity
from gimel.deploy.policies import Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.functions import (
    function_permission,
    functions_by_name,
    version_id,
)
from gimel.deploy.resources.observed_function import UNPUBLISHED


class Aliases(Resource[None]):
    """See the module. The aliases are observed with the functions."""

    def observe(self, look: Look) -> None:
        return None

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        existing = functions_by_name(observed)
        for function in desired.functions:
            there = existing.get(function.name)
            if there is None:
                yield CreateAlias(function.name)
            elif not there.is_live(function.configuration):
                number = there.version_with(function.configuration)
                if there.live is None:
                    yield CreateAlias(function.name, number)
                else:
                    yield MoveAlias(function.name, there.live.number, number)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        yield function_permission(identity, desired, "CreateAlias", "UpdateAlias")


ALIASES = Aliases()


@dataclass(frozen=True)
class CreateAlias(Step):
    """Create the alias; `number` None means the version that has just been published."""

    function: str
    number: int | None = None

    def __str__(self) -> str:
        return f"Make {_version(self.number)} of the function {self.function} {ALIAS}"

    def perform(self, run: Run) -> None:
        _point(run, "create_alias", self.function, self.number)


@dataclass(frozen=True)
class MoveAlias(Step):
    """Point the alias to another version; `number` None means the one just published."""

    function: str
    before: int
    number: int | None = None

    def __str__(self) -> str:
        before = "unpublished code" if self.before == UNPUBLISHED else f"version {self.before}"
        now = _version(self.number)
        return f"Make {now} of the function {self.function} {ALIAS}, replacing {before}"

    def perform(self, run: Run) -> None:
        # Traffic that was split by hand would otherwise stay split.
        no_split: dict[str, Any] = {"RoutingConfig": {"AdditionalVersionWeights": {}}}
        _point(run, "update_alias", self.function, self.number, **no_split)


def _version(number: int | None) -> str:
    return "the new version" if number is None else f"version {number}"


def _point(run: Run, operation: str, function: str, number: int | None, **more: Any) -> None:
    version = run.ids[version_id(function)] if number is None else str(number)
    which = {"FunctionName": function, "Name": ALIAS, "FunctionVersion": version}
    run.aws.call("lambda", operation, **which, **more)
