"""The dispatch of a step to the function that says what exists after it."""

from __future__ import annotations

import functools

from tests.support.model import Observed, Step


class Impossible(Exception):
    """AWS would refuse the step."""


@functools.singledispatch
def step_after(step: Step, there: Observed) -> Observed:
    """Return the account after a step. Each kind of step registers its own function."""
    raise NotImplementedError(type(step))


def needs(possible: object, step: Step, why: str) -> None:
    """Raise Impossible with the reason, unless the step is possible."""
    if not possible:
        raise Impossible(f"{step}: {why}")
