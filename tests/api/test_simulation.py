"""Simulated visitors: who they are, what they do, and what they send."""

from __future__ import annotations

import pytest

from gimel.api.simulation import Rate, Traffic, Visitor, batches, by_day, visitors


def constant(rate: float) -> Rate:
    return Rate(((rate, rate),))


def draw(
    number: int,
    goals: dict[str, dict[str, Rate]],
    weights: dict[str, float] | None = None,
    seed: int = 1,
) -> list[Visitor]:
    """Return simulated visitors, equally many per variant unless there are weights."""
    variants = next(iter(goals.values()))
    return list(visitors(Traffic(number, weights or dict.fromkeys(variants, 1), goals, seed)))


def share(crowd: list[Visitor], goal: str) -> float:
    return sum(goal in each.goals for each in crowd) / len(crowd)


@pytest.mark.parametrize(
    ("parts", "rates"),
    [
        ([(0.2, 0.2)], [0.2, 0.2, 0.2, 0.2]),
        ([(0.8, 0.4)], [0.8, 0.7, 0.6, 0.5]),
        ([(0.3, 0.3), (0, 0)], [0.3, 0.3, 0, 0]),
        ([(0.9, 0.5), (0.5, 0.5)], [0.9, 0.7, 0.5, 0.5]),
    ],
    ids=["constant", "ramp", "step", "ramp, then constant"],
)
def test_a_rate_changes_during_the_run(
    parts: list[tuple[float, float]], rates: list[float]
) -> None:
    """At the beginning of each quarter, it is where its parts put it."""
    rate = Rate(tuple(parts))
    assert [rate.at(position) for position in (0, 0.25, 0.5, 0.75)] == pytest.approx(rates)


def test_visitors_convert_at_their_rate() -> None:
    """Without weights the variants get equal shares, and every visitor has a different uuid."""
    rates = {"red": constant(0), "blue": constant(0.3), "green": constant(1)}
    crowd = draw(20_000, {"buy": rates})
    seen = {name: [each for each in crowd if each.variant == name] for name in rates}
    assert all(len(each) == pytest.approx(20_000 / 3, abs=300) for each in seen.values())
    shares = [share(each, "buy") for each in seen.values()]
    assert shares == [0, pytest.approx(0.3, abs=0.025), 1]
    assert len({each.uuid for each in crowd}) == 20_000


def test_weights_split_the_visitors() -> None:
    """In proportion, in any unit; a variant with the weight 0 gets no visitors."""
    rates = dict.fromkeys(("none", "red", "blue"), constant(0.5))
    crowd = draw(20_000, {"buy": rates}, {"none": 0, "red": 0.3, "blue": 0.1})
    number = {name: sum(each.variant == name for each in crowd) for name in rates}
    assert number["none"] == 0
    assert number["red"] == pytest.approx(15_000, abs=300)


def test_a_changing_rate_moves_the_conversions() -> None:
    """A novelty effect wears off, a broken page converts nobody, and the control is unaffected."""
    rates = {
        "old": constant(0.5),
        "new": Rate(((0.9, 0.5),)),
        "broken": Rate(((0.5, 0.5), (0, 0))),
    }
    crowd = draw(24_000, {"buy": rates})
    first, second = (
        {name: share([each for each in half if each.variant == name], "buy") for name in rates}
        for half in (crowd[:12_000], crowd[12_000:])
    )
    assert first == pytest.approx({"old": 0.5, "new": 0.8, "broken": 0.5}, abs=0.035)
    assert second == pytest.approx({"old": 0.5, "new": 0.6, "broken": 0}, abs=0.035)


def test_a_visitor_reaches_each_goal_independently() -> None:
    """Each at its rate, and both at the product of the rates."""
    goals = {"cart": {"red": constant(0.5)}, "buy": {"red": constant(0.4)}}
    crowd = draw(20_000, goals)
    assert share(crowd, "cart") == pytest.approx(0.5, abs=0.015)
    assert share(crowd, "buy") == pytest.approx(0.4, abs=0.015)
    assert sum(each.goals == ("cart", "buy") for each in crowd) == pytest.approx(4000, abs=250)


def test_the_same_seed_makes_the_same_visitors() -> None:
    """Another seed makes others."""
    goals = {"buy": {"a": constant(0.5), "b": constant(0.5)}}
    first, again, other = (draw(100, goals, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert not {each.uuid for each in first} & {each.uuid for each in other}


def test_batches_hold_every_visitor_once() -> None:
    """In order, with at most 100 events: one per visitor, and one per goal that they reached."""
    goals = {name: {"red": constant(0.3), "blue": constant(0.6)} for name in ("cart", "buy")}
    crowd = draw(2_000, goals)
    sent = list(batches(crowd, "n", "e"))
    assert max(len(events) for _, events in sent) == 100
    assert [each for group, _ in sent for each in group] == crowd
    assert sum(len(events) for _, events in sent) == 2_000 + sum(len(each.goals) for each in crowd)


def test_a_visitor_participates_and_converts() -> None:
    """The goals are sent after the participation, with the same uuid."""
    crowd = [Visitor("u1", "red", ("cart", "buy")), Visitor("u2", "blue", ())]
    ((group, events),) = batches(crowd, "shop", "button")
    common = {"namespace": "shop", "experiment": "button"}
    assert group == crowd
    assert events == [
        {**common, "variant": "red", "uuid": "u1", "event": "participate"},
        {**common, "variant": "red", "uuid": "u1", "event": "cart"},
        {**common, "variant": "red", "uuid": "u1", "event": "buy"},
        {**common, "variant": "blue", "uuid": "u2", "event": "participate"},
    ]


def test_no_visitors_send_nothing() -> None:
    """Not even an empty batch."""
    assert list(batches([], "n", "e")) == []


def test_visitors_come_in_days() -> None:
    """All of them, in their order, fewer at weekends; three weeks from a Wednesday."""
    crowd = draw(2_100, {"buy": {"red": constant(0.5)}})
    days = list(by_day(crowd, 2_100, [day % 7 for day in range(2, 23)]))
    assert [visitor for day in days for visitor in day] == crowd
    assert list(map(len, days[:7])) == [110, 110, 100, 75, 80, 110, 115]


@pytest.mark.parametrize("number", [0, 1, 5])
def test_fewer_visitors_than_days(number: int) -> None:
    """Some days have none."""
    crowd = draw(number, {"buy": {"red": constant(0.5)}})
    days = list(by_day(crowd, number, [day % 7 for day in range(30)]))
    assert (len(days), sum(map(len, days))) == (30, number)
