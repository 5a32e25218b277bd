"""The published versions of the functions: one per change, kept for a rollback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gimel.deploy.desired import Desired
from gimel.deploy.history import KEPT_VERSIONS, Deploy, Publication
from gimel.deploy.identity import Identity
from gimel.deploy.policies import Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.functions import (
    function_permission,
    functions_by_name,
    this_deploy,
    version_id,
    wait_until_ready,
)
from gimel.deploy.resources.observed_function import ObservedFunction


class Versions(Resource[None]):
    """See the module. The versions are observed with the functions."""

    def observe(self, look: Look) -> None:
        return None

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        """Old versions are deleted first, so that no interruption leaves too many.

        A version that an alias points to is kept, and what a rollback may need once the new one
        is live.
        """
        existing = functions_by_name(observed)
        for function in desired.functions:
            there = existing.get(function.name)
            if there is not None and there.needs_version(function.configuration):
                for number in _surplus(there):
                    yield DeleteVersion(function.name, number)
                before = there.live.configuration if there.live else there.latest
                changes = before.describe_changes(function.configuration) if before else ()
                deploy = this_deploy(desired, observed)
                yield PublishVersion(function.name, deploy, ", ".join(changes))

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        yield function_permission(identity, desired, "PublishVersion")


VERSIONS = Versions()


def _surplus(function: ObservedFunction) -> list[int]:
    """Return the oldest versions beyond those to keep, with room for a new one."""
    reachable = {entry.version for entry in function.history.entries[: KEPT_VERSIONS - 1]}
    numbers = sorted(version.number for version in function.versions)
    removable = [number for number in numbers if number not in reachable | function.aliased]
    return removable[: max(0, len(numbers) - (KEPT_VERSIONS - 1))]


@dataclass(frozen=True)
class DeleteVersion(Step):
    function: str
    number: int

    def __str__(self) -> str:
        return f"Delete the old version {self.number} of the function {self.function}"

    def perform(self, run: Run) -> None:
        which = {"FunctionName": self.function, "Qualifier": str(self.number)}
        run.aws.find("lambda", "delete_function", **which)


@dataclass(frozen=True)
class PublishVersion(Step):
    function: str
    deploy: Deploy
    changes: str = ""

    def __str__(self) -> str:
        return f"Publish a version of the function {self.function}"

    def perform(self, run: Run) -> None:
        description = Publication(self.deploy, run.by, self.changes).describe()
        which = {"FunctionName": self.function, "Description": description}
        answer = run.aws.call("lambda", "publish_version", **which)
        run.ids[version_id(self.function)] = answer["Version"]
        # It must be ready before its alias sends it events.
        wait_until_ready(run, self.function, answer, answer["Version"])
