"""The track URL over HTTP: send events, and return which of them were not counted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import urllib3

import gimel
from gimel.api.http import Session
from gimel.errors import GimelError
from gimel.wiring import TRACK_PATH

USER_AGENT = f"gimel-simulate/{gimel.__version__}"

# Repeated events change nothing, so a failed call is sent again: at once, then after 0.5 s, 1 s,
# ... 8 s.
RETRIES = urllib3.Retry(
    total=6,
    connect=0,
    other=0,  # a certificate, or a proxy that refuses
    redirect=False,
    status_forcelist=(429, 502, 503, 504),
    allowed_methods=("POST",),
    backoff_factor=0.25,
    raise_on_status=False,
    raise_on_redirect=False,
)

_CHECK_URL = f"Check that it is the track URL, which usually ends in /{TRACK_PATH}."


def post_events(
    session: Session,
    url: str,
    events: Sequence[dict[str, str]],
    headers: Mapping[str, str] | None = None,
) -> list[str]:
    """Post at most 100 events; return for each why it was not counted, "" if it was.

    `headers` are sent as well. Raises GimelError if the answer is not that of a track URL.
    """
    answer = session.send(
        "POST",
        url,
        {"User-Agent": USER_AGENT, "Content-Type": "application/json", **(headers or {})},
        json.dumps(events).encode(),
    )
    status = answer.status
    if status == 503:
        raise GimelError(f"{url} cannot reach Redis.", "Check that Redis is running.")
    if status not in (200, 400):
        raise GimelError(f"{url} returned status {status}.", _CHECK_URL)
    return _outcomes(url, answer.body)


def _outcomes(url: str, body: bytes) -> list[str]:
    try:
        document = json.loads(body)
        if "events" not in document:
            raise GimelError(f"{url} rejected the events: {document['error']}.")
        return [
            "" if each.get("status") == "ok" else str(each.get("reason") or each["error"])
            for each in document["events"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise GimelError(f"{url} is not a track URL of Gimel.", _CHECK_URL) from None
