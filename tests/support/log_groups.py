"""Log groups, as FilterLogEvents answers about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.support.aws import Refusal

Event = tuple[int, str]
"""Milliseconds since 1970, and the message."""

GONE = Refusal("ResourceNotFoundException", "The specified log group does not exist.")
DENIED = Refusal("AccessDeniedException", "User is not authorized to perform: logs:FilterLogEvents")


def log_groups(
    groups: Mapping[str, Sequence[Event] | Refusal], page: int = 2
) -> Callable[[Mapping[str, Any]], Any]:
    """Return what answers FilterLogEvents, so many events per page; other groups are missing."""

    def answer(given: Mapping[str, Any]) -> Any:
        name = given["logGroupName"].removeprefix("/aws/lambda/")
        found = groups.get(name, GONE)
        if isinstance(found, Refusal):
            return found
        within = [
            {"timestamp": at, "message": message, "eventId": f"{name} {number}"}
            for number, (at, message) in enumerate(found)
            if given["startTime"] <= at <= given["endTime"]
        ]
        begin = int(given.get("nextToken", 0))
        more = {"nextToken": str(begin + page)} if begin + page < len(within) else {}
        return {"events": within[begin : begin + page], **more}

    return answer
