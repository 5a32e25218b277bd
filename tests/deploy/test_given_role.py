"""A deployment under a role that Gimel did not make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gimel.deploy.plan import plan, plan_destroy
from gimel.errors import GimelError
from tests.support.aws import Script, scripted
from tests.support.state.after import after, states
from tests.support.state.answers import answers
from tests.support.state.cases import planned
from tests.support.state.cloud import EMPTY, HERE, TRACK, Place, State
from tests.support.state.deviations import add_function, deviate, existing
from tests.support.state.look import look
from tests.support.state.names import Desired, Observed, Step, Tag
from tests.support.state.seen import seen
from tests.support.state.settled import desired, settled

GIVEN = Place(given_role="arn:aws:iam::123456789012:role/company/functions")
GIVEN_EMPTY = replace(EMPTY, place=GIVEN)
UNDER_IT: dict[str, Any] = {"aws": {"role": GIVEN.given_role}}


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted() as script:
        yield script


def observed(script: Script, there: State, wanted: Desired | None = None) -> Observed:
    """Return what is seen of an account."""
    script.answers = answers(there)
    return look(script.aws(there.place), wanted)


def is_about_roles(step: Step) -> bool:
    """Return whether a step calls IAM."""
    return "ole" in type(step).__name__ or (isinstance(step, Tag) and step.service == "iam")


def test_under_a_given_role_no_step_and_no_call_concerns_roles(script: Script) -> None:
    """Whoever runs it needs no permission of IAM but to pass the role."""
    made = settled(GIVEN, **UNDER_IT)
    steps = planned(GIVEN_EMPTY, **UNDER_IT)
    wanted = desired(**UNDER_IT)

    assert after(GIVEN_EMPTY, steps) == made
    assert plan(wanted, observed(script, made, wanted)) == ()
    destroying = plan_destroy(observed(script, made))
    assert after(made, destroying) == GIVEN_EMPTY
    assert not [each for each in (*steps, *destroying) if is_about_roles(each)]
    assert not [each for each in script.made if "Role" in each]


@pytest.mark.parametrize(
    ("before", "place", "now"),
    [({}, GIVEN, UNDER_IT), (UNDER_IT, HERE, {})],
    ids=["to a given role", "from a given role"],
)
def test_the_role_of_a_deployment_can_change(
    before: dict[str, Any], place: Place, now: dict[str, Any]
) -> None:
    """Its functions get versions that run as the other role. Gimel's own role is left."""
    there = replace(settled(**before), place=place)

    done = after(there, planned(there, **now))

    assert planned(done, **now) == ()
    for function in done.functions.values():
        assert existing(function.serving).role == place.given_role


def test_a_function_of_a_given_role_without_a_mark_is_somebody_elses(script: Script) -> None:
    """Other functions run as it, too."""
    theirs = replace(settled(GIVEN, **UNDER_IT).functions[TRACK], tags={})
    there = deviate(GIVEN_EMPTY, add_function(TRACK, theirs))
    wanted = desired(**UNDER_IT)

    with pytest.raises(GimelError, match=HERE.function(TRACK)):
        plan(wanted, observed(script, there, wanted))
    assert plan_destroy(observed(script, there)) == ()


def test_under_a_given_role_what_was_interrupted_can_be_destroyed(script: Script) -> None:
    """Nothing records the functions there: their log groups are known by name and tag."""
    made = settled(GIVEN, **UNDER_IT)
    destroying = plan_destroy(seen(made))

    for state in (
        *states(GIVEN_EMPTY, planned(GIVEN_EMPTY, **UNDER_IT)),
        *states(made, destroying),
    ):
        assert after(state, plan_destroy(observed(script, state))) == GIVEN_EMPTY
