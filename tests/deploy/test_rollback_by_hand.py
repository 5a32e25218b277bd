"""A rollback after somebody has changed an alias by hand."""

from __future__ import annotations

from tests.deploy.test_rollback import BAD, A, B, deployed, rollback, rolled_back, sizes, versions
from tests.support.state.cloud import ALL, FUNCTIONS, TRACK
from tests.support.state.deviations import change_function, deviate


def test_an_alias_that_was_moved_by_hand_goes_to_what_the_record_says() -> None:
    """The first entry of the record is whatever is live."""
    there = deviate(deployed(A, B, BAD), change_function(TRACK, live=1))

    assert versions(rolled_back(there)) == (2, 2, 2)


def test_the_description_of_an_alias_can_be_lost() -> None:
    """Somebody writes their own: the versions up to the live one are then the history."""
    lost = (change_function(name, history="our own words") for name in FUNCTIONS)
    there = deviate(deployed(A, B, BAD), *lost)

    assert versions(rolled_back(there)) == (2, 2, 2)


def test_a_function_whose_record_is_lost_goes_back_with_the_others() -> None:
    """Its versions say which deploys published them, so that functions are not mixed."""
    there = deployed(A, sizes(256, 128, 128), sizes(512, 128, 128), BAD)

    lost = deviate(there, change_function(ALL, history=""))

    assert versions(rolled_back(lost)) == versions(rolled_back(there)) == (3, 1, 1)


def test_a_function_whose_version_was_changed_by_hand_to_the_one_before_stays() -> None:
    """The step does not claim that there is none before."""
    there = deviate(deployed(A, B), change_function(TRACK, live=1))

    sentences = [str(each) for each in rollback(there)]

    assert f"Keep version 1 of the function {TRACK}, which is live already" in sentences
    assert versions(rolled_back(there)) == (1, 1, 1)
