"""The store of an earlier deploy, reached by the version of a function that was live then. Pure.

After a deploy has moved the functions to another Redis, only their earlier versions reach the store
that `gimel deploy` had created. AWS keeps some versions, for a rollback.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from gimel.deploy.resources.observed_function import ObservedFunction
from gimel.errors import GimelError
from gimel.wiring import SNAPSHOT


def snapshot_version(functions: Sequence[ObservedFunction], deploy: int) -> tuple[str, str]:
    """Return the function that takes snapshots, and its version that a deploy left live.

    Raises GimelError if the version is no longer kept, or used another Redis.
    """
    newest = max((each.history.newest for each in functions), default=deploy)
    if deploy > newest:
        raise GimelError(
            f"Deploy {deploy} does not exist. The newest is {newest}.",
            "`gimel status --history` lists the deploys.",
        )
    for function in functions:
        entries = [each for each in function.history.entries if each.deploy <= deploy]
        wanted = entries[0].version if entries else None
        for version in function.versions:
            if version.number == wanted and version.configuration.handler == SNAPSHOT:
                _check(version.configuration.settings, deploy)
                return function.name, str(version.number)
    raise GimelError(
        f"What took snapshots after deploy {deploy} is no longer kept.",
        "`gimel status --history` lists the deploys.",
    )


def _check(settings: str | None, deploy: int) -> None:
    redis = json.loads(settings or "{}").get("redis", {})
    if not redis.get("iam"):
        where = f"{redis.get('host', 'localhost')}:{redis.get('port', 6379)}"
        raise GimelError(
            f"Deploy {deploy} counted in the Redis at {where}.", "Pass its URL with --redis."
        )
