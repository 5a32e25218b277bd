"""One event as it is counted: its names, the visitor and the counter."""

from gimel.runtime import keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gimel.runtime.redis.resp import Command


class TrackEvent:
    """One event: its names as given, the uuid, and the id of the counter that counts it."""

    __slots__ = (
        "counter",
        "encoded_experiment",
        "encoded_namespace",
        "experiment",
        "namespace",
        "uuid",
    )

    def __init__(
        self, namespace: str, experiment: str, goal: str, variant: str, uuid: str, precision: int
    ) -> None:
        self.namespace = namespace
        self.experiment = experiment
        self.uuid = uuid
        self.encoded_namespace = keys.encode(namespace)
        self.encoded_experiment = keys.encode(experiment)
        self.counter = keys.counter_id(
            self.encoded_namespace,
            self.encoded_experiment,
            keys.encode(goal),
            keys.encode(variant),
            precision,
        )

    def commands(self) -> "tuple[Command, Command, Command, Command]":
        """Return what counts it: the experiment, the counter in the namespace, the counter in the experiment, the uuid."""
        namespace, counter = self.encoded_namespace, self.counter
        return (
            ("SADD", keys.experiments_key(namespace), self.experiment),
            ("SADD", keys.counters_key(namespace), counter),
            ("SADD", keys.experiment_counters_key(namespace, self.encoded_experiment), counter),
            ("PFADD", keys.shard_of(counter, self.uuid), self.uuid),
        )
