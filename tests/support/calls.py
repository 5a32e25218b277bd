"""Rows of a table of calls: an account, what is wanted, and the calls that lead there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gimel.deploy.apply import perform, start
from gimel.deploy.plan import plan, plan_destroy
from tests.support.aws import scripted
from tests.support.state.deviations import Deviation, deviate
from tests.support.state.names import Deployed, Observed, Step, TryVersions
from tests.support.state.seen import seen
from tests.support.state.settled import desired, settled

NOW = "2026-01-15T12:00Z"
"""When every run begins."""


@dataclass(frozen=True)
class Call:
    """A call, its parameters, and what AWS answers."""

    operation: str
    given: dict[str, Any]
    answer: Any = None


def call(operation: str, answer: Any = None, /, **given: Any) -> Call:
    """Return what to expect."""
    return Call(operation, given, answer)


@dataclass(frozen=True)
class Case:
    """A deployment of `before`, with deviations, and the calls of a deploy of `now` or a destroy.

    Both are documents; without `before` it is the same one.
    """

    calls: Sequence[Call]
    deviations: Sequence[Deviation] = ()
    now: dict[str, Any] | None = None
    before: dict[str, Any] | None = None
    destroy: bool = False
    in_any_order: bool = False

    def planned(self) -> tuple[tuple[Step, ...], Observed]:
        """Return the steps, and what was seen."""
        now = self.now or {}
        document = now if self.before is None else self.before
        there = deviate(settled(**document), *self.deviations)
        if self.destroy:
            return plan_destroy(seen(there)), seen(there)
        wanted = desired(**now)
        return plan(wanted, seen(there, wanted)), seen(there, wanted)

    def check(self) -> Deployed:
        """Check that the plan makes these calls and no others. Returns what it leads to."""
        steps, observed = self.planned()
        with scripted(in_any_order=self.in_any_order) as script:
            for each in self.calls:
                script.expect(each.operation, each.answer, **each.given)
            run = start(script.aws(), observed)
            run.now = NOW
            # What a trial calls is random: test_trials checks it.
            return perform(run, [step for step in steps if not isinstance(step, TryVersions)])
