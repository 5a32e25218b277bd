"""The loop: performing the steps of a plan, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from gimel.analysis.phrases import join_names
from gimel.deploy.aws import Aws
from gimel.deploy.aws_errors import Refused
from gimel.deploy.deployed import Deployed, deployed_from_ids
from gimel.deploy.history import History
from gimel.deploy.plan import RESOURCES, Resources, known_ids
from gimel.deploy.resources.aliases import CreateAlias, MoveAlias, MoveBack
from gimel.deploy.resources.base import Observed, Run, Step
from gimel.deploy.resources.observed_function import ObservedFunction
from gimel.deploy.resources.trials import DoesNotWork
from gimel.errors import GimelError, Interrupted

OnStep = Callable[[int, Step], None]


def apply(
    aws: Aws,
    steps: Sequence[Step],
    observed: Observed,
    on_step: OnStep = lambda number, step: None,
    resources: Resources = RESOURCES,
) -> Deployed:
    """Perform the steps and return how the deployment is reached. Raises as `perform` does."""
    return perform(start(aws, observed, resources), steps, on_step)


def perform(
    run: Run, steps: Sequence[Step], on_step: OnStep = lambda number, step: None
) -> Deployed:
    """Perform the steps and return how the deployment is reached.

    `on_step` is called before each step, with its number from 1. Raises GimelError that names the
    step which failed and says what is live; the steps before it are done. Ctrl-C raises
    Interrupted, which says the same.
    """
    for number, step in enumerate(steps, 1):
        try:
            on_step(number, step)
            step.perform(run)
        except GimelError as error:
            message = f"Step {number} of {len(steps)} failed: {step}. {error.message}"
            raise GimelError(message, _next(run, steps, step, error)) from None
        except KeyboardInterrupt:
            message = f"Interrupted in step {number} of {len(steps)}: {step}."
            raise Interrupted(message, _next(run, steps, step)) from None
    return deployed_from_ids(run.ids)


def _next(run: Run, steps: Sequence[Step], failed: Step, error: GimelError | None = None) -> str:
    """Return what is live after a step has failed, and what to do next."""
    states = [f"Live now: {describe_live(run.live)}."] if run.live else []
    if isinstance(failed, CreateAlias | MoveAlias) and not isinstance(error, Refused):
        # The call may have been done although its answer is missing.
        states.append(f"The live version of {failed.function} may have changed too.")
    elif not run.live and _moves(steps):
        states.append("What visitors reach has not changed.")
    state = " ".join(states)
    advice = error.hint if error else ""
    again = "Run the command again: it completes what is missing."
    if isinstance(error, DoesNotWork) or (isinstance(error, Refused) and error.permanent):
        again = ""
    return " ".join(part for part in (state, advice, again) if part)


def _moves(steps: Sequence[Step]) -> bool:
    return any(isinstance(step, CreateAlias | MoveAlias | MoveBack) for step in steps)


def describe_live(live: Mapping[str, History]) -> str:
    """Return which version of each function is live: "gimel-track version 3 (deploy 7)"."""
    return join_names(
        [
            f"{name} version {history.entries[0].version} (deploy {history.newest})"
            for name, history in live.items()
        ]
    )


def moves_back(
    run: Run, steps: Sequence[Step], functions: Iterable[ObservedFunction] = ()
) -> tuple[MoveBack, ...]:
    """Return the steps that undo what a deploy made live, none where that cannot be undone.

    `functions` are as they were before the run: what an interrupted run of the same deploy had made
    live goes back too, so that no versions of two deploys are mixed.
    """
    moved = [step for step in steps if isinstance(step, MoveAlias) and step.function in run.live]
    if any(not step.earlier.entries or not step.before for step in moved):
        return ()
    numbers = {step.deploy.number for step in steps if isinstance(step, CreateAlias | MoveAlias)}
    before = [
        MoveBack(each.name, each.history, each.history.before(each.history.newest))
        for each in functions
        if each.name not in run.live
        and each.history.newest in numbers
        and not each.history.begins_with(each.history.newest)
    ]
    now = [MoveBack(step.function, run.live[step.function], step.earlier) for step in moved]
    return (*before, *now)


_COMPLETES = "Run the command again: it completes the rollback."


def apply_all_or_none(run: Run, steps: Sequence[Step], completes: str = _COMPLETES) -> None:
    """Perform the steps of a rollback; if one fails, undo those before it.

    Raises GimelError that names the one which failed, or Interrupted after Ctrl-C, and says what is
    live. `completes` says how to complete a rollback of which a part could not be undone.
    """
    done: list[MoveBack] = []
    for step in steps:
        try:
            if isinstance(step, MoveBack):
                done.append(step)  # a call that fails may have been done
            step.perform(run)
        except GimelError as error:
            if isinstance(error, Refused) and step in done:
                done.remove(step)  # it was certainly not done
            state, hint = _undo(run, done, completes), error.hint
            raise GimelError(f"{step} failed: {error.message} {state}", hint) from None
        except KeyboardInterrupt:
            raise Interrupted(f"Interrupted. {_undo(run, done, completes)}") from None


def _undo(run: Run, done: Sequence[MoveBack], completes: str) -> str:
    """Undo as many moves as possible and return what is live then."""
    mixed: dict[str, History] = {}
    for move in reversed(done):
        try:
            move.undo().perform(run)
        except (GimelError, KeyboardInterrupt):
            mixed[move.function] = run.live.get(move.function, move.earlier)
    if not mixed:
        return "Nothing was rolled back."
    doubt = join_names([move.function for move in reversed(done) if move.function in mixed])
    live = {move.function: run.live.get(move.function, move.earlier) for move in done}
    return (
        f"The rollback is incomplete: {doubt} could not be restored. Probably live now: "
        f"{describe_live(live)}. {completes}".rstrip()
    )


def start(aws: Aws, observed: Observed, resources: Resources = RESOURCES) -> Run:
    """Return a run that knows the ids of what exists."""
    return Run(aws, observed.identity, known_ids(observed, resources))
