"""The way to a store that only the functions reach: the function that takes snapshots is asked.

Its zip has the code for that where `gimel deploy` creates the store: see
`gimel.transfer.function`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from gimel.config import Config
from gimel.deploy.aws import Aws
from gimel.deploy.aws_errors import GONE, Refused
from gimel.deploy.identity import ALIAS
from gimel.errors import GimelError
from gimel.wiring import SNAPSHOT


def asking(aws: Aws, config: Config) -> Callable[[dict[str, Any]], Any]:
    """Return what sends an event to the live function and returns its answer.

    Both raise GimelError: without such a function, or if it fails.
    """
    names = [each.name for each in config.wiring.functions if each.handler == SNAPSHOT]
    if not names:
        raise GimelError(
            "Only the function that takes snapshots could reach the store, and snapshots are off.",
            "Set `snapshots` to true in config.json, run `gimel deploy`, and repeat the command.",
        )

    return asking_version(aws, names[0], ALIAS)


def asking_version(aws: Aws, function: str, qualifier: str) -> Callable[[dict[str, Any]], Any]:
    """Return the same for a version or alias of a function."""

    def ask(event: dict[str, Any]) -> Any:
        return _invoke(aws, function, qualifier, event)

    return ask


def _invoke(aws: Aws, function: str, qualifier: str, event: dict[str, Any]) -> Any:
    which = {"FunctionName": function, "Qualifier": qualifier}
    try:
        answer = aws.call("lambda", "invoke", **which, Payload=json.dumps(event))
    except Refused as refused:
        if refused.code not in GONE:
            raise
        raise GimelError(
            f"The function {function}, which reaches the store, does not exist.",
            "Run `gimel deploy` first.",
        ) from None
    said = json.loads(answer["Payload"].read() or "null")
    if "FunctionError" in answer:
        why = said.get("errorMessage") if isinstance(said, dict) else None
        reason = str(why or said).rstrip(".")
        raise GimelError(
            f"The function {function} failed: {reason}.",
            "Run `gimel deploy`, and then the same command again.",
        )
    if not isinstance(said, dict) or not {"replies", "failed", "too_long"} & said.keys():
        raise GimelError(
            f"The function {function} is of another version, which cannot export or import.",
            "Run `gimel deploy`, and then the same command again.",
        )
    return said
