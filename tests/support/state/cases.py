"""Rows of a table of plans: an account, what is wanted, and the steps expected between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gimel.deploy.plan import plan
from tests.support.state.after import after
from tests.support.state.cloud import State
from tests.support.state.deviations import Deviation, deviate
from tests.support.state.expected import Expected, assert_steps
from tests.support.state.names import Desired, Step
from tests.support.state.seen import seen
from tests.support.state.settled import desired, settled


@dataclass(frozen=True)
class Case:
    """A deployment of `before`, with deviations, to which a deploy of `now` expects these steps.

    Both are documents; without `before` it is the same one.
    """

    expected: Sequence[Expected]
    deviations: Sequence[Deviation] = ()
    now: Mapping[str, Any] | None = None
    before: Mapping[str, Any] | None = None

    @property
    def there(self) -> State:
        """What exists."""
        document = self.before if self.before is not None else self.now
        return deviate(settled(**(document or {})), *self.deviations)

    @property
    def wanted(self) -> Desired:
        """What should exist."""
        return desired(**(self.now or {}))

    def check(self) -> None:
        """Check the steps, and that after them nothing is left to do."""
        steps = planned(self.there, **(self.now or {}))
        assert_steps(steps, self.expected)
        assert planned(after(self.there, steps), **(self.now or {})) == ()


def planned(there: State, /, **document: Any) -> tuple[Step, ...]:
    """Return the steps of a deploy of this configuration into an account."""
    wanted = desired(**document)
    return plan(wanted, seen(there, wanted))
