"""An event as it is sent, and the reasons why one is not counted."""

from __future__ import annotations

from collections.abc import Mapping

from gimel.runtime import fields
from gimel.runtime.counter import Experiment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gimel.runtime.counter import Names

PARTICIPATE = "participate"
"""The `event` of a visitor who takes part in an experiment; any other is the name of a goal."""

# The reasons why an event is ignored.
BOT = "bot"
NAMESPACE_NOT_ALLOWED = "namespace not allowed"
EXPERIMENT_NOT_ALLOWED = "experiment not allowed"
LIMIT_REACHED = "limit reached"
EXPERIMENT_CONCLUDED = "experiment concluded"
COUNTER_UNREADABLE = "counter unreadable"
"""The counter's key holds something that is not a count, so the event cannot be added to it."""


class TrackEvent:
    """One event as sent: its `names` (namespace, experiment, goal, variant), and the visitor."""

    __slots__ = ("names", "uuid")

    def __init__(self, names: Names, uuid: str) -> None:
        self.names = names
        self.uuid = uuid

    @property
    def experiment(self) -> Experiment:
        """The experiment that it belongs to."""
        return Experiment(*self.names[:2])


def parse_event(parameters: Mapping[str, object]) -> TrackEvent:
    """Return the event that the parameters describe. Raises BadRequest, which names the field."""
    names = (
        fields.namespace(parameters),
        fields.text(parameters, "experiment"),
        fields.text(parameters, "event"),
        fields.text(parameters, "variant"),
    )
    return TrackEvent(names, fields.text(parameters, "uuid"))
