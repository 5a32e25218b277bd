"""The experiment of the demo page of `gimel serve`: its names, its made-up visitors, its design.

Imports no web server, so that `gimel results --local` judges the experiment by the same design.
"""

from __future__ import annotations

from collections.abc import Mapping

from gimel.analysis.design import Design

NAME = "demo button"
"""No experiment of a real page should have this name: made-up visitors are counted in it."""

GOAL = "bought"

RATES = {"blue": 1 / 5, "red": 1 / 3}
"""The conversion rates of made-up visitors.

With them 919 of 1,000 simulated tests were decided after 1,000 visitors, and all after 2,000.
"""

# Made-up visitors are the same on every day of the week.
_DESIGN = Design(control="blue", minimum_days=0)


def with_demo(designs: Mapping[str, Design]) -> dict[str, Design]:
    """Return the designs of a configuration, and that of the demo unless they have one."""
    return {NAME: _DESIGN, **designs}
