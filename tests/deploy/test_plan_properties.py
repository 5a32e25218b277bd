"""What holds for every plan, over generated configurations, accounts and interruptions."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from gimel.deploy.plan import plan, plan_destroy
from tests.support.configurations import CHANGE, OWN_FUNCTION, SECOND_PATH, URL
from tests.support.state.after import after, states
from tests.support.state.cases import planned
from tests.support.state.cloud import (
    ALL,
    API,
    DELETE,
    EMPTY,
    FUNCTIONS,
    HERE,
    LATEST,
    OUR_STAGE,
    TRACK,
    LogGroup,
    Method,
    Place,
    State,
    UsagePlan,
)
from tests.support.state.deviations import (
    Deviation,
    add_method,
    add_path,
    change_api,
    change_function,
    change_method,
    change_plan,
    change_role,
    deploy_with,
    deviate,
    disable_key,
    existing,
    publish,
    remove,
    remove_function,
    remove_log_group,
    remove_method,
    remove_path,
    set_gateway_response,
    set_log_group,
)
from tests.support.state.names import DeployApi
from tests.support.state.seen import is_marked, recorded_functions, role_policy, seen
from tests.support.state.settled import configuration, desired, left_by_1_5_0, settled

LINKED = {"lambda": {"FunctionName": "linked", "Handler": "gimel.track"}, "function_url": True}
OPEN_RESULTS = {
    "lambda": {"FunctionName": ALL, "Handler": "gimel.all"},
    "api_gateway": {"pathPart": "experiments", "method": {"httpMethod": "GET"}},
}
EU = Place("eu-west-1")
FOREIGN = "arn:aws:iam::123456789012:role/theirs"
GATEWAY = frozenset({"apigateway.amazonaws.com"})

options = st.fixed_dictionaries(
    {}, optional={"memory": st.sampled_from([128, 256]), "reserved_concurrency": st.integers(0, 3)}
)
aws = st.fixed_dictionaries(
    {},
    optional={
        "functions": st.dictionaries(st.sampled_from([TRACK, ALL, DELETE]), options),
        "tags": st.dictionaries(st.sampled_from(["team", "owner"]), st.sampled_from(["a", "b"])),
        "architecture": st.sampled_from(["arm64", "x86_64"]),
        "runtime": st.sampled_from(["python3.12", "python3.13"]),
        "log_retention_days": st.sampled_from([7, 30]),
        "throttle": st.fixed_dictionaries({"rate": st.sampled_from([1, 2.5])}),
        "vpc": st.just({"subnets": ["subnet-a1"], "security_groups": ["sg-a1"]}),
    },
)
documents: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "aws": aws,
        "precision": st.sampled_from([1, 64]),
        "extra_wiring": st.lists(
            st.sampled_from([SECOND_PATH, OWN_FUNCTION, URL, LINKED, OPEN_RESULTS]), unique_by=str
        ),
    },
)

NO_STAGE = change_plan(stages=frozenset())
NO_KEY = change_plan(keys=frozenset())
DEVIATIONS: Mapping[str, tuple[Deviation, ...]] = {
    "role deleted": (remove("role"),),
    "role not trusted": (change_role(trusted=GATEWAY),),
    "role trusted by others": (change_role(trusted=GATEWAY | {"lambda.amazonaws.com"}),),
    "policy deleted": (change_role(policy=None),),
    "policy of one function": (change_role(policy=role_policy(HERE, [TRACK])),),
    "log group deleted": (remove_log_group(TRACK),),
    "log group without retention": (set_log_group(ALL, None),),
    "function deleted": (remove_function(TRACK),),
    "own function deleted": (remove_function("our-experiment"),),
    "function resized": (deploy_with(TRACK, memory=1024),),
    "function with other code": (deploy_with(ALL, code_sha256="other"),),
    "function of an older Gimel": (deploy_with(DELETE, settings=None, architecture="x86_64"),),
    "many versions": (publish(TRACK, 1, 2, 3, 4, 5, 6, 7, live=3),),
    "alias deleted": (change_function(ALL, live=None),),
    "alias on $LATEST": (change_function(DELETE, live=LATEST),),
    "concurrency reserved": (change_function(TRACK, reserved=50),),
    "concurrency given back": (change_function(TRACK, reserved=None),),
    "permission deleted": (change_function(TRACK, callers=None),),
    "permission of another API": (change_function(ALL, callers=HERE.callers("other")),),
    "permission for anybody": (change_function(DELETE, callers=""),),
    "URL deleted": (change_function(TRACK, url=None),),
    "URL permission deleted": (change_function("linked", url_statements=frozenset()),),
    "API deleted": (remove("api"), NO_STAGE),
    "path deleted": (remove_path("track"),),
    "path added": (add_path("old"), add_path("old/er"), add_method("old", "GET", Method())),
    "method deleted": (remove_method("track", "GET"),),
    "method opened": (change_method("delete", "DELETE", key_required=False),),
    "method added": (add_method("track", "PUT", Method(calls=TRACK)),),
    "preflight spoiled": (change_method("track", "OPTIONS", answer=None),),
    "gateway response deleted": (set_gateway_response("DEFAULT_4XX", None),),
    "deployed by hand": (change_api(deployed="by hand"),),
    "stage deleted": (change_api(deployed=None, rate=None, burst=None), NO_STAGE),
    "throttle changed": (change_api(rate=9.0),),
    "key deleted": (remove("key"), NO_KEY),
    "key disabled": (disable_key(),),
    "plan deleted": (remove("plan"),),
    "plan without stage": (NO_STAGE,),
    "plan without key": (NO_KEY,),
}

PROOF = ("role deleted", "policy deleted", "API deleted", "function deleted")
"""What shows that something is of 1.5.0, which has no mark: a log group by its function."""

drifts = st.lists(st.sampled_from(sorted(DEVIATIONS)), unique=True, max_size=6)


def drifted(there: State, names: list[str]) -> State:
    """Return an account with these deviations, but for those of what does not exist in it."""
    for name in names:
        with contextlib.suppress(AssertionError, KeyError):
            there = deviate(there, *DEVIATIONS[name])
    return there


KINDS = ("empty", "deployed", "in part", "1.5.0")


@st.composite
def accounts(draw: st.DrawFn, kinds: tuple[str, ...] = KINDS) -> State:
    """An account: empty, deployed, deployed in part or by 1.5.0; then changed by hand."""
    document = draw(documents)
    kind = draw(st.sampled_from(kinds))
    if kind == "1.5.0":  # which knew no URLs
        extra: list[Any] = draw(st.sampled_from([[], [OWN_FUNCTION]]))
        names = [each for each in draw(drifts) if each not in PROOF]
        return drifted(left_by_1_5_0(extra_wiring=extra), names)
    if kind == "in part":
        steps = planned(EMPTY, **document)
        there = after(EMPTY, steps[: draw(st.integers(0, len(steps)))])
    else:
        there = EMPTY if kind == "empty" else settled(**document)
    return drifted(there, draw(drifts))


def essence(there: State) -> State:
    """Return an account without the numbers of versions, which depend on the way to them.

    test_rollback_model checks the history.
    """
    functions = {}
    for name, each in there.functions.items():
        live = existing(each.serving)
        functions[name] = replace(
            each, versions={1: live}, latest=live, live=1, history="", described={}
        )
    return replace(there, functions=functions)


@given(documents)
@settings(max_examples=40)
def test_a_settled_account_needs_no_step(document: dict[str, Any]) -> None:
    """Also where the versions of the functions were read, as `gimel status` does."""
    there, wanted = settled(**document), desired(**document)

    assert plan(wanted, seen(there, wanted)) == ()
    assert plan(wanted, seen(there, wanted, versions=True)) == ()


def is_known(there: State) -> bool:
    """Return whether everything that a configuration may no longer name can still be found.

    The role's policy records it, or the API calls it; without a policy it bears Gimel's marks. A
    log group without a function is only known by the policy.
    """
    policy = there.role.policy if there.role else None
    known = recorded_functions(policy, HERE.region) | set(FUNCTIONS)
    if not set(there.log_groups) - set(there.functions) <= known:
        return False
    known |= {
        each.calls for each in (there.api.methods.values() if there.api else ()) if each.calls
    }
    if policy is None:
        known |= {name for name, each in there.functions.items() if each.latest.settings}
    return set(there.functions) <= known


@given(accounts(), documents)
@settings(max_examples=40)
def test_a_plan_leads_to_what_is_wanted(there: State, document: dict[str, Any]) -> None:
    """From any account; what a configuration does not mention is left as it is."""
    assume(is_known(there))
    done = after(there, planned(there, **document))

    assert planned(done, **document) == ()
    wanted = settled(**document)
    assert existing(done.api).methods == existing(wanted.api).methods
    assert existing(done.role).policy == existing(wanted.role).policy
    assert existing(done.role).trusted == existing(wanted.role).trusted
    assert set(done.functions) == set(wanted.functions)
    for name, function in done.functions.items():
        assert function.serving == wanted.functions[name].serving
        assert function.url == wanted.functions[name].url
        assert len(function.versions) <= 7


@given(accounts(), documents)
@example(replace(settled(), role=None, api=None), {"aws": {"tags": {"team": "a"}}})
@settings(max_examples=40)
def test_whatever_step_is_the_last_the_end_is_the_same(
    there: State, document: dict[str, Any]
) -> None:
    """Planning again after any prefix of the steps leads to the same account."""
    wanted = desired(**document)
    assume(is_known(there))
    steps = plan(wanted, seen(there, wanted))
    end = essence(after(there, steps))

    for state in states(there, steps):
        assert essence(after(state, plan(wanted, seen(state, wanted)))) == end


@given(accounts(KINDS[:3]))
@settings(max_examples=40)
def test_a_destroy_leaves_nothing_wherever_it_stops(there: State) -> None:
    """Planning again after any prefix of the steps removes the rest, as far as it is recorded."""
    recorded = recorded_functions(there.role.policy if there.role else None, HERE.region)
    assume(set(there.functions) <= recorded)
    steps = plan_destroy(seen(there))
    end = after(there, steps)

    assert replace(end, log_groups={}) == EMPTY
    for state in states(there, steps):
        assert after(state, plan_destroy(seen(state))) == end


def theirs(there: State) -> State:
    """Return an account with what belongs to others in it, as near to Gimel's as it may be."""
    function = replace(settled().functions[TRACK], role=FOREIGN, reserved=7, tags={})
    elsewhere = role_policy(EU, [TRACK, "gimel-theirs"], [TRACK])
    role = there.role
    if role is not None:
        statements = [*(role.policy or {}).get("Statement", []), *elsewhere["Statement"]]
        role = replace(role, policy={**elsewhere, "Statement": statements})
    functions = {
        name: replace(each, theirs=frozenset([min(each.versions)]))
        for name, each in there.functions.items()
    }
    plan = there.plan if there.api else None  # else it would not be Gimel's to use
    if plan is not None:
        plan = UsagePlan(False, plan.stages | {"other:prod", OUR_STAGE}, plan.keys | {"other"})
    return replace(
        there,
        role=role,
        functions={**functions, "gimel-theirs": function},
        log_groups={**there.log_groups, "gimel-theirs": LogGroup(None)},
        plan=plan,
    )


def assert_untouched(there: State, before: State) -> None:
    """Check that what belongs to others is as before."""
    assert there.functions["gimel-theirs"] == before.functions["gimel-theirs"]
    assert there.log_groups["gimel-theirs"] == before.log_groups["gimel-theirs"]
    if before.role is not None:
        recorded = recorded_functions(existing(there.role).policy, EU.region)
        assert recorded == {TRACK, "gimel-theirs"}
    if before.plan is not None:
        assert not existing(there.plan).ours
        assert {"other:prod"} <= existing(there.plan).stages
        assert {"other"} <= existing(there.plan).keys


@given(accounts(), documents)
@settings(max_examples=40)
def test_what_belongs_to_others_stays(there: State, document: dict[str, Any]) -> None:
    """Through a deploy and a destroy: functions, log groups, aliases, regions, usage plans."""
    there = theirs(there)

    for state in states(there, planned(there, **document)):
        assert_untouched(state, there)
        for name, function in state.functions.items():
            if name in there.functions:
                assert there.functions[name].theirs <= set(function.versions)
    for state in states(there, plan_destroy(seen(there))):
        assert_untouched(state, there)


def live_routes(document: dict[str, Any]) -> set[str]:
    """Return the functions that a configuration's routes lead to."""
    return {route.function for route in configuration(**document).wiring.routes}


def assert_answers(there: State, function: str) -> None:
    """Check that a function can be called through the API, and can write its log."""
    found = there.functions[function]
    assert found.live is not None
    assert found.callers == HERE.callers(API)
    assert function in recorded_functions(existing(there.role).policy, HERE.region)


@given(documents, documents)
@settings(max_examples=40)
@example({}, CHANGE)
@example({"extra_wiring": [OWN_FUNCTION]}, {})
def test_what_is_live_goes_on_answering(before: dict[str, Any], now: dict[str, Any]) -> None:
    """After every step: the old routes until the API is deployed again, the new ones from then."""
    there, steps = settled(**before), planned(settled(**before), **now)
    routes = live_routes(before)

    for step in steps:
        if isinstance(step, DeployApi):
            routes = live_routes(now)
            assert there.api is not None
            assert there.api.methods == existing(settled(**now).api).methods
        for function in routes:
            assert_answers(there, function)
        there = after(there, [step])
    for function in live_routes(now):
        assert_answers(there, function)


@given(accounts(), documents)
@settings(max_examples=40)
def test_the_record_knows_what_was_made(there: State, document: dict[str, Any]) -> None:
    """After every step, the role's policy names each function that deploy made or will remove.

    That of 1.5.0 allows enough for a while and names none: then functions are found by their marks.
    """
    for state in states(there, planned(there, **document))[1:]:
        created = set(state.functions) - set(there.functions)
        recorded = recorded_functions(state.role.policy if state.role else None, HERE.region)
        if recorded:
            assert created <= recorded
        assert all(is_marked(state.functions[name], HERE) for name in created)
