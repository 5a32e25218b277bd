"""Keys back to names: how names are spelled in keys, and what a counter's id says.

Only reading and deleting need it. 1.5.0 encoded nothing: where a name contains `:` or `%`, the name
as it is (the "raw" spelling) is also read and deleted, but never written.
"""

from gimel.runtime.keys import encode, shards

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_COLONS = 4  # in the id of a counter without a suffix, whose names contain none


def decode(text: str) -> str:
    """Undo `encode`. Any other percent sign, as in keys of 1.5.0, is kept."""
    return text.replace("%3A", ":").replace("%25", "%") if "%" in text else text


def spellings(name: str) -> "tuple[str, ...]":
    """Return how keys may spell a name: encoded and, where that differs, as 1.5.0 wrote it."""
    encoded = encode(name)
    return (encoded,) if encoded == name else (encoded, name)


def namespace_spellings(namespace: str) -> "tuple[str, ...]":
    """Return how keys may spell a namespace.

    A raw spelling that is another namespace's encoded one belongs to that namespace.
    """
    encoded = encode(namespace)
    return (encoded,) if encode(decode(namespace)) == namespace else (encoded, namespace)


def has_raw_colon(counter: str) -> bool:
    """Return whether a name in a counter id contains a raw colon.

    Such an id of 1.5.0 can be read in more than one way.
    """
    return counter.count(":") != _COLONS and shards(counter) is None


class Parser:
    """Reads counter ids of one namespace and of known experiments.

    With raw colons an id may begin with the names of several experiments. It belongs to the
    `owner`, or else to the longest of these names. A raw colon is taken to be part of the goal,
    not of the variant: an id does not show which.
    """

    def __init__(self, namespace: str, experiments: "Iterable[str]") -> None:
        self._prefixes = tuple(
            f"{spelling}:counters:" for spelling in namespace_spellings(namespace)
        )
        self._experiments: dict[str, str] = {}
        for experiment in experiments:
            # A name that is another's encoded one gives way to it.
            self._experiments.setdefault(experiment, experiment)
            self._experiments[encode(experiment)] = experiment

    def parse(self, counter: str, owner: "str | None" = None) -> "tuple[str, str, str] | None":
        """Return the names (experiment, goal, variant), None for what is not such an id.

        `owner` is the experiment in whose index the id was found: the ids of others are then None.
        """
        for prefix in self._prefixes:
            if counter.startswith(prefix):
                break
        else:
            return None
        body = counter[len(prefix) :]
        if shards(counter) is not None:
            body = body[: body.rfind("::")]
        parts = body.split(":")
        if len(parts) == 3:  # no raw colons: nearly always
            experiment = self._experiments.get(parts[0])
            if experiment is None or owner not in (None, experiment):
                return None
            return experiment, decode(parts[1]), decode(parts[2])
        for split in range(len(parts) - 2, 0, -1):
            experiment = self._experiments.get(":".join(parts[:split]))
            if experiment is not None and owner in (None, experiment):
                return experiment, decode(":".join(parts[split:-1])), decode(parts[-1])
        return None
