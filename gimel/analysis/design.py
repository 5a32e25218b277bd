"""What an experiment was designed to be, beside what was counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Design:
    """The design of one experiment.

    `control` is the variant that the others are compared with, None where the usual names decide.
    `weights` are relative shares of the traffic by variant, None for an equal split.
    """

    control: str | None = None
    weights: Mapping[str, float] | None = None
