"""Each alert arrives once per change, in experiments that are replayed day by day.

`python -m benchmarks.alerts` replays 1,000 of them.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest

from gimel.alerts.watch import Watched
from gimel.analysis.design import Design
from tests.support.replays import (
    BEGIN,
    DAY,
    Expected,
    Inbox,
    Killed,
    Memory,
    Replayed,
    Steps,
    Story,
    notify,
)

DAYS = 20


@pytest.fixture(scope="module")
def runs() -> list[list[Watched]]:
    """The conditions in 30 experiments, per daily run."""
    stories = [Story(f"e{number}", number) for number in range(30)]
    runs = []
    for day in range(DAYS):
        for each in stories:
            each.live(day)
        now = BEGIN + (day + 1) * DAY
        runs.append([each.replayed.look(now) for each in stories])
    return runs


def test_the_stories_have_every_kind_of_alert(runs: list[list[Watched]]) -> None:
    """And conditions that end and begin again."""
    expected = Expected()
    for watched in runs:
        expected.look(watched, is_down=False)
    kinds = Counter(key.split(":")[0] for _, key in expected.alerts)
    assert set(kinds) == {
        "verdict",
        "guardrail-harmed",
        "split-mismatch",
        "variant-fails",
        "no-events",
        "limit-reached",
    }
    assert len(set(expected.alerts)) < len(expected.alerts)


@pytest.mark.parametrize("down", [0, 3], ids=["always up", "down every third day"])
def test_each_alert_arrives_once(runs: list[list[Watched]], down: int) -> None:
    """Doubled runs send nothing, and what a receiver has missed it gets on the next day."""
    inbox, memory, expected = Inbox(), Memory(), Expected()
    for day, watched in enumerate(runs):
        inbox.is_down = down > 0 and day % down == 0
        expected.look(watched, inbox.is_down)
        for _ in range(2):
            notify(inbox, watched, memory, BEGIN + (day + 1) * DAY)

    arrived = [(alert.experiment, alert.kind) for alert in inbox.alerts]
    wanted = [(name, key.split(":")[0]) for name, key in expected.alerts]
    assert Counter((name, kind.value) for name, kind in arrived if kind) == Counter(wanted)
    assert len({alert.id for alert in inbox.alerts}) == len(inbox.alerts)
    assert all(0 < len(message) <= 50 for message in inbox.messages)


def test_a_run_that_is_killed_at_any_step_loses_and_repeats_nothing(
    runs: list[list[Watched]],
) -> None:
    """Every run is killed at one step after the other, and repeated.

    Only after the receiver has accepted a message and before all of it is noted, alerts are
    repeated, with the same ids.
    """
    inbox, memory, expected = Inbox(), Memory(), Expected()
    kills = 0
    for day, watched in enumerate(runs):
        inbox.is_down = day % 3 == 0
        expected.look(watched, inbox.is_down)
        before = dict(memory.texts)
        alone = len(inbox.messages)
        last = 0
        while True:
            # Every kill begins where the day began, so that each step of the run is one of them.
            memory.texts, memory.step = dict(before), Steps(last)
            inbox.step = memory.step
            del inbox.messages[alone:]
            try:
                notify(inbox, watched, memory, BEGIN + (day + 1) * DAY)
            except Killed:
                kills += 1
                memory.step = inbox.step = Steps()
                notify(inbox, watched, memory, BEGIN + (day + 1) * DAY)
                check_repeats(inbox, alone)
                last += 1
            else:
                break

    assert kills > 3 * DAYS
    assert len(inbox.alerts) == len(expected.alerts)
    assert len({alert.id for alert in inbox.alerts}) == len(inbox.alerts)


def check_repeats(inbox: Inbox, begin: int) -> None:
    """At most one message of a day is repeated, as it was; no alert in it is new."""
    messages = inbox.messages[begin:]
    ids = [alert.id for message in messages for alert in message]
    repeated = [each for each, number in Counter(ids).items() if number > 1]
    assert max(Counter(ids).values(), default=1) <= 2
    assert set(repeated) <= {alert.id for alert in messages[0]} if messages else not repeated


def test_experiments_without_a_difference_are_not_reported() -> None:
    """In a year, looked at every day: here every two weeks, and in the benchmark every day."""
    found: list[str] = []
    for number in range(12):
        draw = random.Random(number)
        replayed = Replayed(f"e{number}", Design(control="a", goal="buy", guardrails=("signup",)))
        sent: set[str] = set()
        for look in range(26):
            for variant in "ab":
                visitors = round(draw.gauss(1400, 37))
                replayed.add(
                    variant,
                    visitors,
                    buy=round(draw.gauss(visitors * 0.1, (visitors * 0.09) ** 0.5)),
                    signup=round(draw.gauss(visitors * 0.3, (visitors * 0.21) ** 0.5)),
                )
            seen = replayed.look(BEGIN + (look + 1) * 14 * DAY)
            sent |= {key for key in seen.observation.conditions if "no-difference" not in key}
        found += sent
    assert found == []
