"""The sentence of every kind of step, as `gimel deploy` shows it.

The wording is in this table and in no other test.
"""

from __future__ import annotations

from gimel.deploy.plan import plan_destroy
from gimel.deploy.rollback import plan_rollback
from tests.support.configurations import LINKED, OWN_FUNCTION, ROUTED, URL
from tests.support.state import names
from tests.support.state.cases import planned
from tests.support.state.cloud import (
    ALL,
    DELETE,
    EMPTY,
    FUNCTIONS,
    HERE,
    LATEST,
    SNAPSHOT,
    TRACK,
    Method,
    Place,
    State,
)
from tests.support.state.deviations import (
    add_method,
    change_api,
    change_function,
    change_method,
    change_plan,
    change_role,
    change_rule,
    deploy_with,
    deviate,
    disable_key,
    publish,
    remove,
    set_log_group,
)
from tests.support.state.names import Step, as_json
from tests.support.state.seen import role_policy, seen
from tests.support.state.settled import left_by_1_5_0, settled

OTHERS = (ALL, DELETE, "/experiments", "/delete")

SENTENCES = {
    "Add CORS headers to API Gateway's own 4XX errors",
    "Add CORS headers to API Gateway's own 5XX errors",
    "Add the API key gimel to the usage plan",
    "Add the stage to the usage plan",
    "Add to the role gimel the permissions that the functions need",
    "Allow everyone to invoke the function gimel-track through its URL",
    "Allow its EventBridge rule to invoke the function gimel-snapshot",
    "Allow only AWS Lambda to assume the role gimel",
    "Allow the API to invoke the function gimel-track",
    "Configure the function gimel-track: memory 5 -> 128 MB",
    "Configure the function gimel-track: runtime python3.8 -> python3.13, settings",
    "Configure the function gimel-track: subnets a, b -> none",
    "Configure the function gimel-track: timeout 9 -> 3 s, redis.host",
    "Create a public URL for the function gimel-track",
    "Create the API key gimel",
    "Create the CORS preflight of /e (GET, POST)",
    "Create the CORS preflight of /experiment (GET)",
    "Create the CORS preflight of /track (GET, POST)",
    "Create the EventBridge rule gimel-snapshot: daily at 00:05 UTC",
    "Create the REST API gimel",
    "Create the function gimel-track: python3.13, arm64, 128 MB, 3 s",
    "Create the log group /aws/lambda/gimel-track, retention 30 days",
    "Create the path /e",
    "Create the path /experiment",
    "Create the path /track",
    "Create the role gimel, which the functions run as",
    "Create the usage plan gimel (API keys require one)",
    "Delete PUT /track, which is not in the wiring",
    "Delete the API key gimel",
    "Delete the EventBridge rule gimel-snapshot",
    "Delete the REST API gimel",
    "Delete the function gimel-track",
    "Delete the log group /aws/lambda/gimel-track with its logs",
    "Delete the old version 1 of the function gimel-track",
    "Delete the path /experiment, which is not in the wiring",
    "Delete the policy of the role gimel",
    "Delete the public URL of the function gimel-track",
    "Delete the role gimel",
    "Delete the usage plan gimel",
    "Deploy the REST API to the stage prod",
    "Describe the API key gimel as Gimel's",
    "Enable the API key gimel",
    "Keep version 2 of the function gimel-track, the first one",
    "Keep the role gimel for the deployments in eu-west-1",
    "Let the EventBridge rule gimel-snapshot call the function gimel-snapshot",
    "Limit the role gimel to the permissions that the functions need",
    "Make the new version of the function gimel-track live",
    "Make the new version of the function gimel-track live, replacing version 1",
    "Make the new version of the function gimel-track live, replacing version 5",
    "Make version 1 of the function gimel-track live",
    "Make version 1 of the function gimel-track live, replacing unpublished code",
    "Make version 1 of the function gimel-track live again, replacing version 2",
    "Make version 2 of the function gimel-track live, replacing version 1",
    "Publish a version of the function gimel-track",
    "Remove the permission that lets the API invoke linked",
    "Remove the permission to invoke gimel-track through a URL",
    "Remove the reserved concurrency of the function gimel-track",
    "Remove the stage from the usage plan",
    "Replace the permission that lets EventBridge invoke gimel-snapshot",
    "Replace the permission that lets the API invoke gimel-track",
    "Reserve a concurrency of 5 for the function gimel-track",
    "Rewire GET /track to the function gimel-track",
    "Set the retention of /aws/lambda/gimel-track: 7 days -> 30 days",
    "Set the retention of /aws/lambda/gimel-track: unlimited -> 30 days",
    "Set the permissions boundary of the role gimel: arn:aws:iam::123456789012:policy/boundary",
    "Tag the EventBridge rule gimel-snapshot: remove team",
    "Tag the EventBridge rule gimel-snapshot: set gimel=gimel, team=web",
    "Tag the EventBridge rule gimel-snapshot: set team=web",
    "Tag the REST API gimel: record which tags were given",
    "Tag the REST API gimel: remove team",
    "Tag the REST API gimel: set gimel=gimel",
    "Tag the REST API gimel: set team=web",
    "Tag the function gimel-track: remove team",
    "Tag the function gimel-track: set gimel=gimel",
    "Tag the function gimel-track: set gimel=gimel, team=web",
    "Tag the function gimel-track: set team=web",
    "Tag the log group /aws/lambda/gimel-track: remove team",
    "Tag the log group /aws/lambda/gimel-track: set gimel=gimel",
    "Tag the log group /aws/lambda/gimel-track: set gimel=gimel, team=web",
    "Tag the log group /aws/lambda/gimel-track: set team=web",
    "Tag the role gimel: remove team",
    "Tag the role gimel: set gimel=gimel",
    "Tag the role gimel: set team=web",
    "Throttle each method to 3 requests per second, burst 2000",
    "Try gimel-track before going live, with a marked event",
    "Update the EventBridge rule gimel-snapshot: another trigger -> daily at 00:05 UTC",
    "Update the EventBridge rule gimel-snapshot: enable it",
    "Update the EventBridge rule gimel-snapshot: enable it, rate(1 day) -> daily at 00:05 UTC",
    "Update the CORS preflight of /track (GET, POST)",
    "Upload the code of the function gimel-track",
    "Upload the code of the function gimel-track for arm64",
    "Wire GET /e to the function gimel-track",
    "Wire GET /experiment to the function our-experiment (API key required)",
    "Wire GET /track to the function gimel-track",
    "Wire POST /e to the function gimel-track",
    "Wire POST /track to the function gimel-track",
}


def plans() -> list[tuple[Step, ...]]:
    """Return plans in which every kind of step occurs."""
    elsewhere = role_policy(Place("eu-west-1"), FUNCTIONS)
    shared = change_role(policy=role_policy(HERE, FUNCTIONS, before=elsewhere))
    drifts: list[State] = [
        deviate(settled(), disable_key(), change_plan(stages=frozenset(), keys=frozenset())),
        deviate(settled(), change_function(TRACK, callers=HERE.callers("other"))),
        deviate(settled(), change_function(TRACK, live=None)),
        deviate(settled(), change_function(TRACK, live=LATEST)),
        deviate(settled(), publish(TRACK, 256, 128, live=1)),
        deviate(settled(), publish(TRACK, 1, 2, 3, 4, 5, live=5)),
        deviate(settled(), deploy_with(TRACK, architecture="x86_64", timeout=9, settings="{}")),
        deviate(settled(), deploy_with(TRACK, code_sha256="", subnets=("a", "b"))),
        deviate(settled(), add_method("track", "PUT", Method()), set_log_group(TRACK, 7)),
        deviate(settled(), change_method("track", "GET", integration=None)),
        deviate(settled(), change_api(rate=0.5, deployed="by hand")),
        deviate(settled(), change_rule(SNAPSHOT, is_enabled=False)),
        deviate(settled(), change_rule(SNAPSHOT, is_enabled=False, schedule="rate(1 day)")),
        deviate(settled(), change_rule(SNAPSHOT, schedule="")),
        deviate(settled(), change_function(SNAPSHOT, rule="")),
    ]
    everything = {
        "extra_wiring": [URL, OWN_FUNCTION],
        "aws": {
            "tags": {"team": "web"},
            "functions": {TRACK: {"reserved_concurrency": 5}},
            "permissions_boundary": "arn:aws:iam::123456789012:policy/boundary",
        },
    }
    tagged = settled(aws={"tags": {"team": "web"}})
    no_api = deviate(tagged, remove("api"), change_plan(stages=frozenset()))
    changed = deviate(settled(), publish(TRACK, 256, 128, live=2))
    created = deviate(changed, change_function(TRACK, history="gimel 2:1"))
    return [
        planned(EMPTY),
        planned(left_by_1_5_0()),
        planned(left_by_1_5_0(extra_wiring=[OWN_FUNCTION])),
        planned(no_api, aws={"tags": {"team": "web"}}),
        planned(settled(), **everything),
        planned(settled(**everything)),
        planned(settled(extra_wiring=[LINKED, ROUTED]), extra_wiring=[LINKED]),
        *(planned(drift) for drift in drifts),
        plan_rollback(seen(changed, versions=True)),
        plan_rollback(seen(created, versions=True)),
        plan_destroy(seen(settled(**everything))),
        plan_destroy(seen(deviate(settled(), shared))),
    ]


def said() -> set[str]:
    """Return the sentences of these plans, without those about the other functions."""
    sentences = {str(step) for steps in plans() for step in steps}
    return {
        each
        for each in sentences
        if not any(other in each for other in OTHERS)
        and ("our-experiment" not in each or "API key" in each)
        and ("linked" not in each or "API" in each)
        and (SNAPSHOT not in each or "EventBridge" in each)
    }


def test_the_plans_have_every_kind_of_step() -> None:
    """So that no sentence is missing from the table."""
    kinds = {type(step) for steps in plans() for step in steps}

    assert kinds == set(names.STEPS)


def test_each_step_says_what_it_does() -> None:
    """In words that name what it works on."""
    assert said() == SENTENCES


def test_no_sentence_and_no_repr_shows_a_secret() -> None:
    """A change of the password is a change of the settings."""
    old, new = ({"redis": {"host": "h", "password": word}} for word in ("0ld-w0rd", "n3w-w0rd"))

    steps = planned(settled(**old), **new)

    assert steps
    for shown in (*map(str, steps), *map(repr, steps)):
        assert "w0rd" not in shown


def test_steps_as_json_are_their_kinds_and_sentences() -> None:
    """For a program to read, in the order of the plan."""
    steps = planned(EMPTY)

    assert as_json(steps) == [{"step": type(each).__name__, "says": str(each)} for each in steps]
