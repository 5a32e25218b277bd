"""Gimel's AWS calls: which ones change something, and those recorded of each journey."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

READING = ("Get", "List", "Describe", "Simulate")
FILE = Path(__file__).with_name("recorded_calls.json")


def mutating(calls: Iterable[str]) -> list[str]:
    """Return the calls that change something."""
    return [call for call in calls if not call.startswith(READING)]


def recorded() -> dict[str, list[str]]:
    """Return the calls of each journey, in order.

    `python -m tests.support.journeys` records them.
    """
    journeys: dict[str, list[str]] = json.loads(FILE.read_text("utf-8"))
    return journeys
