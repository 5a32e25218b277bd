"""Which alerts a receiver has received, as one text per experiment, and which are new to it.

Pure. `gimel.alerts.records` keeps the text beside the experiment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gimel.alerts.conditions import Observation

_VERSION = 1


@dataclass(frozen=True)
class State:
    """What was sent of one experiment, by the key of the condition.

    Attributes:
        active: How often each condition was sent that has not ended since.
        ended: The same of those that have ended. A number makes the id of the next one differ.
    """

    active: Mapping[str, int] = field(default_factory=dict)
    ended: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str | None) -> State | None:
        """Return the state in a text; None if a newer Gimel wrote it.

        What is not such a text is like none: at worst an alert is sent again.
        """
        try:
            content = json.loads(text or "{}")
            if content.get("v", _VERSION) > _VERSION:
                return None
            active, ended = (
                {str(key): int(number) for key, number in content.get(name, {}).items()}
                for name in ("active", "ended")
            )
        except (ValueError, TypeError, AttributeError, RecursionError):
            return cls()
        return cls(active, ended)

    @property
    def text(self) -> str:
        """The state as `parse` reads it."""
        content = {"v": _VERSION, "active": dict(self.active), "ended": dict(self.ended)}
        return json.dumps(content, separators=(",", ":"), sort_keys=True)

    def settled(self, observation: Observation) -> State:
        """Return the state after what is over has ended."""
        over = {key: number for key, number in self.active.items() if observation.is_over(key)}
        if not over:
            return self
        active = {key: number for key, number in self.active.items() if key not in over}
        return State(active, {**self.ended, **over})

    def new(self, observation: Observation) -> list[str]:
        """Return the keys of the conditions that were not sent, in the order of the kinds."""
        return [key for key in observation.conditions if key not in self.active]

    def number(self, key: str) -> int:
        """Return the how many-th alert of a condition the next one is, from 1."""
        return max(self.active.get(key, 0), self.ended.get(key, 0)) + 1

    def sent(self, key: str) -> State:
        """Return the state after the alert of a condition was sent."""
        ended = {each: number for each, number in self.ended.items() if each != key}
        return replace(self, active={**self.active, key: self.number(key)}, ended=ended)


def alert_id(namespace: str, experiment: str | None, began: str | None, key: str, n: int) -> str:
    """Return the id of the n-th alert of a condition.

    It depends on nothing else, so that a repeated alert has the same one. `began` differs
    between experiments that had the same name one after the other.
    """
    named = json.dumps([namespace, experiment, began, key, n])
    return hashlib.sha256(named.encode()).hexdigest()[:32]
