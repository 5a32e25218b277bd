"""The plan for tags: one deviation per row; regions that share a role; the tags of others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.deploy import test_plan_api
from tests.support.state.after import after, states
from tests.support.state.cases import Case, planned
from tests.support.state.cloud import (
    EMPTY,
    FUNCTIONS,
    SNAPSHOT,
    Place,
    State,
)
from tests.support.state.deviations import (
    change_api,
    change_function,
    change_plan,
    change_role,
    deviate,
    existing,
    remove,
)
from tests.support.state.expected import step, steps
from tests.support.state.names import RECORD, Tag, record_of
from tests.support.state.settled import settled

EU = Place("eu-west-1")
TAGGED = (
    *(f"function {name}" for name in FUNCTIONS),
    *(f"log group /aws/lambda/{name}" for name in FUNCTIONS),
    f"EventBridge rule {SNAPSHOT}",
)


def tagged(**tags: str) -> dict[str, Any]:
    """Return a configuration with these tags."""
    return {"aws": {"tags": tags}}


def retagged(tags: dict[str, str], gone: tuple[str, ...], record: dict[str, str]) -> list[Any]:
    """Return the steps that tag everything again; the API also has a record of the tags."""
    of_api = {"tags": {**tags, **record}, "removed": gone if record else (RECORD, *gone)}
    return [
        step(Tag, what="REST API gimel", **of_api),
        *steps(Tag, "what", ("role gimel", *TAGGED), tags=tags, removed=gone),
    ]


TABLES = {
    "API deleted": Case(
        [
            *test_plan_api.API["API deleted"].expected[:-9],
            *steps(Tag, "what", TAGGED, tags={"gimel": "gimel", "team": "web"}, removed=()),
            step(Tag, what="REST API gimel", tags=record_of({"team": "web"}), removed=()),
        ],
        [remove("api"), change_plan(stages=frozenset())],
        now=tagged(team="web"),
    ),
    "tag added": Case(
        retagged({"a": "b"}, (), record_of({"team": "web", "a": "b"})),
        now=tagged(team="web", a="b"),
        before=tagged(team="web"),
    ),
    "tag changed": Case(
        steps(Tag, "what", ("role gimel", "REST API gimel", *TAGGED), tags={"team": "ops"}),
        now=tagged(team="ops"),
        before=tagged(team="web"),
    ),
    "tag removed": Case(retagged({}, ("team",), {}), now={}, before=tagged(team="web")),
    "tag replaced": Case(
        retagged({"owner": "ops"}, ("team",), record_of({"owner": "ops"})),
        now=tagged(owner="ops"),
        before=tagged(team="web"),
    ),
}


@pytest.mark.parametrize("case", TABLES.values(), ids=TABLES)
def test_a_deviation_has_its_steps(case: Case) -> None:
    """These steps and no others; after them, nothing is left to do."""
    case.check()


WEB, OPS = tagged(team="web", app="shop"), tagged(team="ops", unit="7")


def in_two_regions(first: dict[str, Any], second: dict[str, Any]) -> tuple[State, State]:
    """Return two regions of an account after a deploy in each, which share the role."""
    here = settled(**first)
    there = replace(EMPTY, place=EU, role=here.role)
    there = after(there, planned(there, **second))
    return replace(here, role=there.role), there


def given_tags(there: State) -> set[tuple[tuple[str, str], ...]]:
    """Return the tags of a region, without the record: one set where all have the same."""
    all_tags = [each.tags for each in there.functions.values()]
    all_tags += [each.tags for each in there.log_groups.values()]
    all_tags += [each.tags for each in there.rules.values()]
    of_api = existing(there.api).tags
    all_tags.append({key: of_api[key] for key in of_api if key != RECORD})
    return {tuple(sorted(tags.items())) for tags in all_tags}


@pytest.mark.parametrize(
    ("first", "second"),
    [(WEB, WEB), (WEB, OPS), (WEB, {}), ({}, WEB)],
    ids=["the same", "different", "only in the first", "only in the second"],
)
def test_two_regions_do_not_change_each_others_tags(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    """After a deploy in each, neither has anything to do, however often the other deploys."""
    here, there = in_two_regions(first, second)

    assert planned(here, **first) == planned(there, **second) == ()
    for state, document in ((here, first), (there, second)):
        tags = {"gimel": "gimel", **document.get("aws", {}).get("tags", {})}
        assert given_tags(state) == {tuple(sorted(tags.items()))}


def test_tags_are_given_in_a_second_region() -> None:
    """Though the role, which both share, has them already."""
    here, there = in_two_regions(WEB, {})

    steps = planned(there, **WEB)

    assert given_tags(after(there, steps)) == given_tags(here)
    assert {each.what for each in steps if isinstance(each, Tag)} == {*TAGGED, "REST API gimel"}


def test_the_role_keeps_the_tags_that_another_region_may_have_given() -> None:
    """Which one gave them is not known. Alone, a region removes its own."""
    here, there = in_two_regions(WEB, WEB)

    here = after(here, planned(here))

    assert existing(here.role).tags == {"gimel": "gimel", "team": "web", "app": "shop"}
    assert given_tags(here) == {(("gimel", "gimel"),)}
    assert planned(here) == planned(replace(there, role=here.role), **WEB) == ()
    alone = settled(**WEB)
    assert existing(after(alone, planned(alone)).role).tags == {"gimel": "gimel"}


THEIRS = {"cost-center": "42"}


def also_tagged(there: State) -> State:
    """Return an account in which somebody has tagged Gimel's resources."""
    return deviate(
        there,
        change_role(tags={**existing(there.role).tags, **THEIRS}),
        change_api(tags={**existing(there.api).tags, **THEIRS}),
        *(
            change_function(name, tags={**there.functions[name].tags, **THEIRS})
            for name in FUNCTIONS
        ),
    )


@pytest.mark.parametrize(
    ("before", "now"),
    [({}, {}), (WEB, WEB), ({}, WEB), (WEB, {}), (WEB, OPS)],
    ids=["no tags", "tags", "tags given", "tags removed", "tags replaced"],
)
def test_the_tags_of_others_stay(before: dict[str, Any], now: dict[str, Any]) -> None:
    """And no step is caused by them, in any deploy."""
    there = also_tagged(settled(**before))

    done = after(there, planned(there, **now))

    assert done == also_tagged(settled(**now))
    assert planned(done, **now) == ()
    assert [str(each) for each in planned(there, **now)] == [
        str(each) for each in planned(settled(**before), **now)
    ]


def test_a_tag_of_theirs_that_is_configured_becomes_gimels() -> None:
    """With the configured value; when it leaves the configuration, it goes."""
    there = also_tagged(settled())
    configured = tagged(**{"cost-center": "7"})

    done = after(there, planned(there, **configured))

    assert done == settled(**configured)
    assert after(done, planned(done)) == settled()


def test_a_tag_that_was_removed_by_hand_is_not_noticed_but_on_role_and_api() -> None:
    """Only their tags are read: each deploy would otherwise make a call more per resource."""
    there = deviate(settled(**WEB), *(change_function(name, tags={}) for name in FUNCTIONS))

    assert planned(there, **WEB) == ()


def test_a_change_of_tags_that_was_interrupted_is_completed() -> None:
    """The record is written last."""
    there = settled(**WEB)

    for state in states(there, planned(there, **OPS)):
        assert after(state, planned(state, **OPS)) == settled(**OPS)


def test_many_long_tags_fit_into_the_record() -> None:
    """AWS allows 50 tags, and 256 characters in the value of one."""
    many = {f"{'a-very-long-key-' * 7}{number}": "x" for number in range(45)}

    assert len(record_of(many)[RECORD]) <= 256
    there = settled(**tagged(**many))
    assert after(there, planned(there)) == settled()
