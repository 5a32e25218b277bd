"""Made-up visitors have the truth that they are asked for."""

from __future__ import annotations

import pytest

from gimel.api.simulation import Visitor, batches, visitors

RATES = {"red": 0.0, "blue": 0.3, "green": 1.0}


@pytest.fixture(scope="module")
def crowd() -> list[Visitor]:
    return list(visitors(20_000, RATES, seed=1))


@pytest.mark.parametrize(("variant", "rate"), RATES.items())
def test_visitors_convert_at_their_rate(variant: str, rate: float, crowd: list[Visitor]) -> None:
    """Exactly so at 0 and 1."""
    converted = [each.converted for each in crowd if each.variant == variant]

    assert sum(converted) / len(converted) == pytest.approx(rate, abs=0.025 * (0 < rate < 1))


def test_every_variant_has_about_as_many_visitors(crowd: list[Visitor]) -> None:
    """Each visitor draws a variant with equal chances."""
    seen = [sum(each.variant == variant for each in crowd) for variant in RATES]

    assert seen == pytest.approx([20_000 / 3] * 3, abs=300)


def test_every_visitor_is_another(crowd: list[Visitor]) -> None:
    """No uuid comes twice."""
    assert len({each.uuid for each in crowd}) == 20_000


def test_the_seed_decides() -> None:
    """The same seed makes the same visitors, another seed others."""
    first, again, other = (list(visitors(10, RATES, seed=seed)) for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_a_batch_fits_into_one_call(crowd: list[Visitor]) -> None:
    """It has at most 100 events, and all but the last are full or would not hold the next."""
    sizes = [len(events) for _, events in batches(crowd, "n", "e", "g")]

    assert max(sizes) == 100
    assert min(sizes[:-1]) >= 99


def test_batches_have_every_event_of_every_visitor(crowd: list[Visitor]) -> None:
    """One event for participating, and one for converting."""
    sent = list(batches(crowd, "n", "e", "g"))

    assert [each for group, _ in sent for each in group] == crowd
    events = [event for _, events in sent for event in events]
    assert sum(event["event"] == "participate" for event in events) == 20_000
    assert [event["uuid"] for event in events if event["event"] == "g"] == [
        each.uuid for each in crowd if each.converted
    ]
