"""Rolling back: which functions go to which version, from the history that AWS keeps. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from gimel.deploy.deploys import (
    deploys_to_go_to,
    is_lost,
    is_missing,
    live_functions,
    newest_deploy,
)
from gimel.deploy.history import UNPUBLISHED
from gimel.deploy.resources.aliases import MoveBack
from gimel.deploy.resources.base import Observed, Step
from gimel.deploy.resources.observed_function import ObservedFunction
from gimel.deploy.resources.trials import Trial, try_versions
from gimel.errors import GimelError


def plan_rollback(observed: Observed, to: int | None = None) -> tuple[Step, ...]:
    """Return the steps that undo the newest deploy, or every deploy after number `to`.

    The versions to go back to are tried first. Functions that those deploys did not change are not
    touched. Raises GimelError where nothing can be undone.
    """
    functions = live_functions(observed)
    newest = newest_deploy(functions)
    undone = newest if to is None else to + 1
    _check(functions, undone, to)
    moves = [
        MoveBack(function.name, function.history, function.history.before(undone))
        for function in functions
        if function.history.newest >= undone
    ]
    numbers = {move.function: move.number for move in moves if move.number != move.before}
    trials = [
        Trial(function.name, version.configuration, version.number)
        for function in functions
        for version in function.versions
        if version.number == numbers.get(function.name)
    ]
    others = [
        Trial(function.name, function.live.configuration, UNPUBLISHED)
        for function in functions
        if function.live and function.name not in numbers
    ]
    return (*try_versions(trials, others, observed), *moves)


def _check(functions: Sequence[ObservedFunction], undone: int, to: int | None) -> None:
    """Raise GimelError where there is nothing before a deploy, or it cannot be restored."""
    reachable = deploys_to_go_to(functions)
    listed = f"Deploys to go back to: {', '.join(map(str, reachable))}." if reachable else ""
    newest = newest_deploy(functions)
    undoes = [each for each in functions if each.history.newest >= undone]
    for function in undoes:
        if is_missing(function, undone) and not is_lost(function.history, undone):
            number = function.history.before(undone).entries[0].version
            raise GimelError(
                f"Version {number} of the function {function.name} no longer exists. "
                "Nothing was rolled back.",
                listed,
            )
    if to is not None and to not in (*reachable, newest):
        raise GimelError(f"Cannot go back to deploy {to}. Nothing was rolled back.", listed)
    if undoes and not reachable:
        lost = any(is_lost(each.history, undone) for each in functions)
        why = f"What was live before deploy {newest} is no longer kept."
        if not lost:
            why = f"Deploy {newest} is the first one, so that there is none to go back to."
        raise GimelError(
            f"{why} Nothing was rolled back.", "`gimel status --history` lists the deploys."
        )
