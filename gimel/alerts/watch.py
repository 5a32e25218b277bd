"""What is watched: every experiment of a snapshot that a receiver may have to be notified of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gimel.alerts.conditions import Observation, limit, observe
from gimel.alerts.described import parse
from gimel.alerts.messages import Alert, shortened
from gimel.alerts.state import alert_id
from gimel.analysis.design import Design
from gimel.analysis.experiment import analyse
from gimel.runtime import http

FIELD = "alerted:"
"""The beginning of a meta hash's field; the receiver's name follows."""


class Taken(Protocol):
    """An experiment as `gimel.runtime.snapshot.take` yields it."""

    @property
    def namespace(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def described(self) -> Mapping[str, Any]: ...
    @property
    def fields(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, eq=False)
class Watched:
    """An experiment, or with `experiment` None a namespace, and which conditions hold there.

    `began` is the text of its field `since`, None without one: it differs between
    experiments that had the same name one after the other.
    """

    namespace: str
    experiment: str | None
    began: str | None
    observation: Observation

    def alert(self, key: str, number: int, now: float) -> Alert:
        """Return the alert of a condition, the `number`-th of its kind."""
        condition = self.observation.conditions[key]
        return Alert(
            alert_id(self.namespace, self.experiment, self.began, key, number),
            condition.kind,
            self.namespace,
            self.experiment,
            shortened(condition.sentence),
            int(now),
            condition.variant,
            condition.goal,
        )


class Watch:
    """Collects, while a snapshot is taken, what the alerts need of it: little, as memory is scarce.

    `watched` are the experiments with a condition, and those of which something was sent earlier.
    """

    def __init__(self, designs: Mapping[str, Design], now: float) -> None:
        self._designs = designs
        self._now = now
        self.watched: list[Watched] = []
        self.namespaces: set[str] = set()

    def add(self, taken: Taken) -> None:
        """Look at an experiment. One that cannot be analysed is logged, and costs no other one."""
        self.namespaces.add(taken.namespace)
        try:
            counts = parse(taken.described)
            experiment = analyse(counts, self._designs.get(taken.name), now=self._now)
            observation = observe(experiment, counts, self._now)
        except Exception as error:
            http.log(error)
            return
        began = taken.fields.get("since")
        has_sent = any(name.startswith(FIELD) for name in taken.fields)
        if observation.conditions or has_sent:
            self.watched.append(Watched(taken.namespace, taken.name, began, observation))

    def add_namespace(self, namespace: str, ignored: Mapping[str, int]) -> None:
        """Look at the ignored events that belong to no experiment of a namespace."""
        found = limit(ignored, " of experiments that do not exist yet")
        observation = Observation({each.key: each for each in found})
        if observation.conditions:
            self.watched.append(Watched(namespace, None, None, observation))
