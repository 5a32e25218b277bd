"""Arms to calculate with: counted exactly, or by HyperLogLogs."""

from __future__ import annotations

from typing import Any

import pytest

from gimel.analysis.counts import Arm, Count


def exact(conversions: float, visitors: float, weight: float = 1.0) -> Arm:
    return Arm("arm", Count(visitors), Count(conversions), weight)


def noisy(conversions: float, visitors: float, precision: int = 1, weight: float = 1.0) -> Arm:
    kind = str(precision)
    return Arm(
        "arm", Count.from_parts({kind: visitors}), Count.from_parts({kind: conversions}), weight
    )


def close(expected: Any) -> Any:
    """Equal to 1e-9 relative; the difference of two rates near zero has only 1e-13 absolute."""
    return pytest.approx(expected, rel=1e-9, abs=1e-13)
