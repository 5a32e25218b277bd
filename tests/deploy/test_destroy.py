"""The plan of a destroy: Gimel's resources, nobody else's, and in which order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gimel.deploy.plan import plan_destroy
from tests.support.configurations import CHANGE, LINKED, OWN_FUNCTION, SECOND_PATH, URL
from tests.support.state.after import after, states
from tests.support.state.cloud import (
    EMPTY,
    FUNCTIONS,
    HERE,
    OUR_STAGE,
    SNAPSHOT,
    TRACK,
    LogGroup,
    Place,
    State,
    UsagePlan,
)
from tests.support.state.deviations import (
    Deviation,
    add_function,
    add_log_group,
    change_function,
    change_plan,
    change_role,
    deviate,
    existing,
    remove,
    remove_function,
)
from tests.support.state.expected import assert_order, assert_steps, step, steps
from tests.support.state.names import (
    DeleteApi,
    DeleteFunction,
    DeleteKey,
    DeleteLogGroup,
    DeleteRole,
    DeleteRolePolicy,
    DeleteRule,
    DeleteUrl,
    DeleteUsagePlan,
    LeaveRole,
    RemoveStagesFromPlan,
    Step,
)
from tests.support.state.seen import role_policy, seen
from tests.support.state.settled import left_by_1_5_0, settled

FOREIGN = "arn:aws:iam::123456789012:role/theirs"
ELSEWHERE = Place("eu-west-1")


def destroyed(there: State) -> tuple[Step, ...]:
    """Return the steps that remove Gimel from an account."""
    return plan_destroy(seen(there))


def test_an_empty_account_has_nothing_to_destroy() -> None:
    """No step, not even for what never existed."""
    assert destroyed(EMPTY) == ()


def test_a_deployment_is_removed_as_a_whole() -> None:
    """One step for each thing that deploy made."""
    assert_steps(
        destroyed(settled(extra_wiring=[URL])),
        [
            step(RemoveStagesFromPlan, stages=(OUR_STAGE,)),
            step(DeleteUsagePlan),
            step(DeleteKey),
            step(DeleteApi),
            step(DeleteUrl, function=TRACK),
            step(DeleteRule, function=SNAPSHOT, targets=("gimel",)),
            *steps(DeleteFunction, "function", FUNCTIONS),
            *steps(DeleteLogGroup, "function", FUNCTIONS),
            step(DeleteRolePolicy),
            step(DeleteRole),
        ],
    )


@pytest.mark.parametrize(
    "document",
    [{}, CHANGE, {"extra_wiring": [SECOND_PATH, OWN_FUNCTION, URL, LINKED]}],
    ids=["nothing", "a bit of everything", "wiring"],
)
def test_nothing_is_left(document: dict[str, Any]) -> None:
    """Step by step, and no step is one that AWS would refuse."""
    there = settled(**document)

    assert after(there, destroyed(there)) == EMPTY


def test_nothing_of_a_role_with_a_path_is_left() -> None:
    """An account may want all roles below a path; names are unique all the same."""
    role = "arn:aws:iam::123456789012:role/apps/gimel"
    there = deviate(
        settled(), change_role(arn=role), *(change_function(name, role=role) for name in FUNCTIONS)
    )

    assert after(there, destroyed(there)) == EMPTY


def test_nothing_of_1_5_0_is_left() -> None:
    """Also a deployment that was never taken over, with a function of its owner's."""
    there = left_by_1_5_0(extra_wiring=[OWN_FUNCTION])

    assert after(there, destroyed(there)) == EMPTY


@pytest.mark.parametrize(
    "deviation",
    [remove("role"), change_role(policy=None)],
    ids=["without the role", "without its policy"],
)
def test_functions_are_found_without_their_record(deviation: Deviation) -> None:
    """By their role and settings: also one that only its own URL leads to."""
    there = deviate(settled(extra_wiring=[LINKED]), deviation)

    assert after(there, destroyed(there)) == EMPTY


def test_a_destroy_that_was_interrupted_is_completed() -> None:
    """Whatever step was the last one, the next destroy leaves nothing."""
    there = settled(**CHANGE)

    for state in states(there, destroyed(there)):
        assert after(state, destroyed(state)) == EMPTY


def test_the_role_goes_last() -> None:
    """Its policy is the record of the functions; the API goes before what it calls."""
    assert_order(
        destroyed(settled()),
        step(RemoveStagesFromPlan),
        step(DeleteApi),
        step(DeleteFunction, function=TRACK),
        step(DeleteLogGroup, function=TRACK),
        step(DeleteRole),
    )


def theirs(there: State) -> State:
    """Return an account in which another team has a function, its log group and its alias."""
    function = replace(there.functions[TRACK], role=FOREIGN, callers=None, tags={})
    group = LogGroup(None)
    return deviate(
        there, add_function("gimel-theirs", function), add_log_group("gimel-theirs", group)
    )


def test_what_is_somebody_elses_stays() -> None:
    """A function of another role and its log group, though their names begin with gimel."""
    left = after(theirs(settled()), destroyed(theirs(settled())))

    assert set(left.functions) == set(left.log_groups) == {"gimel-theirs"}


def test_a_function_of_somebody_elses_that_the_api_calls_stays() -> None:
    """Wired by hand into Gimel's API: the API goes, the function does not."""
    there = deviate(
        settled(extra_wiring=[OWN_FUNCTION]),
        change_function("our-experiment", role=FOREIGN, tags={}),
        change_role(policy=role_policy(HERE, FUNCTIONS)),
    )

    assert set(after(there, destroyed(there)).functions) == {"our-experiment"}


def test_a_usage_plan_of_somebody_elses_only_loses_the_stage() -> None:
    """Its other stages and keys stay, and so does the plan."""
    stages = frozenset({OUR_STAGE, "other:prod"})
    there = deviate(
        settled(), change_plan(ours=False, stages=stages, keys=frozenset({"other", "key1"}))
    )

    planned = destroyed(there)

    assert_order(planned, step(RemoveStagesFromPlan, stages=(OUR_STAGE,)), step(DeleteApi))
    assert after(there, planned).plan == UsagePlan(
        ours=False, stages=frozenset({"other:prod"}), keys=frozenset({"other"})
    )


def test_a_usage_plan_without_stages_is_deleted_at_once() -> None:
    """AWS takes one change of a plan in 20 seconds."""
    planned = destroyed(deviate(settled(), change_plan(stages=frozenset())))

    assert not [each for each in planned if isinstance(each, RemoveStagesFromPlan)]
    assert [each for each in planned if isinstance(each, DeleteUsagePlan)]


def test_a_log_group_whose_function_is_gone_is_deleted() -> None:
    """The record in the role's policy knows it."""
    there = deviate(settled(), remove_function(TRACK))

    assert after(there, destroyed(there)) == EMPTY


@pytest.mark.parametrize(
    ("deviation", "has_policy"), [(change_role(), True), (change_role(policy=None), False)]
)
def test_a_role_is_deleted_with_its_policy(deviation: Deviation, has_policy: bool) -> None:
    """IAM refuses to delete a role that has one, and to delete one that does not exist."""
    there = deviate(settled(), deviation)

    assert existing(there.role).policy is None or has_policy
    assert after(there, destroyed(there)).role is None


def in_two_regions() -> State:
    """Return a region whose role also serves another region."""
    elsewhere = role_policy(ELSEWHERE, FUNCTIONS)
    return deviate(settled(), change_role(policy=role_policy(HERE, FUNCTIONS, before=elsewhere)))


def test_the_role_stays_for_another_region() -> None:
    """Its policy is then exactly what a deploy in the other region alone writes."""
    there = in_two_regions()

    planned = destroyed(there)

    assert_order(
        planned, step(DeleteFunction), step(DeleteLogGroup), step(LeaveRole, regions=("eu-west-1",))
    )
    left = after(there, planned)
    assert existing(left.role).policy == role_policy(ELSEWHERE, FUNCTIONS)
    assert replace(left, role=None) == EMPTY
    assert destroyed(left) == ()


def test_a_region_without_a_deployment_has_nothing_to_destroy() -> None:
    """The role belongs to another region, and so does everything that its policy records."""
    there = replace(EMPTY, role=replace(existing(settled(ELSEWHERE).role)))

    assert destroyed(there) == ()
