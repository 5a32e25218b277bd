"""What exists after a step: a pure model of the calls that performing it makes.

A step that AWS would refuse, because what it needs does not exist, raises Impossible. So does a
step that would make something twice. Each kind of step has a function in `after`.
"""

from __future__ import annotations

import functools

from tests.support.state.cloud import State
from tests.support.state.names import Step


class Impossible(Exception):
    """AWS would refuse the step."""


@functools.singledispatch
def step_after(step: Step, there: State) -> State:
    """Return the account after a step. Each kind of step registers its own function."""
    raise NotImplementedError(type(step))


def needs(possible: object, step: Step, why: str) -> None:
    """Raise Impossible with the reason, unless the step is possible."""
    if not possible:
        raise Impossible(f"{step}: {why}")
