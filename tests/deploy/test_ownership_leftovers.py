"""What interruptions and deletions by hand leave of Gimel: a destroy or a rotation finds it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gimel.deploy.plan import plan_destroy, plan_key_rotation
from gimel.deploy.resources.api_key import CreateKey, DeleteKey, DeleteOtherKeys
from gimel.deploy.resources.usage_plan import AddKeyToPlan
from gimel.errors import GimelError
from tests.support.aws import Script, scripted
from tests.support.state.after import after
from tests.support.state.answers import answers
from tests.support.state.cloud import EMPTY, KEY, Place, State
from tests.support.state.deviations import deviate, remove
from tests.support.state.look import look
from tests.support.state.names import MarkKey, Observed
from tests.support.state.seen import seen
from tests.support.state.settled import left_by_1_5_0, settled

SHOP_EMPTY = replace(EMPTY, place=Place(name="shop"))


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted() as script:
        yield script


def observed(script: Script, there: State, **more: Any) -> Observed:
    """Return what a destroy sees of an account, in which some calls have other answers."""
    script.answers = {**answers(there), **more}
    return look(script.aws(there.place))


def test_a_key_that_an_interrupted_rotation_left_goes_too(script: Script) -> None:
    """Both keys are Gimel's, and only one of them is in use."""
    key = {"name": "gimel", "value": "a", "enabled": True, "tags": {"gimel": "gimel"}}
    keys = {"items": [{**key, "id": KEY}, {**key, "id": "another"}]}

    steps = plan_destroy(observed(script, settled(), GetApiKeys=keys))

    assert [type(each) for each in steps if "API key" in str(each)] == [DeleteOtherKeys, DeleteKey]
    once = plan_destroy(observed(script, settled()))
    assert DeleteOtherKeys not in map(type, once)


def test_the_key_of_1_5_0_is_replaced_as_well(script: Script) -> None:
    """It is marked first: only marked keys are deleted."""
    there = replace(left_by_1_5_0(), plan=settled().plan)

    steps = plan_key_rotation(observed(script, there))

    assert [type(each) for each in steps] == [MarkKey, CreateKey, AddKeyToPlan, DeleteOtherKeys]
    assert MarkKey not in map(type, plan_key_rotation(observed(script, settled())))


def test_functions_of_1_5_0_whose_api_was_deleted_are_destroyed(script: Script) -> None:
    """They have no settings to be known by, but Gimel's names and role."""
    there = deviate(left_by_1_5_0(), remove("api"))

    left = after(there, plan_destroy(observed(script, there)))

    assert (left.role, left.functions, left.log_groups) == (None, {}, {})


def test_a_deployment_that_does_not_exist_is_named() -> None:
    """A name may be misspelled. The default one needs no mention."""
    with pytest.raises(GimelError, match=r"No Gimel deployment shop found in us-east-1\."):
        plan_key_rotation(seen(SHOP_EMPTY))
    with pytest.raises(GimelError, match=r"No Gimel deployment found in us-east-1\."):
        plan_key_rotation(seen(EMPTY))
