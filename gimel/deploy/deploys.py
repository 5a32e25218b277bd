"""The deploys that AWS still knows of, and which of them a rollback can go to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gimel.deploy.history import History
from gimel.deploy.resources.base import Observed
from gimel.deploy.resources.functions import FUNCTIONS
from gimel.deploy.resources.observed_function import ObservedFunction
from gimel.errors import GimelError


@dataclass(frozen=True)
class PastDeploy:
    """A deploy: the versions that it made live, by function, and what is recorded of it.

    `is_current` if any of its versions is live; `is_undone` if it was rolled back, or never
    completed. `by` and `changes` are "" if none of its versions was new.
    """

    number: int
    when: str
    by: str
    changes: str
    versions: tuple[tuple[str, int], ...]
    is_current: bool
    is_undone: bool


def live_functions(observed: Observed) -> list[ObservedFunction]:
    """Return Gimel's functions that are live.

    One that the newest deploy created, and did not make live, is not among them. Raises GimelError
    if there are none, or if another one is not live.
    """
    found = observed.of(FUNCTIONS)
    functions = list(found)
    if not functions:
        raise GimelError(
            observed.identity.deployment.describe_absence(observed.identity.region),
            "Run `gimel deploy`, or choose another --region.",
        )
    live = [function for function in functions if function.live_number is not None]
    for function in functions:
        if function not in live and not (live and _is_new(function, newest_deploy(live))):
            raise GimelError(f"No version of {function.name} is live.", "Run `gimel deploy`.")
    return live


def _is_new(function: ObservedFunction, newest: int) -> bool:
    """Return whether a function without an alias was never live.

    All its versions are then of a deploy that did not complete.
    """
    deploys = [each.publication.deploy.number for each in function.versions if each.publication]
    return function.live is None and bool(deploys) and min(deploys) >= newest


def newest_deploy(functions: Sequence[ObservedFunction]) -> int:
    """Return the number of the newest deploy that is live."""
    return max(function.history.newest for function in functions)


def deploys_to_go_to(functions: Sequence[ObservedFunction]) -> list[int]:
    """Return the numbers of the deploys that a rollback can go to, newest first."""
    newest = newest_deploy(functions)
    known = {entry.deploy for each in functions for entry in each.history.entries}
    reachable = []
    for number in sorted(known - {0, newest}, reverse=True):
        if any(is_lost(function.history, number + 1) for function in functions):
            break
        if not any(is_missing(function, number + 1) for function in functions):
            reachable.append(number)
    return reachable


def is_missing(function: ObservedFunction, undone: int) -> bool:
    """Return whether the version that was live before a deploy was deleted, or never published."""
    if function.history.newest < undone:
        return False
    version = function.history.before(undone).entries[0].version
    return version not in [each.number for each in function.versions]


def is_lost(history: History, undone: int) -> bool:
    """Return whether what was live before a deploy is no longer kept."""
    return history.is_cut and history.begins_with(undone)


def past_deploys(functions: Sequence[ObservedFunction]) -> list[PastDeploy]:
    """Return the deploys that are recorded, newest first."""
    numbers = {entry.deploy for each in functions for entry in each.history.entries} - {0}
    numbers |= {
        version.publication.deploy.number
        for each in functions
        for version in each.versions
        if version.publication
    }
    return [_past_deploy(number, functions) for number in sorted(numbers, reverse=True)]


def _past_deploy(number: int, functions: Sequence[ObservedFunction]) -> PastDeploy:
    made_live = [
        (function.name, entry)
        for function in functions
        for entry in function.history.entries
        if entry.deploy == number
    ]
    published = [
        (function.name, version)
        for function in functions
        for version in function.versions
        if version.publication and version.publication.deploy.number == number
    ]
    publications = [version.publication for _, version in published if version.publication]
    changes = dict.fromkeys(each.changes for each in publications if each.changes)
    when = [entry.since for _, entry in made_live if entry.since]
    when += [f"{version.published[:16]}Z" for _, version in published if version.published]
    versions = [(name, entry.version) for name, entry in made_live]
    if not made_live:
        versions = [(name, version.number) for name, version in published]
    return PastDeploy(
        number=number,
        when=when[0] if when else "",
        by=publications[0].by if publications else "",
        changes="; ".join(changes),
        versions=tuple(versions),
        is_current=any(each.history.newest == number for each in functions),
        is_undone=not made_live,
    )
