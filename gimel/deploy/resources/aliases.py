"""The alias of each function, which decides what version is live. Everything invokes the alias."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gimel.deploy.desired import Desired
from gimel.deploy.history import NO_HISTORY, UNPUBLISHED, Deploy, History
from gimel.deploy.identity import ALIAS, Identity
from gimel.deploy.policies import Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.functions import (
    function_permission,
    functions_by_name,
    this_deploy,
    version_id,
)


class Aliases(Resource[None]):
    """See the module. The aliases are observed with the functions."""

    def observe(self, look: Look) -> None:
        return None

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        existing = functions_by_name(observed)
        for function in desired.functions:
            there = existing.get(function.name)
            if there is not None and there.is_live(function.configuration):
                continue
            deploy = this_deploy(desired, observed)
            number = there.version_with(function.configuration) if there else None
            if there is None or there.live is None:
                yield CreateAlias(function.name, number, deploy)
            else:
                # What 1.5.0 left cannot work once it was taken over.
                is_ours = there.live.configuration.settings is not None
                earlier = there.history if is_ours else NO_HISTORY
                yield MoveAlias(function.name, there.live.number, number, deploy, earlier)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        yield function_permission(identity, desired, "CreateAlias", "UpdateAlias")


ALIASES = Aliases()


@dataclass(frozen=True)
class CreateAlias(Step):
    """Create the alias; `number` None means the version that has just been published."""

    function: str
    number: int | None
    deploy: Deploy

    def __str__(self) -> str:
        return f"Make {_version(self.number)} of the function {self.function} {ALIAS}"

    def perform(self, run: Run) -> None:
        version = _number(run, self.function, self.number)
        history = NO_HISTORY.after(self.deploy, version, run.now)
        _point(run, "create_alias", self.function, history)


@dataclass(frozen=True)
class MoveAlias(Step):
    """Point the alias to another version; `number` None means the one just published.

    `earlier` is the history so far.
    """

    function: str
    before: int
    number: int | None
    deploy: Deploy
    earlier: History

    def __str__(self) -> str:
        before = "unpublished code" if self.before == UNPUBLISHED else f"version {self.before}"
        now = _version(self.number)
        return f"Make {now} of the function {self.function} {ALIAS}, replacing {before}"

    def perform(self, run: Run) -> None:
        version = _number(run, self.function, self.number)
        history = self.earlier.after(self.deploy, version, run.now)
        _point(run, "update_alias", self.function, history, **_NO_SPLIT)


@dataclass(frozen=True)
class MoveBack(Step):
    """Point the alias to the version that the history `to` begins with, as a rollback does."""

    function: str
    earlier: History
    to: History

    @property
    def number(self) -> int:
        """The version that becomes live."""
        return self.to.entries[0].version

    @property
    def before(self) -> int:
        """The version that was live."""
        return self.earlier.entries[0].version

    def __str__(self) -> str:
        if self.number == self.before:
            why = "which is live already" if self.to.newest else "the first one"
            return f"Keep version {self.number} of the function {self.function}, {why}"
        now = f"{_version(self.number)} of the function {self.function}"
        return f"Make {now} {ALIAS} again, replacing {_version(self.before)}"

    def undo(self) -> MoveBack:
        """Return the step that restores what was live, and its history."""
        return MoveBack(self.function, self.to, self.earlier)

    def perform(self, run: Run) -> None:
        _point(run, "update_alias", self.function, self.to, **_NO_SPLIT)


# Traffic that was split by hand would otherwise stay split.
_NO_SPLIT: dict[str, Any] = {"RoutingConfig": {"AdditionalVersionWeights": {}}}


def _version(number: int | None) -> str:
    return "the new version" if number is None else f"version {number}"


def _number(run: Run, function: str, number: int | None) -> int:
    return int(run.ids[version_id(function)]) if number is None else number


def _point(run: Run, operation: str, function: str, history: History, **more: Any) -> None:
    """Point the alias to the version that a history begins with, and record the history."""
    which = {"FunctionName": function, "Name": ALIAS}
    version = str(history.entries[0].version)
    description = history.describe()
    run.aws.call(
        "lambda", operation, **which, FunctionVersion=version, Description=description, **more
    )
    run.live[function] = history
