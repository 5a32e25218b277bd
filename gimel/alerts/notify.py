"""The end of a snapshot's run: each receiver gets what is new to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gimel.alerts.delivery import Store, deliver
from gimel.alerts.http import NotSent
from gimel.alerts.receivers import Receiver
from gimel.alerts.watch import Watched
from gimel.runtime import http
from gimel.runtime.errors import RedisError


@dataclass(frozen=True)
class Outcome:
    """What became of the alerts of one run.

    Attributes:
        alerts: How many were sent, over all receivers.
        failures: The name of each receiver that failed, and why, without any secret.
    """

    alerts: int
    failures: tuple[tuple[str, str], ...]


def notify(
    receivers: Sequence[Receiver],
    watched: Sequence[Watched],
    store: Store,
    now: float,
    seconds_left: Callable[[], float],
) -> Outcome:
    """Send each receiver what is new to it.

    A failure does not affect the other receivers, and the next run tries again.
    """
    alerts, failures = 0, []
    for receiver in receivers:
        try:
            alerts += deliver(receiver, watched, store, now, seconds_left)
        except (NotSent, RedisError) as error:
            failures.append((receiver.name, str(error)))
        except Exception as error:  # a defect, which must not cost the other receivers
            http.log(error)
            failures.append((receiver.name, f"unexpected {type(error).__name__}"))
    return Outcome(alerts, tuple(failures))
