"""A rollback moves all functions or none, whatever fails, and says what is live at the end."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from gimel.deploy.apply import apply_all_or_none, moves_back, perform
from gimel.deploy.aws import Aws
from gimel.deploy.aws_errors import Refused
from gimel.deploy.history import NO_HISTORY, Deploy, Entry, History
from gimel.deploy.resources.aliases import CreateAlias, MoveAlias, MoveBack
from gimel.deploy.resources.base import Run, Step
from gimel.deploy.resources.observed_function import ObservedFunction
from gimel.deploy.resources.trials import Trial, TryVersions
from gimel.errors import GimelError, Interrupted
from tests.support.state.cloud import HERE, WITH_ROUTES
from tests.support.state.seen import identity_of
from tests.support.state.settled import desired

TRACK, ALL, DELETE = FUNCTIONS = WITH_ROUTES
BEFORE = History((Entry(2, 2), Entry(1, 1)), "0123abcd")
MOVES = tuple(MoveBack(name, BEFORE, BEFORE.before(2)) for name in FUNCTIONS)
THEN, GOAL = BEFORE.describe(), BEFORE.before(2).describe()


def expired() -> Exception:
    """Return what AWS's refusal of expired credentials becomes."""
    return GimelError("The token has expired.", "Log in again.")


@dataclass(frozen=True)
class Fault:
    """What happens at a call, before or after AWS has done it."""

    call: int
    error: Callable[[], BaseException]
    is_done: bool


@dataclass
class Aliases(Aws):
    """AWS as far as aliases go: their descriptions, and the faults of calls."""

    faults: tuple[Fault, ...] = ()
    described: dict[str, str] = field(default_factory=lambda: dict.fromkeys(FUNCTIONS, THEN))
    calls: int = 0

    def call(self, service: str, operation: str, /, **given: Any) -> dict[str, Any]:
        assert (service, operation) == ("lambda", "update_alias")
        fault = next((each for each in self.faults if each.call == self.calls), None)
        self.calls += 1
        if fault and not fault.is_done:
            raise fault.error()
        self.described[given["FunctionName"]] = given["Description"]
        if fault:
            raise fault.error()
        return {}


def run_with(aws: Aliases) -> Run:
    """Return a run without ids."""
    return Run(aws, identity_of(HERE))


def test_without_a_fault_every_alias_moves() -> None:
    """With the record, by one call each."""
    aws = Aliases()

    apply_all_or_none(run_with(aws), MOVES)

    assert aws.described == dict.fromkeys(FUNCTIONS, GOAL)
    assert aws.calls == 3


@pytest.mark.parametrize("is_done", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("error", [expired, KeyboardInterrupt], ids=["expired", "Ctrl-C"])
@pytest.mark.parametrize("call", [0, 1, 2])
def test_after_one_fault_nothing_has_changed(
    call: int, error: Callable[[], BaseException], is_done: bool
) -> None:
    """Also where the call that failed was done: what is live, and the record of it."""
    aws = Aliases((Fault(call, error, is_done),))

    with pytest.raises(GimelError if error is expired else Interrupted) as failure:
        apply_all_or_none(run_with(aws), MOVES)

    assert aws.described == dict.fromkeys(FUNCTIONS, THEN)
    assert failure.value.message.endswith("Nothing was rolled back.")
    if error is expired:
        assert FUNCTIONS[call] in failure.value.message
        assert "The token has expired." in failure.value.message
        assert failure.value.hint == "Log in again."


def said(message: str) -> dict[str, int]:
    """Return the versions that an error says are live."""
    return {name: int(each) for name, each in re.findall(r"(gimel-[a-z-]+) version (\d+)", message)}


ERRORS: dict[str, Callable[[], BaseException]] = {"expired": expired, "Ctrl-C": KeyboardInterrupt}
FAULTS = {
    f"{first} at {call}, {second} at {later}{', done' * is_done}": (
        Fault(call, ERRORS[first], is_done),
        Fault(later, ERRORS[second], is_done),
    )
    for first in ERRORS
    for second in ERRORS
    for call in range(3)
    for later in range(call + 1, 2 * call + 2)
    for is_done in (False, True)
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_an_undo_that_fails_hides_neither_the_error_nor_what_is_live(
    faults: tuple[Fault, ...],
) -> None:
    """The others are restored all the same; running it again completes the rollback."""
    aws = Aliases(faults)

    with pytest.raises(GimelError if faults[0].error is expired else Interrupted) as failure:
        apply_all_or_none(run_with(aws), MOVES)

    message = failure.value.message
    (doubt,) = re.findall(r"incomplete: (\S+) could not be restored", message)
    assert {name for name in FUNCTIONS if aws.described[name] != THEN} <= {doubt}
    assert all(each == 2 for name, each in said(message).items() if name != doubt)
    assert doubt in said(message)
    assert "Probably live now" in message
    assert message.endswith("Run the command again: it completes the rollback.")
    if faults[0].error is expired:
        assert "The token has expired." in message


def failing(message: str) -> Step:
    """Return a trial whose version does not work."""

    class Failing(TryVersions):
        def perform(self, run: Run) -> None:
            raise GimelError(message)

    configuration = desired().functions[0].configuration
    return Failing((Trial(TRACK, configuration, 1),), None)


def test_a_version_that_does_not_work_does_not_become_live() -> None:
    """After a change of Redis's password, an earlier version has the old one."""
    aws = Aliases()

    with pytest.raises(GimelError, match=r"WRONGPASS.*Nothing was rolled back\."):
        apply_all_or_none(run_with(aws), (failing("WRONGPASS"), *MOVES))

    assert aws.calls == 0


NOW = Deploy(3, "4567cdef")
FORWARD = tuple(MoveAlias(name, 2, 3, NOW, BEFORE) for name in FUNCTIONS)


def denied() -> Exception:
    """Return a refusal, after which it is certain that the call was not done."""
    return Refused("AccessDenied", "AWS does not allow it.")


@pytest.mark.parametrize("error", [denied, expired, KeyboardInterrupt])
@pytest.mark.parametrize("is_done", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("call", [0, 1, 2])
def test_a_deploy_that_fails_says_what_is_live(
    call: int, error: Callable[[], BaseException], is_done: bool
) -> None:
    """It keeps what it has done: running it again completes it. A lost answer proves nothing."""
    is_certain = error is denied
    aws = Aliases((Fault(call, error, is_done=is_done and not is_certain),))

    with pytest.raises(Interrupted if error is KeyboardInterrupt else GimelError) as failure:
        perform(run_with(aws), FORWARD)

    hint = failure.value.hint
    assert f"tep {call + 1} of 3" in failure.value.message
    assert said(hint) == dict.fromkeys(FUNCTIONS[:call], 3)
    assert ("What visitors reach has not changed." in hint) == (call == 0 and is_certain)
    assert (f"live version of {FUNCTIONS[call]} may have changed" in hint) == (not is_certain)
    assert hint.endswith("it completes what is missing.")


def test_what_a_deploy_made_live_can_go_back_by_itself() -> None:
    """To what was live before, with the record of then, for the functions that it moved."""
    run = run_with(Aliases())
    perform(run, FORWARD[:2])

    moves = moves_back(run, FORWARD)

    assert [(each.function, each.before, each.number) for each in moves] == [
        (TRACK, 3, 2),
        (ALL, 3, 2),
    ]
    apply_all_or_none(run, moves)
    assert run.aws.described == dict.fromkeys(FUNCTIONS, THEN)  # type: ignore[attr-defined]


def test_what_an_interrupted_run_of_the_deploy_made_live_goes_back_too() -> None:
    """Otherwise functions of two deploys would be mixed. Older and new ones stay."""
    run = run_with(Aliases())
    begun = BEFORE.after(NOW, 3, "")
    created = NO_HISTORY.after(NOW, 1, "")
    functions = [
        ObservedFunction(name, HERE.role, None, history=history)
        for name, history in [(TRACK, begun), (ALL, BEFORE), (DELETE, BEFORE), ("new", created)]
    ]
    perform(run, FORWARD[1:2])

    moves = moves_back(run, FORWARD[1:2], functions)

    assert {(each.function, each.before, each.number) for each in moves} == {
        (TRACK, 3, 2),
        (ALL, 3, 2),
    }


@pytest.mark.parametrize(
    ("steps", "count"),
    [
        ((), 0),
        ((CreateAlias(TRACK, 3, NOW),), 0),
        ((MoveAlias(TRACK, 1, 3, NOW, NO_HISTORY),), 0),
        ((MoveAlias(TRACK, 0, 3, NOW, BEFORE), FORWARD[1]), 0),
        (FORWARD, 3),
    ],
    ids=["nothing", "a first deploy", "a takeover", "unpublished code", "a change"],
)
def test_only_what_can_work_is_gone_back_to(steps: tuple[Step, ...], count: int) -> None:
    """Not to 1.5.0 after its takeover, nor to code that was never published; all or none."""
    run = run_with(Aliases())
    for each in steps:
        if isinstance(each, MoveAlias):
            each.perform(run)

    assert len(moves_back(run, steps)) == count


def test_ctrl_c_while_a_step_is_shown_says_what_is_live() -> None:
    """Drawing takes time, too: what has moved until then is named."""

    def shown(number: int, step: Step) -> None:
        if number == 2:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as failure:
        perform(run_with(Aliases()), FORWARD, shown)

    assert said(failure.value.hint) == {TRACK: 3}
