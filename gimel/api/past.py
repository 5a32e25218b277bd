"""Days that have passed, which `gimel serve` can count as if they were today.

Each of them ends with a reading, which records the day in the experiment's history.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone

from gimel.api.client import Api
from gimel.errors import GimelError

_DAY = 86_400  # seconds


@dataclass(frozen=True)
class Past:
    """The last days of an API of `gimel serve`: they end `now`, in seconds since 1970."""

    api: Api
    days: int
    now: int

    @property
    def weekdays(self) -> list[int]:
        """The weekday of each day (UTC), with 0 for Monday."""
        starts = map(self._start, range(self.days))
        return [datetime.fromtimestamp(start, timezone.utc).weekday() for start in starts]

    def has_begun(self, namespace: str, experiment: str) -> bool:
        """Return whether an experiment has visitors. Raises GimelError."""
        if "," in experiment:
            raise GimelError(
                f"{experiment!r} has a comma, and the days of such an experiment cannot be"
                " simulated.",
                "Choose another name with --experiment.",
            )
        api = replace(self.api, time=self.now)
        found = api.experiments(namespace, experiment).experiments
        return any(each.visitors for each in found)

    def during(self, day: int) -> dict[str, str]:
        """Return the headers of requests that are sent as if on this day."""
        return replace(self.api, time=self._start(day)).headers

    def record(self, namespace: str, experiment: str, day: int) -> None:
        """Record what was counted until the end of this day. Raises GimelError."""
        api = replace(self.api, time=self._start(day + 1))
        api.experiments(namespace, experiment, history=True)

    def _start(self, day: int) -> int:
        return self.now - (self.days - day) * _DAY
