"""The published versions of the functions: one per change, kept for a rollback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gimel.deploy.desired import Desired
from gimel.deploy.identity import Identity
from gimel.deploy.policies import Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.functions import (
    function_permission,
    functions_by_name,
    version_id,
    wait_until_ready,
)

KEPT_VERSIONS = 5


class Versions(Resource[None]):
    """See the module. The versions are observed with the functions."""

    def observe(self, look: Look) -> None:
        return None

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        """Old versions are deleted first, so that no interruption leaves too many.

        A version that an alias points to is kept.
        """
        existing = functions_by_name(observed)
        for function in desired.functions:
            there = existing.get(function.name)
            if there is not None and there.needs_version(function.configuration):
                numbers = sorted(version.number for version in there.versions)
                for number in numbers[: -(KEPT_VERSIONS - 1)]:
                    if number not in there.aliased:
                        yield DeleteVersion(function.name, number)
                yield PublishVersion(function.name)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        yield function_permission(identity, desired, "PublishVersion")


VERSIONS = Versions()


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

    def __str__(self) -> str:
        return f"Publish a version of the function {self.function}"

    def perform(self, run: Run) -> None:
        answer = run.aws.call("lambda", "publish_version", FunctionName=self.function)
        run.ids[version_id(self.function)] = answer["Version"]
        # It must be ready before its alias sends it events.
        wait_until_ready(run, self.function, answer, answer["Version"])
