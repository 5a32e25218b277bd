"""An experiment over time, for plots and tables: what was known at each recorded time, and now.

Describes and decides nothing. The verdict, with the day on which it was reached, comes from
`gimel.analysis.decision`.
"""

from __future__ import annotations

from dataclasses import dataclass

from gimel.analysis.mixture import Lift
from gimel.analysis.stats import Estimate


@dataclass(frozen=True)
class Moment:
    """The visitors of an experiment at one time.

    Attributes:
        time: In seconds since 1970.
        days: Days since the previous moment; None for the first.
        visitors: The visitors of each arm until then, in the order of the experiment's arms.
        per_day: New visitors of each arm per day since the previous moment. For the first moment,
            since the experiment's first event; None if that is unknown.
        is_after_gap: Whether a day is missing: the previous moment is over 1.5 days ago.
    """

    time: int
    days: float | None
    visitors: tuple[float, ...]
    per_day: tuple[float, ...] | None
    is_after_gap: bool


@dataclass(frozen=True)
class GoalMoment:
    """What was known of a goal at one time.

    Attributes:
        time: In seconds since 1970.
        rates: The conversion rate of each arm until then, in the order of the goal's arms, with its
            fixed-horizon interval; 0 to 1 without visitors.
        lifts: The lift of each arm with its always-valid interval. None for the control.
    """

    time: int
    rates: tuple[Estimate, ...]
    lifts: tuple[Lift | None, ...]


@dataclass(frozen=True)
class Novelty:
    """A lift that changed from the first half of the visitors to the second.

    Attributes:
        variant: The variant's name.
        first: Its lift over the control among the first half of the visitors.
        second: Its lift among the second half.
        turned: The time between the halves, in seconds since 1970.
        sentence: The same in words.
    """

    variant: str
    first: float
    second: float
    turned: int
    sentence: str
