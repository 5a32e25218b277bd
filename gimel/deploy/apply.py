"""The loop: performing the steps of a plan, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gimel.deploy.aws import Aws
from gimel.deploy.deployed import Deployed, deployed_from_ids
from gimel.deploy.plan import RESOURCES, Resources
from gimel.deploy.resources.aliases import MoveAlias
from gimel.deploy.resources.base import Observed, Run, Step
from gimel.errors import GimelError

OnStep = Callable[[int, Step], None]


def apply(
    aws: Aws,
    steps: Sequence[Step],
    observed: Observed,
    on_step: OnStep = lambda number, step: None,
    resources: Resources = RESOURCES,
) -> Deployed:
    """Perform the steps and return how the deployment is reached.

    `on_step` is called before each step, with its number from 1. Raises GimelError that names the
    step which failed; those before it are done.
    """
    run = start(aws, observed, resources)
    for number, step in enumerate(steps, 1):
        on_step(number, step)
        try:
            step.perform(run)
        except GimelError as error:
            hint = f"{error.hint} Then run the command again: it completes what is missing.".strip()
            message = f"Step {number} of {len(steps)} failed: {step}. {error.message}"
            raise GimelError(message, hint) from None
    return deployed_from_ids(run.ids)


def apply_all_or_none(aws: Aws, moves: Sequence[MoveAlias], observed: Observed) -> None:
    """Move every alias; if one cannot be moved, move those before it back.

    Raises GimelError that names the one which failed.
    """
    run = start(aws, observed)
    done: list[MoveAlias] = []
    for move in moves:
        try:
            move.perform(run)
        except GimelError as error:
            for earlier in reversed(done):
                MoveAlias(earlier.function, earlier.before, earlier.before).perform(run)
            message = f"Nothing was rolled back. {move} failed: {error.message}"
            raise GimelError(message, error.hint) from None
        done.append(move)


def start(aws: Aws, observed: Observed, resources: Resources = RESOURCES) -> Run:
    """Return a run that knows the ids of what exists."""
    run = Run(aws, observed.identity)
    for resource in resources:
        run.ids |= resource.ids(observed.of(resource))
    return run
