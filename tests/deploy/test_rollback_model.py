"""Random histories of deploys and rollbacks, checked against a stack of what must be live.

Every action may be interrupted after any of its steps. It is then run again, as an operator would,
or given up for another one.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from gimel.deploy.history import MAX_DESCRIPTION
from gimel.deploy.plan import plan
from gimel.deploy.rollback import plan_rollback
from gimel.errors import GimelError
from tests.support.configurations import OWN_FUNCTION
from tests.support.state.after import after
from tests.support.state.cloud import FUNCTIONS, State
from tests.support.state.deviations import existing
from tests.support.state.names import Desired, Step
from tests.support.state.seen import seen
from tests.support.state.settled import desired, settled

NAMES = (*FUNCTIONS, "our-experiment")
SIZES = (128, 192, 320, 512)
DEPTH = 4
"""Deploys that can be undone: five versions of a function are kept."""

Sizes = tuple[int | None, ...]
"""The memory of each function, None where it does not exist. Nothing else differs."""

Plan = Callable[[], tuple[Step, ...]]

FIRST: Sizes = (128, 128, 128, 128, None)
START = settled(aws={"functions": {name: {"memory": 128} for name in FUNCTIONS}})
_wanted: dict[Sizes, Desired] = {}


def wanted(sizes: Sizes) -> Desired:
    """Return what asks for these sizes."""
    if sizes not in _wanted:
        options = {name: {"memory": each} for name, each in zip(NAMES, sizes, strict=True) if each}
        wiring = [OWN_FUNCTION] if sizes[-1] else []
        _wanted[sizes] = desired(extra_wiring=wiring, aws={"functions": options})
    return _wanted[sizes]


@dataclass
class Operator:
    """Somebody who runs Gimel's commands.

    `stack` is what was live after each deploy that counts, with its number. What is below `floor`
    need not be kept.
    """

    random: random.Random
    there: State = START
    stack: list[tuple[int, Sizes]] = field(default_factory=lambda: [(1, FIRST)])
    floor: int = 0

    def live(self) -> Sizes:
        """Return the sizes of what is live."""
        found = self.there.functions
        return tuple(
            existing(found[name].serving).memory if name in found else None for name in NAMES
        )

    def newest(self) -> int:
        """Return the newest deploy in the descriptions of the aliases."""
        heads = (each.history.split()[1] for each in self.there.functions.values())
        return max(int(head.partition(":")[0]) for head in heads)

    def interrupt(self, plan_now: Plan) -> None:
        """Perform a plan but for its end."""
        steps = plan_now()
        if steps:
            self.there = after(self.there, steps[: self.random.randrange(len(steps))])

    def complete(self, plan_now: Plan) -> None:
        """Perform a plan, interrupted up to twice and planned again each time."""
        for _ in range(self.random.choice((0, 0, 1, 2))):
            self.interrupt(plan_now)
        self.there = after(self.there, plan_now())

    def push(self) -> None:
        """Note what is live: after a new deploy, or after one that was continued."""
        number = self.newest()
        if number == self.stack[-1][0]:
            self.stack.pop()
        self.stack.append((number, self.live()))
        self.floor = max(self.floor, len(self.stack) - 1 - DEPTH)

    def deploy(self, sizes: Sizes) -> None:
        """Deploy: what was asked for is live."""
        asked = wanted(sizes)
        self.complete(lambda: plan(asked, seen(self.there, asked)))
        assert self.live() == sizes
        self.push()
        if sizes[-1] is None:  # what was deleted does not come back, not even by its name
            self.stack = [(number, (*each[:-1], None)) for number, each in self.stack]

    def give_up_deploy(self, sizes: Sizes) -> None:
        """Interrupt a deploy: what it has moved by then can be rolled back."""
        asked = wanted(sizes)
        self.interrupt(lambda: plan(asked, seen(self.there, asked)))
        self.push()

    def roll_back(self, target: int) -> None:
        """Go to what was live after a deploy, at once by its number or one by one."""
        if self.random.random() < 0.5:
            to = self.stack[target][0]
            self.undo(target, lambda: plan_rollback(seen(self.there, versions=True), to))
            return
        while len(self.stack) > target + 1:
            last = len(self.stack) - 2
            self.undo(last, lambda: plan_rollback(seen(self.there, versions=True)))

    def undo(self, target: int, plan_now: Plan) -> None:
        """Roll back, and check what is live."""
        try:
            plan_now()
        except GimelError:
            assert target < self.floor
            del self.stack[: target + 1]  # no longer kept
            self.floor = 0
            return
        self.complete(plan_now)
        expected = self.expected(target)
        assert self.live() == expected
        self.stack[target:] = [(self.stack[target][0], expected)]
        self.floor = min(self.floor, target)

    def give_up_rollback(self) -> None:
        """Interrupt a rollback: the deploy that it began to undo is still the newest."""
        self.interrupt(lambda: plan_rollback(seen(self.there, versions=True)))
        self.stack[-1] = (self.stack[-1][0], self.live())

    def expected(self, target: int) -> Sizes:
        """Return what must be live after going back: a function created since then stays."""
        sizes: list[int | None] = []
        for index in range(len(NAMES)):
            at = len(self.stack) - 1
            while at > target and self.stack[at][1][index] and self.stack[at - 1][1][index]:
                at -= 1
            sizes.append(self.stack[at][1][index])
        return tuple(sizes)

    def choose(self) -> Sizes:
        """Return sizes to deploy: random changes, or those of an earlier deploy."""
        choice, now = self.random, self.stack[-1][1]
        if choice.random() < 0.25:
            sizes = list(choice.choice(self.stack)[1])
        else:
            sizes = [choice.choice(SIZES) if choice.random() < 0.5 else each for each in now]
        sizes[-1] = choice.choice((now[-1], now[-1], now[-1], None, 256, 320))
        if sizes[:-1] == list(now[:-1]):  # so that every deploy has an entry in what stays
            sizes[0] = choice.choice([each for each in SIZES if each != sizes[0]])
        return tuple(sizes)

    def act(self) -> None:
        """Do one thing or another."""
        choice = self.random.random()
        if choice < 0.4 and len(self.stack) > 1:
            self.roll_back(self.random.randrange(len(self.stack) - 1))
        elif choice < 0.5 and len(self.stack) > 1 + self.floor:
            self.give_up_rollback()
        elif choice < 0.65:
            sizes = (*self.choose()[:-1], self.stack[-1][1][-1])
            if sizes != self.stack[-1][1]:
                self.give_up_deploy(sizes)
        else:
            self.deploy(self.choose())


@pytest.mark.parametrize("block", range(3))
def test_what_must_be_live_is_live(block: int) -> None:
    """After every action. Descriptions and versions stay within their limits."""
    for seed in range(block * 20, block * 20 + 20):
        operator = Operator(random.Random(seed))
        for _ in range(12):
            operator.act()
            for function in operator.there.functions.values():
                assert len(function.history) <= MAX_DESCRIPTION
                assert len(function.versions) <= DEPTH + 1
