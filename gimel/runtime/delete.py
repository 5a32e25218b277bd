"""`gimel.delete`: remove every key of one experiment, and nothing else."""

from gimel.runtime import fields, http, keys, parsing
from gimel.runtime.redis import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from gimel.runtime.event import Request
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command
    from gimel.runtime.settings import Settings

METHODS = ("DELETE",)
UNAVAILABLE = "the data store is unavailable; delete the experiment again later"


def delete(event: "Any", context: "Any" = None) -> "Any":
    """Delete an `experiment` of a `namespace`.

    Answers how many counters it had. Deleting it again is not an error.
    """
    return http.answer(event, context, _delete, methods=METHODS, unavailable=UNAVAILABLE)


def _delete(request: "Request", settings: "Settings", context: "Any") -> "Any":
    namespace = fields.namespace(request.parameters)
    experiment = fields.text(request.parameters, "experiment")
    redis = process.client(settings.redis, context)
    indexes = _Indexes(redis, namespace, experiment)
    counters = indexes.counters()
    remove = indexes.removal_of(counters)
    measure: list[Command] = [("SCARD", key) for key in indexes.experiments if indexes.members[key]]
    other_experiments = process.run(redis, remove + measure)[len(remove) :]
    if not any(other_experiments):
        process.run(
            redis,
            [
                ("SREM", keys.NAMESPACES, namespace),
                ("DEL", keys.namespace_meta_key(keys.encode(namespace))),
            ],
        )
    return {"status": "ok", "deleted": len(counters)}


class _Indexes:
    """The sets that may list an experiment or its counters, in each spelling, with their members.

    `experiments` are the lists of the namespace's experiments, `own` the indexes of this
    experiment, `shared` those of the namespace.
    """

    def __init__(self, redis: "Client", namespace: str, experiment: str) -> None:
        self._namespace = namespace
        self._experiment = experiment
        spaces, names = parsing.namespace_spellings(namespace), parsing.spellings(experiment)
        self.experiments = [keys.experiments_key(space) for space in spaces]
        self.own = [keys.experiment_counters_key(space, name) for space in spaces for name in names]
        self.shared = [keys.counters_key(space) for space in spaces]
        every = (*self.experiments, *self.own, *self.shared)
        replies = process.read(redis, [("SMEMBERS", key) for key in every])
        self.members = {
            key: set(process.texts(reply)) for key, reply in zip(every, replies, strict=True)
        }

    def counters(self) -> "set[str]":
        """Return the ids of the experiment's counters.

        Both indexes are read, because an event that arrived during an earlier delete may be in only
        one of them. An id that can be read in more than one way belongs to this experiment only if
        its own index lists it.
        """
        listed = self._listed(self.own)
        listed |= {
            counter for counter in self._listed(self.shared) if not parsing.has_raw_colon(counter)
        }
        experiments = self._listed(self.experiments) | {self._experiment}
        parser = parsing.Parser(self._namespace, experiments)
        return {counter for counter in listed if parser.parse(counter, owner=self._experiment)}

    def removal_of(self, counters: "set[str]") -> "list[Command]":
        """Return the commands that remove the experiment with these counters."""
        commands: list[Command] = []
        for key in (*self.own, *self.shared):
            # Member by member: the key of 1.5.0's index may also belong to another namespace.
            if gone := counters & self.members[key]:
                commands.append(("SREM", key, *sorted(gone)))
        commands += [("DEL", key) for counter in counters for key in keys.shard_keys(counter)]
        commands += [
            ("SREM", key, self._experiment)
            for key in self.experiments
            if self._experiment in self.members[key]
        ]
        space, name = keys.encode(self._namespace), keys.encode(self._experiment)
        commands.append(("DEL", keys.meta_key(space, name)))
        return commands

    def _listed(self, indexes: "Iterable[str]") -> "set[str]":
        return set().union(*(self.members[key] for key in indexes))
