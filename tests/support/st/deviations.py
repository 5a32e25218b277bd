"""Deviations: what somebody, or an earlier deploy, left different in an account.

Each function returns a change of one thing, to be made by `deviate`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal, TypeVar

from tests.support.model import (
    UNPUBLISHED,
    Configuration,
    Observed,
    ObservedFunction,
    ObservedMethod,
    Version,
)

Deviation = Callable[[Observed], Observed]
T = TypeVar("T")


def deviate(there: Observed, *deviations: Deviation) -> Observed:
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
    return lambda there: replace(there, role=replace(_known(there.role), **changes))


def change_api(**changes: Any) -> Deviation:
    """Change the API."""
    return lambda there: replace(there, api=replace(_known(there.api), **changes))


def change_key(**changes: Any) -> Deviation:
    """Change the API key."""
    return lambda there: replace(there, key=replace(_known(there.key), **changes))


def change_plan(**changes: Any) -> Deviation:
    """Change the usage plan."""
    return lambda there: replace(there, plan=replace(_known(there.plan), **changes))


def change_function(name: str, **changes: Any) -> Deviation:
    """Change what is set on a function beside its versions."""

    def deviation(there: Observed) -> Observed:
        changed = replace(_known(there.function(name)), **changes)
        functions = tuple(changed if each.name == name else each for each in there.functions)
        return replace(there, functions=functions)

    return deviation


def remove_function(name: str) -> Deviation:
    """Delete a function."""
    return lambda there: replace(
        there, functions=tuple(each for each in there.functions if each.name != name)
    )


def add_function(name: str, role: str) -> Deviation:
    """Add a function that runs as this role."""
    there = ObservedFunction(name, role, None)
    return lambda observed: replace(observed, functions=(*observed.functions, there))


def deploy_with(name: str, **changes: Any) -> Deviation:
    """Have a function's one version differ, as the deploy of another configuration leaves it."""

    def deviation(there: Observed) -> Observed:
        found = replace(live_configuration(there, name), **changes)
        version = Version(1, found)
        return change_function(name, live=version, versions=(version,), latest=found)(there)

    return deviation


def publish(name: str, *memory: int, live: int | None) -> Deviation:
    """Have a function's versions 1, 2, ... be of these sizes in MB, and `live` the live one."""

    def deviation(there: Observed) -> Observed:
        base = live_configuration(there, name)
        versions = tuple(
            Version(number, replace(base, memory=each)) for number, each in enumerate(memory, 1)
        )
        latest = versions[-1].configuration
        serving = next((each for each in versions if each.number == live), None)
        if live == UNPUBLISHED:
            serving = Version(UNPUBLISHED, latest)
        return change_function(name, versions=versions, latest=latest, live=serving)(there)

    return deviation


def set_log_group(name: str, days: int | None) -> Deviation:
    """Have a function's log group keep its logs for so many days, None for ever."""
    return lambda there: replace(there, log_groups={**there.log_groups, name: days})


def remove_log_group(name: str) -> Deviation:
    """Delete a function's log group."""
    return lambda there: replace(
        there, log_groups={each: days for each, days in there.log_groups.items() if each != name}
    )


def change_method(path: str, name: str, **changes: Any) -> Deviation:
    """Change a method of the API."""

    def deviation(there: Observed) -> Observed:
        found = _known(there.api)
        changed = replace(_known(found.method(path, name)), **changes)
        methods = tuple(
            changed if (each.path, each.method) == (path, name) else each for each in found.methods
        )
        return replace(there, api=replace(found, methods=methods))

    return deviation


def remove_method(path: str, name: str | None = None) -> Deviation:
    """Delete a method of the API, or all of a path."""

    def deviation(there: Observed) -> Observed:
        found = _known(there.api)
        methods = tuple(
            each
            for each in found.methods
            if each.path != path or (name is not None and each.method != name)
        )
        return replace(there, api=replace(found, methods=methods))

    return deviation


def add_method(path: str, name: str) -> Deviation:
    """Add a method by hand that calls nothing of Gimel's."""
    added = ObservedMethod(path, name, False, (), None, None, None)
    return lambda there: replace(
        there, api=replace(_known(there.api), methods=(*_known(there.api).methods, added))
    )


def add_path(name: str) -> Deviation:
    """Add a path by hand."""

    def deviation(there: Observed) -> Observed:
        found = _known(there.api)
        resources = {**found.resources, f"/{name}": f"{name}-id"}
        return replace(there, api=replace(found, resources=resources))

    return deviation


def remove_path(name: str) -> Deviation:
    """Delete a path, with its methods."""

    def deviation(there: Observed) -> Observed:
        there = remove_method(name)(there)
        found = _known(there.api)
        left = {each: id_ for each, id_ in found.resources.items() if each != f"/{name}"}
        return replace(there, api=replace(found, resources=left))

    return deviation


def set_gateway_response(kind: str, parameters: Mapping[str, str] | None) -> Deviation:
    """Change how the gateway answers by itself, None for AWS's default."""

    def deviation(there: Observed) -> Observed:
        found = _known(there.api)
        left = {each: value for each, value in found.gateway_responses.items() if each != kind}
        answers = left if parameters is None else {**left, kind: parameters}
        return replace(there, api=replace(found, gateway_responses=answers))

    return deviation


def live_configuration(there: Observed, name: str) -> Configuration:
    """Return the configuration of a function's live version."""
    return _known(_known(there.function(name)).live).configuration


def _known(value: T | None) -> T:
    assert value is not None
    return value
