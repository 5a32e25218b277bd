"""Simulated visitors: who they are, and what they send."""

from __future__ import annotations

import pytest

from gimel.api.simulation import Visitor, batches, visitors


def test_visitors_convert_at_their_rate() -> None:
    """Every variant is seen by as many, and every visitor has another uuid."""
    crowd = list(visitors(20_000, {"red": 0.0, "blue": 0.3, "green": 1.0}, seed=1))
    seen = {
        name: [each for each in crowd if each.variant == name] for name in ("red", "blue", "green")
    }
    assert all(len(each) == pytest.approx(20_000 / 3, abs=300) for each in seen.values())
    shares = [sum(each.converted for each in group) / len(group) for group in seen.values()]
    assert shares == [0, pytest.approx(0.3, abs=0.025), 1]
    assert len({each.uuid for each in crowd}) == 20_000


def test_the_same_seed_makes_the_same_visitors() -> None:
    """And another seed makes others."""
    first, again, other = (list(visitors(100, {"a": 0.5, "b": 0.5}, seed)) for seed in (1, 1, 2))
    assert first == again
    assert not {each.uuid for each in first} & {each.uuid for each in other}


def test_batches_hold_every_visitor_once() -> None:
    """In order, with at most 100 events, which are as many as there are visits and conversions."""
    crowd = list(visitors(2_000, {"red": 0.3, "blue": 0.6}, seed=1))
    sent = list(batches(crowd, "n", "e", "g"))
    assert max(len(events) for _, events in sent) == 100
    assert [each for group, _ in sent for each in group] == crowd
    assert sum(len(events) for _, events in sent) == 2_000 + sum(each.converted for each in crowd)


def test_a_visitor_participates_and_converts() -> None:
    """The goal is sent after the participation, and only for those who reached it."""
    crowd = [Visitor("u1", "red", True), Visitor("u2", "blue", False)]
    ((group, events),) = batches(crowd, "shop", "button", "bought")
    common = {"namespace": "shop", "experiment": "button"}
    assert group == crowd
    assert events == [
        {**common, "variant": "red", "uuid": "u1", "event": "participate"},
        {**common, "variant": "red", "uuid": "u1", "event": "bought"},
        {**common, "variant": "blue", "uuid": "u2", "event": "participate"},
    ]


def test_nobody_sends_nothing() -> None:
    """Not even an empty batch."""
    assert list(batches([], "n", "e", "g")) == []
