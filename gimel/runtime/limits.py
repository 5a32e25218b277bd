"""The limits on what a public endpoint can create: which new counters they admit.

They may be exceeded by the counters that other clients are creating at the same moment. What the
owner lists in the configuration is admitted even where strangers have used up a limit.
"""

from __future__ import annotations

from collections.abc import Sequence

from gimel.runtime import keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gimel.runtime.creation import New
    from gimel.runtime.redis.client import Client
    from gimel.runtime.settings import Settings


def admit(redis: Client, settings: Settings, new: Sequence[New]) -> list[New]:
    """Return those of the new counters that are within the limits, the first ones first."""
    room = _Room(redis, settings, new)
    return [each for each in new if room.admits(each)]


class _Room:
    def __init__(self, redis: Client, settings: Settings, new: Sequence[New]) -> None:
        self._settings = settings
        experiments = {each.counter.experiment for each in new}
        namespaces = list({experiment.namespace for experiment in experiments})
        sets = list(
            {keys.NAMESPACES}.union(
                *({e.experiments_key, e.namespace_index, e.index} for e in experiments)
            )
        )
        replies = redis.run(
            [("SCARD", key) for key in sets]
            + [("SISMEMBER", keys.NAMESPACES, namespace) for namespace in namespaces]
        )
        self._sizes = {key: int(str(size)) for key, size in zip(sets, replies, strict=False)}
        listed = replies[len(sets) :]
        self._namespaces = {name for name, reply in zip(namespaces, listed, strict=True) if reply}
        self._experiments = {each.counter.experiment for each in new if each.is_listed}

    def admits(self, new: New) -> bool:
        """Return whether the counter fits, and count it."""
        experiment = new.counter.experiment
        limits = self._settings.limits
        owned = experiment.name in self._settings.owned_experiments
        owned_namespace = owned or experiment.namespace in self._settings.owned_namespaces
        # A namespace with experiments is not new, only unlisted: Gimel 1.5.0 kept no list.
        new_namespace = (
            experiment.namespace not in self._namespaces
            and not self._sizes[experiment.experiments_key]
        )
        new_experiment = experiment not in self._experiments
        for applies, key, limit in (
            (new_namespace and not owned_namespace, keys.NAMESPACES, "namespaces"),
            (new_experiment and not owned, experiment.experiments_key, "experiments"),
            (not owned and not new.is_indexed, experiment.namespace_index, "counters"),
            (True, experiment.index, "counters_per_experiment"),
        ):
            if applies and self._sizes[key] >= limits[limit]:
                return False
        self._sizes[keys.NAMESPACES] += new_namespace
        self._sizes[experiment.experiments_key] += new_experiment
        self._sizes[experiment.namespace_index] += not new.is_indexed
        self._sizes[experiment.index] += 1
        self._namespaces.add(experiment.namespace)
        self._experiments.add(experiment)
        return True
