"""The EventBridge rules that call functions on a schedule. What each calls is in `rule_targets`.

A rule has the name of its function.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gimel.deploy.aws import Answer
from gimel.deploy.desired import Desired
from gimel.deploy.identity import Identity
from gimel.deploy.policies import Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.functions import functions_by_name
from gimel.deploy.resources.permissions import permissions_of
from gimel.deploy.resources.role import recorded
from gimel.deploy.resources.tag_record import tags_of_region
from gimel.deploy.resources.tags import MARK, as_pairs, marked, retag
from gimel.wiring import scheduled_functions

TARGET = "gimel"
"""The id of Gimel's own target among those of a rule."""

_DAILY = re.compile(r"cron\((\d+) (\d+) \* \* \? \*\)")


@dataclass(frozen=True)
class ObservedRule:
    """A rule as it is.

    `schedule` is its expression, "" where it is not called by its schedule alone. `target` is the
    ARN that Gimel's own target calls with the plain event, "" where it calls in another way, None
    without that target. `targets` are the ids of all targets.
    """

    schedule: str
    is_enabled: bool
    target: str | None
    targets: tuple[str, ...]

    def describe(self) -> str:
        """Return when the rule calls its function, or why it does not."""
        if not self.is_enabled:
            return "off, because the EventBridge rule is disabled"
        if not self.target:
            return "off, because the EventBridge rule does not call the function"
        when = describe_schedule(self.schedule)
        return when or "off, because the EventBridge rule has no schedule"


class Rules(Resource[Mapping[str, ObservedRule]]):
    """Observed by function name."""

    def observe(self, look: Look) -> Mapping[str, ObservedRule]:
        """Ask only where a rule is desired, or may be left: another user lacks the permission."""
        desired = {each.name for each in look.desired.functions} if look.desired else set()
        known = {*desired, *recorded(look).functions, *functions_by_name(look)}
        found = {}
        for name in scheduled_functions(look.identity.name):
            answer = look.aws.find("events", "describe_rule", Name=name) if name in known else None
            if answer is None:
                continue
            targets = look.aws.pages("events", "list_targets_by_rule", Rule=name)
            if _is_ours(look, name, targets):
                found[name] = _parse(answer, targets)
            elif look.desired is None or name in desired:
                look.foreign.append(f"the EventBridge rule {look.identity.rule(name)}")
        return found

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        tags = marked(observed.identity.name, desired.tags)
        for function in desired.functions:
            if function.schedule is None:
                continue
            there = observed.of(self).get(function.name)
            if there is None:
                yield CreateRule(function.name, function.schedule, tags)
            elif there.schedule != function.schedule or not there.is_enabled:
                yield UpdateRule(function.name, function.schedule, there)

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        scheduled = [each.name for each in desired.functions if each.schedule is not None]
        for name, rule in observed.of(self).items():
            if name not in scheduled:
                yield DeleteRule(name, rule.targets)

    def tag(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        tags, before = marked(observed.identity.name, desired.tags), tags_of_region(observed)
        for function in desired.functions:
            if function.schedule is not None and function.name in observed.of(self):
                arn = {"ResourceARN": observed.identity.rule(function.name)}
                yield from retag(f"EventBridge rule {function.name}", "events", arn, tags, before)

    def remove(self, observed: Observed) -> Iterator[Step]:
        for name, rule in observed.of(self).items():
            yield DeleteRule(name, rule.targets)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        actions = ["DeleteRule", "DescribeRule", "ListTagsForResource", "ListTargetsByRule"]
        actions += ["PutRule", "PutTargets", "RemoveTargets", "TagResource", "UntagResource"]
        rules = [identity.rule(each.name) for each in desired.functions if each.schedule]
        if rules:
            yield Permission("Rules", tuple(f"events:{name}" for name in actions), tuple(rules))


RULES = Rules()


def describe_schedule(expression: str) -> str:
    """Return an expression in words, if it is one of once a day: "daily at 00:05 UTC"."""
    daily = _DAILY.fullmatch(expression)
    return f"daily at {int(daily[2]):02}:{int(daily[1]):02} UTC" if daily else expression


def describe_snapshots(observed: Observed) -> Iterator[str]:
    """Yield for each function with a schedule when it is called, or why it is not.

    One that does not exist, and has no rule, is not wanted.
    """
    for name in scheduled_functions(observed.identity.name):
        rule, function = observed.of(RULES).get(name), functions_by_name(observed).get(name)
        if rule is None and function is None:
            continue
        if function is None or function.live is None:
            yield f"off, because no version of the function {name} is live"
        elif rule is None:
            yield "off, because the EventBridge rule does not exist"
        elif permissions_of(observed, name).rule not in ("", observed.identity.rule(name)):
            yield f"off, because the function {name} does not admit the EventBridge rule"
        else:
            yield rule.describe()


def _is_ours(look: Look, name: str, targets: list[Answer]) -> bool:
    """Return whether Gimel made a rule: it calls Gimel's function, or is marked.

    An interrupted deploy leaves a rule without a target.
    """
    arn = look.identity.rule(name)
    if any(each["Arn"] == look.identity.alias(name) for each in targets):
        return True
    answer = look.aws.find("events", "list_tags_for_resource", ResourceARN=arn)
    tags = answer["Tags"] if answer else []
    return {"Key": MARK, "Value": look.identity.name} in tags


def _parse(rule: Answer, targets: list[Answer]) -> ObservedRule:
    own = next((each for each in targets if each["Id"] == TARGET), None)
    is_plain = own is not None and not {key for key in own if own[key]} - {"Id", "Arn"}
    return ObservedRule(
        schedule="" if rule.get("EventPattern") else rule.get("ScheduleExpression", ""),
        is_enabled=rule.get("State") != "DISABLED",
        target=None if own is None else own["Arn"] if is_plain else "",
        targets=tuple(each["Id"] for each in targets),
    )


@dataclass(frozen=True)
class CreateRule(Step):
    function: str
    schedule: str
    tags: Mapping[str, str]

    def __str__(self) -> str:
        return f"Create the EventBridge rule {self.function}: {describe_schedule(self.schedule)}"

    def perform(self, run: Run) -> None:
        _put(run, self.function, self.schedule, Tags=as_pairs(self.tags))


@dataclass(frozen=True)
class UpdateRule(Step):
    """Restore what was changed by hand, or set another schedule."""

    function: str
    schedule: str
    before: ObservedRule

    def __str__(self) -> str:
        changes = [] if self.before.is_enabled else ["enable it"]
        if self.before.schedule != self.schedule:
            before = describe_schedule(self.before.schedule) or "another trigger"
            changes.append(f"{before} -> {describe_schedule(self.schedule)}")
        return f"Update the EventBridge rule {self.function}: {', '.join(changes)}"

    def perform(self, run: Run) -> None:
        _put(run, self.function, self.schedule)


@dataclass(frozen=True)
class DeleteRule(Step):
    """Delete a rule, which is only possible without `targets`."""

    function: str
    targets: tuple[str, ...]

    def __str__(self) -> str:
        return f"Delete the EventBridge rule {self.function}"

    def perform(self, run: Run) -> None:
        if self.targets:
            ids = list(self.targets)
            run.aws.find("events", "remove_targets", Rule=self.function, Ids=ids)
        run.aws.find("events", "delete_rule", Name=self.function)


def _put(run: Run, name: str, schedule: str, **more: object) -> None:
    """Create a rule, or replace all of it but its targets and tags."""
    about = {"Description": f"Calls the function {name}, for Gimel", "State": "ENABLED"}
    run.aws.call("events", "put_rule", Name=name, ScheduleExpression=schedule, **about, **more)
