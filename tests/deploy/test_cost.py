"""What events and snapshots cost, checked by hand against AWS's price list."""

from __future__ import annotations

import pytest

from gimel.deploy.cost import cost_per_million, snapshots_per_month


@pytest.mark.parametrize(
    ("memory", "architecture", "through_api", "through_url"),
    [
        # Requests $0.20; 625 GB seconds $0.0083 on arm64; 0.33 GB of logs $0.165; API $3.50.
        (128, "arm64", 3.87, 0.37),
        (128, "x86_64", 3.88, 0.38),
        (1024, "arm64", 3.93, 0.43),
        (1024, "x86_64", 3.95, 0.45),
        (10_240, "x86_64", 4.70, 1.20),
    ],
)
def test_a_million_events(
    memory: int, architecture: str, through_api: float, through_url: float
) -> None:
    """In US dollars, through the API and through a function URL."""
    cost = cost_per_million(memory, architecture)

    assert (cost.through_api, cost.through_url) == (through_api, through_url)


@pytest.mark.parametrize(
    ("seconds", "architecture", "dollars"),
    [
        # 31 runs of 225 GB seconds at most, $0.003 each on arm64.
        (900, "arm64", 0.093),
        (900, "x86_64", 0.116),
        (10, "arm64", 0.001),
    ],
)
def test_a_month_of_snapshots(seconds: float, architecture: str, dollars: float) -> None:
    """The longest possible runs cost a dime. The invocations cost next to nothing."""
    assert snapshots_per_month(256, architecture, seconds) == dollars


def test_arm64_costs_a_fifth_less_to_compute() -> None:
    """What the description of `aws.architecture` promises; requests and logs cost the same."""
    huge = 10_000_000  # MB, so that only computing matters

    arm, intel = (cost_per_million(huge, each).through_url for each in ("arm64", "x86_64"))

    assert arm / intel == pytest.approx(0.8, abs=0.001)
