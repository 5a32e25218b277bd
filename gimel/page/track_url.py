"""Which URLs can receive the events of a page.

It looks at the URL alone and connects to nothing.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from gimel.api.http import LOOPBACK
from gimel.errors import GimelError
from gimel.wiring import PUBLIC_HANDLERS, TRACK_PATH, WIRING

_COMPLETE = f"Give the complete URL, like https://host/{TRACK_PATH}."
_PUBLIC = {each.name for each in WIRING.functions if each.handler in PUBLIC_HANDLERS}
_TRACK = {route.path for route in WIRING.routes if route.function in _PUBLIC}
_NOT_TRACK = {route.path for route in WIRING.routes} - _TRACK | {"dashboard"}


def check_track_url(url: str) -> None:
    """Raise GimelError if events that a page sends to `url` cannot be counted."""
    if re.search(r"[\s\x00-\x1f\x7f-\x9f\\\"<>^`{|}]", url):
        raise GimelError(f"{url!r} contains a character that no URL may have.", _COMPLETE)
    if "?" in url or "#" in url:
        raise GimelError(
            f"{url!r} must not contain '?' or '#'.", "The client adds what it sends itself."
        )
    parts = _split(url)
    if "@" in parts.netloc:
        raise GimelError(
            "The URL contains a user name or a password, which every visitor would see.",
            "Remove it: events need no authentication.",
        )
    _check_path(url, parts)


def is_mixed_content(url: str) -> bool:
    """Return whether an HTTPS page may not send to `url`, as browsers allow only loopback."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in LOOPBACK


def _split(url: str) -> SplitResult:
    """Split an absolute http or https URL. Raises GimelError."""
    try:
        parts = urlsplit(url)
        complete = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        complete = False
    if not complete:
        raise GimelError(f"{url!r} is not the URL of a track endpoint.", _COMPLETE)
    return parts


def _check_path(url: str, parts: SplitResult) -> None:
    segments = [segment for segment in parts.path.split("/") if segment]
    misplaced = {*segments[:1], *segments[-1:]} & _NOT_TRACK
    if misplaced:
        raise GimelError(
            f"{url!r} is not the URL of a track endpoint: /{misplaced.pop()} does not count"
            " events.",
            f"The track URL ends in /{TRACK_PATH}, unless you chose another path.",
        )
    host = parts.hostname or ""
    # REST APIs have a path of at least a stage and a resource. A function URL has none.
    stage_only = ".execute-api." in host and len(segments) < 2 and not set(segments) & _TRACK
    if stage_only or (host in LOOPBACK and not segments):
        raise GimelError(
            f"{url!r} is the URL of the API, not of its track endpoint.",
            f"Use {url.rstrip('/')}/{TRACK_PATH}.",
        )
