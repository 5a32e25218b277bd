"""`gimel.delete`: remove every key of an experiment, and nothing else."""

from gimel.runtime import fields, http, keys, store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from gimel.runtime.http import Request
    from gimel.runtime.redis import Client
    from gimel.runtime.resp import Command
    from gimel.runtime.settings import Settings

METHODS = ("DELETE",)


def delete(event: "Any", context: "Any" = None) -> "Any":
    """Delete an `experiment` of a `namespace`. Answers how many counters it had; deleting it again is no error."""
    return http.answer(event, context, METHODS, _delete)


def _delete(request: "Request", settings: "Settings", context: "Any") -> "Any":
    namespace = fields.namespace(request.parameters)
    experiment = fields.text(request.parameters, "experiment")
    redis = store.client(settings.redis, context)
    spaces, names = keys.namespace_spellings(namespace), keys.spellings(experiment)
    lists = [keys.experiments_key(space) for space in spaces]
    own_indexes = [keys.experiment_counters_key(space, name) for space in spaces for name in names]
    shared_indexes = [keys.counters_key(space) for space in spaces]
    parser = keys.Parser(namespace, _members(redis, lists) | {experiment})
    # Both indexes are asked: an event that came while an earlier delete ran may be in one of them only.
    listed = _members(redis, own_indexes)
    listed |= {counter for counter in _members(redis, shared_indexes) if not keys.holds_raw_colon(counter)}  # or a neighbour's
    counters = [counter for counter in listed if parser.parse(counter, owner=experiment)]
    commands: list[Command] = []
    if counters:
        # Only these members: what 1.5.0 called an experiment's index may be another namespace's.
        commands += [("SREM", index, *counters) for index in own_indexes + shared_indexes]
        commands += [("DEL", key) for counter in counters for key in keys.shard_keys(counter)]
    commands += [("SREM", key, experiment) for key in lists]
    commands.append(("DEL", keys.meta_key(spaces[0], names[0])))
    commands += [("SCARD", key) for key in lists]
    left = store.run(redis, commands)[-len(lists) :]
    if not any(left):
        store.run(redis, [("SREM", keys.NAMESPACES, namespace), ("DEL", keys.namespace_meta_key(spaces[0]))])
    return {"status": "ok", "deleted": len(counters)}


def _members(redis: "Client", sets: "Sequence[str]") -> "set[str]":
    return {member for reply in store.run(redis, [("SMEMBERS", key) for key in sets]) for member in store.texts(reply)}
