"""Deviations: what somebody, or the deploy of another configuration, left different.

Each function returns a change of one thing in an account, to be made by `deviate`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal, TypeVar

from tests.support.state.cloud import Function, LogGroup, Method, Rule, State
from tests.support.state.names import Configuration

EARLIER = "gimel 1:1 =0123abcd"
"""The description of an alias after a first deploy of another configuration."""

Deviation = Callable[[State], State]
T = TypeVar("T")


def deviate(there: State, *deviations: Deviation) -> State:
    """Return an account with these deviations, the first one made first."""
    for deviation in deviations:
        there = deviation(there)
    return there


def remove(part: Literal["role", "api", "key", "plan"]) -> Deviation:
    """Remove a part of the account as a whole."""
    nothing: dict[str, Any] = {part: None}
    return lambda there: replace(there, **nothing)


def change_role(**changes: Any) -> Deviation:
    """Change the role."""
    return lambda there: replace(there, role=replace(existing(there.role), **changes))


def change_api(**changes: Any) -> Deviation:
    """Change the API."""
    return lambda there: replace(there, api=replace(existing(there.api), **changes))


def change_plan(**changes: Any) -> Deviation:
    """Change the usage plan."""
    return lambda there: replace(there, plan=replace(existing(there.plan), **changes))


def disable_key() -> Deviation:
    """Disable the API key."""
    return lambda there: replace(there, key=False)


def change_function(name: str, **changes: Any) -> Deviation:
    """Change a function."""
    return lambda there: add_function(name, replace(there.functions[name], **changes))(there)


def add_function(name: str, function: Function) -> Deviation:
    """Add a function."""
    return lambda there: replace(there, functions={**there.functions, name: function})


def remove_function(name: str) -> Deviation:
    """Delete a function."""
    return lambda there: replace(there, functions=_without(there.functions, name))


def deploy_with(name: str, **changes: Any) -> Deviation:
    """Change the configuration of a function's one version, as an earlier deploy leaves it."""

    def deviation(there: State) -> State:
        found = replace(_configuration(there, name), **changes)
        changed = change_function(name, versions={1: found}, latest=found, live=1)(there)
        functions = {
            each: replace(
                function,
                history=EARLIER,
                described={1: f"{EARLIER.replace('1:1', 'deploy 1')} by user/operator: created"},
            )
            for each, function in changed.functions.items()
        }
        return replace(changed, functions=functions)

    return deviation


def publish(name: str, *memory: int, live: int | None) -> Deviation:
    """Give a function versions 1, 2, ... of these sizes in MB, of which `live` is the live one.

    Which deploys made them is not recorded.
    """

    def deviation(there: State) -> State:
        base = _configuration(there, name)
        versions = {
            number: replace(base, memory=each) for number, each in enumerate(memory, start=1)
        }
        latest = versions[len(memory)]
        made: dict[str, Any] = {"versions": versions, "latest": latest, "live": live}
        return change_function(name, **made, history="", described={})(there)

    return deviation


def set_log_group(name: str, days: int | None) -> Deviation:
    """Have a log group keep its logs for so many days; None is without end."""
    return change_log_group(name, days=days)


def change_log_group(name: str, **changes: Any) -> Deviation:
    """Change a log group."""
    return lambda there: add_log_group(name, replace(there.log_groups[name], **changes))(there)


def add_log_group(name: str, group: LogGroup) -> Deviation:
    """Add a log group."""
    return lambda there: replace(there, log_groups={**there.log_groups, name: group})


def remove_log_group(name: str) -> Deviation:
    """Delete a log group."""
    return lambda there: replace(there, log_groups=_without(there.log_groups, name))


def change_rule(name: str, **changes: Any) -> Deviation:
    """Change an EventBridge rule."""
    return lambda there: add_rule(name, replace(there.rules[name], **changes))(there)


def add_rule(name: str, rule: Rule) -> Deviation:
    """Add an EventBridge rule."""
    return lambda there: replace(there, rules={**there.rules, name: rule})


def remove_rule(name: str) -> Deviation:
    """Delete an EventBridge rule."""
    return lambda there: replace(there, rules=_without(there.rules, name))


def change_method(path: str, method: str, **changes: Any) -> Deviation:
    """Change a method of the API."""
    return lambda there: add_method(
        path, method, replace(existing(there.api).methods[path, method], **changes)
    )(there)


def add_method(path: str, method: str, added: Method) -> Deviation:
    """Add a method to the API."""
    return lambda there: change_api(methods={**existing(there.api).methods, (path, method): added})(
        there
    )


def remove_method(path: str, method: str) -> Deviation:
    """Delete a method of the API."""
    return lambda there: change_api(methods=_without(existing(there.api).methods, (path, method)))(
        there
    )


def add_path(name: str) -> Deviation:
    """Add a path to the API."""
    return lambda there: change_api(paths=existing(there.api).paths | {name})(there)


def remove_path(name: str) -> Deviation:
    """Delete a path, with its methods."""

    def deviation(there: State) -> State:
        api = existing(there.api)
        left = {each: api.methods[each] for each in api.methods if each[0] != name}
        return change_api(paths=api.paths - {name}, methods=left)(there)

    return deviation


def set_gateway_response(kind: str, parameters: Mapping[str, str] | None) -> Deviation:
    """Change an answer of the gateway's own; None is AWS's default."""

    def deviation(there: State) -> State:
        left = _without(existing(there.api).responses, kind)
        return change_api(responses=left if parameters is None else {**left, kind: parameters})(
            there
        )

    return deviation


def existing(value: T | None) -> T:
    """Return a value that is not None."""
    assert value is not None
    return value


def _configuration(there: State, name: str) -> Configuration:
    return existing(there.functions[name].serving)


def _without(items: Mapping[Any, Any], key: Any) -> dict[Any, Any]:
    return {each: items[each] for each in items if each != key}
