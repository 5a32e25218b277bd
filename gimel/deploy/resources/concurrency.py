"""The concurrency that a function reserves of the account's limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gimel.deploy.desired import Desired
from gimel.deploy.identity import Identity
from gimel.deploy.policies import Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.functions import function_permission, functions_by_name
from gimel.deploy.resources.role import recorded


class Concurrency(Resource[Mapping[str, int]]):
    """Observed by function name, where concurrency is reserved."""

    def observe(self, look: Look) -> Mapping[str, int]:
        """Ask only where it is recorded or desired: GetFunction does not say it of an alias.

        Under a role that Gimel did not make, nothing is recorded.
        """
        desired = look.desired.functions if look.desired else ()
        wanted = {each.name for each in desired if each.reserved_concurrency is not None}
        found = {}
        for name in functions_by_name(look):
            is_recorded = look.identity.deployment.role or name in recorded(look).reserved
            if name in wanted or is_recorded:
                answer = look.aws.call("lambda", "get_function_concurrency", FunctionName=name)
                if (reserved := answer.get("ReservedConcurrentExecutions")) is not None:
                    found[name] = reserved
        return found

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        """What one function gives back, another may need: reductions come first."""
        now = observed.of(self)
        changes = [
            ReserveConcurrency(each.name, now.get(each.name), each.reserved_concurrency)
            for each in desired.functions
            if now.get(each.name) != each.reserved_concurrency
        ]
        yield from sorted(changes, key=lambda change: not change.is_reduction)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        is_used = any(each.reserved_concurrency is not None for each in desired.functions)
        if is_used or identity.deployment.role:
            actions = [f"{verb}FunctionConcurrency" for verb in ("Delete", "Get", "Put")]
            yield function_permission(identity, desired, *actions)


CONCURRENCY = Concurrency()


@dataclass(frozen=True)
class ReserveConcurrency(Step):
    """Reserve concurrency for a function; None means that it shares the account's."""

    function: str
    before: int | None
    concurrency: int | None

    @property
    def is_reduction(self) -> bool:
        """Whether some concurrency is given back to the account."""
        return self.before is not None and (self.concurrency or 0) < self.before

    def __str__(self) -> str:
        if self.concurrency is None:
            return f"Remove the reserved concurrency of the function {self.function}"
        return f"Reserve a concurrency of {self.concurrency} for the function {self.function}"

    def perform(self, run: Run) -> None:
        function = {"FunctionName": self.function}
        if self.concurrency is None:
            run.aws.find("lambda", "delete_function_concurrency", **function)
        else:
            reserved = {"ReservedConcurrentExecutions": self.concurrency}
            run.aws.call("lambda", "put_function_concurrency", **function, **reserved)
