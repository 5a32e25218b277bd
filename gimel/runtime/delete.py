"""`gimel.delete`: remove every key of an experiment, and nothing else."""

from gimel.runtime import fields, http, keys
from gimel.runtime.redis import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gimel.runtime.http import Request
    from gimel.runtime.redis.resp import Command
    from gimel.runtime.settings import Settings

METHODS = ("DELETE",)


def delete(event: "Any", context: "Any" = None) -> "Any":
    """Delete an `experiment` of a `namespace`. Answers how many counters it had; deleting it again is no error."""
    return http.answer(event, context, METHODS, _delete)


def _delete(request: "Request", settings: "Settings", context: "Any") -> "Any":
    namespace = fields.namespace(request.parameters)
    experiment = fields.text(request.parameters, "experiment")
    redis = process.client(settings.redis, context)
    spaces, names = keys.namespace_spellings(namespace), keys.spellings(experiment)
    lists = [keys.experiments_key(space) for space in spaces]
    own = [keys.experiment_counters_key(space, name) for space in spaces for name in names]
    shared = [keys.counters_key(space) for space in spaces]
    replies = process.read(redis, [("SMEMBERS", key) for key in (*lists, *own, *shared)])
    members = {
        key: set(process.texts(reply))
        for key, reply in zip((*lists, *own, *shared), replies, strict=True)
    }
    # Both indexes are asked: an event that came while an earlier delete ran may be in one of them only. An id that can be read
    # in more than one way is ours only where our own index says so.
    listed = set().union(*(members[key] for key in own))
    listed |= {
        counter for key in shared for counter in members[key] if not keys.holds_raw_colon(counter)
    }
    parser = keys.Parser(namespace, {experiment}.union(*(members[key] for key in lists)))
    counters = {counter for counter in listed if parser.parse(counter, owner=experiment)}
    commands: list[Command] = []
    for key in (*own, *shared):
        # Member by member: what 1.5.0 called an experiment's index may be another namespace's.
        if gone := counters & members[key]:
            commands.append(("SREM", key, *sorted(gone)))
    commands += [("DEL", key) for counter in counters for key in keys.shard_keys(counter)]
    commands += [("SREM", key, experiment) for key in lists if experiment in members[key]]
    commands.append(("DEL", keys.meta_key(spaces[0], names[0])))
    sizes: list[Command] = [("SCARD", key) for key in lists if members[key]]
    left = process.run(redis, commands + sizes)[len(commands) :]
    if not any(left):
        process.run(
            redis,
            [("SREM", keys.NAMESPACES, namespace), ("DEL", keys.namespace_meta_key(spaces[0]))],
        )
    return {"status": "ok", "deleted": len(counters)}
