"""A rollback: which function goes to which version, or why none does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gimel.deploy.deploys import deploys_to_go_to, live_functions, past_deploys
from gimel.deploy.history import UNPUBLISHED
from gimel.deploy.resources.trials import Trial
from gimel.deploy.rollback import plan_rollback
from gimel.errors import GimelError
from tests.support.configurations import OWN_FUNCTION
from tests.support.state.after import after, states
from tests.support.state.cases import planned
from tests.support.state.cloud import (
    ALL,
    DELETE,
    EMPTY,
    FUNCTIONS,
    LATEST,
    TRACK,
    WITH_ROUTES,
    State,
)
from tests.support.state.deviations import change_function, deviate, existing
from tests.support.state.expected import assert_steps, step, steps
from tests.support.state.names import MoveAlias, MoveBack, Step, TryVersions
from tests.support.state.seen import seen
from tests.support.state.settled import left_by_1_5_0

FOREIGN = "arn:aws:iam::123456789012:role/theirs"
OUR = "our-experiment"


def sizes(track: int, results: int | None = None, delete: int | None = None) -> dict[str, Any]:
    """Return a configuration with these sizes in MB, of all functions if only one is given."""
    memory = (track, results or track, delete or track)
    options = {name: {"memory": each} for name, each in zip(WITH_ROUTES, memory, strict=True)}
    return {"aws": {"functions": options}}


def deployed(*documents: dict[str, Any], there: State = EMPTY) -> State:
    """Deploy these configurations one after the other."""
    for document in documents:
        there = after(there, planned(there, **document))
    return there


def rollback(there: State, to: int | None = None) -> tuple[Step, ...]:
    """Return the steps of a rollback."""
    return plan_rollback(seen(there, versions=True), to)


def rolled_back(there: State, to: int | None = None) -> State:
    """Return the account after a rollback."""
    return after(there, rollback(there, to))


def live(there: State) -> tuple[int, ...]:
    """Return the sizes of what is live, of which each configuration here has its own."""
    return tuple(existing(there.functions[name].serving).memory for name in WITH_ROUTES)


def versions(there: State) -> tuple[int | None, ...]:
    """Return the version of each function that is live."""
    return tuple(there.functions[name].live for name in WITH_ROUTES)


A, B, BAD, FIX = sizes(128), sizes(256), sizes(512), sizes(1024)


def test_after_a_bad_deploy_and_a_fix_rollback_does_not_go_to_the_bad_one() -> None:
    """It was rolled back, so that it is not what was live before the fix."""
    there = rolled_back(deployed(A, B, BAD))
    assert live(there) == (256, 256, 256)

    fixed = deployed(FIX, there=there)

    assert versions(fixed) == (4, 4, 4)
    assert live(rolled_back(fixed)) == (256, 256, 256)


def test_a_configuration_that_was_reverted_is_rolled_back_to_what_it_replaced() -> None:
    """An old version is live again, and the one before it is the newer one."""
    there = deployed(A, B, BAD, B)
    assert versions(there) == (2, 2, 2)

    there = rolled_back(there)

    assert versions(there) == (3, 3, 3)
    assert versions(rolled_back(there)) == (2, 2, 2)


def test_there_and_back_again_can_be_rolled_back() -> None:
    """A, B, A: what was live before is B, though no version has a lower number than A's."""
    there = deployed(A, B, A)

    assert live(rolled_back(there)) == (256, 256, 256)
    assert live(rolled_back(rolled_back(there))) == (128, 128, 128)


def test_a_function_that_the_last_deploy_did_not_touch_stays() -> None:
    """It would go back to an old password of Redis."""
    password: dict[str, Any] = {"redis": {"host": "redis.example.com", "password": "new"}}
    there = deployed({}, password, {**password, **sizes(512, 256, 256)})
    assert versions(there) == (3, 2, 2)

    assert_steps(
        rollback(there), [step(TryVersions), step(MoveBack, function=TRACK, before=3, number=2)]
    )
    assert versions(rolled_back(there)) == (2, 2, 2)
    assert versions(rolled_back(rolled_back(there))) == (1, 1, 1)


def test_rolling_back_twice_goes_one_deploy_further() -> None:
    """And the next deploy makes the configuration live again, without a new version."""
    there = deployed(A, B, BAD)

    twice = rolled_back(rolled_back(there))

    assert live(twice) == (128, 128, 128)
    forward = planned(twice, **BAD)
    assert_steps(forward, [step(TryVersions), *steps(MoveAlias, "function", WITH_ROUTES, number=3)])
    assert live(rolled_back(after(twice, forward))) == (128, 128, 128)


SCATTERED = deployed(
    sizes(128), sizes(256, 128, 128), sizes(256, 256, 128), sizes(256, 256, 256), sizes(512)
)


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        (1, (128, 128, 128)),
        (2, (256, 128, 128)),
        (3, (256, 256, 128)),
        (4, (256, 256, 256)),
        (5, (512, 512, 512)),
    ],
)
def test_a_deploy_can_be_gone_back_to_by_its_number(to: int, expected: tuple[int, ...]) -> None:
    """Though the versions of the functions have different numbers."""
    assert versions(SCATTERED) == (3, 3, 3)

    assert live(rolled_back(SCATTERED, to)) == expected


def test_the_deploy_that_is_live_needs_no_step() -> None:
    """Not even a trial."""
    assert rollback(SCATTERED, 5) == ()


def test_the_versions_are_tried_before_any_function_goes_back() -> None:
    """What stays live removes the marked event that a version counts."""
    there = deployed(A, sizes(256, 128, 128))

    tried, moved = rollback(there)

    made = there.functions
    assert isinstance(tried, TryVersions)
    assert isinstance(moved, MoveBack)
    assert tried.trials == (Trial(TRACK, made[TRACK].versions[1], 1),)
    assert tried.remover == Trial(DELETE, existing(made[DELETE].serving), UNPUBLISHED)


def test_a_function_that_the_deploy_created_stays() -> None:
    """The API calls it. A later rollback leaves it alone."""
    there = deployed(A, {**B, "extra_wiring": [OWN_FUNCTION]})

    once = rolled_back(there)

    assert live(once) == (128, 128, 128)
    assert once.functions[OUR].live == 1
    again = deployed({**FIX, "extra_wiring": [OWN_FUNCTION]}, there=once)
    moved = {each.function for each in rollback(again) if isinstance(each, MoveBack)}
    assert moved == set(WITH_ROUTES)


def test_a_function_that_was_created_in_between_stays() -> None:
    """Before the deploy to go back to it did not exist."""
    there = deployed(
        A, {**A, "extra_wiring": [OWN_FUNCTION]}, {**B, "extra_wiring": [OWN_FUNCTION]}
    )

    there = rolled_back(there, 1)

    assert live(there) == (128, 128, 128)
    assert there.functions[OUR].live == 1


def test_a_function_of_somebody_elses_stays() -> None:
    """Though it has the name of one of Gimel's."""
    there = deviate(deployed(A, B), change_function(ALL, role=FOREIGN, tags={}))

    assert versions(rolled_back(there)) == (1, 2, 1)


def without_version(number: int, there: State) -> State:
    """Return an account in which somebody has deleted a version of the tracking function."""
    kept = dict(there.functions[TRACK].versions)
    del kept[number]
    return deviate(there, change_function(TRACK, versions=kept))


def taken_over() -> State:
    """Return an account in which Gimel 1.5.0 was taken over."""
    return deployed({}, there=left_by_1_5_0())


def many() -> State:
    """Return an account after more deploys than are kept, rolled back as far as possible."""
    there = deployed(*(sizes(size) for size in range(128, 1024, 128)))
    for _ in range(4):
        there = rolled_back(there)
    return there


FIRST = "Deploy 1 is the first"
IMPOSSIBLE: dict[str, tuple[State, int | None, str]] = {
    "nothing deployed": (EMPTY, None, "No Gimel deployment found in us-east-1"),
    "one deploy": (deployed(A), None, FIRST),
    "the first is live again": (rolled_back(deployed(A, B)), None, FIRST),
    "no such deploy": (deployed(A, B), 9, "deploy 9.*"),
    "rolled back before": (rolled_back(deployed(A, B)), 2, "deploy 2.*"),
    "too old": (many(), None, "no longer kept"),
    "too old, by its number": (many(), 2, "deploy 2"),
    "the version deleted": (
        without_version(1, deployed(A, B)),
        None,
        f"Version 1.*{TRACK}.*no long",
    ),
    "1.5.0, after its takeover": (taken_over(), None, "Deploy 2 is the first"),
    "1.5.0, by its number": (taken_over(), 1, "deploy 1"),
    "no alias": (deviate(deployed(A, B), change_function(ALL, live=None)), None, f"{ALL} is live"),
    "alias on $LATEST": (deviate(deployed(A, B), change_function(ALL, live=LATEST)), 1, ALL),
}


@pytest.mark.parametrize(("there", "to", "why"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_where_there_is_nothing_to_go_back_to_none_moves(
    there: State, to: int | None, why: str
) -> None:
    """The error says why."""
    with pytest.raises(GimelError, match=why):
        rollback(there, to)


def test_a_deploy_whose_version_is_gone_is_not_offered() -> None:
    """Rolling back to it would be refused. What is older can still be gone back to."""
    there = without_version(2, deployed(A, B, BAD))

    assert deploys_to_go_to(live_functions(seen(there, versions=True))) == [1]
    with pytest.raises(GimelError, match=f"Version 2.*{TRACK}.*no longer") as failure:
        rollback(there)
    assert failure.value.hint == "Deploys to go back to: 1."
    assert versions(rolled_back(there, 1)) == (1, 1, 1)


def test_a_new_function_that_never_went_live_is_not_in_the_way() -> None:
    """Its deploy did not complete: the trial of its versions failed, or it was interrupted."""
    before = deployed(A, B)
    found = states(before, planned(before, **{**BAD, "extra_wiring": [OWN_FUNCTION]}))
    halfway = [each for each in found if OUR in each.functions and not each.functions[OUR].live]

    assert halfway
    for there in halfway:
        is_begun = there.functions[TRACK].live == 3
        assert live(rolled_back(there))[0] == (256 if is_begun else 128)
        assert rolled_back(there).functions[OUR].live is None


def test_the_error_says_where_one_can_go() -> None:
    """The numbers of the deploys that are still kept."""
    with pytest.raises(GimelError) as failure:
        rollback(SCATTERED, 9)

    assert failure.value.hint == "Deploys to go back to: 4, 3, 2, 1."


def test_a_takeover_is_the_first_deploy_that_counts() -> None:
    """Versions of 1.5.0 do not understand how the API invokes them since."""
    there = deployed(FIX, there=taken_over())

    there = rolled_back(there)

    assert versions(there) == (2, 2, 2)
    with pytest.raises(GimelError):
        rollback(there)


def test_a_deployment_of_1_5_0_can_be_rolled_back() -> None:
    """While it has not been taken over, its versions are all there are. They cannot be tried."""
    there = left_by_1_5_0()
    functions = {
        name: replace(each, versions={1: each.latest, 2: each.latest}, live=2)
        for name, each in there.functions.items()
    }

    moves = rollback(replace(there, functions=functions))

    assert_steps(moves, steps(MoveBack, "function", WITH_ROUTES, before=2, number=1))


def test_only_what_is_kept_can_be_gone_back_to() -> None:
    """Five versions of each function are kept: four deploys can be undone."""
    there = deployed(*(sizes(size) for size in range(128, 1024, 128)))

    assert deploys_to_go_to(live_functions(seen(there, versions=True))) == [6, 5, 4, 3]


def test_the_deploys_are_listed_newest_first() -> None:
    """With what each made live and who ran it; what was rolled back is marked as undone."""
    there = rolled_back(deployed(A, sizes(256, 128, 128), BAD))

    listed = past_deploys(live_functions(seen(there, versions=True)))

    assert [(each.number, each.is_current, each.is_undone) for each in listed] == [
        (3, False, True),
        (2, True, False),
        (1, True, False),
    ]
    assert [each.by for each in listed] == ["user/operator"] * 3
    assert set(listed[0].changes.split("; ")) == {"memory 128 -> 512 MB", "memory 256 -> 512 MB"}
    assert listed[1].versions == ((TRACK, 2),)
    assert dict(listed[2].versions) == dict.fromkeys(FUNCTIONS, 1)
