"""What exists after steps. See `after_base` for what the model claims."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from tests.support.state import after_compute as after_compute
from tests.support.state import after_events as after_events
from tests.support.state import after_gateway as after_gateway
from tests.support.state import after_tags as after_tags
from tests.support.state.after_base import Impossible as Impossible
from tests.support.state.after_base import step_after
from tests.support.state.cloud import State
from tests.support.state.names import Step


def after(there: State, steps: Iterable[Step]) -> State:
    """Return the account after these steps. Raises Impossible for one that AWS would refuse."""
    return functools.reduce(lambda found, step: step_after(step, found), steps, there)


def states(there: State, steps: Iterable[Step]) -> list[State]:
    """Return the account before the first step and after each one."""
    found = [there]
    for step in steps:
        found.append(step_after(step, found[-1]))
    return found
