"""EventBridge's rules of a State: as deploy's own values, and as AWS answers them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from gimel.deploy.resources.rules import ObservedRule
from tests.support.aws import Refusal
from tests.support.state.cloud import SNAPSHOT, Rule, State
from tests.support.state.names import MARK, Desired

GONE = Refusal("ResourceNotFoundException", "does not exist.", 400)


def seen_rules(
    there: State, wanted: Desired | None, known: Collection[str], foreign: list[str]
) -> dict[str, ObservedRule]:
    """Return the rules that are Gimel's, of functions that are desired or `known`."""
    asked = wanted.function_names if wanted else ()
    found = {}
    for name, rule in there.rules.items():
        if name != _snapshot(there) or name not in {*known, *asked}:
            continue
        is_ours = rule.target == there.place.alias(name)
        if is_ours or rule.tags.get(MARK) == there.place.name:
            found[name] = ObservedRule(
                rule.schedule, rule.is_enabled, rule.target, tuple(_target_ids(rule))
            )
        elif wanted is None or name in asked:
            foreign.append(f"the EventBridge rule {there.place.rule(name)}")
    return found


def rule_answers(there: State) -> dict[str, Any]:
    """Return the answers to the calls that read rules, by their names."""

    def described(given: Mapping[str, Any]) -> Any:
        rule = there.rules.get(given["Name"])
        if rule is None:
            return GONE
        pattern = {} if rule.schedule else {"EventPattern": '{"source": ["aws.s3"]}'}
        schedule = {"ScheduleExpression": rule.schedule} if rule.schedule else {}
        state = "ENABLED" if rule.is_enabled else "DISABLED"
        return {"Name": given["Name"], "State": state, **schedule, **pattern}

    def targets(given: Mapping[str, Any]) -> Any:
        rule = there.rules[given["Rule"]]
        listed = [{"Id": each, "Arn": there.place.function("theirs")} for each in rule.theirs]
        if rule.target is not None:
            changed = {} if rule.target else {"Input": "{}"}
            arn = rule.target or there.place.alias(given["Rule"])
            listed.append({"Id": "gimel", "Arn": arn, **changed})
        return {"Targets": listed} if listed else {}

    return {"DescribeRule": described, "ListTargetsByRule": targets}


def rule_tags(there: State, arn: str) -> Any:
    """Return the answer to ListTagsForResource about a rule."""
    rule = there.rules.get(arn.rpartition("/")[2])
    if rule is None:
        return GONE
    return {"Tags": [{"Key": key, "Value": value} for key, value in rule.tags.items()]}


def _snapshot(there: State) -> str:
    return SNAPSHOT.replace("gimel", there.place.name, 1)


def _target_ids(rule: Rule) -> list[str]:
    return [*sorted(rule.theirs), *(["gimel"] if rule.target is not None else [])]
