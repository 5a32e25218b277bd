"""How an experiment was designed: what the counts alone do not say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

_CONTROL_NAMES = ("control", "original", "baseline")


@dataclass(frozen=True)
class Design:
    """The design of one experiment.

    Attributes:
        control: The variant that the others are compared with. None: it is chosen by its name.
        weights: The share of traffic each variant should get, in any unit. None: equal shares.
    """

    control: str | None = None
    weights: Mapping[str, float] | None = None

    def variants(self, counted: Collection[str]) -> list[str]:
        """Return the names of all variants, those counted and those designed, in order.

        Before the first visitor the list is empty, whatever the design says.
        """
        if not counted:
            return []
        return sorted({*counted, *(self.weights or ()), *filter(None, [self.control])})

    def weight(self, variant: str) -> float:
        """Return the weight of a variant: 1 without weights, 0 for a variant without one."""
        return self.weights.get(variant, 0.0) if self.weights else 1.0


def default_control(names: Iterable[str]) -> str | None:
    """Return the variant named control, original or baseline in any case, else the first by name.

    None without variants.
    """
    ordered = sorted(names)
    for usual in _CONTROL_NAMES:
        for name in ordered:
            if name.casefold() == usual:
                return name
    return ordered[0] if ordered else None
