"""A rollback: which alias moves to which version, or why none does; and all are moved or none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gimel.deploy.apply import apply_all_or_none
from gimel.deploy.plan import plan_rollback
from gimel.errors import GimelError
from tests.support.aws import Refusal, scripted
from tests.support.state.cloud import ALL, DELETE, EMPTY, FUNCTIONS, LATEST, TRACK, State
from tests.support.state.deviations import Deviation, change_function, deviate, existing, publish
from tests.support.state.expected import Expected, assert_steps, step, steps
from tests.support.state.names import MoveAlias
from tests.support.state.seen import seen
from tests.support.state.settled import left_by_1_5_0, settled

FOREIGN = "arn:aws:iam::123456789012:role/theirs"


def everywhere(*memory: int, live: int) -> list[Deviation]:
    """Publish these sizes of every function, and make one of the versions live."""
    return [publish(name, *memory, live=live) for name in FUNCTIONS]


def rolled_back(*deviations: Deviation, to: int | None = None) -> tuple[MoveAlias, ...]:
    """Return the steps of a rollback, from a deployment with these deviations."""
    return plan_rollback(seen(deviate(settled(), *deviations), versions=True), to)


def without_version(number: int) -> Deviation:
    """Delete a version of the tracking function."""

    def deviation(there: State) -> State:
        versions = dict(there.functions[TRACK].versions)
        del versions[number]
        return change_function(TRACK, versions=versions)(there)

    return deviation


@pytest.mark.parametrize(
    ("deviations", "to", "expected"),
    [
        (everywhere(128, 256, live=2), None, steps(MoveAlias, "function", FUNCTIONS, number=1)),
        (
            everywhere(128, 256, 512, live=3),
            None,
            steps(MoveAlias, "function", FUNCTIONS, before=3, number=2),
        ),
        (
            everywhere(128, 256, 512, live=2),
            None,
            steps(MoveAlias, "function", FUNCTIONS, before=2, number=1),
        ),
        (
            [publish(TRACK, 128, 256, live=2)],
            None,
            [step(MoveAlias, function=TRACK, before=2, number=1)],
        ),
        (
            [publish(TRACK, 1, 2, 3, live=3), without_version(2)],
            None,
            [step(MoveAlias, function=TRACK, before=3, number=1)],
        ),
        (everywhere(128, 256, 512, live=3), 1, steps(MoveAlias, "function", FUNCTIONS, number=1)),
        (
            everywhere(128, 256, 512, live=1),
            3,
            steps(MoveAlias, "function", FUNCTIONS, before=1, number=3),
        ),
        (
            [*everywhere(128, 256, live=2), publish(TRACK, 128, 256, live=1)],
            1,
            steps(MoveAlias, "function", (ALL, DELETE), before=2, number=1),
        ),
        (everywhere(128, 256, live=2), 2, []),
        (
            [*everywhere(128, 256, live=2), change_function(ALL, role=FOREIGN)],
            None,
            steps(MoveAlias, "function", (TRACK, DELETE), number=1),
        ),
    ],
    ids=[
        "two deploys",
        "three deploys",
        "after a rollback",
        "one function changed",
        "a version deleted",
        "to the first",
        "forward",
        "one is there already",
        "all are there already",
        "a function of somebody else's",
    ],
)
def test_aliases_move_to_the_version_before_or_to_the_one_given(
    deviations: list[Deviation], to: int | None, expected: list[Expected]
) -> None:
    """A function that never had another version keeps its own."""
    assert_steps(rolled_back(*deviations, to=to), expected)


@pytest.mark.parametrize(
    ("deviations", "to", "names"),
    [
        ([], None, "."),
        (everywhere(128, 256, live=1), None, "."),
        ([publish(TRACK, 128, 256, live=2)], 2, ALL),
        (everywhere(128, 256, live=2), 9, "9"),
        ([*everywhere(128, 256, live=2), change_function(ALL, live=None)], None, ALL),
        ([*everywhere(128, 256, live=2), change_function(ALL, live=LATEST)], None, ALL),
        ([*everywhere(128, 256, live=2), change_function(ALL, live=LATEST)], 1, ALL),
    ],
    ids=[
        "one deploy",
        "the first is live",
        "one function has no such version",
        "none has such a version",
        "no alias",
        "alias on $LATEST",
        "alias on $LATEST, and a version given",
    ],
)
def test_all_are_moved_or_none(deviations: list[Deviation], to: int | None, names: str) -> None:
    """The error names the function that cannot be moved, and no other is."""
    with pytest.raises(GimelError, match=names):
        rolled_back(*deviations, to=to)


def test_an_account_without_a_deployment_is_an_error() -> None:
    """The error names the region, and says what to do."""
    with pytest.raises(GimelError, match="us-east-1") as failure:
        plan_rollback(seen(EMPTY, versions=True))

    assert failure.value.hint


def taken_over() -> State:
    """Return an account whose functions have 1.5.0's version 1, and a version 2 that is live."""
    old, new = left_by_1_5_0(), settled()
    functions = {
        name: replace(
            each, versions={**old.functions[name].versions, 2: existing(each.serving)}, live=2
        )
        for name, each in new.functions.items()
    }
    return replace(new, functions=functions)


@pytest.mark.parametrize("to", [None, 1])
def test_a_version_of_1_5_0_is_none_to_go_back_to(to: int | None) -> None:
    """It does not understand how the API invokes it after the takeover."""
    with pytest.raises(GimelError):
        plan_rollback(seen(taken_over(), versions=True), to)


def test_a_deployment_of_1_5_0_can_be_rolled_back() -> None:
    """While it has not been taken over, its versions are all there are."""
    there = left_by_1_5_0()
    functions = {
        name: replace(each, versions={1: each.latest, 2: each.latest}, live=2)
        for name, each in there.functions.items()
    }

    moves = plan_rollback(seen(replace(there, functions=functions), versions=True))

    assert_steps(moves, steps(MoveAlias, "function", FUNCTIONS, before=2, number=1))


def rolling_back() -> tuple[Any, Any]:
    """Return the moves of a rollback of all functions from version 2 to 1, and what was seen."""
    there = deviate(settled(), *(publish(name, 128, 256, live=2) for name in FUNCTIONS))
    observed = seen(there, versions=True)
    return plan_rollback(observed), observed


def alias(function: str, version: str) -> dict[str, Any]:
    """Return the parameters that move an alias."""
    return {
        "FunctionName": function,
        "Name": "live",
        "FunctionVersion": version,
        "RoutingConfig": {"AdditionalVersionWeights": {}},
    }


def test_a_rollback_moves_every_alias() -> None:
    """By the call that a deploy makes, too; a share of another version ends with it."""
    moves, observed = rolling_back()
    with scripted() as script:
        for move in moves:
            script.expect("UpdateAlias", **alias(move.function, "1"))
        apply_all_or_none(script.aws(), moves, observed)


@pytest.mark.parametrize("done", [0, 1, 2])
def test_a_rollback_that_fails_moves_back_what_it_moved(done: int) -> None:
    """All aliases are moved or none; the error names the one that could not be."""
    moves, observed = rolling_back()
    names = [move.function for move in moves]
    with scripted() as script:
        for name in names[:done]:
            script.expect("UpdateAlias", **alias(name, "1"))
        refusal = Refusal("AccessDeniedException", "not yours", 403)
        script.expect("UpdateAlias", refusal, **alias(names[done], "1"))
        for name in reversed(names[:done]):
            script.expect("UpdateAlias", **alias(name, "2"))
        with pytest.raises(GimelError, match="not yours") as failure:
            apply_all_or_none(script.aws(), moves, observed)

    assert names[done] in failure.value.message
