"""Trying versions before they are live: a marked event is counted, read and removed again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import redis

import gimel
from gimel.deploy.history import UNPUBLISHED
from gimel.deploy.resources.base import Run
from gimel.deploy.resources.trials import is_counted
from gimel.errors import GimelError
from gimel.runtime.errors import ReadOnlyError
from tests.support.aws import Refusal, Script, found, invoked, lambda_answer, scripted
from tests.support.configurations import LINKED, OWN_FUNCTION
from tests.support.events import EVENT
from tests.support.servers import Store
from tests.support.state.cases import planned
from tests.support.state.cloud import ALL, DELETE, EMPTY, FUNCTIONS, HERE, SNAPSHOT, TRACK, State
from tests.support.state.deviations import deploy_with, deviate
from tests.support.state.names import MoveAlias, TryVersions
from tests.support.state.seen import identity_of
from tests.support.state.settled import left_by_1_5_0, settled

NEW = {f"version of {name}": "7" for name in FUNCTIONS}
Answer = Callable[[Mapping[str, Any]], Any]


def trial(there: State, **document: Any) -> TryVersions | None:
    """Return the step of a deploy that tries versions."""
    found = [each for each in planned(there, **document) if isinstance(each, TryVersions)]
    assert len(found) <= 1
    return found[0] if found else None


def perform(step: TryVersions | None, answer: Answer = invoked) -> list[tuple[str, str, Any]]:
    """Perform a trial. Returns the function, version and event of each call."""
    assert step is not None
    with scripted() as script:
        attempt(step, answer, script)
        return calls(script)


def attempt(step: TryVersions, answer: Answer, script: Script) -> None:
    """Perform a trial where functions answer so."""
    script.answers = {"Invoke": answer}
    step.perform(Run(script.aws(), identity_of(HERE), dict(NEW)))


def calls(script: Script) -> list[tuple[str, str, Any]]:
    """Return the function, version and event of each call that was made."""
    return [
        (given["FunctionName"], given["Qualifier"], json.loads(given["Payload"]))
        for given in script.given
    ]


def all_new(**document: Any) -> TryVersions:
    """Return the trial of a deploy that changes every function."""
    step = trial(settled(), precision=64, **document)
    assert step is not None
    return step


def test_before_a_first_deploy_the_function_that_deletes_is_tried() -> None:
    """It shows whether Redis can be written to. No visitor reaches anything that could break."""
    made = perform(trial(EMPTY))

    assert [(name, version) for name, version, _ in made] == [(DELETE, "7")]


def test_deleting_what_does_not_exist_needs_a_redis_that_can_be_written_to(
    session_store: Store, gimel_store: redis.Redis
) -> None:
    """So a first deploy does not go live with a replica, or with a user who may only read."""
    asked = {"namespace": "gimel-check", "experiment": "e"}
    assert gimel.delete(asked) == {"status": "ok", "deleted": 0}

    gimel_store.replicaof("127.0.0.1", str(session_store.port + 1))  # nobody answers there
    try:
        with pytest.raises(ReadOnlyError):
            gimel.delete(asked)
    finally:
        gimel_store.replicaof("NO", "ONE")


def test_new_versions_count_read_and_remove_one_event() -> None:
    """It is of a namespace and experiment that no page has, and the same one throughout."""
    made = perform(all_new())

    assert [(name, version) for name, version, _ in made] == [
        (TRACK, "7"),
        (ALL, "7"),
        (SNAPSHOT, "7"),
        (DELETE, "7"),
    ]
    events = [event for *_, event in made]
    assert {each["namespace"] for each in events} == {"gimel-check"}
    (experiment,) = {each["experiment"] for each in events}
    assert experiment.startswith("gimel-check-")
    assert events[0]["event"] == "participate"
    assert events[1]["scope"] == experiment


def test_every_trial_has_its_own_experiment() -> None:
    """Two operators may deploy at the same time."""
    first, second = perform(all_new()), perform(all_new())

    assert first[0][2]["experiment"] != second[0][2]["experiment"]
    assert first[0][2]["uuid"] != second[0][2]["uuid"]


def test_where_namespaces_are_limited_an_allowed_one_is_used() -> None:
    """Any other would be refused."""
    made = perform(all_new(allowed_namespaces=["shop", "blog"]))

    assert {event["namespace"] for *_, event in made} == {"shop"}


def test_what_stays_live_removes_what_a_new_version_counts() -> None:
    """A change of one function tries this one alone."""
    step = trial(deviate(settled(), deploy_with(TRACK, memory=512)))

    assert [(name, version) for name, version, _ in perform(step)] == [
        (TRACK, "7"),
        (DELETE, "live"),
    ]


def test_an_old_version_that_is_used_again_is_tried() -> None:
    """By its number."""
    there = settled(aws={"functions": {ALL: {"memory": 512}}})
    step = trial(there)
    assert step is not None
    tried = [(each.function, each.number) for each in step.trials]

    assert tried == [(ALL, None)]
    assert step.remover is not None
    assert (step.remover.function, step.remover.number) == (DELETE, UNPUBLISHED)


@pytest.mark.parametrize(
    ("there", "document", "tried"),
    [
        (settled(), {}, None),
        (settled(), {"aws": {"tags": {"team": "web"}}}, None),
        (settled(), {"extra_wiring": [OWN_FUNCTION]}, ["our-experiment"]),
        (settled(), {"extra_wiring": [LINKED]}, ["linked"]),
        (left_by_1_5_0(), {}, [TRACK, ALL, SNAPSHOT, DELETE]),
        (
            settled(),
            {"precision": 64, "aws": {"functions": {ALL: {"reserved_concurrency": 0}}}},
            [TRACK, ALL, SNAPSHOT, DELETE],
        ),
        (
            settled(aws={"functions": {ALL: {"reserved_concurrency": 0}}}),
            {"precision": 64, "aws": {"functions": {ALL: {"reserved_concurrency": 0}}}},
            [TRACK, SNAPSHOT, DELETE],
        ),
        (
            settled(aws={"functions": {DELETE: {"reserved_concurrency": 0}}}),
            {"precision": 64, "aws": {"functions": {DELETE: {"reserved_concurrency": 0}}}},
            [ALL, SNAPSHOT],
        ),
    ],
    ids=[
        "no change",
        "tags",
        "another function",
        "another tracking function",
        "takeover",
        "concurrency about to end",
        "no concurrency",
        "nothing can remove",
    ],
)
def test_what_is_tried(there: State, document: dict[str, Any], tried: list[str] | None) -> None:
    """All that changes and can be invoked; what is counted must be removed again."""
    step = trial(there, **document)

    assert (step and [each.function for each in step.trials]) == tried


def test_versions_are_tried_before_any_is_live() -> None:
    """What does not work changes nothing for visitors."""
    steps = planned(settled(), precision=64)

    kinds = [type(each) for each in steps]
    assert kinds.index(TryVersions) < kinds.index(MoveAlias)


def broken(function: str, **answer: Any) -> Answer:
    """Return answers of Lambda where one function does not work."""

    def answers(given: Mapping[str, Any]) -> Any:
        if given["FunctionName"] != function:
            return invoked(given)
        return lambda_answer(answer.pop("value", None), **answer)

    return answers


WRONG = {"errorMessage": "WRONGPASS invalid username-password pair", "errorType": "RedisError"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_version_that_fails_is_named_with_the_reason(function: str) -> None:
    """And what was counted by then is removed."""
    step = all_new()
    with (
        scripted() as script,
        pytest.raises(GimelError, match=rf"{function}.*WRONGPASS") as failure,
    ):
        attempt(step, broken(function, value=WRONG, FunctionError="Unhandled"), script)

    assert "version 7" in failure.value.message
    assert "gimel preflight" in (failure.value.hint or "")
    removed = [name for name, *_ in calls(script)].count(DELETE)
    assert removed == (0 if function == TRACK else 1)


DENIED = {
    "errorType": "SecretError",
    "errorMessage": "ssm:GetParameter of /p: AccessDeniedException: not authorized",
}


@pytest.mark.parametrize("until", [5, 500], ids=["for a moment", "for good"])
def test_a_new_permission_to_read_the_password_takes_a_moment(until: int) -> None:
    """IAM applies a policy some seconds after it was put. A denial for good ends the deploy."""
    step = trial(EMPTY)
    assert step is not None
    with scripted() as script:

        def answers(given: Mapping[str, Any]) -> Any:
            if script.now >= until:
                return invoked(given)
            return lambda_answer(DENIED, FunctionError="Unhandled")

        if until > 60:
            with pytest.raises(GimelError, match=r"does not work in version 7: ssm:GetParameter"):
                attempt(step, answers, script)
        else:
            attempt(step, answers, script)
    assert script.now == {5: 6, 500: 62}[until]
    assert set(script.reasons) == {"the role may not read the password yet"}


def test_a_reader_that_does_not_find_the_event_fails() -> None:
    """The functions would use different stores."""
    step = all_new()

    def answers(given: Mapping[str, Any]) -> Any:
        event = json.loads(given["Payload"])
        if given["FunctionName"] != ALL:
            return invoked(given)
        return lambda_answer(found(event["experiment"], is_counted=False))

    with scripted() as script, pytest.raises(GimelError, match=f"{ALL} does not find") as failure:
        attempt(step, answers, script)

    assert "same Redis" in (failure.value.hint or "")
    assert calls(script)[-1][0] == DELETE


def test_what_was_not_counted_is_not_found(gimel_store: redis.Redis) -> None:
    """The handler answers with a row for every name that it is asked about."""
    asked = {"namespace": "gimel-check", "scope": "e"}

    before = gimel.all(asked)
    gimel.track({**EVENT, "namespace": "gimel-check", "experiment": "e"})

    assert not is_counted(before, "e")
    assert is_counted(gimel.all(asked), "e")


def test_an_error_is_not_hidden_by_one_of_removing() -> None:
    """The first one says what does not work."""
    step = all_new()

    def answers(given: Mapping[str, Any]) -> Any:
        if given["FunctionName"] == TRACK:
            return invoked(given)
        return lambda_answer({"errorMessage": given["FunctionName"]}, FunctionError="Unhandled")

    with scripted() as script, pytest.raises(GimelError, match=f": {ALL}"):
        attempt(step, answers, script)

    assert [name for name, *_ in calls(script)] == [TRACK, ALL, DELETE]


def test_a_refused_invocation_is_an_error() -> None:
    """Without the permission nothing is tried, and nothing goes live."""
    step = all_new()
    refusal = Refusal("AccessDeniedException", "not yours", 403)
    with scripted() as script, pytest.raises(GimelError, match="not yours"):
        attempt(step, lambda given: refusal, script)
