"""Events that a browser sends through a REST API to this process's `gimel.track`."""

from __future__ import annotations

import json
from typing import Any

import gimel
from tests.support.events import EVENT, read, rest


def send(**changes: str) -> Any:
    """Track EVENT with these changes. Return the answer's body, which must be a 200's."""
    status, body = read(gimel.track(rest(query={**EVENT, **changes}), None))
    assert status == 200, body
    return body


def send_batch(*changes: dict[str, str]) -> list[Any]:
    """Track a batch of EVENT with these changes. Return the answer of each event."""
    batch = [{**EVENT, **change} for change in changes]
    status, body = read(gimel.track(rest("POST", body=json.dumps(batch)), None))
    assert status == 200, body
    events: list[Any] = body["events"]
    return events
