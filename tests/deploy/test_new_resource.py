"""A resource that Gimel does not have: it takes one class and one line of order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gimel import config
from gimel.deploy.apply import apply
from gimel.deploy.aws import Aws
from gimel.deploy.desired import Desired, desired_state
from gimel.deploy.identity import Identity
from gimel.deploy.plan import plan, plan_destroy, required_permissions
from gimel.deploy.policies import Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step

IDENTITY = Identity("123456789012", "eu-west-1", "arn:aws:iam::123456789012:user/me")


@dataclass(frozen=True)
class PutRule(Step):
    schedule: str

    def __str__(self) -> str:
        return f"Run daily at {self.schedule}"

    def perform(self, run: Run) -> None:
        answer = run.aws.call("events", "put_rule", Name="gimel", ScheduleExpression=self.schedule)
        run.ids["rule"] = answer["RuleArn"]


@dataclass(frozen=True)
class DeleteRule(Step):
    destructive = True

    def __str__(self) -> str:
        return "Delete the schedule"

    def perform(self, run: Run) -> None:
        run.aws.find("events", "delete_rule", Name="gimel")


class ScheduledRule(Resource[str | None]):
    """An EventBridge rule, observed as its schedule."""

    WANTED = "cron(0 3 * * ? *)"

    def observe(self, look: Look) -> str | None:
        rule = look.aws.find("events", "describe_rule", Name="gimel")
        return str(rule["ScheduleExpression"]) if rule else None

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        if observed.of(self) != self.WANTED:
            yield PutRule(self.WANTED)

    def remove(self, observed: Observed) -> Iterator[Step]:
        if observed.of(self):
            yield DeleteRule()

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        yield Permission("Rule", ("events:PutRule", "events:DeleteRule"), ("*",))


RULE = ScheduledRule()
RESOURCES = (RULE,)


class Events(Aws):
    """An account with one rule, or none."""

    def __init__(self, schedule: str | None) -> None:
        self.schedule = schedule
        self.calls: list[str] = []

    def identity(self) -> Identity:
        return IDENTITY

    def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        self.calls.append(f"{service}:{operation}")
        return {"RuleArn": "arn:rule"}

    def find(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any] | None:
        self.calls.append(f"{service}:{operation}")
        return {"ScheduleExpression": self.schedule} if self.schedule else None


@pytest.fixture
def desired(tmp_path: Path) -> Desired:
    """The desired state of a plain configuration."""
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"redis": {"host": "redis.example"}}))
    return desired_state(config.load(file), b"zip")


@pytest.mark.parametrize(
    ("schedule", "steps"),
    [
        (None, (PutRule(ScheduledRule.WANTED),)),
        ("rate(1 hour)", (PutRule(ScheduledRule.WANTED),)),
        (ScheduledRule.WANTED, ()),
    ],
    ids=["missing", "different", "as desired"],
)
def test_it_is_planned(desired: Desired, schedule: str | None, steps: tuple[Step, ...]) -> None:
    """A plan has its step where what exists is not what is wanted."""
    observed = Observed(IDENTITY, {RULE: schedule})

    assert plan(desired, observed, RESOURCES) == steps


def test_it_is_observed_and_performed(desired: Desired) -> None:
    """The loop performs its step with the calls that the step makes."""
    aws = Events(None)
    look = Look(aws, desired)
    observed = Observed(look.identity, {RULE: look.of(RULE)})

    apply(aws, plan(desired, observed, RESOURCES), observed, resources=RESOURCES)

    assert aws.calls == ["events:describe_rule", "events:put_rule"]


def test_it_is_removed() -> None:
    """A destroy deletes it where it exists."""
    assert plan_destroy(Observed(IDENTITY, {RULE: "rate(1 hour)"}), RESOURCES) == (DeleteRule(),)
    assert plan_destroy(Observed(IDENTITY, {RULE: None}), RESOURCES) == ()


def test_its_permissions_are_in_the_policy(desired: Desired) -> None:
    """`gimel iam-policy` prints what each resource in the list needs."""
    statement, *_ = required_permissions(IDENTITY, desired, RESOURCES)["Statement"]

    assert statement["Action"] == ["events:DeleteRule", "events:PutRule"]
