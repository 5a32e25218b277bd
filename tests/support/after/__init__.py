"""What exists on AWS after a step: a pure model of the calls that performing it makes.

A step that AWS would refuse, because what it needs does not exist, raises Impossible. So does one
that would make something twice. Ids are those of `tests.support.state`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from tests.support.after import compute as compute
from tests.support.after import gateway as gateway
from tests.support.after.base import Impossible as Impossible
from tests.support.after.base import step_after
from tests.support.model import Observed, Step


def after(there: Observed, steps: Iterable[Step]) -> Observed:
    """Return the account after these steps. Raises Impossible for one that AWS would refuse."""
    return functools.reduce(lambda found, step: step_after(step, found), steps, there)


def prefixes(there: Observed, steps: Iterable[Step]) -> list[Observed]:
    """Return the account before the first step and after each one."""
    accounts = [there]
    for step in steps:
        accounts.append(step_after(step, accounts[-1]))
    return accounts
