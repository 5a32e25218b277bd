"""Alerts in replayed experiments: is each sent once, and how many are false?

`python -m benchmarks.alerts` takes about half an hour for its defaults. The first part replays
experiments of three weeks in which much goes wrong, with the receiver down on every third day and
every run killed at some step and repeated. The second part replays experiments without any
difference for a year of daily runs, as the snapshot's function sees them.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator

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

_DAYS = 21
_YEAR = 365
_AT_ONCE = 50  # experiments of one deployment


def replay(stories: list[Story], choices: random.Random) -> Iterator[str]:
    """Yield what happened to each alert: "once", "repeated with its id", "lost" or "twice"."""
    inbox, memory, expected = Inbox(), Memory(), Expected()
    for day in range(_DAYS):
        now = BEGIN + (day + 1) * DAY
        for each in stories:
            each.live(day)
        watched = [each.replayed.look(now) for each in stories]
        inbox.is_down = day % 3 == 2
        expected.look(watched, inbox.is_down)
        _run_and_kill(inbox, memory, watched, now, choices)
    ids: dict[tuple[str | None, str], list[str]] = {}
    for alert in inbox.alerts:
        kind = alert.kind.value if alert.kind else ""
        ids.setdefault((alert.experiment, f"{kind} {alert.goal} {alert.variant}"), []).append(
            alert.id
        )
    wanted = Counter((name, key.split(":")[0]) for name, key in expected.alerts)
    arrived = Counter(
        (name, what.split()[0]) for (name, what), found in ids.items() for _ in set(found)
    )
    for what in {*wanted, *arrived}:
        yield from ["once"] * min(wanted[what], arrived[what])
        yield from ["lost"] * max(0, wanted[what] - arrived[what])
        yield from ["twice"] * max(0, arrived[what] - wanted[what])
    yield from ["repeated with its id"] * (len(inbox.alerts) - arrived.total())


def _run_and_kill(
    inbox: Inbox, memory: Memory, watched: list[Watched], now: int, choices: random.Random
) -> None:
    """Kill the run at random steps, three times in a row, and let the fourth one end."""
    for last in (*(choices.randrange(12) for _ in range(3)), None):
        inbox.step = memory.step = Steps(last)
        try:
            notify(inbox, watched, memory, now)
        except Killed:
            continue


def false_alerts(number: int, seed: int) -> set[str]:
    """Return which kinds of decisions an experiment without a difference was said to have."""
    draw = random.Random(seed)
    goals = {"buy": draw.choice([0.02, 0.1, 0.5]), "signup": 0.3}
    per_day = draw.choice([50, 500, 5000])
    design = draw.choice([None, Design(control="a", goal="buy", guardrails=("signup",))])
    replayed = Replayed(f"e{number}", design)
    found: set[str] = set()
    for day in range(_YEAR):
        for variant in "ab":
            visitors = max(0, round(draw.gauss(per_day, per_day**0.5)))
            reached = {
                goal: max(0, round(draw.gauss(visitors * p, (visitors * p * (1 - p)) ** 0.5)))
                for goal, p in goals.items()
            }
            replayed.add(variant, visitors, **reached)
        seen = replayed.look(BEGIN + (day + 1) * DAY)
        found |= {key for key in seen.observation.conditions if "no-difference" not in key}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replayed", type=int, default=1000)
    parser.add_argument("--same", type=int, default=400)
    chosen = parser.parse_args()
    choices = random.Random(1)
    became: Counter[str] = Counter()
    for begin in range(0, chosen.replayed, _AT_ONCE):
        count = min(_AT_ONCE, chosen.replayed - begin)
        stories = [Story(f"e{begin + each}", begin + each) for each in range(count)]
        became.update(replay(stories, choices))
    print(f"{chosen.replayed:,} experiments of {_DAYS} days: {dict(became)}")
    false: Counter[str] = Counter()
    for number in range(chosen.same):
        kinds = {key.split(":")[0] for key in false_alerts(number, number)}
        false.update(kinds)
        false["any"] += bool(kinds)
    if chosen.same:
        share = false["any"] / chosen.same
        print(f"{chosen.same:,} experiments without a difference: {dict(false)}, {share:.1%}")


if __name__ == "__main__":
    main()
