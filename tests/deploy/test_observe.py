"""What exists, read from AWS's answers: what is seen leads to the plan, and in how many calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gimel.deploy.plan import plan, plan_destroy
from gimel.deploy.resources.functions import FUNCTIONS
from gimel.deploy.rollback import plan_rollback
from tests.deploy import test_plan_api, test_plan_functions, test_plan_role, test_tags
from tests.support.aws import Script, scripted
from tests.support.configurations import CHANGE, OWN_FUNCTION, SECOND_PATH, URL
from tests.support.state.after import after
from tests.support.state.answers import answers
from tests.support.state.cases import Case, planned
from tests.support.state.cloud import (
    EMPTY,
    LATEST,
    TRACK,
    State,
)
from tests.support.state.deviations import (
    Deviation,
    add_function,
    change_function,
    change_role,
    deviate,
    existing,
    publish,
    remove,
)
from tests.support.state.expected import assert_steps
from tests.support.state.look import look
from tests.support.state.names import (
    DeleteVersion,
    Desired,
    Observed,
)
from tests.support.state.seen import seen
from tests.support.state.settled import desired, left_by_1_5_0, settled

READING = ("Get", "List", "Describe")


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted() as script:
        yield script


def observed(script: Script, there: State, wanted: Desired | None = None) -> Observed:
    """Return what is seen of an account."""
    script.answers = answers(there)
    return look(script.aws(there.place), wanted)


TABLES = {
    **{f"role: {name}": each for name, each in test_plan_role.TABLES.items()},
    **{f"functions: {name}": each for name, each in test_plan_functions.TABLES.items()},
    **{f"API: {name}": each for name, each in test_plan_api.TABLES.items()},
    **{f"tags: {name}": each for name, each in test_tags.TABLES.items()},
}


@pytest.mark.parametrize("case", TABLES.values(), ids=TABLES)
def test_a_deviation_is_seen(script: Script, case: Case) -> None:
    """Read from AWS's answers, it has the plan that its own test expects."""
    assert_steps(plan(case.wanted, observed(script, case.there, case.wanted)), case.expected)
    assert all(each.startswith(READING) for each in script.made)


DOCUMENTS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "wiring": {"extra_wiring": [SECOND_PATH, OWN_FUNCTION, URL]},
    "a bit of everything": CHANGE,
}
documents = pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)


@documents
@pytest.mark.parametrize("versions", [False, True], ids=["deploy", "status"])
def test_a_settled_account_is_seen_as_such(
    script: Script, document: dict[str, Any], versions: bool
) -> None:
    """Nothing differs, whether the versions are read or not."""
    wanted = desired(**document)
    script.answers = answers(settled(**document))

    assert plan(wanted, look(script.aws(), wanted, versions=versions)) == ()


@documents
def test_everything_is_found_to_be_removed(script: Script, document: dict[str, Any]) -> None:
    """Without a configuration, by the record in the role's policy and by the API."""
    there = settled(**document)

    assert after(there, plan_destroy(observed(script, there))) == EMPTY


def test_a_deployment_of_1_5_0_is_found_to_be_removed(script: Script) -> None:
    """By its API alone, which calls the functions; a function of the user's own too."""
    there = left_by_1_5_0(extra_wiring=[OWN_FUNCTION])

    assert after(there, plan_destroy(observed(script, there))) == EMPTY


LINKED = {"lambda": {"FunctionName": "linked", "Handler": "gimel.track"}, "function_url": True}


@pytest.mark.parametrize(
    "deviation", [remove("role"), change_role(policy=None)], ids=["role", "its policy"]
)
def test_functions_are_found_without_the_record(script: Script, deviation: Deviation) -> None:
    """By their marks, among those of others: also one that only its own URL leads to."""
    there = deviate(settled(extra_wiring=[LINKED]), deviation)
    theirs = "arn:aws:iam::123456789012:role/theirs"
    function = replace(there.functions[TRACK], role=theirs, tags={})
    there = add_function("gimel-theirs", function)(there)

    left = after(there, plan_destroy(observed(script, there)))

    assert left == replace(EMPTY, functions={"gimel-theirs": function})


def test_an_empty_account_takes_eight_calls(script: Script) -> None:
    """With those of a first deploy and the one of preflight, the total is at most 74."""
    wanted = desired()

    assert plan(wanted, observed(script, EMPTY, wanted))
    assert len(script.made) <= 8


def test_a_settled_account_takes_23_calls(script: Script) -> None:
    """With the one of preflight, the total is 24; none of them changes anything."""
    wanted = desired()

    assert plan(wanted, observed(script, settled(), wanted)) == ()
    assert len(script.made) <= 23


def test_log_groups_are_never_all_listed(script: Script) -> None:
    """An account may have thousands: without a common prefix each is asked for by its name."""
    document = {"extra_wiring": [OWN_FUNCTION]}
    wanted = desired(**document)

    assert plan(wanted, observed(script, settled(**document), wanted)) == ()

    asked = [
        given["logGroupNamePrefix"]
        for name, given in zip(script.made, script.given, strict=True)
        if name == "DescribeLogGroups"
    ]
    assert len(asked) == 5
    assert "/aws/lambda/" not in asked


def test_aws_own_tags_are_left_alone(script: Script) -> None:
    """They cannot be removed."""
    tagged = {"aws": {"tags": {"team": "web"}}}
    there = settled(**tagged)
    role = replace(
        existing(there.role),
        tags={**existing(there.role).tags, "aws:cloudformation:stack-name": "stack"},
    )
    wanted = desired(**tagged)

    assert plan(wanted, observed(script, replace(there, role=role), wanted)) == ()


def test_a_version_with_a_share_of_the_events_is_kept(script: Script) -> None:
    """An alias may send some of them to a second version."""
    there = deviate(settled(), publish(TRACK, 160, 192, 224, 256, 288, live=5))
    script.answers = answers(there)
    aliases = [
        {
            "Name": "live",
            "FunctionVersion": "5",
            "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}},
        }
    ]
    script.answers["ListAliases"] = {"Aliases": aliases}
    wanted = desired()

    steps = plan(wanted, look(script.aws(), wanted))

    assert not [each for each in steps if isinstance(each, DeleteVersion)]


def taken_over_without_a_record() -> State:
    """Return an account whose functions have 1.5.0's version 1, and live versions 2 and 3."""
    old, there = left_by_1_5_0(), settled()
    for name, each in there.functions.items():
        if name not in old.functions:
            continue
        made = existing(each.serving)
        versions = {**old.functions[name].versions, 2: replace(made, memory=512), 3: made}
        there = change_function(name, versions=versions, live=3, history="", described={})(there)
    return there


CHANGED = after(settled(), planned(settled(), **CHANGE))
HISTORIES = {
    "one deploy": (settled(), "1:1"),
    "two deploys": (CHANGED, "2:2 1:1"),
    "rolled back": (after(CHANGED, plan_rollback(seen(CHANGED, versions=True))), "1:1"),
    "moved by hand": (deviate(CHANGED, change_function(TRACK, live=1)), "2:1 1:1"),
    "on $LATEST": (deviate(CHANGED, change_function(TRACK, live=LATEST)), "2:0 1:1"),
    "described by hand": (deviate(CHANGED, change_function(TRACK, history="ours")), "2:2 1:1"),
    "taken over, not recorded": (taken_over_without_a_record(), "3:3 2:2"),
    "of 1.5.0": (left_by_1_5_0(), "1:1"),
    "no alias": (deviate(CHANGED, change_function(TRACK, live=None)), ""),
}


@pytest.mark.parametrize(("there", "expected"), HISTORIES.values(), ids=HISTORIES)
def test_the_history_is_read(script: Script, there: State, expected: str) -> None:
    """From the description of the alias, or without it from the versions that can be live."""
    script.answers = answers(there)

    found = look(script.aws(), versions=True).of(FUNCTIONS)

    (track,) = (each for each in found if each.name == TRACK)
    assert " ".join(f"{each.deploy}:{each.version}" for each in track.history.entries) == expected
    recorded = {each.number for each in track.versions if each.publication}
    assert recorded == set(there.functions[TRACK].described)
