"""What the EventBridge rules call: the live version of the function of the same name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gimel.deploy.desired import Desired
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.rules import RULES, TARGET
from gimel.errors import GimelError


class RuleTargets(Resource[None]):
    """See the module. They are observed with the rules, and removed with them."""

    def observe(self, look: Look) -> None:
        return None

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        for function in desired.functions:
            rule = observed.of(RULES).get(function.name)
            arn = observed.identity.alias(function.name)
            if function.schedule is not None and (rule is None or rule.target != arn):
                yield PutTarget(function.name)


RULE_TARGETS = RuleTargets()


@dataclass(frozen=True)
class PutTarget(Step):
    function: str

    def __str__(self) -> str:
        return f"Let the EventBridge rule {self.function} call the function {self.function}"

    def perform(self, run: Run) -> None:
        """Raises GimelError where AWS accepts the call and not the target."""
        target = {"Id": TARGET, "Arn": run.identity.alias(self.function)}
        answer = run.aws.call("events", "put_targets", Rule=self.function, Targets=[target])
        for failed in answer.get("FailedEntries") or []:
            reason = failed.get("ErrorMessage") or failed.get("ErrorCode") or "no reason given"
            raise GimelError(f"EventBridge did not accept the target: {reason}")
