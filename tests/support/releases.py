"""This version and Gimel 1.5.0 on the same store, and how their results are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import gimel
from tests.support.redis_content import Contents

OLD, NEW, BOTH = "1.5.0", "this version", "both in turns"
DEFAULT = "alephbet"
STANDARD_ERROR = 0.0081
"""The relative standard error of one HyperLogLog, at its largest."""

Call = Callable[[str, dict[str, Any]], Any]
"""A version's way to call a handler, by its name and with a flat event that both understand."""


def this_version(function: str, event: dict[str, Any]) -> Any:
    return getattr(gimel, function)(event)


def make_event(
    experiment: str, variant: str, goal: str, uuid: str, namespace: str = DEFAULT
) -> dict[str, str]:
    """Return a flat event."""
    return {
        "namespace": namespace,
        "experiment": experiment,
        "variant": variant,
        "event": goal,
        "uuid": uuid,
    }


def write(writer: str, call: dict[str, Call], events: Iterable[dict[str, Any]]) -> None:
    """Track the events with one version, or with each in turn."""
    for number, event in enumerate(events):
        version = writer if writer != BOTH else (OLD, NEW)[number % 2]
        call[version]("track", event)


def without_additions(contents: Contents) -> Contents:
    """Return the keys that 1.5.0 has too."""
    return {
        key: value
        for key, value in contents.items()
        if key != "gimel:namespaces" and not key.endswith(":meta")
    }


def as_1_5_0(goals: list[dict[str, Any]]) -> list[Any]:
    """Return the fields of an experiment's goals that 1.5.0 answers, sorted: it has no order."""
    return sorted(
        (
            goal["goal"],
            sorted(
                (result["label"], result["successes"], result["trials"])
                for result in goal["results"]
            ),
        )
        for goal in goals
    )


def counted(namespace: str = DEFAULT, scope: str | None = None) -> dict[str, dict[str, Any]]:
    """Return what this version's `all` answers, by experiment."""
    event = {"namespace": namespace, **({} if scope is None else {"scope": scope})}
    return {item["experiment"]: item for item in this_version("all", event)[1:]}
