"""What exists after a step on EventBridge's rules, or on who may invoke a function by one."""

from __future__ import annotations

from dataclasses import replace

from tests.support.state.after_base import needs, step_after
from tests.support.state.after_compute import function_of, with_function
from tests.support.state.cloud import Rule, State
from tests.support.state.names import AllowRule, CreateRule, DeleteRule, PutTarget, UpdateRule


@step_after.register
def _(step: AllowRule, there: State) -> State:
    """A permission that exists already is found out by the call, and replaced."""
    needs(function_of(step, there, step.function).live is not None, step, "there is no alias")
    return with_function(step, there, step.function, rule=there.place.rule(step.function))


@step_after.register
def _(step: CreateRule, there: State) -> State:
    needs(step.function not in there.rules, step, "it exists")
    return _with_rule(there, step.function, Rule(step.schedule, tags=dict(step.tags)))


@step_after.register
def _(step: UpdateRule, there: State) -> State:
    rule = _rule(step, there, step.function)
    return _with_rule(there, step.function, replace(rule, schedule=step.schedule, is_enabled=True))


@step_after.register
def _(step: PutTarget, there: State) -> State:
    needs(function_of(step, there, step.function).live is not None, step, "there is no alias")
    rule = _rule(step, there, step.function)
    return _with_rule(there, step.function, replace(rule, target=there.place.alias(step.function)))


@step_after.register
def _(step: DeleteRule, there: State) -> State:
    rule = _rule(step, there, step.function)
    own = set() if rule.target is None else {"gimel"}
    needs(set(step.targets) == own | rule.theirs, step, "it has other targets")
    left = {name: there.rules[name] for name in there.rules if name != step.function}
    return replace(there, rules=left)


def _rule(step: CreateRule | UpdateRule | PutTarget | DeleteRule, there: State, name: str) -> Rule:
    needs(name in there.rules, step, "there is no such rule")
    return there.rules[name]


def _with_rule(there: State, name: str, rule: Rule) -> State:
    return replace(there, rules={**there.rules, name: rule})
